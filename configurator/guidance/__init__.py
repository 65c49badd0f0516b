"""What to say: guards and doubts that are certainly true now. Knows the engine's answers,
no pages."""

from configurator.guidance.doubts import certain_doubts
from configurator.guidance.guards import Spoken, Suggested, spoken_guards

__all__ = ["Spoken", "Suggested", "certain_doubts", "spoken_guards"]

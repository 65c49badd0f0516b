"""What to say: guards that are certainly true now. Knows the engine's answers, no pages."""

from configurator.guidance.guards import Spoken, Suggested, spoken_guards

__all__ = ["Spoken", "Suggested", "spoken_guards"]

"""What to say: guards and doubts that are certainly true now. Knows the engine's answers,
no pages."""

from configurator.guidance.consequences import Consequences, consequences, consequences_json
from configurator.guidance.doubts import certain_doubts
from configurator.guidance.guards import Spoken, Suggested, assumed_at_summary, spoken_guards

__all__ = [
    "Consequences",
    "Spoken",
    "Suggested",
    "assumed_at_summary",
    "certain_doubts",
    "consequences",
    "consequences_json",
    "spoken_guards",
]

"""The decision trail: events that are appended, never changed, and can be verified.

Knows how to store, find, verify and replay; knows nothing of products, engines or pages.
"""

from configurator.trail.canonical import (
    apply_change,
    canonical_json,
    digest,
    encode_checked,
    view_change,
)
from configurator.trail.code import new_code, normalise
from configurator.trail.database import connect
from configurator.trail.errors import (
    BadCodeError,
    CodeTakenError,
    DamagedSessionError,
    KeyReusedError,
    NotCanonicalError,
    SequenceConflictError,
    TrailError,
    TrailUnavailableError,
    UnknownSessionError,
    UnreadableEventError,
)
from configurator.trail.migrations import migrate
from configurator.trail.records import Decision, Event, EventDraft, Head, Written
from configurator.trail.store import Clock, Trail
from configurator.trail.verify import ReplayStep, Verification

__all__ = [
    "BadCodeError",
    "Clock",
    "CodeTakenError",
    "DamagedSessionError",
    "Decision",
    "Event",
    "EventDraft",
    "Head",
    "KeyReusedError",
    "NotCanonicalError",
    "ReplayStep",
    "SequenceConflictError",
    "Trail",
    "TrailError",
    "TrailUnavailableError",
    "UnknownSessionError",
    "UnreadableEventError",
    "Verification",
    "Written",
    "apply_change",
    "canonical_json",
    "connect",
    "digest",
    "encode_checked",
    "migrate",
    "new_code",
    "normalise",
    "view_change",
]

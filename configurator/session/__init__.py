"""What a customer, or someone on their behalf, does: start, choose, undo, repair, commit.

Knows the engine, the trail and the catalogue; knows nothing of pages or requests.
"""

from configurator.session.errors import (
    GuardsOpenError,
    IncompleteError,
    IrreversibleOpenError,
    NothingToFinishError,
    NothingToPreviewError,
    NothingToUndoError,
    NothingToWithdrawError,
    NotIrreversibleError,
    RepairOutdatedError,
    SequenceConflictError,
    SessionClosedError,
    SessionError,
    UndecidedError,
    UnknownGuardError,
    UnknownRepairError,
)
from configurator.session.refusal import Refusal
from configurator.session.session import Outcome, Session, Started
from configurator.session.sessions import Sessions
from configurator.session.view import difference_of, has_undecided, lowest_of

__all__ = [
    "GuardsOpenError",
    "IncompleteError",
    "IrreversibleOpenError",
    "NotIrreversibleError",
    "NothingToFinishError",
    "NothingToPreviewError",
    "NothingToUndoError",
    "NothingToWithdrawError",
    "Outcome",
    "Refusal",
    "RepairOutdatedError",
    "SequenceConflictError",
    "Session",
    "SessionClosedError",
    "SessionError",
    "Sessions",
    "Started",
    "UndecidedError",
    "UnknownGuardError",
    "UnknownRepairError",
    "difference_of",
    "has_undecided",
    "lowest_of",
]

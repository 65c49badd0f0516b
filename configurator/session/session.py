"""A session as it stands, and what comes of starting one or acting on it. Data only."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from configurator.model.choice import Choices
from configurator.model.product import Product
from configurator.session.refusal import Refusal
from configurator.session.state import State

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Session:
    """A session as it stands after event ``seq``, whose ``hash`` is the receipt for all that
    happened up to it."""

    session_id: str
    code: str
    product: Product
    release: str
    day: datetime.date
    seq: int
    hash: str
    state: State
    view: Json

    @property
    def product_id(self) -> str:
        """The product's id."""
        return self.product.id

    @property
    def choices(self) -> Choices:
        """The customer's decisions, oldest first."""
        return self.state.choices

    @property
    def context(self) -> Choices:
        """What the shop told."""
        return self.state.context

    @property
    def locale(self) -> str:
        """The language the customer reads."""
        return self.state.locale

    @property
    def status(self) -> str:
        """``open`` or ``committed``."""
        return self.state.status

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self.state.undo) and self.status == "open"

    @property
    def can_redo(self) -> bool:
        """Whether a step was taken back."""
        return bool(self.state.redo) and self.status == "open"

    @property
    def acknowledged(self) -> Json:
        """Guards confirmed so far: reason and the values they were confirmed for."""
        return {
            guard: {"reason": reason, "values": dict(values)}
            for guard, reason, values in self.state.acknowledged
        }


@dataclass(frozen=True, slots=True)
class Started:
    """A new session and the secret that lets its owner back in. ``replayed``: it was a
    retry; the session is as it was when it started."""

    session: Session
    token: str
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an act. ``shown`` is what a preview showed; ``replayed``: it was a
    retry, this is the first answer. ``view``: the canonical bytes of the session's view,
    where they are at hand."""

    kind: str
    session: Session
    change: Json
    refusal: Refusal | None = None
    replayed: bool = False
    shown: Json | None = None
    view: bytes | None = None

"""The parts of a question page, as data for the templates."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from configurator.web.shop.guards import SaidGuard


@dataclass(frozen=True, slots=True)
class Card:
    """One option. ``state`` is the view's; ``proposed`` marks the author's proposal,
    ``filled`` an answer that was filled in for the customer."""

    slot: str
    answer: str
    title: str
    state: str
    say: tuple[str, ...] = ()
    price: str = ""
    lowest: str = ""
    changes: str = ""
    proposed: bool = False
    filled: bool = False
    irreversible: str = ""
    thumb: Markup | None = None
    guards: tuple[SaidGuard, ...] = ()


@dataclass(frozen=True, slots=True)
class Amount:
    """A number or a day to enter, with what may be entered said in words. ``pace`` says
    which numbers lie between, where not every one does."""

    value: str
    suggested: str
    low: str
    high: str
    step: str
    unit: str
    ranges: tuple[str, ...]
    narrowed: bool
    less: str = ""
    more: str = ""
    each: str = ""
    pace: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of a several-of: a card to tick, or a quantity with less and more."""

    card: Card
    quantity: int
    single: bool
    less: str
    more: str
    more_changes: str
    open: bool


@dataclass(frozen=True, slots=True)
class TextEntry:
    """A text to write."""

    value: str
    least: int
    most: int
    letters: str


@dataclass(frozen=True, slots=True)
class Question:
    """One variable of the step. ``form`` says which of the parts below is there; ``keep``
    is the answer that was filled in for the customer, where one stands."""

    id: str
    name: str
    help: str
    form: str
    state: str
    optional: bool
    irreversible: str
    keep: str = ""
    reason: tuple[str, ...] = ()
    cards: tuple[Card, ...] = ()
    others: tuple[Card, ...] = ()
    amount: Amount | None = None
    kinds: tuple[Kind, ...] = ()
    limits: str = ""
    closed: bool = True
    taken: bool = False
    text: TextEntry | None = None
    none: Card | None = None
    doubts: tuple[tuple[str, str], ...] = ()
    asked_if: str = ""
    guards: tuple[SaidGuard, ...] = ()

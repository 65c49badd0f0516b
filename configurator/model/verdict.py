"""What the engine answers. Data only; pages and commands render it.

Everything is exact unless a field says otherwise; tuples are in the order of the
rule folder, so that the same question gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, NamedTuple

from configurator.model.choice import Choice, Choices

OptionState = Literal["chosen", "possible", "implied", "needs changes", "undecided", "impossible"]
"""``impossible``: in no configuration at all, whatever else the customer changes."""

SlotState = Literal["chosen", "implied", "open", "not asked", "undecided"]


class Option(NamedTuple):
    """One answer to one slot, as it stands now.

    ``difference`` is how many cents the lowest total of a configuration with this option
    and everything chosen elsewhere lies above the view's ``lowest_total`` (above 0 where
    that is not known); ``None`` for an option that needs changes. ``exact`` says whether
    that total is reached or only a lower bound ("at least").
    ``changes`` is the least number of other choices to change for it (0 where
    possible, ``None`` where not known or impossible).
    """

    answer: str
    state: OptionState
    difference: int | None = None
    exact: bool = True
    changes: int | None = 0


@dataclass(frozen=True, slots=True)
class Interval:
    """A run of valid numbers or days of a wide slot: every step from ``low`` to ``high``.

    Of a computed number, just the lowest and the highest result there can be.
    """

    low: str
    high: str


class SlotView(NamedTuple):
    """One slot, as it stands now.

    ``answer`` is the chosen or implied one. ``origin`` lists the slots whose choices,
    and the ids of the rules which, imply it (a minimal set, filled on demand; see
    ``Engine.origin``). Options are listed for enumerated slots; numbers and dates of
    more than 60 values give ``intervals`` instead. ``proposal`` is the default that
    would be accepted now. ``certainly_asked`` is false while the question may still turn
    out not to be asked.
    """

    slot: str
    variable: str
    state: SlotState
    answer: str | None = None
    options: tuple[Option, ...] = ()
    intervals: tuple[Interval, ...] = ()
    proposal: str | None = None
    certainly_asked: bool = True


@dataclass(frozen=True, slots=True)
class PriceLine:
    """One line of the bill, in cents."""

    id: str
    amount: int


@dataclass(frozen=True, slots=True)
class Bill:
    """The price of a complete configuration, in cents; ``total`` is what is paid.

    ``taxes`` splits ``tax`` into ``(rate in percent, cents)``, lowest rate first.
    """

    lines: tuple[PriceLine, ...]
    net: int
    tax: int
    total: int
    taxes: tuple[tuple[Fraction, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Count:
    """How many configurations are left; where not ``exact``, at least so many."""

    number: int
    exact: bool


@dataclass(frozen=True, slots=True)
class EngineView:
    """The whole answer for one assignment.

    ``lowest_total`` is of the cheapest complete configuration with the choices made;
    ``proposed`` maps every slot to the answer it has when all proposals are accepted
    (partial: open slots without a proposal are missing); ``proposed_bill`` prices that
    when it is complete. ``complete`` says that nothing is left open, ``settled`` that
    nothing is left undecided.
    """

    slots: tuple[SlotView, ...]
    lowest_total: int | None
    lowest_exact: bool
    count: Count
    complete: bool
    bill: Bill | None = None
    proposed: Mapping[str, str] = field(default_factory=dict)
    proposed_bill: Bill | None = None
    settled: bool = True

    @property
    def proposals(self) -> Choices:
        """What is proposed, as choices."""
        return tuple(
            Choice(slot.slot, slot.proposal) for slot in self.slots if slot.proposal is not None
        )


@dataclass(frozen=True, slots=True)
class Conflict:
    """Why something cannot be had: a subset-minimal set of the customer's own choices
    and of named rules (ids of rules, tables, ``table#row`` or variables' own limits as
    ``limits:<variable>``) that cannot hold together with ``wanted``.

    ``context`` lists the facts told by the shop that take part. Never cites implied or
    proposed answers. ``rules`` alone non-empty and ``choices`` empty: impossible in
    every configuration. With ``more`` other rules take part besides those named, which
    are then only some of a minimal set.
    """

    wanted: Choice | None
    choices: Choices
    rules: tuple[str, ...]
    context: Choices = ()
    more: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """One slot before and after; ``None`` is "not answered" or "not asked"."""

    slot: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Repair:
    """A minimal correction: which choices change, so that the rest stands.

    ``choices`` is the assignment after accepting it, in order of age, the wanted choice
    last. ``lowest_total`` is the lowest total then reachable, ``difference`` that minus
    the present one, in cents.
    """

    changes: tuple[Change, ...]
    choices: Choices
    lowest_total: int | None
    difference: int | None


@dataclass(frozen=True, slots=True)
class Completion:
    """A complete configuration: an answer for every slot that is asked, and its bill."""

    answers: Choices
    bill: Bill | None

"""Which guards to say now, what they read, and what they suggest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from configurator.engine import Engine
from configurator.engine.judge import Domains
from configurator.model.choice import Choice, Choices
from configurator.model.product import Guard
from configurator.model.verdict import EngineView, SlotView

NAMED = 3
"""How many valid answers are named before a slot counts as open."""


@dataclass(frozen=True, slots=True)
class Suggested:
    """What a guard suggests instead, and how that option stands now."""

    slot: str
    answer: str
    state: str


@dataclass(frozen=True, slots=True)
class Spoken:
    """A guard that is certainly true.

    ``reads`` holds ``(slot, answer)`` of every slot it reads, in the order it reads them:
    the answer where one is left, a few valid ones joined by ``|``, or ``…``. It is said
    again only when they change.
    """

    guard: Guard
    reads: tuple[tuple[str, str], ...]
    suggestions: tuple[Suggested, ...]


def spoken_guards(
    engine: Engine, view: EngineView, choices: Choices, context: Choices, *, settle: bool = True
) -> tuple[Spoken, ...]:
    """The guards that are certainly true, in the order of the rule folder.

    Without ``settle`` they are judged on what a first answer decides.

    Guards at a choice are judged on the valid domains. Those at the summary are judged as
    if all proposals were accepted and untouched several-ofs were empty.
    """
    now = _Moment(engine, choices, context, settle, view.lowest_total)
    later = now
    if not view.complete and any(guard.at == "summary" for guard in engine.guards):
        later = _Moment(engine, assumed_at_summary(engine, view, choices, context), context, settle)
    spoken = []
    slots = {slot.slot: slot for slot in view.slots}
    for guard in engine.guards:
        moment = later if guard.at == "summary" else now
        lowest = moment.lowest() if engine.judge.reads_total(guard.when) else None
        if engine.judge.truth(guard.when, moment.domains, lowest) is True:
            spoken.append(_spoken(engine, guard, slots, moment.domains))
    return tuple(spoken)


class _Moment:
    """What guards are judged on: the valid domains, and the lowest total where one reads
    it."""

    def __init__(
        self,
        engine: Engine,
        choices: Choices,
        context: Choices,
        settle: bool,
        lowest: int | None = None,
    ) -> None:
        self.domains = engine.domains(choices, context, settle=settle)
        self._lowest = lowest
        self._ask = partial(engine.lowest_total, choices, context, settle=settle)

    def lowest(self) -> int | None:
        """The lowest total, asked for once."""
        if self._lowest is None:
            self._lowest = self._ask()
        return self._lowest


def assumed_at_summary(
    engine: Engine, view: EngineView, choices: Choices, context: Choices
) -> Choices:
    """The choices with proposals accepted and untouched several-ofs empty, as far as they
    fit together."""
    kinds = {
        slot.slot: engine.product.variable(slot.variable).kind
        for slot in view.slots
        if slot.state == "open"
    }
    proposed = view.proposed
    assumed = (
        *choices,
        *(
            Choice(slot, proposed[slot])
            for slot, kind in kinds.items()
            if kind != "computed" and slot in proposed
        ),
    )
    empty = tuple(
        Choice(slot, "0")
        for slot, kind in kinds.items()
        if kind == "several of" and slot not in proposed
    )
    if engine.holds((*assumed, *empty), context):
        return (*assumed, *empty)
    for none_of_it in empty:
        if engine.is_possible(assumed, none_of_it, context):
            assumed = (*assumed, none_of_it)
    return assumed


def _spoken(
    engine: Engine, guard: Guard, slots: Mapping[str, SlotView], domains: Domains
) -> Spoken:
    reads = tuple((slot, _named(domains, slot)) for slot in engine.judge.slots(guard.when))
    suggestions = tuple(
        Suggested(each.variable, each.value, _state(slots.get(each.variable), each.value))
        for each in guard.suggest
    )
    return Spoken(
        guard,
        reads,
        tuple(each for each in suggestions if each.state in ("possible", "needs changes")),
    )


def _state(slot: SlotView | None, answer: str) -> str:
    """How an option stands; possible where it is not listed."""
    options = () if slot is None else slot.options
    return next((each.state for each in options if each.answer == answer), "possible")


def _named(domains: Domains, slot: str) -> str:
    domain = domains[slot]
    return "|".join(domain.every()) if domain.size() <= NAMED else "…"

"""Which guards to say now, what they read, and what they suggest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from configurator.engine import Engine
from configurator.engine.judge import MarkedDomains, Named
from configurator.engine.truth import Truth
from configurator.model.choice import Choice, Choices
from configurator.model.product import Guard
from configurator.model.verdict import EngineView, SlotView


@dataclass(frozen=True, slots=True)
class Suggested:
    """What a guard suggests instead, and how that option stands now."""

    slot: str
    answer: str
    state: str


@dataclass(frozen=True, slots=True)
class Spoken:
    """A guard that is certainly true.

    ``reads`` holds what is left of every slot it reads, in the order it reads them
    (``Judge.named``). It is said again only when they change.
    """

    guard: Guard
    reads: Named
    suggestions: tuple[Suggested, ...]


def spoken_guards(
    engine: Engine, view: EngineView, choices: Choices, context: Choices, *, settle: bool = True
) -> tuple[Spoken, ...]:
    """The guards that are certainly true, in the order of the rule folder.

    Without ``settle`` they are judged on what a first answer decides.

    Guards at a choice are judged on the valid domains. Those at the summary are judged as
    if all proposals were accepted and untouched several-ofs were empty.
    """
    now = engine.domains(choices, context, settle=settle)
    summary = None if view.complete else _Summary(engine, view, choices, context, settle)
    judge, lowest = engine.judge, view.lowest_total
    slots = {slot.slot: slot for slot in view.slots}
    spoken = []
    for guard in engine.guards:
        if guard.at == "choice" or summary is None:
            truth, domains = judge.truth(guard.when, now, lowest), now
        else:
            truth, domains = summary.judged(guard)
        if truth is True:
            spoken.append(_spoken(engine, guard, slots, domains))
    return tuple(spoken)


class _Summary:
    """Judges guards as they would be at the summary."""

    def __init__(
        self, engine: Engine, view: EngineView, choices: Choices, context: Choices, settle: bool
    ) -> None:
        self._engine = engine
        self._view = view
        self._choices = choices
        self._context = context
        self._settle = settle

    def judged(self, guard: Guard) -> tuple[Truth, MarkedDomains]:
        """Whether a guard is certain, and the domains it was judged on: those with all that
        is assumed; but those with the proposals alone, which the view has worked out
        already, where they decide the guard and all it reads. The rest changes nothing
        then.
        """
        judge = self._engine.judge
        if judge.reads_total(guard.when):
            return judge.truth(guard.when, self._everything, self._lowest), self._everything
        proposed = self._proposed
        truth = judge.truth(guard.when, proposed)
        if truth is False:
            return truth, proposed
        if truth is True and all(proposed[slot].size() == 1 for slot in judge.slots(guard.when)):
            return truth, proposed
        return judge.truth(guard.when, self._everything), self._everything

    @cached_property
    def _proposed(self) -> MarkedDomains:
        return self._domains((*self._choices, *self._view.proposals))

    @cached_property
    def _assumed(self) -> Choices:
        return assumed_at_summary(self._engine, self._view, self._choices, self._context)

    @cached_property
    def _everything(self) -> MarkedDomains:
        return self._domains(self._assumed)

    @cached_property
    def _lowest(self) -> int | None:
        return self._engine.lowest_total(self._assumed, self._context, settle=self._settle)

    def _domains(self, choices: Choices) -> MarkedDomains:
        return self._engine.domains(choices, self._context, settle=self._settle)


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
    engine: Engine, guard: Guard, slots: Mapping[str, SlotView], domains: MarkedDomains
) -> Spoken:
    suggestions = tuple(
        Suggested(each.variable, each.value, _state(slots.get(each.variable), each.value))
        for each in guard.suggest
    )
    return Spoken(
        guard,
        engine.judge.named(guard.when, domains),
        tuple(each for each in suggestions if each.state in ("possible", "needs changes")),
    )


def _state(slot: SlotView | None, answer: str) -> str:
    """How an option stands; possible where it is not listed."""
    options = () if slot is None else slot.options
    return next((each.state for each in options if each.answer == answer), "possible")

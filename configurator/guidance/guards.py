"""Which guards to say now, what they read, and what they suggest."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from configurator.engine import Engine
from configurator.guidance.prospect import POSSIBLE, Prospect
from configurator.model.choice import Choice, Choices
from configurator.model.product import Guard
from configurator.model.verdict import EngineView


@dataclass(frozen=True, slots=True)
class Suggested:
    """What a guard suggests instead, and how that option stands now."""

    slot: str
    answer: str
    state: str


@dataclass(frozen=True, slots=True)
class Spoken:
    """A guard that is certainly true. ``reads`` holds ``(slot, answer)`` of every slot it
    reads (several valid answers joined by ``|``): it is said again only when they
    change."""

    guard: Guard
    reads: tuple[tuple[str, str], ...]
    suggestions: tuple[Suggested, ...]


def spoken_guards(
    engine: Engine, view: EngineView, choices: Choices, context: Choices
) -> tuple[Spoken, ...]:
    """The guards that are certainly true, in the order of the rule folder.

    Guards at a choice are judged on the valid domains of ``view``. Those at the summary
    are judged as if all proposals were accepted and untouched several-ofs were empty.
    """
    day: datetime.date = engine.day
    active = [guard for guard in engine.product.guards if guard.period.covers(day)]
    if not active:
        return ()
    now = Prospect(engine, view, context)
    later: Prospect | None = None
    spoken = []
    for guard in active:
        prospect = now
        if guard.at == "summary" and not view.complete:
            if later is None:
                later = Prospect(engine, at_summary(engine, view, choices, context), context)
            prospect = later
        if prospect.holds(guard.when) is True:
            spoken.append(_spoken(engine, guard, view, prospect))
    return tuple(spoken)


def at_summary(engine: Engine, view: EngineView, choices: Choices, context: Choices) -> EngineView:
    """The view with proposals accepted and untouched several-ofs empty, as far as they
    fit together."""
    assumed = choices
    proposed = {choice.slot for choice in view.proposed}
    still_open = {slot.slot: slot for slot in view.slots if slot.state == "open"}
    assumed += tuple(choice for choice in view.proposed if choice.slot in still_open)
    for slot in still_open.values():
        if slot.slot in proposed or engine.product.variable(slot.variable).kind != "several of":
            continue
        none_of_it = Choice(slot.slot, "0")
        if engine.is_possible(assumed, none_of_it, context):
            assumed = (*assumed, none_of_it)
    return engine.view(assumed, context)


def _spoken(engine: Engine, guard: Guard, view: EngineView, prospect: Prospect) -> Spoken:
    reads = tuple(
        (slot, "|".join(prospect.answers(slot) or ("…",)))
        for slot in engine.reading.slots(guard.when)
    )
    states = {
        (slot.slot, option.answer): option.state for slot in view.slots for option in slot.options
    }
    suggestions = tuple(
        Suggested(each.variable, each.value, states.get((each.variable, each.value), "possible"))
        for each in guard.suggest
        if states.get((each.variable, each.value), "possible") in (*POSSIBLE, "needs changes")
    )
    return Spoken(guard, reads, suggestions)

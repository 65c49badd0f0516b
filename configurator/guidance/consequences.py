"""What a choice would do before it is made: close, force, ask, cost, and warn of.

Two views of the engine, one with the choice and one without, and what differs. Nothing is
decided by looking, and nothing here blocks.
"""

from __future__ import annotations

from dataclasses import dataclass

from configurator.engine import Engine
from configurator.guidance.guards import spoken_guards
from configurator.model.choice import Choice, Choices, without
from configurator.model.verdict import SlotView

_OPEN = ("possible", "implied")


@dataclass(frozen=True, slots=True)
class Consequences:
    """What ``wanted`` would do. ``closes``: options of questions still open that would
    need changes then; ``forces``: answers that would newly follow by themselves; ``asks`` and
    ``skips``: variables that would surely be asked, or not any more; ``guards``: ids of
    guards that would be said; ``difference``: how the lowest total would move, in cents
    (``None`` where nothing is priced), and ``exact`` whether that is more than a bound."""

    wanted: Choice
    closes: Choices = ()
    forces: Choices = ()
    asks: tuple[str, ...] = ()
    skips: tuple[str, ...] = ()
    guards: tuple[str, ...] = ()
    difference: int | None = None
    exact: bool = True


def consequences(
    engine: Engine, choices: Choices, wanted: Choice, context: Choices = ()
) -> Consequences | None:
    """What choosing ``wanted`` would do; ``None`` where it needs changes (then there are
    repairs to look at). Raises ``UnknownChoiceError``."""
    wanted = engine.check(wanted)
    if not engine.is_possible(choices, wanted, context):
        return None
    chosen = (*without(choices, {wanted.slot}), wanted)
    before, after = engine.view(choices, context), engine.view(chosen, context)
    then = {slot.slot: slot for slot in after.slots}
    closes: list[Choice] = []
    forces: list[Choice] = []
    asks: dict[str, None] = {}
    skips: dict[str, None] = {}
    for slot in before.slots:
        variable = engine.product.variable(slot.variable)
        if slot.slot == wanted.slot or variable.kind == "computed" or variable.show == "never":
            continue
        now = then[slot.slot]
        if now.state == "not asked":
            if slot.state != "not asked":
                skips[slot.variable] = None
        elif not slot.certainly_asked and now.certainly_asked:
            asks[slot.variable] = None
        if now.state == "implied" and now.answer is not None and now.answer != slot.answer:
            forces.append(Choice(slot.slot, now.answer))
        elif slot.state == now.state == "open":
            closes += _closed(slot, now)
    said = {each.guard.id for each in spoken_guards(engine, before, choices, context)}
    newly = [
        each.guard.id
        for each in spoken_guards(engine, after, chosen, context)
        if each.guard.id not in said and each.guard.at == "choice"
    ]
    difference = None
    if before.lowest_total is not None and after.lowest_total is not None:
        difference = after.lowest_total - before.lowest_total
    return Consequences(
        wanted,
        tuple(closes),
        tuple(forces),
        tuple(asks),
        tuple(skips),
        tuple(newly),
        difference,
        before.lowest_exact and after.lowest_exact,
    )


def _closed(before: SlotView, after: SlotView) -> list[Choice]:
    """The options that were possible and would no longer be."""
    left = {option.answer for option in after.options if option.state in _OPEN}
    return [
        Choice(before.slot, option.answer)
        for option in before.options
        if option.state in _OPEN and option.answer not in left
    ]


def consequences_json(found: Consequences) -> dict[str, object]:
    """Consequences as the trail keeps them; what there is not is absent."""
    data: dict[str, object] = {"wanted": [found.wanted.slot, found.wanted.answer]}
    for name, some in (("closes", found.closes), ("forces", found.forces)):
        if some:
            data[name] = [[choice.slot, choice.answer] for choice in some]
    for name, ids in (("asks", found.asks), ("skips", found.skips), ("guards", found.guards)):
        if ids:
            data[name] = list(ids)
    if found.difference is not None:
        data["difference"] = found.difference
        if not found.exact:
            data["at_least"] = True
    return data

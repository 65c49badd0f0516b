"""The view: everything the customer can perceive, as canonical JSON.

This is what the trail stores (as changes), what pages render and what a replay folds.
It holds ids, answers and cents, never sentences: those follow from the release and the
locale. Absent is absent; null never occurs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from configurator.engine import Engine
from configurator.engine.exact import plain as spelled
from configurator.guidance import Spoken, certain_doubts, spoken_guards
from configurator.memory import Memory
from configurator.model.product import Product
from configurator.model.verdict import Bill, Conflict, Count, EngineView, Option, SlotView
from configurator.session.state import State

Json = dict[str, Any]


KEPT = 400_000
"""Options whose slots are kept as JSON (some 200 bytes each); fewer than two views of the
largest products have would be forgotten before they are asked for again."""

MET = 200_000
"""Slots of views of which it is kept what they were made of (some 150 bytes each): of the views
of some thousand sessions of usual products."""


@dataclass(frozen=True, slots=True)
class _Met:
    """Slots as JSON, and what each was made of; ``names`` are theirs, in that order."""

    made: Json
    names: list[str]
    slots: Sequence[SlotView]
    reasons: list[Conflict | None]


class Pieces:
    """Slots as JSON, made once and shared by all views that hold them, so that views can be
    compared by what they share. Nobody changes them."""

    def __init__(self) -> None:
        # What is kept holds on to the objects, so that their ids stay their own.
        self._kept: Memory[tuple[int, int], tuple[SlotView, Conflict | None, Json]] = Memory(KEPT)
        self._met: Memory[int, _Met] = Memory(MET)

    def slots(
        self,
        product: Product,
        slots: Sequence[SlotView],
        origins: Mapping[str, Conflict],
        before: Json | None = None,
    ) -> Json:
        """The slots, and the members of each, in canonical order. ``before``: those of a
        view before, which most are the same as."""
        known = self._met.get(id(before))
        found = known and self._after(known, product, slots, origins)
        if found is None:
            names = [each.slot for each in slots]
            reasons = [*map(origins.get, names)]
            pieces = map(self._piece, repeat(product), slots, reasons)
            made = dict(sorted(zip(names, pieces, strict=True)))
            found = _Met(made, names, slots, reasons)
        return self._met.keep(id(found.made), found, len(slots)).made

    def _after(
        self,
        known: _Met,
        product: Product,
        slots: Sequence[SlotView],
        origins: Mapping[str, Conflict],
    ) -> _Met | None:
        """The same with what has changed; ``None`` where they are others."""
        if len(slots) != len(known.slots):
            return None
        names, made = known.names, known.made.copy()
        reasons = [*map(origins.get, names)]
        of_each = zip(names, slots, known.slots, reasons, known.reasons, strict=True)
        for name, slot, old, reason, old_reason in of_each:
            if slot is not old or reason is not old_reason:
                if slot.slot != name:
                    return None
                made[name] = self._piece(product, slot, reason)
        return _Met(made, names, slots, reasons)

    def _piece(self, product: Product, slot: SlotView, origin: Conflict | None) -> Json:
        known = self._kept.get((id(slot), id(origin)))
        return self._made(product, slot, origin) if known is None else known[2]

    def _made(self, product: Product, slot: SlotView, origin: Conflict | None) -> Json:
        made = _slot(product, slot, origin)
        if "options" in made:
            made["options"] = dict(sorted(made["options"].items()))
        piece = (slot, origin, dict(sorted(made.items())))
        return self._kept.keep((id(slot), id(origin)), piece, len(slot.options) + 2)[2]


def view_of(
    engine: Engine, state: State, pieces: Pieces | None = None, before: Json | None = None
) -> Json:
    """The view of a session's state; a function of ``engine`` and ``state`` alone.

    With ``pieces`` it shares what it can with other views and is in canonical order, as
    if read back from the trail; without, it is in the product's order. It is found the
    quicker, the more it shares with the view ``before``.
    """
    answer = engine.view(state.choices, state.context, settle=state.settled)
    product = engine.product
    implied = [
        slot.slot
        for slot in answer.slots
        if slot.state == "implied" and product.variable(slot.variable).kind != "computed"
    ]
    origins = engine.origins(state.choices, implied, state.context)
    if pieces is None:
        slots = {each.slot: _slot(product, each, origins.get(each.slot)) for each in answer.slots}
    else:
        slots = pieces.slots(product, answer.slots, origins, before and before.get("slots"))
    guards = {
        spoken.guard.id: _guard(spoken, state)
        for spoken in spoken_guards(
            engine, answer, state.choices, state.context, settle=state.settled
        )
    }
    view: Json = {
        "slots": slots,
        "count": _count(answer.count),
        "guards": guards if pieces is None else dict(sorted(guards.items())),
        "steps": _progress(product, answer),
        "complete": answer.complete,
        "results": _results(product, answer),
    }
    doubts = certain_doubts(engine, answer, state.choices, state.context)
    if doubts:
        view["doubts"] = {variable: list(doubts[variable]) for variable in sorted(doubts)}
    final = irreversible(product, slots)
    known = {slot: given for slot, given in sorted(state.final) if final.get(slot) == given}
    if known:
        view["irreversible"] = known
    if state.filled:
        chosen = {choice.slot: choice.answer for choice in state.choices}
        view["filled"] = {slot: chosen[slot] for slot in state.filled if slot in chosen}
    if product.prices is not None:
        view["price"] = _price(product, answer)
    return dict(sorted(view.items()))


def irreversible(product: Product, slots: Json) -> dict[str, str]:
    """The answers of a view's slots that cannot be taken back later, in the product's
    order."""
    answers = {slot: slots.get(slot, {}).get("answer") for slot in product.irreversible}
    return {
        slot: answer
        for slot, answer in answers.items()
        if answer is not None and product.irreversible[slot].has(answer)
    }


def _slot(product: Product, slot: SlotView, origin: Conflict | None) -> Json:
    data: Json = {"variable": slot.variable, "state": slot.state}
    if _maybe(slot):
        data["maybe"] = True
    if slot.answer is not None:
        data["answer"] = slot.answer
    if product.variable(slot.variable).kind == "computed":
        return data  # nobody chooses it: what it is, is all there is to say
    if slot.options:
        data["options"] = {option.answer: _option(option) for option in slot.options}
    if slot.intervals:
        data["intervals"] = [[interval.low, interval.high] for interval in slot.intervals]
    if slot.proposal is not None:
        data["proposal"] = slot.proposal
    if origin is not None:
        data["origin"] = {
            "choices": [choice.slot for choice in origin.choices],
            "context": [choice.slot for choice in origin.context],
            "rules": list(origin.rules),
        }
        if origin.more:
            data["origin"]["more"] = True
    return data


def _option(option: Option) -> Json:
    """An option; its members are in canonical order."""
    data: Json = {}
    if option.difference is not None and not option.exact:
        data["at_least"] = True
    if option.changes:
        data["changes"] = option.changes
    if option.difference is not None:
        data["difference"] = option.difference
    data["state"] = option.state
    return data


def _guard(spoken: Spoken, state: State) -> Json:
    data: Json = {
        "level": spoken.guard.level,
        "at": spoken.guard.at,
        "reads": dict(sorted(spoken.reads)),
    }
    if spoken.suggestions:
        data["suggest"] = {
            each.slot: {"answer": each.answer, "state": each.state}
            for each in sorted(spoken.suggestions, key=lambda each: each.slot)
        }
    for guard, reason, values in state.acknowledged:
        if guard == spoken.guard.id and dict(values) == dict(spoken.reads):
            data["acknowledged"] = True
            if reason:
                data["reason"] = reason
    return dict(sorted(data.items()))


def _count(count: Count) -> Json:
    data: Json = {} if count.exact else {"at_least": True}
    data["number"] = str(count.number)
    return data


def _price(product: Product, answer: EngineView) -> Json:
    prices = product.prices
    assert prices is not None
    data: Json = {
        "currency": prices.currency,
        "tax_included": prices.tax_included,
        "tax_rate": spelled(prices.tax_rate),
    }
    if answer.lowest_total is not None:
        data["lowest"] = answer.lowest_total
        if not answer.lowest_exact:
            data["at_least"] = True
    if answer.proposed_bill is not None:
        data["proposed"] = answer.proposed_bill.total
    if answer.bill is not None:
        data.update(bill_json(answer.bill))
    return dict(sorted(data.items()))


def bill_json(bill: Bill) -> Json:
    """A bill as JSON; lines keep their order in a list of ``[id, cents]``. ``taxes`` is
    there where several rates apply."""
    data: Json = {
        "lines": [[line.id, line.amount] for line in bill.lines],
        "net": bill.net,
        "tax": bill.tax,
        "total": bill.total,
    }
    if len(bill.taxes) > 1:
        data["taxes"] = [[spelled(rate), cents] for rate, cents in bill.taxes]
    elif bill.taxes:
        data["tax_rate"] = spelled(bill.taxes[0][0])
    return data


def _progress(product: Product, answer: EngineView) -> Json:
    relevant = {slot.variable for slot in answer.slots if slot.state != "not asked"}
    others = [slot for slot in answer.slots if slot.state not in ("chosen", "implied")]
    unanswered = {slot.variable for slot in others}
    maybe = {slot.variable for slot in others if _maybe(slot)}
    steps: Json = {}
    for step in sorted(product.steps, key=lambda step: step.id):
        concerned = relevant.intersection(step.ask)
        asked = concerned - maybe
        steps[step.id] = {"answered": len(asked - unanswered), "asked": len(asked)}
        if len(asked) < len(concerned):
            steps[step.id]["maybe"] = len(concerned) - len(asked)
    return steps


def _maybe(slot: SlotView) -> bool:
    """Whether it is open if a question is asked at all: it is none of what is to do."""
    return slot.state in ("open", "undecided") and not slot.certainly_asked


def _results(product: Product, answer: EngineView) -> Json:
    found = {
        slot.slot: slot.answer
        for slot in answer.slots
        if slot.answer is not None
        and slot.state != "not asked"
        and product.variable(slot.variable).show == "result"
    }
    return dict(sorted(found.items()))


def difference_of(view: Json, option: Json) -> int | None:
    """How many cents an option of a view lies above the view's lowest total; ``None`` where
    it has no total. Views recorded by 0.1 hold the option's lowest total instead."""
    if "lowest" in option:
        return int(option["lowest"]) - lowest_of(view)
    return option.get("difference")


def lowest_of(view: Json) -> int:
    """The lowest total of a view in cents, which its options are compared with; 0 where
    there is none."""
    return int(view.get("price", {}).get("lowest", 0))


def has_undecided(view: Json) -> bool:
    """Whether a view still shows something as being worked out."""
    return any(
        slot["state"] == "undecided"
        or any(option["state"] == "undecided" for option in slot.get("options", {}).values())
        for slot in view["slots"].values()
    )


def open_slots(product: Product, answer: EngineView) -> tuple[str, ...]:
    """The slots the customer still has to answer, in step order."""
    return tuple(
        slot.slot
        for slot in answer.slots
        if slot.state in ("open", "undecided")
        and product.variable(slot.variable).kind != "computed"
    )

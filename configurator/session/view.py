"""The view: everything the customer can perceive, as canonical JSON.

This is what the trail stores (as changes), what pages render and what a replay folds.
It holds ids, answers and cents, never sentences: those follow from the release and the
locale. Absent is absent; null never occurs.
"""

from __future__ import annotations

from typing import Any

from configurator.engine import Engine
from configurator.engine.exact import plain as spelled
from configurator.engine.memory import Memory
from configurator.guidance import Spoken, certain_doubts, spoken_guards
from configurator.model.choice import NONE
from configurator.model.product import Product
from configurator.model.verdict import Bill, Conflict, Count, EngineView, Option, SlotView
from configurator.session.state import State

Json = dict[str, Any]


KEPT = 400_000
"""Options whose slots are kept as JSON (some 200 bytes each); fewer than two views of the
largest products have would be forgotten before they are asked for again."""


class Pieces:
    """Slots as JSON, made once and shared by all views that hold them, so that views can be
    compared by what they share. Nobody changes them."""

    def __init__(self) -> None:
        # What is kept holds on to the objects, so that their ids stay their own.
        self._kept: Memory[tuple[int, int], tuple[SlotView, Conflict | None, Json]] = Memory(KEPT)

    def slot(self, product: Product, slot: SlotView, origin: Conflict | None) -> Json:
        """One slot, its members in canonical order."""
        key = (id(slot), id(origin))
        found = self._kept.get(key)
        if found is None:
            made = _slot(product, slot, origin)
            if "options" in made:
                made["options"] = dict(sorted(made["options"].items()))
            made = dict(sorted(made.items()))
            found = self._kept.keep(key, (slot, origin, made), len(slot.options) + 2)
        return found[2]


def view_of(engine: Engine, state: State, pieces: Pieces | None = None) -> Json:
    """The view of a session's state; a function of its arguments alone.

    With ``pieces`` it shares what it can with other views and is in canonical order, as
    if read back from the trail; without, it is in the product's order.
    """
    answer = engine.view(state.choices, state.context, settle=state.settled)
    product = engine.product
    slots: Json = {}
    for slot in answer.slots:
        origin = None
        if slot.state == "implied" and product.variable(slot.variable).kind != "computed":
            origin = engine.origin(state.choices, slot.slot, state.context)
        made = (
            _slot(product, slot, origin) if pieces is None else pieces.slot(product, slot, origin)
        )
        slots[slot.slot] = made
    guards = {
        spoken.guard.id: _guard(spoken, state)
        for spoken in spoken_guards(
            engine, answer, state.choices, state.context, settle=state.settled
        )
    }
    view: Json = {
        "slots": slots if pieces is None else dict(sorted(slots.items())),
        "count": _count(answer.count),
        "guards": guards if pieces is None else dict(sorted(guards.items())),
        "steps": _progress(product, answer),
        "complete": answer.complete,
        "results": _results(product, answer),
    }
    doubts = certain_doubts(engine, answer, state.choices, state.context)
    if doubts:
        view["doubts"] = {variable: list(doubts[variable]) for variable in sorted(doubts)}
    final = irreversible(product, view["slots"])
    known = {slot: given for slot, given in sorted(state.final) if final.get(slot) == given}
    if known:
        view["irreversible"] = known
    if product.prices is not None:
        view["price"] = _price(product, answer)
    return dict(sorted(view.items()))


def irreversible(product: Product, slots: Json) -> dict[str, str]:
    """The answers of a view's slots that cannot be taken back later, in the product's
    order."""
    found: dict[str, str] = {}
    for variable in product.variables:
        several = variable.kind == "several of"
        for value in variable.values if several else (None,):
            slot = variable.id if value is None else f"{variable.id}.{value.id}"
            answer = slots.get(slot, {}).get("answer")
            if answer is None or answer == ("0" if several else NONE):
                continue
            taken = value or next((each for each in variable.values if each.id == answer), None)
            if variable.irreversible or (taken is not None and taken.irreversible):
                found[slot] = answer
    return found


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
    relevant: set[str] = set()
    maybe: set[str] = set()
    unanswered: set[str] = set()
    for slot in answer.slots:
        if slot.state != "not asked":
            relevant.add(slot.variable)
        if slot.state not in ("chosen", "implied"):
            unanswered.add(slot.variable)
            if _maybe(slot):
                maybe.add(slot.variable)
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
    shown = {each.id for each in product.variables if each.show == "result"}
    found = {
        slot.slot: slot.answer
        for slot in answer.slots
        if slot.variable in shown and slot.answer is not None and slot.state != "not asked"
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

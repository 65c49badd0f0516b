"""What differs between two views, as data; pages put it into words.

Works on the stored JSON alone, so it says what the customer could see change and
nothing else. Knows no product.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from configurator import __version__
from configurator.session import difference_of
from configurator.trail import ReplayStep, digest

Json = dict[str, Any]
Aspect = Literal[
    "answer",
    "option",
    "ranges",
    "guard",
    "final",
    "price",
    "proposed",
    "count",
    "complete",
    "result",
]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that changed on the page.

    ``name`` is the slot, guard or result concerned (empty for price, count, complete),
    ``option`` the answer whose state changed. ``before`` and ``after`` are the parts of
    the view as stored; ``None`` where there was, or is, none.
    """

    aspect: Aspect
    name: str
    option: str
    before: Any
    after: Any


def differences(before: Json, after: Json) -> tuple[Difference, ...]:
    """Everything that differs, sorted by aspect and name."""
    found = [
        *_slots(before, after),
        *_named("guard", before.get("guards", {}), after.get("guards", {})),
        *_named("final", before.get("irreversible", {}), after.get("irreversible", {})),
        *_named("result", before.get("results", {}), after.get("results", {})),
        *_whole(before, after),
    ]
    return tuple(found)


def written_by(step: ReplayStep) -> str:
    """The version of the service that recorded a step."""
    return step.event.engine_version.partition("+")[0]


def agreement_of(
    step: ReplayStep, recomputed: Json | None
) -> Literal["same", "same page", "other"] | None:
    """How a recorded view and the one computed afresh compare. Views that another version
    wrote in another form may show the same page."""
    if recomputed is None:
        return None
    if digest(recomputed) == step.event.view_digest:
        return "same"
    form = written_by(step) != __version__ and not differences(step.view, recomputed)
    return "same page" if form else "other"


def _slots(before: Json, after: Json) -> list[Difference]:
    found: list[Difference] = []
    earlier, later = before.get("slots", {}), after.get("slots", {})
    for slot in sorted({*earlier, *later}):
        old, new = earlier.get(slot, {}), later.get(slot, {})
        was, now = _standing(before, slot), _standing(after, slot)
        if was != now:
            found.append(Difference("answer", slot, "", was, now))
        found.extend(
            Difference("option", slot, each.name, each.before, each.after)
            for each in _named("option", _options(before, old), _options(after, new))
        )
        if old.get("intervals") != new.get("intervals"):
            found.append(Difference("ranges", slot, "", old.get("intervals"), new.get("intervals")))
    return found


def _standing(view: Json, name: str) -> Json | None:
    """The part of a slot that says how it stands: its state, answer and proposal; and
    ``filled`` where the answer was filled in for the customer."""
    slot = view.get("slots", {}).get(name, {})
    if not slot or slot["state"] == "not asked":
        return None
    kept = {key: slot[key] for key in ("state", "answer", "proposal") if key in slot}
    return {**kept, "filled": True} if name in view.get("filled", {}) else kept


def _options(view: Json, slot: Json) -> Json:
    """A slot's options, their totals as differences to the view's lowest one."""
    return {answer: _compared(view, each) for answer, each in slot.get("options", {}).items()}


def _compared(view: Json, option: Json) -> Json:
    difference = difference_of(view, option)
    if difference is None:
        return option
    kept = {key: part for key, part in option.items() if key != "lowest"}
    return {**kept, "difference": difference}


def _named(aspect: Aspect, before: Json, after: Json) -> list[Difference]:
    return [
        Difference(aspect, name, "", before.get(name), after.get(name))
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]


def _whole(before: Json, after: Json) -> list[Difference]:
    found: list[Difference] = []
    old, new = before.get("price", {}), after.get("price", {})
    was, now = _payable(old), _payable(new)
    if was != now:
        found.append(Difference("price", "", "", was, now))
    if old.get("proposed") != new.get("proposed"):
        found.append(Difference("proposed", "", "", old.get("proposed"), new.get("proposed")))
    if before.get("count") != after.get("count"):
        found.append(Difference("count", "", "", before.get("count"), after.get("count")))
    if before.get("complete", False) != after.get("complete", False):
        found.append(
            Difference(
                "complete", "", "", before.get("complete", False), after.get("complete", False)
            )
        )
    return found


def _payable(price: Json) -> Json | None:
    """The total, or the lowest that can be reached."""
    if "total" in price:
        return {"total": price["total"]}
    if "lowest" in price:
        return {key: price[key] for key in ("lowest", "at_least") if key in price}
    return None

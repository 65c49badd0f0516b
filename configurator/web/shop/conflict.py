"""The page that says why an option cannot be had now, and what it would take.

Fact, reason, way out: the customer's own choices, the rule's reason, the repairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from configurator.model.choice import NONE
from configurator.model.product import Product
from configurator.model.verdict import Change, Repair
from configurator.session import Refusal
from configurator.web.shop.amounts import changes_in_words, listed
from configurator.web.shop.ranges import OPEN_TO_CHOOSE
from configurator.web.shop.summary import step_path
from configurator.web.shop.texts import gettext
from configurator.web.shop.wording import Wording, quote

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cause:
    """One of the choices that take part, where it was made, and whether it was ``filled``
    in for the customer."""

    slot: str
    answer: str
    what: str
    quoted: str
    step: str
    path: str
    filled: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """One line of a repair: what it was and what it would be."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Offer:
    """One repair in words."""

    letter: str
    count: str
    title: str
    button: str
    differences: tuple[Difference, ...]
    total: str
    difference: str


@dataclass(frozen=True, slots=True)
class ConflictPage:
    """The whole page. ``reasons`` holds each with the rules that give it; ``impossible``: no
    change of the customer's would make room."""

    slot: str
    answer: str
    question: str
    wanted: str
    title: str
    subtitle: str
    causes: tuple[Cause, ...]
    context: tuple[str, ...]
    reasons: tuple[tuple[str, tuple[str, ...]], ...]
    offers: tuple[Offer, ...]
    without_change: str
    impossible: bool
    back: str


def conflict_page(product: Product, view: Json, refusal: Refusal, wording: Wording) -> ConflictPage:
    """A refusal in words; ``view`` is what the customer sees besides it."""
    slot, answer = refusal.wanted.slot, refusal.wanted.answer
    wanted = wording.quoted(slot, answer)
    filled = view.get("filled", {})
    causes = tuple(
        _cause(c.slot, c.answer, c.slot in filled, wording) for c in refusal.conflict.choices
    )
    values = {slot: answer, **{c.slot: c.answer for c in refusal.conflict.choices}}
    reasons: dict[str, tuple[str, ...]] = {}
    for rule in refusal.conflict.rules:
        because = wording.because(rule, values)
        reasons[because] = (*reasons.get(because, ()), rule)
    if not reasons:
        reasons = {_left_out(cause, product, wording): () for cause in causes}
    reasons.pop("", None)
    title, subtitle = _headline(wanted, causes)
    step = wording.step_of(slot)
    return ConflictPage(
        slot=slot,
        answer=answer,
        question=wording.slot(slot),
        wanted=wanted,
        title=title,
        subtitle=subtitle,
        causes=causes,
        context=tuple(wording.quoted(told.slot, told.answer) for told in refusal.conflict.context),
        reasons=tuple(reasons.items()),
        offers=tuple(
            _offer(index, repair, slot, wording) for index, repair in enumerate(refusal.repairs)
        ),
        without_change=_without_change(product, view, slot, wording),
        impossible=not causes,
        back=step_path(step) if step else step_path(product.steps[0]),
    )


def _headline(wanted: str, causes: tuple[Cause, ...]) -> tuple[str, str]:
    if not causes:
        return (
            gettext("This model never takes %(wanted)s", wanted=wanted),
            gettext("No change of yours makes room for it. Nothing has changed."),
        )
    if len(causes) == 1:
        return (
            gettext("%(wanted)s does not go with %(what)s", wanted=wanted, what=causes[0].quoted),
            gettext("Nothing has changed yet."),
        )
    if len(causes) == 2:
        return (
            gettext("%(wanted)s does not go with these two together", wanted=wanted),
            gettext("With either alone, it does. Nothing has changed yet."),
        )
    return (
        gettext(
            "%(wanted)s does not go with these %(count)s things together",
            wanted=wanted,
            count=len(causes),
        ),
        gettext("Without any one of them, it does. Nothing has changed yet."),
    )


def _cause(slot: str, answer: str, filled: bool, wording: Wording) -> Cause:
    step = wording.step_of(slot)
    return Cause(
        slot,
        answer,
        wording.choice(slot, answer),
        wording.quoted(slot, answer),
        wording.say(step.name) if step else "",
        step_path(step) if step else "",
        filled,
    )


def _left_out(cause: Cause, product: Product, wording: Wording) -> str:
    """Why a choice takes part although no rule does: its question would not be asked."""
    variable = product.variable(cause.slot.partition(".")[0])
    if variable.relevant_when is None:
        return ""
    return gettext("%(what)s would no longer be asked.", what=wording.quoted(variable.id))


def _offer(index: int, repair: Repair, wanted: str, wording: Wording) -> Offer:
    changes = [change for change in repair.changes if change.slot != wanted]
    first = changes[0] if changes else None
    title = _title(changes, wording)
    button = gettext("Make this change")
    if len(changes) == 1 and first is not None and first.after not in (None, NONE, "0"):
        button = gettext("Change to %(what)s", what=wording.answer(first.slot, first.after or ""))
    elif len(changes) > 1:
        button = gettext("Make these %(changes)s", changes=changes_in_words(len(changes)))
    return Offer(
        letter="ABCDEFGHIJ"[index % 10],
        count=changes_in_words(len(changes)),
        title=title,
        button=button,
        differences=tuple(_difference(change, wording) for change in changes),
        total="" if repair.lowest_total is None else wording.money(repair.lowest_total),
        difference="" if repair.difference is None else wording.difference(repair.difference),
    )


def _title(changes: list[Change], wording: Wording) -> str:
    parts = []
    for change in changes[:2]:
        if change.after is None:
            parts.append(gettext("%(what)s: no answer", what=wording.slot(change.slot)))
        else:
            parts.append(wording.choice(change.slot, change.after))
    if len(changes) > 2:
        parts.append(gettext("and %(count)s more", count=len(changes) - 2))
    return " · ".join(parts)


def _difference(change: Change, wording: Wording) -> Difference:
    after = gettext("no answer")
    if change.after is not None:
        after = wording.answer(change.slot, change.after)
    before = "" if change.before is None else wording.answer(change.slot, change.before)
    return Difference(wording.slot(change.slot), before, after)


def _without_change(product: Product, view: Json, slot: str, wording: Wording) -> str:
    """What can be had of the same question as things stand."""
    data = view["slots"].get(slot, {})
    possible = [
        quote(wording.answer(slot, answer))
        for answer in _declared(product, slot)
        if data.get("options", {}).get(answer, {}).get("state") in OPEN_TO_CHOOSE
    ]
    return listed(possible) if 0 < len(possible) <= 6 else ""


def _declared(product: Product, slot: str) -> list[str]:
    try:
        variable = product.variable(slot)
    except KeyError:
        return []
    return [value.id for value in variable.values]

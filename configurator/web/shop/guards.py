"""Guards as a customer meets them: below the choice that woke them, and before the order.

Takes what the view says is being said; decides nothing about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from configurator.model.product import Guard
from configurator.session import Session, difference_of
from configurator.web.shop.amounts import changes_in_words
from configurator.web.shop.texts import gettext, pgettext
from configurator.web.shop.wording import Wording

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Suggested:
    """What a guard suggests instead: one button, or a link to what it would take."""

    slot: str
    answer: str
    label: str
    cost: str
    needs_changes: bool


@dataclass(frozen=True, slots=True)
class SaidGuard:
    """A guard being said, in words. ``slot`` is the choice it stands below; ``filled`` are
    the answers it argues from that were filled in for the customer."""

    id: str
    level: str
    level_name: str
    sentence: str
    evidence: str
    filled: tuple[str, ...]
    suggested: tuple[Suggested, ...]
    reasons: tuple[str, ...]
    acknowledged: bool
    reason: str
    at: str
    slot: str


def filled_among(reads: Json, view: Json, wording: Wording) -> tuple[str, ...]:
    """What a guard reads that was filled in for the customer, in words."""
    return tuple(
        wording.quoted(slot, answer)
        for slot, answer in view.get("filled", {}).items()
        if slot in reads or slot.partition(".")[0] in reads
    )


def said_guards(
    session: Session, wording: Wording, *, collected: bool = False
) -> tuple[SaidGuard, ...]:
    """Every guard being said, in the order of the rule folder. Where they are ``collected``,
    none stands below its choice, so what it suggests is said with its question."""
    spoken: Json = session.view.get("guards", {})
    return tuple(
        _said(guard, spoken[guard.id], session, wording, collected)
        for guard in session.product.guards
        if guard.id in spoken
    )


def still_to_acknowledge(guards: tuple[SaidGuard, ...]) -> tuple[SaidGuard, ...]:
    """The guards that wait for a confirmation before the order."""
    return tuple(g for g in guards if g.level == "acknowledge" and not g.acknowledged)


def level_name(level: str) -> str:
    """What a level is called."""
    return {
        "hint": gettext("A hint"),
        "caution": pgettext("guard", "Caution"),
        "acknowledge": gettext("Please confirm"),
    }[level]


def _said(
    guard: Guard, spoken: Json, session: Session, wording: Wording, collected: bool
) -> SaidGuard:
    reads: dict[str, str] = spoken.get("reads", {})
    slot = _woken_by(reads, session)
    at = spoken.get("at", "choice")
    below = slot if at == "choice" and not collected else ""
    return SaidGuard(
        id=guard.id,
        level=guard.level,
        level_name=level_name(guard.level),
        sentence=wording.say(guard.say, reads),
        evidence=wording.say(guard.evidence.text) if guard.evidence else "",
        filled=filled_among(reads, session.view, wording),
        suggested=tuple(
            _suggested(other, each, below, session, wording)
            for other, each in sorted(spoken.get("suggest", {}).items())
        ),
        reasons=tuple(wording.say(reason) for reason in guard.reasons),
        acknowledged=bool(spoken.get("acknowledged")),
        reason=spoken.get("reason", ""),
        at=at,
        slot=slot,
    )


def _woken_by(reads: dict[str, str], session: Session) -> str:
    """The newest choice among what the guard reads; where none was chosen, the last read."""
    for choice in reversed(session.choices):
        if choice.slot in reads or choice.slot.partition(".")[0] in reads:
            return choice.slot
    order = list(session.view["slots"])
    known = [slot for slot in reads if slot in session.view["slots"]]
    return max(known, key=order.index) if known else ""


def _suggested(slot: str, each: Json, below: str, session: Session, wording: Wording) -> Suggested:
    """One suggestion; ``below`` is the choice the guard stands under, if any."""
    answer = each["answer"]
    option = session.view["slots"].get(slot, {}).get("options", {}).get(answer, {})
    difference = difference_of(session.view, option)
    if "." in slot and answer == "0":
        label = gettext("Leave out %(what)s", what=wording.slot(slot))
    elif "." in slot:
        label = gettext("Add %(what)s", what=wording.slot(slot))
    elif slot == below:
        label = gettext("Change to %(what)s", what=wording.answer(slot, answer))
    else:
        label = gettext("Choose %(what)s", what=wording.quoted(slot, answer))
    exact = not option.get("at_least") and not session.view.get("price", {}).get("at_least")
    cost = ""
    if option.get("changes"):
        cost = changes_in_words(option["changes"])
    elif exact and difference is not None:
        change = wording.difference(difference)
        cost = change[0].lower() + change[1:]
    return Suggested(slot, answer, label, cost, each.get("state") not in ("possible", "chosen"))

"""Each event in one sentence, and what it changed on the page, in the staff's language."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from configurator.trail import Event
from configurator.web.desk.difference import Difference
from configurator.web.desk.fates import on_review
from configurator.web.desk.screen import Painter
from configurator.web.speech import gettext, ngettext

Json = dict[str, Any]

MARKS = {
    "SessionStarted": "play",
    "ValueChosen": "check",
    "ChoiceRefused": "acknowledge",
    "ConsequencesShown": "info",
    "ChoiceWithdrawn": "minus",
    "Undone": "undo",
    "Redone": "redo",
    "SessionReset": "undo",
    "RepairAccepted": "swap",
    "GuardAcknowledged": "caution",
    "IrreversibleAcknowledged": "lock",
    "ProposalsAccepted": "star",
    "ConfigurationCommitted": "lock",
    "OptionsSettled": "clock",
    "LocaleChanged": "info",
}
"""The icon of each kind of event."""


def sentence(event: Event, painter: Painter) -> str:
    """What the customer did, in one sentence."""
    payload = event.payload
    words = painter.words
    match event.kind:
        case "SessionStarted":
            return gettext("Started the configuration")
        case "ValueChosen":
            wanted = ", ".join(words.quoted(slot, answer) for slot, answer in payload["wanted"])
            return gettext("Chose %(choices)s", choices=wanted)
        case "ChoiceRefused":
            return _refused(payload, painter)
        case "ConsequencesShown":
            return gettext(
                "Looked at what %(choice)s would change", choice=words.quoted(*payload["wanted"])
            )
        case "ChoiceWithdrawn":
            return gettext("Took back the choice of %(slot)s", slot=words.quoted(payload["slot"]))
        case "Undone":
            return gettext("Undid the last step")
        case "Redone":
            return gettext("Redid the step")
        case "SessionReset":
            return gettext("Took every choice back")
        case "RepairAccepted":
            added = (words.quoted(slot, answer) for _, slot, answer in payload["step"]["added"])
            return gettext(
                "Accepted repair %(number)s of step %(step)s: %(choices)s",
                number=payload["index"] + 1,
                step=payload["refusal"],
                choices=", ".join(added),
            )
        case "GuardAcknowledged":
            said = painter.sentence(payload["guard"], payload["values"])
            if payload["reason"]:
                return gettext(
                    "Acknowledged “%(guard)s”, because: %(reason)s",
                    guard=said,
                    reason=payload["reason"],
                )
            return gettext("Acknowledged “%(guard)s”, without a reason", guard=said)
        case "IrreversibleAcknowledged":
            final = ", ".join(words.quoted(slot, answer) for slot, answer in payload["answers"])
            return gettext(
                "Confirmed that this cannot be changed later: %(choices)s", choices=final
            )
        case "ProposalsAccepted":
            return gettext("Let us finish with what was proposed")
        case "ConfigurationCommitted":
            return gettext("Confirmed the configuration")
        case "OptionsSettled":
            return gettext("What was still being checked was decided and shown")
        case "LocaleChanged":
            return gettext("Read on in %(language)s", language=language_name(payload["locale"]))
    return event.kind


def _refused(payload: Json, painter: Painter) -> str:
    wanted = painter.words.quoted(*payload["wanted"])
    repairs = len(payload["repairs"])
    if not repairs:
        return gettext(
            "Tried %(choice)s: refused, with the reason; no repair exists", choice=wanted
        )
    return ngettext(
        "Tried %(choice)s: refused, with the reason and one repair",
        "Tried %(choice)s: refused, with the reason and %(num)s repairs",
        repairs,
        choice=wanted,
    )


def language_name(code: str) -> str:
    """A language in words."""
    return {"es": gettext("Spanish"), "en": gettext("English")}.get(code, code)


def actor_name(actor: str) -> str:
    """Who acted."""
    kind, _, name = actor.partition(":")
    if kind == "customer":
        return gettext("Customer")
    return name or gettext("The service")


def told(changes: Iterable[Difference], before: Painter, after: Painter) -> list[str]:
    """What changed on the page, one sentence each, questions first, in the order of the
    page; what reads the same in words is left out, and options of one slot are summed up."""
    sentences: list[str] = []
    options: dict[str, int] = {}
    places = {slot: place for place, slot in enumerate(after.asked())}
    seen = sorted(changes, key=lambda change: places.get(change.name, len(places)))
    answered = {change.name for change in seen if change.aspect == "answer"}
    for change in seen:
        match change.aspect:
            case "answer":
                sentences.append(
                    gettext(
                        "%(slot)s: %(before)s → %(after)s",
                        slot=after.words.slot(change.name),
                        before=before.standing(change.name, change.before),
                        after=after.standing(change.name, change.after),
                    )
                )
            case "option":
                if change.name in answered:
                    continue
                options[change.name] = options.get(change.name, 0) + 1
            case "ranges":
                sentences.append(
                    gettext("%(slot)s: other values now fit", slot=after.words.slot(change.name))
                )
            case "result":
                sentences.append(_result(change, after))
            case "guard":
                sentences.append(_guard(change, before, after))
            case "final" if change.after is not None:
                what = after.words.choice(change.name, change.after)
                sentences.append(gettext("Confirmed as final: %(choice)s", choice=what))
            case "price":
                was, now = before.total(change.before or {}), after.total(change.after or {})
                if was != now:
                    sentences.append(
                        gettext(
                            "Total: %(before)s → %(after)s", before=was or "—", after=now or "—"
                        )
                    )
            case "proposed":
                sentences.append(_proposed(change, after))
            case "count":
                was, now = before.count(change.before), after.count(change.after)
                if was != now:
                    sentences.append(
                        gettext(
                            "Possibilities: %(before)s → %(after)s",
                            before=was or "—",
                            after=now or "—",
                        )
                    )
            case "complete":
                sentences.append(
                    gettext("Nothing is left open")
                    if change.after
                    else gettext("Questions are open again")
                )
    for slot, count in options.items():
        sentences.append(
            ngettext(
                "%(slot)s: one option stands differently",
                "%(slot)s: %(num)s options stand differently",
                count,
                slot=after.words.slot(slot),
            )
        )
    return sentences


def _result(change: Difference, after: Painter) -> str:
    def show(answer: str | None) -> str:
        return "—" if answer is None else after.words.answer(change.name, answer)

    return gettext(
        "%(slot)s: %(before)s → %(after)s",
        slot=after.words.slot(change.name),
        before=show(change.before),
        after=show(change.after),
    )


def _guard(change: Difference, before: Painter, after: Painter) -> str:
    """What changed of a guard; one for the review page is met only once that is open."""
    review = on_review(change.after or change.before)
    if change.after is None:
        said = before.sentence(change.name, change.before["reads"])
        if review:
            return gettext("No longer on the review page: “%(guard)s”", guard=said)
        return gettext("No longer said: “%(guard)s”", guard=said)
    said = after.sentence(change.name, change.after["reads"])
    if change.before is None:
        if review:
            return gettext("From now on the review page says: “%(guard)s”", guard=said)
        return gettext("Newly said: “%(guard)s”", guard=said)
    if change.after.get("acknowledged") and not change.before.get("acknowledged"):
        return gettext("Acknowledged: “%(guard)s”", guard=said)
    if review:
        return gettext("The review page says it differently: “%(guard)s”", guard=said)
    return gettext("Said differently: “%(guard)s”", guard=said)


def _proposed(change: Difference, after: Painter) -> str:
    if change.after is None:
        return gettext("The proposals no longer make a whole")
    return gettext("With the proposals: %(amount)s", amount=after.words.money(change.after))

"""What a customer does: every act is a form, works without script, and ends in a redirect
or, for htmx, in the parts of the page that changed.
"""

from __future__ import annotations

from flask import Blueprint, abort, current_app, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_babel import refresh

from configurator.catalogue import UnknownProductError
from configurator.model.choice import Choice, Choices
from configurator.session import Outcome, SequenceConflictError, Session
from configurator.session.state import Step
from configurator.web.access import remote_address, throttle
from configurator.web.locale import LOCALES, choose_locale
from configurator.web.shop import bill, render, summary
from configurator.web.shop.amounts import named
from configurator.web.shop.forms import (
    LONGEST_ANSWER,
    carried_answer,
    carried_number,
    carried_reason,
    carried_slot,
    go,
    perform,
    show,
)
from configurator.web.shop.owner import owned, remember
from configurator.web.shop.services import sessions
from configurator.web.shop.texts import gettext


def register(shop: Blueprint) -> None:
    """Put the acts into the shop."""
    shop.add_url_rule("/p/<product>/start", "start", start, methods=["POST"])
    shop.add_url_rule("/language", "language", change_language, methods=["POST"])
    for name, act in (
        ("choose", choose),
        ("choose-many", choose_many),
        ("withdraw", withdraw),
        ("settle", settle),
        ("undo", undo),
        ("redo", redo),
        ("reset", reset),
        ("repair", repair),
        ("preview", preview),
        ("acknowledge", acknowledge),
        ("finish", finish),
        ("commit", commit),
    ):
        shop.add_url_rule(f"/s/<session_id>/{name}", name.replace("-", "_"), act, methods=["POST"])


# --- acts ------------------------------------------------------------------------------------


def start(product: str) -> ResponseReturnValue:
    """Begin a configuration; the pages and the API count them together."""
    throttle(current_app.config["API_START_LIMIT"], "api-start", remote_address())
    try:
        started = sessions().start(product, locale=choose_locale())
    except UnknownProductError:
        abort(404)
    remember(started.session.session_id, started.token)
    return go(url_for(".session", session_id=started.session.session_id))


def choose(session_id: str) -> ResponseReturnValue:
    """Choose one answer."""
    session = owned(session_id)
    slot = carried_slot()
    answer = carried_answer(session.product, slot)
    return perform(
        session,
        lambda seq, key: sessions().choose(session_id, slot, answer, expected_seq=seq, key=key),
    )


def choose_many(session_id: str) -> ResponseReturnValue:
    """Close a several-of: what was not taken stays out, what was filled in is kept."""
    session = owned(session_id)
    slot = carried_slot()
    filled = session.view.get("filled", {})
    wanted: Choices = tuple(
        Choice(each, filled.get(each, "0"))
        for each, data in session.view["slots"].items()
        if each.startswith(f"{slot}.")
        and (each in filled or data["state"] in ("open", "undecided"))
    )
    if not wanted:
        return show(Outcome("accepted", session, {}), None)
    return perform(
        session,
        lambda seq, key: sessions().choose_many(session_id, wanted, expected_seq=seq, key=key),
    )


def withdraw(session_id: str) -> ResponseReturnValue:
    """Take a choice back."""
    session = owned(session_id)
    slot = carried_slot()

    def said(outcome: Outcome) -> str:
        return gettext("%(what)s is open again.", what=render.wording(session).quoted(slot))

    return perform(
        session,
        lambda seq, key: sessions().withdraw(session_id, slot, expected_seq=seq, key=key),
        said,
    )


def settle(session_id: str) -> ResponseReturnValue:
    """Decide what the last answer left undecided, and show it."""
    owned(session_id)
    try:
        outcome = sessions().settle(session_id)
    except SequenceConflictError as faster:  # a choice; its answer has what is to be settled
        outcome = Outcome("accepted", faster.session, {})
    return show(outcome, None)


def undo(session_id: str) -> ResponseReturnValue:
    """Take the last step back."""
    return perform(
        owned(session_id),
        lambda seq, key: sessions().undo(session_id, expected_seq=seq, key=key),
        lambda outcome: _travelled(outcome.session, outcome.session.state.redo[-1].reversed()),
    )


def redo(session_id: str) -> ResponseReturnValue:
    """Take the step again."""
    return perform(
        owned(session_id),
        lambda seq, key: sessions().redo(session_id, expected_seq=seq, key=key),
        lambda outcome: _travelled(outcome.session, outcome.session.state.undo[-1]),
    )


def _travelled(session: Session, step: Step) -> str:
    """What is so now, after a step back or forth: the answers there are, the questions left
    open, and the total."""
    words = render.wording(session)
    moved = dict.fromkeys((*(slot for _, slot, _ in (*step.added, *step.removed)), *step.filled))
    now = {slot: session.view["slots"].get(slot, {}) for slot in moved}
    there = [words.quoted(slot, data["answer"]) for slot, data in now.items() if "answer" in data]
    open_now = [slot for slot, data in now.items() if data.get("state") in ("open", "undecided")]
    left = list(dict.fromkeys(words.quoted(slot.partition(".")[0]) for slot in open_now))
    said = [gettext("Back to %(answers)s.", answers=named(there))] if there else []
    if left:
        said.append(gettext("Open again: %(questions)s.", questions=named(left)))
    return " ".join(filter(None, (*said, render.total_said(session))))


def reset(session_id: str) -> ResponseReturnValue:
    """Start over; it can be undone."""
    return perform(
        owned(session_id),
        lambda seq, key: sessions().reset(session_id, expected_seq=seq, key=key),
        lambda outcome: gettext("You start from nothing again. You can undo it."),
    )


def repair(session_id: str) -> ResponseReturnValue:
    """Accept a repair. Asked for before the option was chosen, choosing comes first, so
    that the refusal it mends stands in the trail."""
    session = owned(session_id)
    slot, answer = carried_slot(), request.form.get("answer", "")[:LONGEST_ANSWER]
    index, refusal = carried_number("index"), carried_number("refusal")
    if index is None:
        abort(400)

    def act(seq: int | None, key: str | None) -> Outcome:
        if refusal is not None:
            return sessions().accept_repair(session_id, refusal, index, expected_seq=seq, key=key)
        first = sessions().choose(session_id, slot, answer, expected_seq=seq, key=key)
        if first.refusal is None or first.refusal.seq is None:
            return first
        return sessions().accept_repair(
            session_id,
            first.refusal.seq,
            index,
            expected_seq=first.refusal.seq,
            key=f"{key}-repair" if key else None,
        )

    def said(outcome: Outcome) -> str:
        words = render.wording(outcome.session)
        before = {choice.slot: choice.answer for choice in session.choices}
        changed = [
            words.quoted(choice.slot, choice.answer)
            for choice in outcome.session.choices
            if before.get(choice.slot) != choice.answer
        ]
        return gettext(
            "Now: %(changed)s. Everything else is as it was. You can undo.",
            changed=", ".join(changed),
        )

    return perform(session, act, said)


def preview(session_id: str) -> ResponseReturnValue:
    """Show what an option would do, below it; nothing is chosen."""
    session = owned(session_id)
    slot = carried_slot()
    answer = carried_answer(session.product, slot)

    def then(outcome: Outcome) -> ResponseReturnValue:
        now = outcome.session
        step = summary.step_at(now.product, request.form.get("at", ""))
        if step is None:
            return go(url_for(".session", session_id=session_id))
        if render.is_partial():
            shown = sessions().previewed(now, now.seq)
            what = render.wording(now).quoted(slot, answer)
            said = gettext("What %(choice)s would change is below it.", choice=what)
            return render.step_page(now, step, preview=shown, said=said)
        return go(
            url_for(
                ".step",
                session_id=session_id,
                path=summary.step_path(step),
                preview=now.seq,
                _anchor=f"q-{slot.partition('.')[0]}",
            )
        )

    return perform(
        session,
        lambda seq, key: sessions().preview(session_id, slot, answer, expected_seq=seq, key=key),
        then=then,
    )


def acknowledge(session_id: str) -> ResponseReturnValue:
    """Confirm a guard."""
    session = owned(session_id)
    guard = request.form.get("guard", "")[:200]
    reason = carried_reason()
    if request.form.get("understood") != "yes":
        text = gettext("Tick that you know, or change the choice.")
        if request.form.get("at") == "review":
            return render.review_page(session, notice=(text,), status=422)
        step = summary.step_at(session.product, request.form.get("at", ""))
        return render.step_page(
            session, step or session.product.steps[0], notice=(text,), status=422
        )
    return perform(
        session,
        lambda seq, key: sessions().acknowledge(
            session_id, guard, reason, expected_seq=seq, key=key
        ),
        lambda outcome: gettext("Noted. It stays as you chose it."),
    )


def finish(session_id: str) -> ResponseReturnValue:
    """Let the shop answer what is open: proposals first, then the cheapest."""
    return perform(
        owned(session_id),
        lambda seq, key: sessions().accept_proposals(session_id, expected_seq=seq, key=key),
        onward=".review",
    )


def commit(session_id: str) -> ResponseReturnValue:
    """Confirm the configuration. What cannot be taken back is ticked in the same form and
    confirmed first, so that both stand in the trail; a retry begins with it again, for it
    may have been stored and the order not."""
    session = owned(session_id)
    final = bill.irreversible(session, render.wording(session))
    ticked = set(request.form.getlist("irreversible"))
    slots = tuple(each.slot for each in final if each.slot in ticked)

    def act(seq: int | None, key: str | None) -> Outcome:
        if slots and session.status == "open":
            known = sessions().acknowledge_irreversible(
                session_id, slots, expected_seq=seq, key=f"{key}-known" if key else None
            )
            seq = known.session.seq
        return sessions().commit(session_id, expected_seq=seq, key=key)

    return perform(session, act, onward=".done")


def change_language() -> ResponseReturnValue:
    """Read on in another language; for a configuration that is an event of its own."""
    language = request.form.get("lang", "")
    if language not in LOCALES:
        abort(400)
    cookie["locale"] = language
    cookie.permanent = True
    session_id = request.form.get("session", "")
    if session_id:
        session = owned(session_id)
        if session.locale != language:
            sessions().change_locale(session_id, language)
    refresh()
    return go(_own_path(request.form.get("next", "")))


def _own_path(target: str) -> str:
    """An address of this shop, whatever was asked for."""
    plain = target.startswith("/") and not target.startswith("//") and "\\" not in target
    if not plain or any(ord(letter) < 33 for letter in target):
        return url_for(".catalogue")
    return target

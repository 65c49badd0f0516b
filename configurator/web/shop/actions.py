"""What a customer does: every act is a form, works without script, and ends in a redirect
or, for htmx, in the parts of the page that changed.

Each form carries the sequence it was rendered at and a key of its own, so that a retry
gets its first answer and a stale page is told how things stand.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from flask import Blueprint, abort, flash, make_response, redirect, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_babel import refresh
from werkzeug.wrappers import Response

from configurator.catalogue import UnknownProductError
from configurator.engine import UnknownChoiceError
from configurator.model.choice import Choice, Choices
from configurator.model.product import Product
from configurator.model.text import Text
from configurator.session import (
    GuardsOpenError,
    IncompleteError,
    Outcome,
    SequenceConflictError,
    Session,
    SessionClosedError,
    SessionError,
)
from configurator.trail import KeyReusedError
from configurator.web.locale import LOCALES, choose_locale
from configurator.web.shop import bill, render, summary
from configurator.web.shop.amounts import typed_number
from configurator.web.shop.owner import owned, remember
from configurator.web.shop.services import sessions
from configurator.web.shop.texts import gettext, ngettext

LONGEST_ANSWER = 2000
LONGEST_REASON = 500

_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")

Act = Callable[[int | None, str | None], Outcome]


def register(shop: Blueprint) -> None:
    """Put the acts into the shop."""
    shop.add_url_rule("/p/<product>/start", "start", start, methods=["POST"])
    shop.add_url_rule("/language", "language", change_language, methods=["POST"])
    for name, act in (
        ("choose", choose),
        ("choose-many", choose_many),
        ("withdraw", withdraw),
        ("undo", undo),
        ("redo", redo),
        ("reset", reset),
        ("repair", repair),
        ("acknowledge", acknowledge),
        ("finish", finish),
        ("commit", commit),
    ):
        shop.add_url_rule(f"/s/<session_id>/{name}", name.replace("-", "_"), act, methods=["POST"])


# --- what a form carries -----------------------------------------------------------------


def _seq() -> int | None:
    return request.form.get("seq", type=int)


def _key() -> str | None:
    key = request.form.get("key", "")
    return key if _KEY.fullmatch(key) else None


def _slot() -> str:
    return request.form.get("slot", "")[:200]


def _answer(product: Product, slot: str) -> str:
    """The answer as the product spells it: a typed number without its thousands signs."""
    answer = request.form.get("answer", "")[:LONGEST_ANSWER].strip()
    try:
        variable = product.variable(slot.partition(".")[0])
    except KeyError:
        return answer
    if variable.kind == "number" and variable.number is not None and answer != "none":
        return typed_number(answer, choose_locale(), variable.number.decimals)
    return answer


# --- the one way of an act -----------------------------------------------------------------


def _perform(
    session: Session,
    act: Act,
    said: Callable[[Outcome], str] | None = None,
    onward: str | None = None,
) -> ResponseReturnValue:
    """Do it, and show what came of it: on the same page, or on the page ``onward`` (an
    endpoint). What stood in the way is shown on the same page."""
    try:
        outcome = act(_seq(), _key())
    except SequenceConflictError as problem:
        return _present(problem.session, (problem.message, problem.help), 409)
    except KeyReusedError:
        again = SequenceConflictError(sessions().get(session.session_id))
        return _present(again.session, (again.message, again.help), 409)
    except SessionClosedError:
        return _go(url_for(".done", session_id=session.session_id))
    except UnknownChoiceError as problem:
        return _unknown(session, problem)
    except IncompleteError as problem:
        flash(" ".join(_in_words(session, (problem.message, problem.help))))
        return _go(url_for(".review", session_id=session.session_id))
    except GuardsOpenError as problem:
        return _review(session, (problem.message, problem.help), 422)
    except SessionError as problem:
        now = sessions().get(session.session_id)
        return _present(now, (problem.message, problem.help), 409)
    if outcome.kind == "refused" and outcome.refusal is not None:
        wanted = outcome.refusal.wanted
        return _go(
            url_for(
                ".why",
                session_id=session.session_id,
                slot=wanted.slot,
                answer=wanted.answer,
                refusal=outcome.refusal.seq,
            )
        )
    if onward is not None:
        if said is not None:
            flash(said(outcome))
        return _go(url_for(onward, session_id=session.session_id))
    return _show(outcome, said)


def _show(outcome: Outcome, said: Callable[[Outcome], str] | None) -> ResponseReturnValue:
    session = outcome.session
    sentence = said(outcome) if said is not None else ""
    step = summary.step_at(session.product, request.form.get("at", ""))
    if render.is_partial() and step is not None:
        spoken = sentence or render.spoken(session, outcome.change)
        return render.step_page(session, step, notice=(sentence,) if sentence else (), said=spoken)
    if sentence:
        flash(sentence, _slot().partition(".")[0] or "message")
    if request.form.get("at") == "review":
        return _go(url_for(".review", session_id=session.session_id))
    if step is None:
        return _go(url_for(".session", session_id=session.session_id))
    anchor = f"q-{_slot().partition('.')[0]}" if _slot() else None
    return _go(
        url_for(
            ".step", session_id=session.session_id, path=summary.step_path(step), _anchor=anchor
        )
    )


def _go(address: str) -> Response:
    """Send the browser on; htmx would follow a redirect by itself and swap a whole page."""
    if render.is_partial():
        response = make_response("", 200)
        response.headers["HX-Redirect"] = address
        return response
    return make_response(redirect(address, 303))


def _in_words(session: Session, texts: tuple[Text, ...]) -> tuple[str, ...]:
    return tuple(text.in_language(session.locale) for text in texts)


def _present(session: Session, texts: tuple[Text, ...], status: int) -> ResponseReturnValue:
    """The configuration as it stands, on the page the form came from, with a notice."""
    notice = _in_words(session, texts)
    if session.status != "open":
        return _go(url_for(".done", session_id=session.session_id))
    if request.form.get("at") == "review" and not render.is_partial():
        return render.review_page(session, notice=notice, status=status)
    step = summary.step_at(session.product, request.form.get("at", ""))
    step = step or summary.first_open_step(session) or session.product.steps[-1]
    return render.step_page(session, step, notice=notice, status=status)


def _review(session: Session, texts: tuple[Text, ...], status: int) -> ResponseReturnValue:
    return render.review_page(session, notice=_in_words(session, texts), status=status)


def _unknown(session: Session, problem: UnknownChoiceError) -> ResponseReturnValue:
    """An answer the question does not know: said beside the field, nothing lost."""
    message, cure = (
        text.in_language(session.locale) if text is not None else ""
        for text in (problem.message, problem.help)
    )
    slot = _slot()
    step = summary.step_at(session.product, request.form.get("at", ""))
    if step is None:
        abort(422, description=message)
    trouble = {
        "slot": slot.partition(".")[0],
        "message": message,
        "help": cure,
        "given": request.form.get("answer", "")[:200],
    }
    return render.step_page(session, step, said=f"{message} {cure}", trouble=trouble, status=422)


# --- acts ------------------------------------------------------------------------------------


def start(product: str) -> ResponseReturnValue:
    """Begin a configuration."""
    try:
        started = sessions().start(product, locale=choose_locale())
    except UnknownProductError:
        abort(404)
    remember(started.session.session_id, started.token)
    return _go(url_for(".session", session_id=started.session.session_id))


def choose(session_id: str) -> ResponseReturnValue:
    """Choose one answer."""
    session = owned(session_id)
    slot = _slot()
    answer = _answer(session.product, slot)
    return _perform(
        session,
        lambda seq, key: sessions().choose(session_id, slot, answer, expected_seq=seq, key=key),
    )


def choose_many(session_id: str) -> ResponseReturnValue:
    """Close a several-of: what was not taken stays out."""
    session = owned(session_id)
    slot = _slot()
    wanted: Choices = tuple(
        Choice(each, "0")
        for each, data in session.view["slots"].items()
        if each.startswith(f"{slot}.") and data["state"] in ("open", "undecided")
    )
    if not wanted:
        return _show(Outcome("accepted", session, {}), None)
    return _perform(
        session,
        lambda seq, key: sessions().choose_many(session_id, wanted, expected_seq=seq, key=key),
    )


def withdraw(session_id: str) -> ResponseReturnValue:
    """Take a choice back."""
    session = owned(session_id)
    slot = _slot()

    def said(outcome: Outcome) -> str:
        return gettext("%(what)s is open again.", what=render.wording(session).slot(slot))

    return _perform(
        session,
        lambda seq, key: sessions().withdraw(session_id, slot, expected_seq=seq, key=key),
        said,
    )


def undo(session_id: str) -> ResponseReturnValue:
    """Take the last step back."""
    return _perform(
        owned(session_id),
        lambda seq, key: sessions().undo(session_id, expected_seq=seq, key=key),
        lambda outcome: gettext("Taken back. Everything else is as it was."),
    )


def redo(session_id: str) -> ResponseReturnValue:
    """Take the step again."""
    return _perform(
        owned(session_id),
        lambda seq, key: sessions().redo(session_id, expected_seq=seq, key=key),
        lambda outcome: gettext("Done again."),
    )


def reset(session_id: str) -> ResponseReturnValue:
    """Start over; it can be undone."""
    return _perform(
        owned(session_id),
        lambda seq, key: sessions().reset(session_id, expected_seq=seq, key=key),
        lambda outcome: gettext("You start from nothing again. You can undo it."),
    )


def repair(session_id: str) -> ResponseReturnValue:
    """Accept a repair. Asked for before the option was chosen, choosing comes first, so
    that the refusal it mends stands in the trail."""
    session = owned(session_id)
    slot, answer = _slot(), request.form.get("answer", "")[:LONGEST_ANSWER]
    index = request.form.get("index", type=int)
    refusal = request.form.get("refusal", type=int)
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
            words.choice(choice.slot, choice.answer)
            for choice in outcome.session.choices
            if before.get(choice.slot) != choice.answer
        ]
        return gettext(
            "Now: %(changed)s. Everything else is as it was. You can undo.",
            changed="; ".join(changed),
        )

    return _perform(session, act, said)


def acknowledge(session_id: str) -> ResponseReturnValue:
    """Confirm a guard."""
    session = owned(session_id)
    guard = request.form.get("guard", "")[:200]
    reason = request.form.get("reason", "").strip()[:LONGEST_REASON]
    if request.form.get("understood") != "yes":
        text = gettext("Tick that you know, or change the choice.")
        if request.form.get("at") == "review":
            return render.review_page(session, notice=(text,), status=422)
        step = summary.step_at(session.product, request.form.get("at", ""))
        return render.step_page(
            session, step or session.product.steps[0], notice=(text,), status=422
        )
    return _perform(
        session,
        lambda seq, key: sessions().acknowledge(
            session_id, guard, reason, expected_seq=seq, key=key
        ),
        lambda outcome: gettext("Noted. It stays as you chose it."),
    )


def finish(session_id: str) -> ResponseReturnValue:
    """Let the shop answer what is open: proposals first, then the cheapest."""
    session = owned(session_id)

    def said(outcome: Outcome) -> str:
        added = len(outcome.session.choices) - len(session.choices)
        if added <= 0:
            return gettext("Only you can answer what is still open.")
        return ngettext(
            "We answered %(num)s question for you. Look it over; you can change it.",
            "We answered %(num)s questions for you. Look them over; you can change any.",
            added,
        )

    return _perform(
        session,
        lambda seq, key: sessions().accept_proposals(session_id, expected_seq=seq, key=key),
        said,
        ".review",
    )


def commit(session_id: str) -> ResponseReturnValue:
    """Confirm the configuration, with what cannot be taken back ticked."""
    session = owned(session_id)
    ticked = set(request.form.getlist("irreversible"))
    words = render.wording(session)
    missing = [each for each in bill.irreversible(session, words) if each.slot not in ticked]
    if missing and session.status == "open":
        text = gettext("Tick that you know what cannot be changed later.")
        return render.review_page(session, notice=(text,), status=422)
    return _perform(
        session,
        lambda seq, key: sessions().commit(session_id, expected_seq=seq, key=key),
        onward=".done",
    )


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
    return _go(_own_path(request.form.get("next", "")))


def _own_path(target: str) -> str:
    """An address of this shop, whatever was asked for."""
    parts = urlsplit(target)
    plain = target.startswith("/") and not target.startswith("//") and "\\" not in target
    if not plain or parts.scheme or parts.netloc or any(ord(letter) < 33 for letter in target):
        return url_for(".catalogue")
    return target

"""The one way of every form: what it carries, the act, and the page that shows the rest.

Each form carries the sequence it was rendered at and a key of its own, so that a retry
gets its first answer and a stale page is told how things stand.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from flask import abort, flash, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.urls import iri_to_uri
from werkzeug.wrappers import Response

from configurator.engine import UnknownChoiceError
from configurator.model.product import Product
from configurator.model.text import Text
from configurator.session import (
    GuardsOpenError,
    IncompleteError,
    IrreversibleOpenError,
    NothingToPreviewError,
    Outcome,
    SequenceConflictError,
    Session,
    SessionClosedError,
    SessionError,
    UndecidedError,
)
from configurator.trail import KeyReusedError
from configurator.web.locale import choose_locale
from configurator.web.shop import render, summary
from configurator.web.shop.amounts import typed_number
from configurator.web.shop.services import sessions

LONGEST_ANSWER = 2000
LONGEST_REASON = 500
LARGEST = 999_999_999
"""The largest number that names anything."""

_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")

Act = Callable[[int | None, str | None], Outcome]


# --- what a form carries -----------------------------------------------------------------


def carried_seq() -> int | None:
    """The sequence the form was rendered at."""
    return request.form.get("seq", type=int)


def carried_number(name: str) -> int | None:
    """A number the form names something by, where it is one of ours."""
    number = request.form.get(name, type=int)
    return number if number is not None and 0 <= number <= LARGEST else None


def carried_key() -> str | None:
    """The form's own key, where it is one of ours."""
    key = request.form.get("key", "")
    return key if _KEY.fullmatch(key) else None


def carried_slot() -> str:
    """The slot, or the several-of, the form is about."""
    return request.form.get("slot", "")[:200]


def carried_question() -> str:
    """The question the form is about; empty where it is about none."""
    return carried_slot().partition(".")[0]


def carried_answer(product: Product, slot: str) -> str:
    """The answer as the product spells it: a typed number without its thousands signs."""
    answer = request.form.get("answer", "")[:LONGEST_ANSWER].strip()
    try:
        variable = product.variable(slot.partition(".")[0])
    except KeyError:
        return answer
    if variable.kind == "number" and variable.number is not None and answer != "none":
        return typed_number(answer, choose_locale(), variable.number.decimals, variable.unit)
    return answer


def carried_reason() -> str:
    """Why the customer keeps the choice: one line, without what cannot be shown."""
    typed = request.form.get("reason", "")
    kept = "".join(letter if letter.isprintable() else " " for letter in typed)
    return " ".join(kept.split())[:LONGEST_REASON]


# --- the one way of an act -----------------------------------------------------------------


def perform(
    session: Session,
    act: Act,
    said: Callable[[Outcome], str] | None = None,
    onward: str | None = None,
    then: Callable[[Outcome], ResponseReturnValue] | None = None,
) -> ResponseReturnValue:
    """Do it, and show what came of it: on the same page, on the page ``onward`` (an
    endpoint), or as ``then`` says. What stood in the way is shown on the same page."""
    try:
        outcome = act(carried_seq(), carried_key())
    except SequenceConflictError as problem:
        return _present(problem.session, (problem.message, problem.help), 409)
    except KeyReusedError:
        again = SequenceConflictError(sessions().get(session.session_id))
        return _present(again.session, (again.message, again.help), 409)
    except SessionClosedError:
        return go(url_for(".done", session_id=session.session_id))
    except UnknownChoiceError as problem:
        return _unknown(session, problem)
    except IncompleteError as problem:
        flash(" ".join(_in_words(session, (problem.message, problem.help))))
        return go(url_for(".review", session_id=session.session_id))
    except UndecidedError as problem:
        now = sessions().settle(session.session_id).session
        return _review(now, (problem.message, problem.help), 409)
    except (GuardsOpenError, IrreversibleOpenError) as problem:
        now = sessions().get(session.session_id)
        return _review(now, (problem.message, problem.help), 422)
    except NothingToPreviewError:
        slot = carried_slot()
        answer = carried_answer(session.product, slot)
        return go(url_for(".why", session_id=session.session_id, slot=slot, answer=answer))
    except SessionError as problem:
        now = sessions().get(session.session_id)
        return _present(now, (problem.message, problem.help), 409)
    if outcome.kind == "refused" and outcome.refusal is not None:
        wanted = outcome.refusal.wanted
        return go(
            url_for(
                ".why",
                session_id=session.session_id,
                slot=wanted.slot,
                answer=wanted.answer,
                refusal=outcome.refusal.seq,
            )
        )
    if then is not None:
        return then(outcome)
    if onward is not None:
        sentence = said(outcome) if said is not None else ""
        if sentence:
            flash(sentence)
        return go(url_for(onward, session_id=session.session_id))
    return show(outcome, said)


def show(outcome: Outcome, said: Callable[[Outcome], str] | None) -> ResponseReturnValue:
    """The page the form came from, as it is after the act."""
    session = outcome.session
    sentence = said(outcome) if said is not None else ""
    step = summary.step_at(session.product, request.form.get("at", ""))
    if render.is_partial() and step is not None:
        spoken = sentence or render.spoken(session, outcome.change, carried_slot())
        notice = (sentence,) if sentence else ()
        return render.step_page(session, step, notice=notice, about=carried_question(), said=spoken)
    if sentence:
        flash(sentence, carried_question() or "message")
    anchor = f"q-{carried_question()}" if carried_question() else None
    if "guard" in request.form:
        anchor = f"guard-{request.form['guard'][:200]}-box"
    if request.form.get("at") == "review":
        return go(url_for(".review", session_id=session.session_id, _anchor=anchor))
    if step is None:
        return go(url_for(".session", session_id=session.session_id))
    return go(
        url_for(
            ".step", session_id=session.session_id, path=summary.step_path(step), _anchor=anchor
        )
    )


def go(address: str) -> Response:
    """Send the browser on; htmx would follow a redirect by itself and swap a whole page."""
    if render.is_partial():
        response = make_response("", 200)
        response.headers["HX-Redirect"] = iri_to_uri(address)
        return response
    return make_response(redirect(address, 303))


def _in_words(session: Session, texts: tuple[Text, ...]) -> tuple[str, ...]:
    return tuple(text.in_language(session.locale) for text in texts)


def _present(session: Session, texts: tuple[Text, ...], status: int) -> ResponseReturnValue:
    """The configuration as it stands, on the page the form came from, with a notice at
    the question the form is about."""
    notice = _in_words(session, texts)
    if session.status != "open":
        return go(url_for(".done", session_id=session.session_id))
    if request.form.get("at") == "review" and not render.is_partial():
        return render.review_page(session, notice=notice, status=status)
    step = summary.step_at(session.product, request.form.get("at", ""))
    step = step or summary.first_open_step(session) or session.product.steps[-1]
    return render.step_page(session, step, notice=notice, about=carried_question(), status=status)


def _review(session: Session, texts: tuple[Text, ...], status: int) -> ResponseReturnValue:
    return render.review_page(session, notice=_in_words(session, texts), status=status)


def _unknown(session: Session, problem: UnknownChoiceError) -> ResponseReturnValue:
    """An answer the question does not know: said beside the field, nothing lost."""
    message, cure = (
        text.in_language(session.locale) if text is not None else ""
        for text in (problem.message, problem.help)
    )
    step = summary.step_at(session.product, request.form.get("at", ""))
    if step is None:
        abort(422, description=message)
    trouble = {
        "slot": carried_question(),
        "message": message,
        "help": cure,
        "given": request.form.get("answer", "")[:200],
    }
    return render.step_page(session, step, said=f"{message} {cure}", trouble=trouble, status=422)

"""One configuration through the API: start, choose, repair, acknowledge, commit, replay.

A refusal is an answer and comes with 200: what was wanted, why it cannot be had now, and
what would repair it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from flask import Response, current_app
from marshmallow import Schema

from configurator.model.choice import Choice
from configurator.session import Outcome
from configurator.web.access import remote_address, services, throttle
from configurator.web.api import schemas
from configurator.web.api.documented import DocumentedBlueprint, V, address
from configurator.web.api.elsewhere import tell_methods
from configurator.web.api.problems import ProblemError, answer_with_problems, language
from configurator.web.api.reading import own_session, own_token, step_number
from configurator.web.api.render import answered, event_json, refusal_json, session_json, text_json

Json = dict[str, Any]

TRAIL_READS = "600 per minute"
"""How often the trail of one session can be read, and replayed."""

blueprint = DocumentedBlueprint("sessions", __name__, description="One customer's configuration.")
answer_with_problems(blueprint)
blueprint.before_request(tell_methods)


@blueprint.after_request
def _keep_private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


def _counted(session_id: str, use: str, limit: str) -> str:
    """The request's token, once this use of it counts against ``limit``."""
    token = own_token(session_id)
    throttle(limit, use, hashlib.sha256(token.encode()).hexdigest())
    return token


def _act(session_id: str, name: str, *args: Any, headers: Json, body: Json) -> Response:
    """Do one of the session's acts and answer what became of it.

    Whether the token opens the session is seen where the session is read for the act.
    """
    token = _counted(session_id, "api", current_app.config["API_LIMIT"])
    outcome: Outcome = getattr(services().sessions, name)(
        session_id,
        *args,
        expected_seq=body.get("expected_seq"),
        key=headers.get("idempotency_key"),
        token=token,
    )
    data: Json = {
        "kind": outcome.kind,
        "seq": outcome.session.seq,
        "change": outcome.change,
        "session": session_json(outcome.session, outcome.view),
    }
    if outcome.shown is not None:
        data["consequences"] = outcome.shown
    if outcome.refusal is not None:
        data["refusal"] = refusal_json(outcome.refusal, outcome.session.product)
    return answered(data, {"Idempotency-Replayed": "true"} if outcome.replayed else {})


def act(name: str, body: type[Schema] = schemas.Act) -> Callable[[V], V]:
    """Declare an act of a session: posted, safe to repeat by key, for its owner alone."""
    return address(
        blueprint,
        f"/sessions/<session_id>/{name}",
        schemas.ActAnswer,
        body=body,
        headers=schemas.WriteHeaders,
        secured=True,
    )


@address(
    blueprint,
    "/sessions",
    schemas.StartedSession,
    body=schemas.Start,
    headers=schemas.StartHeaders,
    status=201,
)
def start(headers: Json, body: Json) -> tuple[Json, int, dict[str, str]]:
    """Start a session on a product's current release; the token is given only here.

    With an Idempotency-Key a retry gives the same session and token again; who knows the
    key gets them too, so it is as secret as the token.
    """
    throttle(current_app.config["API_START_LIMIT"], "api-start", remote_address())
    started = services().sessions.start(
        body["product"],
        locale=body.get("language", language()),
        context=tuple(Choice(each["slot"], each["answer"]) for each in body.get("context", ())),
        key=headers.get("idempotency_key"),
    )
    location = f"/api/v1/sessions/{started.session.session_id}"
    data = {"token": started.token, "session": session_json(started.session)}
    again = {"Idempotency-Replayed": "true"} if started.replayed else {}
    return data, 201, {"Location": location, **again}


@address(blueprint, "/sessions/<session_id>", schemas.SessionState, secured=True)
def show(session_id: str) -> Json:
    """How the session stands now."""
    return session_json(own_session(session_id))


@act("choose", schemas.Choose)
def choose(headers: Json, body: Json, session_id: str) -> Response:
    """Choose one answer. What is not possible now is refused, with reasons and repairs."""
    return _act(session_id, "choose", body["slot"], body["answer"], headers=headers, body=body)


@act("choose-many", schemas.ChooseMany)
def choose_many(headers: Json, body: Json, session_id: str) -> Response:
    """Choose several answers as one act, all or none."""
    wanted = tuple(Choice(each["slot"], each["answer"]) for each in body["choices"])
    return _act(session_id, "choose_many", wanted, headers=headers, body=body)


@act("preview", schemas.Choose)
def preview(headers: Json, body: Json, session_id: str) -> Response:
    """Show what choosing an answer would close, force, ask and cost. No choice changes;
    it is recorded, because the customer decides on it."""
    return _act(session_id, "preview", body["slot"], body["answer"], headers=headers, body=body)


@act("withdraw", schemas.Withdraw)
def withdraw(headers: Json, body: Json, session_id: str) -> Response:
    """Take a choice back, so that the question is open again."""
    return _act(session_id, "withdraw", body["slot"], headers=headers, body=body)


@act("settle")
def settle(headers: Json, body: Json, session_id: str) -> Response:
    """Decide what the last answer left undecided; nothing changes where nothing is."""
    return _act(session_id, "settle", headers=headers, body=body)


@act("undo")
def undo(headers: Json, body: Json, session_id: str) -> Response:
    """Take the last step back."""
    return _act(session_id, "undo", headers=headers, body=body)


@act("redo")
def redo(headers: Json, body: Json, session_id: str) -> Response:
    """Take the step again that was taken back."""
    return _act(session_id, "redo", headers=headers, body=body)


@act("reset")
def reset(headers: Json, body: Json, session_id: str) -> Response:
    """Take every choice back at once; it can be undone."""
    return _act(session_id, "reset", headers=headers, body=body)


@act("accept-repair", schemas.AcceptRepair)
def accept_repair(headers: Json, body: Json, session_id: str) -> Response:
    """Accept one of the repairs that a refusal offered."""
    return _act(
        session_id, "accept_repair", body["refusal_seq"], body["index"], headers=headers, body=body
    )


@act("acknowledge", schemas.Acknowledge)
def acknowledge(headers: Json, body: Json, session_id: str) -> Response:
    """Confirm that a guard was read, with a reason where the customer gives one."""
    return _act(
        session_id, "acknowledge", body["guard"], body["reason"], headers=headers, body=body
    )


@act("acknowledge-irreversible", schemas.AcknowledgeIrreversible)
def acknowledge_irreversible(headers: Json, body: Json, session_id: str) -> Response:
    """Confirm that the present answers of these slots cannot be taken back later."""
    return _act(
        session_id, "acknowledge_irreversible", tuple(body["slots"]), headers=headers, body=body
    )


@act("finish")
def finish(headers: Json, body: Json, session_id: str) -> Response:
    """Accept the proposals, and the cheapest of what has none."""
    return _act(session_id, "accept_proposals", headers=headers, body=body)


@act("commit")
def commit(headers: Json, body: Json, session_id: str) -> Response:
    """Confirm the configuration; from then on it stays as it is."""
    return _act(session_id, "commit", headers=headers, body=body)


@act("language", schemas.ChangeLanguage)
def change_language(headers: Json, body: Json, session_id: str) -> Response:
    """Read on in another language; what is shown changes, so it is an event."""
    return _act(session_id, "change_locale", body["language"], headers=headers, body=body)


@address(
    blueprint,
    "/sessions/<session_id>/explain",
    schemas.Explanation,
    query=schemas.Question,
    secured=True,
)
def explain(question: Json, session_id: str) -> Json:
    """Why an answer cannot be had now, and what would repair it. Nothing is recorded, so
    its repairs cannot be accepted by number: choose the answer to get those."""
    _counted(session_id, "api", current_app.config["API_LIMIT"])
    session = own_session(session_id)
    refusal = services().sessions.explain(session_id, question["slot"], question["answer"])
    if refusal is None:
        return {"possible": True}
    return {"possible": False, "refusal": refusal_json(refusal, session.product)}


@address(
    blueprint, "/sessions/<session_id>/events", schemas.EventPage, query=schemas.Page, secured=True
)
def list_events(page: Json, session_id: str) -> Json:
    """The session's own trail, in pages: give ``next_after`` as ``after`` for the next."""
    _counted(session_id, "api trail", TRAIL_READS)
    own_session(session_id)
    events = services().trail.page(session_id, page["after"], page["limit"] + 1)
    part = events[: page["limit"]]
    data: Json = {"events": [event_json(event) for event in part]}
    if len(events) > len(part):
        data["next_after"] = part[-1].seq
    return data


@address(blueprint, "/sessions/<session_id>/events/<seq>", schemas.ReplayedStep, secured=True)
def replay(session_id: str, seq: str) -> Json:
    """One event, and the session with its view exactly as it stood after it."""
    _counted(session_id, "api trail", TRAIL_READS)
    session = own_session(session_id)
    number = step_number(seq)
    event = services().trail.event(session_id, number) if number <= session.seq else None
    if event is None:
        raise ProblemError("unknown-event")
    return {
        "event": event_json(event),
        "session": session_json(services().sessions.at(session_id, number)),
    }


@address(blueprint, "/sessions/<session_id>/verification", schemas.TrailCheck, secured=True)
def verify(session_id: str) -> Json:
    """Whether every event is as it was written and none is missing in between."""
    token = _counted(session_id, "api trail", TRAIL_READS)
    found = services().trail.verify(services().sessions.owned_by(token))
    data: Json = {"ok": found.ok}
    if found.first_bad_seq is not None:
        data["first_bad_seq"] = found.first_bad_seq
    if found.reason is not None:
        data["reason"] = text_json(found.reason)
    return data

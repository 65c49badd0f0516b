"""Something fails: what is answered, what is logged, and how it goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from structlog.testing import capture_logs

from configurator.app import Services
from tests.web.conftest import PASSWORD, STAFF, ApiSession, csrf_of, sign_in


@contextmanager
def full_disk(services: Services) -> Iterator[None]:
    """The database file cannot grow."""
    engine = services.trail._engine

    def limit(connection: Any, _record: object) -> None:
        count = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {count}")

    event.listen(engine, "connect", limit)
    engine.dispose()
    try:
        yield
    finally:
        event.remove(engine, "connect", limit)
        engine.dispose()


def fill(session: ApiSession) -> str:
    """Choose until nothing fits any more; the key of the act that did not."""
    for number in range(500):
        colour = ("red", "black")[number % 2]
        key = f"fill-{number}"
        answer = session.post("choose", {"slot": "colour", "answer": colour}, key=key)
        if answer.status_code == 503:
            return key
    pytest.fail("the file could grow")


def test_a_full_disk_refuses_acts_and_goes_on_when_there_is_room(
    lamp_session: ApiSession, services: Services
) -> None:
    with full_disk(services), capture_logs() as logged:
        key = fill(lamp_session)
        before = lamp_session.get().get_json()
        refused = lamp_session.post("choose", {"slot": "mount", "answer": "foot"}, key="mount")
        problem = refused.get_json()
        assert (refused.status_code, problem["code"]) == (503, "try-again")
        assert refused.headers["Retry-After"].isdigit()
        assert problem["cure"]
        assert lamp_session.get().get_json() == before
        assert lamp_session.get("/verification").get_json() == {"ok": True}
    for line in logged:  # one event each, that says why; no traceback, nobody's values
        assert line == {
            "event": "storage unavailable",
            "log_level": "error",
            "problem": "We cannot save anything right now. (database or disk is full)",
            "endpoint": "sessions.choose",
        }
    assert len(logged) == 2

    chosen = lamp_session.choose("mount", "foot", key="mount")
    assert chosen["kind"] == "accepted"
    assert chosen["seq"] == before["seq"] + 1
    assert lamp_session.choose("colour", "red", key=key)["kind"] == "accepted"
    assert lamp_session.get("/verification").get_json() == {"ok": True}


def test_what_fails_is_logged_without_the_link_it_came_by(
    app: Flask, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(type(services.sessions), "resume", fail)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    with capture_logs() as logged:
        assert app.test_client().get("/r/some.token").status_code == 500
    (line,) = logged
    assert line.pop("exc_info")[0] is RuntimeError
    assert line == {
        "event": "unforeseen",
        "log_level": "error",
        "method": "GET",
        "rule": "/r/<token>",
        "session": None,
    }


@pytest.mark.parametrize("typed", [STAFF["admin"], PASSWORD, "\0"])
def test_what_was_typed_for_a_name_is_logged_only_where_it_is_one(
    typed: str, client: FlaskClient
) -> None:
    with capture_logs() as logged:
        assert sign_in(client, typed, "something else").status_code == 401
    (line,) = logged
    assert line["name"] == (typed if typed == STAFF["admin"] else None)
    assert line["address"] == "127.0.0.1"


def test_a_customer_reads_what_became_of_it(client: FlaskClient, services: Services) -> None:
    spanish = {"Accept-Language": "es"}
    with full_disk(services):
        for _ in range(500):
            form = {"csrf_token": csrf_of(client.get("/", headers=spanish))}
            answer = client.post("/p/lamp/start", data=form, headers=spanish)
            if answer.status_code != 303:
                break
        assert answer.status_code == 503
        assert answer.headers["Retry-After"].isdigit()
        assert "Ahora mismo no podemos guardar" in answer.get_data(as_text=True)
        assert client.get("/").status_code == 200
    assert client.post("/p/lamp/start", data=form).status_code == 303

"""Starting a session with a key: once, whoever repeats it, however many at a time."""

from __future__ import annotations

import gc
import threading
import uuid
import weakref
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from configurator.app import GARBAGE, Services, settle
from configurator.trail import KeyReusedError

Json = dict[str, Any]
KEY = "0d9f6f5e-3a53-4a0c-9b11-0f3a7f0f7f11"
BODY = {"product": "lamp", "language": "en"}


def start(client: FlaskClient, key: str | None = KEY, **body: object) -> tuple[int, Json, Json]:
    headers = {} if key is None else {"Idempotency-Key": key}
    answer = client.post("/api/v1/sessions", json={**BODY, **body}, headers=headers)
    return answer.status_code, answer.get_json(), dict(answer.headers)


def test_a_repeated_start_gives_the_first_answer(client: FlaskClient) -> None:
    status, first, headers = start(client)
    assert status == 201
    assert "Idempotency-Replayed" not in headers
    bearer = {"Authorization": f"Bearer {first['token']}"}
    here = headers["Location"]
    chosen = client.post(f"{here}/choose", json={"slot": "mount", "answer": "foot"}, headers=bearer)
    assert chosen.status_code == 200
    status, again, headers = start(client)
    assert (status, headers["Idempotency-Replayed"], headers["Location"]) == (201, "true", here)
    assert again == first  # as it was then, though a choice was made since
    assert client.get(here, headers=bearer).get_json()["seq"] == 2


def test_another_body_under_the_same_key_is_refused(client: FlaskClient) -> None:
    start(client)
    for more in ({"language": "es"}, {"context": [{"slot": "x", "answer": "y"}]}):
        status, problem, _ = start(client, **more)
        assert (status, problem["code"]) == (422, "key-reused")


def test_keys_of_their_own_and_none_start_other_sessions(client: FlaskClient) -> None:
    keys = [KEY, str(uuid.uuid4()), None, None]
    started = [start(client, key)[1] for key in keys]
    assert len({each["token"] for each in started}) == 4
    assert len({each["session"]["session_id"] for each in started}) == 4


def test_a_key_that_can_be_guessed_is_refused(client: FlaskClient) -> None:
    status, problem, _ = start(client, "1")
    assert (status, problem["code"]) == (422, "unexpected-fields")


def test_a_failed_start_leaves_the_key_free(client: FlaskClient) -> None:
    status, problem, _ = start(client, product="nothing")
    assert (status, problem["code"]) == (404, "unknown-product")
    assert start(client)[0] == 201


def test_the_token_is_not_stored_and_follows_from_the_service_s_secret(
    services: Services,
) -> None:
    first = services.sessions.start("lamp", locale="en", key=KEY)
    assert services.sessions.resume(first.token).session_id == first.session.session_id
    assert uuid.UUID(first.session.session_id).version == 8
    head = services.trail.head(first.session.session_id)
    assert first.token.partition(".")[2] not in repr(head)
    other = type(services.sessions)(
        services.catalogue, services.trail, services.sessions._clock, "another secret"
    )
    assert other.start("lamp", locale="en", key=KEY).session.session_id != head.session_id
    with pytest.raises(KeyReusedError):
        services.sessions.start("lamp", locale="es", key=KEY)


def test_many_at_once_start_one_session(app: Flask, services: Services) -> None:
    answers: list[tuple[int, Json, Json]] = []
    ready = threading.Barrier(8)

    def one() -> None:
        client = app.test_client()
        ready.wait()
        answers.append(start(client))

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [status for status, _, _ in answers] == [201] * 8
    assert len({body["token"] for _, body, _ in answers}) == 1
    assert all(body == answers[0][1] for _, body, _ in answers)
    assert sum("Idempotency-Replayed" not in headers for _, _, headers in answers) == 1
    session_id = answers[0][1]["session"]["session_id"]
    assert [event.kind for event in services.trail.events(session_id)] == ["SessionStarted"]


class Loop:
    """What only the garbage collector can free."""

    def __init__(self) -> None:
        self.itself = self


def test_a_settled_process_collects_garbage_in_fewer_rounds() -> None:
    usual = gc.get_threshold()
    settle()
    try:
        before = gc.get_stats()[0]["collections"]
        gone = weakref.ref(Loop())
        kept: list[list[int]] = [[] for _ in range(200_000)]
        assert gone() is None
        rounds = gc.get_stats()[0]["collections"] - before
        assert 0 < rounds <= len(kept) / GARBAGE[0] + 1 < len(kept) / usual[0] / 2
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()

"""Nothing acknowledged is lost: the server is killed again and again while clients post."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
import urllib.error
import urllib.request
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from configurator.app import create_services
from configurator.settings import Settings
from tests.conftest import Server

CLIENTS = 4
CHOICES = 125
KILLS = 6
ANSWERS = [
    ("mount", "foot"),
    ("arm", "long"),
    ("arm", "short"),
    ("colour", "red"),
    ("colour", "black"),
    ("mount", "clamp"),
    ("bulb", "large"),
    ("width", "200"),
]


def post(url: str, body: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json", **headers}
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        answer = json.loads(response.read())
    assert isinstance(answer, dict)
    return answer


class Client(threading.Thread):
    """Posts choices to a session of its own and retries each until it is acknowledged."""

    def __init__(self, server: Server, number: int) -> None:
        super().__init__()
        self.server = server
        self.number = number
        self.acknowledged: dict[str, int] = {}
        started = post(f"{server.url}/api/v1/sessions", {"product": "lamp"}, {})
        self.session_id = started["session"]["session_id"]
        self.token = started["token"]
        self.problem: Exception | None = None

    def run(self) -> None:
        try:
            for index in range(CHOICES):
                self.choose(index)
        except Exception as problem:
            self.problem = problem

    def choose(self, index: int) -> None:
        slot, answer = ANSWERS[(index + self.number) % len(ANSWERS)]
        key = f"client-{self.number}-{index}"
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": key}
        deadline = time.monotonic() + 120
        while True:
            try:
                reply = post(
                    f"{self.server.url}/api/v1/sessions/{self.session_id}/choose",
                    {"slot": slot, "answer": answer},
                    headers,
                )
                self.acknowledged[key] = reply["seq"]
                return
            except urllib.error.HTTPError as problem:
                if problem.code != 503:
                    raise AssertionError(problem.read().decode()) from problem
            except (OSError, http.client.HTTPException):
                pass
            assert time.monotonic() < deadline, "the server did not come back"
            time.sleep(0.05)


def wait_for_progress(clients: list[Client], acknowledged: int) -> None:
    """Wait until so many choices are acknowledged, or all clients have ended."""
    deadline = time.monotonic() + 120
    while sum(len(client.acknowledged) for client in clients) < acknowledged:
        if not any(client.is_alive() for client in clients):
            return
        assert time.monotonic() < deadline, "the server does not get on"
        time.sleep(0.01)


@pytest.mark.slow
def test_every_acknowledged_choice_survives_kill_9(server: Server) -> None:
    randomness = random.Random(20261122)
    clients = [Client(server, number) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    for kill in range(1, KILLS + 1):
        wait_for_progress(clients, kill * CLIENTS * CHOICES // (KILLS + 2))
        time.sleep(randomness.uniform(0, 0.2))
        server.kill()
        server.start()
    for client in clients:
        client.join(timeout=300)
        assert not client.is_alive()
        assert client.problem is None, client.problem
    server.kill()

    database = f"sqlite:///{server.folder}/configurator.db"
    with create_engine(database).connect() as connection:
        assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"
    services = create_services(Settings(server.folder, database, "for tests only"))
    for client in clients:
        assert len(client.acknowledged) == CHOICES
        events = services.trail.events(client.session_id)
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        stored = {event.key: event.seq for event in events[1:]}
        assert stored == client.acknowledged
        assert services.trail.verify(client.session_id).ok

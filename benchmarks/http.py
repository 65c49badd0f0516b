"""An HTTP choice against a view of the same stack that inserts one row.

Both are served by the same process (waitress, SQLite, WAL, synchronous FULL) to the same
clients, in turn, so that the ratio holds while the machine's speed drifts.
"""

from __future__ import annotations

import http.client
import json
import multiprocessing
import random
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import waitress
from flask import Flask
from sqlalchemy import Column, Integer, MetaData, String, Table

from configurator.app import create_app, create_services, settle
from configurator.language import read_folder
from configurator.settings import Settings

CLIENTS = 4
ROUNDS = 5
SECONDS = 3.0
PRODUCT = "trail-bike"


def add_floor(app: Flask, services: Any) -> None:
    """A view that does what no service can do without: insert one row and answer."""
    from configurator.trail.database import writing

    engine = services.trail._engine
    rows = Table(
        "bench_row", MetaData(), Column("id", Integer, primary_key=True), Column("body", String)
    )
    rows.metadata.create_all(engine)
    insert = rows.insert()

    @app.post("/bench/insert")
    def insert_one() -> dict[str, str]:
        with writing(engine) as connection:
            connection.execute(insert, {"body": "x" * 500})
        return {"kind": "accepted"}

    app.extensions["csrf"].exempt(insert_one)


def serve(folder: str, rules: str, ready: Any) -> None:
    """Serve both views from one process, and tell the port."""
    settings = Settings(Path(folder), f"sqlite:///{folder}/bench.db", "bench")
    services = create_services(settings)
    published = services.catalogue.publish(read_folder(Path(rules)), by="benchmark")
    assert published.release is not None, published.diagnostics
    app = create_app(settings, services)
    add_floor(app, services)
    server = waitress.create_server(app, host="127.0.0.1", port=0, threads=8)
    settle()
    ready.send(server.effective_port)
    server.run()


class Client:
    """One keep-alive connection with a session of its own."""

    def __init__(self, port: int, product: str, number: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port)
        self.number = number
        self.count = 0
        self.product = product
        self.randomness = random.Random(number)
        self.begin()

    def begin(self) -> None:
        """Open a session."""
        started = self.post("/api/v1/sessions", {"product": self.product}, {})
        self.path = f"/api/v1/sessions/{started['session']['session_id']}/choose"
        self.token = started["token"]
        self.view = started["session"]["view"]

    def options(self) -> list[tuple[str, str]]:
        """What is possible where nothing is chosen yet."""
        return [
            (name, answer)
            for name, slot in self.view["slots"].items()
            if slot["state"] == "open"
            for answer, option in slot.get("options", {}).items()
            if option["state"] == "possible"
        ]

    def post(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> Any:
        """One request on the kept connection."""
        self.connection.request(
            "POST", path, json.dumps(body), {"Content-Type": "application/json", **headers}
        )
        response = self.connection.getresponse()
        content = response.read()
        assert response.status < 300, (response.status, content[:500])
        return json.loads(content)

    def choose(self) -> None:
        """One more choice of a customer who answers what is open; then the next one."""
        options = self.options()
        while not options:
            self.begin()
            options = self.options()
        slot, answer = self.randomness.choice(options)
        self.count += 1
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Idempotency-Key": f"{self.number}-{self.count}",
        }
        answered = self.post(self.path, {"slot": slot, "answer": answer}, headers)
        self.view = answered["session"]["view"]

    def insert(self) -> None:
        """One row of the floor."""
        self.post("/bench/insert", {}, {})


def load(clients: list[Client], act: str) -> tuple[float, list[float]]:
    """All clients act for ``SECONDS``; acts per second and each act's seconds."""
    taken: list[float] = []
    failed: list[Exception] = []
    until = time.perf_counter() + SECONDS

    def run(client: Client) -> None:
        try:
            while time.perf_counter() < until:
                begin = time.perf_counter()
                getattr(client, act)()
                taken.append(time.perf_counter() - begin)
        except Exception as problem:
            failed.append(problem)

    threads = [threading.Thread(target=run, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed[0]
    return len(taken) / SECONDS, taken


def run(rules: Path) -> None:
    """Measure and print the ratio."""
    print(f"HTTP, {PRODUCT}: a choice against a view that inserts one row")
    with tempfile.TemporaryDirectory() as folder:
        receiving, sending = multiprocessing.Pipe(duplex=False)
        server = multiprocessing.get_context("spawn").Process(
            target=serve, args=(folder, str(rules / PRODUCT), sending), daemon=True
        )
        server.start()
        port = receiving.recv()
        clients = [Client(port, PRODUCT, number) for number in range(CLIENTS)]
        load(clients, "choose")
        ratios, choices, floors, times = [], [], [], []
        for _ in range(ROUNDS):
            floor, _ = load(clients, "insert")
            rate, taken = load(clients, "choose")
            floors.append(floor)
            choices.append(rate)
            ratios.append(rate / floor)
            times += taken
        server.kill()
    times.sort()
    print(f"  insert one row   {statistics.median(floors):8.0f} /s")
    print(f"  choose           {statistics.median(choices):8.0f} /s")
    print(
        f"  p50, p99         {times[len(times) // 2] * 1000:.1f} ms, "
        f"{times[int(len(times) * 0.99)] * 1000:.1f} ms"
    )
    print(f"  ratio            {statistics.median(ratios):8.2f}   (median of {ROUNDS} pairs)")

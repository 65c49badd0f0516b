"""An HTTP choice against a view of the same stack that inserts one row.

Both are served by the same processes to the same clients, in turn, so that the ratio holds
while the machine's speed drifts. Two ways to run the service are measured: one process on
SQLite (waitress, WAL, synchronous FULL), as ``configurator serve`` does; and, where
``CONFIGURATOR_BENCH_DATABASE`` names an empty PostgreSQL database, two workers (gunicorn) on
that, as docs/operators.md describes.
"""

from __future__ import annotations

import http.client
import json
import multiprocessing
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import waitress
from flask import Flask
from sqlalchemy import Column, Integer, MetaData, String, Table

from benchmarks import figures
from configurator.app import create_app, create_services, settle
from configurator.language import read_folder
from configurator.settings import Settings

CLIENTS = 4
ROUNDS = 5
SECONDS = 3.0
TARGET = 0.5
PRODUCT = "trail-bike"
DATABASE = "CONFIGURATOR_BENCH_DATABASE"


FLOOR = Table(
    "bench_row", MetaData(), Column("id", Integer, primary_key=True), Column("body", String)
)


def add_floor(app: Flask, services: Any) -> None:
    """A view that does what no service can do without: insert one row and answer."""
    from configurator.trail.database import writing

    engine = services.trail._engine
    insert = FLOOR.insert()

    @app.post("/bench/insert")
    def insert_one() -> dict[str, str]:
        with writing(engine) as connection:
            connection.execute(insert, {"body": "x" * 500})
        return {"kind": "accepted"}

    app.extensions["csrf"].exempt(insert_one)


def served(settings: Settings) -> Flask:
    """The service with both views, its products opened."""
    services = create_services(settings)
    services.catalogue.open_current()
    app = create_app(settings, services)
    add_floor(app, services)
    settle()
    return app


def worker() -> Flask:
    """The same, for a worker of gunicorn."""
    return served(Settings.from_environment())


def _serve_alone(settings: Settings, ready: Any) -> None:
    server = waitress.create_server(served(settings), host="127.0.0.1", port=0, threads=8)
    ready.send(server.effective_port)
    server.run()


@contextmanager
def one_process(settings: Settings) -> Iterator[int]:
    """One process on waitress; gives its port."""
    receiving, sending = multiprocessing.Pipe(duplex=False)
    server = multiprocessing.get_context("spawn").Process(
        target=_serve_alone, args=(settings, sending), daemon=True
    )
    server.start()
    try:
        yield receiving.recv()
    finally:
        server.kill()


@contextmanager
def two_workers(settings: Settings) -> Iterator[int]:
    """Two processes on gunicorn; gives their port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    # With ports reused, kept connections are spread over the workers.
    options = ("--worker-class=gthread", "--workers=2", "--threads=4", "--reuse-port")
    environment = {
        **os.environ,
        "CONFIGURATOR_FOLDER": str(settings.folder),
        "CONFIGURATOR_DATABASE": settings.database_url,
        "CONFIGURATOR_SECRET": settings.secret_key,
    }
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "gunicorn",
            *options,
            f"--bind=127.0.0.1:{port}",
            "--log-level=error",
            "benchmarks.http:worker()",
        ],
        env=environment,
        start_new_session=True,
    )
    try:
        _wait_for(port)
        yield port
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _wait_for(port: int) -> None:
    for _ in range(600):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("GET", "/api/v1/products")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("the server does not answer")


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


def run(rules: Path) -> list[figures.Row]:
    """Measure and print the ratios."""
    with tempfile.TemporaryDirectory() as folder:
        alone = Settings(Path(folder), f"sqlite:///{folder}/bench.db", "bench")
        rows = [_measured("one process, SQLite", alone, one_process, rules)]
    database = os.environ.get(DATABASE)
    if database is None:
        print(f"two workers on PostgreSQL: skipped; name an empty database in {DATABASE}")
        return rows
    with tempfile.TemporaryDirectory() as folder:
        several = Settings(Path(folder), database, "bench")
        rows.append(_measured("two workers, PostgreSQL", several, two_workers, rules))
    return rows


def _measured(title: str, settings: Settings, running: Any, rules: Path) -> figures.Row:
    services = create_services(settings)
    FLOOR.metadata.create_all(services.trail._engine)
    published = services.catalogue.publish(read_folder(rules / PRODUCT), by="benchmark")
    assert published.release is not None, published.diagnostics
    with running(settings) as port:
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
    times.sort()
    half, most = (times[int(len(times) * part)] * 1000 for part in (0.5, 0.99))
    ratio = statistics.median(ratios)
    choice, floor = statistics.median(choices), statistics.median(floors)
    print(f"{PRODUCT}, {title}, {CLIENTS} clients: a choice against a view that inserts one row")
    print(f"  insert one row   {floor:8.0f} /s")
    print(f"  choose           {choice:8.0f} /s")
    print(f"  p50, p99         {half:.1f} ms, {most:.1f} ms")
    print(f"  ratio            {ratio:8.2f}   (median of {ROUNDS} pairs)")
    return figures.Row(
        f"HTTP choice to one-row insert, {title}",
        f">= {TARGET}",
        f"{ratio:.2f} ({choice:.0f}/s to {floor:.0f}/s; p50 {half:.0f} ms, p99 {most:.0f} ms)",
        ratio >= TARGET,
    )

"""An HTTP choice against a view of the same stack that inserts one row.

Both are served by the same processes to the same clients, in turn, so that the ratio holds
while the machine's speed drifts. Three ways to run the service are measured: one process on
SQLite (waitress, WAL, synchronous FULL), as ``configurator serve`` does; two workers (gunicorn)
on SQLite; and, where ``CONFIGURATOR_BENCH_DATABASE`` names an empty PostgreSQL database, two
workers on that, as docs/operators.md describes.
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
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import waitress
from flask import Flask
from sqlalchemy import Column, Integer, MetaData, String, Table

from benchmarks import figures
from benchmarks.inputs import product_of
from configurator.app import Services, create_app, create_services, settle, utc_now
from configurator.engine import Engine, compile_product
from configurator.language import read_folder
from configurator.model.choice import Choice
from configurator.settings import Settings
from configurator.trail.database import writing

CLIENTS = 4
ROUNDS = 5
SECONDS = 3.0
SESSIONS = 25
"""Sessions a client opens before a round of ``SECONDS``; more than it needs."""

WALKS = 600
"""More than all clients take in all rounds."""

TARGET = 0.5
PRODUCT = "trail-bike"
FOLDER = Path(__file__).parents[1] / "rules" / PRODUCT
DATABASE = "CONFIGURATOR_BENCH_DATABASE"


FLOOR = Table(
    "bench_row", MetaData(), Column("id", Integer, primary_key=True), Column("body", String)
)


def prepare(settings: Settings) -> str:
    """Publish the product, make the table of the floor; the digest of the release."""
    services = create_services(settings)
    FLOOR.metadata.create_all(services.trail._engine)
    published = services.catalogue.publish(read_folder(FOLDER), by="benchmark")
    assert published.release is not None, published.diagnostics
    return published.release.digest


def add_floor(app: Flask, services: Services) -> None:
    """A view that does what no service can do without: insert one row and answer."""
    engine = services.trail._engine
    insert = FLOOR.insert()

    @app.post("/bench/insert")
    def insert_one() -> dict[str, str]:
        with writing(engine) as connection:
            connection.execute(insert, {"body": "x" * 500})
        return {"kind": "accepted"}

    @app.get("/bench/worker")
    def which() -> dict[str, int]:
        return {"worker": os.getpid()}

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
    # With ports reused, a kept connection stays with the worker it was given to.
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


Walk = list[tuple[str, str]]
"""Slots and answers, in the order a customer gives them."""


def draw_walks(engine: Engine, number: int) -> list[Walk]:
    """Walks of customers who give a random valid answer to a random open question until
    nothing is open; drawn beforehand, so that the clients have little to do themselves."""
    randomness = random.Random(number)
    walks = []
    for _ in range(number):
        walk: Walk = []
        while options := _open_options(engine, walk):
            walk.append(randomness.choice(options))
        walks.append(walk)
    return walks


def _open_options(engine: Engine, walk: Walk) -> list[tuple[str, str]]:
    view = engine.view(tuple(Choice(*step) for step in walk))
    return [
        (slot.slot, option.answer)
        for slot in view.slots
        if slot.state == "open" and engine.product.variable(slot.variable).kind != "computed"
        for option in slot.options
        if option.state == "possible"
    ]


class Client:
    """One keep-alive connection whose customers take one walk after the other."""

    def __init__(self, port: int, number: int, walks: list[Walk]) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port)
        self.number = number
        self.count = 0
        self.walks = walks
        self.begun: deque[tuple[str, dict[str, str], Walk]] = deque()

    def prepare(self) -> None:
        """Open sessions for a round, so that it is made of choices alone."""
        while len(self.begun) < SESSIONS:
            self.begin()

    def begin(self) -> None:
        """Open a session for the next walk."""
        started = json.loads(self.post("/api/v1/sessions", {"product": PRODUCT}, {}))
        path = f"/api/v1/sessions/{started['session']['session_id']}/choose"
        headers = {"Authorization": f"Bearer {started['token']}"}
        self.begun.append((path, headers, self.walks.pop()[::-1]))

    def post(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> bytes:
        """One request on the kept connection."""
        self.connection.request(
            "POST", path, json.dumps(body), {"Content-Type": "application/json", **headers}
        )
        response = self.connection.getresponse()
        content = response.read()
        assert response.status < 300, (response.status, content[:500])
        return content

    def worker(self) -> int:
        """The process at the other end."""
        self.connection.request("GET", "/bench/worker")
        answer: int = json.loads(self.connection.getresponse().read())["worker"]
        return answer

    def choose(self) -> None:
        """The next step of a walk."""
        while not self.begun[0][2]:
            self.begun.popleft()
            if not self.begun:
                self.begin()
        path, headers, walk = self.begun[0]
        slot, answer = walk.pop()
        self.count += 1
        content = self.post(
            path,
            {"slot": slot, "answer": answer},
            {**headers, "Idempotency-Key": f"{self.number}-{self.count}"},
        )
        assert b'"kind":"accepted"' in content, content[:500]

    def insert(self) -> None:
        """One row of the floor."""
        self.post("/bench/insert", {}, {})


def connected(port: int, workers: int, walks: list[Walk]) -> list[Client]:
    """The clients, as many at each worker: which one a connection is given to is chance."""
    clients: list[Client] = []
    taken: Counter[int] = Counter()
    while len(clients) < CLIENTS:
        number = len(clients)
        client = Client(port, number, walks[number::CLIENTS])
        worker = client.worker()
        if taken[worker] < CLIENTS / workers:
            taken[worker] += 1
            clients.append(client)
        else:
            client.connection.close()
    return clients


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


def run() -> list[figures.Row]:
    """Measure and print the ratios."""
    walks = draw_walks(compile_product(product_of(FOLDER), utc_now().date()), WALKS)
    ways = (("one process", one_process, 1), ("two workers", two_workers, 2))
    rows = []
    for way, running, workers in ways:
        with tempfile.TemporaryDirectory() as folder:
            settings = Settings(Path(folder), f"sqlite:///{folder}/bench.db", "for benchmarks only")
            rows.append(_measured(f"{way}, SQLite", settings, running, workers, list(walks)))
    database = os.environ.get(DATABASE)
    if database is None:
        print(f"two workers on PostgreSQL: skipped; name an empty database in {DATABASE}")
        return rows
    with tempfile.TemporaryDirectory() as folder:
        several = Settings(Path(folder), database, "for benchmarks only")
        rows.append(_measured("two workers, PostgreSQL", several, two_workers, 2, walks))
    return rows


def _measured(
    title: str,
    settings: Settings,
    running: Callable[[Settings], AbstractContextManager[int]],
    workers: int,
    walks: list[Walk],
) -> figures.Row:
    prepare(settings)
    with running(settings) as port:
        clients = connected(port, workers, walks)
        for client in clients:
            client.prepare()
        load(clients, "choose")
        ratios, choices, floors, times = [], [], [], []
        for _ in range(ROUNDS):
            for client in clients:
                client.prepare()
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

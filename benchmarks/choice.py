"""Where the time of a choice goes: each layer with those below it, and a row beside them.

All in this process and one thread, without a server, in processor time; every layer follows
walks of its own, so that nothing is remembered from another. What is left between two lines
is what the upper layer adds.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from flask import Flask
from werkzeug.test import EnvironBuilder, run_wsgi_app

from benchmarks import figures
from benchmarks.http import FOLDER, PRODUCT, Walk, draw_walks, prepare, served
from benchmarks.inputs import product_of
from configurator.app import Services, utc_now
from configurator.engine import Engine, compile_product
from configurator.model.choice import Choice
from configurator.session.state import State
from configurator.session.view import Json, Pieces, view_of
from configurator.settings import Settings

WALKS = 40
"""Walks of each layer, and as many before them so that everything is warm."""

ROWS = 2_000


def run() -> list[figures.Row]:
    """Measure and print; there is no target."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(Path(folder), f"sqlite:///{folder}/bench.db", "for benchmarks only")
        release = prepare(settings)
        app = served(settings)
        app.config["RATELIMIT_ENABLED"] = False
        services: Services = app.extensions["configurator"]
        engine = services.catalogue.engine(release, utc_now().date())
        # Drawn with an engine of their own, so that this one remembers nothing of them.
        drawing = compile_product(product_of(FOLDER), utc_now().date())
        walks = iter(draw_walks(drawing, 5 * WALKS))
        lines = _layers(app, services, engine, walks)
    row = lines[-1][1]
    print(f"{PRODUCT}, one thread in process: processor time of one act")
    for name, taken in lines:
        print(f"  {name:42s}{taken * 1000:6.2f} ms  {taken / row:5.2f} rows")
    return []


def _layers(
    app: Flask, services: Services, engine: Engine, walks: Iterator[Walk]
) -> list[tuple[str, float]]:
    pieces = Pieces()
    before: Json = {}

    def view(choices: tuple[Choice, ...]) -> None:
        # A choice has seen before whether it is possible.
        engine.view(choices, settle=False)

    def guided(choices: tuple[Choice, ...]) -> None:
        nonlocal before
        before = view_of(engine, State(choices), pieces, before)

    def choosing(over_http: bool) -> Callable[[Walk], float]:
        def follow(walk: Walk) -> float:
            started = services.sessions.start(PRODUCT, locale="es")
            taken = 0.0
            for number, (slot, answer) in enumerate(walk):
                if over_http:
                    path = f"/api/v1/sessions/{started.session.session_id}/choose"
                    body = {"slot": slot, "answer": answer}
                    headers = {"Authorization": f"Bearer {started.token}"}
                    taken += _posted(app, path, body, headers | {"Idempotency-Key": str(number)})
                else:
                    begun = time.thread_time()
                    services.sessions.choose(
                        started.session.session_id, slot, answer, token=started.token
                    )
                    taken += time.thread_time() - begun
            return taken

        return follow

    layers: list[tuple[str, Callable[[Walk], float]]] = [
        ("the engine's view", _viewing(view)),
        ("with reasons and guards, as JSON", _viewing(guided)),
        ("with the event, written to SQLite", choosing(False)),
        ("with the request and its answer", choosing(True)),
    ]
    for _ in range(WALKS):
        choosing(True)(next(walks))
    lines = []
    for name, follow in layers:
        mine = [next(walks) for _ in range(WALKS)]
        lines.append((name, sum(map(follow, mine)) / sum(map(len, mine))))
    for _ in range(ROWS // 10):
        _posted(app, "/bench/insert", {}, {})
    rows = [_posted(app, "/bench/insert", {}, {}) for _ in range(ROWS)]
    return [*lines, ("a view that inserts one row", sum(rows) / ROWS)]


def _viewing(view: Callable[[tuple[Choice, ...]], None]) -> Callable[[Walk], float]:
    def follow(walk: Walk) -> float:
        choices: tuple[Choice, ...] = ()
        taken = 0.0
        for step in walk:
            choices = (*choices, Choice(*step))
            begun = time.thread_time()
            view(choices)
            taken += time.thread_time() - begun
        return taken

    return follow


def _posted(app: Flask, path: str, body: dict[str, str], headers: dict[str, str]) -> float:
    content = json.dumps(body)
    builder = EnvironBuilder(
        path,
        method="POST",
        data=content,
        content_type="application/json",
        headers=[*headers.items()],
    )
    environ = builder.get_environ()
    begun = time.thread_time()
    answer, status, _ = run_wsgi_app(app, environ, buffered=True)
    taken = time.thread_time() - begun
    assert status.startswith("2"), (status, b"".join(answer)[:500])
    return taken

"""An engine click against plain loops over python-constraint and OR-Tools.

A click is every valid value of every variable after one more choice; ours also has the
lowest total of each. All engines walk the same seeded walks, and the digests of all
domains after every click must be equal.
"""

from __future__ import annotations

import datetime
import multiprocessing
import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.baselines import OrToolsLoop, PythonConstraintLoop
from benchmarks.walks import Walk, walk
from configurator.engine import Engine, compile_product
from configurator.engine.backend import Pins
from configurator.language import load_folder
from configurator.language.importers import import_model

DAY = datetime.date(2026, 11, 22)
PATIENCE = 20.0
"""Seconds a plain loop may think about one question before it is given up."""


def small_product(seed: int = 1) -> dict[str, bytes]:
    """A product of 12 questions with 5 options, 20 rules and one weight limit."""
    randomness = random.Random(seed)
    names = [f"q{number}" for number in range(12)]
    options = {
        name: ", ".join(
            f"{name}v{value}: {{name: V{value}, weight: {randomness.randint(1, 20)}, "
            f"price: {randomness.randint(0, 90)}.00}}"
            for value in range(5)
        )
        for name in names
    }
    variables = "\n".join(
        f"  {name}: {{name: {name}, values: {{{options[name]}}}}}" for name in names
    )
    rules = []
    for number in range(20):
        one, other = randomness.sample(names, 2)
        when = randomness.sample(range(5), 2)
        allowed = randomness.sample(range(5), 3)
        rules.append(
            f'  - {{id: r{number}, when: "{one} in [{one}v{when[0]}, {one}v{when[1]}]", '
            f'require: "{other} in [{", ".join(f"{other}v{v}" for v in allowed)}]", '
            "because: So it is.}"
        )
    text = (
        "product: small\nname: Small\nlanguage: en\nlanguages: [en]\n"
        "attributes:\n  weight: {unit: g}\n"
        f"variables:\n{variables}\nrules:\n" + "\n".join(rules) + "\n"
        "  - {id: weight, require: sum(weight) <= 130 g, because: It is too heavy.}\n"
        "prices: {currency: EUR, base: 100.00}\n"
    )
    return {"product.yaml": text.encode()}


def engine_of(files: dict[str, bytes], backend: str = "auto") -> Engine:
    """The engine of a rule folder."""
    loaded = load_folder(files)
    assert loaded.product is not None, loaded.diagnostics[:3]
    return compile_product(loaded.product, DAY, backend=backend)


def ours(engine: Engine) -> Callable[[Pins], np.ndarray]:
    """The domains of an engine's backend."""
    return lambda pins: np.asarray(engine.backend.marginals(pins).valid)


def measure(title: str, files: dict[str, bytes], clicks: int, plain_clicks: int) -> None:
    """Walk with every engine, compare digests, print medians and ratios."""
    begin = time.perf_counter()
    diagram = engine_of(files)
    compiled = time.perf_counter() - begin
    sat = engine_of(files, "sat")
    network = diagram.network
    print(
        f"{title}: {len(network.variables)} variables, {len(network.constraints)} constraints; "
        f"read and compiled in {compiled:.1f} s, {diagram.backend_name}"
    )
    diagram.backend.marginals(())
    mine = Walk()
    for seed in range(5):
        walk(network, ours(diagram), seed, clicks, mine)
    report("compiled diagram", mine, mine)
    incremental = Walk()
    for seed in range(5):
        walk(network, ours(sat), seed, clicks, incremental)
    report("incremental SAT", incremental, mine)
    for name, loop in (
        ("OR-Tools loop", OrToolsLoop),
        ("python-constraint loop", PythonConstraintLoop),
    ):
        try:
            plain = in_time(loop, network, plain_clicks)
        except TimeoutError:
            print(f"  {name:<24} gave up: no answer to one question in {PATIENCE:.0f} s")
            continue
        report(name, plain, mine)
    print()


def _plain(loop: Any, network: Any, clicks: int, sending: Any) -> None:
    built = loop(network)
    begin = time.perf_counter()
    built.possible(())
    sending.send(time.perf_counter() - begin)
    taken = Walk()
    walk(network, built.domains, 0, clicks, taken)
    sending.send((taken.seconds, taken.digests))


def in_time(loop: Any, network: Any, clicks: int) -> Walk:
    """A walk in a child process; raises ``TimeoutError`` where one question takes too long."""
    receiving, sending = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(
        target=_plain, args=(loop, network, clicks, sending), daemon=True
    )
    child.start()
    try:
        if not receiving.poll(PATIENCE):
            raise TimeoutError
        receiving.recv()
        if not receiving.poll(PATIENCE * 12):
            raise TimeoutError
        seconds, digests = receiving.recv()
    finally:
        child.kill()
    return Walk(seconds, digests)


def report(name: str, taken: Walk, mine: Walk) -> None:
    """One line: clicks, median, p99, ratio to ours; stops where domains differ."""
    same = min(len(taken.digests), len(mine.digests))
    assert taken.digests[:same] == mine.digests[:same], f"{name}: other domains than ours"
    median, p99 = taken.milliseconds(50), taken.milliseconds(99)
    ratio, ratio99 = median / mine.milliseconds(50), p99 / mine.milliseconds(99)
    print(
        f"  {name:<24} {len(taken.seconds):5d} clicks  median {median:10.3f} ms  "
        f"p99 {p99:10.3f} ms  {ratio:10.1f}x  {ratio99:10.1f}x"
    )


def models() -> Path | None:
    """Where the real models are, if they are here at all."""
    named = os.environ.get("CONFIGURATOR_MODELS")
    folder = Path(named) if named else Path(__file__).parents[2] / "shared" / "models"
    return folder if folder.is_dir() else None


def run() -> None:
    """Measure the small product and, where it is at hand, a real car range."""
    measure("small product", small_product(), clicks=12, plain_clicks=12)
    found = models()
    if found is None:
        print("renault-medium: skipped, the models are not here (set CONFIGURATOR_MODELS)")
        return
    files = import_model(found / "renault-medium" / "medium.xml")
    measure("renault-medium", files, clicks=30, plain_clicks=1)

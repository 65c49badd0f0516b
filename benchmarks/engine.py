"""A click of the compiled engine against general solvers, model by model.

A click is, after one more choice, every valid value of every variable and the lowest
total of each. The baselines answer the same questions of the same walks and only part of
them: python-constraint and SAT only what is valid, OR-Tools only the lowest totals. All
valid values must have equal digests; one difference stops the benchmark.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from benchmarks import generated, inputs
from benchmarks.baselines import (
    PATIENCE,
    LeastChanges,
    OrToolsOptimum,
    PythonConstraintLoop,
    SatLoop,
)
from benchmarks.figures import Row, at_least, at_most, milliseconds, times
from benchmarks.publishing import Published, given, publish
from benchmarks.walks import (
    PASSES,
    Bools,
    DifferentDomainsError,
    Domains,
    Walk,
    again,
    compare,
    follow,
    lead,
)
from configurator.engine.backend import Pins, offsets_of
from configurator.engine.diagram import DiagramBackend

SAT = "incremental SAT"

REPEATING = 10.0
"""Seconds for making our own walks again."""

CHANGES = 15.0
"""Seconds for asking for least changes as well."""

YES = 0
"""The network value of a chosen feature: answers are in written order, yes before no."""


def run() -> list[Row]:
    """Measure every model and print as it goes."""
    with tempfile.TemporaryDirectory() as folder:
        below = Path(folder)
        rows = small(below)
        for name in ("renault-medium", "renault-megane", "busybox", "automotive01"):
            rows += real(name, below)
        rows += largest(below)
        rows += middle(below)
        rows += large(below)
    return rows


# --- our own clicks -----------------------------------------------------------------------


def settled(backend: DiagramBackend) -> Domains:
    """Everything decided."""
    return lambda pins: np.asarray(backend.marginals(pins).valid)


def walked(published: Published, walks: int, clicks: int) -> tuple[DiagramBackend, Walk]:
    """Our own walks; prints them, and what least changes cost on the same questions."""
    backend = published.load()
    mine = lead(published.network, settled(backend), range(walks), clicks)
    begun = time.perf_counter()
    for _ in range(PASSES - 1):
        if time.perf_counter() - begun < REPEATING:
            other = again(mine.questions, settled(published.load()), REPEATING)
            compare("ours again", mine, other)
            mine.least(other)
    line("ours: valid, lowest totals", mine)
    with_changes = again(
        mine.questions,
        lambda pins: np.asarray(backend.marginals(pins, changes=True).valid),
        CHANGES,
    )
    line("ours: least changes as well", with_changes)
    return backend, mine


def line(name: str, taken: Walk, mine: Walk | None = None) -> None:
    """Print one engine's clicks, and its ratio to ours on the same clicks."""
    text = (
        f"  {name:<28} {len(taken.digests):5d} clicks   processor, median / p99: "
        f"{milliseconds(taken.median()):>7} / {milliseconds(taken.p99()):>7} ms   by the clock: "
        f"{milliseconds(taken.clock_at(50)):>7} / {milliseconds(taken.clock_at(99)):>7} ms"
    )
    if mine is not None:
        median, p99 = ratios(taken, mine)
        text += f"   ratio {times(median)} / {times(p99)}"
    print(text, flush=True)


def ratios(taken: Walk, mine: Walk) -> tuple[float, float]:
    """How many times slower another engine was, in the median and the 99th percentile of
    the clicks both made."""
    same = mine.only(range(len(taken.digests)))
    return taken.median() / same.median(), taken.p99() / same.p99()


def against(
    name: str,
    engine: Callable[..., PythonConstraintLoop] | Callable[..., SatLoop],
    published: Published,
    mine: Walk,
    seconds: float,
    targets: tuple[float, float],
) -> list[Row]:
    """Let another engine follow; a row for the median's ratio and one for that of the p99."""
    taken = follow(name, engine, published.network, mine, seconds)
    title = f"{published.name}, {name}"
    if not taken.digests:
        print(f"  {name:<28} no click in {seconds:.0f} s")
        more = f" at least: no click in {seconds:.0f} s"
        return [at_least(f"{title}, median", seconds / mine.median(), targets[0], more)]
    line(name, taken, mine)
    median, p99 = ratios(taken, mine)
    return [
        at_least(f"{title}, median", median, targets[0]),
        at_least(f"{title}, p99", p99, targets[1]),
    ]


def absent(title: str, why: str) -> list[Row]:
    """A row that could not be measured."""
    print(f"{title}: skipped, {why}\n", flush=True)
    return [Row(title, "", f"skipped: {why}", None)]


def refused(published: Published) -> list[Row]:
    """The row of a model that does not compile."""
    print()
    return [Row(published.name, "compiles", published.refused or "", False)]


# --- the rows -----------------------------------------------------------------------------


def small(below: Path) -> list[Row]:
    """A small product against the loop over python-constraint."""
    published = publish("small, 12 x 5", inputs.small, below)
    print(published.line(), flush=True)
    _, mine = walked(published, 12, 12)
    name = "python-constraint loop"
    rows = against(name, PythonConstraintLoop, published, mine, 60.0, (100, 500))
    print()
    return rows


def real(name: str, below: Path) -> list[Row]:
    """A real model against SAT and against an optimum per option."""
    path = inputs.real(name)
    if path is None:
        return absent(name, "the real models are not here (set CONFIGURATOR_MODELS)")
    published = publish(name, partial(inputs.priced_network_of, path), below)
    print(published.line(), flush=True)
    if published.refused is not None:
        return refused(published)
    backend, mine = walked(published, 20, 40)
    rows = against(SAT, SatLoop, published, mine, 30.0, (10, 20))
    rows += optimum_per_option(published, backend, mine, 30.0)
    if name == "busybox":
        rows += flamapy(published, path, mine)
    print()
    return rows


def optimum_per_option(
    published: Published, backend: DiagramBackend, mine: Walk, seconds: float
) -> list[Row]:
    """All lowest totals by one OR-Tools optimum per option: a sample of the options of
    some clicks, multiplied by the number of options that are open there."""
    network = published.network
    offsets = offsets_of(tuple(variable.size for variable in network.variables))
    draw = random.Random(1)
    solver = OrToolsOptimum(network)
    until = time.perf_counter() + seconds
    found, taken, given_up = [], [], 0
    while time.perf_counter() < until and len(found) < 12:
        click = draw.randrange(min(20, len(mine.questions)))
        pins = mine.questions[click]
        answer = backend.marginals(pins)
        pinned = dict(pins)
        options = [
            (v, a)
            for v in range(len(network.variables))
            if v not in pinned
            for a in np.flatnonzero(answer.valid[offsets[v] : offsets[v + 1]]).tolist()
        ]
        optima = []
        for option in draw.sample(options, min(4, len(options))):
            begun = time.process_time()
            try:
                least = solver.least((*pins, option))
            except TimeoutError:
                given_up += 1
                continue
            finally:
                optima.append(time.process_time() - begun)
            lowest = int(answer.lowest[offsets[option[0]] + option[1]])
            if least != lowest:
                raise DifferentDomainsError(f"OR-Tools: {least} for {option}, ours {lowest}")
        taken += optima
        found.append(float(np.mean(optima)) * len(options) / mine.processor[click])
    ratio = float(np.median(found))
    but = f" but {given_up} not known after {PATIENCE:.0f} s" if given_up else ""
    print(
        f"  {'OR-Tools, an optimum an option':<28} {len(taken):3d} optima sampled at {len(found)} "
        f"clicks, equal to ours{but}; {milliseconds(float(np.median(taken)))} ms each; "
        f"extrapolated to all options: ratio {times(ratio)}",
        flush=True,
    )
    title = f"{published.name}, OR-Tools optimum per option"
    return [at_least(title, ratio, 5000, " extrapolated")]


def flamapy(published: Published, path: Path, mine: Walk) -> list[Row]:
    """Whole clicks by flamapy, where some Python has it."""
    title = f"{published.name}, flamapy"
    python = os.environ.get("CONFIGURATOR_FLAMAPY_PYTHON")
    if python is None and find_spec("flamapy") is None:
        return absent(
            title,
            "flamapy (GPL, no dependency) is not installed; put it in an environment of its "
            "own (python3 -m venv F; F/bin/pip install flamapy) and set "
            "CONFIGURATOR_FLAMAPY_PYTHON=F/bin/python",
        )
    names = inputs.names_of(path)
    clicks = [0, 4, 9]
    asked = {
        "model": str(path),
        "features": names,
        "clicks": [{names[v]: a == YES for v, a in mine.questions[click]} for click in clicks],
    }
    script = Path(__file__).with_name("flamapy_click.py")
    done = subprocess.run(
        [python or sys.executable, str(script)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
    )
    taken = Walk()
    for click, answer in zip(clicks, json.loads(done.stdout), strict=True):
        taken.ask(mine.questions[click], lambda _, answer=answer: _packed(answer["possible"]))
        taken.clock[-1], taken.processor[-1] = answer["clock"], answer["processor"]
    same = mine.only(clicks)
    if taken.digests != same.digests:
        raise DifferentDomainsError("flamapy: other valid values than ours")
    line("flamapy, whole clicks", taken, same)
    return [at_least(f"{title}, whole click", ratios(taken, same)[0], 20_000)]


def _packed(possible: list[list[bool]]) -> Bools:
    return np.asarray(possible, dtype=np.bool_).ravel()


def largest(below: Path) -> list[Row]:
    """The model of 14,010 features: publishing, a few clicks by SAT, least changes."""
    name = "automotive02"
    path = inputs.real(name)
    if path is None:
        return absent(name, "the real models are not here (set CONFIGURATOR_MODELS)")
    published = publish(name, partial(inputs.priced_network_of, path), below)
    print(published.line(), flush=True)
    if published.refused is not None:
        return refused(published)
    rows = [
        Row(
            f"{name}, publish",
            "<= 300 s, 4 GB",
            f"{published.seconds:.0f} s, {published.peak / 1e9:.2f} GB",
            published.seconds <= 300 and published.peak <= 4e9,
        )
    ]
    backend, mine = walked(published, 20, 40)
    rows += against(SAT, SatLoop, published, mine, 120.0, (10_000, 1))[:1]
    rows += changes_sampled(published, backend, mine.questions[9])
    print()
    return rows


def changes_sampled(published: Published, backend: DiagramBackend, pins: Pins) -> list[Row]:
    """Least changes of every value by one sweep; a sample of them by MaxSAT."""
    offsets = offsets_of(tuple(variable.size for variable in published.network.variables))
    begun = time.process_time()
    changes = backend.marginals(pins, changes=True).changes
    taken = time.process_time() - begun
    assert changes is not None
    oracle = LeastChanges(published.network)
    draw = random.Random(2)
    needing = np.flatnonzero(changes > 0).tolist()
    sample = draw.sample(needing, min(8, len(needing)))
    sample += draw.sample(np.flatnonzero(changes <= 0).tolist(), 4)
    for place in sample:
        variable = int(np.searchsorted(offsets, place, side="right")) - 1
        wanted = oracle.of(pins, (variable, place - int(offsets[variable])))
        found = int(changes[place])
        if (wanted is None and found != -1) or (wanted is not None and found != wanted):
            raise DifferentDomainsError(f"MaxSAT: {wanted} changes for {place}, ours {found}")
    print(
        f"  least changes of {len(changes):,} values in one sweep of {milliseconds(taken)} ms; "
        f"{len(sample)} sampled, equal to MaxSAT (up to {int(changes.max())} changes)",
        flush=True,
    )
    title = f"{published.name}, least changes of every value"
    measured = f"one sweep, {milliseconds(taken)} ms; {len(sample)} of {len(sample)} equal"
    return [Row(title, "one sweep, equal to SAT", measured, True)]


def middle(below: Path) -> list[Row]:
    """60 variables with 3 sums, loose and tight."""
    rows = []
    for word, tightness in (
        ("loose", generated.LOOSE),
        ("tight", 1.6),
        ("very tight", 1.25),
    ):
        network = generated.product(generated.MEDIUM, 1, tightness)
        published = publish(f"60 variables, 3 sums, {word}", partial(given, network), below)
        print(published.line(), flush=True)
        if published.refused is not None:
            rows += refused(published)
            continue
        _, mine = walked(published, 10, 60)
        rows += against(SAT, SatLoop, published, mine, 30.0, (10, 1))
        print()
    return rows


def large(below: Path) -> list[Row]:
    """300 variables of up to 8 values, 900 rules, 5 sums, loose and tight."""
    network = generated.product(generated.LARGE, 1, generated.LOOSE)
    published = publish("300 x 8, 5 sums, loose", partial(given, network), below)
    print(published.line(), flush=True)
    if published.refused is not None:
        return [*refused(published), *tight(below, None)]
    _, mine = walked(published, 8, 300)
    rows = against(SAT, SatLoop, published, mine, 120.0, (500, 1))[:1]
    spread = mine.p99() / mine.median()
    rows.append(at_most(f"{published.name}, our p99 to our median", spread, 50))
    print()
    return [*rows, *tight(below, mine)]


def tight(below: Path, loose: Walk | None) -> list[Row]:
    """The same, tight: a first answer, and everything settled later."""
    network = generated.product(generated.LARGE, 1, 1.5)
    published = publish("300 x 8, 5 sums, tight", partial(given, network), below)
    print(published.line(), flush=True)
    if published.refused is not None:
        return refused(published)
    _, mine = walked(published, 4, 300)
    first, share = first_answers(published, mine)
    line("ours: first answers", first)
    print(f"  undecided in a first answer: {share:.2%} of all values; none contradicted later")
    deepest = sorted(range(len(mine.questions)), key=lambda place: -len(mine.questions[place]))
    leader = mine.only(deepest)
    taken = follow(SAT, SatLoop, network, leader, 90.0)
    if taken.digests:
        line(f"{SAT}, latest clicks first", taken, leader)
    print()
    equal = f"{len(taken.digests)} of {len(mine.digests)} clicks compared, all equal"
    rows = [Row(f"{published.name}, settled", "equal to SAT", equal, bool(taken.digests) or None)]
    if loose is not None:
        title = f"{published.name}, first answer's p99 to the loose p99"
        rows.insert(0, at_most(title, first.p99() / loose.p99(), 1))
    return rows


def first_answers(published: Published, mine: Walk) -> tuple[Walk, float]:
    """First answers to the questions of a walk, by a backend that never settled one, and
    the share of values they leave undecided; what they decide must be what was settled."""
    first, settling = published.load(), published.load()
    undecided: list[float] = []
    taken = Walk()
    for question in mine.questions:
        taken.ask(question, lambda pins: first.marginals(pins, settle=False).valid)
        answer = first.marginals(question, settle=False)
        later = settling.marginals(question)
        known = ~answer.undecided
        if not np.array_equal(answer.valid[known], later.valid[known]):
            raise DifferentDomainsError(f"a first answer is contradicted later, pins {question}")
        undecided.append(float(answer.undecided.mean()))
    return taken, float(np.mean(undecided))

"""Threads, processes and cold starts.

Two threads should do twice the work of one, because the loops run without the
interpreter's lock; several processes should map one copy of the arrays; and the first
click of a fresh process that was warmed should cost about what later ones do.
"""

from __future__ import annotations

import multiprocessing
import statistics
import tempfile
import threading
import time
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from benchmarks import generated
from benchmarks.figures import Row, at_least, at_most, megabytes, milliseconds
from benchmarks.publishing import Published, given, publish
from configurator.engine.backend import Pins
from configurator.engine.diagram import DiagramBackend
from configurator.engine.network import Network

PROCESSES = 8
PAIRS = 7
SWEEPS = 60


def run() -> list[Row]:
    """Measure on a wide diagram and, for the cold start, on a narrow one too."""
    with tempfile.TemporaryDirectory() as folder:
        wide = _published("300 x 8, without sums", generated.LARGE, Path(folder))
        narrow = _published("60 variables, without sums", generated.MEDIUM, Path(folder))
        rows = [*threads(wide), *processes(wide)]
        for each in (narrow, wide):
            rows += cold_start(each)
    return rows


def _published(name: str, shape: generated.Shape, below: Path) -> Published:
    published = publish(name, partial(given, generated.product(shape, 1, None)), below)
    print(published.line(), flush=True)
    if published.refused is not None:
        raise SystemExit(f"{name} does not compile: {published.refused}")
    return published


def first_choices(network: Network) -> list[Pins]:
    """One choice each, so that every click sweeps nearly the whole diagram."""
    return [
        ((variable, value),)
        for variable in range(len(network.variables))
        for value in range(network.variables[variable].size)
    ]


# --- threads ------------------------------------------------------------------------------


def threads(published: Published) -> list[Row]:
    """The work of two threads in the time one needs for its own, in alternating pairs.

    Asked with ``changes``, so that nothing is left out of the diagram for earlier pins.
    """
    backend = published.load()
    questions = first_choices(published.network)[:SWEEPS]

    def work() -> None:
        for question in questions:
            backend.marginals(question, changes=True)

    def taken(count: int) -> float:
        workers = [threading.Thread(target=work) for _ in range(count)]
        begun = time.perf_counter()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return time.perf_counter() - begun

    taken(2)
    ratios = sorted(2 * taken(1) / taken(2) for _ in range(PAIRS))
    median, best = statistics.median(ratios), ratios[-1]
    print(
        f"  two threads do {median:.2f} times the work of one (median of {PAIRS} pairs by the "
        f"clock, best {best:.2f}; other jobs take their part)",
        flush=True,
    )
    return [at_least("two threads to one", median, 1.8, f" (best pair {best:.2f}x)")]


# --- processes ----------------------------------------------------------------------------


def processes(published: Published) -> list[Row]:
    """What the arrays cost several processes, by the kernel's own account."""
    if not Path("/proc/self/smaps").exists():
        return [Row("processes share the arrays", "one copy", "no /proc here", None)]
    context: Any = multiprocessing.get_context("spawn")
    children = []
    for _ in range(PROCESSES):
        receiving, sending = context.Pipe()
        child = context.Process(target=_mapped, args=(published.folder, sending), daemon=True)
        child.start()
        children.append((child, receiving))
    try:
        for _, receiving in children:
            receiving.recv()
        pids = [child.pid for child, _ in children]
        arrays = [_mapping(pid, str(published.folder)) for pid in pids]
        whole = [_rollup(pid) for pid in pids]
    finally:
        for child, _ in children:
            child.kill()
            child.join()
    resident, shared = (sum(each[k] for each in arrays) for k in (0, 1))
    print(
        f"  {PROCESSES} processes: the mapped arrays are {megabytes(resident)} resident when each "
        f"is asked alone (RSS) and {megabytes(shared)} together (PSS), of {megabytes(published.arrays)} "
        f"on disk; everything in them: RSS {megabytes(sum(w[0] for w in whole))}, "
        f"PSS {megabytes(sum(w[1] for w in whole))}",
        flush=True,
    )
    ratio = shared / published.arrays
    return [at_most(f"{PROCESSES} processes, arrays in memory to one copy", ratio, 1.1)]


def _mapped(folder: Path, connection: Connection) -> None:
    backend = DiagramBackend.load(folder)
    backend.warm()
    connection.send(True)
    connection.recv()


def _mapping(pid: int, below: str) -> tuple[int, int]:
    """RSS and PSS in bytes of the files mapped from below a folder."""
    resident = shared = 0
    inside = False
    for each in Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8").splitlines():
        word, _, rest = each.partition(" ")
        if not word.endswith(":"):
            inside = below in rest
        elif inside and word == "Rss:":
            resident += int(rest.split()[0]) * 1024
        elif inside and word == "Pss:":
            shared += int(rest.split()[0]) * 1024
    return resident, shared


def _rollup(pid: int) -> tuple[int, int]:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    sizes = {each.split()[0]: int(each.split()[1]) * 1024 for each in lines[1:]}
    return sizes["Rss:"], sizes["Pss:"]


# --- cold start ---------------------------------------------------------------------------


def cold_start(published: Published) -> list[Row]:
    """A fresh process maps the diagram, is warmed and then clicked, several times over."""
    questions = first_choices(published.network)[::3][:40]
    context: Any = multiprocessing.get_context("spawn")
    starts, firsts, laters = [], [], []
    for _ in range(5):
        receiving, sending = context.Pipe(duplex=False)
        child = context.Process(
            target=_fresh, args=(published.folder, questions, sending), daemon=True
        )
        child.start()
        start, taken = receiving.recv()
        child.join()
        starts.append(start)
        firsts.append(taken[0])
        laters.append(statistics.median(taken[1:]))
    first, later = statistics.median(firsts), statistics.median(laters)
    print(
        f"  {published.name}, a fresh process: mapped and warm in "
        f"{statistics.median(starts):.2f} s; first click {milliseconds(first)} ms, later ones "
        f"{milliseconds(later)} ms (processor time, medians of 5 starts)",
        flush=True,
    )
    return [at_most(f"{published.name}, first click after a cold start", first / later, 10)]


def _fresh(folder: Path, questions: list[Pins], sending: Connection) -> None:
    begun = time.perf_counter()
    backend = DiagramBackend.load(folder)
    backend.warm()
    start = time.perf_counter() - begun
    taken = []
    for question in questions:
        click = time.process_time()
        backend.marginals(question)
        taken.append(time.process_time() - click)
    sending.send((start, taken))

"""Threads, processes and cold starts.

Two threads should do twice the work of one, because the loops run without the
interpreter's lock; several processes should map one copy of the arrays; and the first
click of a fresh process that was warmed should cost about what later ones do.
"""

from __future__ import annotations

import multiprocessing
import os
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
from configurator.engine.diagram import DiagramBackend, load_diagram
from configurator.engine.network import Network

PROCESSES = 8
PAIRS = 5
SWEEPS = 40


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
    """The work of two threads in the time one needs for its own, by the clock.

    Beside other jobs no two cores are to be had, so two processes with the same work are
    measured in turn: what they reach is what the machine has left to give. Asked with
    ``changes``, so that nothing is left out of the diagram for earlier pins.
    """
    backend = published.load()
    questions = first_choices(published.network)[:SWEEPS]
    with _Pair(published.folder, questions) as pair:
        pair.taken()
        _threads(backend, questions, 2)
        by_threads, by_processes = [], []
        for _ in range(PAIRS):
            one = _threads(backend, questions, 1)
            by_threads.append(2 * one / _threads(backend, questions, 2))
            by_processes.append(2 * one / pair.taken())
    reached, possible = statistics.median(by_threads), statistics.median(by_processes)
    print(
        f"  two threads do {reached:.2f} times the work of one, two processes {possible:.2f} "
        f"(medians of {PAIRS} turns by the clock; the best turns {max(by_threads):.2f} and "
        f"{max(by_processes):.2f}; load {os.getloadavg()[0]:.1f})",
        flush=True,
    )
    more = f" (best turn {max(by_threads):.2f}x)"
    return [
        at_least("two threads to one", reached, 1.8, more),
        at_least("two threads to two processes", reached / possible, 0.9),
    ]


def _work(backend: DiagramBackend, questions: list[Pins]) -> None:
    for question in questions:
        backend.marginals(question, changes=True)


def _threads(backend: DiagramBackend, questions: list[Pins], count: int) -> float:
    workers = [threading.Thread(target=_work, args=(backend, questions)) for _ in range(count)]
    begun = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return time.perf_counter() - begun


class _Pair:
    """Two warm processes that do the same work whenever they are told to."""

    def __init__(self, folder: Path, questions: list[Pins]) -> None:
        context: Any = multiprocessing.get_context("spawn")
        self.children = []
        for _ in range(2):
            here, there = context.Pipe()
            child = context.Process(target=_obey, args=(folder, questions, there), daemon=True)
            child.start()
            self.children.append((child, here))

    def __enter__(self) -> _Pair:
        for _, connection in self.children:
            connection.recv()
        return self

    def __exit__(self, *_: object) -> None:
        for child, _ in self.children:
            child.kill()
            child.join()

    def taken(self) -> float:
        """Seconds until both are done."""
        begun = time.perf_counter()
        for _, connection in self.children:
            connection.send(True)
        for _, connection in self.children:
            connection.recv()
        return time.perf_counter() - begun


def _obey(folder: Path, questions: list[Pins], connection: Connection) -> None:
    backend = load_diagram(folder)
    backend.warm()
    while True:
        connection.send(True)
        connection.recv()
        _work(backend, questions)


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
        f"  {PROCESSES} processes: the mapped arrays are {megabytes(resident)} resident when "
        f"each is asked alone (RSS) and {megabytes(shared)} together (PSS), of "
        f"{megabytes(published.arrays)} on disk; all that is in the processes: "
        f"RSS {megabytes(sum(w[0] for w in whole))}, "
        f"PSS {megabytes(sum(w[1] for w in whole))}",
        flush=True,
    )
    ratio = shared / published.arrays
    return [at_most(f"{PROCESSES} processes, arrays in memory to one copy", ratio, 1.1)]


def _mapped(folder: Path, connection: Connection) -> None:
    backend = load_diagram(folder)
    backend.warm()
    connection.send(True)
    connection.recv()


def _mapping(pid: int, below: str) -> tuple[int, int]:
    """RSS and PSS in bytes of the files mapped from below a folder."""
    resident = shared = 0
    inside = False
    for each in Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8").splitlines():
        word, _, rest = each.partition(" ")
        if not word.endswith(":"):  # a new mapping begins
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
    backend = load_diagram(folder)
    backend.warm()
    start = time.perf_counter() - begun
    taken = []
    for question in questions:
        click = time.process_time()
        backend.marginals(question)
        taken.append(time.process_time() - click)
    sending.send((start, taken))

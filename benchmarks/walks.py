"""Seeded walks: the same random customers for every engine that is measured.

Our own engine leads: at each click a random open variable gets a random valid value. The
other engines follow, question by question, each in a process of its own, and their valid
values must have the same digest after every click. Because the digests are equal, a
walk led by any of them would have been the same.

Each click is timed twice: by the clock, and by the processor time of the process. On a
machine with nothing else to do both are the same; beside other jobs a click of a tenth
of a millisecond may wait ten of them for its turn, which says nothing of the engine.
Ratios are of processor time. For the same reason a walk is made several times, each time
by a fresh engine, and of each click the shortest time counts, for all engines alike.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from configurator.engine.backend import Pins, offsets_of
from configurator.engine.network import Network

PASSES = 3
"""How often a walk is made, if time allows; the shortest time of each click counts."""

Bools = npt.NDArray[np.bool_]
Domains = Callable[[Pins], Bools]
"""Packed valid values of every variable under some pins."""


class DifferentDomainsError(Exception):
    """Two engines do not agree: nothing measured is worth anything."""


class Engine(Protocol):
    """What can follow a walk."""

    def domains(self, pins: Pins) -> Bools:
        """Packed valid values of every variable."""
        ...


@dataclass(slots=True)
class Walk:
    """Questions asked one after the other, and what each took and answered."""

    questions: list[Pins] = field(default_factory=list)
    clock: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)

    def ask(self, question: Pins, domains: Domains) -> Bools:
        """Ask and record one question."""
        clock, processor = time.perf_counter(), time.process_time()
        valid = domains(question)
        self.processor.append(time.process_time() - processor)
        self.clock.append(time.perf_counter() - clock)
        self.questions.append(question)
        self.digests.append(digest_of(valid))
        return valid

    def only(self, places: Iterable[int]) -> Walk:
        """The clicks at some places, in their order."""
        kept = list(places)
        columns = (self.questions, self.clock, self.processor, self.digests)
        return Walk(*([column[place] for place in kept] for column in columns))

    def least(self, other: Walk) -> None:
        """Keep of each click the shorter time of two passes over the same questions."""
        for mine, theirs in ((self.clock, other.clock), (self.processor, other.processor)):
            mine[: len(theirs)] = map(min, mine, theirs)

    def median(self) -> float:
        """Median processor seconds of a click."""
        return float(np.median(self.processor))

    def p99(self) -> float:
        """The 99th percentile of the processor seconds of a click."""
        return float(np.percentile(self.processor, 99))

    def clock_at(self, percentile: float) -> float:
        """A percentile of the seconds by the clock."""
        return float(np.percentile(self.clock, percentile))


def digest_of(valid: Bools) -> str:
    """A hash of all domains."""
    return hashlib.sha256(np.packbits(valid).tobytes()).hexdigest()


def lead(network: Network, domains: Domains, seeds: Iterable[int], clicks: int) -> Walk:
    """Walks of at most so many clicks each, until nothing is open."""
    offsets = offsets_of(tuple(variable.size for variable in network.variables))
    shown = [v for v, variable in enumerate(network.variables) if not variable.hidden]
    taken = Walk()
    first = domains(())
    for seed in seeds:
        choose = random.Random(seed)
        pins: dict[int, int] = {}
        valid = first
        for _ in range(clicks):
            left = np.add.reduceat(valid, offsets[:-1])
            still_open = [v for v in shown if v not in pins and left[v] > 1]
            if not still_open:
                break
            variable = choose.choice(still_open)
            options = np.flatnonzero(valid[offsets[variable] : offsets[variable + 1]])
            pins[variable] = choose.choice(options.tolist())
            valid = taken.ask(tuple(sorted(pins.items())), domains)
    return taken


def again(questions: Iterable[Pins], domains: Domains, seconds: float) -> Walk:
    """The same questions asked otherwise in this process, as many as so many seconds allow."""
    taken = Walk()
    until = time.perf_counter() + seconds
    for question in questions:
        if time.perf_counter() > until:
            break
        taken.ask(question, domains)
    return taken


def compare(name: str, leader: Walk, follower: Walk) -> None:
    """Raise ``DifferentDomainsError`` where the digests of two walks differ."""
    for click, (mine, other) in enumerate(zip(leader.digests, follower.digests, strict=False)):
        if mine != other:
            raise DifferentDomainsError(
                f"{name}: other valid values than ours at click {click}, "
                f"pins {leader.questions[click]}"
            )


def _following(
    engine: Callable[[Network], Engine],
    network: Network,
    questions: Sequence[Pins],
    sending: Connection,
) -> None:
    built = engine(network)
    built.domains(())
    taken = Walk()
    for question in questions:
        taken.ask(question, built.domains)
        sending.send((taken.clock[-1], taken.processor[-1], taken.digests[-1]))
    sending.send(None)


def follow(
    name: str, engine: Callable[[Network], Engine], network: Network, leader: Walk, seconds: float
) -> Walk:
    """As many of the leader's clicks as another engine answers in so many seconds, each the
    shortest of up to ``PASSES`` passes if there is time for them.

    Every pass has a process of its own; the engine is built there and asked once before its
    first click is timed. Raises ``DifferentDomainsError`` where an answer differs.
    """
    until = time.perf_counter() + seconds
    taken = _passed(name, engine, network, leader, until)
    for _ in range(PASSES - 1):
        if len(taken.digests) == len(leader.digests) and time.perf_counter() < until:
            taken.least(_passed(name, engine, network, leader, until))
    return taken


def _passed(
    name: str, engine: Callable[[Network], Engine], network: Network, leader: Walk, until: float
) -> Walk:
    context: Any = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    child = context.Process(
        target=_following, args=(engine, network, leader.questions, sending), daemon=True
    )
    child.start()
    sending.close()
    taken = Walk()
    try:
        while receiving.poll(max(0.0, until - time.perf_counter())):
            answered = receiving.recv()
            if answered is None:
                break
            taken.questions.append(leader.questions[len(taken.questions)])
            taken.clock.append(answered[0])
            taken.processor.append(answered[1])
            taken.digests.append(answered[2])
    except EOFError as error:
        raise RuntimeError(f"{name}: ended before it had answered") from error
    finally:
        child.kill()
        child.join()
    compare(name, leader, taken)
    return taken

"""The part of a diagram that some pins leave, and a bounded memory of such parts.

A session only ever narrows: what its first choices closed need not be swept again. A part
keeps the order of nodes and edges, so every answer from it is the answer of the whole.
Knows nothing of totals; ``kernels`` has the layout.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from configurator.engine.diagram.jit import kernel
from configurator.engine.diagram.kernels import PRIME

Int64 = npt.NDArray[np.int64]

REMEMBERED_EDGES = 8_000_000
"""Edges of all remembered parts together (about 10 bytes each)."""

REMEMBERED_PARTS = 2_000

NO_VALUES: Int64 = np.zeros(0, dtype=np.int64)
NO_VALUES.setflags(write=False)
NO_SLOTS: npt.NDArray[np.uint32] = np.zeros(0, dtype=np.uint32)


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes and edges as arrays, or as lists where the loops run undecorated."""

    start: Any
    conjunction: Any
    slot: Any
    target: Any
    roots: Any
    choices: int
    """How many edges stand in choice nodes."""
    slots: Any
    """The slots that stand at edges of choice nodes, and maybe more."""
    states: Any
    """The states that a configuration of the graph can have, and maybe more."""
    impossible: Int64 = field(default_factory=lambda: NO_VALUES)
    """Values (packed) that only configurations beyond some limit beside the graph have, as
    far as this was settled before."""
    limited: bool = False
    """Whether the cheapest configurations with some values broke limits."""

    @property
    def nodes(self) -> int:
        """Nodes, TRUE and conjunctions among them."""
        return len(self.start) - 1

    @property
    def edges(self) -> int:
        """Edges of all nodes."""
        return len(self.slot)

    def parts(self) -> tuple[Any, Any, Any, Any]:
        """What a loop over all edges reads."""
        return self.start, self.conjunction, self.slot, self.target


class _Asked(NamedTuple):
    """Pins, their hash and those of each, and what is written of them; ``new`` is the pin
    without which they are what was remembered last, or -1."""

    pins: Int64
    key: int
    new: int
    hashes: Int64
    written: bytes


class _Local(threading.local):
    """What a thread asked for and remembered last."""

    asked: _Asked | None = None
    kept = 0


class Parts:
    """Remembers what pins leave of a diagram; the parts least recently used go first.

    Parts are found by their pins, variables and values by turns in one array: exactly those
    pins, or those pins but one, which is what the next choice of a session asks for.
    """

    def __init__(self, whole: Graph) -> None:
        self.whole = whole
        self._lock = threading.Lock()
        self._local = _Local()
        self._kept: OrderedDict[int, tuple[bytes, Graph]] = OrderedDict()
        self._holders: Counter[int] = Counter()
        self._edges = 0

    def nearest(self, pins: Int64) -> Graph:
        """A remembered part that holds all configurations with the pins: of those exactly, or
        what this thread remembered last, or the smallest."""
        if not self._kept:
            return self.whole
        asked = self._asked(pins)
        with self._lock:
            found = self._look(asked.key, asked.written)
            if found is None and asked.new >= 0:
                found = self._look(self._local.kept, _without(asked.written, asked.new))
            if found is None:
                # Taking a pin away is another exclusive or with its hash.
                near = (asked.hashes ^ asked.key).tolist()
                several = (
                    self._look(other, _without(asked.written, near.index(other)))
                    for other in filter(self._kept.__contains__, near)
                )
                known = [graph for graph in several if graph is not None]
                found = min(known, key=lambda graph: graph.edges, default=None)
            return found or self._look(0, b"") or self.whole

    def _asked(self, pins: Int64) -> _Asked:
        """What parts are found by; this thread's last is kept, as it is remembered next."""
        known = self._local.asked
        if known is not None and known.pins is pins:
            return known
        hashes = np.empty(len(pins) // 2, dtype=np.int64)
        key, new = hash_pins(pins, self._local.kept, hashes)
        asked = self._local.asked = _Asked(pins, key, new, hashes, pins.tobytes())
        return asked

    def _look(self, key: int, written: bytes) -> Graph | None:
        known = self._kept.get(key)
        if known is None or known[0] != written:
            return None
        self._kept.move_to_end(key)
        return known[1]

    def keep(self, pins: Int64, graph: Graph) -> None:
        """Remember a part; where pins leave all of a remembered part, that one again."""
        if self._is_part(graph) and graph.edges > REMEMBERED_EDGES // 2:
            return
        asked = self._asked(pins)
        self._local.kept = asked.key
        with self._lock:
            replaced = self._kept.pop(asked.key, None)
            if replaced is not None:
                self._let_go(replaced[1])
            self._kept[asked.key] = asked.written, graph
            self._take(graph)
            while self._edges > REMEMBERED_EDGES or len(self._kept) > REMEMBERED_PARTS:
                _, (_, forgotten) = self._kept.popitem(last=False)
                self._let_go(forgotten)

    def _take(self, graph: Graph) -> None:
        """A part that stands for several pins takes its room once."""
        self._holders[id(graph.start)] += 1
        if self._is_part(graph) and self._holders[id(graph.start)] == 1:
            self._edges += graph.edges

    def _let_go(self, graph: Graph) -> None:
        self._holders[id(graph.start)] -= 1
        if not self._holders[id(graph.start)]:
            del self._holders[id(graph.start)]
            if self._is_part(graph):
                self._edges -= graph.edges

    def _is_part(self, graph: Graph) -> bool:
        return graph.start is not self.whole.start


def _without(written: bytes, pin: int) -> bytes:
    """What is written of some pins (two numbers of eight bytes each), one of them left out."""
    return written[: 16 * pin] + written[16 * (pin + 1) :]


@kernel
def hash_pins(pins: Any, other: int, hashes: Any) -> tuple[int, int]:
    """A hash of every pin; answers their exclusive or, which no order of them changes, and
    the pin without which it would be ``other``, or -1."""
    key = 0
    for index in range(len(hashes)):
        mixed = pins[2 * index] * 1_640_531_527 + pins[2 * index + 1] * 1_013_904_223
        hashes[index] = (mixed * 40_503) % PRIME
        key ^= hashes[index]
    for index in range(len(hashes)):
        if hashes[index] ^ key == other:
            return key, index
    return key, -1

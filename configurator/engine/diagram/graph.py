"""The part of a diagram that some pins leave, and a bounded memory of such parts.

A session only ever narrows: what its first choices closed need not be swept again. A part
keeps the order of nodes and edges, so every answer from it is the answer of the whole.
Knows nothing of totals; ``kernels`` has the layout.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from configurator.engine.diagram.jit import kernel

Int64 = npt.NDArray[np.int64]

REMEMBERED_EDGES = 8_000_000
"""Edges of all remembered parts together (about 10 bytes each)."""

REMEMBERED_PARTS = 2_000


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


class Parts:
    """Remembers what pins leave of a diagram; the parts least recently used go first.

    Parts are found by their pins, variables and values by turns in one array: exactly those
    pins, or those pins but one, which is what the next choice of a session asks for.
    """

    def __init__(self, whole: Graph) -> None:
        self.whole = whole
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, tuple[bytes, Graph]] = OrderedDict()
        self._holders: Counter[int] = Counter()
        self._edges = 0

    def nearest(self, pins: Int64) -> Graph:
        """The smallest remembered part that holds all configurations with the pins."""
        with self._lock:
            if not self._kept:
                return self.whole
            key, hashes = key_of(pins)
            written = pins.tobytes()
            found = self._look(key, written)
            if found is None:
                # Taking a pin away is another exclusive or with its hash.
                near = (hashes ^ key).tolist()
                several = (
                    self._look(other, _without(written, near.index(other)))
                    for other in filter(self._kept.__contains__, near)
                )
                known = [graph for graph in several if graph is not None]
                found = min(known, key=lambda graph: graph.edges, default=None)
            return found or self._look(0, b"") or self.whole

    def _look(self, key: int, written: bytes) -> Graph | None:
        known = self._kept.get(key)
        if known is None or known[0] != written:
            return None
        self._kept.move_to_end(key)
        return known[1]

    def keep(self, pins: Int64, graph: Graph) -> None:
        """Remember a part; where pins leave all of a remembered part, that one again."""
        if graph is not self.whole and graph.edges > REMEMBERED_EDGES // 2:
            return
        key, _ = key_of(pins)
        with self._lock:
            replaced = self._kept.pop(key, None)
            if replaced is not None:
                self._let_go(replaced[1])
            self._kept[key] = pins.tobytes(), graph
            self._take(graph)
            while self._edges > REMEMBERED_EDGES or len(self._kept) > REMEMBERED_PARTS:
                _, (_, forgotten) = self._kept.popitem(last=False)
                self._let_go(forgotten)

    def _take(self, graph: Graph) -> None:
        """A part that stands for several pins takes its room once."""
        self._holders[id(graph)] += 1
        if graph is not self.whole and self._holders[id(graph)] == 1:
            self._edges += graph.edges

    def _let_go(self, graph: Graph) -> None:
        self._holders[id(graph)] -= 1
        if not self._holders[id(graph)]:
            del self._holders[id(graph)]
            if graph is not self.whole:
                self._edges -= graph.edges


def _without(written: bytes, pin: int) -> bytes:
    """What is written of some pins (two numbers of eight bytes each), one of them left out."""
    return written[: 16 * pin] + written[16 * (pin + 1) :]


def key_of(pins: Int64) -> tuple[int, Int64]:
    """What parts are found by, the same for any order of the pins; and each pin's share."""
    hashes = np.empty(len(pins) // 2, dtype=np.int64)
    return _hash(pins, hashes), hashes


@kernel
def _hash(pins: Any, hashes: Any) -> int:
    """A hash of every pin; answers their exclusive or, which no order of them changes."""
    key = 0
    for index in range(len(hashes)):
        mixed = pins[2 * index] * 1_640_531_527 + pins[2 * index + 1] * 1_013_904_223
        hashes[index] = (mixed * 40_503) % 2_305_843_009_213_693_951
        key ^= hashes[index]
    return key

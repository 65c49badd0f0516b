"""The part of a diagram that some pins leave, and a bounded memory of such parts.

A session only ever narrows: what its first choices closed need not be swept again. A part
keeps the order of nodes and edges, so every answer from it is the answer of the whole.
Knows nothing of totals; ``kernels`` has the layout.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from configurator.engine.backend import Pins

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

    Parts are found by the set of their pins: exactly, or as those pins but one, which is
    what the next choice of a session asks for.
    """

    def __init__(self, whole: Graph) -> None:
        self.whole = whole
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, tuple[frozenset[tuple[int, int]], Graph]] = OrderedDict()
        self._edges = 0

    def nearest(self, pins: Pins) -> Graph:
        """The smallest remembered part that holds all configurations with the pins."""
        with self._lock:
            if not self._kept:
                return self.whole
            key = _key(pins)
            found = self._look(key, pins)
            if found is None:
                several = (self._look(key ^ hash(pin), pins) for pin in pins)
                known = [graph for graph in several if graph is not None]
                found = min(known, key=lambda graph: graph.edges, default=None)
            if found is None:
                found = self._look(0, pins)
            return self.whole if found is None else found

    def _look(self, key: int, pins: Pins) -> Graph | None:
        known = self._kept.get(key)
        if known is None or not known[0].issubset(pins):
            return None
        self._kept.move_to_end(key)
        return known[1]

    def keep(self, pins: Pins, graph: Graph) -> None:
        """Remember a part; where pins leave all of a remembered part, that one again."""
        edges = self._size(graph)
        if edges > REMEMBERED_EDGES // 2:
            return
        key = _key(pins)
        with self._lock:
            replaced = self._kept.pop(key, None)
            if replaced is not None:
                self._edges -= self._size(replaced[1])
            self._kept[key] = frozenset(pins), graph
            self._edges += edges
            while self._edges > REMEMBERED_EDGES or len(self._kept) > REMEMBERED_PARTS:
                _, (_, forgotten) = self._kept.popitem(last=False)
                self._edges -= self._size(forgotten)

    def _size(self, graph: Graph) -> int:
        return 0 if graph is self.whole else graph.edges


def _key(pins: Pins) -> int:
    """The same for the same set of pins; taking one away is another exclusive or."""
    key = 0
    for pin in pins:
        key ^= hash(pin)
    return key

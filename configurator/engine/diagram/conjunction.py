"""Conjoining automata, a batch at a time, into a diagram that is reduced after each.

The diagram starts with one node per block and no rule. A batch is multiplied in only
along the tree paths its automata span; equal nodes are then merged from there upwards, so
no product ever grows much beyond the reduced size. Nothing here knows where the automata
come from or how the result is stored.
"""

from __future__ import annotations

import heapq
import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from configurator.engine.diagram.automata import DEAD, Automaton
from configurator.engine.diagram.expansion import edges_to_try
from configurator.engine.diagram.merging import (
    distinct_keys,
    edges_of,
    merge_nodes,
    pack_columns,
    starts_of,
)
from configurator.engine.diagram.tree import Tree

Int64 = npt.NDArray[np.int64]
Int32 = npt.NDArray[np.int32]

SWEEP_EVERY = 10
"""Batches between two removals of nodes that are no longer reached."""


class LevelTooWideError(Exception):
    """A product at ``block`` grew beyond its budget, or the time ran out there."""

    def __init__(self, block: int, *, late: bool = False) -> None:
        super().__init__(block)
        self.block = block
        self.late = late


class EmptyDiagramError(Exception):
    """No configuration is left."""


@dataclass(slots=True)
class Level:
    """The nodes of one block: edges ``start[x] .. start[x + 1] - 1`` in order of value;
    ``child`` has one column per child block, ``weight`` an additional charge per edge."""

    start: Int64
    value: Int32
    child: Int32
    weight: Int64 | None = None

    @property
    def nodes(self) -> int:
        """How many nodes it has."""
        return len(self.start) - 1


@dataclass(frozen=True, slots=True)
class Limits:
    """What one compilation may use. ``deadline`` is in the time of ``time.monotonic``."""

    nodes: int
    edges: int
    deadline: float


class GrowingDiagram:
    """The reduced diagram of the automata conjoined so far."""

    def __init__(self, tree: Tree, values: list[Int32], limits: Limits) -> None:
        """``values[b]`` are the values that block ``b`` may take at all."""
        self.tree = tree
        self.limits = limits
        self.place = [0] * len(values)
        for children in tree.children:
            for column, child in enumerate(children):
                self.place[child] = column
        self.levels = [
            Level(
                np.array([0, len(taken)], dtype=np.int64),
                taken,
                np.zeros((len(taken), len(tree.children[block])), dtype=np.int32),
            )
            for block, taken in enumerate(values)
        ]
        self._unswept: set[int] = set()
        self._batches = 0
        self.nodes = len(values)
        if any(len(taken) == 0 for taken in values):
            raise EmptyDiagramError

    @property
    def edges(self) -> int:
        """All edges together."""
        return sum(len(level.value) for level in self.levels)

    def conjoin(self, batch: list[Automaton]) -> None:
        """Leave only the configurations that every automaton of ``batch`` accepts.

        Raises ``LevelTooWideError`` and leaves the diagram as it was, or
        ``EmptyDiagramError``.
        """
        fresh, order = self._product(batch)
        for block, level in fresh.items():
            self.nodes += level.nodes - self.levels[block].nodes
            self.levels[block] = level
        self._reduce(order)
        self._unswept.update(order)
        self._batches += 1
        if self._batches % SWEEP_EVERY == 0:
            self.drop_unreached()
        if self.nodes > self.limits.nodes:
            self.drop_unreached()
            if self.nodes > self.limits.nodes:
                raise LevelTooWideError(max(order, key=lambda b: self.levels[b].nodes))

    def _product(self, batch: list[Automaton]) -> tuple[dict[int, Level], list[int]]:
        tree = self.tree
        reads: dict[int, list[tuple[int, int]]] = {}
        alive: dict[int, list[int]] = {}
        region: set[int] = set()
        for number, automaton in enumerate(batch):
            for depth, block in enumerate(automaton.blocks):
                reads.setdefault(block, []).append((number, depth))
            block, top = automaton.blocks[-1], automaton.blocks[0]
            while block != top:
                region.add(block)
                alive.setdefault(block, []).append(number)
                block = tree.parent[block]
            region.add(top)
        order = sorted(region, key=lambda block: int(tree.rank[block]))
        entered: dict[int, tuple[Int64, dict[int, Int64]]] = {}
        fresh: dict[int, Level] = {}
        for block in order:
            if time.monotonic() > self.limits.deadline:
                raise LevelTooWideError(block, late=True)
            old = self.levels[block]
            if block in entered:
                nodes, states = entered.pop(block)
            else:
                nodes, states = np.arange(old.nodes, dtype=np.int64), {}
            readers = [
                (
                    batch[number].layers[depth],
                    states[number] if number in states else np.zeros(len(nodes), dtype=np.int64),
                )
                for number, depth in reads.get(block, ())
            ]
            tried = edges_to_try(old.start, old.value, nodes, readers, self.limits.edges)
            if tried is None:
                raise LevelTooWideError(block)
            row, edge = tried
            value = old.value[edge]
            weight = None if old.weight is None else old.weight[edge]
            ok = np.ones(len(edge), dtype=bool)
            reached: dict[int, Int64] = {}
            for (number, _), (layer, state_of) in zip(reads.get(block, ()), readers, strict=True):
                symbol, state = layer.code[value], state_of[row]
                reached[number] = layer.step(state, symbol)
                ok &= reached[number] != DEAD
                charged = layer.weight_of(state, symbol)
                if charged is not None and charged.any():
                    weight = charged if weight is None else weight + charged
            kept = np.flatnonzero(ok)
            row, edge, value = row[kept], edge[kept], value[kept]
            child = old.child[edge]
            for column, below in enumerate(tree.children[block]):
                if below not in region:
                    continue
                columns: list[Int64] = [child[:, column].astype(np.int64)]
                sizes = [self.levels[below].nodes]
                carried = alive.get(below, [])
                for number in carried:
                    if number in reached:
                        columns.append(reached[number][kept] + 2)
                    else:
                        columns.append(states[number][row] + 2)
                    sizes.append(batch[number].widest + 2)
                first, inverse = distinct_keys(pack_columns(columns, sizes))
                entered[below] = (
                    columns[0][first],
                    {number: columns[1 + index][first] - 2 for index, number in enumerate(carried)},
                )
                child[:, column] = inverse
            fresh[block] = Level(
                starts_of(row, len(nodes)),
                value,
                child,
                None if weight is None else weight[kept],
            )
        return fresh, order

    def _reduce(self, changed: list[int]) -> None:
        """Merge equal nodes and drop dead ones, from the changed levels to the roots."""
        rank = self.tree.rank
        heap = [(-int(rank[block]), block) for block in changed]
        heapq.heapify(heap)
        waiting = set(changed)
        renamed: dict[int, Int64] = {}
        while heap:
            _, block = heapq.heappop(heap)
            number = self._merge_level(block, renamed)
            if number is None:
                continue
            if self.levels[block].nodes == 0:
                raise EmptyDiagramError
            renamed[block] = number
            self._unswept.add(block)
            above = self.tree.parent[block]
            if above >= 0 and above not in waiting:
                waiting.add(above)
                heapq.heappush(heap, (-int(rank[above]), above))

    def _merge_level(self, block: int, renamed: dict[int, Int64]) -> Int64 | None:
        """The new number of every node (-1 where it died), or ``None`` if none changed."""
        level = self.levels[block]
        child, start, value, weight = level.child, level.start, level.value, level.weight
        ok: npt.NDArray[np.bool_] | None = None
        for column, below in enumerate(self.tree.children[block]):
            if below in renamed:
                child[:, column] = renamed[below][child[:, column]]
                living = child[:, column] >= 0
                ok = living if ok is None else ok & living
        if ok is not None and not ok.all():
            row = np.repeat(np.arange(level.nodes), np.diff(start))[ok]
            child, value = child[ok], value[ok]
            weight = None if weight is None else weight[ok]
            start = starts_of(row, level.nodes)
            self.levels[block] = Level(start, value, child, weight)
        first, number = merge_nodes(start, value, child, weight)
        if len(first) == level.nodes:
            return None
        self._keep(block, first)
        return number

    def _keep(self, block: int, nodes: Int64) -> None:
        level = self.levels[block]
        row, edge = edges_of(level.start, nodes)
        self.nodes += len(nodes) - level.nodes
        self.levels[block] = Level(
            starts_of(row, len(nodes)),
            level.value[edge],
            np.ascontiguousarray(level.child[edge]),
            None if level.weight is None else level.weight[edge],
        )

    def drop_unreached(self) -> None:
        """Remove the nodes that no root leads to any more."""
        rank = self.tree.rank
        heap = [(int(rank[block]), block) for block in self._unswept]
        heapq.heapify(heap)
        while heap:
            _, block = heapq.heappop(heap)
            if block not in self._unswept:
                continue
            self._unswept.discard(block)
            level = self.levels[block]
            for column, below in enumerate(self.tree.children[block]):
                reached = np.zeros(self.levels[below].nodes, dtype=bool)
                reached[level.child[:, column]] = True
                if reached.all():
                    continue
                number = np.cumsum(reached) - 1
                level.child[:, column] = number[level.child[:, column]]
                self._keep(below, np.flatnonzero(reached))
                self._unswept.add(below)
                heapq.heappush(heap, (int(rank[below]), below))

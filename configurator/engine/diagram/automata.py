"""Relations as small layered automata that read their blocks from the root downwards.

A layer reads the symbol of one block: ``DEAD`` is a broken rule, ``DONE`` a rule that
nothing below can break any more, any other number a state of the next layer. Nothing
here knows how automata are conjoined.

Sums use intervals: two partial sums lead to the same state when no completion can tell
them apart (Abío and Stuckey 2014; Abío, Nieuwenhuis, Oliveras and others 2012).
Charges are normalised as in edge-valued diagrams: the least of what is still to come is
charged as early as possible (Lai, Pedram and Vrudhula 1994; Wilson 2005).
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from configurator.engine.diagram.merging import merge_nodes, starts_of
from configurator.engine.diagram.relations import Bounded, Relation, Rows, SomeOf

Int64 = npt.NDArray[np.int64]
Int32 = npt.NDArray[np.int32]

DEAD = -1
DONE = -2

DENSE_LIMIT = 1 << 22

WIDEST_SUM = 100_000
"""A sum of more states is refused; building it alone would take long."""


class AutomatonTooWideError(Exception):
    """An automaton grew beyond the number of states it was allowed."""


@dataclass(frozen=True, slots=True)
class Layer:
    """The steps from one layer to the next.

    ``next[state, symbol]`` where the table is small enough; else the steps that are not
    dead are listed under sorted ``keys`` (``state * symbols + symbol``). ``weight`` goes
    with ``next`` and is only there for charges.
    """

    code: Int64
    symbols: int
    states: int
    next: Int32
    keys: Int64 | None = None
    weight: Int64 | None = None

    def step(self, state: Int64, symbol: Int64) -> Int64:
        """Where each pair leads; a state that is ``DONE`` stays so."""
        done = state < 0
        where = np.where(done, 0, state)
        if self.keys is None:
            found = self.next[where, symbol].astype(np.int64)
        else:
            key = where * self.symbols + symbol
            place = np.minimum(np.searchsorted(self.keys, key), len(self.keys) - 1)
            found = np.where(self.keys[place] == key, self.next[place], DEAD)
        return np.where(done, DONE, found).astype(np.int64)

    def weight_of(self, state: Int64, symbol: Int64) -> Int64 | None:
        """What each pair charges, or ``None`` if this is no charge."""
        if self.weight is None:
            return None
        charged = self.weight[np.where(state < 0, 0, state), symbol]
        return np.where(state < 0, 0, charged).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Automaton:
    """One layer per block, in the order of the tree."""

    blocks: tuple[int, ...]
    layers: tuple[Layer, ...]
    owner: int

    @property
    def states(self) -> int:
        """All states together."""
        return sum(layer.states for layer in self.layers)

    @property
    def widest(self) -> int:
        """The states of the widest layer."""
        return max(layer.states for layer in self.layers)


def automaton_of(relation: Relation, rank: Int64, *, max_states: int) -> Automaton:
    """Build the automaton that reads the relation's blocks by ascending ``rank``."""
    order = sorted(range(len(relation.scope)), key=lambda k: int(rank[relation.scope[k]]))
    blocks = tuple(relation.scope[k] for k in order)
    codes = tuple(relation.codes[k] for k in order)
    symbols = tuple(relation.symbols[k] for k in order)
    body = relation.body
    if isinstance(body, SomeOf):
        layers = _some_of(codes)
    elif isinstance(body, Rows):
        layers = _rows(codes, symbols, body.rows[:, order])
    elif isinstance(body, Bounded):
        weights = tuple(body.weights[k] for k in order)
        most = min(max_states, WIDEST_SUM)
        layers = _bounded(codes, weights, body.low, body.high, most)
    else:
        layers = _charge(codes, symbols, np.transpose(body.table, order))
    automaton = Automaton(blocks, layers, relation.owner)
    if automaton.states > max_states:
        raise AutomatonTooWideError
    return automaton


def _some_of(codes: tuple[Int64, ...]) -> tuple[Layer, ...]:
    last = len(codes) - 1
    return tuple(
        Layer(code, 2, 1, np.array([[DEAD if depth == last else 0, DONE]], dtype=np.int32))
        for depth, code in enumerate(codes)
    )


def _layer_of_steps(code: Int64, symbols: int, start: Int64, symbol: Int32, target: Int32) -> Layer:
    states = len(start) - 1
    if states == 0:
        return Layer(code, symbols, 1, np.full((1, symbols), DEAD, dtype=np.int32))
    row = np.repeat(np.arange(states, dtype=np.int64), np.diff(start))
    if states * symbols <= DENSE_LIMIT:
        table = np.full((states, symbols), DEAD, dtype=np.int32)
        table[row, symbol] = target
        return Layer(code, symbols, states, table)
    return Layer(code, symbols, states, target, keys=row * symbols + symbol)


def _rows(codes: tuple[Int64, ...], symbols: tuple[int, ...], rows: Int64) -> tuple[Layer, ...]:
    rows = rows[np.lexsort(rows.T[::-1])]
    depth = len(codes)
    prefixes: list[Int64] = [np.zeros(len(rows), dtype=np.int64)]
    for column in range(depth):
        before = prefixes[-1]
        fresh = np.ones(len(rows), dtype=bool)
        fresh[1:] = (before[1:] != before[:-1]) | (rows[1:, column] != rows[:-1, column])
        prefixes.append(np.cumsum(fresh) - 1)
    layers: list[Layer] = []
    below = np.full(len(rows), DONE, dtype=np.int64)
    for column in reversed(range(depth)):
        _, first = np.unique(prefixes[column + 1], return_index=True)
        parent = prefixes[column][first]
        symbol = rows[first, column].astype(np.int32)
        start = starts_of(parent, int(parent[-1]) + 1)
        chosen, number = merge_nodes(start, symbol, below.astype(np.int32)[:, None])
        counts = np.diff(start)
        total = np.zeros(len(counts), dtype=np.int64)
        np.add.at(total, parent, (below == DONE).astype(np.int64))
        always = (total == symbols[column])[chosen]
        renumber = np.where(always, DONE, np.cumsum(~always) - 1)
        kept = chosen[~always]
        edge_counts = counts[kept]
        begins = np.cumsum(edge_counts) - edge_counts
        edge = np.arange(int(edge_counts.sum())) + np.repeat(start[kept] - begins, edge_counts)
        layers.append(
            _layer_of_steps(
                codes[column],
                symbols[column],
                np.concatenate(([0], np.cumsum(edge_counts))).astype(np.int64),
                symbol[edge],
                below[edge].astype(np.int32),
            )
        )
        below = renumber[number]
    return tuple(reversed(layers))


@dataclass(slots=True)
class _Intervals:
    """The states of one layer of a sum, each with the partial sums that lead to it."""

    lows: list[float]
    highs: list[float]
    state: list[int]

    def find(self, partial: int) -> tuple[float, float, int] | None:
        place = bisect_right(self.lows, partial) - 1
        if place < 0 or self.highs[place] < partial:
            return None
        return self.lows[place], self.highs[place], self.state[place]

    def add(self, low: float, high: float, state: int) -> None:
        place = bisect_right(self.lows, low)
        self.lows.insert(place, low)
        self.highs.insert(place, high)
        self.state.insert(place, state)


def _bounded(
    codes: tuple[Int64, ...],
    weights: tuple[tuple[int, ...], ...],
    low: int | None,
    high: int | None,
    max_states: int,
) -> tuple[Layer, ...]:
    depth = len(weights)
    bottom = -float("inf") if low is None else low
    top = float("inf") if high is None else high
    least = [0] * (depth + 1)
    most = [0] * (depth + 1)
    for index in reversed(range(depth)):
        least[index] = least[index + 1] + min(weights[index])
        most[index] = most[index + 1] + max(weights[index])
    known = [_Intervals([], [], []) for _ in range(depth)]
    rows: list[list[list[int]]] = [[] for _ in range(depth)]

    def settled(index: int, partial: int) -> tuple[float, float, int] | None:
        if partial + most[index] < bottom:
            return -float("inf"), bottom - most[index] - 1, DEAD
        if partial + least[index] > top:
            return top - least[index] + 1, float("inf"), DEAD
        if partial + least[index] >= bottom and partial + most[index] <= top:
            return bottom - least[index], top - most[index], DONE
        return known[index].find(partial)

    states = 0
    stack = [(0, 0)]
    while stack:
        index, partial = stack[-1]
        if settled(index, partial) is not None:
            stack.pop()
            continue
        reached = [settled(index + 1, partial + weight) for weight in weights[index]]
        missing = [
            (index + 1, partial + weight)
            for weight, found in zip(weights[index], reached, strict=True)
            if found is None
        ]
        if missing:
            stack.extend(reversed(missing))
            continue
        stack.pop()
        interval_low, interval_high = -float("inf"), float("inf")
        row: list[int] = []
        for weight, found in zip(weights[index], reached, strict=True):
            assert found is not None
            interval_low = max(interval_low, found[0] - weight)
            interval_high = min(interval_high, found[1] - weight)
            row.append(found[2])
        known[index].add(interval_low, interval_high, len(rows[index]))
        rows[index].append(row)
        states += 1
        if states > max_states:
            raise AutomatonTooWideError
    layers = []
    for index in range(depth):
        table = np.array(rows[index] or [[DEAD] * len(weights[index])], dtype=np.int32)
        layers.append(Layer(codes[index], len(weights[index]), len(table), table))
    return tuple(layers)


def _charge(codes: tuple[Int64, ...], symbols: tuple[int, ...], table: Int64) -> tuple[Layer, ...]:
    depth = len(symbols)
    matrix = table.reshape(-1, symbols[-1])
    following = np.full(matrix.shape, DONE, dtype=np.int64)
    layers: list[Layer] = []
    for index in reversed(range(depth)):
        least = matrix.min(axis=1)
        weight = matrix - least[:, None]
        both = np.concatenate((following, weight), axis=1)
        _, first, number = np.unique(both, axis=0, return_index=True, return_inverse=True)
        free = ((following[first] == DONE) & (weight[first] == 0)).all(axis=1)
        renumber = np.where(free, DONE, np.cumsum(~free) - 1)
        kept = first[~free] if index or not free.all() else first
        layers.append(
            Layer(
                codes[index],
                symbols[index],
                len(kept),
                following[kept].astype(np.int32),
                weight=weight[kept],
            )
        )
        if index:
            following = renumber[number.reshape(-1)].reshape(-1, symbols[index - 1])
            matrix = least.reshape(-1, symbols[index - 1])
    return tuple(reversed(layers))

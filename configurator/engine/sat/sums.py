"""Bounded sums as decision diagrams and as adders, before any solver is involved.

The diagram follows Abío, Nieuwenhuis, Oliveras and Rodríguez-Carbonell, "A New Look at
BDDs for Pseudo-Boolean Constraints" (JAIR 2012), for variables of more than two values:
equal rest-problems are one node. Where it would be too wide, binary adders take its
place (Eén and Sörensson, "Translating Pseudo-Boolean Constraints into SAT", JSAT 2006).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

DEAD, DONE = -1, -2
"""Targets of an edge: the bound is broken, or can no longer be broken."""

Level = list[tuple[int, ...]]
"""The nodes of one variable; each lists the target of every value."""


def sum_diagram(
    weights: Sequence[Sequence[int]], low: int | None, high: int | None, budget: int
) -> list[Level] | None:
    """Levels of the merged diagram, root at level 0, node 0; ``None`` beyond ``budget``
    edges. An empty list says that the sum always fits; a level whose root is all DEAD,
    that it never does."""
    least, most = [0], [0]
    for row in reversed(weights):
        least.append(least[-1] + min(row))
        most.append(most[-1] + max(row))
    least.reverse()
    most.reverse()

    def settled(total: int, rest: int) -> int | None:
        if high is not None and total + least[rest] > high:
            return DEAD
        if low is not None and total + most[rest] < low:
            return DEAD
        fits_high = high is None or total + most[rest] <= high
        fits_low = low is None or total + least[rest] >= low
        return DONE if fits_high and fits_low else None

    root = settled(0, 0)
    if root is not None:
        return [] if root == DONE else [[(DEAD,) * len(weights[0])]]
    layers: list[dict[int, int]] = [{0: 0}]
    rows: list[list[tuple[int, ...]]] = []
    edges = 0
    for position, row in enumerate(weights):
        following: dict[int, int] = {}
        level: list[tuple[int, ...]] = []
        for total in layers[-1]:
            targets: list[int] = []
            for weight in row:
                target = settled(total + weight, position + 1)
                if target is None:
                    target = following.setdefault(total + weight, len(following))
                targets.append(target)
            level.append(tuple(targets))
        edges += len(level) * len(row)
        if edges > budget:
            return None
        rows.append(level)
        layers.append(following)
    return merged(rows)


def merged(rows: list[list[tuple[int, ...]]]) -> list[Level]:
    """Merge equal nodes from the last level up; a node all of whose edges agree on DEAD
    or DONE disappears into that target."""
    below: list[int] = []
    levels: list[Level] = []
    for level in reversed(rows):
        nodes: dict[tuple[int, ...], int] = {}
        names: list[int] = []
        for targets in level:
            renamed = tuple(t if t < 0 else below[t] for t in targets)
            if len(set(renamed)) == 1 and renamed[0] < 0:
                names.append(renamed[0])
            else:
                names.append(nodes.setdefault(renamed, len(nodes)))
        below = names
        levels.append(list(nodes))
    levels.reverse()
    if below and below[0] == DONE:
        return []
    if below and below[0] == DEAD:
        return [[(DEAD,)]]
    return levels


@dataclass(frozen=True, slots=True)
class Edges:
    """The edges of one level of a merged table: ``source`` node, value, ``target`` node of
    the next level or ``DONE``."""

    nodes: int
    source: npt.NDArray[np.int64]
    value: npt.NDArray[np.int64]
    target: npt.NDArray[np.int64]


def table_diagram(sizes: Sequence[int], rows: npt.NDArray[np.int64]) -> list[Edges]:
    """The merged diagram of sorted, distinct tuples, root at level 0; nodes below which
    everything is allowed are ``DONE``. Levels nothing leads to are empty."""
    depth = len(sizes)
    prefixes = [np.zeros(len(rows), dtype=np.int64)]
    for column in range(depth):
        fresh = np.ones(len(rows), dtype=bool)
        fresh[1:] = (np.diff(prefixes[-1]) != 0) | (np.diff(rows[:, column]) != 0)
        prefixes.append(np.cumsum(fresh) - 1)
    below = np.full(len(rows), DONE, dtype=np.int64)
    levels: list[Edges] = []
    for column in reversed(range(depth)):
        first = np.flatnonzero(np.diff(prefixes[column + 1], prepend=-1))
        value = rows[first, column]
        edges = np.stack([value, below], axis=1)
        begins = np.flatnonzero(np.diff(prefixes[column][first], prepend=-1)).tolist()
        begins.append(len(first))
        free = ((np.diff(begins) == sizes[column]) & _all_done(below, begins)).tolist()
        nodes: dict[bytes, int] = {}
        kept: list[int] = []
        names: list[int] = []
        for place, start in enumerate(begins[:-1]):
            if free[place]:
                names.append(DONE)
                continue
            key = edges[start : begins[place + 1]].tobytes()
            if key not in nodes:
                nodes[key] = len(kept)
                kept.append(place)
            names.append(nodes[key])
        counts = np.diff(begins)[kept]
        source = np.repeat(np.arange(len(kept)), counts)
        edge = np.arange(len(source)) + np.repeat(
            np.asarray(begins, dtype=np.int64)[kept] - np.cumsum(counts) + counts, counts
        )
        levels.append(Edges(len(kept), source, value[edge], below[edge]))
        below = np.asarray(names, dtype=np.int64)
    return levels[::-1]


def _all_done(below: npt.NDArray[np.int64], begins: list[int]) -> npt.NDArray[np.bool_]:
    return np.logical_and.reduceat(below == DONE, begins[:-1])

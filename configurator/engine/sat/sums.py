"""Bounded sums as decision diagrams and as adders, before any solver is involved.

The diagram follows Abío, Nieuwenhuis, Oliveras and Rodríguez-Carbonell, "A New Look at
BDDs for Pseudo-Boolean Constraints" (JAIR 2012), for variables of more than two values:
equal rest-problems are one node. Where it would be too wide, binary adders take its
place (Eén and Sörensson, "Translating Pseudo-Boolean Constraints into SAT", JSAT 2006).
"""

from __future__ import annotations

from collections.abc import Sequence

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


def table_diagram(
    sizes: Sequence[int], tuples: Sequence[tuple[int, ...]]
) -> list[list[tuple[int, ...]]]:
    """Unmerged levels of a trie over sorted tuples, for ``merged``."""
    rows: list[list[tuple[int, ...]]] = []
    groups: list[Sequence[tuple[int, ...]]] = [tuples]
    for position, size in enumerate(sizes):
        level: list[tuple[int, ...]] = []
        following: list[Sequence[tuple[int, ...]]] = []
        seen: dict[tuple[tuple[int, ...], ...], int] = {}
        last = position == len(sizes) - 1
        for group in groups:
            by_value: dict[int, list[tuple[int, ...]]] = {}
            for row in group:
                by_value.setdefault(row[position], []).append(row)
            targets: list[int] = []
            for value in range(size):
                rest = by_value.get(value)
                if rest is None:
                    targets.append(DEAD)
                elif last:
                    targets.append(DONE)
                else:
                    tail = tuple(row[position + 1 :] for row in rest)
                    if tail not in seen:
                        seen[tail] = len(following)
                        following.append(rest)
                    targets.append(seen[tail])
            level.append(tuple(targets))
        rows.append(level)
        groups = following
    return rows

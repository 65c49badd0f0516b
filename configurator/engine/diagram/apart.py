"""The largest of a diagram's independent parts, and the rest of it.

The roots of a diagram share no rule, so a pin in one part leaves the count of the others
as it was. Mostly one part is far larger than all others together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from configurator.engine.diagram.frozen import FrozenDiagram, blocks_of_slots
from configurator.engine.diagram.graph import Graph
from configurator.engine.diagram.jit import kernel
from configurator.engine.diagram.kernels import INFINITE, LIMIT

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Apart:
    """``root``: the place among the roots of the largest part; ``variables``: those that
    stand in it; ``rest``: the other parts, if any."""

    root: int
    variables: frozenset[int]
    rest: Graph


@dataclass(slots=True)
class _Cut:
    """As if a sweep had found nothing alive but some nodes."""

    up: Int64
    down: Int64
    slot_cost: Int64
    state_lowest: Int64


def apart(diagram: FrozenDiagram, whole: Graph, part: Callable[[Graph, int, _Cut], Graph]) -> Apart:
    """Find the largest part of ``whole``; ``part`` makes a graph of what a sweep left."""
    above = np.empty(whole.nodes, dtype=np.int64)
    edges = np.zeros(len(whole.roots), dtype=np.int64)
    in_slots = np.full(len(diagram.slot_class), -1, dtype=np.int64)
    roots_above(*whole.parts(), whole.roots, above, edges, in_slots)
    largest = int(edges.argmax())
    blocks = np.zeros(len(diagram.block_start) - 1, dtype=bool)
    blocks[blocks_of_slots(diagram)[in_slots == largest]] = True
    others = [root for index, root in enumerate(whole.roots) if index != largest]
    dead = np.where(above == largest, INFINITE, 0)
    alive = _Cut(
        dead,
        dead,
        np.zeros(len(diagram.slot_class), dtype=np.int64),
        np.zeros(len(diagram.class_of), dtype=np.int64),
    )
    beside = replace(whole, roots=np.array(others, dtype=whole.roots.dtype))
    rest = part(beside, LIMIT - 1, alive)
    return Apart(largest, frozenset(np.flatnonzero(blocks[diagram.block]).tolist()), rest)


@kernel
def roots_above(
    start: Any,
    conjunction: Any,
    slot: Any,
    target: Any,
    roots: Any,
    above: Any,
    edges: Any,
    in_slots: Any,
) -> None:
    """``above[x]``: under which root, by its place, node ``x`` stands (-1: TRUE, which
    stands under all); ``edges``: how many there are under each; ``in_slots``: under
    which root each slot stands."""
    for node in range(len(above)):
        above[node] = -1
    for index in range(len(roots)):
        above[roots[index]] = index
    above[0] = -1
    for node in range(len(above) - 1, 0, -1):
        home = above[node]
        if home < 0:
            continue
        for edge in range(start[node], start[node + 1]):
            edges[home] += 1
            if target[edge] > 0:
                above[target[edge]] = home
            if not conjunction[node]:
                in_slots[slot[edge]] = home

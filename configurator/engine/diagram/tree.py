"""Elimination orders and the pseudo-tree they give.

In a pseudo-tree every two blocks of one relation lie on one path from a root, so parts
that share no relation below a node become independent there (Freuder and Quinn 1985;
Mateescu, Dechter and Marinescu 2008). Estimated widths say little about the diagram's real
size, so several orders are tried and the smallest result kept. Nothing here knows rules.
"""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]

HUB = 150
"""Above this degree the fill of a block is not computed; its degree stands for it."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A pseudo-forest. ``order`` lists parents before children; ``rank`` is the position
    in it; ``children`` are sorted by block."""

    parent: tuple[int, ...]
    children: tuple[tuple[int, ...], ...]
    order: tuple[int, ...]
    rank: Int64


def _adjacency(count: int, scopes: list[tuple[int, ...]]) -> list[int]:
    """One bit mask of neighbours per block."""
    adjacent = [0] * count
    for scope in scopes:
        mask = 0
        for block in scope:
            mask |= 1 << block
        for block in scope:
            adjacent[block] |= mask
    return [mask & ~(1 << block) for block, mask in enumerate(adjacent)]


def _bits(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


class _Eliminator:
    """The graph while blocks are taken out of it, with weights of 1 to 8 for sizes."""

    def __init__(self, sizes: tuple[int, ...], scopes: list[tuple[int, ...]]) -> None:
        self.adjacent = _adjacency(len(sizes), scopes)
        self.weight = [min(8, max(1, math.ceil(math.log2(max(2, size))))) for size in sizes]
        masks: dict[int, int] = {}
        for block, weight in enumerate(self.weight):
            masks[weight] = masks.get(weight, 0) | 1 << block
        self.heavy = sorted(masks.items())

    def _heft(self, mask: int) -> int:
        return sum(weight * (mask & blocks).bit_count() for weight, blocks in self.heavy)

    def degree(self, block: int) -> tuple[int, int]:
        return self._heft(self.adjacent[block]) + self.weight[block], 0

    def fill(self, block: int) -> tuple[int, int]:
        around = self.adjacent[block]
        degree = self.degree(block)[0]
        if around.bit_count() > HUB:
            return 1 << 40 | degree, degree
        missing = sum(
            self.weight[other] * self._heft(around & ~self.adjacent[other] & ~(1 << other))
            for other in _bits(around)
        )
        return missing, degree

    def remove(self, block: int) -> int:
        """Join the neighbours; answers whose score has to be found again at once.

        Scores of hubs only fall by their degree; they are found again when it is their
        turn.
        """
        around = self.adjacent[block]
        touched = 0
        for other in _bits(around):
            joined = (self.adjacent[other] | around) & ~(1 << other | 1 << block)
            self.adjacent[other] = joined
            if joined.bit_count() <= HUB:
                touched |= 1 << other
        if around.bit_count() <= HUB:
            for other in _bits(touched):
                touched |= self.adjacent[other]
        return touched


def elimination_order(
    sizes: tuple[int, ...],
    scopes: list[tuple[int, ...]],
    attempt: int,
    deadline: float = math.inf,
) -> list[int]:
    """Blocks from the leaves upwards: attempt 0 by least fill, 1 by least degree, later
    ones by least fill with seeded noise. The same input gives the same order. Raises
    ``TimeoutError`` when ``time.monotonic`` passes ``deadline``."""
    order: list[int] = []
    for blocks, inside in _components(len(sizes), scopes):
        place = {block: index for index, block in enumerate(blocks)}
        local = [tuple(place[block] for block in scope) for scope in inside]
        found = _eliminated(tuple(sizes[block] for block in blocks), local, attempt, deadline)
        order.extend(blocks[index] for index in found)
    return order


def _components(
    count: int, scopes: list[tuple[int, ...]]
) -> list[tuple[list[int], list[tuple[int, ...]]]]:
    """Blocks that hang together by scopes, with those scopes; by their least block."""
    above = list(range(count))

    def top(block: int) -> int:
        while above[block] != block:
            above[block] = above[above[block]]
            block = above[block]
        return block

    for scope in scopes:
        for other in scope[1:]:
            first, second = sorted((top(scope[0]), top(other)))
            above[second] = first
    found: dict[int, tuple[list[int], list[tuple[int, ...]]]] = {}
    for block in range(count):
        found.setdefault(top(block), ([], []))[0].append(block)
    for scope in scopes:
        if scope:
            found[top(scope[0])][1].append(scope)
    return list(found.values())


def _eliminated(
    sizes: tuple[int, ...], scopes: list[tuple[int, ...]], attempt: int, deadline: float
) -> list[int]:
    graph = _Eliminator(sizes, scopes)
    noise = Random(attempt) if attempt > 1 else None
    base: Callable[[int], tuple[int, int]] = graph.degree if attempt == 1 else graph.fill

    def score(block: int) -> tuple[float, int]:
        first, second = base(block)
        if noise is None:
            return first, second
        return first * noise.uniform(0.7, 1.3) + noise.random(), second

    current = [score(block) for block in range(len(sizes))]
    heap = [(current[block], block) for block in range(len(sizes))]
    heapq.heapify(heap)
    left = [True] * len(sizes)
    order: list[int] = []
    while heap:
        found, block = heapq.heappop(heap)
        if not left[block] or found != current[block]:
            continue
        if time.monotonic() > deadline:
            raise TimeoutError
        if graph.adjacent[block].bit_count() > HUB:
            fresh = score(block)
            if fresh < found:
                current[block] = fresh
                heapq.heappush(heap, (fresh, block))
                continue
        left[block] = False
        order.append(block)
        for other in _bits(graph.remove(block)):
            if left[other]:
                current[other] = score(other)
                heapq.heappush(heap, (current[other], other))
    return order


def pseudo_tree(count: int, scopes: list[tuple[int, ...]], elimination: list[int]) -> Tree:
    """The tree of an elimination order: a block hangs below the first later neighbour."""
    position = [0] * count
    for index, block in enumerate(elimination):
        position[block] = index
    later: list[set[int]] = [set() for _ in range(count)]
    for scope in scopes:
        ordered = sorted(set(scope), key=lambda block: position[block])
        if len(ordered) > 1:
            later[ordered[0]].update(ordered[1:])
    parent = [-1] * count
    for block in elimination:
        if later[block]:
            above = min(later[block], key=lambda other: position[other])
            parent[block] = above
            later[above].update(later[block])
            later[above].discard(above)
            later[block] = set()
    children: list[list[int]] = [[] for _ in range(count)]
    for block in range(count):
        if parent[block] >= 0:
            children[parent[block]].append(block)
    order = tuple(reversed(elimination))
    rank = np.zeros(count, dtype=np.int64)
    rank[np.array(order, dtype=np.int64)] = np.arange(count)
    return Tree(tuple(parent), tuple(tuple(kids) for kids in children), order, rank)

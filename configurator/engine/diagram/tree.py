"""Elimination orders and the pseudo-tree they give.

In a pseudo-tree every two blocks of one relation lie on one path from a root, so parts
that share no relation below a node become independent there (Freuder and Quinn 1985;
Mateescu, Dechter and Marinescu 2008). Estimated widths say little about the diagram's real
size, so several orders are tried and varied, and the smallest result kept. Nothing here knows
rules.
"""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]

HUB = 150
"""Above this degree the fill of a block is not computed; its degree stands for it."""


NOISE = 0.2
"""How far the factors of an ordering spread: the standard deviation of their logarithm."""

VARIED = 0.05
"""The share of factors that are drawn again to vary an ordering."""


@dataclass(frozen=True, slots=True)
class Ordering:
    """How an elimination order is found: the block of least fill comes next, or of least
    degree, where each block's counts times a factor of its own."""

    by_degree: bool
    factors: tuple[float, ...]

    @classmethod
    def drawn(cls, blocks: int, attempt: int) -> Ordering:
        """Attempt 0 is by fill, 1 by degree, later ones by fill with seeded factors."""
        if attempt < 2:
            return cls(attempt == 1, (1.0,) * blocks)
        draw = Random(attempt)
        return cls(False, tuple(draw.lognormvariate(0.0, NOISE) for _ in range(blocks)))

    def varied(self, seed: int) -> Ordering:
        """The same with a few other factors."""
        draw = Random(seed)
        factors = tuple(
            draw.lognormvariate(0.0, NOISE) if draw.random() < VARIED else factor
            for factor in self.factors
        )
        return replace(self, factors=factors)


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
    ordering: Ordering,
    deadline: float = math.inf,
) -> list[int]:
    """Blocks from the leaves upwards. The same input gives the same order. Raises
    ``TimeoutError`` when ``time.monotonic`` passes ``deadline``."""
    order: list[int] = []
    for blocks, inside in _components(len(sizes), scopes):
        place = {block: index for index, block in enumerate(blocks)}
        local = [tuple(place[block] for block in scope) for scope in inside]
        here = replace(ordering, factors=tuple(ordering.factors[block] for block in blocks))
        found = _eliminated(tuple(sizes[block] for block in blocks), local, here, deadline)
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
    sizes: tuple[int, ...], scopes: list[tuple[int, ...]], ordering: Ordering, deadline: float
) -> list[int]:
    graph = _Eliminator(sizes, scopes)
    base: Callable[[int], tuple[int, int]] = graph.degree if ordering.by_degree else graph.fill

    def score(block: int) -> tuple[float, int]:
        first, second = base(block)
        return (first + 0.5) * ordering.factors[block], second

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

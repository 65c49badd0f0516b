"""The first minimal conflict, and how few questions it takes."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

import pytest

from configurator.engine.conflict import first_conflict


def first_by_force(count: int, conflicts: list[frozenset[int]]) -> tuple[int, ...]:
    """Of all minimal conflicts, the one whose newest item is oldest, then the next newest."""
    failing = [
        frozenset(some)
        for size in range(count + 1)
        for some in itertools.combinations(range(count), size)
        if any(each <= set(some) for each in conflicts)
    ]
    minimal = [one for one in failing if not any(other < one for other in failing)]
    return tuple(sorted(min(minimal, key=lambda one: sorted(one, reverse=True))))


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("cores", ["minimal", "everything", "some"])
def test_it_is_the_first_whatever_the_cores_are(seed: int, cores: str) -> None:
    draw = random.Random(seed)
    count = draw.randint(1, 7)
    conflicts = [
        frozenset(draw.sample(range(count), draw.randint(0, min(count, 4))))
        for _ in range(draw.randint(1, 4))
    ]
    asked = 0

    def core(first: Sequence[int], later: tuple[int, ...]) -> tuple[int, ...] | None:
        nonlocal asked
        asked += 1
        some = (*first, *later)
        there = [each for each in conflicts if each <= set(some)]
        if not there:
            return None
        if cores == "minimal":
            return tuple(sorted(there, key=lambda one: (len(one), sorted(one)))[0])
        if cores == "everything":
            return some
        kept = draw.choice(there)
        return tuple(item for item in some if item in kept or draw.random() < 0.5)

    right = first_by_force(count, conflicts)
    assert first_conflict(range(count), core) == right
    assert first_conflict(tuple(range(count)), core, most=2) == right[-2:]
    given = tuple(range(count))
    assert first_conflict(range(count), core, given) == right


@pytest.mark.parametrize("size", range(5))
def test_with_a_minimal_core_each_item_costs_one_question(size: int) -> None:
    draw = random.Random(size)
    conflict = frozenset(draw.sample(range(400), size))
    asked = 0

    def core(first: Sequence[int], later: tuple[int, ...]) -> tuple[int, ...] | None:
        nonlocal asked
        asked += 1
        some = (*first, *later)
        return tuple(conflict) if conflict <= set(some) else None

    assert first_conflict(range(400), core) == tuple(sorted(conflict))
    assert asked == 1 + size
    asked = 0
    assert first_conflict(range(400), core, tuple(conflict)) == tuple(sorted(conflict))
    assert asked == size


def test_what_holds_together_has_no_conflict() -> None:
    with pytest.raises(ValueError, match="hold together"):
        first_conflict(range(3), lambda first, later: None)

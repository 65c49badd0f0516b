"""Why not: a minimal conflict, the same whichever backend answers.

Everything goes through one question, "is there a configuration with these pins under
these rules, and if not, which of them already rule it out?". Of all subset-minimal
conflicts the *first* is taken: the newest element it needs is as old as possible, then
the next newest, and so on. For such an order that is the preferred explanation of
Junker, "QuickXplain" (AAAI 2004); it is found from the shortest prefix that cannot
hold, whose last element every answer needs. Order: the customer's choices from oldest
to newest, then told facts, then rules as written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

Item = TypeVar("Item")

Core = Callable[[Sequence[Item], tuple[Item, ...]], Collection[Item] | None]
"""Of the oldest items and some later ones: ``None`` where they hold together (with a
background), else some of them that already fail."""


def first_conflict(
    items: Sequence[Item],
    core: Core[Item],
    failing: Collection[Item] | None = None,
    most: int | None = None,
) -> tuple[Item, ...]:
    """The first subset-minimal part of ``items`` that fails; empty where nothing is needed.
    Of a larger one only the ``most`` newest items, where that is given.

    However small or large the cores are, the answer is the same: they only save
    questions. ``failing`` is a core known beforehand; with cores that are minimal, as many
    questions are asked as the answer has items. Raises ``ValueError`` where all items hold
    together. A range of items is never written out.
    """
    needed: tuple[Item, ...] = ()
    rest = items
    if failing is None:
        failing = core(rest, needed)
    if failing is None:
        raise ValueError("they hold together")
    places = _places(items, failing)
    while len(needed) != most:
        low, high, step = -1, _newest(places, len(rest)), 1
        while high > 0 and high - low > 1:
            # cores are nearly minimal: look just below first, then further and further
            middle = max(high - step, (low + high) // 2)
            found = core(rest[:middle], needed)
            if found is None:
                low = middle
            else:
                places = _places(items, found)
                high = _newest(places, middle)
                step *= 2
        if high == 0:
            break
        needed = (rest[high - 1], *needed)
        rest = rest[: high - 1]
    return needed


def _places(items: Sequence[Item], failing: Collection[Item]) -> list[int]:
    """Where those that fail stand among the items, counted from 1."""
    return sorted(items.index(item) + 1 for item in failing if item in items)


def _newest(places: list[int], most: int) -> int:
    """The last place up to ``most``, or 0; later ones are dropped."""
    while places and places[-1] > most:
        places.pop()
    return places[-1] if places else 0

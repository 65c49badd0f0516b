"""Why not: a minimal conflict, the same whichever backend answers.

Everything goes through one question, "is there a configuration with these pins under
these rules?". Of all subset-minimal conflicts the *first* is taken: the newest element
it needs is as old as possible, then the next newest, and so on. For such an order that
is the preferred explanation of Junker, "QuickXplain" (AAAI 2004); it is found from the
shortest prefix that cannot hold, whose last element every answer needs. Order: the
customer's choices from oldest to newest, then told facts, then rules as written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")

Fails = Callable[[tuple[Item, ...]], bool]
"""Whether the items (with a background) cannot hold together; grows with the items."""


def first_conflict(
    items: Sequence[Item], fails: Callable[[tuple[Item, ...]], bool]
) -> tuple[Item, ...]:
    """The first subset-minimal part of ``items`` that fails; empty where nothing is needed.

    ``fails(items)`` must be true. Takes about ``size of the answer x log2(items)`` questions.
    """
    needed: tuple[Item, ...] = ()
    rest = tuple(items)
    while not fails(needed):
        low, high = 1, len(rest)
        while low < high:
            middle = (low + high) // 2
            if fails((*rest[:middle], *needed)):
                high = middle
            else:
                low = middle + 1
        needed = (rest[low - 1], *needed)
        rest = rest[: low - 1]
    return needed

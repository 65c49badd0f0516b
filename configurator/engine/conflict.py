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

Fails = Callable[[tuple[Item, ...]], bool]
"""Whether the items (with a background) cannot hold together; grows with the items."""


def first_conflict(
    items: Sequence[Item], core: Callable[[tuple[Item, ...]], Collection[Item] | None]
) -> tuple[Item, ...]:
    """The first subset-minimal part of ``items`` that fails; empty where nothing is needed.

    ``core(some)`` is ``None`` where they hold together, else some of them that already
    fail. However small or large the cores are, the answer is the same: they only save
    questions. Raises ``ValueError`` where all items hold together.
    """
    needed: tuple[Item, ...] = ()
    rest = tuple(items)
    failing = core(rest)
    if failing is None:
        raise ValueError("they hold together")
    while core(needed) is None:
        place = {item: k for k, item in enumerate(rest, 1)}
        low, high = 0, max(place.get(item, 0) for item in failing)
        step = 1
        while high - low > 1:
            # cores are nearly minimal: look just below first, then further and further
            middle = max(high - step, (low + high) // 2)
            found = core((*rest[:middle], *needed))
            if found is None:
                low = middle
            else:
                failing, high = found, max(place.get(item, 0) for item in found)
                step *= 2
        needed = (rest[high - 1], *needed)
        rest = rest[: high - 1]
    return needed

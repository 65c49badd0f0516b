"""The seam behind which solvers live: one protocol, several backends, equal answers.

A *pin* fixes a network variable to one value. Backends are deterministic, safe to call
from several threads, and answer from the pins alone: nothing of an earlier call may
change a later answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

Pins = tuple[tuple[int, int], ...]
"""``(variable, value)`` pairs, each variable at most once, sorted by variable."""


@dataclass(frozen=True)
class Marginals:
    """What is possible for every value of every variable under some pins.

    Arrays are packed: value ``a`` of variable ``v`` stands at ``offsets[v] + a``.

    * ``valid``: bool, some configuration has it.
    * ``undecided``: bool, the budget ran out before it was known (``valid`` is then False
      and ``lowest`` -1, yet bounds of other values allow for it).
    * ``lowest``: int64, lowest total cost in cents of a configuration with this value;
      -1 where not valid. Only a lower bound where ``lowest_exact`` is False.
    * ``changes``: int64 or ``None`` if not computed: the least number of pins to give up
      so that the value becomes possible (0 where valid, 1 for another value of a pinned
      variable that only itself changes, -1 where impossible without any pin, -2 where
      not known). Pins that are ``fixed`` are never given up.
    * ``repaired_lowest``: int64 or ``None``: the lowest total among the configurations
      that give up just ``changes`` pins; -1 where impossible or not known.
    * ``repaired_exact``: bool or ``None`` (all of them): whether that total is reached, or
      only a lower bound.
    """

    consistent: bool
    valid: npt.NDArray[np.bool_]
    undecided: npt.NDArray[np.bool_]
    lowest: npt.NDArray[np.int64]
    lowest_exact: npt.NDArray[np.bool_]
    changes: npt.NDArray[np.int64] | None = None
    repaired_lowest: npt.NDArray[np.int64] | None = None
    repaired_exact: npt.NDArray[np.bool_] | None = None

    @cached_property
    def settled(self) -> bool:
        """Whether nothing is undecided."""
        return not np.count_nonzero(self.undecided)

    @cached_property
    def possible(self) -> bytes:
        """One byte per value: whether it is valid, or may still turn out to be."""
        return (self.valid if self.settled else self.valid | self.undecided).tobytes()


class Backend(Protocol):
    """What a solver offers the engine.

    ``at_once``: its answers are settled whether or not that is asked for.
    """

    name: str
    at_once: bool

    def marginals(
        self,
        pins: Pins,
        *,
        changes: bool = False,
        fixed: Pins = (),
        settle: bool = True,
        totals: bool = True,
    ) -> Marginals:
        """Exact valid values and lowest totals; with ``changes`` also minimal changes.

        ``fixed`` are more pins (on other variables), told by the shop: they hold like the
        others, but minimal changes never give them up.

        With ``settle`` everything is decided, however long it takes. Without, a backend
        may stop at a counted budget (never at a time): whether the pins hold together is
        decided all the same, values it did not get to are ``undecided``, lowest totals
        may stay bounds, and least changes -2. What is decided is the same either way;
        how much is may differ from call to call.

        Without ``totals`` and ``changes`` lowest totals may stay bounds, too.
        """
        ...

    def count(self, pins: Pins, *, settle: bool = True) -> tuple[int, bool]:
        """How many configurations (with multiplicities) are left, and whether exactly;
        if not exact, the number is a lower bound. Without ``settle`` a bound is enough."""
        ...

    def cheapest(self, pins: Pins) -> tuple[int, ...] | None:
        """One value per variable: the cheapest configuration, among equals the one that
        is smallest in lexicographic order; ``None`` where there is none. A backend whose
        counted search ends before that is proven gives a good one instead, always the
        same for the same pins."""
        ...


Core = tuple[Pins, tuple[int, ...]]
"""Pins and owners of rules that cannot hold together."""


RuleCore = Callable[[Sequence[int], tuple[int, ...]], tuple[int, ...] | None]
"""Of the first owners of rules and some later ones: ``None`` where they hold together, else
some of them that already do not (see ``conflict.first_conflict``)."""


class Reasoner(Protocol):
    """A backend that can also leave rules out: it answers "why not"."""

    def core(
        self, pins: Pins, owners: tuple[int, ...] | None = None, barred: Pins = ()
    ) -> Core | None:
        """``None`` where a configuration has the pins, takes none of the ``barred`` values
        and keeps the rules ``owners`` (``None``: all) and the background; else some of the
        pins and owners that already leave none (not always as few as possible)."""
        ...

    def rules_core(self, pins: Pins, barred: Pins, likely: tuple[int, ...] = ()) -> RuleCore:
        """The same for one thread that asks about the same pins and barred values again and
        again, each time with other rules; the ``likely`` ones are known to be a core, if
        not the smallest."""
        ...


def offsets_of(sizes: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """Where each variable's values start in a packed array; one more entry for the end."""
    return np.concatenate(([0], np.cumsum(np.asarray(sizes, dtype=np.int64)))).astype(np.int64)

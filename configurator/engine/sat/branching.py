"""Cheapest configurations by branch and bound, for charges with very many amounts.

Core-guided search climbs amount by amount; where a charge has thousands of them, it is
better to split on the variable that decides most, with unit propagation and
``CostBounds`` for bounds. Ends at a counted number of branches; with a solver made for the
question, where it ends depends on the question alone.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from configurator.engine.sat.costs import FAR, CostBounds
from configurator.engine.sat.encoding import Encoding
from configurator.engine.sat.probe import Probe

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


BRANCHES = 20_000
"""Branches one question may take."""


class SearchEndedError(Exception):
    """The branches are used up before the cheapest was proven."""


class Branching:
    """Searches with a probe that was made for one question."""

    def __init__(self, encoding: Encoding, costs: CostBounds, probe: Probe, valid: Bools) -> None:
        """``valid``: the values some configuration has. (Propagation does not report what
        holds under no assumption at all.)"""
        self._valid = valid
        self._encoding = encoding
        self._costs = costs
        self._probe = probe
        self._branches = BRANCHES
        self._place = np.abs(encoding.packed) - 1
        self._positive = encoding.packed > 0
        priced = {v for scope, _ in costs.joint for v in scope}
        for variable in range(len(encoding.sizes)):
            start, end = encoding.offsets[variable], encoding.offsets[variable + 1]
            if len(set(costs.unary[start:end].tolist())) > 1:
                priced.add(variable)
        self._priced = sorted(priced)

    def first_cheapest(self, assumptions: list[int]) -> tuple[int, ...] | None:
        """The cheapest, then the smallest value of each variable in turn. Raises
        ``SearchEndedError``."""
        best = self._cheapest(assumptions, int(FAR), first=False)
        if best is None:
            return None
        total, current = best
        given = list(assumptions)
        values: list[int] = []
        for variable, row in enumerate(self._encoding.literals):
            taken = int(current[variable])
            for value in range(taken):
                better = self._cheapest([*given, row[value]], total + 1, first=True)
                if better is not None:
                    current, taken = better[1], value
                    break
            values.append(taken)
            given.append(row[taken])
        return tuple(values)

    def _cheapest(
        self, assumptions: list[int], limit: int, *, first: bool
    ) -> tuple[int, Ints] | None:
        """A configuration that costs less than ``limit``: the cheapest, or the first."""
        best: tuple[int, Ints] | None = None
        stack: list[tuple[int, list[int]]] = [(-int(FAR), list(assumptions))]
        while stack:
            bound, given = stack.pop()
            if bound >= limit:
                continue
            if self._branches == 0:
                raise SearchEndedError
            self._branches -= 1
            left = self._left(given)
            if left is None:
                continue
            lowest = self._costs.lowest(left)
            variable = self._deciding(left, lowest)
            if variable is None:
                if self._least(lowest) < limit and self._probe.ask(given):
                    found = self._values()
                    best = (self._costs.total(found), found)
                    limit = best[0]
                    if first:
                        return best
                continue
            start = int(self._encoding.offsets[variable])
            row = self._encoding.literals[variable]
            branches = [
                (int(lowest[start + value]), value)
                for value in range(len(row))
                if left[start + value] and lowest[start + value] < limit
            ]
            branches.sort(reverse=True)
            stack.extend((total, [*given, row[value]]) for total, value in branches)
        return best

    def _left(self, assumptions: list[int]) -> Bools | None:
        """The values unit propagation leaves; ``None`` where it refutes."""
        consistent, implied = self._probe.propagate(assumptions)
        if not consistent:
            return None
        signs = np.zeros(self._encoding.primary, dtype=np.int8)
        array = np.asarray([lit for lit in implied if abs(lit) <= self._encoding.primary])
        if len(array):
            signs[np.abs(array) - 1] = np.sign(array)
        sign_of = signs[self._place]
        left: Bools = self._valid & ((sign_of == 0) | ((sign_of > 0) == self._positive))
        return left if np.logical_or.reduceat(left, self._encoding.offsets[:-1]).all() else None

    def _least(self, lowest: Ints) -> int:
        """The bound of the whole: the least of the first variable's values."""
        first = lowest[: self._encoding.sizes[0]]
        return int(first[first != -1].min()) if (first != -1).any() else int(FAR)

    def _deciding(self, left: Bools, lowest: Ints) -> int | None:
        """The open priced variable whose values' bounds lie furthest apart for their
        number; ``None`` where all charges are settled."""
        chosen, most = None, (-1, 1)
        for variable in self._priced:
            start, end = self._encoding.offsets[variable], self._encoding.offsets[variable + 1]
            bounds = lowest[start:end][left[start:end]]
            if len(bounds) > 1:
                spread = int(bounds.max() - bounds.min())
                if spread * most[1] > most[0] * len(bounds):
                    chosen, most = variable, (spread, len(bounds))
        return chosen

    def _values(self) -> Ints:
        places = np.flatnonzero(self._probe.values())
        found: Ints = places - self._encoding.offsets[:-1]
        return found

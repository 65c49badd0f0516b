"""The cheapest configuration under sums beside the diagram, by branch and bound.

A bound is one sweep over charges and a mixture of the sums together (Lagrangian
relaxation; Held, Wolfe and Crowder 1974 for the steps); the same sweep drops every state
that no cheaper configuration can have (reduced cost fixing), so the graph shrinks as
bounds rise. Depth first, most promising state first; answers depend on the question alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from configurator.engine.diagram import kernels
from configurator.engine.diagram.graph import Graph

if TYPE_CHECKING:
    from configurator.engine.diagram.summed import Carried, SummedDiagram

Bools = npt.NDArray[np.bool_]
Int64 = npt.NDArray[np.int64]

BRANCHES = 1000
"""Branches of one search; then the best found is taken."""

ROOT_STEPS = 40
STEPS = 6
"""Mixtures tried for the first bound and for each other."""

PRECISION = 1 << 10
"""Charges are multiplied by it, so that a mixture of whole numbers is fine enough."""


class TooManyBranchesError(Exception):
    """The search was given up."""


@dataclass(frozen=True, slots=True)
class _Branch:
    """States still allowed, the graph that holds them all, the weights of the sums that
    bounded it best, and for every state a bound of its totals (times ``PRECISION``)."""

    allowed: Bools
    graph: Graph
    weights: npt.NDArray[np.float64]
    bounds: Int64 = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


@dataclass(frozen=True, slots=True)
class _Found:
    """A configuration within every limit and its total without the constant; ``proven``
    where none is cheaper."""

    total: int
    values: tuple[int, ...]
    proven: bool = True


class Branching:
    """One search over a diagram with sums beside it."""

    def __init__(self, summed: SummedDiagram) -> None:
        """Raises ``TooManyBranchesError`` where the charges are too large for it."""
        self._summed = summed
        self._sums = summed.sums
        self._room: Carried = summed.carried()
        self._price: Int64 = np.asarray(summed.diagram.state_cost)
        self._extra = np.asarray(summed.diagram.slot_extra) * PRECISION
        self._block_of = np.repeat(
            np.arange(len(summed.diagram.block_start) - 1), np.diff(summed.diagram.block_start)
        )
        reach = 4 * PRECISION * (summed.span + abs(summed.floor) + 1)
        if reach >= kernels.LIMIT:
            raise TooManyBranchesError
        self._most_mixed = (kernels.LIMIT - reach) // (4 * self._sums.rows)

    def first_cheapest(self, allowed: Bools, graph: Graph) -> tuple[int, ...] | None:
        """One value per network variable: among the cheapest the smallest; the cheapest
        found where the budget runs out. ``None`` where nothing keeps within the limits.
        Raises ``TooManyBranchesError`` where the budget runs out before anything is found."""
        best = self._best(allowed, graph, None)
        if best is None or not best.proven:
            return None if best is None else best.values
        found = best.values
        for variable, taken in enumerate(found):
            for value in range(found[variable]):
                states = allowed & self._summed.states_with(variable, value)
                better = self._best(states, graph, best.total + 1) if states.any() else None
                if better is not None:
                    found, taken = better.values, value
                    break
            allowed = allowed & self._summed.states_with(variable, taken)
        return found

    def _best(self, allowed: Bools, graph: Graph, below: int | None) -> _Found | None:
        """The cheapest of allowed states that keeps within every limit; with ``below`` the
        first found that costs less. ``None`` where there is none, or none was found below."""
        best: _Found | None = None
        branches = 0
        limit = below
        stack = [_Branch(allowed, graph, np.zeros(self._sums.rows))]
        while stack:
            branches += 1
            if branches > BRANCHES:
                if best is None and below is None:
                    raise TooManyBranchesError
                return None if best is None else replace(best, proven=False)
            branch = stack.pop()
            found, left = self._bound(branch, limit, ROOT_STEPS if branches == 1 else STEPS)
            if found is not None:
                best, limit = found, found.total
                if below is not None:
                    return best
            if left is not None:
                self._split(stack, left)
        return best

    def _split(self, stack: list[_Branch], branch: _Branch) -> None:
        """Split the block whose best two states lie furthest apart; the best comes first."""
        allowed, bounds = branch.allowed, branch.bounds
        ranked = np.where(allowed, bounds, kernels.INFINITE)
        starts = self._summed.diagram.block_start[:-1].astype(np.int64)
        best = np.minimum.reduceat(ranked, starts)
        several = np.add.reduceat(allowed.astype(np.int64), starts) > 1
        if not several.any():
            return
        first = np.full(len(starts), len(ranked), dtype=np.int64)
        at_best = np.flatnonzero(ranked == best[self._block_of])
        np.minimum.at(first, self._block_of[at_best], at_best)
        others = ranked.copy()
        others[first] = kernels.INFINITE
        gap = np.where(several, np.minimum.reduceat(others, starts) - best, -1)
        block = int(gap.argmax())
        inside = self._block_of == block
        states = np.flatnonzero(inside & allowed)
        for state in states[np.argsort(-bounds[states], kind="stable")].tolist():
            narrowed = allowed & ~inside
            narrowed[state] = True
            stack.append(_Branch(narrowed, branch.graph, branch.weights))

    def _bound(
        self, branch: _Branch, below: int | None, steps: int
    ) -> tuple[_Found | None, _Branch | None]:
        """The best found that costs less than ``below``, and what is left to split."""
        sums, room = self._sums, self._room
        allowed, graph, weights = branch.allowed.copy(), branch.graph, branch.weights.copy()
        rows = list(self._summed.binding(allowed))
        limits = np.maximum(sums.limit[rows], 1)
        guards = sums.bounds(rows)
        ceiling = self._most_mixed // np.maximum(sums.most, 1)
        found: _Found | None = None
        best_bound, best_weights, bounds = -kernels.INFINITE, weights, branch.bounds
        for step in range(steps):
            multipliers = np.zeros(sums.rows, dtype=np.int64)
            multipliers[rows] = np.minimum(np.rint(weights[rows] / limits), ceiling[rows])
            mixed = int(multipliers @ sums.limit)
            most = kernels.LIMIT - 1 if below is None else PRECISION * (below - 1) + mixed
            cost = np.where(
                allowed, self._price * PRECISION + multipliers @ sums.use, kernels.INFINITE
            )
            living = self._summed.carry(graph, cost, self._extra, most, guards, room)
            if living is None:
                return found, None
            if living < graph.choices // 2:
                graph = self._summed.part(graph, most, room, living)
            lowest = room.state_lowest.copy()
            allowed &= lowest < kernels.LIMIT
            packed = sums.unpacked(room.state_sums, range(sums.rows))
            bounds_now = lowest - mixed  # before the arrays are swept again
            reached = room.state_reached == lowest
            at_best = int(np.where(allowed, lowest, kernels.INFINITE).argmin())
            bound = int(lowest[at_best]) - mixed
            if bound > best_bound:
                best_bound, best_weights, bounds = bound, weights.copy(), bounds_now
            excess_of = packed[rows, at_best] - sums.limit[rows]
            seen = np.flatnonzero(reached & allowed)
            if len(seen):
                totals = (lowest[seen] - multipliers @ packed[:, seen]) // PRECISION
                state = int(seen[totals.argmin()])
                if below is None or int(totals.min()) < below:
                    better = self._traced(graph, cost, multipliers, state, guards)
                    if better is not None and (below is None or better.total < below):
                        found, below = better, better.total
            if below is not None and bound > PRECISION * (below - 1):
                return found, None
            if rows:
                excess = excess_of / limits
                wanted = self._summed.span // 20 + 1 if below is None else below
                gap = max(PRECISION * wanted - (0 if below is None else bound), PRECISION)
                length = 0.95**step * gap / max(float(excess @ excess), 1e-6)
                weights[rows] = np.maximum(weights[rows] + length * excess, 0.0)
        return found, _Branch(allowed, graph, best_weights, bounds)

    def _traced(
        self,
        graph: Graph,
        cost: Int64,
        multipliers: Int64,
        state: int,
        guards: tuple[Int64, Int64],
    ) -> _Found | None:
        """The cheapest configuration with a state, if it keeps within every limit."""
        cost = cost.copy()
        cost[(self._block_of == self._block_of[state])] = kernels.INFINITE
        cost[state] = self._price[state] * PRECISION + int(multipliers @ self._sums.use[:, state])
        summed, room = self._summed, self._room
        if summed.carry(graph, cost, self._extra, kernels.LIMIT - 1, guards, room) is None:
            return None
        values = summed.taken(graph, room)
        if not summed.fits(values):
            return None
        total = sum(int(room.up[root]) for root in graph.roots)
        chosen = summed.states_of(values)
        used = int(multipliers @ self._sums.use[:, chosen].sum(axis=1))
        return _Found((total - used) // PRECISION, values)

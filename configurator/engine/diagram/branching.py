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


@dataclass(frozen=True, slots=True)
class _Swept:
    """What a sweep of charges and mixture found, per state; totals times ``PRECISION``."""

    cost: Int64
    multipliers: Int64
    mixed: int
    most: int
    living: int
    lowest: Int64
    sums: Int64
    fits: Bools

    @property
    def best(self) -> int:
        """A state of the cheapest."""
        return int(self.lowest.argmin())

    @property
    def bound(self) -> int:
        """A lower bound of every total."""
        return int(self.lowest[self.best]) - self.mixed

    def totals(self, states: Int64 | Bools) -> Int64:
        """The totals, charges alone, of the configurations found with some states."""
        found: Int64 = (self.lowest[states] - self.multipliers @ self.sums[:, states]) // PRECISION
        return found


class Branching:
    """One search over a diagram with sums beside it."""

    def __init__(self, summed: SummedDiagram) -> None:
        """Raises ``TooManyBranchesError`` where the charges are too large for it."""
        self._summed = summed
        self._sums = summed.sums
        self._room: Carried = summed.carried()
        self._price: Int64 = np.asarray(summed.diagram.state_cost)
        self._extra = np.asarray(summed.diagram.slot_extra) * PRECISION
        self._extra.setflags(write=False)
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

    def raised(self, allowed: Bools, graph: Graph) -> tuple[Int64, Int64]:
        """For every allowed state a lower bound of the totals with it, without the constant,
        and the lowest total seen to keep within every limit; ``INFINITE`` if none."""
        rows = list(self._summed.binding(allowed))
        weights = np.zeros(self._sums.rows)
        bounds = np.full(len(allowed), -kernels.LIMIT, dtype=np.int64)
        seen = np.full(len(allowed), kernels.INFINITE, dtype=np.int64)
        for step in range(STEPS):
            swept = self._swept(allowed, graph, weights, rows, None)
            if swept is None:
                break
            below = -((swept.mixed - swept.lowest) // PRECISION)
            possible = swept.lowest < kernels.LIMIT
            bounds = np.where(possible, np.maximum(bounds, below), kernels.INFINITE)
            fits = swept.fits & allowed
            seen[fits] = np.minimum(seen[fits], swept.totals(fits))
            self._move(weights, rows, swept, None, step)
        return bounds, seen

    def _bound(
        self, branch: _Branch, below: int | None, steps: int
    ) -> tuple[_Found | None, _Branch | None]:
        """The best found that costs less than ``below``, and what is left to split."""
        allowed, graph, weights = branch.allowed.copy(), branch.graph, branch.weights.copy()
        rows = list(self._summed.binding(allowed))
        found: _Found | None = None
        best_bound, best_weights, bounds = -kernels.INFINITE, weights, branch.bounds
        for step in range(steps):
            swept = self._swept(allowed, graph, weights, rows, below)
            if swept is None:
                return found, None
            if swept.living < graph.choices // 2:
                graph = self._summed.part(graph, swept.most, self._room)
            allowed &= swept.lowest < kernels.LIMIT
            if swept.bound > best_bound:
                best_bound, best_weights = swept.bound, weights.copy()
                bounds = swept.lowest - swept.mixed
            fits = np.flatnonzero(swept.fits & allowed)
            if len(fits):
                totals = swept.totals(fits)
                if below is None or int(totals.min()) < below:
                    better = self._traced(graph, swept, int(fits[totals.argmin()]))
                    if better is not None and (below is None or better.total < below):
                        found, below = better, better.total
            if below is not None and swept.bound > PRECISION * (below - 1):
                return found, None
            self._move(weights, rows, swept, below, step)
        return found, _Branch(allowed, graph, best_weights, bounds)

    def _swept(
        self,
        allowed: Bools,
        graph: Graph,
        weights: npt.NDArray[np.float64],
        rows: list[int],
        below: int | None,
    ) -> _Swept | None:
        """One sweep of charges and mixture; ``None`` where nothing costs less than
        ``below``. What it found is copied out of the working arrays."""
        sums, room = self._sums, self._room
        limits = np.maximum(sums.limit[rows], 1)
        ceiling = self._most_mixed // np.maximum(sums.most[rows], 1)
        multipliers = np.zeros(sums.rows, dtype=np.int64)
        multipliers[rows] = np.minimum(np.rint(weights[rows] / limits), ceiling)
        mixed = int(multipliers @ sums.limit)
        most = kernels.LIMIT - 1 if below is None else PRECISION * (below - 1) + mixed
        cost = np.where(allowed, self._price * PRECISION + multipliers @ sums.use, kernels.INFINITE)
        guards = self._summed.bounds(rows)
        living = self._summed.carry(graph, cost, self._extra, most, guards, room)
        if living is None:
            return None
        lowest = room.state_lowest.copy()
        return _Swept(
            cost,
            multipliers,
            mixed,
            most,
            living,
            lowest,
            sums.unpacked(room.state_sums, range(sums.rows)),
            room.state_reached == lowest,
        )

    def _move(
        self,
        weights: npt.NDArray[np.float64],
        rows: list[int],
        swept: _Swept,
        below: int | None,
        step: int,
    ) -> None:
        """A step along the excess of the cheapest, as long as the gap to what is hoped for."""
        if not rows:
            return
        limits = np.maximum(self._sums.limit[rows], 1)
        excess = (swept.sums[rows, swept.best] - self._sums.limit[rows]) / limits
        if below is None:
            gap = PRECISION * (self._summed.span // 20 + 1)
        else:
            gap = max(PRECISION * below - swept.bound, PRECISION)
        length = 0.95**step * gap / max(float(excess @ excess), 1e-6)
        weights[rows] = np.maximum(weights[rows] + length * excess, 0.0)

    def _traced(self, graph: Graph, swept: _Swept, state: int) -> _Found | None:
        """The cheapest configuration with a state, if it keeps within every limit."""
        cost = swept.cost.copy()
        cost[self._block_of == self._block_of[state]] = kernels.INFINITE
        cost[state] = swept.cost[state]
        summed, room = self._summed, self._room
        guards = summed.bounds(range(self._sums.rows))
        if summed.carry(graph, cost, self._extra, kernels.LIMIT - 1, guards, room) is None:
            return None
        values = summed.taken(graph, room)
        if not summed.fits(values):
            return None
        total = sum(int(room.up[root]) for root in graph.roots)
        chosen = summed.states_of(values)
        used = int(swept.multipliers @ self._sums.use[:, chosen].sum(axis=1))
        return _Found((total - used) // PRECISION, values)

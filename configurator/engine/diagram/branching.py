"""The cheapest configuration under sums beside the diagram, by branch and bound.

A bound is one sweep over charges and a mixture of the sums together (Lagrangian
relaxation; Held, Wolfe and Crowder 1974 for the steps); the same sweep drops every state
that no cheaper configuration can have (reduced cost fixing), so the graph shrinks as
bounds rise. Depth first, most promising state first; answers depend on the question alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from configurator.engine.diagram import kernels
from configurator.engine.diagram.graph import Graph

if TYPE_CHECKING:
    from configurator.engine.diagram.summed import Carried, SummedDiagram

Bools = npt.NDArray[np.bool_]
Int64 = npt.NDArray[np.int64]

BRANCHES = 3000
"""Branches of one search before it is left to another."""

STEPS = 12
"""Mixtures tried for one bound."""

PRECISION = 1 << 10
"""Charges are multiplied by it, so that a mixture of whole numbers is fine enough."""


class TooManyBranchesError(Exception):
    """The search was given up."""


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
        self._branches = 0
        reach = 4 * PRECISION * (summed.span + abs(summed.floor) + 1)
        if reach >= kernels.LIMIT:
            raise TooManyBranchesError
        self._most_mixed = (kernels.LIMIT - reach) // (4 * self._sums.rows)

    def first_cheapest(self, allowed: Bools, graph: Graph) -> tuple[int, ...] | None:
        """One value per network variable: among the cheapest the smallest."""
        total = self.lowest(allowed, graph, None)
        if total is None:
            return None
        summed = self._summed
        values: list[int] = []
        for variable in range(len(summed.diagram.block)):
            size = int(summed.diagram.offset[variable + 1] - summed.diagram.offset[variable])
            several = [
                (value, states)
                for value in range(size)
                if (states := allowed & summed.states_with(variable, value)).any()
            ]
            for value, states in several:
                if len(several) == 1 or self.lowest(states, graph, total + 1) is not None:
                    values.append(value)
                    allowed = states
                    break
        return tuple(values)

    def lowest(self, allowed: Bools, graph: Graph, below: int | None) -> int | None:
        """The lowest total of allowed states that keeps within every limit, without the
        constant; ``None`` if none is less than ``below``. With ``below`` any such total is
        enough."""
        enough = below is not None
        best: int | None = None
        stack: list[tuple[int, Bools, Graph]] = [(0, allowed, graph)]
        while stack:
            self._branches += 1
            if self._branches > BRANCHES:
                raise TooManyBranchesError
            _, allowed, graph = stack.pop()
            bounded = self._bound(allowed.copy(), graph, below)
            if bounded is None:
                continue
            found, left, graph, bounds = bounded
            if found is not None:
                best = below = found
                if enough:
                    return best
            if left is None:
                continue
            self._branch(stack, left, graph, bounds)
        return best

    def _branch(
        self, stack: list[tuple[int, Bools, Graph]], allowed: Bools, graph: Graph, bounds: Int64
    ) -> None:
        """Split the block whose best two states lie furthest apart; the best comes first."""
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
            stack.append((int(bounds[state]), narrowed, graph))

    def _bound(
        self, allowed: Bools, graph: Graph, below: int | None
    ) -> tuple[int | None, Bools | None, Graph, Int64] | None:
        """The best total found, the states left (``None``: settled), their graph and bounds."""
        sums, room = self._sums, self._room
        rows = self._summed.binding(allowed)
        limits = sums.limit[list(rows)]
        multipliers = np.zeros(sums.rows, dtype=np.int64)
        found: int | None = None
        bounds = np.zeros(0, dtype=np.int64)
        for step in range(STEPS):
            mixed = int(multipliers @ sums.limit)
            most = kernels.LIMIT - 1 if below is None else PRECISION * (below - 1) + mixed
            cost = np.where(
                allowed, self._price * PRECISION + multipliers @ sums.use, kernels.INFINITE
            )
            living = self._summed.carry(graph, cost, self._extra, most, sums.bounds(rows), room)
            if living is None:
                return None if found is None else (found, None, graph, bounds)
            if living < graph.choices // 2:
                graph = self._summed.part(graph, most, room, living)
            lowest = room.state_lowest
            allowed &= lowest < kernels.LIMIT
            bounds = lowest.copy()
            packed = sums.unpacked(room.state_sums, range(sums.rows))
            seen = np.flatnonzero((room.state_reached == lowest) & allowed)
            if len(seen):
                totals = (lowest[seen] - multipliers @ packed[:, seen]) // PRECISION
                if below is None or int(totals.min()) < below:
                    found = below = int(totals.min())
                    continue
            if not rows:
                return found, None, graph, bounds
            at_best = int(np.where(allowed, lowest, kernels.INFINITE).argmin())
            excess = packed[list(rows), at_best] - limits
            gap = max((PRECISION * below + mixed if below else 2 * most) - int(lowest[at_best]), 1)
            if below is None:
                gap = PRECISION * (self._summed.span // 20 + 1)
            length = 2.0 * 0.8**step * gap / max(float(excess @ excess), 1.0)
            moved = multipliers[list(rows)] + np.rint(length * excess)
            ceiling = self._most_mixed // np.maximum(sums.most[list(rows)], 1)
            multipliers[list(rows)] = np.clip(moved, 0, ceiling)
        return found, allowed, graph, bounds

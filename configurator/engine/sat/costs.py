"""Bounds on the total cost from valid values alone: each charge at its cheapest."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from configurator.engine.backend import offsets_of
from configurator.engine.network import Network

FAR = np.int64(1) << np.int64(56)
"""More than any total; stands for "not possible"."""

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class CostBounds:
    """The charges of a network, ready to be bounded and summed."""

    def __init__(self, network: Network) -> None:
        sizes = tuple(variable.size for variable in network.variables)
        self.sizes = sizes
        self.offsets = offsets_of(sizes)
        self.constant = 0
        self.unary: Ints = np.zeros(int(self.offsets[-1]), dtype=np.int64)
        self.joint: list[tuple[tuple[int, ...], Ints]] = []
        self.exact = all(function.exact for function in network.costs)
        self.any = bool(network.costs)
        for function in network.costs:
            costs = np.asarray(function.costs, dtype=np.int64)
            if not function.scope:
                self.constant += int(costs[0])
            elif len(function.scope) == 1:
                start = self.offsets[function.scope[0]]
                self.unary[start : start + len(costs)] += costs
            else:
                shape = tuple(sizes[v] for v in function.scope)
                self.joint.append((function.scope, costs.reshape(shape)))
        self._variable_of: Ints = np.repeat(np.arange(len(sizes)), sizes)

    def total(self, values: Ints) -> int:
        """The cost of one configuration, given one value per variable."""
        total = self.constant + int(self.unary[self.offsets[:-1] + values].sum())
        for scope, costs in self.joint:
            total += int(costs[tuple(values[v] for v in scope)])
        return total

    def lowest(self, valid: Bools) -> Ints:
        """For each value a lower bound of the total with it; -1 where it is not valid."""
        unary = np.where(valid, self.unary, FAR)
        cheapest = np.minimum.reduceat(unary, self.offsets[:-1])
        base = self.constant + int(cheapest.sum())
        extra = unary - cheapest[self._variable_of]
        for scope, costs in self.joint:
            masked = costs.copy()
            for axis, variable in enumerate(scope):
                start, end = self.offsets[variable], self.offsets[variable + 1]
                shape = [1] * len(scope)
                shape[axis] = int(end - start)
                masked = np.where(valid[start:end].reshape(shape), masked, FAR)
            least = int(masked.min())
            base += least
            for axis, variable in enumerate(scope):
                others = tuple(k for k in range(len(scope)) if k != axis)
                start, end = self.offsets[variable], self.offsets[variable + 1]
                extra[start:end] += masked.min(axis=others) - least
        found: Ints = np.where(valid, base + extra, -1)
        return found

"""Proving the lowest total with OR-Tools, an extra that need not be installed.

Asked only where search of our own leaves "at least". One worker, a fixed seed and a
counted limit (deterministic time), so that the same question gets the same answer. Only
this module imports OR-Tools.
"""

from __future__ import annotations

import itertools
import threading
from importlib.util import find_spec
from typing import Any

from configurator.engine.backend import Pins
from configurator.engine.network import AllowedTuples, Clause, LinearSum, Network

EFFORT = 20.0
"""Deterministic time of one question; about as many seconds on an ordinary machine."""


def installed() -> bool:
    """Whether OR-Tools can be had."""
    return find_spec("ortools") is not None


class Prover:
    """A network as a CP-SAT model, built when first asked."""

    def __init__(self, network: Network) -> None:
        """Raises ``ImportError`` where OR-Tools is not installed."""
        from ortools.sat.python import cp_model

        self._cp: Any = cp_model
        self._network = network
        self._lock = threading.Lock()
        self._model: Any = None
        self._literals: list[list[Any]] = []

    def cheapest(self, pins: Pins) -> tuple[int, ...] | None:
        """One of the cheapest configurations with the pins, by value; ``None`` where none
        was proven to be so within the effort."""
        with self._lock:
            if self._model is None:
                self._build()
            model = self._model.clone()
            for variable, value in pins:
                model.add_bool_and(
                    [model.get_bool_var_from_proto_index(self._literals[variable][value].index)]
                )
            solver = self._cp.CpSolver()
            solver.parameters.num_workers = 1
            solver.parameters.random_seed = 1
            solver.parameters.max_deterministic_time = EFFORT
            if solver.solve(model) != self._cp.OPTIMAL:
                return None
            return tuple(
                next(a for a, literal in enumerate(row) if solver.boolean_value(literal))
                for row in self._literals
            )

    def _build(self) -> None:
        model = self._model = self._cp.CpModel()
        for variable in self._network.variables:
            row = [model.new_bool_var("") for _ in range(variable.size)]
            model.add_exactly_one(row)
            self._literals.append(row)
        for each in self._network.constraints:
            if isinstance(each, Clause):
                model.add_bool_or(
                    [self._literals[v][a] for v, some in each.literals for a in sorted(some)]
                )
            elif isinstance(each, AllowedTuples):
                self._table(each)
            else:
                self._sum(each)
        model.minimize(self._total())

    def _table(self, each: AllowedTuples) -> None:
        values = []
        for v in each.scope:
            row = self._literals[v]
            value = self._model.new_int_var(0, len(row) - 1, "")
            self._model.add(value == sum(a * literal for a, literal in enumerate(row)))
            values.append(value)
        if each.tuples:
            self._model.add_allowed_assignments(values, [list(row) for row in each.tuples])
        else:
            self._model.add_bool_or([])  # never

    def _sum(self, each: LinearSum) -> None:
        total = sum(
            weight * self._literals[v][a]
            for v, row in zip(each.scope, each.weights, strict=True)
            for a, weight in enumerate(row)
        )
        if each.low is not None:
            self._model.add(total >= each.low)
        if each.high is not None:
            self._model.add(total <= each.high)

    def _total(self) -> Any:
        """All charges; one of several variables gets a literal for each combination."""
        terms: list[Any] = []
        for function in self._network.costs:
            if not function.scope:
                continue  # the same for every configuration
            rows = [self._literals[v] for v in function.scope]
            for literals, cost in zip(itertools.product(*rows), function.costs, strict=True):
                if not cost:
                    continue
                together = literals[0]
                if len(literals) > 1:
                    together = self._model.new_bool_var("")
                    self._model.add_bool_and(literals).only_enforce_if(together)
                    self._model.add_bool_or([together, *(each.negated() for each in literals)])
                terms.append(cost * together)
        return sum(terms)

"""Plain loops over general solvers: what one would write without this engine.

Each asks its solver one question per value that is not pinned: "is there a
configuration with this value?".
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import constraint
import numpy as np
from ortools.sat.python import cp_model
from pysat.examples.rc2 import RC2
from pysat.formula import WCNF

from configurator.engine.backend import Pins, offsets_of
from configurator.engine.network import AllowedTuples, Clause, LinearSum, Network, scope_of
from configurator.engine.sat import SatBackend
from configurator.engine.sat.encoding import Encoding

PATIENCE = 20.0
"""Seconds a plain loop may think about one question before it is given up."""


def holds(each: Any, values: tuple[int, ...]) -> bool:
    """Whether a constraint holds for the values of its scope."""
    if isinstance(each, Clause):
        return any(v in allowed for v, (_, allowed) in zip(values, each.literals, strict=True))
    if isinstance(each, AllowedTuples):
        return values in each.tuples
    total = sum(weights[v] for v, weights in zip(values, each.weights, strict=True))
    return (each.low is None or each.low <= total) and (each.high is None or total <= each.high)


class PythonConstraintLoop:
    """python-constraint, a fresh problem per question."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._offsets = offsets_of(tuple(v.size for v in network.variables))
        self._tests = [(scope_of(each), self._function(each)) for each in network.constraints]

    @staticmethod
    def _function(each: Any) -> Any:
        if isinstance(each, AllowedTuples):
            tuples = frozenset(each.tuples)
            return lambda *values: values in tuples
        return lambda *values: holds(each, values)

    def possible(self, pins: Pins) -> bool:
        """Whether some configuration has all of the pins."""
        problem = constraint.Problem()
        fixed = dict(pins)
        for index, variable in enumerate(self._network.variables):
            domain = [fixed[index]] if index in fixed else list(range(variable.size))
            problem.addVariable(index, domain)
        for scope, test in self._tests:
            problem.addConstraint(test, scope)
        return problem.getSolution() is not None

    def domains(self, pins: Pins) -> np.ndarray:
        """Every valid value under the pins, packed."""
        return _ask_every_value(self._network, self._offsets, pins, self.possible)


class _OrToolsModel:
    """A network as a CP-SAT model: a literal per value, one worker."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._offsets = offsets_of(tuple(v.size for v in network.variables))
        self._model = cp_model.CpModel()
        self._literals = [
            [self._model.new_bool_var(f"{i}={a}") for a in range(variable.size)]
            for i, variable in enumerate(network.variables)
        ]
        for literals in self._literals:
            self._model.add_exactly_one(literals)
        self._values = [
            self._model.new_int_var(0, variable.size - 1, f"v{i}")
            for i, variable in enumerate(network.variables)
        ]
        for value, literals in zip(self._values, self._literals, strict=True):
            self._model.add(value == sum(a * literal for a, literal in enumerate(literals)))
        for each in network.constraints:
            self._add(each)
        self._solver = cp_model.CpSolver()
        self._solver.parameters.num_workers = 1

    def _total(self, scope: tuple[int, ...], weights: tuple[tuple[int, ...], ...]) -> Any:
        return sum(
            weight * self._literals[v][a]
            for v, row in zip(scope, weights, strict=True)
            for a, weight in enumerate(row)
            if weight
        )

    def _add(self, each: Any) -> None:
        if isinstance(each, Clause):
            self._model.add_bool_or(
                [self._literals[v][a] for v, allowed in each.literals for a in sorted(allowed)]
            )
        elif isinstance(each, AllowedTuples):
            scope = [self._values[v] for v in each.scope]
            self._model.add_allowed_assignments(scope, [list(t) for t in each.tuples])
        elif isinstance(each, LinearSum):
            total = self._total(each.scope, each.weights)
            if each.low is not None:
                self._model.add(total >= each.low)
            if each.high is not None:
                self._model.add(total <= each.high)


class OrToolsLoop(_OrToolsModel):
    """OR-Tools CP-SAT, one model, one solve per question."""

    def possible(self, pins: Pins) -> bool:
        """Whether some configuration has all of the pins."""
        self._model.clear_assumptions()
        self._model.add_assumptions([self._literals[v][a] for v, a in pins])
        return self._solver.solve(self._model) in (cp_model.OPTIMAL, cp_model.FEASIBLE)

    def domains(self, pins: Pins) -> np.ndarray:
        """Every valid value under the pins, packed."""
        return _ask_every_value(self._network, self._offsets, pins, self.possible)


Charges = tuple[tuple[tuple[int, ...], tuple[tuple[int, ...], ...]], ...]
"""Scopes, and for each of a scope's variables the charge of each value."""


class OrToolsOptimum(_OrToolsModel):
    """OR-Tools CP-SAT minimising one total; a question fixes some values first."""

    def __init__(self, network: Network, charges: Charges | None = None) -> None:
        """``charges`` stand in for the network's own, which must be of one variable each."""
        super().__init__(network)
        self._solver.parameters.max_time_in_seconds = PATIENCE
        if charges is None:
            charges = tuple((cost.scope, (cost.costs,)) for cost in network.costs if cost.scope)
        totals = [self._total(scope, weights) for scope, weights in charges]
        if totals:
            self._model.minimize(sum(totals))

    def least(self, pins: Pins = ()) -> int | None:
        """The least total with the pins; ``None`` where no configuration has them. Raises
        ``TimeoutError`` where that is not known after ``PATIENCE`` seconds."""
        fixed = [self._literals[v][a].index for v, a in pins]
        variables = self._model.proto.variables
        for index in fixed:
            variables[index].domain[0] = 1
        try:
            status = self._solver.solve(self._model)
        finally:
            for index in fixed:
                variables[index].domain[0] = 0
        if status == cp_model.INFEASIBLE:
            return None
        if status != cp_model.OPTIMAL:
            raise TimeoutError(f"no optimum after {PATIENCE:.0f} s")
        return round(self._solver.objective_value)


class SatLoop:
    """Our own incremental SAT backend, asked for valid values alone: it is not asked for
    totals or changes, which it would have to search for."""

    def __init__(self, network: Network) -> None:
        self._backend = SatBackend(replace(network, costs=()))
        # What is impossible from the start is then known, and never asked for again.
        self._backend.marginals((), changes=True)

    def domains(self, pins: Pins) -> np.ndarray:
        """Every valid value under the pins, packed."""
        return np.asarray(self._backend.marginals(pins).valid)


class LeastChanges:
    """The least number of pins to give up for one value, by core-guided MaxSAT."""

    def __init__(self, network: Network) -> None:
        self._encoding = Encoding(network)

    def of(self, pins: Pins, wanted: tuple[int, int]) -> int | None:
        """How many; ``None`` where even without any pin it is impossible."""
        literals = self._encoding.literals
        formula = WCNF()
        formula.extend(self._encoding.clauses)
        formula.append([literals[wanted[0]][wanted[1]]])
        for variable, value in pins:
            formula.append([literals[variable][value]], weight=1)
        with RC2(formula) as search:
            return None if search.compute() is None else int(search.cost)


def _ask_every_value(network: Network, offsets: Any, pins: Pins, possible: Any) -> np.ndarray:
    valid = np.zeros(int(offsets[-1]), dtype=bool)
    fixed = dict(pins)
    for index, variable in enumerate(network.variables):
        if index in fixed:
            valid[offsets[index] + fixed[index]] = possible(pins)
            continue
        for value in range(variable.size):
            question = tuple(sorted((*pins, (index, value))))
            valid[offsets[index] + value] = possible(question)
    return valid

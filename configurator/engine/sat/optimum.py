"""Cheapest configurations, proven: core-guided search.

Charges become soft literals ("costs at least so much more"). Cores of soft literals
raise the lower bound until one solution needs no more: OLL, Morgado, Dodaro and
Marques-Silva, "Core-Guided MaxSAT with Soft Cardinality Constraints" (CP 2014), with
totalizers after Bailleux and Boufkhad (CP 2003). A solver lives for one question, so
that answers never depend on earlier ones.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Self

import numpy as np
from pysat.solvers import Solver

from configurator.engine.sat.costs import CostBounds
from configurator.engine.sat.encoding import Encoding
from configurator.engine.sat.probe import SOLVER, Budget, ask


@dataclass(slots=True)
class Softs:
    """Where a search stands: weights of soft literals, the cost already proven."""

    weights: dict[int, int]
    proven: int

    def copy(self) -> Softs:
        """The same, to go on from twice."""
        return Softs(dict(self.weights), self.proven)


class CostClauses:
    """Charges as clauses beside an encoding; built once."""

    def __init__(self, encoding: Encoding, costs: CostBounds) -> None:
        self.top = encoding.top
        self.clauses: list[list[int]] = []
        self.weights: dict[int, int] = {}
        self.constant = costs.constant
        for variable, row in enumerate(encoding.literals):
            start = int(encoding.offsets[variable])
            charges = [int(c) for c in costs.unary[start : start + len(row)]]
            self._levels(charges, [[-literal] for literal in row])
        for scope, table in costs.joint:
            conditions = [
                [-encoding.literals[v][a] for v, a in zip(scope, row, strict=True)]
                for row in itertools.product(*(range(encoding.sizes[v]) for v in scope))
            ]
            self._levels([int(c) for c in table.ravel()], conditions)

    def _levels(self, charges: list[int], denials: list[list[int]]) -> None:
        """One soft literal per step between distinct charges, each implying the lower."""
        steps = sorted(set(charges))
        self.constant += steps[0]
        reached: dict[int, int] = {}
        before: int | None = None
        for lower, upper in itertools.pairwise(steps):
            self.top += 1
            reached[upper] = self.top
            self.weights[-self.top] = upper - lower
            if before is not None:
                self.clauses.append([-self.top, before])
            before = self.top
        for charge, denial in zip(charges, denials, strict=True):
            if charge in reached:
                self.clauses.append([*denial, reached[charge]])


class Search:
    """One question's search: a fresh solver over an encoding and its charges.

    ``cores`` end it, and a ``budget`` where given; it is closed as a context manager.
    """

    def __init__(
        self,
        encoding: Encoding,
        charges: CostClauses,
        cores: int,
        budget: Budget | None = None,
    ) -> None:
        self._solver = Solver(name=SOLVER, bootstrap_with=encoding.clauses)
        self._budget = budget
        self._solver.append_formula(charges.clauses)
        self._top = charges.top
        self._primary = encoding.primary
        self._cores = cores
        self._more: dict[int, int] = {}
        self.start = Softs(dict(charges.weights), charges.constant)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._solver.delete()

    def minimise(self, assumptions: list[int], softs: Softs) -> bool | None:
        """Move ``softs`` to where a solution costs just ``softs.proven``.

        Returns whether there is a solution; ``None`` where the cores or the budget ran out
        (``softs.proven`` is then a lower bound).
        """
        while True:
            wanted = [lit for lit, weight in softs.weights.items() if weight]
            found = ask(self._solver, assumptions + wanted, self._budget)
            if found is not False:
                return found
            core = [lit for lit in self._solver.get_core() or () if softs.weights.get(lit)]
            if not core:
                return False
            if self._cores == 0:
                return None
            self._cores -= 1
            self._relax(core, softs)

    def _relax(self, core: list[int], softs: Softs) -> None:
        core.sort(key=abs)
        weight = min(softs.weights[lit] for lit in core)
        softs.proven += weight
        for lit in core:
            softs.weights[lit] -= weight
            following = self._more.get(lit)
            if following is not None:
                softs.weights[following] = softs.weights.get(following, 0) + weight
        if len(core) > 1:
            outputs = self._counted([-lit for lit in core])
            for lit, following in itertools.pairwise([-out for out in outputs[1:]]):
                self._more[lit] = following
            softs.weights[-outputs[1]] = softs.weights.get(-outputs[1], 0) + weight

    def _counted(self, literals: list[int]) -> list[int]:
        """Outputs of a totalizer: ``k``-th true where more than ``k`` literals are."""
        if len(literals) == 1:
            return literals
        half = len(literals) // 2
        left, right = self._counted(literals[:half]), self._counted(literals[half:])
        outputs = []
        for _ in literals:
            self._top += 1
            outputs.append(self._top)
        for i in range(len(left) + 1):
            for j in range(len(right) + 1):
                if i + j:
                    clause = [outputs[i + j - 1]]
                    if i:
                        clause.append(-left[i - 1])
                    if j:
                        clause.append(-right[j - 1])
                    self._solver.add_clause(clause)
        return outputs

    def model(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Signs of the network's solver variables in the last solution."""
        return np.asarray(self._solver.get_model()[: self._primary]) > 0

    def possible(self, assumptions: list[int], softs: Softs) -> bool:
        """Whether a solution as cheap as ``softs`` proves has all the assumptions."""
        wanted = [lit for lit, weight in softs.weights.items() if weight]
        return bool(ask(self._solver, assumptions + wanted, None))

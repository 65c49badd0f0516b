"""Counting with a solver: independent parts, each one configuration after another."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pysat.solvers import Solver

from configurator.engine.network import scope_of
from configurator.engine.sat.encoding import Encoding

Bools = npt.NDArray[np.bool_]


def independent_parts(encoding: Encoding, valid: Bools) -> list[list[int]]:
    """Variables still open, joined where a constraint reads them together."""
    counts = np.add.reduceat(valid.astype(np.int64), encoding.offsets[:-1])
    parent = list(range(len(encoding.sizes)))

    def find(variable: int) -> int:
        while parent[variable] != variable:
            parent[variable] = parent[parent[variable]]
            variable = parent[variable]
        return variable

    for constraint in encoding.network.constraints:
        free = [find(v) for v in scope_of(constraint) if counts[v] > 1]
        for other in free[1:]:
            parent[find(other)] = find(free[0])
    parts: dict[int, list[int]] = {}
    for variable, variable_data in enumerate(encoding.network.variables):
        if not variable_data.hidden:
            parts.setdefault(find(variable), []).append(variable)
    return list(parts.values())


def count_part(
    encoding: Encoding,
    solver: Solver,
    assumptions: list[int],
    part: list[int],
    switch: int,
    limit: int,
) -> tuple[int | None, int]:
    """How many configurations a part has (``None`` where more than ``limit`` were
    found), and how many were found. ``switch`` turns off what excludes them."""
    total = found = 0
    rows = [encoding.literals[v] for v in part]
    while solver.solve(assumptions=[*assumptions, switch]):
        if found == limit:
            return None, found
        found += 1
        model = solver.get_model()
        weight, denial = 1, [-switch]
        for variable, row in zip(part, rows, strict=True):
            value = next(
                value
                for value, literal in enumerate(row)
                if (model[abs(literal) - 1] > 0) == (literal > 0)
            )
            weight *= encoding.network.variables[variable].multiplicity[value]
            if len(row) > 1:
                denial.append(-row[value])
        total += weight
        solver.add_clause(denial)
    return total, found

"""The independent judge: python-constraint, every configuration one by one.

For small products only. Constraints are asked of the product's own expressions
(``engine.truth``), not of the lowered network, so that this backend also judges the
lowering; only the cutting of wide numbers is taken over. ``of_network`` does the same
for a bare network. Only this module imports python-constraint, and never its string
constraints, which are evaluated.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence

import constraint
import numpy as np
import numpy.typing as npt

from configurator.engine.backend import Core, Marginals, Pins, RuleCore, offsets_of
from configurator.engine.errors import EngineError, said
from configurator.engine.lowering import Lowered
from configurator.engine.network import (
    BACKGROUND,
    AllowedTuples,
    Clause,
    Constraint,
    LinearSum,
    Network,
    scope_of,
)
from configurator.engine.product_conditions import Check, Condition, ProductConditions, Values

MOST = 300_000
"""Configurations listed before a product counts as too large for this backend."""


class SearchTooLongError(Exception):
    """Listing the configurations asks its conditions more often than it was allowed."""


class ConstraintBackend:
    """See the module; implements ``Backend`` and ``Reasoner``."""

    name = "python-constraint"
    at_once = True

    def __init__(
        self,
        network: Network,
        searched: Sequence[int],
        conditions: Sequence[Condition],
        complete: Callable[[dict[int, int]], Values],
        cost: Callable[[Values], int],
        within: Pins = (),
    ) -> None:
        """``searched`` are the variables that are searched; ``complete`` adds the others,
        which follow from them; ``cost`` prices a configuration. Only configurations
        ``within`` some pins on searched variables exist for this backend."""
        self._network = network
        self._sizes = tuple(variable.size for variable in network.variables)
        self._offsets = offsets_of(self._sizes)
        self._multiplicity = [variable.multiplicity for variable in network.variables]
        self._hidden = [variable.hidden for variable in network.variables]
        self._searched = tuple(searched)
        self._conditions = tuple(conditions)
        self._complete = complete
        self._cost = cost
        self._within = within
        self._exact = all(function.exact for function in network.costs)
        self._lock = threading.RLock()
        self._rows: npt.NDArray[np.int64] | None = None
        self._totals: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)

    @classmethod
    def of_network(cls, network: Network) -> ConstraintBackend:
        """Judge a bare network by the plain meaning of its constraints."""
        sizes = tuple(variable.size for variable in network.variables)
        conditions = [
            Condition(scope_of(each), _check_of(each), each.owner) for each in network.constraints
        ]

        def complete(values: dict[int, int]) -> Values:
            return tuple(values[v] for v in range(len(sizes)))

        def cost(values: Values) -> int:
            total = 0
            for function in network.costs:
                place = 0
                for variable in function.scope:
                    place = place * sizes[variable] + values[variable]
                total += function.costs[place]
            return total

        return cls(network, range(len(sizes)), conditions, complete, cost)

    @classmethod
    def of_product(cls, lowered: Lowered) -> ConstraintBackend:
        """Judge a product by its own expressions."""
        reading = ProductConditions(lowered)
        return cls(
            lowered.network,
            reading.searched,
            tuple(reading.conditions()),
            reading.complete,
            reading.cost,
        )

    def inside(self, within: Pins) -> ConstraintBackend:
        """Judge what is left ``within`` some pins; the conditions are shared."""
        return ConstraintBackend(
            self._network,
            self._searched,
            self._conditions,
            self._complete,
            self._cost,
            within,
        )

    # --- searching --------------------------------------------------------------------

    def _solutions(
        self,
        pins: Pins,
        owners: tuple[int, ...] | None = None,
        barred: Pins = (),
        effort: int | None = None,
    ) -> Iterator[dict[int, int]]:
        """The values of the searched variables in every configuration, with some rules.

        Pinned variables are put into the conditions, which are then searched over the
        others. Raises ``SearchTooLongError`` after ``effort`` questions to conditions.
        """
        pinned = dict(pins)
        gone = set(barred)
        if any(pin in gone for pin in pins):
            return
        problem = constraint.Problem()
        free = []
        for variable in self._searched:
            if variable in pinned:
                continue
            values = [v for v in range(self._sizes[variable]) if (variable, v) not in gone]
            if not values:
                return
            free.append(variable)
            problem.addVariable(variable, values)
        kept = None if owners is None else set(owners)
        asked = itertools.count()
        for condition in self._conditions:
            if kept is not None and condition.owner != BACKGROUND and condition.owner not in kept:
                continue
            scope = tuple(v for v in condition.scope if v not in pinned)
            check = condition.check
            if len(scope) < len(condition.scope):
                check = _with_pinned(condition, pinned)
            if not scope:
                if not check():
                    return
                continue
            if effort is not None:
                check = _counted(check, asked, effort)
            problem.addConstraint(constraint.FunctionConstraint(check), list(scope))
        if not free:
            yield pinned
            return
        for solution in problem.getSolutionIter():
            yield {**pinned, **solution}

    def core(
        self, pins: Pins, owners: tuple[int, ...] | None = None, barred: Pins = ()
    ) -> Core | None:
        """See ``Reasoner``; all that was asked about, however few would do."""
        return None if self._consistent(pins, owners, barred) else (pins, owners or ())

    def rules_core(self, pins: Pins, barred: Pins, likely: tuple[int, ...] = ()) -> RuleCore:
        """See ``Reasoner``."""

        def core(first: Sequence[int], later: tuple[int, ...]) -> tuple[int, ...] | None:
            owners = (*first, *later)
            return None if self._consistent(pins, owners, barred) else owners

        return core

    def _consistent(self, pins: Pins, owners: tuple[int, ...] | None, barred: Pins) -> bool:
        """Pins on variables that follow from others are checked on each solution."""
        if owners is None:
            return bool(self._matching(pins, barred).any())
        pins = tuple(sorted({**dict(self._within), **dict(pins)}.items()))
        searched = set(self._searched)
        later = [pin for pin in pins if pin[0] not in searched]
        never = [pin for pin in barred if pin[0] not in searched]
        solutions = self._solutions(
            tuple(pin for pin in pins if pin[0] in searched),
            owners,
            tuple(pin for pin in barred if pin[0] in searched),
        )
        for solution in solutions:
            values = self._complete(solution)
            if all(values[v] == a for v, a in later) and all(values[v] != a for v, a in never):
                return True
        return False

    def _all(self, effort: int | None = None) -> npt.NDArray[np.int64]:
        """Every configuration, in lexicographic order, with its cost."""
        with self._lock:
            if self._rows is None:
                solutions = self._solutions(self._within, effort=effort)
                rows = [self._complete(each) for each in itertools.islice(solutions, MOST + 1)]
                if len(rows) > MOST:
                    raise EngineError(
                        "too-wide",
                        said(
                            f"Más de {MOST} configuraciones.", f"More than {MOST} configurations."
                        ),
                        said("Usa el motor sat o diagram.", "Use the sat or diagram backend."),
                    )
                rows.sort()
                self._totals = np.asarray([self._cost(row) for row in rows], dtype=np.int64)
                self._rows = np.asarray(rows, dtype=np.int64).reshape(len(rows), len(self._sizes))
            return self._rows

    def _matching(self, pins: Pins, barred: Pins = ()) -> npt.NDArray[np.bool_]:
        rows = self._all()
        matching = np.ones(len(rows), dtype=np.bool_)
        for variable, value in pins:
            matching &= rows[:, variable] == value
        for variable, value in barred:
            matching &= rows[:, variable] != value
        return matching

    def number(self, effort: int | None = None) -> int:
        """How many configurations are listed, each piece of a wide number once.

        Raises ``SearchTooLongError`` where that takes more questions than ``effort``.
        """
        return len(self._all(effort))

    # --- answers ----------------------------------------------------------------------

    def marginals(
        self,
        pins: Pins,
        *,
        changes: bool = False,
        fixed: Pins = (),
        settle: bool = True,
        totals: bool = True,
    ) -> Marginals:
        """See ``Backend``; read off the list of all configurations."""
        rows = self._all()
        size = int(self._offsets[-1])
        missed = np.zeros(len(rows), dtype=np.int64)
        for variable, value in pins:
            missed += rows[:, variable] != value
        told = self._matching(fixed)
        matching = told & (missed == 0)
        valid = np.zeros(size, dtype=np.bool_)
        lowest = np.full(size, -1, dtype=np.int64)
        needed = np.full(size, -1, dtype=np.int64)
        repaired = np.full(size, -1, dtype=np.int64)
        for variable, values in enumerate(self._sizes):
            for value in range(values):
                place = int(self._offsets[variable]) + value
                here = told & (rows[:, variable] == value)
                if not here.any():
                    continue
                least = int(missed[here].min())
                best = int(self._totals[here & (missed == least)].min())
                needed[place], repaired[place] = least, best
                if least == 0:
                    valid[place], lowest[place] = True, best
        return Marginals(
            bool(matching.any()),
            valid,
            np.zeros(size, dtype=np.bool_),
            lowest,
            np.ones(size, dtype=np.bool_),
            needed if changes else None,
            repaired if changes else None,
        )

    def count(self, pins: Pins, *, settle: bool = True) -> tuple[int, bool]:
        """See ``Backend``."""
        total = 0
        for row in self._all()[self._matching(pins)].tolist():
            weight = 1
            for value, multiplicity, hidden in zip(
                row, self._multiplicity, self._hidden, strict=True
            ):
                weight *= 1 if hidden else multiplicity[value]
            total += weight
        return total, True

    def cheapest(self, pins: Pins) -> tuple[int, ...] | None:
        """See ``Backend``."""
        rows = self._all()
        matching = np.flatnonzero(self._matching(pins))
        if not len(matching):
            return None
        found = matching[int(np.argmin(self._totals[matching]))]
        return tuple(int(value) for value in rows[found])


def _with_pinned(condition: Condition, pinned: dict[int, int]) -> Check:
    """A condition over what is left of its scope."""
    row = [pinned.get(variable, 0) for variable in condition.scope]
    places = [k for k, variable in enumerate(condition.scope) if variable not in pinned]

    def check(*values: int) -> bool:
        for place, value in zip(places, values, strict=True):
            row[place] = value
        return condition.check(*row)

    return check


def _counted(check: Check, asked: Iterator[int], effort: int) -> Check:
    def counted(*values: int) -> bool:
        if next(asked) >= effort:
            raise SearchTooLongError
        return check(*values)

    return counted


def _check_of(each: Constraint) -> Check:
    """The plain meaning of a constraint."""
    if isinstance(each, Clause):
        sets = [values for _, values in each.literals]
        return lambda *values: any(v in s for v, s in zip(values, sets, strict=True))
    if isinstance(each, AllowedTuples):
        allowed = set(each.tuples)
        return lambda *values: values in allowed
    return _sum_check(each)


def _sum_check(each: LinearSum) -> Check:
    def check(*values: int) -> bool:
        total = sum(row[value] for row, value in zip(each.weights, values, strict=True))
        return (each.low is None or each.low <= total) and (each.high is None or total <= each.high)

    return check

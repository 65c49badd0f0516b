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
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import constraint
import numpy as np
import numpy.typing as npt

from configurator.engine.backend import Core, Marginals, Pins, offsets_of
from configurator.engine.errors import EngineError, said
from configurator.engine.layout import NOT_ASKED
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
from configurator.engine.reading import Reading
from configurator.engine.truth import Answers, TruthOf
from configurator.model.expression import Expression
from configurator.model.product import Table, Variable

MOST = 300_000
"""Configurations listed before a product counts as too large for this backend."""

Values = tuple[int, ...]
Check = Callable[..., bool]


@dataclass(frozen=True, slots=True)
class Condition:
    """``check(*values of scope)`` must hold, unless its rule is left out."""

    scope: tuple[int, ...]
    check: Check
    owner: int


class ConstraintBackend:
    """See the module; implements ``Backend`` and ``Reasoner``."""

    name = "python-constraint"

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
    def of_product(cls, lowered: Lowered, within: Pins = ()) -> ConstraintBackend:
        """Judge a product, or what is left of it ``within`` some pins, by its own
        expressions."""
        reading = _Reading(lowered)
        return cls(
            lowered.network,
            reading.searched,
            tuple(reading.conditions()),
            reading.complete,
            reading.cost,
            within,
        )

    # --- searching --------------------------------------------------------------------

    def _problem(
        self, pins: Pins, owners: tuple[int, ...] | None, barred: Pins = ()
    ) -> constraint.Problem | None:
        """The search problem with some rules; ``None`` where a pin cannot be."""
        pinned = dict(pins)
        gone = set(barred)
        problem = constraint.Problem()
        for variable in self._searched:
            values = [
                value
                for value in range(self._sizes[variable])
                if pinned.get(variable, value) == value and (variable, value) not in gone
            ]
            if not values:
                return None
            problem.addVariable(variable, values)
        kept = None if owners is None else set(owners)
        for condition in self._conditions:
            if kept is not None and condition.owner != BACKGROUND and condition.owner not in kept:
                continue
            if not condition.scope:
                if not condition.check():
                    return None
                continue
            problem.addConstraint(
                constraint.FunctionConstraint(condition.check), list(condition.scope)
            )
        return problem

    def core(
        self, pins: Pins, owners: tuple[int, ...] | None = None, barred: Pins = ()
    ) -> Core | None:
        """See ``Reasoner``; all that was asked about, however few would do."""
        return None if self._consistent(pins, owners, barred) else (pins, owners or ())

    def _consistent(self, pins: Pins, owners: tuple[int, ...] | None, barred: Pins) -> bool:
        """Pins on variables that follow from others are checked on each solution."""
        if owners is None:
            return bool(self._matching(pins, barred).any())
        pins = tuple(sorted({**dict(self._within), **dict(pins)}.items()))
        searched = set(self._searched)
        later = [pin for pin in pins if pin[0] not in searched]
        never = [pin for pin in barred if pin[0] not in searched]
        problem = self._problem(
            tuple(pin for pin in pins if pin[0] in searched),
            owners,
            tuple(pin for pin in barred if pin[0] in searched),
        )
        if problem is None:
            return False
        for solution in problem.getSolutionIter():
            values = self._complete(solution)
            if all(values[v] == a for v, a in later) and all(values[v] != a for v, a in never):
                return True
        return False

    def _all(self) -> npt.NDArray[np.int64]:
        """Every configuration, in lexicographic order, with its cost."""
        with self._lock:
            if self._rows is None:
                problem = self._problem(self._within, None)
                solutions = iter(()) if problem is None else problem.getSolutionIter()
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

    def number(self) -> int:
        """How many configurations are listed, each piece of a wide number once."""
        return len(self._all())

    # --- answers ----------------------------------------------------------------------

    def marginals(self, pins: Pins, *, changes: bool = False, fixed: Pins = ()) -> Marginals:
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

    def count(self, pins: Pins) -> tuple[int, bool]:
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


class _Reading:
    """A product's rules as conditions over the variables of its network."""

    def __init__(self, lowered: Lowered) -> None:
        self._lowered = lowered
        self._meaning = lowered.meaning
        self._product = lowered.meaning.product
        self._names = {name: k for k, name in enumerate(lowered.network.owners)}
        self._by_index = {held.index: held for held in lowered.held.values()}
        self.searched = tuple(
            sorted(held.index for held in lowered.held.values() if not held.computed)
        )
        self._following = [held for held in lowered.held.values() if held.computed]
        self._reads = Reading(
            lowered.meaning, lambda _: True
        )  # no table of the lowering is trusted

    def complete(self, values: dict[int, int]) -> Values:
        """Adds what follows. Hidden helpers of the lowering are no part of the product:
        they stay 0 and nothing is said about them."""
        row = [0] * len(self._lowered.network.variables)
        for index, value in values.items():
            row[index] = value
        answers = self._answers(values)
        for held in self._following:
            answer = self._meaning.spelled(self._meaning.read(held.id)(answers))
            row[held.index] = held.answers.index(answer)
        return tuple(row)

    def cost(self, values: Values) -> int:
        """What a configuration costs for one unit, before any minimum."""
        if not self._lowered.pricing.charged:
            return 0
        searched = {index: values[index] for index in self.searched}
        answers = self._answers(searched)
        total = self._lowered.pricing.plain_sum(answers)
        for charge in self._lowered.wide:  # counted as the network counts them
            place = tuple(values[self._lowered.held[slot].index] for slot in charge.kept)
            total += int(charge.bound[place]) - charge.paid(answers)
        return total

    def _answers(self, values: dict[int, int]) -> dict[str, str | None]:
        found: dict[str, str | None] = {}
        for index, value in values.items():
            held = self._by_index[index]
            found[held.id] = held.answers[value]
        return found

    # --- conditions -------------------------------------------------------------------

    def conditions(self) -> list[Condition]:
        """Definitions and rules; what certainly fails is refused."""
        found: list[Condition] = []
        for variable in self._product.variables:
            found.extend(self._relevance(variable))
            found.extend(self._limits(variable))
        for rule in self._product.rules:
            if not rule.period.covers(self._meaning.day):
                continue
            when = self._meaning.condition(rule.when)
            if rule.require is not None:
                require = self._meaning.condition(rule.require)
                slots = self._slots(rule.when, rule.require)
                found.append(self._rule(slots, when, require, False, rule.id))
            if rule.forbid is not None:
                forbid = self._meaning.condition(rule.forbid)
                slots = self._slots(rule.when, rule.forbid)
                found.append(self._rule(slots, when, forbid, True, rule.id))
        for table in self._product.tables:
            found.extend(self._table(table))
        return found

    def _slots(self, *expressions: Expression | None) -> tuple[str, ...]:
        return self._reads.slots(*expressions)

    def _rule(
        self, slots: tuple[str, ...], when: TruthOf, then: TruthOf, bad: bool, name: str
    ) -> Condition:
        def check(answers: Answers) -> bool:
            return not (when(answers) is True and then(answers) is bad)

        return self._condition(slots, check, self._names[name])

    def _condition(
        self, slots: tuple[str, ...], check: Callable[[Answers], bool], owner: int
    ) -> Condition:
        held = [self._lowered.held[slot] for slot in slots]

        def of_values(*values: int) -> bool:
            return check({h.id: h.answers[v] for h, v in zip(held, values, strict=True)})

        return Condition(tuple(each.index for each in held), of_values, owner)

    def _relevance(self, variable: Variable) -> list[Condition]:
        slots = self._meaning.layout.by_variable[variable.id]
        if variable.kind == "computed" or variable.relevant_when is None or not slots:
            return []
        if slots[0].never:
            return []
        relevant = self._meaning.condition(variable.relevant_when)
        reads = self._slots(variable.relevant_when)
        return [
            self._condition(
                tuple(dict.fromkeys((slot.id, *reads))),
                _asked_where(slot.id, relevant),
                BACKGROUND,
            )
            for slot in slots
        ]

    def _limits(self, variable: Variable) -> list[Condition]:
        limits = variable.several
        slots = tuple(slot.id for slot in self._meaning.layout.by_variable[variable.id])
        name = f"limits:{variable.id}"
        if limits is None or name not in self._names:
            return []

        def check(answers: Answers) -> bool:
            quantities = [int(answers[slot] or 0) for slot in slots if answers[slot] != NOT_ASKED]
            if not quantities:
                return True
            kinds = sum(1 for quantity in quantities if quantity)
            pieces = limits.pieces or (0, sum(quantities))
            return (
                limits.pick[0] <= kinds <= limits.pick[1]
                and pieces[0] <= sum(quantities) <= pieces[1]
            )

        return [self._condition(slots, check, self._names[name])]

    def _table(self, table: Table) -> list[Condition]:
        if table.kind == "lookup" or not table.period.covers(self._meaning.day):
            return []
        rows = self._meaning.live_rows(table)
        cells = [cell for row in rows for cell in row.conditions]
        if table.kind == "allowed":
            tests = [self._meaning.row_holds(row) for row in rows]
            return [
                self._condition(
                    self._slots(*cells),
                    lambda answers: any(test(answers) is not False for test in tests),
                    self._names[table.id],
                )
            ]
        return [
            self._condition(
                self._slots(*row.conditions),
                _never_true(self._meaning.row_holds(row)),
                self._names[f"{table.id}#{row.id}" if row.id else table.id],
            )
            for row in rows
        ]


def _never_true(test: TruthOf) -> Callable[[Answers], bool]:
    return lambda answers: test(answers) is not True


def _asked_where(slot: str, relevant: TruthOf) -> Callable[[Answers], bool]:
    return lambda answers: (answers[slot] == NOT_ASKED) is not (relevant(answers) is True)

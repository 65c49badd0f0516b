"""Formulas in, constraints out: the growing network and its hidden variables.

Knows network variables and formulas only. A hidden variable is always defined by an
equivalence, so it is a function of the others and adds no configurations.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from configurator.engine.lowering.formula import (
    All,
    Disjunction,
    Formula,
    Literal,
    Rows,
    Some,
    Sum,
    disjunction,
    negation,
    scope_of_formula,
    with_escapes,
)
from configurator.engine.network import (
    BACKGROUND,
    AllowedTuples,
    Clause,
    Constraint,
    LinearSum,
    NetworkVariable,
    PackedTuples,
)

SPREAD = 24
"""A formula that would need more clauses than this gets hidden variables instead."""

TABLED = 4096
"""A clause with rows in it is tabulated where its variables have so few combinations."""


class Emitter:
    """Collects variables and constraints."""

    def __init__(self) -> None:
        self.variables: list[NetworkVariable] = []
        self.sizes: list[int] = []
        self.constraints: list[Constraint] = []
        self.owners: list[str] = []
        self._owner_index: dict[str, int] = {}
        self._hidden: dict[Formula, Literal] = {}

    def add_variable(
        self, name: str, multiplicity: tuple[int, ...], *, hidden: bool = False
    ) -> int:
        """A new network variable; returns its index."""
        self.variables.append(NetworkVariable(name, multiplicity, hidden))
        self.sizes.append(len(multiplicity))
        return len(self.sizes) - 1

    def owner(self, name: str) -> int:
        """The index of a rule, the same for the same name."""
        if name not in self._owner_index:
            self._owner_index[name] = len(self.owners)
            self.owners.append(name)
        return self._owner_index[name]

    def require(self, formula: Formula, owner: int = BACKGROUND) -> None:
        """The formula must hold."""
        for clause in self._clauses(formula):
            self._emit(clause, owner)

    def allow(
        self, scope: Sequence[int], tuples: frozenset[tuple[int, ...]], owner: int = BACKGROUND
    ) -> None:
        """``scope`` must take one of ``tuples``."""
        array = np.array(sorted(tuples), dtype=np.int32).reshape(len(tuples), len(scope))
        self.allow_array(scope, array, owner)

    def allow_array(
        self, scope: Sequence[int], rows: npt.NDArray[Any], owner: int = BACKGROUND
    ) -> None:
        """``scope`` must take one of the rows; a row may come twice."""
        order = sorted(range(len(scope)), key=lambda place: scope[place])
        ordered = tuple(scope[place] for place in order)
        if len(ordered) == 1:
            values = frozenset(rows[:, 0].tolist())
            if len(values) < self.sizes[ordered[0]]:
                self.constraints.append(Clause(((ordered[0], values),), owner))
            return
        distinct = _distinct(rows[:, order], [self.sizes[each] for each in ordered])
        if len(distinct) < math.prod(self.sizes[each] for each in ordered):
            self.constraints.append(AllowedTuples(ordered, PackedTuples(distinct), owner))

    def defined(self, formula: Formula) -> Literal:
        """A literal of a hidden yes-or-no variable that holds exactly where the formula does."""
        if isinstance(formula, Rows):
            return self._rows_defined(formula)
        found = self._hidden.get(formula)
        if found is None:
            index = self.add_variable(f"holds:{len(self.sizes)}", (1, 1), hidden=True)
            found = self._hidden[formula] = Literal(index, frozenset((1,)))
            fails = Literal(index, frozenset((0,)))
            # Part by part: as a whole, a wide conjunction would be led back to this very
            # variable, and that direction of the definition would be lost.
            for part in _conjuncts(formula):
                self.require(disjunction((fails, part), self.sizes))
            for part in _conjuncts(negation(formula, self.sizes)):
                self.require(disjunction((found, part), self.sizes))
        return found

    # --- clauses ----------------------------------------------------------------------

    def _clauses(self, formula: Formula) -> list[Disjunction]:
        if formula is True:
            return []
        if formula is False:
            return [()]
        if isinstance(formula, All):
            return [clause for part in formula.parts for clause in self._clauses(part)]
        if isinstance(formula, Some):
            return self._spread(formula)
        return [(formula,)]

    def _spread(self, formula: Some) -> list[Disjunction]:
        """Distribute, with hidden variables for the parts that would spread too far."""
        count = 1
        parts: list[Formula] = []
        for part in sorted(formula.parts, key=_clause_count):
            weight = _clause_count(part)
            if count * weight > SPREAD:
                parts.append(self.defined(part))
            else:
                count *= weight
                parts.append(part)
        clauses: list[Disjunction] = []
        for chosen in itertools.product(*(self._clauses(part) for part in parts)):
            merged = disjunction((leaf for clause in chosen for leaf in clause), self.sizes)
            if merged is True:
                continue
            if isinstance(merged, Some):
                clauses.append(tuple(_leaf(part) for part in merged.parts))
            elif merged is False:
                clauses.append(())
            else:
                clauses.append((_leaf(merged),))
        return clauses

    def _emit(self, clause: Disjunction, owner: int) -> None:
        literals = [leaf for leaf in clause if isinstance(leaf, Literal)]
        others: list[Sum | Rows] = [leaf for leaf in clause if not isinstance(leaf, Literal)]
        if len(others) > 1 and not self._tabled(clause):
            literals += [self.defined(leaf) for leaf in others[1:]]
            others = others[:1]
        if not others:
            self._emit_literals(literals, owner)
        elif self._tabled(clause) and not (len(others) == 1 and isinstance(others[0], Sum)):
            self._tabulate(clause, owner)
        elif isinstance(others[0], Sum):
            for bounded in with_escapes(others[0], literals, self.sizes):
                self.constraints.append(
                    LinearSum(bounded.scope, bounded.weights, bounded.low, bounded.high, owner)
                )
        elif not literals and not others[0].negated:
            self.allow(others[0].scope, others[0].tuples, owner)
        elif others[0].negated:
            for row in sorted(others[0].tuples):
                wrong = [
                    Literal(variable, frozenset(range(self.sizes[variable])) - {value})
                    for variable, value in zip(others[0].scope, row, strict=True)
                ]
                self.require(disjunction((*wrong, *literals), self.sizes), owner)
        else:
            self._emit_literals([*literals, self._rows_defined(others[0])], owner)

    def _rows_defined(self, rows: Rows) -> Literal:
        """A hidden variable that says whether ``rows`` holds, by a table."""
        found = self._hidden.get(rows)
        if found is None:
            index = self.add_variable(f"holds:{len(self.sizes)}", (1, 1), hidden=True)
            found = self._hidden[rows] = Literal(index, frozenset((1,)))
            every = itertools.product(*(range(self.sizes[v]) for v in rows.scope))
            self.allow(
                (*rows.scope, index),
                frozenset((*row, int((row in rows.tuples) is not rows.negated)) for row in every),
            )
        return found

    def _emit_literals(self, literals: Sequence[Literal], owner: int) -> None:
        united = disjunction(literals, self.sizes)
        if united is True:
            return
        if united is False:
            parts: tuple[Formula, ...] = ()
        else:
            parts = united.parts if isinstance(united, Some) else (united,)
        self.constraints.append(
            Clause(
                tuple(
                    sorted(
                        ((p.variable, p.values) for p in parts if isinstance(p, Literal)),
                        key=lambda literal: literal[0],
                    )
                ),
                owner,
            )
        )

    def _tabled(self, clause: Disjunction) -> bool:
        product = 1
        for leaf in clause:
            if isinstance(leaf, Sum) and len(leaf.scope) > 4:
                return False
        for variable in {v for leaf in clause for v in scope_of_formula(leaf)}:
            product *= self.sizes[variable]
            if product > TABLED:
                return False
        return True

    def _tabulate(self, clause: Disjunction, owner: int) -> None:
        scope = tuple(sorted({v for leaf in clause for v in scope_of_formula(leaf)}))
        place = {variable: k for k, variable in enumerate(scope)}
        kept = frozenset(
            row
            for row in itertools.product(*(range(self.sizes[v]) for v in scope))
            if any(_leaf_holds(leaf, row, place) for leaf in clause)
        )
        self.allow(scope, kept, owner)


def _distinct(rows: npt.NDArray[Any], sizes: Sequence[int]) -> npt.NDArray[Any]:
    """The rows sorted, each once."""
    if math.prod(sizes) >= 1 << 62:
        return np.unique(rows, axis=0)
    keys = np.zeros(len(rows), dtype=np.int64)
    for column, size in enumerate(sizes):
        keys = keys * size + rows[:, column]
    _, first = np.unique(keys, return_index=True)
    return rows[first]


def _leaf(formula: Formula) -> Literal | Sum | Rows:
    assert isinstance(formula, Literal | Sum | Rows)
    return formula


def _clause_count(formula: Formula) -> int:
    if isinstance(formula, All):
        return sum(_clause_count(part) for part in formula.parts)
    if isinstance(formula, Some):
        count = 1
        for part in formula.parts:
            count = min(count * _clause_count(part), 10**9)
        return count
    return 1


def _leaf_holds(leaf: Literal | Sum | Rows, row: tuple[int, ...], place: dict[int, int]) -> bool:
    if isinstance(leaf, Literal):
        return row[place[leaf.variable]] in leaf.values
    if isinstance(leaf, Rows):
        return (tuple(row[place[v]] for v in leaf.scope) in leaf.tuples) is not leaf.negated
    total = sum(weights[row[place[v]]] for v, weights in zip(leaf.scope, leaf.weights, strict=True))
    return (leaf.low is None or leaf.low <= total) and (leaf.high is None or total <= leaf.high)


def _conjuncts(formula: Formula) -> tuple[Formula, ...]:
    return formula.parts if isinstance(formula, All) else (formula,)

"""Tables of rules: allowed, forbidden, and look-ups that set numbers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from configurator.engine.lowering.conditions import Conditions
from configurator.engine.lowering.emitter import Emitter
from configurator.engine.lowering.formula import (
    All,
    Formula,
    Literal,
    conjunction,
    disjunction,
)
from configurator.model.product import TableRow

EXPANDED = 60_000
"""Tuples a table may be written out into."""

Cells = dict[int, frozenset[int]]
"""What one row asks of each variable."""


def allowed_rows(
    conditions: Conditions, emitter: Emitter, rows: Sequence[TableRow], owner: int
) -> None:
    """Some row is not certainly false."""
    formulas = [conjunction(conditions.possibly(cell) for cell in row.conditions) for row in rows]
    some_of(emitter, formulas, owner)


def forbidden_row(conditions: Conditions, emitter: Emitter, row: TableRow, owner: int) -> None:
    """The row is not certainly true."""
    holds = conjunction(conditions.certainly(cell) for cell in row.conditions)
    emitter.require(conditions.denied(holds), owner)


def some_of(emitter: Emitter, formulas: Sequence[Formula], owner: int) -> None:
    """At least one formula holds; as tuples where they are few."""
    if any(formula is True for formula in formulas):
        return
    cells = [_cells(formula) for formula in formulas if formula is not False]
    known = [each for each in cells if each is not None]
    if known and len(known) == len(cells):
        scope = sorted({variable for row in known for variable in row})
        if _expand(emitter, known, scope, owner):
            return
        narrowed = [_narrow(emitter, known, variable) for variable in scope]
        rows = [
            {
                index: frozenset(classes[value] for value in row[variable])
                for variable, (index, classes) in zip(scope, narrowed, strict=True)
                if variable in row
            }
            for row in known
        ]
        if _expand(emitter, rows, [index for index, _ in narrowed], owner):
            return
    emitter.require(disjunction(formulas, emitter.sizes), owner)


def _cells(formula: Formula) -> Cells | None:
    """A conjunction of literals, or ``None``."""
    parts = formula.parts if isinstance(formula, All) else (formula,)
    cells: Cells = {}
    for part in parts:
        if not isinstance(part, Literal):
            return None
        cells[part.variable] = part.values
    return cells


def _expand(emitter: Emitter, rows: Sequence[Cells], scope: Sequence[int], owner: int) -> bool:
    total = 0
    for row in rows:
        total += math.prod(len(row[v]) if v in row else emitter.sizes[v] for v in scope)
        if total > EXPANDED:
            return False
    tuples: set[tuple[int, ...]] = set()
    for row in rows:
        choices = [sorted(row[v]) if v in row else range(emitter.sizes[v]) for v in scope]
        tuples.update(itertools.product(*choices))
    if len(tuples) < math.prod(emitter.sizes[v] for v in scope):
        emitter.allow(tuple(scope), frozenset(tuples), owner)
    return True


def _narrow(emitter: Emitter, rows: Sequence[Cells], variable: int) -> tuple[int, list[int]]:
    """Values no row tells apart become one value of a hidden variable, a function."""
    size = emitter.sizes[variable]
    signatures = [
        tuple(variable in row and value in row[variable] for row in rows) for value in range(size)
    ]
    numbers: dict[tuple[bool, ...], int] = {}
    classes = [numbers.setdefault(signature, len(numbers)) for signature in signatures]
    if len(numbers) == size:
        return variable, list(range(size))
    index = emitter.add_variable(f"class:{len(emitter.sizes)}", (1,) * len(numbers), hidden=True)
    emitter.allow((variable, index), frozenset(enumerate(classes)))
    return index, classes


def looked_up(
    conditions: Conditions,
    emitter: Emitter,
    rows: Sequence[tuple[TableRow, int]],
    result: int,
    otherwise: int,
) -> None:
    """``result`` takes the value of the first row that is not certainly false, else
    ``otherwise``; for tables too wide to tabulate."""
    sizes = emitter.sizes
    before: list[Formula] = []
    for row, value in rows:
        fits = conjunction(conditions.possibly(cell) for cell in row.conditions)
        literal: Formula = fits
        if not isinstance(fits, bool | Literal):
            literal = emitter.defined(fits)
        taken = Literal(result, frozenset((value,)))
        emitter.require(disjunction((conditions.denied(literal), *before, taken), sizes))
        before.append(literal)
    emitter.require(disjunction((*before, Literal(result, frozenset((otherwise,)))), sizes))

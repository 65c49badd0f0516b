"""Tables of rules: allowed, forbidden, and look-ups that set numbers.

An allowed table is written out as tuples where they are not too many. Else it becomes a
chain: after each column a hidden variable says which rows are still possible. Both are
computed on arrays, never row by row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from configurator.engine.errors import too_wide
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

EXPANDED = 16_000_000
"""Cells (tuples times columns) a table may be written out into."""

CHAINED = 400_000
"""Steps a chain may have; and bytes of a level of it in thousands, while it is built."""

NAMED_ROWS = 2_000
"""Rows that may get a hidden variable each where nothing else fits."""

Int32 = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]


def allowed_rows(
    conditions: Conditions, emitter: Emitter, rows: Sequence[TableRow], owner: int
) -> None:
    """Some row is not certainly false."""
    possible: dict[int, Formula] = {}  # rows share the conditions of equal cells

    def of(row: TableRow) -> list[Formula]:
        parts = []
        for cell in row.conditions:
            if id(cell) not in possible:
                possible[id(cell)] = conditions.possibly(cell)
            parts.append(possible[id(cell)])
        return parts

    some_of(emitter, [of(row) for row in rows], owner, conditions.subject)


def forbidden_row(conditions: Conditions, emitter: Emitter, row: TableRow, owner: int) -> None:
    """The row is not certainly true."""
    holds = conjunction(conditions.certainly(cell) for cell in row.conditions)
    emitter.require(conditions.denied(holds), owner)


def some_of(emitter: Emitter, rows: Sequence[Sequence[Formula]], owner: int, subject: str) -> None:
    """The parts of at least one row hold, all of them."""
    grid = _grid(emitter, rows)
    if grid is None:
        emitter.require(disjunction(map(conjunction, rows), emitter.sizes), owner)
        return
    if not len(grid.cells):
        emitter.require(False, owner)
        return
    if not (grid.cells.any(axis=1)).all():  # a row that says nothing always holds
        return
    if grid.expanded() > EXPANDED:
        grid = _narrowed(emitter, grid)
    if grid.expanded() <= EXPANDED:
        emitter.allow_array(grid.scope, _written_out(grid), owner)
    elif not _chained(emitter, grid, owner):
        if len(grid.cells) > NAMED_ROWS:
            raise too_wide(
                subject,
                (
                    f"La tabla «{subject}» tiene demasiadas filas con demasiadas alternativas.",
                    f"The table “{subject}” has too many rows with too many alternatives.",
                ),
                (
                    "Divídela en tablas de menos columnas.",
                    "Split it into tables of fewer columns.",
                ),
            )
        emitter.require(disjunction(map(conjunction, rows), emitter.sizes), owner)


# --- rows as arrays ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Grid:
    """A table over ``scope``: ``cells[r, k]`` numbers a set of values of column ``k``,
    ``sets[k][number]`` says for each value whether it is in; number 0 is all of them."""

    scope: tuple[int, ...]
    cells: Int32
    sets: tuple[Flags, ...]

    def expanded(self) -> float:
        """How many cells it has when written out."""
        widths = np.ones(len(self.cells))
        for column, flags in enumerate(self.sets):
            widths *= flags.sum(axis=1)[self.cells[:, column]]
        return float(widths.sum()) * len(self.scope)


def _grid(emitter: Emitter, rows: Sequence[Sequence[Formula]]) -> _Grid | None:
    """The rows that can hold, each once; ``None`` where a part is no literal."""
    numbers: dict[int, dict[frozenset[int], int]] = {}
    found: dict[tuple[tuple[int, int], ...], None] = {}
    for row in rows:
        cells: dict[int, frozenset[int]] = {}
        for part in row:
            for each in part.parts if isinstance(part, All) else (part,):
                if each is True:
                    continue
                if each is False:
                    cells[-1] = frozenset()
                    continue
                if not isinstance(each, Literal):
                    return None
                known = cells.get(each.variable)
                cells[each.variable] = each.values if known is None else known & each.values
        if all(cells.values()):
            key = []
            for variable, values in cells.items():
                of = numbers.setdefault(variable, {})
                key.append((variable, of.setdefault(values, len(of) + 1)))
            found[tuple(key)] = None
    scope = tuple(sorted(numbers))
    column = {variable: place for place, variable in enumerate(scope)}
    cells_of = np.zeros((len(found), len(scope)), dtype=np.int32)
    for place, entries in enumerate(found):
        for variable, number in entries:
            cells_of[place, column[variable]] = number
    sets = []
    for variable in scope:
        flags = np.zeros((len(numbers[variable]) + 1, emitter.sizes[variable]), dtype=bool)
        flags[0] = True
        for values, number in numbers[variable].items():
            flags[number, list(values)] = True
        sets.append(flags)
    return _Grid(scope, cells_of, tuple(sets))


def _narrowed(emitter: Emitter, grid: _Grid) -> _Grid:
    """Values no row tells apart become one value of a hidden variable, a function."""
    scope, sets = [], []
    for variable, flags in zip(grid.scope, grid.sets, strict=True):
        apart, first, classes = np.unique(flags, axis=1, return_index=True, return_inverse=True)
        if apart.shape[1] == flags.shape[1]:
            scope.append(variable)
            sets.append(flags)
            continue
        order = np.argsort(np.argsort(first))  # classes in the order of their first values
        of_value = order[classes.reshape(-1)]
        index = emitter.add_variable(
            f"class:{len(emitter.sizes)}", (1,) * apart.shape[1], hidden=True
        )
        pairs = np.stack([np.arange(flags.shape[1]), of_value], axis=1)
        emitter.allow_array((variable, index), pairs)
        scope.append(index)
        sets.append(apart[:, np.argsort(order)])
    return _sorted(
        _Grid(tuple(scope), grid.cells, tuple(sets)),
        sorted(range(len(scope)), key=lambda k: scope[k]),
    )


def _sorted(grid: _Grid, order: Sequence[int]) -> _Grid:
    return _Grid(
        tuple(grid.scope[k] for k in order),
        grid.cells[:, list(order)],
        tuple(grid.sets[k] for k in order),
    )


def _written_out(grid: _Grid) -> Int32:
    """Every tuple some row allows; a tuple may come twice."""
    row = np.arange(len(grid.cells))
    columns: list[Int32] = []
    for place, flags in enumerate(grid.sets):
        width = flags.sum(axis=1)
        start = np.concatenate(([0], np.cumsum(width)))[:-1]
        values = np.nonzero(flags)[1].astype(np.int32)
        number = grid.cells[row, place]
        many = width[number]
        within = np.arange(int(many.sum())) - np.repeat(np.cumsum(many) - many, many)
        columns = [np.repeat(column, many) for column in columns]
        columns.append(values[np.repeat(start[number], many) + within])
        row = np.repeat(row, many)
    return np.stack(columns, axis=1)


# --- chains ------------------------------------------------------------------------------


def _chained(emitter: Emitter, grid: _Grid, owner: int) -> bool:
    """The table as a chain of hidden variables, or nothing where it would be too long.

    Read column by column, as an automaton: its state is the set of rows still possible,
    as far as what is left of them differs; states from which the same can follow are
    merged. A state is a function of the values read, so it adds no configurations.
    """
    # Columns in which many rows say something first, so that rows fall away early.
    grid = _sorted(grid, np.argsort((grid.cells == 0).sum(axis=0), kind="stable").tolist())
    steps = _automaton(grid)
    if steps is None:
        return False
    before = -1
    for place, (variable, step) in enumerate(zip(grid.scope, steps, strict=True)):
        state, value = np.nonzero(step >= 0)
        columns: list[tuple[int, npt.NDArray[np.intp]]] = [(variable, value)]
        if before >= 0:
            columns.append((before, state))
        before = -1
        following = int(step.max()) + 1
        if place + 1 < len(steps) and following > 1:
            before = emitter.add_variable(
                f"rows:{len(emitter.sizes)}", (1,) * following, hidden=True
            )
            columns.append((before, step[state, value]))
        array = np.stack([column for _, column in columns], axis=1)
        emitter.allow_array([each for each, _ in columns], array, owner)
    return True


def _automaton(grid: _Grid) -> list[npt.NDArray[np.int64]] | None:
    """For each column, where every state goes with every value; -1 where no row is left."""
    depth = len(grid.scope)
    rest = [np.zeros(len(grid.cells), dtype=np.int64)]
    firsts = [np.zeros(1, dtype=np.int64)]
    for column in reversed(range(depth)):
        pair = grid.cells[:, column] * (int(rest[0].max()) + 1) + rest[0]
        _, first, number = np.unique(pair, return_index=True, return_inverse=True)
        rest.insert(0, number.reshape(-1))
        firsts.insert(0, first)
    states = np.ones((1, len(firsts[0])), dtype=bool)
    steps: list[npt.NDArray[np.int64]] = []
    taken = 0
    for column, flags in enumerate(grid.sets):
        size = flags.shape[1]
        taken += len(states) * size
        known: dict[bytes, int] = {}
        kept: list[Flags] = []
        step = np.full((len(states), size), -1, dtype=np.int64)
        after = rest[column + 1][firsts[column]]  # what is left of each rest
        order = np.argsort(after, kind="stable")
        begins = np.searchsorted(after[order], np.arange(len(firsts[column + 1])))
        open_end = np.flatnonzero((grid.cells[firsts[column + 1], column + 1 :] == 0).all(axis=1))
        if taken > CHAINED or states.size * 8 > CHAINED * 1000:
            return None
        for value in range(size):
            fits = flags[grid.cells[firsts[column], column], value]
            left = np.logical_or.reduceat((states & fits)[:, order], begins, axis=1)
            if len(open_end):  # a row that asks nothing more makes the others idle
                done = left[:, open_end[0]].copy()
                left[done] = False
                left[done, open_end[0]] = True
            packed = np.packbits(left, axis=1)
            for state in np.flatnonzero(left.any(axis=1)).tolist():
                key = packed[state].tobytes()
                if key not in known:
                    known[key] = len(kept)
                    kept.append(left[state])
                step[state, value] = known[key]
        steps.append(step)
        if not kept:
            kept.append(np.zeros(len(firsts[column + 1]), dtype=bool))
        states = np.stack(kept)
    return _merged(steps)


def _merged(steps: list[npt.NDArray[np.int64]]) -> list[npt.NDArray[np.int64]]:
    """States with equal steps are one; those that lead nowhere are gone."""
    name = np.zeros(int(steps[-1].max()) + 1 if steps[-1].size else 1, dtype=np.int64)
    found: list[npt.NDArray[np.int64]] = []
    for step in reversed(steps):
        step = np.where(step >= 0, name[np.maximum(step, 0)], -1)
        different, number = np.unique(step, axis=0, return_inverse=True)
        number = number.reshape(-1)
        alive = (different >= 0).any(axis=1)
        renamed = np.where(alive, np.cumsum(alive) - 1, -1)
        found.append(different[alive])
        name = renamed[number]
    return found[::-1]


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

"""Looks at tables by their columns alone, without any solver: for gaps and overlaps in a
lookup, and for values that an allowed table never takes.

What the columns show is final only where nothing else in the product says anything about
them, on whatever day; for all other tables the engine looks which inputs can be reached.
Every column's domain is cut into pieces inside which all rows behave alike; a piece is a set
of the rows it fits. A walk over the product of the pieces, merging equal states, meets a gap
(no row left) or two rows that disagree, with an example of each.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction

from configurator.language.cells import Column
from configurator.language.draft import Draft, listed
from configurator.language.scope import Declared
from configurator.language.spreadsheet import Sheet
from configurator.language.terms import plain
from configurator.model import expression as model
from configurator.model.choice import NO, NONE, YES
from configurator.model.diagnostic import Span
from configurator.model.product import ALWAYS, TableRow

MOST_STATES = 200_000
Point = Fraction | str | None
"""A number, an id, or ``None`` for "none"."""


class _UntoldError(Exception):
    """A cell compares with something that is no constant."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """A table to check once the whole product is read. A table of prices (``charged``)
    needs no row for "none", which costs nothing. ``always``: it is read whatever the day
    and the answers, and so are its rows."""

    rows: tuple[TableRow, ...]
    first_match: bool
    columns: tuple[Column, ...]
    sheet: Sheet
    always: bool
    sets: tuple[str, ...] = ()
    charged: bool = False


@dataclass(slots=True)
class _Piece:
    example: str
    rows: int


def check_lookups(draft: Draft, lookups: list[Lookup], ruled: Collection[str]) -> None:
    """Report ``lookup-gap`` and ``lookup-overlap``, each once per table, with an example.

    Only tables that always count, and that neither read nor set variables of which rules
    say something, are judged here: ``ruled`` names these variables.
    """
    for lookup in lookups:
        if (
            lookup.always
            and not any(name in ruled for name in lookup.sets)
            and all(_free(column.typed.declared, ruled) for column in lookup.columns)
        ):
            _check(draft, lookup)


def check_listed(draft: Draft, sheet: Sheet, columns: Collection[Column], about: Span) -> None:
    """Doubt what no row of an allowed table takes: values, and ``none`` of what is optional.
    Nobody can ever choose it. ``about`` is the rule, where the doubt may be accepted."""
    for column in columns:
        declared = column.typed.declared
        if declared is None or not isinstance(column.typed.term, model.Read):
            continue
        if declared.kind in ("context", "computed"):
            continue
        try:
            left = _left_out(declared, column)
        except _UntoldError:
            continue
        place, name = sheet.place(1, column.index), sheet.columns[column.index]
        if None in left:
            draft.report.warn("none-never-listed", place, about, column=name)
        values = [_shown(declared, each) for each in left if each is not None]
        if values:
            draft.report.warn(
                "value-never-listed", place, about, column=name, values=listed(values)
            )


def _left_out(declared: Declared, column: Column) -> list[Point]:
    """The listed values of a column, and ``none``, that none of its cells takes."""
    points = _listed(declared) or []
    if declared.optional:
        points = [*points, None]
    cells = column.cells.values()
    return [each for each in points if not any(_holds(cell, each) for cell in cells)]


def _free(declared: Declared | None, ruled: Collection[str]) -> bool:
    """Whether each of its values goes with each value of all other free variables."""
    if declared is None or declared.kind == "computed" or declared.id in ruled:
        return False
    return all(value.period == ALWAYS for value in declared.values.values())


def _check(draft: Draft, lookup: Lookup) -> None:
    """Report what is wrong, where it can be told."""
    rows, sheet = lookup.rows, lookup.sheet
    pieces = []
    for column in lookup.columns:
        found = _pieces(column, lookup.charged)
        if found is None:
            return
        pieces.append(found)
    states: dict[int, tuple[str, ...]] = {(1 << len(rows)) - 1: ()}
    visited = 0
    for column, column_pieces in zip(lookup.columns, pieces, strict=True):
        following: dict[int, tuple[str, ...]] = {}
        for left, example in states.items():
            for piece in column_pieces:
                visited += 1
                if visited > MOST_STATES:
                    return
                here = (*example, f"{sheet.columns[column.index]} = {piece.example}")
                both = left & piece.rows
                if not both:
                    draft.report.stop("lookup-gap", sheet.place(1, 0), example=", ".join(here))
                    return
                following.setdefault(both, here)
        states = following
    if lookup.first_match:
        return
    for left, example in states.items():
        fitting = [row for at, row in enumerate(rows) if left >> at & 1]
        other = next((row for row in fitting if row.sets != fitting[0].sets), None)
        if other is not None:
            draft.report.stop(
                "lookup-overlap",
                other.span,
                first=fitting[0].span.line,
                second=other.span.line,
                example=", ".join(example),
            )
            return


def _pieces(column: Column, charged: bool) -> list[_Piece] | None:
    """The pieces of a column's domain, equal ones merged; ``None`` if it cannot be told."""
    conditions = [column.cells[text] for text in column.said]
    declared = column.typed.declared
    if declared is None or not isinstance(column.typed.term, model.Read):
        return None
    points = _points(declared, [each for each in conditions if each is not None])
    if points is None:
        return None
    if charged:
        points = [point for point in points if point is not None]
    found: dict[int, _Piece] = {}
    for point in points:
        mask = 0
        for at, condition in enumerate(conditions):
            try:
                mask |= _holds(condition, point) << at
            except _UntoldError:
                return None
        found.setdefault(mask, _Piece(_shown(declared, point), mask))
    return list(found.values())


def _points(declared: Declared, conditions: list[model.Condition]) -> list[Point] | None:
    points = _listed(declared)
    if points is None and declared.sort == "number":
        points = list(_cuts(declared, conditions))
    if points is None:
        return None
    return [*points, None] if declared.optional else points


def _listed(declared: Declared) -> list[Point] | None:
    """The values a variable lists; ``None`` where it has a range or anything else."""
    if declared.sort == "symbol":
        return list(declared.values)
    if declared.sort == "yes or no":
        return [Fraction(1), Fraction(0)]
    return list(declared.numbers) if declared.numbers else None


def _cuts(declared: Declared, conditions: list[model.Condition]) -> list[Fraction]:
    """One number of every run between the constants the cells name."""
    constants = {
        term.value
        for condition in conditions
        for term in _terms(condition)
        if isinstance(term, model.Number)
    }
    limits = declared.number
    step = limits.step if limits else Fraction(1, 10**declared.decimals)
    near = {constant + shift for constant in constants for shift in (-step, 0, step)}
    if limits is None:
        return sorted(near) or [Fraction(0)]
    near |= {limits.low, limits.high}
    inside = {
        limits.low + (each - limits.low) // step * step
        for each in near
        if limits.low <= each <= limits.high
    }
    return sorted(inside)


def _terms(condition: model.Condition) -> list[model.Term | None]:
    if isinstance(condition, model.Comparison):
        return [condition.right]
    if isinstance(condition, model.And):
        return [term for part in condition.conditions for term in _terms(part)]
    found: list[model.Term | None] = []
    if isinstance(condition, model.Membership):
        for item in condition.items:
            if isinstance(item, model.Range):
                found += [item.low, item.high]
            else:
                found.append(item)
    return found


def _holds(condition: model.Condition | None, point: Point) -> bool:
    if condition is None:
        return True
    if isinstance(condition, model.Comparison):
        return _compare(condition.operator, point, _value(condition.right))
    if isinstance(condition, model.And):
        return all(_holds(part, point) for part in condition.conditions)
    if not isinstance(condition, model.Membership):
        raise _UntoldError
    inside = any(
        _within(item, point) if isinstance(item, model.Range) else point == _value(item)
        for item in condition.items
    )
    return inside != condition.negated


def _within(ends: model.Range, point: Point) -> bool:
    if point is None:
        return False
    above = ends.low is None or _compare(">=", point, _value(ends.low))
    below = ends.high is None or _compare("<=", point, _value(ends.high))
    return isinstance(point, Fraction) and above and below


def _value(term: model.Term) -> Point:
    """The constant a term is."""
    match term:
        case model.Number(value=number):
            return number
        case model.YesNo(value=answer):
            return Fraction(answer)
        case model.Symbol(value=word):
            return word
        case model.Nothing():
            return None
        case _:
            raise _UntoldError


def _compare(operator: str, point: Point, value: Point) -> bool:
    if operator in ("=", "!="):
        return (point == value) == (operator == "=")
    if not isinstance(point, Fraction) or not isinstance(value, Fraction):
        return False
    return {
        "<": point < value,
        "<=": point <= value,
        ">": point > value,
        ">=": point >= value,
    }[operator]


def _shown(declared: Declared, point: Point) -> str:
    """A point as it is written in a cell."""
    if point is None:
        return NONE
    if isinstance(point, str):
        return point
    if declared.sort == "yes or no":
        return YES if point else NO
    return declared.numbers.get(point, plain(point))

"""Two-valued formulas over network variables, and how they become clauses.

Leaves are literals (a variable takes one of some values), bounded sums, and rows
(a few variables take one of some tuples). Nothing here knows of products.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import gcd
from typing import NamedTuple


class Literal(NamedTuple):
    """``variable`` takes one of ``values``."""

    variable: int
    values: frozenset[int]


@dataclass(frozen=True, slots=True)
class Sum:
    """``low <= sum of weights <= high``; ``None`` is unbounded."""

    scope: tuple[int, ...]
    weights: tuple[tuple[int, ...], ...]
    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class Rows:
    """``scope`` takes one of ``tuples`` (or, ``negated``, none of them)."""

    scope: tuple[int, ...]
    tuples: frozenset[tuple[int, ...]]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one part holds."""

    parts: tuple[Formula, ...]


Leaf = Literal | Sum | Rows
Formula = bool | Literal | Sum | Rows | All | Some
Disjunction = tuple[Leaf, ...]


def conjunction(parts: Iterable[Formula]) -> Formula:
    """All of them, flattened; literals of one variable and bounds of one sum meet."""
    joined = _joined(parts, All)
    if not isinstance(joined, All):
        return joined
    sums: dict[tuple[object, object], Sum] = {}
    rest: list[Formula] = []
    for part in joined.parts:
        if not isinstance(part, Sum):
            rest.append(part)
            continue
        key = (part.scope, part.weights)
        known = sums.get(key, part)
        sums[key] = Sum(
            part.scope,
            part.weights,
            _tighter(known.low, part.low, max),
            _tighter(known.high, part.high, min),
        )
    every: tuple[Formula, ...] = (*rest, *sums.values())
    return every[0] if len(every) == 1 else All(every)


def _tighter(one: int | None, other: int | None, pick: Callable[[int, int], int]) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    return pick(one, other)


def disjunction(parts: Iterable[Formula], sizes: Sequence[int]) -> Formula:
    """Some of them, flattened; literals of one variable unite."""
    joined = _joined(parts, Some)
    if isinstance(joined, Some):
        for part in joined.parts:
            if isinstance(part, Literal) and len(part.values) == sizes[part.variable]:
                return True
    elif isinstance(joined, Literal) and len(joined.values) == sizes[joined.variable]:
        return True
    return joined


def _joined(parts: Iterable[Formula], kind: type[All] | type[Some]) -> Formula:
    neutral = kind is All
    literals: dict[int, frozenset[int]] = {}
    others: list[Formula] = []
    for part in parts:
        for each in part.parts if isinstance(part, kind) else (part,):
            if isinstance(each, bool):
                if each is not neutral:
                    return each
            elif isinstance(each, Literal):
                known = literals.get(each.variable)
                if known is None:
                    literals[each.variable] = each.values
                else:
                    literals[each.variable] = (
                        known & each.values if neutral else known | each.values
                    )
            else:
                others.append(each)
    if neutral and not all(literals.values()):
        return False
    every: list[Formula] = [
        Literal(variable, values) for variable, values in literals.items() if values
    ]
    every.extend(others)
    if not every:
        return neutral
    return every[0] if len(every) == 1 else kind(tuple(every))


def negation(formula: Formula, sizes: Sequence[int]) -> Formula:
    """The formula that holds exactly where this one does not."""
    if isinstance(formula, bool):
        return not formula
    if isinstance(formula, Literal):
        rest = frozenset(range(sizes[formula.variable])) - formula.values
        return Literal(formula.variable, rest) if rest else False
    if isinstance(formula, Rows):
        return Rows(formula.scope, formula.tuples, not formula.negated)
    if isinstance(formula, Sum):
        parts: list[Formula] = []
        if formula.low is not None:
            parts.append(Sum(formula.scope, formula.weights, None, formula.low - 1))
        if formula.high is not None:
            parts.append(Sum(formula.scope, formula.weights, formula.high + 1, None))
        return disjunction(parts, sizes)
    inside = [negation(part, sizes) for part in formula.parts]
    return disjunction(inside, sizes) if isinstance(formula, All) else conjunction(inside)


def scope_of_formula(formula: Formula) -> tuple[int, ...]:
    """The variables of a formula, each once, in order."""
    found: dict[int, None] = {}
    stack = [formula]
    while stack:
        part = stack.pop()
        if isinstance(part, Literal):
            found[part.variable] = None
        elif isinstance(part, Sum | Rows):
            found.update(dict.fromkeys(part.scope))
        elif isinstance(part, All | Some):
            stack.extend(reversed(part.parts))
    return tuple(found)


def normal_sum(
    scope: Sequence[int], weights: Sequence[Sequence[int]], low: int | None, high: int | None
) -> Formula:
    """A sum with constants moved to the bounds and the common divisor taken out."""
    kept: list[tuple[int, list[int]]] = []
    shift, divisor = 0, 0
    for variable, row in zip(scope, weights, strict=True):
        least = min(row)
        shift += least
        moved = [weight - least for weight in row]
        if any(moved):
            kept.append((variable, moved))
            divisor = gcd(divisor, *moved)
    low = None if low is None else low - shift
    high = None if high is None else high - shift
    divisor = divisor or 1
    if low is not None:
        low = -(-low // divisor)
    if high is not None:
        high = high // divisor
    most = sum(max(row) for _, row in kept) // divisor
    if low is not None and low <= 0:
        low = None
    if high is not None and high >= most:
        high = None
    if (low is not None and low > most) or (high is not None and high < 0):
        return False
    if low is not None and high is not None and low > high:
        return False
    if low is None and high is None:
        return True
    kept.sort()
    return Sum(
        tuple(variable for variable, _ in kept),
        tuple(tuple(weight // divisor for weight in row) for _, row in kept),
        low,
        high,
    )


def with_escapes(target: Sum, escapes: Sequence[Literal], sizes: Sequence[int]) -> list[Sum]:
    """Sums that hold exactly where ``target`` or one of the literals holds.

    Each escape lowers the sum by so much that its bound cannot bind ("big M"), which
    needs no new variable.
    """
    if not escapes:
        return [target]
    sides: list[Sum] = []
    if target.high is not None:
        sides.append(Sum(target.scope, target.weights, None, target.high))
    if target.low is not None:
        turned = tuple(tuple(-weight for weight in row) for row in target.weights)
        sides.append(Sum(target.scope, turned, None, -target.low))
    found: list[Sum] = []
    for side in sides:
        assert side.high is not None
        rows = {v: list(row) for v, row in zip(side.scope, side.weights, strict=True)}
        excess = sum(max(row) for row in rows.values()) - side.high
        if excess <= 0:
            continue
        for variable, values in escapes:
            row = rows.setdefault(variable, [0] * sizes[variable])
            for value in values:
                row[value] -= excess
        scope = sorted(rows)
        normal = normal_sum(scope, [rows[v] for v in scope], None, side.high)
        if isinstance(normal, Sum):  # otherwise some escape always holds
            found.append(normal)
    return found

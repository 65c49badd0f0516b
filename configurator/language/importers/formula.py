"""Propositional formulas over features, and how the rule language writes them.

Features are named by position in their model; whoever renders supplies the ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Is:
    """The feature is selected."""

    feature: int


@dataclass(frozen=True, slots=True)
class Not:
    """The formula does not hold."""

    part: Formula


@dataclass(frozen=True, slots=True)
class And:
    """Every part holds."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Some part holds."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Implies:
    """Where ``left`` holds, ``right`` does."""

    left: Formula
    right: Formula


@dataclass(frozen=True, slots=True)
class Iff:
    """Both hold, or neither."""

    left: Formula
    right: Formula


Formula = Is | Not | And | Or | Implies | Iff

_LOOSENESS = {Iff: 0, Implies: 1, Or: 2, And: 3, Not: 4, Is: 5}


def negated(formula: Formula) -> Formula:
    """Its opposite, without doubling a negation."""
    return formula.part if isinstance(formula, Not) else Not(formula)


def render(formula: Formula, ids: Sequence[str]) -> str:
    """The formula as a condition of the rule language."""
    match formula:
        case Is(feature):
            return ids[feature]
        case Not(part):
            return f"not {_inside(part, 4, ids)}"
        case And(parts):
            return " and ".join(_inside(part, 4, ids) for part in parts)
        case Or(parts):
            return " or ".join(_inside(part, 3, ids) for part in parts)
        case Implies(left, right):
            return f"{_inside(left, 2, ids)} => {_inside(right, 2, ids)}"
        case Iff(left, right):
            return f"{_inside(left, 1, ids)} <=> {_inside(right, 1, ids)}"


def _inside(part: Formula, tightness: int, ids: Sequence[str]) -> str:
    text = render(part, ids)
    return text if _LOOSENESS[type(part)] >= tightness else f"({text})"


def clauses(formula: Formula) -> list[Formula]:
    """The formula's outer conjunction, each part a rule of its own."""
    match formula:
        case And(parts):
            return [clause for part in parts for clause in clauses(part)]
        case Not(Or(parts)):
            return [clause for part in parts for clause in clauses(negated(part))]
        case Not(Not(part)):
            return clauses(part)
    return [formula]


@dataclass(frozen=True, slots=True)
class Reading:
    """A formula as a merchandiser would write it: what must hold where something does.

    ``when`` alone is something that cannot be; ``require`` alone always holds.
    """

    when: Formula | None
    require: Formula | None


def reading(formula: Formula) -> Reading:
    """The most readable rule that says the same as ``formula``.

    A clause is read as an implication from its negative literals to its positive ones.
    """
    match formula:
        case Implies(left, right):
            return _implication(left, right)
        case Not(And(parts)):
            return _clause([negated(part) for part in parts])
        case Not(part):
            return Reading(part, None)
        case Or(parts):
            return _clause(list(parts))
    return Reading(None, formula)


def _clause(parts: list[Formula]) -> Reading:
    against = tuple(part.part for part in parts if isinstance(part, Not))
    positive = tuple(part for part in parts if not isinstance(part, Not))
    return Reading(_joined(And, against), _joined(Or, positive))


def _implication(left: Formula, right: Formula) -> Reading:
    if isinstance(right, Not):
        parts = left.parts if isinstance(left, And) else (left,)
        return Reading(And((*parts, right.part)), None)
    return Reading(left, right)


def _joined(kind: type[And] | type[Or], parts: tuple[Formula, ...]) -> Formula | None:
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else kind(parts)

"""Expressions of the rule language, parsed, with every name resolved.

Terms have a value, conditions are true, false or open (docs/language.md, "Truth").
Numbers are exact fractions in the unit the author wrote them in; dates are
``datetime.date``. Nothing here computes: see ``engine.truth``.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from configurator.model.diagnostic import NOWHERE, Span

# --- terms --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Number:
    """A constant number."""

    value: Fraction
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Day:
    """A constant date."""

    value: datetime.date
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Today:
    """The session's pinned day."""

    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Symbol:
    """A value of a one-of variable, named beside the variable it is compared with."""

    variable: str
    value: str
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class YesNo:
    """The constants ``yes`` and ``no`` (1 and 0 in arithmetic)."""

    value: bool
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Nothing:
    """The constant ``none``: the customer wants nothing."""

    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Read:
    """The value of a variable (never of a several-of)."""

    variable: str
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact of the chosen value, times the variable's ``times``: ``panel.thickness``."""

    variable: str
    fact: str
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Quantity:
    """How many of one value of a several-of: ``inside.shelf``."""

    variable: str
    value: str
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Pieces:
    """All pieces of a several-of: ``count(inside)``."""

    variable: str
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Kinds:
    """How many kinds of a several-of are taken: ``kinds(inside)``."""

    variable: str
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class SumOfFact:
    """A fact summed over the quantities of one several-of, ``sum(inside.load)``, or,
    with ``variable`` ``None``, over the whole configuration, ``sum(weight)``."""

    variable: str | None
    fact: str
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class TextLength:
    """The number of letters of a text; open where none was given."""

    variable: str
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class DatePart:
    """``weekday`` (mon = 1 … sun = 7), ``month`` or ``year`` of a date."""

    part: Literal["weekday", "month", "year"]
    date: Term
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class LowestTotal:
    """The lowest reachable total, in the currency's unit; guards only."""

    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Negative:
    """The negated number."""

    term: Term
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Two terms joined by ``+ - * /``; exact. A date plus or minus a number is a date."""

    operator: Literal["+", "-", "*", "/"]
    left: Term
    right: Term
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Else:
    """``term`` where it has a number, else ``fallback``."""

    term: Term
    fallback: Term
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Extreme:
    """The smallest or largest of some terms: ``min(a, b)``."""

    function: Literal["min", "max"]
    terms: tuple[Term, ...]
    span: Span = NOWHERE


Term = (
    Number
    | Day
    | Today
    | Symbol
    | YesNo
    | Nothing
    | Read
    | Fact
    | Quantity
    | Pieces
    | Kinds
    | SumOfFact
    | TextLength
    | DatePart
    | LowestTotal
    | Negative
    | Arithmetic
    | Else
    | Extreme
)

# --- conditions ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two terms compared. ``=`` and ``!=`` treat ``none`` as a value; the others do not."""

    operator: Literal["=", "!=", "<", "<=", ">", ">="]
    left: Term
    right: Term
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Range:
    """``low..high``, both ends included; ``None`` is an open end."""

    low: Term | None
    high: Term | None


@dataclass(frozen=True, slots=True)
class Membership:
    """``term in [a, b, 3..5]``; the set is a list of terms and ranges."""

    term: Term
    items: tuple[Term | Range, ...]
    negated: bool = False
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Relevant:
    """``x is relevant`` or, negated, ``x is not relevant``; never open."""

    variable: str
    negated: bool = False
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Has:
    """``extras has any of [rack, bell]`` (``mode`` any, all, none, only)."""

    variable: str
    mode: Literal["any", "all", "none", "only"]
    values: tuple[str, ...]
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Not:
    """True where the condition is false; open where it is open."""

    condition: Condition
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class And:
    """False if any is false, else open if any is open, else true."""

    conditions: tuple[Condition, ...]
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Or:
    """True if any is true, else open if any is open, else false."""

    conditions: tuple[Condition, ...]
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Constant:
    """A condition that is always true or always false."""

    value: bool
    span: Span = NOWHERE


Condition = Comparison | Membership | Relevant | Has | Not | And | Or | Constant
"""``a => b`` arrives as ``not a or b``; ``a <=> b`` as both directions; a yes-or-no
variable used as a condition as ``variable = yes``; ``has x`` as ``has all of [x]``."""

Expression = Term | Condition


def parts_of(expression: Expression) -> Iterator[Expression]:
    """The expression and everything inside it."""
    waiting: list[Expression] = [expression]
    while waiting:
        each = waiting.pop()
        yield each
        match each:
            case And(conditions=inside) | Or(conditions=inside):
                waiting.extend(inside)
            case Not(condition=condition):
                waiting.append(condition)
            case Comparison(left=left, right=right) | Arithmetic(left=left, right=right):
                waiting += [left, right]
            case Membership(term=term, items=items):
                waiting.append(term)
                for item in items:
                    if isinstance(item, Range):
                        waiting += [end for end in (item.low, item.high) if end is not None]
                    else:
                        waiting.append(item)
            case Negative(term=term):
                waiting.append(term)
            case DatePart(date=term):
                waiting.append(term)
            case Else(term=term, fallback=fallback):
                waiting += [term, fallback]
            case Extreme(terms=terms):
                waiting.extend(terms)
            case _:
                pass


def mentions(expression: Expression, kind: type) -> bool:
    """Whether a part of that kind occurs in an expression."""
    return any(isinstance(each, kind) for each in parts_of(expression))

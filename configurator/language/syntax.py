"""Expressions as written: a tree of words, no meaning yet.

The tree keeps offsets into the expression's text. ``language.grammar`` builds it;
names are resolved in ``language.terms`` and ``language.resolve``.
"""

from __future__ import annotations

from dataclasses import dataclass

RESERVED = frozenset(
    ("and", "or", "not", "in", "is", "has", "of", "else", "relevant", "yes", "no", "none")
) | frozenset(
    ("today", "only", "any", "all", "sum", "count", "kinds", "min", "max", "lowest-total")
)


@dataclass(slots=True)
class Word:
    """``yes``, ``no`` or ``none``."""

    at: int
    word: str
    depth: int = 1


@dataclass(slots=True)
class Number:
    """A number as written, and the unit beside it."""

    at: int
    text: str
    unit: str | None
    depth: int = 1


@dataclass(slots=True)
class Day:
    """A date as written."""

    at: int
    text: str
    depth: int = 1


@dataclass(slots=True)
class Parameter:
    """``$name``."""

    at: int
    name: str
    depth: int = 1


@dataclass(slots=True)
class Path:
    """``name``, ``name.part``, ``name[1].part``."""

    at: int
    names: tuple[str, ...]
    copy: str | None = None
    depth: int = 1


@dataclass(slots=True)
class Call:
    """``function(a, b)``."""

    at: int
    function: str
    arguments: tuple[Syntax, ...]
    depth: int = 1


@dataclass(slots=True)
class Negative:
    """``-a``."""

    at: int
    term: Syntax
    depth: int = 1


@dataclass(slots=True)
class Arithmetic:
    """``a + b`` and its like."""

    at: int
    operator: str
    left: Syntax
    right: Syntax
    depth: int = 1


@dataclass(slots=True)
class Else:
    """``a else b``."""

    at: int
    term: Syntax
    fallback: Syntax
    depth: int = 1


@dataclass(slots=True)
class Comparison:
    """``a <= b``; the operator in its one spelling."""

    at: int
    operator: str
    left: Syntax
    right: Syntax
    depth: int = 1


@dataclass(slots=True)
class Range:
    """``low..high``, open where ``None``."""

    at: int
    low: Syntax | None
    high: Syntax | None
    depth: int = 1


@dataclass(slots=True)
class Membership:
    """``a in [b, c..d]``."""

    at: int
    term: Syntax
    items: tuple[Syntax, ...]
    negated: bool
    depth: int = 1


@dataclass(slots=True)
class Relevant:
    """``a is relevant``."""

    at: int
    term: Syntax
    negated: bool
    depth: int = 1


@dataclass(slots=True)
class Has:
    """``a has any of [b, c]``."""

    at: int
    term: Syntax
    mode: str
    items: tuple[Syntax, ...]
    depth: int = 1


@dataclass(slots=True)
class Not:
    """``not a``."""

    at: int
    condition: Syntax
    depth: int = 1


@dataclass(slots=True)
class Joined:
    """``a and b``, ``a or b``, ``a => b``, ``a <=> b`` (``operator``)."""

    at: int
    operator: str
    parts: tuple[Syntax, ...]
    depth: int = 1


Syntax = (
    Word
    | Number
    | Day
    | Parameter
    | Path
    | Call
    | Negative
    | Arithmetic
    | Else
    | Comparison
    | Range
    | Membership
    | Relevant
    | Has
    | Not
    | Joined
)


class ExpressionError(Exception):
    """The text is not an expression: a key of the message catalogue and its arguments."""

    def __init__(self, key: str, at: int, **arguments: str) -> None:
        super().__init__(key)
        self.key = key
        self.at = at
        self.arguments = arguments


SPELLING = {"==": "=", "<>": "!=", "≠": "!=", "≤": "<=", "≥": ">="}
"""Other spellings of the operators, and the one that is kept."""

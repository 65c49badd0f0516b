"""The names an expression may use: variables, context, facts.

Declared before any expression is read, so that order never matters.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from configurator.model.diagnostic import Span
from configurator.model.product import (
    DayRange,
    FactType,
    Kind,
    NumberRange,
    SeveralOf,
    TextLimits,
    Value,
)

Sort = Literal["number", "yes or no", "date", "symbol", "several of", "text"]
"""What a name is worth in an expression."""


@dataclass(slots=True)
class Declared:
    """A variable or a context variable, before its expressions are read."""

    id: str
    kind: Kind | Literal["context"]
    sort: Sort
    span: Span
    values: dict[str, Value] = field(default_factory=dict)
    unit: str | None = None
    decimals: int = 0
    optional: bool = False
    number: NumberRange | None = None
    days: DayRange | None = None
    several: SeveralOf | None = None
    text: TextLimits | None = None
    numbers: dict[Fraction, str] = field(default_factory=dict)
    facts: dict[str, int] = field(default_factory=dict)
    """For each fact some value has: how many values have it."""
    flawed: bool = False
    """Its own declaration has mistakes, so that others about it would only follow."""


@dataclass(slots=True)
class Scope:
    """Everything declared so far."""

    names: dict[str, Declared] = field(default_factory=dict)
    facts: dict[str, FactType] = field(default_factory=dict)
    pending: set[str] = field(default_factory=set)
    """Names that belong to constructs which are not built yet; reading one is no mistake."""
    prices: set[str] = field(default_factory=set)
    """Ids of price lines: rules may not read them."""

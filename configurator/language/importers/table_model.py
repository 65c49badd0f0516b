"""A model of variables and tables of tuples, as constraint formats say it.

Knows neither the notations nor the rule language.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from configurator.model.diagnostic import Span

MOST_CELLS = 5_000_000
"""Over all tables; a relation that many constraints share counts each time."""


@dataclass(frozen=True, slots=True)
class TableVariable:
    """A question and its original values, in their order.

    ``absent`` is the value that stands for "this option is not there", if one does.
    """

    name: str
    values: tuple[str, ...]
    span: Span
    absent: str | None = None


@dataclass(frozen=True, slots=True)
class Tuples:
    """The tuples over ``scope`` that are allowed, or forbidden; each value is one of
    its variable's, and no tuple comes twice."""

    name: str
    kind: Literal["allowed", "forbidden"]
    scope: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]
    span: Span


@dataclass(slots=True)
class TableModel:
    """The whole model. ``notation`` is how people call the file's format."""

    name: str
    file: str
    notation: str
    variables: list[TableVariable] = field(default_factory=list)
    tables: list[Tuples] = field(default_factory=list)

"""A feature model as every notation for feature models says it.

A tree of features, groups that count how many children a selected parent has, and
formulas across the tree. Knows neither the notations nor the rule language.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from configurator.language.importers.formula import Formula
from configurator.model.diagnostic import Span

MOST_FEATURES = 50_000
MOST_DEPTH = 200
"""How deep brackets and elements of markup may nest; a tree may be as deep as its text."""


@dataclass(slots=True)
class Feature:
    """One feature. ``name`` is the original one; ``parent`` is -1 for the root.

    ``numbers`` and ``yes_or_no`` are its attributes as far as rules could read them,
    numbers as canonical decimal text; ``notes`` are the others.
    """

    name: str
    parent: int
    span: Span
    numbers: list[tuple[str, str]] = field(default_factory=list)
    yes_or_no: list[tuple[str, bool]] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    help: str | None = None


@dataclass(slots=True)
class Group:
    """Between ``low`` and ``high`` of ``members`` where ``parent`` is selected, else none."""

    parent: int
    low: int
    high: int
    members: list[int]


@dataclass(frozen=True, slots=True)
class Formulated:
    """A formula that holds in every configuration, with the words it was written in."""

    formula: Formula
    text: str
    span: Span


@dataclass(slots=True)
class FeatureModel:
    """The whole model. Feature 0 is the root and part of every configuration.

    ``notation`` is how people call the file's format; ``file`` its name.
    """

    name: str
    file: str
    notation: str
    features: list[Feature] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    formulas: list[Formulated] = field(default_factory=list)

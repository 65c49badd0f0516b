"""Attributes of features as facts of the rule language.

A fact is declared once, with as many decimals as its numbers show. An attribute that is
a number here and something else there stays a number where it is one.
"""

from __future__ import annotations

from collections.abc import Sequence

from configurator.language.importers.feature_model import Feature
from configurator.language.importers.ids import Ids, as_id
from configurator.language.importers.writing import one_line, scalar

_KEYS = """
    name type values default range step decimals unit optional relevant-when compute round show
    times price price-each help doubts ask pick each pieces length letters irreversible sku because
    why owner source review-by from until status accept lead-days consumes provides yes no tax
    lookup tiers rows when-out-of-stock weekday month year
"""
"""What may stand beside a fact in a variable, with ``-`` for blanks: no fact may be called so."""


class Facts:
    """The facts of a model; ids are taken from ``given``, so they clash with no variable."""

    def __init__(self, features: Sequence[Feature], given: Ids) -> None:
        self.features = features
        self.decimals: dict[str, int] = {}
        truths: dict[str, None] = {}
        for feature in features:
            for key, number in feature.numbers:
                places = len(number.partition(".")[2])
                self.decimals[key] = max(places, self.decimals.get(key, 0))
            truths.update((key, None) for key, _ in feature.yes_or_no)
        self.truths = [key for key in truths if key not in self.decimals]
        self.ids: dict[str, str] = {}
        keys = frozenset(_KEYS.split())
        for key in (*self.decimals, *self.truths):
            wanted = as_id(key, "a").lower()
            self.ids[key] = given.give(f"{wanted} fact" if wanted in keys else wanted, "a")

    def declarations(self) -> list[str]:
        """The section that declares them, for product.yaml."""
        if not self.ids:
            return []
        lines = ["attributes:"]
        for key, fact in self.ids.items():
            entries = [f"name: {scalar(one_line(key, 60))}"] if key != fact else []
            if key in self.truths:
                entries.append("type: yes or no")
            elif self.decimals[key]:
                entries.append(f"decimals: {self.decimals[key]}")
            lines.append(f"  {fact}: {{{', '.join(entries)}}}")
        return lines

    def entries(self, index: int) -> list[str]:
        """The facts of one feature, as entries of its mapping."""
        feature = self.features[index]
        numbers = {self.ids[key]: number for key, number in feature.numbers}
        truths = {
            self.ids[key]: "yes" if value else "no"
            for key, value in feature.yes_or_no
            if key in self.truths
        }
        return [f"{fact}: {value}" for fact, value in {**numbers, **truths}.items()]

"""What cells of tables say of an answer of ``none``: see docs/language.md, "Cells"."""

from __future__ import annotations

import datetime

import pytest

from configurator.engine import Engine, compile_product
from configurator.model.choice import Choice
from tests.language.folders import product

DAY = datetime.date(2026, 11, 22)

ALLOWED = """\
=== more.yaml
variables:
  shelves: {range: 0..5, optional: yes}
=== rules.yaml
rules:
  - {id: t, table: t.csv, kind: allowed, because: Not made.}
=== t.csv
shelves
"""

PRICED = """\
=== prices.yaml
prices:
  currency: EUR
  tax: {rate: 0 %, included: yes}
  lines:
    - {id: lamp, name: Lamp, table: p.csv, match: first}
=== p.csv
lights,price
"""


def compiled(text: str, backend: str = "auto") -> Engine:
    """The engine of the folder."""
    return compile_product(product(text), DAY, backend=backend)


@pytest.mark.parametrize("backend", ["diagram", "sat"])
@pytest.mark.parametrize(
    ("cell", "none", "three"),
    [
        ("*", True, True),
        ("none", True, False),
        ("2 | none", True, False),
        ("not 2", True, True),
        ("not 2..5", True, False),
        ("2", False, False),
        ("0..5", False, True),
        ("0..", False, True),
        (">= 0", False, True),
        ("< 4", False, True),
        ("not none", False, True),
    ],
)
def test_a_table_allows_none_where_a_cell_takes_it(
    cell: str, none: bool, three: bool, backend: str
) -> None:
    engine = compiled(f"{ALLOWED}{cell}\n", backend)
    answers = {"none": none, "3": three}
    assert answers == {
        answer: engine.is_possible((), Choice("shelves", answer)) for answer in answers
    }


@pytest.mark.parametrize(
    ("cell", "cents"),
    [("none", 500), ("none | front", 500), ("not front", 0), ("not none", 0), ("front", 0)],
)
def test_none_costs_what_a_price_names_it_for(cell: str, cents: int) -> None:
    engine = compiled(f"{PRICED}{cell},5.00\nfront | rear,1.00\n*,0.00\n")
    chosen = (Choice("lights", "none"), Choice("material", "aluminium"), Choice("brakes", "rim"))
    assert engine.lowest_total(chosen) == cents

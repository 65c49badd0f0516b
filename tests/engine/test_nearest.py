"""A repair moves a number no further than it must."""

from __future__ import annotations

import datetime

from configurator.engine import compile_product
from configurator.language import load_folder
from configurator.model.choice import Choice

SHELF = b"""
product: shelf
name: Shelf
language: en
languages: [en]
variables:
  width: {name: Width, type: number, range: 300..3000, step: 10, unit: mm, price each: 0.10}
  feet: {name: Feet, values: {two: {}, four: {}}}
  day: {name: Day, type: date, range: 1..90 days from today}
rules:
  - {id: wide-needs-four, when: feet = two, require: width <= 1200 mm, because: It bends.}
  - {id: two-take-time, when: feet = two, require: day >= today + 30, because: We order them.}
prices: {currency: EUR, base: 10.00}
"""


def test_numbers_and_days_go_to_the_nearest_that_is_possible() -> None:
    product = load_folder({"product.yaml": SHELF}).product
    assert product is not None
    engine = compile_product(product, datetime.date(2026, 11, 22))
    choices = (Choice("width", "2500"), Choice("day", "2026-11-25"))
    (repair, *_) = engine.repairs(choices, Choice("feet", "two"))
    assert [(each.slot, each.before, each.after) for each in repair.changes] == [
        ("width", "2500", "1200"),
        ("day", "2026-11-25", "2026-12-22"),
    ]
    assert engine.view(repair.choices).lowest_total == repair.lowest_total

"""Conditions over many questions mean what they say, however they are compiled."""

from __future__ import annotations

import datetime

import pytest

from configurator.engine import compile_product
from configurator.language import load_folder
from configurator.model.choice import Choice

MANY = 30
CS = [f"c{number}" for number in range(MANY)]
ANY, ALL = " or ".join(CS), " and ".join(CS)

# Every condition leaves 2^30 configurations with one answer to q and one with the other.
RULES = [
    f'when: "{ANY}", require: q',
    f'require: "({ALL}) or q"',
    f'forbid: "not q and ({ANY})"',
    f'require: "q or not ({ANY})"',
    f'when: "not q", require: "{ALL}"',
]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("backend", ["sat", "auto"])
def test_a_rule_over_many_questions_is_exact(rule: str, backend: str) -> None:
    questions = "\n".join(f"  {name}: {{name: {name}, type: yes or no}}" for name in [*CS, "q"])
    text = (
        "product: wide\nname: Wide\nlanguage: en\nlanguages: [en]\n"
        f"variables:\n{questions}\nrules:\n  - {{id: wide, {rule}, because: It is so.}}\n"
    )
    loaded = load_folder({"product.yaml": text.encode()})
    assert loaded.product is not None, loaded.diagnostics
    engine = compile_product(loaded.product, datetime.date(2026, 1, 1), backend=backend)
    nothing = tuple(Choice(name, "no") for name in CS)
    everything = tuple(Choice(name, "yes") for name in CS)
    some = (Choice("c3", "yes"), Choice("c4", "no"))
    without_q = Choice("q", "no")
    needs_all = "all" if ALL in rule else "none"
    assert not engine.is_possible(some, without_q)
    assert engine.is_possible(everything, without_q) is (needs_all == "all")
    assert engine.is_possible(nothing, without_q) is (needs_all == "none")
    assert engine.is_possible(some, Choice("q", "yes"))
    if backend == "auto":
        assert engine.view(()).count.number == 2**MANY + 1

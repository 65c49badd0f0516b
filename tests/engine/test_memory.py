"""What is remembered saves time, changes nothing and never outgrows its room."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from configurator.engine import Engine, EngineError, compile_product
from configurator.memory import Memory
from configurator.model.choice import Choice, Choices
from configurator.model.expression import Comparison, Read, YesNo
from configurator.model.product import Product, Rule
from tests.engine.products import DAY, product_of, products, yes_no


def test_a_memory_keeps_what_is_asked_for_and_forgets_the_rest() -> None:
    memory: Memory[int, str] = Memory(10)
    for number in range(1000):
        memory.keep(number, str(number))
        assert len(memory) <= 10
        assert memory.get(number) == str(number)
        assert memory.get(0) == "0"
    assert memory.get(500) is None


def test_a_memory_counts_weight() -> None:
    memory: Memory[str, int] = Memory(100)
    for number in range(50):
        memory.keep(f"heavy-{number}", number, 40)
        assert len(memory) <= 3


def test_what_is_asked_for_again_keeps_its_weight() -> None:
    memory: Memory[int, int] = Memory(100)
    for number in range(50):
        memory.keep(number, number, 20)
        for earlier in range(number):
            memory.get(earlier)
        assert len(memory) <= 5


def test_many_are_looked_up_as_one_by_one() -> None:
    memory: Memory[int, str] = Memory(8)
    for number in range(12):
        memory.keep(number, str(number))
    alone = [memory.get(number) for number in range(12)]
    assert memory.every(range(12)) == alone
    assert None in alone
    assert alone[-1] == "11"


def test_what_came_first_stays() -> None:
    memory: Memory[str, list[int]] = Memory(10)
    first = memory.keep("a", [1])
    assert memory.keep("a", [1]) is first
    assert memory.get("a") is first


def walked(engine: Engine, seed: int) -> list[Choices]:
    """Assignments a random customer comes by, back and forth."""
    randomness = random.Random(seed)
    choices: Choices = ()
    chosen = {s.id for s in engine.meaning.layout.slots if s.variable.kind != "computed"}
    seen = [choices]
    for _ in range(10):
        options = [
            Choice(slot.slot, option.answer)
            for slot in engine.view(choices).slots
            for option in slot.options
            if option.state == "possible" and slot.slot in chosen
        ]
        if not options or (choices and randomness.random() < 0.3):
            choices = choices[:-1]
        else:
            wanted = randomness.choice(options)
            choices = (*(each for each in choices if each.slot != wanted.slot), wanted)
        seen.append(choices)
    return seen


@given(product=products(), seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_busy_engine_answers_like_a_fresh_one(product: Product, seed: int) -> None:
    try:
        busy, fresh = (compile_product(product, DAY, backend="sat") for _ in range(2))
    except EngineError:
        return
    if not fresh.holds(()):  # in the area nobody named
        return
    conditions = [
        each for rule in product.rules for each in (rule.when, rule.require, rule.forbid) if each
    ]
    seen = [*walked(busy, seed), *walked(busy, seed + 1)]
    for choices in reversed(seen):
        assert busy.view(choices) == fresh.view(choices)
        domains = busy.domains(choices)
        listed = dict(domains)
        for condition in conditions:
            for lowest in (None, 500):
                verdict = busy.judge.truth(condition, domains, lowest)
                assert verdict is fresh.judge.truth(condition, listed, lowest)
                assert verdict is busy.judge.truth(condition, domains, lowest)


def test_reasons_of_a_large_view_are_not_worked_out_again(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"part-{number}" for number in range(300)]
    needed = Comparison("=", Read("part-0"), YesNo(True))
    rules = tuple(
        Rule(f"needs-{name}", None, require=Comparison("=", Read(name), YesNo(True)))
        for name in names
    )
    product = product_of(*(yes_no(name) for name in names), rules=rules)
    engine = compile_product(product, DAY, backend="sat")
    assert engine.judge.truth(needed, engine.domains(())) is True
    first = [engine.origin((), name) for name in names]
    assert [each.rules for each in first] == [(f"needs-{name}",) for name in names]

    def again(*_: object) -> None:
        raise AssertionError("it was known")

    monkeypatch.setattr(engine._reasons, "_conflict", again)
    assert [engine.origin((), name) for name in names] == first

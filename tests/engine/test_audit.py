"""What is said in vain is just what brute force finds to be so."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from configurator.engine import EngineError, compile_product
from configurator.engine.audit import Finding, audit
from configurator.model.product import Product
from tests.engine.oracle import SKIPPED, Oracle
from tests.engine.products import DAY, guarded, products
from tests.language.folders import product as written


def expected(product: Product) -> Iterator[Finding]:
    """The findings, without their reasons."""
    oracle = Oracle(product, DAY)
    every = [
        each
        for told in itertools.product(*(c.values for c in product.context))
        for each in oracle.every(dict(zip((c.id for c in product.context), told, strict=True)))
    ]
    broken = [frozenset(oracle.broken(each)) for each in every]
    left = [each for each, by in zip(every, broken, strict=True) if not by]
    dead: set[tuple[str, str]] = set()
    for variable in product.variables:
        if variable.kind == "computed" or not variable.period.covers(DAY):
            continue
        for slot, answers in oracle.domains(variable).items():
            taken = {each[slot] for each in left}
            given = [each for each in answers if each != "none"]
            missing = [each for each in given if each not in taken]
            if variable.kind == "several of":
                if answers != ["0"] and taken <= {"0", SKIPPED}:
                    yield Finding("dead-value", variable.id, variable.id, slot.partition(".")[2])
                continue
            listed = {each.id for each in variable.values}
            dead |= {(variable.id, each) for each in missing if each in listed}
            if taken == {SKIPPED}:
                yield Finding("always-same", variable.id)
            elif len(taken) == 1 and taken < set(given):
                yield Finding("always-same", variable.id, variable.id, *taken)
            else:
                for each in missing:
                    if each in listed:
                        yield Finding("dead-value", variable.id, variable.id, each)
    for guard in product.guards:
        truths = {oracle.truth(guard.when, each) is True for each in left}
        if truths == {False}:
            yield Finding("guard-never", guard.id)
            continue
        if truths == {True}:
            yield Finding("guard-always", guard.id)
        for each in guard.suggest:
            if (each.variable, each.value) in dead:
                yield Finding("suggest-invalid", guard.id, each.variable, each.value)
    for rule in product.rules:
        refuses = [by for by in broken if rule.id in by]
        if not refuses:
            yield Finding("rule-never-fires", rule.id)
        elif {rule.id} not in refuses:
            yield Finding("rule-redundant", rule.id)


def bare(found: Iterator[Finding] | tuple[Finding, ...]) -> list[Finding]:
    return sorted((replace(each, because=()) for each in found), key=repr)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(product=products(prices=False))
def test_findings_are_what_brute_force_finds(product: Product) -> None:
    product = guarded(product)
    try:
        engine = compile_product(product, DAY)
    except EngineError:
        return
    found = audit(engine)
    assert bare(found) == bare(expected(product))
    for each in found:
        if each.kind == "rule-redundant":
            assert_minimal(product, each)


def assert_minimal(product: Product, redundant: Finding) -> None:
    """Those that make a rule redundant do so alone, and none of them can be missed."""
    rules = {each.id: each for each in product.rules}
    if not set(redundant.because) <= set(rules) or any(v.several for v in product.variables):
        return  # a table or a limit takes part, or may

    def refuses_something(others: tuple[str, ...]) -> bool:
        kept = tuple(rules[each] for each in (redundant.about, *others))
        fewer = replace(product, rules=kept, tables=(), guards=())
        return all(each.about != redundant.about for each in expected(fewer))

    assert not refuses_something(redundant.because)
    for each in redundant.because:
        assert refuses_something(tuple(name for name in redundant.because if name != each))


DAY_OF_RULES = datetime.date(2026, 11, 22)

RULES = """\
rules:
  - {id: ring, when: depth = 600, require: bell, because: So.}
  - {id: light, when: material = carbon, require: brakes = disc, because: So.}
  - {id: same, when: brakes = rim, require: material = aluminium, because: So.}
  - {id: deep, when: depth > 400, require: bell, because: So.}
  - {id: wide, when: width > 3000 and width < 2000, require: bell, because: So.}
guards:
  - {id: rim, level: hint, when: material = carbon and brakes = rim, say: So.}
  - {id: any-width, level: hint, when: width >= 600, say: So.}
"""


def findings(text: str) -> list[Finding]:
    return list(audit(compile_product(written(text), DAY_OF_RULES)))


def test_reasons_are_named() -> None:
    assert findings(RULES) == [
        Finding("guard-never", "rim", because=("light",)),
        Finding("guard-always", "any-width"),
        Finding("rule-redundant", "ring", because=("deep",)),
        Finding("rule-redundant", "light", because=("same",)),
        Finding("rule-redundant", "same", because=("light",)),
        Finding("rule-never-fires", "wide"),
    ]


DATED = """\
variables:
  rack: {values: {iron: {until: 2026-12-31}, steel: {from: 2027-01-01}, wood: {}}}
rules:
  - {id: old, forbid: rack = wood, until: 2026-12-31, because: So.}
  - {id: new, forbid: rack = steel and material = carbon, because: So.}
guards:
  - {id: steel, level: hint, when: rack = steel, say: So.}
"""


def test_what_changes_on_a_later_day_is_not_in_vain() -> None:
    assert findings(DATED) == []
    assert [
        (each.kind, each.answer) for each in findings(DATED.replace("until: 2026-12-31, b", "b"))
    ] == [("dead-value", "wood")]


def test_rules_of_the_calendar_are_left_alone() -> None:
    rule = "rules:\n  - {id: r, when: material = carbon, require: %s, because: So.}\n"
    assert findings(rule % "today > 2027-01-01") == []
    assert findings(rule % "start > today + 90") == [
        Finding("always-same", "material", "material", "aluminium", ("r",))
    ]


def test_what_is_too_hard_to_find_out_is_not_doubted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("configurator.engine.audit.PROPAGATIONS", 0)
    assert findings(RULES) == []

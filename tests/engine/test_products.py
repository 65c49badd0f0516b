"""Every backend against brute force, on random products (docs/engine.md)."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from configurator.engine import Engine, EngineError, compile_product
from configurator.engine.lowering import conditions as conditions_module
from configurator.engine.lowering import emitter as emitter_module
from configurator.engine.lowering import survey as survey_module
from configurator.engine.lowering import tables as tables_module
from configurator.model.choice import Choice
from configurator.model.product import Product
from configurator.model.verdict import Conflict
from tests.engine.oracle import SKIPPED, Oracle
from tests.engine.products import DAY, products, walks

BACKENDS = ["sat", "python-constraint", "auto"]
SETTINGS = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def compiled(product: Product, backend: str) -> Engine:
    return compile_product(product, DAY, backend=backend)


def walk(oracle: Oracle, seed: int) -> tuple[Choice, ...]:
    """Some choices that hold together."""
    rng = random.Random(seed)
    target = rng.choice(oracle.configurations)
    slots = [slot for slot in oracle.slots() if target[slot] != SKIPPED]
    rng.shuffle(slots)
    return tuple(Choice(slot, target[slot]) for slot in slots[: rng.randrange(len(slots) + 1)])


@pytest.mark.parametrize("backend", BACKENDS)
@given(product=products(), seed=st.integers(0, 99))
@SETTINGS
def test_views_are_what_brute_force_finds(backend: str, product: Product, seed: int) -> None:
    oracle = Oracle(product, DAY)
    if not oracle.configurations:
        if not Oracle(product, DAY, {"area": "far"}).configurations:
            with pytest.raises(EngineError, match="void"):
                compile_product(product, DAY, backend="sat")
        return
    engine = compiled(product, backend)
    choices = walk(oracle, seed)
    left = oracle.with_choices(choices)
    view = engine.view(choices)
    totals = {id(c): oracle.total(c) for c in oracle.configurations}
    assert_total(view.lowest_total, view.lowest_exact, min(totals[id(c)] for c in left))
    if view.count.exact:
        assert view.count.number == len(left)
    else:
        assert view.count.number <= len(left)
    chosen = {choice.slot: choice.answer for choice in choices}
    seen = set()
    for slot in view.slots:
        if slot.variable in ("sum", "found"):
            continue
        seen.add(slot.slot)
        mine = {c[slot.slot] for c in left}
        if slot.slot in chosen:
            assert (slot.state, slot.answer) == ("chosen", chosen[slot.slot])
        elif mine == {SKIPPED}:
            assert slot.state == "not asked"
        elif len(mine) == 1:
            assert (slot.state, slot.answer) == ("implied", mine.pop())
        else:
            assert slot.state == "open"
        others = tuple(choice for choice in choices if choice.slot != slot.slot)
        for option in slot.options:
            wanted = Choice(slot.slot, option.answer)
            having = [c for c in oracle.with_choices(others) if c[slot.slot] == option.answer]
            fewest = oracle.fewest_changes(choices, wanted)
            if fewest is None:
                assert option.state == "impossible"
                assert option.changes is None
            elif having:
                assert option.state in ("possible", "implied", "chosen")
                assert option.changes == 0
                best = min(totals[id(c)] for c in having)
                assert view.lowest_total is not None
                assert option.difference is not None
                assert_total(view.lowest_total + option.difference, option.exact, best)
            else:
                assert option.state == "needs changes"
                assert option.changes == fewest
            assert engine.is_possible(choices, wanted) is bool(having)
    assert seen == set(oracle.slots())


@given(product=products(), seed=st.integers(0, 99))
@settings(SETTINGS, max_examples=120)
def test_nothing_changes_where_budgets_force_helpers(product: Product, seed: int) -> None:
    """Hidden variables, sums with escapes and chains answer as tables do."""
    oracle = Oracle(product, DAY)
    if not oracle.configurations:
        return
    choices = walk(oracle, seed)
    plain = compile_product(product, DAY, backend="sat").view(choices)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conditions_module, "ROWS_FIRST", 0)
        patch.setattr(emitter_module, "SPREAD", 1)
        patch.setattr(emitter_module, "TABLED", 0)
        patch.setattr(tables_module, "EXPANDED", 0)
        patch.setattr(survey_module, "TABULATED", 0)
        helped = compile_product(product, DAY, backend="sat").view(choices)
    for one, other in zip(plain.slots, helped.slots, strict=True):
        if one.variable not in ("sum", "found"):
            assert (one.state, one.answer) == (other.state, other.answer)
            assert [o.state for o in one.options] == [o.state for o in other.options]
            assert [o.changes for o in one.options] == [o.changes for o in other.options]
    if plain.count.exact and helped.count.exact:
        assert plain.count == helped.count


def assert_total(found: int | None, exact: bool, best: int) -> None:
    assert found is not None
    assert (found == best) if exact else (found <= best), (found, exact, best)


@pytest.mark.parametrize("backend", BACKENDS)
@given(product=products(), seed=st.integers(0, 99))
@SETTINGS
def test_completions_are_cheapest_and_bills_exact(
    backend: str, product: Product, seed: int
) -> None:
    oracle = Oracle(product, DAY)
    if not oracle.configurations:
        return
    engine = compiled(product, backend)
    choices = walk(oracle, seed)
    completion = engine.complete(choices)
    assert completion is not None
    answers = {choice.slot: choice.answer for choice in completion.answers}
    whole = {slot: answers.get(slot, SKIPPED) for slot in oracle.slots()}
    assert oracle.refused({**oracle.context, **whole}) is None
    assert all(answers[choice.slot] == choice.answer for choice in choices)
    assert completion.bill is not None
    assert completion.bill.total == oracle.total({**oracle.context, **whole})
    assert completion.bill == engine.bill(completion.answers)
    if product.prices is not None and product.prices.times is None:
        best = min(oracle.total(c) for c in oracle.with_choices(choices))
        assert completion.bill.total <= best + 4  # a minimum with tax may hide some cents


@pytest.mark.parametrize("backend", BACKENDS)
@given(product=products(prices=False), seed=st.integers(0, 99))
@SETTINGS
def test_conflicts_are_minimal_and_repairs_too(backend: str, product: Product, seed: int) -> None:
    oracle = Oracle(product, DAY)
    if not oracle.configurations:
        return
    engine = compiled(product, backend)
    choices = walk(oracle, seed)
    wishes = [
        Choice(slot, answer)
        for variable in product.variables
        for slot, answers in oracle.domains(variable).items()
        for answer in answers
    ]
    for wanted in wishes:
        if engine.is_possible(choices, wanted):
            continue
        conflict = engine.conflict(choices, wanted)
        assert conflict == reference(product).conflict(choices, wanted)
        assert_minimal(oracle, conflict.choices, wanted)
        assert_rules_minimal(oracle, conflict)
        corrections = oracle.corrections(choices, wanted)
        repairs = engine.repairs(choices, wanted, k=3)
        sizes = sorted(len(each) for each in corrections)
        assert [len(r.changes) for r in repairs] == sizes[: len(repairs)]
        assert len(repairs) == min(3, len(corrections))
        for repair in repairs:
            assert frozenset(change.slot for change in repair.changes) in corrections
            assert oracle.with_choices(repair.choices)
            assert repair.choices[-1] == wanted


REFERENCES: dict[int, Engine] = {}


def reference(product: Product) -> Engine:
    """The same product under SAT: conflicts are the same whichever backend answers."""
    key = id(product)
    if key not in REFERENCES:
        REFERENCES.clear()
        REFERENCES[key] = compile_product(product, DAY, backend="sat")
    return REFERENCES[key]


def assert_minimal(oracle: Oracle, blamed: tuple[Choice, ...], wanted: Choice) -> None:
    assert not oracle.with_choices((*blamed, wanted))
    for left_out in blamed:
        rest = tuple(choice for choice in blamed if choice != left_out)
        assert oracle.with_choices((*rest, wanted))


def assert_rules_minimal(oracle: Oracle, conflict: Conflict) -> None:
    """The cited rules and facts are enough, and each is needed."""
    pins = (*conflict.choices, *([conflict.wanted] if conflict.wanted else []))

    def possible(rules: set[str], facts: set[str]) -> bool:
        areas = [oracle.context["area"]] if "area" in facts else ["near", "far"]
        return any(
            all(c[pin.slot] == pin.answer for pin in pins)
            and not {name.partition("#")[0] for name in oracle.broken(c)} & {"", *rules}
            for area in areas
            for c in oracle.every({"area": area})
        )

    rules = {name.partition("#")[0] for name in conflict.rules}
    facts = {fact.slot for fact in conflict.context}
    assert not possible(rules, facts)
    for name in rules:
        assert possible(rules - {name}, facts)


@given(product=products(), seed=st.integers(0, 99))
@settings(SETTINGS, max_examples=60)
def test_origins_imply(product: Product, seed: int) -> None:
    oracle = Oracle(product, DAY)
    if not oracle.configurations:
        return
    engine = compile_product(product, DAY, backend="sat")
    choices = walk(oracle, seed)
    for slot in engine.view(choices).slots:
        if slot.variable in ("sum", "found") or slot.state not in ("implied", "not asked"):
            continue
        origin = engine.origin(choices, slot.slot)
        answer = slot.answer or SKIPPED
        assert {c[slot.slot] for c in oracle.with_choices(origin.choices)} == {answer}
        for left_out in origin.choices:
            rest = tuple(choice for choice in origin.choices if choice != left_out)
            assert {c[slot.slot] for c in oracle.with_choices(rest)} != {answer}


@given(product=products(), seed=st.integers(0, 99), data=st.data())
@settings(SETTINGS, max_examples=40)
def test_origins_asked_together_are_those_asked_one_by_one(
    product: Product, seed: int, data: st.DataObject
) -> None:
    """Whatever was asked before, of fewer choices or other slots."""
    oracle = Oracle(product, DAY)
    if not oracle.configurations:
        return
    engine, alone = (compile_product(product, DAY, backend="sat") for _ in range(2))
    choices = walk(oracle, seed)
    for number in range(len(choices) + 1):
        oldest = choices[:number]
        implied = [each.slot for each in engine.view(oldest).slots if each.state == "implied"]
        some = data.draw(st.sets(st.sampled_from(implied)) if implied else st.just(set()))
        for asked in (some, implied):
            found = engine.origins(oldest, asked)
            assert found == {slot: alone.origin(oldest, slot) for slot in asked}


@pytest.mark.parametrize("backend", ["diagram", "sat"])
@given(product=products(), data=st.data())
@settings(SETTINGS, max_examples=20)
def test_conflicts_are_the_same_whatever_was_asked_before(
    backend: str, product: Product, data: st.DataObject
) -> None:
    for engine, anew, choices, context in walks(data, product, backend):
        view = engine.view(choices, context)
        implied = [each.slot for each in view.slots if each.state == "implied"]
        assert engine.origins(choices, implied, context) == {
            slot: anew.origin(choices, slot, context) for slot in implied
        }
        refused = [
            Choice(slot.slot, option.answer)
            for slot in view.slots
            for option in slot.options
            if option.state in ("needs changes", "impossible")
            and product.variable(slot.variable).kind != "computed"
        ]
        for wanted in refused:
            if not engine.is_possible(choices, wanted, context):
                asked = choices, wanted, context
                assert engine.conflict(*asked) == anew.conflict(*asked)

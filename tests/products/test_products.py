"""The demo products hold together: they load without a doubt, speak both languages, and
every rule, guard and date they have is shown by a scenario."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from configurator.model.choice import Choice, Choices, without
from configurator.model.product import AmountLine, PercentLine, Product
from configurator.model.text import Text
from configurator.session.scenarios import run_scenarios
from tests.products.conftest import PRODUCTS, TODAY, engine_of, engines_of, loaded, product_of

every_product = pytest.mark.parametrize("product_id", PRODUCTS)


def test_the_three_demo_products_are_there() -> None:
    assert PRODUCTS == ("home-energy", "trail-bike", "wardrobe")


@every_product
def test_the_folder_loads_without_a_single_diagnostic(product_id: str) -> None:
    assert loaded(product_id).diagnostics == ()


def texts_of(thing: object, path: str) -> Iterator[tuple[str, Text]]:
    """Every sentence of a product, with the way to it."""
    if isinstance(thing, Text):
        yield path, thing
    elif dataclasses.is_dataclass(thing):
        for field in dataclasses.fields(thing):
            if field.name != "index":
                yield from texts_of(getattr(thing, field.name), f"{path}.{field.name}")
    elif isinstance(thing, tuple):
        for number, each in enumerate(thing):
            yield from texts_of(each, f"{path}.{getattr(each, 'id', number)}")


@every_product
def test_every_text_is_written_in_both_languages(product_id: str) -> None:
    product = product_of(product_id)
    assert product.language == "es"
    assert set(product.languages) == {"es", "en"}
    missing = [
        path for path, text in texts_of(product, "") if not {"es", "en"} <= set(text.languages())
    ]
    assert missing == []


@every_product
def test_people_find_help_where_they_wonder(product_id: str) -> None:
    product = product_of(product_id)
    asked = [each for each in product.variables if each.kind != "computed"]
    helped = [
        each for each in asked if each.help or each.doubts or any(v.help for v in each.values)
    ]
    assert len(helped) * 2 >= len(asked)
    assert sum(len(each.doubts) for each in asked) >= 5
    assert product.description is not None


@every_product
def test_each_level_of_guard_is_used_and_acknowledging_offers_reasons(product_id: str) -> None:
    guards = product_of(product_id).guards
    assert {guard.level for guard in guards} == {"hint", "caution", "acknowledge"}
    for guard in guards:
        if guard.level == "acknowledge":
            assert guard.reasons, guard.id


def test_the_bike_is_a_real_configurator() -> None:
    product = product_of("trail-bike")
    assert len([each for each in product.variables if each.kind != "computed"]) >= 25
    assert any(each.kind == "several of" and each.several for each in product.variables)


@every_product
def test_every_scenario_holds(product_id: str) -> None:
    results = run_scenarios(product_of(product_id), engines_of(product_id), TODAY)
    assert len(results) >= 10
    failed = [
        f"{result.scenario.name}: {failure.in_language('en')}"
        for result in results
        for failure in result.failures
    ]
    assert failed == []


@every_product
def test_every_rule_refuses_something_in_a_scenario(product_id: str) -> None:
    product = product_of(product_id)
    blamed = {rule for each in product.scenarios for rule in each.because or ()}
    worked_out = {name for each in product.scenarios for name, _ in each.implies or ()}
    left = [rule.id for rule in product.rules if rule.id not in blamed]
    for table in product.tables:
        if table.kind == "lookup":
            left += [name for name in table.sets if name not in worked_out and shown(product, name)]
        elif table.id not in blamed:
            left.append(table.id)
    assert left == []


def shown(product: Product, name: str) -> bool:
    return product.variable(name).show == "result"


@every_product
def test_every_guard_is_spoken_in_a_scenario(product_id: str) -> None:
    product = product_of(product_id)
    spoken = {guard for each in product.scenarios for guard in each.guards or ()}
    assert {guard.id for guard in product.guards} == spoken


@every_product
def test_every_price_line_is_charged_in_a_scenario(product_id: str) -> None:
    product = product_of(product_id)
    assert product.prices is not None
    charged = {line for each in product.scenarios for line, _ in each.lines or ()}
    lines: tuple[AmountLine | PercentLine, ...] = product.prices.lines
    assert [line.id for line in lines if line.id not in charged] == []


@every_product
def test_scenarios_cover_each_kind(product_id: str) -> None:
    scenarios = product_of(product_id).scenarios
    assert {each.expect for each in scenarios} >= {"possible", "refused", "complete"}
    for kind in ("implies", "removes", "not_relevant", "proposes", "lines", "price", "guards"):
        assert any(getattr(each, kind) is not None for each in scenarios), kind


@every_product
def test_every_option_can_be_had(product_id: str) -> None:
    engine = engine_of(product_id, TODAY)
    product = product_of(product_id)
    context = tuple(Choice(each.id, each.if_missing) for each in product.context)
    dead = [
        f"{slot.slot}={option.answer}"
        for slot in engine.view((), context).slots
        for option in slot.options
        if option.state not in ("possible", "implied")
        and product.variable(slot.variable).kind != "computed"
    ]
    assert dead == []


@every_product
def test_every_refusal_has_a_reason_and_a_way_out(product_id: str) -> None:
    product = product_of(product_id)
    for scenario in product.scenarios:
        if scenario.expect != "refused":
            continue
        engine = engine_of(product_id, scenario.on or TODAY)
        told = dict(scenario.context)
        context = tuple(Choice(c.id, told.get(c.id, c.if_missing)) for c in product.context)
        choices: Choices = ()
        for slot, answer in scenario.choose:
            wanted = engine.check(Choice(slot, answer))
            if not engine.is_possible(choices, wanted, context):
                break
            choices = (*without(choices, {slot}), wanted)
        else:
            pytest.fail(f"nothing refused in {scenario.name}")
        assert engine.conflict(choices, wanted, context).rules, scenario.name
        repairs = engine.repairs(choices, wanted, context)
        assert repairs, scenario.name
        assert all(repair.changes for repair in repairs), scenario.name


@every_product
def test_finishing_from_nothing_gives_an_order(product_id: str) -> None:
    engine = engine_of(product_id, TODAY)
    product = product_of(product_id)
    context = tuple(Choice(each.id, each.if_missing) for each in product.context)
    completion = engine.complete((), context)
    assert completion is not None
    assert completion.bill is not None
    assert completion.bill.total > 0
    assert completion.bill.total == engine.view((), context).lowest_total

"""Taxes of single lines, price rows by day, facts once per unit, sets as proposals."""

from __future__ import annotations

import datetime
from fractions import Fraction
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configurator.engine import Engine, EngineError, compile_product
from configurator.engine.exact import half_away, half_away_of
from configurator.engine.pricing import Pricing
from configurator.model.choice import Choice, Choices
from configurator.session.checks import check_product
from tests.language.folders import product

DAY = datetime.date(2026, 11, 22)


def engine(text: str, day: datetime.date = DAY) -> Engine:
    """The engine of the base product with more."""
    return compile_product(product(text), day)


def chosen(**answers: str) -> Choices:
    return tuple(Choice(slot.replace("_", "."), answer) for slot, answer in answers.items())


def bill(found: Engine, **answers: str) -> tuple[int, int, int]:
    """Net, tax and total of the cheapest completion."""
    completion = found.complete(chosen(**answers))
    assert completion is not None
    assert completion.bill is not None
    return completion.bill.net, completion.bill.tax, completion.bill.total


TAXES = """\
=== prices.yaml
prices:
  tax: {rate: 21 %%, included: %s}
  base: 10.01
  lines:
    - {id: book, amount: 20.33, tax: 4 %%}
    - {id: deal, percent: -10, of: [book, material]}
    - {id: fee, percent: 1, of: [base], tax: 0}
%s=== more.yaml
variables:
  cake: {type: number, range: 0..9, price each: 3.33, tax: 10 %%}
"""


def test_each_line_is_taxed_at_its_own_rate() -> None:
    found = engine(TAXES % ("no", ""))
    # base 1001 + 210; book 2033 + 81; deal on book -203 - 8 (taxed like the book, 4 %%);
    # fee 10 + 0; cake 3 x 333 = 999 + 100
    assert bill(found, cake="3") == (3840, 383, 4223)
    view = found.view(chosen(cake="3"))
    assert (view.lowest_total, view.lowest_exact) == (4223, True)
    # carbon 90000 + 18900, deal on it -9000 - 1890
    assert bill(found, cake="3", material="carbon") == (84840, 17393, 102233)


def test_included_tax_is_taken_out_line_by_line() -> None:
    found = engine(TAXES % ("yes", ""))
    # of 1001: 174; of 2033: 78; of -203: -8; of 10: 0; of 999: 91
    assert bill(found, cake="3") == (3840 - 335, 335, 3840)


def test_a_minimum_over_mixed_taxes_is_only_bounded_until_all_is_answered() -> None:
    found = engine(TAXES % ("no", "  minimum: 100\n"))
    view = found.view(())
    assert not view.lowest_exact
    complete = found.complete(())
    assert complete is not None
    assert complete.bill is not None
    assert view.lowest_total is not None
    assert view.lowest_total <= complete.bill.total
    # 2841 + 283 of tax without cake; the rest up to the minimum is taxed at the general rate
    assert (complete.bill.net, complete.bill.tax) == (10000, 283 + 1503)


@pytest.mark.parametrize(
    ("day", "price"),
    [("2026-12-31", 91000), ("2027-01-01", 91200), ("2027-06-01", 91300)],
)
def test_rows_of_a_price_table_count_on_their_days(day: str, price: int) -> None:
    found = engine(
        "prices: {lines: [{id: d, table: tables/d.csv}]}\n"
        "=== tables/d.csv\nmaterial,price,from,until\ncarbon,10,,2026-12-31\n"
        "carbon,12,2027-01-01,2027-05-31\ncarbon,13,2027-06-01,\naluminium,5,,\n",
        datetime.date.fromisoformat(day),
    )
    assert bill(found, material="carbon")[2] == price
    assert bill(found, material="aluminium")[2] == 500


@pytest.mark.parametrize(("day", "offered"), [("2026-12-31", ["rim"]), ("2027-01-01", ["disc"])])
def test_rows_of_a_rule_table_count_on_their_days(day: str, offered: list[str]) -> None:
    found = engine(
        "rules: [{id: t, table: tables/t.csv, kind: allowed, because: Made so.}]\n"
        "=== tables/t.csv\nmaterial,brakes,from,until\n*,rim,,2026-12-31\n*,disc,2027-01-01,\n",
        datetime.date.fromisoformat(day),
    )
    brakes = next(slot for slot in found.view(()).slots if slot.slot == "brakes")
    assert [o.answer for o in brakes.options if o.state in ("possible", "implied")] == offered


LENGTH = """\
=== more.yaml
variables:
  length: {type: number, range: 0..400, step: 0.1, unit: m, weight each: 2.5}
"""
SHELVES = (
    LENGTH
    + """\
  doors: {type: number, range: 1..4}
  door: {type: number, range: 0..3, weight each: 100, times: doors, optional: yes}
"""
)


def test_a_number_adds_to_a_fact_once_per_unit() -> None:
    rule = "=== rules.yaml\nrules:\n  - {id: load, require: %s, because: Heavy.}\n"
    found = engine(SHELVES + rule % "sum(weight) <= 2000 g")
    # aluminium and disc brakes: 1900; what is left: 100 g
    lightest = chosen(material="aluminium", brakes="disc", doors="1", door="none")
    length = next(s for s in found.view(lightest).slots if s.slot == "length")
    assert [(each.low, each.high) for each in length.intervals] == [("0", "40")]
    assert not found.is_possible(lightest, Choice("length", "40.1"))
    assert found.is_possible(chosen(material="carbon"), Choice("door", "1"))
    two = chosen(material="carbon", doors="2", brakes="disc")
    assert found.is_possible(two, Choice("door", "3"))
    assert not found.is_possible((*two, Choice("length", "100")), Choice("door", "3"))
    single = engine(SHELVES + rule % "length.weight <= 50 g")
    assert single.is_possible((), Choice("length", "20"))
    assert not single.is_possible((), Choice("length", "20.1"))


def test_guards_judge_a_fact_of_a_wide_number_by_its_ends() -> None:
    # 1250 to 1900 of the frame, 0 to 600 of the brakes, 0 to 2100 of racks, 750 to 1000
    found = engine(
        LENGTH + "=== rules.yaml\nrules:\n  - {id: r, require: length >= 300}\nguards:\n"
        "  - {id: a, level: hint, when: length.weight >= 750 g, say: a}\n"
        "  - {id: b, level: hint, when: sum(weight) >= 2000 g, say: b}\n"
        "  - {id: c, level: hint, when: sum(weight) > 2000 g, say: c}\n"
        "  - {id: d, level: hint, when: sum(weight) > 5600 g, say: d}\n"
    )
    domains = found.domains((), ())
    truths = [found.judge.truth(each.when, domains) for each in found.product.guards]
    assert truths == [True, True, None, False]


def test_a_default_of_a_several_of_is_a_set() -> None:
    found = engine(
        "=== more.yaml\nvariables:\n  kit:\n    type: several of\n    each: 0..3\n"
        "    pieces: 0..3\n"
        "    values: {rack: {}, lock: {until: 2026-11-30}, bell-cover: {}}\n    default:\n"
        "      - {when: brakes = disc, value: {rack: 3}}\n"
        "      - {when: material = carbon, value: {rack: 2, lock: 1}}\n"
        "      - {value: [rack]}\n"
    )

    def proposed(engine: Engine, **answers: str) -> list[tuple[str, str | None]]:
        slots = engine.view(chosen(**answers)).slots
        return [(s.slot[4:], s.proposal) for s in slots if s.variable == "kit"]

    assert proposed(found) == [("rack", "1"), ("lock", "0"), ("bell-cover", "0")]
    assert proposed(found, brakes="disc") == [("rack", "3"), ("lock", "0"), ("bell-cover", "0")]
    carbon = [("rack", "2"), ("lock", "1"), ("bell-cover", "0")]
    assert proposed(found, material="carbon") == carbon
    # the customer's own quantity stands; the row that no longer fits gives way to the next
    own = proposed(found, material="carbon", kit_lock="2")
    assert own == [("rack", "1"), ("lock", None), ("bell-cover", "0")]
    later = compile_product(found.product, datetime.date(2026, 12, 1))
    assert proposed(later, material="carbon") == [("rack", "1"), ("bell-cover", "0")]


@cache
def priced(included: bool) -> Pricing:
    return Pricing(engine(TAXES % ("yes" if included else "no", "")).meaning)


@given(
    st.integers(-(10**6), 10**6),
    st.fractions(min_value=0, max_value=100, max_denominator=1000),
    st.booleans(),
)
def test_tax_is_that_of_exact_fractions(cents: int, rate: Fraction, included: bool) -> None:
    pricing = priced(included)
    exact = (
        cents - half_away(cents / (1 + rate / 100)) if included else half_away(cents * rate / 100)
    )
    assert pricing.tax(cents, rate) == exact


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**6))
def test_halves_go_away_from_zero(numerator: int, denominator: int) -> None:
    found = half_away_of(numerator, denominator)
    off = abs(Fraction(numerator, denominator) - found)
    assert off <= Fraction(1, 2)
    assert off < Fraction(1, 2) or abs(found) > abs(Fraction(numerator, denominator))
    assert half_away(Fraction(numerator, denominator)) == found


@pytest.mark.parametrize(
    ("prices", "line"),
    [
        ("lines: [{id: l, amount: 99999999999999999999}]", "l"),
        ("lines: [{id: l, amount: 90071992547410.00}]", "l"),
        ("lines: [{id: l, amount: 9007199254, times: width * 10}]", "l"),
        ("{base: 1.00, lines: [{id: l, percent: 99999999999999999999, of: [base]}]}", "l"),
        ("{base: 1.00, tax: {rate: 99999999999999999999 %, included: no}}", "base"),
        ("{base: 9007199254.00, times: extras.rack * 4000}", "base"),
        ("{base: 1.00, minimum: 9007199254.00, times: extras.rack * 4000}", "base"),
        # too wide to tabulate, and 0 at the least
        ("lines: [{id: l, amount: width * wall * roof * 1000}]", "l"),
    ],
)
@pytest.mark.parametrize("backend", ["diagram", "sat", "python-constraint"])
def test_amounts_beyond_the_arithmetic_are_refused(prices: str, line: str, backend: str) -> None:
    whole = product(
        f"=== prices.yaml\nprices: {prices if prices[0] == '{' else '{' + prices + '}'}\n"
        "=== more.yaml\nvariables:\n  wall: {range: 0..100000}\n  roof: {range: 0..100000}\n"
    )
    with pytest.raises(EngineError) as caught:
        compile_product(whole, DAY, backend=backend)
    assert (caught.value.code, caught.value.owners) == ("too-large", (line,))
    (stop,) = check_product(whole, DAY).diagnostics
    assert (stop.code, stop.severity) == ("too-large", "stop")
    assert stop.span.file == ("prices.yaml" if line == "l" else "")


def test_the_largest_amounts_are_exact() -> None:
    large = "=== prices.yaml\nprices: {lines: [{id: l, amount: 90071992546449.92}]}\n"
    found = engine(large)
    assert bill(found, material="carbon", brakes="disc")[2] == 2**53
    most = "=== prices.yaml\nprices: {base: 10000000000.00, times: extras.rack}\n"
    assert bill(engine(most), extras_rack="3")[2] == 3 * 10**12

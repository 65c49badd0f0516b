"""Lookups are whole where somebody can get: what rules exclude needs no row."""

from __future__ import annotations

import datetime
import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from configurator.engine import compile_product
from configurator.engine.gaps import days_to_check, find_gaps
from configurator.language import load_folder
from configurator.model.product import Product
from configurator.session.checks import check_product
from tests.engine.oracle import Oracle
from tests.language.folders import diagnostics, folder, product

DAY = datetime.date(2026, 11, 22)
LOAD = """\
=== more.yaml
variables:
  load: {lookup: t}
=== lookup.yaml
rules:
  - {id: t, table: tables/t.csv, kind: lookup, sets: [load]}
=== tables/t.csv
"""


def said(text: str, day: datetime.date = DAY) -> list[str]:
    """What the checks of a folder say of its tables."""
    return [
        f"{each.span.file}:{each.span.line} {each.code} {each.message.in_language('en')}"
        for each in check_product(product(text), day).diagnostics
    ]


RULE = "=== rules.yaml\nrules:\n  - {id: r, require: %s, because: So.}\n"


def test_what_rules_exclude_needs_no_row() -> None:
    rows = "material,brakes,load\ncarbon,disc,30\naluminium,*,10\n"
    assert said(LOAD + rows + RULE % "not (material = carbon and brakes = rim)") == []
    assert said(LOAD + rows + RULE % "not (material = carbon and depth = 400)") == [
        "tables/t.csv:1 lookup-gap No row fits material = carbon, brakes = rim."
    ]


def test_two_rows_may_disagree_where_nobody_gets() -> None:
    rows = "material,width,load\ncarbon,..1000,30\ncarbon,1000..,20\naluminium,*,10\n"
    assert said(LOAD + rows + RULE % "material = carbon => width != 1000") == []
    assert said(LOAD + rows + RULE % "material = carbon => width <= 1000") == [
        "tables/t.csv:3 lookup-overlap The rows in lines 2 and 3 disagree for "
        "material = carbon, width = 1000."
    ]


def test_computed_columns_are_judged_by_what_they_can_be() -> None:
    half = "=== half.yaml\nvariables:\n  half: {compute: width / 2, unit: mm}\n"
    good = "half,load\n..900,1\n> 900,2\n"
    assert said(LOAD + good + half) == []
    # half goes in steps of 5: nobody gets between 900 and 905
    assert said(LOAD + "half,load\n..900,1\n905..,2\n" + half) == []
    assert said(LOAD + "half,load\n..900,1\n910..,2\n" + half) == [
        "tables/t.csv:1 lookup-gap No row fits half = 905."
    ]


def test_price_rows_count_only_where_the_line_does() -> None:
    line = "=== prices.yaml\nprices:\n  lines: [{id: d, table: tables/d.csv%s}]\n"
    sheet = "=== tables/d.csv\nmaterial,lights,price\ncarbon,front,3\naluminium,*,1\n"
    gap = ["tables/d.csv:1 lookup-gap No row fits material = carbon, lights = rear."]
    free = RULE % "brakes = disc or lights != rear"
    assert said(line % "" + sheet + free) == gap
    assert said(line % ", when: material = aluminium" + sheet + free) == []
    dead = "product.yaml:20 dead-value No configuration has lights = rear, because of: r."
    assert said(line % "" + sheet + RULE % "lights != rear") == [dead]


def test_a_gap_that_opens_later_is_told_with_its_day() -> None:
    rows = "material,load,until\ncarbon,30,2026-12-31\naluminium,10,\n"
    text = LOAD + rows + RULE % "material = carbon or brakes = disc"
    assert days_to_check(product(text), DAY) == (DAY, datetime.date(2027, 1, 1))
    assert said(text) == ["tables/t.csv:1 lookup-gap No row fits material = carbon (2027-01-01)."]


LINE = "=== prices.yaml\nprices:\n  lines: [{id: d, table: tables/d.csv%s}]\n=== tables/d.csv\n"


@pytest.mark.parametrize(
    ("line", "rows"),
    [
        # this year's prices and next year's
        (
            "",
            "carbon,3,2026-01-01,2026-12-31\naluminium,1,2026-01-01,2026-12-31\n*,2,2027-01-01,\n",
        ),
        # what was missing is past
        ("", "carbon,3,,2026-02-27\n*,2,2026-03-01,\n"),
        # the line is charged in its season only
        (
            ", from: 2026-06-01, until: 2026-12-31",
            "*,3,2026-06-01,2026-11-30\n*,4,2026-12-01,2026-12-31\n",
        ),
        # of what the line is not charged for there need be no row
        (", when: material = carbon", "carbon,3,,\n"),
    ],
)
def test_days_and_answers_of_which_a_line_is_not_charged_need_no_row(line: str, rows: str) -> None:
    assert said(LINE % line + "material,price,from,until\n" + rows) == []


def test_a_rule_of_days_needs_rows_on_them_only() -> None:
    rows = "material,load,from\ncarbon,30,%s\naluminium,10,2027-01-01\n"
    dated = LOAD.replace("sets: [load]", "sets: [load], from: 2027-01-01")
    assert said(dated + rows % "2027-01-01") == []
    assert said(dated + rows % "2027-01-02") == [
        "tables/t.csv:1 lookup-gap No row fits material = carbon (2027-01-01)."
    ]


def test_a_day_without_any_row_is_a_gap() -> None:
    rows = "material,price,until,from\n%s,20,2026-12-31,\n%s,30,,2027-01-02\n"
    gap = "tables/d.csv:1 lookup-gap No row fits %s (2027-01-01)."
    assert said(LINE % "" + rows % ("*", "not carbon")) == [gap % "material = aluminium"]
    assert said(LINE % "" + rows % ("*", "*")) == [gap % "*"]
    ended = LOAD + "material,load,until\ncarbon,30,2026-12-31\naluminium,10,2026-12-31\n"
    assert said(ended) == [
        "tables/t.csv:1 lookup-gap No row fits material = aluminium (2027-01-01)."
    ]
    assert said(ended.replace("lookup: t}", "lookup: t, until: 2026-12-31}")) == []


def test_the_last_of_all_days_has_none_after_it() -> None:
    dated = LOAD.replace("sets: [load]", "sets: [load], until: 9999-12-31")
    rows = "material,load,until\ncarbon,30,9999-12-31\naluminium,10,9999-12-31\n"
    assert said(dated + rows) == []


def test_empty_cells_mean_what_the_table_says() -> None:
    rows = "material,lights,load\ncarbon,front,1\ncarbon,rear | none,2\n%s,,3\n"
    any_of = LOAD.replace("sets: [load]", "sets: [load], empty: any")
    assert said(any_of + rows % "aluminium") == []
    none = LOAD.replace("sets: [load]", "sets: [load], empty: none")
    assert said(none + "material,lights,load\n*,front | rear,1\n*,,2\n") == []
    found = diagnostics(none + "material,lights,load\n*,front,1\n*,,2\n")
    assert [each.message.in_language("en") for each in found] == [
        "No row fits material = aluminium, lights = rear."
    ]


def test_none_is_neither_above_nor_below() -> None:
    answers = "=== more-answers.yaml\nvariables:\n  n: {range: 0..5, optional: yes}\n"
    first = LOAD.replace("sets: [load]", "sets: [load], match: first")
    rows = first + "n,load\n<= 2,3\n> 2,4\n"
    found = load_folder(folder(answers + rows)).diagnostics
    assert [(each.code, each.message.in_language("en")) for each in found] == [
        ("lookup-gap", "No row fits n = none.")
    ]
    assert said(answers + rows + "none,0\n") == []


def test_a_gap_the_columns_show_for_sure_is_told_while_reading() -> None:
    rows = "material,load\ncarbon,30\n"
    assert [each.code for each in load_folder(folder(LOAD + rows)).diagnostics] == ["lookup-gap"]


def test_what_is_too_much_to_find_out_is_a_doubt() -> None:
    wide = (
        "".join(f"  n{at}: {{type: number, range: 0..40}}\n" for at in range(3))
        + "  total: {compute: n0 + n1 * n2, unit: mm}\n"
    )
    text = LOAD + "total,load\n..900,1\n910..,2\n=== wide.yaml\nvariables:\n" + wide
    found = check_product(product(text), DAY).diagnostics
    assert [(each.code, each.severity) for each in found] == [("lookup-gap", "warn")]


CELLS = {
    "material": ("*", "carbon", "aluminium"),
    "lights": ("*", "front", "none", "front | rear", "not rear"),
    "size": ("*", "0..1", ">= 2", "2"),
}


@st.composite
def tables(draw: st.DrawFn) -> str:
    rows = [
        ",".join([*(draw(st.sampled_from(cells)) for cells in CELLS.values()), str(at)])
        for at in range(draw(st.integers(1, 4)))
    ]
    conditions = (
        "material = carbon",
        "lights = none",
        "size >= 2",
        "lights = front",
        "size = 0 or bell",
    )
    rules = "".join(
        f"  - {{id: r{at}, forbid: {' and '.join(draw(st.permutations(conditions))[:2])}, "
        "because: So.}\n"
        for at in range(draw(st.integers(1, 3)))
    )
    return (
        "=== product.yaml\nproduct: p\nname: P\nlanguage: en\nvariables:\n"
        "  material: {values: {carbon: {}, aluminium: {}}}\n"
        "  lights: {optional: yes, values: {front: {}, rear: {}}}\n"
        "  size: {type: number, range: 0..3, relevant when: material = carbon}\n"
        "  bell: {type: yes or no}\n  load: {lookup: t}\nrules:\n"
        "  - {id: t, table: tables/t.csv, kind: lookup, sets: [load]}\n"
        + rules
        + f"=== tables/t.csv\n{','.join(CELLS)},load\n"
        + "\n".join(rows)
        + "\n"
    )


@pytest.mark.parametrize("backend", ["sat", "diagram"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=tables())
def test_gaps_are_those_that_trying_everything_finds(backend: str, text: str) -> None:
    whole: Product = product(text)
    oracle = Oracle(whole, DAY)
    table = next(each for each in whole.tables if each.kind == "lookup")
    gap = overlap = False
    for configuration in oracle.configurations:
        fitting = [r for r in table.rows if oracle.row(r.conditions, configuration) is not False]
        gap = gap or not fitting
        if configuration["size"] != "-" or not any(
            "size" in repr(cell) for row in table.rows for cell in row.conditions
        ):
            pairs = itertools.combinations(fitting, 2)
            overlap = overlap or any(one.sets != other.sets for one, other in pairs)
    if not oracle.configurations:
        return
    found = {each.kind for each in find_gaps(compile_product(whole, DAY, backend=backend))}
    assert found == {kind for kind, so in (("gap", gap), ("overlap", overlap)) if so}

"""Scenarios on small products: what is expected, and what is said where it is not so."""

from __future__ import annotations

import datetime

from configurator.session.checks import check_product
from tests.language.folders import diagnostics, product

TODAY = datetime.date(2026, 11, 22)
RULES = """\
rules:
  - {id: carbon-disc, when: material = carbon, require: brakes = disc, because: Heat.}
  - {id: wide-deep, when: width >= 3000, require: depth >= 500, because: It bends.}
"""


def failures(scenarios: str, more: str = "") -> list[str]:
    """What does not hold in these scenarios, in English."""
    checked = check_product(product(RULES + more + "scenarios:\n" + scenarios), TODAY)
    return [failure.in_language("en") for result in checked.results for failure in result.failures]


def test_the_first_repair_of_a_refusal() -> None:
    refused = "  - {name: n, choose: {material: carbon, brakes: rim}, expect: refused, "
    assert failures(refused + "because: [carbon-disc], repair: {material: aluminium}}\n") == []
    assert failures(refused + "repair: {material: open, width: 600}}\n") == [
        "repair: expected material = open, width = 600, found material = aluminium"
    ]
    nothing = "  - {name: n, choose: {material: carbon}, repair: {material: aluminium}}\n"
    assert failures(nothing) == ["all of it is possible"]


def test_what_else_a_refused_scenario_expects_is_of_the_choices_that_stood() -> None:
    text = "  - {name: n, choose: {material: carbon, brakes: rim}, expect: refused, "
    assert failures(text + "implies: {brakes: disc}, offers: {depth: [400, 500, 600]}}\n") == []
    assert failures(text + "implies: {brakes: rim}}\n") == ["brakes: expected rim, found disc"]


DATED = """\
variables:
  kit: {type: several of, values: {rack: {}, lock: {until: 2026-12-31}}}
  frame: {values: {city: {}, tour: {}, sport: {until: 2026-12-31}}}
"""


def test_what_is_not_on_offer_that_day_is_refused() -> None:
    def said(chosen: str, more: str = "", day: str = "2027-01-01") -> list[str]:
        return failures(f"  - {{name: n, on: {day}, choose: {chosen}{more}}}\n", DATED)

    refused = ", expect: refused"
    for chosen in ("{depth: 400, frame: sport}", "{kit: {lock: 1}}"):
        assert said(chosen, refused) == []
        assert said(chosen, refused + ", because: [not-today]") == []
        assert said(chosen, refused + ", because: [carbon-disc]") == [
            "because: expected carbon-disc, found not-today"
        ]
        assert said(chosen, refused + ", repair: {frame: tour}") == [
            "repair: expected frame = tour, found —"
        ]
        assert said(chosen, refused, "2026-12-31") == ["all of it is possible"]
    assert said("{depth: 400, frame: sport}", refused + ", implies: {depth: 400}") == []
    assert said("{frame: sport}") == ["“sport” is not on offer that day for “frame”."]
    assert said("{kit: {lock: 1}}") == ["“lock” is not on offer that day for “kit”."]
    assert said("{kit: {rack: 1}}", ", implies: {kit: {rack: 1}}") == []
    assert said("{kit: {rack: 1}}", refused) == ["all of it is possible"]


def test_what_is_misspelt_is_not_refused() -> None:
    text = RULES + DATED + "scenarios:\n  - {name: n, choose: {frame: sprt}, expect: refused}\n"
    assert [each.code for each in diagnostics(text)] == ["unknown-value"]


def test_what_is_not_so_is_said_in_spanish_too() -> None:
    text = RULES + "scenarios:\n  - {name: n, implies: {brakes: disc}}\n"
    (failed,) = check_product(product(text), TODAY).diagnostics
    assert failed.message.in_language("es") == (
        "«n»: brakes: se esperaba disc, hay una pregunta abierta"
    )
    assert failed.message.in_language("en") == "“n”: brakes: expected disc, found open"


def test_what_finishing_gives() -> None:
    text = "  - {name: n, choose: {width: 3000}, completes: "
    kit = (
        "variables:\n"
        "  kit: {type: several of, each: 0..2, values: {rack: {price: 5}, lock: {}}, "
        "default: {rack: 2}}\n"
        "prices: {base: 1}\n"
    )
    good = "{kit: {rack: 2, lock: 0}, brakes: rim, material: aluminium}}\n"
    assert failures(text + good, kit) == []
    assert failures(text + "{kit: {rack: 1}, plate: Ana}}\n", kit) == [
        "kit.rack: expected 1, found 2",
        "plate: expected Ana, found none",
    ]


def test_a_row_of_a_table_is_cited_by_its_id_where_a_scenario_names_it() -> None:
    table = "  - {id: fits, table: tables/t.csv, kind: forbidden, because: No.}\n"
    sheet = "=== tables/t.csv\nid,material,brakes\nhot,carbon,rim\n=== scenarios.yaml\n"
    text = "  - {name: n, choose: {depth: 400, brakes: rim, material: carbon}, expect: refused, "
    rules = "rules:\n" + table + sheet + "scenarios:\n" + text

    def said(because: str) -> list[str]:
        found = check_product(product(rules + f"because: [{because}]}}\n"), TODAY)
        return [each.in_language("en") for each in found.results[0].failures]

    assert said("fits") == []
    assert said('"fits#hot"') == []
    assert said('"fits#cold"') == ["because: expected fits#cold, found fits"]


def test_a_lowest_total_that_is_only_a_bound_is_called_so() -> None:
    for included, found in (("yes", "120.00"), ("no", "at least 145.16")):
        prices = f"prices: {{base: 50, minimum: 120, tax: {{rate: 21 %, included: {included}}}}}\n"
        assert failures("  - {name: n, choose: {material: aluminium}, lowest: 1}\n", prices) == [
            f"lowest: expected 1.00, found {found}"
        ]


def test_one_rule_alone_contradicts_nothing() -> None:
    rule = "rules: [{id: later, require: start >= today + 90, because: Not before.}]\n"
    (found,) = check_product(product(rule), TODAY).diagnostics
    assert found.message.in_language("en") == (
        "Nothing can be ordered on 2026-11-22: later stands against it."
    )

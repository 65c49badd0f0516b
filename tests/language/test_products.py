"""What a folder says, in the model's terms."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest

from configurator.language import digest_of, load_folder
from configurator.model import expression as model
from configurator.model.product import (
    AmountLine,
    DayRange,
    Mute,
    NumberRange,
    PercentLine,
    Period,
    SeveralOf,
    Suggestion,
    TextLimits,
)
from configurator.model.text import Text
from tests.conftest import not_endless
from tests.language.folders import folder, product, said


def more(variables: str) -> str:
    return "=== more.yaml\nvariables:\n" + variables


def test_one_of_with_prices_facts_and_dates() -> None:
    panel = product(
        more(
            "  panel:\n    name: Panels\n    values:\n"
            "      oak: {name: Oak, price: 120.00, thickness: 25, until: 2027-03-31}\n"
            "      pine: {thickness: 19.5}\n    default: pine\n"
        )
    ).variable("panel")
    oak, pine = panel.values
    assert (oak.name, oak.price) == (Text.of({"en": "Oak"}), 12000)
    assert oak.facts == (("thickness", Fraction(25)),)
    assert oak.period == Period(None, date(2027, 3, 31))
    assert pine.name.in_language("en") == "pine"
    assert pine.facts == (("thickness", Fraction("19.5")),)
    assert [(row.value, row.when) for row in panel.defaults] == [("pine", None)]


def test_numbers_as_values_are_called_by_number_and_unit() -> None:
    text = more("  wheel: {values: {27.5: {}, 29: {}}, unit: inch}\nlanguages: [en, es]\n")
    wheel = product(text).variable("wheel")
    assert [value.number for value in wheel.values] == [Fraction("27.5"), Fraction(29)]
    assert wheel.values[0].name == Text.of({"en": "27.5 inch", "es": "27,5 inch"})


def test_scalars_are_text_typed_by_their_key() -> None:
    country = product(
        more("  country: {values: {NO: {name: 012}, SE: {name: 1.10}, ES: {name: null}}}\n")
    ).variable("country")
    assert [value.id for value in country.values] == ["NO", "SE", "ES"]
    assert [value.name.in_language("en") for value in country.values] == ["012", "1.10", "null"]


def test_every_kind_of_variable() -> None:
    found = product(
        more(
            "  power: {type: number, range: 2.3..14.9, step: 0.1, unit: kW}\n"
            "  bags: {type: number, range: 0..3, price each: 14.90}\n"
            "  day: {type: date, range: 3..540 days from today}\n"
            "  fixed: {type: date, range: 2027-01-01..2027-12-31}\n"
            "  name: {type: text, length: 1..20, letters: latin, optional: yes}\n"
            "  tools: {type: several of, pick: 0..2, each: 0..8, pieces: 0..10, "
            "values: {saw: {}, axe: {}}}\n"
            "  mirror: {type: yes or no, price: 89.00, weight: 900, times: bags}\n"
            "  double: {compute: bags * 2, show: result, unit: kg}\n"
        )
    )
    assert found.variable("power").number == NumberRange(
        Fraction("2.3"), Fraction("14.9"), Fraction("0.1"), 1
    )
    assert found.variable("bags").price_each == 1490
    assert found.variable("day").days == DayRange(3, 540)
    assert found.variable("fixed").days == DayRange(date(2027, 1, 1), date(2027, 12, 31))
    assert found.variable("name").text == TextLimits((1, 20), "latin")
    assert found.variable("name").optional
    assert found.variable("tools").several == SeveralOf((0, 2), (0, 8), (0, 10))
    yes, no = found.variable("mirror").values
    assert (yes.id, yes.price, yes.facts) == ("yes", 8900, (("weight", Fraction(900)),))
    assert (no.id, no.price, no.facts) == ("no", None, (("weight", Fraction(0)),))
    assert isinstance(found.variable("mirror").times, model.Read)
    double = found.variable("double")
    assert double.kind == "computed"
    assert double.show == "result"
    assert double.computed is not None
    assert isinstance(double.computed.term, model.Arithmetic)


def test_several_of_without_limits() -> None:
    assert product("").variable("extras").several == SeveralOf((0, 2), (0, 3), None)


def test_steps_ask_in_order_and_a_folder_without_steps_asks_everything() -> None:
    everything = product("").steps
    assert len(everything) == 1
    assert everything[0].ask[:2] == ("material", "brakes")
    rest = "width, depth, bell, extras, lights, plate, start"
    text = (
        f"steps:\n  - {{id: b, ask: [brakes]}}\n  - {{id: a, name: A, ask: [material, {rest}]}}\n"
    )
    assert [step.id for step in product(text).steps] == ["b", "a"]


def test_sections_are_joined_and_file_names_do_not_matter() -> None:
    text = (
        "=== {}.yaml\nrules:\n  - {{id: r, require: later}}\n"
        "=== {}.yaml\nvariables:\n  later: {{type: yes or no}}\n"
    )
    one, other = product(text.format("a", "z")), product(text.format("z", "a"))
    assert one.rules[0].id == other.rules[0].id == "r"
    assert [each.id for each in one.variables] == [each.id for each in other.variables]


def test_context_is_told_by_the_shop() -> None:
    found = product("=== more.yaml\ncontext:\n  member: {type: yes or no, if missing: no}\n")
    assert [(each.id, each.values, each.if_missing) for each in found.context] == [
        ("area", ("mainland", "islands"), "mainland"),
        ("member", ("yes", "no"), "no"),
    ]


def test_rules_with_metadata_and_drafts() -> None:
    found = product(
        "rules:\n"
        "  - id: a\n    when: bell\n    forbid: material = carbon\n    because: No.\n"
        "    why: Noise.\n    owner: x@example.org\n    source: Manual 3\n"
        "    from: 2026-01-01\n    until: 2026-12-31\n"
        "  - {id: b, require: bell, status: draft}\n"
    )
    (rule,) = found.rules
    assert rule.when is None
    assert isinstance(rule.forbid, model.And)
    assert (rule.why, rule.owner, rule.source) == ("Noise.", "x@example.org", "Manual 3")
    assert rule.period == Period(date(2026, 1, 1), date(2026, 12, 31))
    assert rule.because == Text.of({"en": "No."})


def test_allowed_table_cells() -> None:
    (table,) = product(
        "rules:\n  - {id: t, table: tables/t.csv, kind: allowed, because: Not made.}\n"
        "=== tables/t.csv\n"
        "id,material,brakes,width,lights,extras,because.en,until,# note\n"
        "x,carbon,rim | disc,..900,none,rack | mudguards,Too wide.,2026-12-31,hello\n"
        ",not carbon,*,>= 1000,front,none,,,\n"
    ).tables
    first, second = table.rows
    assert table.columns == ("material", "brakes", "width", "lights", "extras")
    assert first.id == "x"
    assert second.id == "3"
    assert first.because == Text.of({"en": "Too wide."})
    assert first.period == Period(None, date(2026, 12, 31))
    assert [type(each).__name__ for each in first.conditions] == [
        "Comparison",
        "Membership",
        "Membership",
        "Comparison",
        "Has",
    ]
    assert isinstance(first.conditions[3], model.Comparison)
    assert isinstance(first.conditions[3].right, model.Nothing)
    assert len(second.conditions) == 4
    negated, wide, _, nothing = second.conditions
    assert isinstance(negated, model.Comparison)
    assert negated.operator == "!="
    assert isinstance(wide, model.Comparison)
    assert wide.operator == ">="
    assert isinstance(nothing, model.Comparison)
    assert isinstance(nothing.left, model.Kinds)


def test_empty_cells_mean_what_the_table_says() -> None:
    def rows(empty: str) -> list[int]:
        (table,) = product(
            f"rules:\n  - {{id: t, table: tables/t.csv, kind: allowed, empty: {empty}}}\n"
            "=== tables/t.csv\nmaterial,lights\ncarbon,front\n,rear\ncarbon,\n"
        ).tables
        return [len(row.conditions) for row in table.rows]

    assert rows("any") == [2, 1, 1]
    assert rows("same as above") == [2, 2, 2]


def test_decimal_commas_only_where_semicolons_separate() -> None:
    (line,) = prices(
        "    - {id: d, table: tables/d.csv}\n=== tables/d.csv\nmaterial;price\n"
        "carbon;49,50 €\naluminium;1234,5\n"
    )
    assert isinstance(line, AmountLine)
    assert [row.price for row in line.rows] == [Fraction("49.5"), Fraction("1234.5")]


def test_decimal_commas_may_stand_at_both_ends_of_a_range() -> None:
    rules = "rules:\n  - {id: t, table: tables/t.csv, kind: allowed}\n"
    power = "variables:\n  power: {range: 0.5..9.5, step: 0.5}\n"
    first, second = (
        product(f"{rules}{power}=== tables/t.csv\n# note{sign}power\nx{sign}{cells}\n")
        for sign, cells in ((";", "0,5..1,5 | 2,5 | 7,0.."), (",", "0.5..1.5 | 2.5 | 7.0.."))
    )
    assert first.tables == second.tables


def test_a_first_line_may_tell_excel_the_separator() -> None:
    (line,) = prices(
        "    - {id: d, table: tables/d.csv}\n=== tables/d.csv\nsep=;\nmaterial;price\n"
        "carbon;49,50\naluminium;1234,5\n"
    )
    assert isinstance(line, AmountLine)
    assert [(row.price, row.span.line) for row in line.rows] == [
        (Fraction("49.5"), 3),
        (Fraction("1234.5"), 4),
    ]


def test_a_lookup_gives_its_variable_numbers_or_ids() -> None:
    found = product(
        more("  load: {lookup: t, unit: kg}\n  class: {lookup: t}\n") + "=== rules.yaml\nrules:\n"
        "  - {id: t, table: tables/t.csv, kind: lookup, sets: [load, class]}\n"
        "  - {id: r, require: load >= 20 kg and class = heavy}\n"
        "=== tables/t.csv\nmaterial,load,class\ncarbon,20.5,heavy\naluminium,10,light\n"
    )
    assert found.tables[0].sets == ("load", "class")
    assert [row.sets for row in found.tables[0].rows] == [("20.5", "heavy"), ("10", "light")]
    load = found.variable("load").computed
    assert load is not None
    assert (load.lookup, load.decimals) == ("t", 1)
    assert [value.id for value in found.variable("class").values] == ["heavy", "light"]


@pytest.mark.parametrize("written", ["5", "+5", "05", "5.0", "5,0"])
def test_a_lookup_gives_the_same_number_however_it_is_written(written: str) -> None:
    found = product(
        more("  load: {lookup: t}\n") + "=== rules.yaml\nrules:\n"
        "  - {id: t, table: tables/t.csv, kind: lookup, sets: [load]}\n"
        f"=== tables/t.csv\nmaterial;load\ncarbon;{written}\n*;5\n"
    )
    assert [row.sets for row in found.tables[0].rows] == [("5",), ("5",)]


def test_lookup_overlaps_count_only_when_rows_disagree_on_the_same_day() -> None:
    text = (
        more("  load: {lookup: t}\n")
        + "=== rules.yaml\nrules:\n  - {id: t, table: tables/t.csv, kind: lookup, sets: [load]}\n"
        "=== tables/t.csv\nmaterial,load,from,until\n"
        "*,20,,2026-06-30\n*,30,2026-07-01,\ncarbon,20,,2026-06-30\n"
    )
    assert len(product(text).tables[0].rows) == 3


def test_options_from_a_table() -> None:
    found = product(
        more("  front: {values: tables/f.csv, default: sand}\n")
        + "languages: [en, es]\n=== tables/f.csv\n"
        "id;name.en;name.es;price;thickness;textured;until;# note\n"
        "white;White;Blanco;38,00;19;no;;\n"
        "sand;Sand, fine;Arena;;25;yes;2026-12-31;x\n"
    ).variable("front")
    white, sand = found.values
    assert white.name == Text.of({"en": "White", "es": "Blanco"})
    assert (white.price, sand.price) == (3800, None)
    assert sand.facts == (("thickness", Fraction(25)), ("textured", Fraction(1)))
    assert sand.period.last == date(2026, 12, 31)
    assert sand.span.file == "tables/f.csv"


def prices(lines: str, top: str = "") -> tuple[AmountLine | PercentLine, ...]:
    found = product(f"=== prices.yaml\nprices:\n{top}  lines:\n{lines}").prices
    assert found is not None
    return found.lines


def test_prices() -> None:
    found = product(
        "=== prices.yaml\nprices:\n  currency: EUR\n  tax: {rate: 21 %, included: no}\n"
        "  base: 190.00\n  minimum: 590\n  times: extras.rack + 1\n  lines:\n"
        "    - {id: letters, name: Letters, amount: 15.00 + 1.50 * plate.length, "
        "when: plate != none}\n"
        "    - {id: deal, percent: -10, of: [letters, material], group: g, from: 2026-10-01}\n"
        "    - {id: all-in, percent: 2.5 %, of: all}\n"
    ).prices
    assert found is not None
    assert (found.currency, found.tax_rate, found.tax_included) == ("EUR", Fraction(21), False)
    assert (found.base, found.minimum) == (19000, 59000)
    letters, deal, every = found.lines
    assert isinstance(letters, AmountLine)
    assert isinstance(letters.amount, model.Arithmetic)
    assert letters.when is not None
    assert isinstance(deal, PercentLine)
    assert (deal.percent, deal.of, deal.group) == (Fraction(-10), ("letters", "material"), "g")
    assert isinstance(every, PercentLine)
    assert (every.percent, every.of) == (Fraction("2.5"), ())


def test_guards() -> None:
    (guard,) = product(
        "guards:\n  - id: g\n    level: acknowledge\n    at: summary\n"
        "    when: width >= 2400 and lowest-total >= 6000 €\n"
        "    say: Is {width} the smallest?\n    suggest: {material: carbon, extras: {rack: 1}}\n"
        "    reasons: [Measured, Other]\n"
        "    evidence: {text: 31 of 96 remakes, date: 2026-01-31}\n"
    ).guards
    assert (guard.level, guard.at) == ("acknowledge", "summary")
    assert guard.suggest == (Suggestion("material", "carbon"), Suggestion("extras.rack", "1"))
    assert [reason.in_language("en") for reason in guard.reasons] == ["Measured", "Other"]
    assert guard.evidence is not None
    assert guard.evidence.date == date(2026, 1, 31)
    assert guard.say.in_language("en") == "Is {width} the smallest?"


def test_texts_of_another_language() -> None:
    found = product(
        "=== more.yaml\nlanguages: [en, es]\nrules:\n"
        "  - {id: a, require: bell, because: Ring.}\n"
        "  - {id: b, require: bell, because: {es: Toca., en: Ring.}}\n"
        "=== texts/es.csv\nkey,source,text\nname,Bike,Bicicleta\nrules.a.because,Ring.,Toca el "
        "timbre.\nvariables.width.name,width,Ancho\n"
        "variables.material.values.carbon.name,carbon,Carbono\n"
    )
    assert found.languages == ("en", "es")
    assert found.name.in_language("es") == "Bicicleta"
    assert found.rules[0].because == Text.of({"en": "Ring.", "es": "Toca el timbre."})
    assert found.rules[1].because == Text.of({"en": "Ring.", "es": "Toca."})
    assert found.variable("material").values[1].name.in_language("es") == "Carbono"


def test_scenarios_speak_the_engines_language() -> None:
    (scenario,) = product(
        "scenarios:\n  - name: Everything\n    on: 2026-09-01\n    context: {area: islands}\n"
        "    choose: {material: carbon, width: 0700.0, extras: {rack: 2}, bell: yes, lights: none,"
        " plate: Ana, start: 2026-09-10}\n"
        "    expect: complete\n    implies: {brakes: disc, extras: {mudguards: 0}}\n"
        "    offers: {depth: [400, 500]}\n    removes: {extras: [rack]}\n"
        "    not relevant: [lights]\n    proposes: {brakes: disc}\n"
        "    lines: {base: 10.00, material: 900.00}\n    no lines: [brakes]\n"
        "    net: 1.50\n    price: 1000.00\n    lowest: 3\n    guards: []\n    count: 12\n"
    ).scenarios
    assert scenario.on == date(2026, 9, 1)
    assert scenario.context == (("area", "islands"),)
    assert scenario.choose == (
        ("material", "carbon"),
        ("width", "700"),
        ("extras.rack", "2"),
        ("extras.mudguards", "0"),
        ("bell", "yes"),
        ("lights", "none"),
        ("plate", "Ana"),
        ("start", "2026-09-10"),
    )
    assert scenario.implies == (("brakes", "disc"), ("extras.mudguards", "0"))
    assert scenario.offers == (("depth", ("400", "500")),)
    assert scenario.lines == (("base", 1000), ("material", 90000))
    assert (scenario.net, scenario.price, scenario.lowest) == (150, 100000, 300)
    assert scenario.guards == ()
    assert scenario.because is None
    assert scenario.count == 12


def test_scenarios_expect_a_repair_and_a_completion() -> None:
    (scenario,) = product(
        "scenarios:\n  - name: Repaired\n    choose: {material: carbon}\n    expect: refused\n"
        "    repair: {brakes: disc, depth: open, extras.rack: open, extras: {mudguards: 1}}\n"
        "    completes: {lights: none, extras: [rack]}\n"
    ).scenarios
    assert scenario.repair == (
        ("brakes", "disc"),
        ("depth", None),
        ("extras.rack", None),
        ("extras.mudguards", "1"),
    )
    assert scenario.completes == (("lights", "none"), ("extras.rack", "1"))


def test_defaults_of_a_several_of_are_sets() -> None:
    def rows(default: str, limits: str = "each: 0..3") -> list[tuple[tuple[str, str], ...]]:
        text = f"type: several of, {limits}, values: {{rack: {{}}, lock: {{}}}}"
        kit = product(more(f"  kit:\n    {{{text}, default: {default}}}\n")).variable("kit")
        return [row.taken for row in kit.defaults]

    assert rows("[rack, lock]") == [(("rack", "1"), ("lock", "1"))]
    assert rows("{rack: 2}") == [(("rack", "2"),)]
    assert rows("rack") == [(("rack", "1"),)]
    assert rows("none") == rows("[]") == rows("{}") == [()]
    assert rows("[rack]", "each: 2..3") == [(("rack", "2"),)]
    by_case = rows("[{when: bell, value: [rack]}, {value: {lock: 3}}]")
    assert by_case == [(("rack", "1"),), (("lock", "3"),)]


def test_numbers_have_facts_once_per_unit() -> None:
    found = product(
        more("  bags: {type: number, range: 0..3, step: 0.5, weight each: 1.5}\n")
        + "=== rules.yaml\nrules:\n  - {id: r, require: sum(weight) + bags.weight <= 30 g}\n"
    )
    assert found.variable("bags").facts_each == (("weight", Fraction("1.5")),)


def test_taxes_of_one_line_or_variable() -> None:
    found = product(
        more("  cake: {type: number, range: 0..9, price each: 3.00, tax: 10 %}\n")
        + "=== prices.yaml\nprices:\n  tax: {rate: 21 %, included: no}\n  lines:\n"
        "    - {id: book, amount: 20, tax: 4}\n    - {id: off, percent: -5, of: all, tax: 0 %}\n"
    )
    assert found.prices is not None
    assert found.variable("cake").tax == 10
    assert [line.tax for line in found.prices.lines] == [4, 0]


def test_rows_of_price_tables_have_dates() -> None:
    (line,) = prices(
        "    - {id: d, table: tables/d.csv}\n=== tables/d.csv\nmaterial,price,from,until\n"
        "carbon,10,,2026-12-31\ncarbon,12,2027-01-01,\naluminium,5,,\n"
    )
    assert isinstance(line, AmountLine)
    assert [row.period for row in line.rows] == [
        Period(None, date(2026, 12, 31)),
        Period(date(2027, 1, 1), None),
        Period(),
    ]


def test_a_muted_guard_is_silent_until_its_day_is_over() -> None:
    (guard,) = product(
        "guards:\n  - id: g\n    level: hint\n    when: bell\n    say: Ding.\n"
        "    mute: {until: 2027-01-31, because: Said too often.}\n"
    ).guards
    assert guard.mute == Mute(date(2027, 1, 31), "Said too often.")
    assert not guard.may_speak(date(2027, 1, 31))
    assert guard.may_speak(date(2027, 2, 1))


def test_a_ring_through_times_is_seen() -> None:
    found = load_folder(
        folder(
            more(
                "  bags: {type: number, range: 0..3, relevant when: load > 3}\n"
                "  bag: {values: {big: {weight: 3}, small: {weight: 1}}, times: bags}\n"
                "  load: {compute: bag.weight}\n"
            )
        )
    )
    assert [each.code for each in found.diagnostics] == ["circular"]


def test_keys_may_be_joined_by_hyphens() -> None:
    lamp = product(more("  lamp: {type: yes or no, relevant_when: bell}\n")).variable("lamp")
    assert lamp.relevant_when is not None


def test_accepting_silences_one_warning_at_one_place() -> None:
    text = (
        "=== more.yaml\nlanguages: [en, es]\n=== rules.yaml\nrules:\n"
        "  - {id: a, require: bell, because: Ring.{}}\n=== texts/es.csv\nkey,source,text\n"
        "rules.a.because,Ring it.,Toca.\n"
    )
    plain = load_folder(folder(text.replace("{}", "")))
    assert [each.code for each in plain.diagnostics] == ["text-stale"]
    assert plain.product is not None
    accepted = load_folder(folder(text.replace("{}", ", accept: {text-stale: The same}")))
    assert accepted.diagnostics == ()
    refused = load_folder(folder(text.replace("{}", ", accept: {void: because}")))
    assert said(refused.diagnostics)[0].startswith("rules.yaml:2:53 unknown-value")


def test_the_same_files_give_the_same_product_and_digest() -> None:
    files = folder("rules:\n  - {id: a, require: bell}\n")
    one = load_folder(files).product
    other = load_folder(dict(reversed(files.items()))).product
    assert one is not None
    assert one == other
    assert one.digest == digest_of(files)
    assert len(one.digest) == 64


def test_big_products_are_read() -> None:
    variables = "".join(f"  f{n}: {{type: yes or no}}\n" for n in range(2_000))
    rules = "".join(f"  - {{id: r{n}, require: f{n} => f{n // 2}}}\n" for n in range(2_000))
    rows = "".join(f"{n % 7 * 10 + 600},{'yes' if n % 2 else 'no'}\n" for n in range(10_000))
    with not_endless():
        found = product(
            more(variables)
            + f"=== rules.yaml\nrules:\n{rules}  - {{id: t, table: t.csv, kind: allowed}}\n"
            + f"=== t.csv\nwidth,f7\n{rows}"
        )
    assert (len(found.rules), len(found.tables[0].rows)) == (2_000, 10_000)

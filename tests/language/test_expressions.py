"""Expressions: text to meaning, with names, types and places."""

from __future__ import annotations

import dataclasses
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from configurator.language.grammar import Parser
from configurator.language.syntax import ExpressionError
from configurator.model import expression as model
from configurator.model.diagnostic import Span
from tests.language.folders import diagnostics, product


def required(text: str) -> model.Condition:
    """The requirement of a rule with that expression, without its places."""
    rule = product(f"rules:\n  - id: a\n    require: {text}\n").rules[0]
    assert rule.require is not None
    condition: model.Condition = unplaced(rule.require)
    return condition


def unplaced(node: Any) -> Any:
    """The same expression with every span forgotten."""
    if isinstance(node, tuple):
        return tuple(unplaced(each) for each in node)
    if not dataclasses.is_dataclass(node) or isinstance(node, type):
        return node
    kept = {
        each.name: unplaced(getattr(node, each.name))
        for each in dataclasses.fields(node)
        if each.name != "span"
    }
    return type(node)(**kept)


MATERIAL = model.Read("material")
WIDTH = model.Read("width")
CARBON = model.Comparison("=", MATERIAL, model.Symbol("material", "carbon"))
BELL = model.Comparison("=", model.Read("bell"), model.YesNo(True))


def number(value: int | str) -> model.Number:
    return model.Number(Fraction(value))


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("material = carbon", CARBON),
        ("material == carbon", CARBON),
        ("material <> carbon", model.Comparison("!=", CARBON.left, CARBON.right)),
        ("carbon = material", model.Comparison("=", CARBON.right, CARBON.left)),
        ("bell", BELL),
        ("not bell", model.Not(BELL)),
        ("bell = no", model.Comparison("=", BELL.left, model.YesNo(False))),
        ("yes", model.Constant(True)),
        ("bell and not bell or bell", model.Or((model.And((BELL, model.Not(BELL))), BELL))),
        ("bell => bell", model.Or((model.Not(BELL), BELL))),
        (
            "bell <=> bell",
            model.And((model.Or((model.Not(BELL), BELL)), model.Or((model.Not(BELL), BELL)))),
        ),
        ("width >= 700 mm", model.Comparison(">=", WIDTH, number(700))),
        ("width ≥ 700", model.Comparison(">=", WIDTH, number(700))),
        ("depth = 500", model.Comparison("=", model.Read("depth"), number(500))),
        ("-width < -0.5", model.Comparison("<", model.Negative(WIDTH), number("-1/2"))),
        (
            "width in [700, 800..900, 1000..]",
            model.Membership(
                WIDTH,
                (
                    number(700),
                    model.Range(number(800), number(900)),
                    model.Range(number(1000), None),
                ),
            ),
        ),
        (
            "material not in [carbon]",
            model.Membership(MATERIAL, (model.Symbol("material", "carbon"),), True),
        ),
        ("lights != none", model.Comparison("!=", model.Read("lights"), model.Nothing())),
        ("lights is not relevant", model.Relevant("lights", True)),
        ("extras has rack", model.Has("extras", "all", ("rack",))),
        ("extras has any of [rack, mudguards]", model.Has("extras", "any", ("rack", "mudguards"))),
        ("extras has only [rack]", model.Has("extras", "only", ("rack",))),
        ("extras.rack >= 2", model.Comparison(">=", model.Quantity("extras", "rack"), number(2))),
        ("count(extras) < 3", model.Comparison("<", model.Pieces("extras"), number(3))),
        ("kinds(extras) < 3", model.Comparison("<", model.Kinds("extras"), number(3))),
        (
            "sum(weight) <= 12500 g",
            model.Comparison("<=", model.SumOfFact(None, "weight"), number(12500)),
        ),
        (
            "sum(extras.weight) <= 900 g",
            model.Comparison("<=", model.SumOfFact("extras", "weight"), number(900)),
        ),
        (
            "material.thickness * 2 > 5",
            model.Comparison(
                ">",
                model.Arithmetic("*", model.Fact("material", "thickness"), number(2)),
                number(5),
            ),
        ),
        (
            "(plate.length else 0) < 3",
            model.Comparison("<", model.Else(model.TextLength("plate"), number(0)), number(3)),
        ),
        ("plate.length <= 8", model.Comparison("<=", model.TextLength("plate"), number(8))),
        (
            "start.weekday in [sat, sun]",
            model.Membership(
                model.DatePart("weekday", model.Read("start")), (number(6), number(7))
            ),
        ),
        (
            "start >= today + 10",
            model.Comparison(
                ">=", model.Read("start"), model.Arithmetic("+", model.Today(), number(10))
            ),
        ),
        (
            "start in 2027-01-10..2027-02-28",
            model.Membership(
                model.Read("start"),
                (model.Range(model.Day(date(2027, 1, 10)), model.Day(date(2027, 2, 28))),),
            ),
        ),
        (
            "max(width, 700) > 900",
            model.Comparison(">", model.Extreme("max", (WIDTH, number(700))), number(900)),
        ),
    ],
)
def test_meaning(text: str, meaning: model.Condition) -> None:
    assert required(text) == meaning


def test_conditions_keep_their_place() -> None:
    rule = product("rules:\n  - id: a\n    require: bell and width >= 700 mm\n").rules[0]
    assert isinstance(rule.require, model.And)
    second = rule.require.conditions[1]
    assert second.span == Span("rules.yaml", 3, 23)
    assert isinstance(second, model.Comparison)
    assert second.right.span == Span("rules.yaml", 3, 32)


def test_places_in_quoted_and_folded_conditions() -> None:
    quoted = diagnostics('rules:\n  - {id: a, require: "bell and bel"}\n')
    assert [each.span.column for each in quoted] == [32]
    folded = diagnostics("rules:\n  - id: a\n    require: >\n      bell and\n      bel\n")
    assert [(each.span.line, each.span.column) for each in folded] == [(3, 14)]


def test_context_reads_like_a_variable() -> None:
    islands = required("area = islands")
    assert islands == model.Comparison("=", model.Read("area"), model.Symbol("area", "islands"))


def test_a_reserved_word_is_never_a_name() -> None:
    with pytest.raises(ExpressionError):
        Parser().parse("extras has and")
    assert Parser().parse("none-yet = x") is not None


@pytest.mark.parametrize("text", ["(" * 40_000, "not " * 40_000 + "bell", "1 + " * 40_000 + "1"])
def test_deep_expressions_are_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        Parser().parse(text)


def test_long_lists_of_alternatives_are_read() -> None:
    many = " or ".join(["bell"] * 5_000)
    condition = required(many)
    assert isinstance(condition, model.Or)
    assert len(condition.conditions) == 5_000


def test_the_cure_for_an_option_alone_fits_its_variable() -> None:
    for text, cure in (
        ("bell and carbon", "write `material = carbon`."),
        ("extras has rack and mudguards", "write `extras has mudguards`."),
    ):
        (found,) = diagnostics(f"rules:\n  - id: a\n    require: {text}\n")
        assert found.help is not None
        assert found.help.in_language("en") == cure


@pytest.mark.parametrize(
    "computed",
    [
        "{compute: half * 2}",  # 1 and 5
        "{compute: width / kinds(some), round: up}",
        "{compute: width / count(some), round: up}",
        "{compute: width / count(many), round: up}",
    ],
)
def test_limits_tell_what_a_number_can_be(computed: str) -> None:
    assert (
        diagnostics(f"""\
variables:
  half: {{values: {{0.5: {{}}, 2.5: {{}}}}}}
  some: {{type: several of, pick: 1..2, values: {{a: {{}}, b: {{}}}}}}
  many: {{type: several of, each: 0..5, pieces: 2..6, values: {{a: {{}}, b: {{}}}}}}
  found: {computed}
""")
        == ()
    )


@pytest.mark.parametrize(
    "text",
    ["a" * 190_000 + " (b)", "width²,5 > 3", "width > 3,²", ">=", "has", "in a", "no no", "=<"],
)
def test_whatever_cannot_be_parsed_is_explained_at_once(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        Parser().parse(text)
    assert 0 <= caught.value.at <= len(text)

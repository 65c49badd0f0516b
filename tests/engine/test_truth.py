"""Truth, table by table: not asked, none, unanswered and no are four different things."""

from __future__ import annotations

from fractions import Fraction

import pytest

from configurator.engine.judge import Domain, Judge
from configurator.engine.layout import NOT_ASKED
from configurator.engine.reading import Reading
from configurator.engine.truth import Answers, Meaning
from configurator.model.expression import (
    And,
    Arithmetic,
    Comparison,
    Condition,
    Constant,
    DatePart,
    Day,
    Else,
    Has,
    LowestTotal,
    Membership,
    Not,
    Nothing,
    Number,
    Or,
    Quantity,
    Range,
    Read,
    Relevant,
    SumOfFact,
    Symbol,
    TextLength,
    YesNo,
)
from configurator.model.product import DayRange, SeveralOf, TextLimits, Variable
from tests.engine.products import DAY, number, one_of, product_of, several, text, whole, yes_no

OPEN = Comparison("=", Read("size"), number(1))
"""Open wherever ``size`` is not asked."""

PRODUCT = product_of(
    one_of("shape", ("a", "b"), weights={"a": 2, "b": 5}, optional=True),
    yes_no("extra"),
    whole("size", 0, 9, relevant_when=Comparison("=", Read("extra"), YesNo(True))),
    several("kit", ("p", "q"), SeveralOf((0, 2), (0, 2), None), weights={"p": 1}),
    Variable("plate", text("plate"), "text", text=TextLimits((1, 9), "latin"), optional=True),
    Variable("start", text("start"), "date", days=DayRange(0, 30)),
)
MEANING = Meaning(PRODUCT, DAY)


def truth(condition: Condition, **answers: str | None) -> bool | None:
    return MEANING.condition(condition)({k.replace("__", "."): v for k, v in answers.items()})


@pytest.mark.parametrize(
    ("one", "other", "both", "either"),
    [
        (True, True, True, True),
        (True, False, False, True),
        (True, None, None, True),
        (False, False, False, False),
        (False, None, False, None),
        (None, None, None, None),
    ],
)
def test_and_or_not(
    one: bool | None, other: bool | None, both: bool | None, either: bool | None
) -> None:
    def of(wanted: bool | None) -> Condition:
        return OPEN if wanted is None else Constant(wanted)

    for left, right in ((one, other), (other, one)):
        assert truth(And((of(left), of(right)))) is both
        assert truth(Or((of(left), of(right)))) is either
    assert truth(Not(of(one))) is (None if one is None else not one)


def test_not_asked_none_unanswered_and_no_are_four_things() -> None:
    is_a = Comparison("=", Read("shape"), Symbol("shape", "a"))
    not_a = Comparison("!=", Read("shape"), Symbol("shape", "a"))
    is_none = Comparison("=", Read("shape"), Nothing())
    for answer, a, none in (("a", True, False), ("b", False, False), ("none", False, True)):
        assert truth(is_a, shape=answer) is a
        assert truth(not_a, shape=answer) is not a
        assert truth(is_none, shape=answer) is none
    for missing in ({}, {"shape": NOT_ASKED}, {"shape": None}):
        assert truth(is_a, **missing) is None
        assert truth(not_a, **missing) is None
        assert truth(is_none, **missing) is None
    no = Comparison("=", Read("extra"), YesNo(False))
    assert truth(no, extra="no") is True
    assert truth(no, extra="yes") is False
    assert truth(no) is None


def test_ordering_and_arithmetic_with_none_are_open() -> None:
    product = product_of(whole("n", 0, 9, optional=True))
    meaning = Meaning(product, DAY)
    over = Comparison(">", Read("n"), number(3))
    plus = Comparison("=", Arithmetic("+", Read("n"), number(1)), number(4))
    listed = Membership(Read("n"), (Nothing(), Range(number(5), None)))
    fallback = Comparison("=", Else(Read("n"), number(7)), number(7))
    for answer, truths in {
        "3": (False, True, False, False),
        "7": (True, False, True, True),
        "none": (None, None, True, True),
    }.items():
        found = tuple(meaning.condition(c)({"n": answer}) for c in (over, plus, listed, fallback))
        assert found == truths


def test_none_is_in_a_set_only_where_the_set_names_it() -> None:
    meaning = Meaning(product_of(whole("n", 0, 9, optional=True)), DAY)
    range_ = Range(number(2), number(5))
    sets = (
        Membership(Read("n"), (range_,)),
        Membership(Read("n"), (range_,), negated=True),
        Membership(Read("n"), (range_, Nothing()), negated=True),
    )
    for answer, truths in {
        "3": (True, False, False),
        "7": (False, True, True),
        "none": (False, True, False),
        NOT_ASKED: (None, None, None),
    }.items():
        assert tuple(meaning.condition(each)({"n": answer}) for each in sets) == truths


def test_relevance_is_never_open() -> None:
    asked, skipped = Relevant("size"), Relevant("size", negated=True)
    assert truth(asked, size="3") is True
    assert truth(asked) is False
    assert truth(skipped, size=NOT_ASKED) is True
    assert truth(Relevant("extra")) is True


def test_several_of_texts_and_dates() -> None:
    both = Has("kit", "all", ("p", "q"))
    only = Has("kit", "only", ("p",))
    assert truth(both, kit__p="1", kit__q="2") is True
    assert truth(only, kit__p="1", kit__q="2") is False
    assert truth(only, kit__p="0", kit__q="0") is True
    two = Comparison("=", Quantity("kit", "q"), number(2))
    assert truth(two, kit__p="0", kit__q="2") is True
    length = Comparison(">=", TextLength("plate"), number(3))
    assert truth(length, plate="Ana") is True
    assert truth(length, plate="none") is None
    sunday = Comparison("=", DatePart("weekday", Read("start")), number(7))
    assert truth(sunday, start=DAY.isoformat()) is True
    assert truth(Comparison("<", Read("start"), Day(DAY)), start=DAY.isoformat()) is False


def test_sums_skip_what_is_not_there() -> None:
    total = MEANING.number(SumOfFact(None, "weight"))
    assert total({"shape": "b", "kit.p": "2"}) == Fraction(7)
    assert total({"shape": "none", "kit.p": "2"}) == Fraction(2)
    assert total({}) == Fraction(0)
    assert total({"shape": None}) is None


def test_division_by_nothing_is_open() -> None:
    ratio = Comparison(">", Arithmetic("/", number(1), Read("size")), number(0))
    assert truth(ratio, size="0") is None
    assert truth(ratio, size="2") is True


# --- on valid domains -------------------------------------------------------------------


def judged(condition: Condition, lowest: int | None = None, **domains: Domain) -> bool | None:
    judge = Judge(MEANING, Reading(MEANING, lambda _: True))
    return judge.truth(condition, {k.replace("__", "."): d for k, d in domains.items()}, lowest)


def test_an_atom_over_one_slot_goes_by_all_its_valid_answers() -> None:
    is_a = Comparison("=", Read("shape"), Symbol("shape", "a"))
    assert judged(is_a, shape=Domain(("a",))) is True
    assert judged(is_a, shape=Domain(("b", "none"))) is False
    assert judged(is_a, shape=Domain(("a", "b"))) is None
    assert judged(is_a, shape=Domain(("a",), skipped=True)) is None
    listed = Membership(Read("shape"), (Symbol("shape", "a"), Symbol("shape", "b")))
    assert judged(listed, shape=Domain(("a", "b"))) is True


def test_an_atom_over_several_goes_by_its_ends() -> None:
    grid = MEANING.layout.by_id["size"].grid
    low, high = Domain((), grid, ((0, 3),)), Domain((), grid, ((5, 9),))
    quantity = Domain(("1", "2"))
    less = Comparison("<", Read("size"), Quantity("kit", "p"))
    assert judged(less, size=high, kit__p=quantity) is False
    assert judged(less, size=low, kit__p=quantity) is None
    heavy = Comparison("<=", SumOfFact(None, "weight"), number(7))
    assert judged(heavy, shape=Domain(("a", "b")), kit__p=quantity) is True
    light = Comparison("<=", SumOfFact(None, "weight"), number(6))
    assert judged(light, shape=Domain(("b",)), kit__p=quantity) is None


def test_guards_read_the_lowest_total() -> None:
    dear = Comparison(">=", LowestTotal(), number(60))
    assert judged(dear, 6000) is True
    assert judged(dear, 5999) is None  # it may still become dearer
    assert judged(dear) is None


@pytest.mark.parametrize("answer", ["a", "b", "none", NOT_ASKED])
def test_single_answers_are_judged_like_complete_ones(answer: str) -> None:
    domain = Domain(skipped=True) if answer == NOT_ASKED else Domain((answer,))
    answers: Answers = {"shape": answer}
    for condition in (
        Comparison("!=", Read("shape"), Nothing()),
        Membership(Read("shape"), (Symbol("shape", "a"), Nothing())),
        Comparison(">", Number(Fraction(3)), Read("shape")),
    ):
        assert judged(condition, shape=domain) is MEANING.condition(condition)(answers)

"""What the engine promises beyond brute force: wide numbers, texts, dates, proposals,
orders, units, context, and the same bytes everywhere."""

from __future__ import annotations

import datetime
import os
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from configurator.engine import Engine, EngineError, UnknownChoiceError, compile_product
from configurator.model.choice import Choice
from configurator.model.expression import (
    And,
    Arithmetic,
    Comparison,
    DatePart,
    Membership,
    Not,
    Number,
    Or,
    Quantity,
    Range,
    Read,
    Symbol,
    TextLength,
    YesNo,
)
from configurator.model.product import (
    AmountLine,
    Computed,
    ContextVariable,
    DayRange,
    Default,
    Period,
    Prices,
    Rule,
    SeveralOf,
    Table,
    TableRow,
    TextLimits,
    Value,
    Variable,
)
from configurator.model.verdict import Interval, SlotView
from tests.engine.oracle import Oracle
from tests.engine.products import DAY, number, one_of, product_of, several, text, whole, yes_no

YES = YesNo(True)


def is_(name: str, value: str) -> Comparison:
    return Comparison("=", Read(name), Symbol(name, value))


def slot(engine: Engine, name: str, *choices: tuple[str, str], **context: str) -> SlotView:
    told = tuple(Choice(k, v) for k, v in context.items())
    view = engine.view(tuple(Choice(*each) for each in choices), told)
    return next(each for each in view.slots if each.slot == name)


# --- wide numbers -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def wide() -> Engine:
    return compile_product(
        product_of(
            whole("width", 600, 3600, 10),
            one_of("doors", ("two", "three")),
            rules=(
                Rule(
                    "narrow",
                    None,
                    when=Comparison("<", Read("width"), number(1005)),
                    require=is_("doors", "two"),
                ),
                Rule(
                    "made-to",
                    None,
                    forbid=Membership(Read("width"), (Range(number(2000), number(2490)),)),
                ),
            ),
        ),
        DAY,
        backend="sat",
    )


def test_a_wide_number_is_cut_where_rules_compare_it(wide: Engine) -> None:
    variable = wide.network.variables[0]
    assert variable.size == 3
    assert sum(variable.multiplicity) == 301
    found = slot(wide, "width")
    assert found.intervals == (Interval("600", "1990"), Interval("2500", "3600"))
    assert found.options == ()
    assert found.state == "open"
    assert wide.view(()).count.number == 41 + 2 * (301 - 41 - 50)


@pytest.mark.parametrize("backend", ["python-constraint", "sat", "diagram"])
def test_a_wide_number_that_is_chosen_counts_once(backend: str) -> None:
    """Though one network value stands for many answers."""
    rule = Rule("r", None, forbid=Comparison(">", Read("width"), number(2000)))
    slanted = Rule(
        "s", None, when=is_("doors", "two"), require=Comparison("<", Read("depth"), number(500))
    )
    engine = compile_product(
        product_of(
            whole("width", 600, 3600, 10),
            whole("depth", 300, 1000),
            one_of("doors", ("two", "three")),
            rules=(rule, slanted),
        ),
        DAY,
        backend=backend,
    )

    def left(*choices: tuple[str, str]) -> int:
        return engine.view(tuple(Choice(*each) for each in choices)).count.number

    assert left() == 141 * (200 + 701)
    assert left(("width", "1820")) == 200 + 701
    assert left(("depth", "400")) == 141 * 2
    assert left(("depth", "700"), ("width", "650")) == 1
    assert left(("depth", "700"), ("doors", "three")) == 141


def test_every_answer_of_a_wide_number_is_mapped_exactly(wide: Engine) -> None:
    for width in range(600, 3601, 10):
        possible = not 2000 <= width <= 2490
        assert wide.is_possible((), Choice("width", str(width))) is possible
        three = wide.is_possible((Choice("doors", "three"),), Choice("width", str(width)))
        assert three is (possible and width >= 1010)
    chosen = slot(wide, "width", ("doors", "three"), ("width", "1820"))
    assert (chosen.state, chosen.answer) == ("chosen", "1820")
    assert chosen.intervals == (Interval("1010", "1990"), Interval("2500", "3600"))


def test_a_repair_moves_a_wide_number_as_little_as_it_can(wide: Engine) -> None:
    choices = (Choice("width", "900"),)
    (repair,) = wide.repairs(choices, Choice("doors", "three"))
    assert repair.changes[0].after == "1010"
    assert repair.choices == (Choice("width", "1010"), Choice("doors", "three"))


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("605", "off-step"),
        ("5000", "out-of-range"),
        ("1e3", "malformed-number"),
        ("9" * 100_000, "malformed-number"),
        ("", "malformed-number"),
        ("NaN", "malformed-number"),
        ("٣", "malformed-number"),
    ],
)
def test_no_answers_to_a_number(wide: Engine, answer: str, code: str) -> None:
    with pytest.raises(UnknownChoiceError) as caught:
        wide.check(Choice("width", answer))
    assert caught.value.code == code
    assert caught.value.help.in_language("es")


def test_answers_are_spelled_one_way(wide: Engine) -> None:
    assert wide.check(Choice("width", "0610.0")) == Choice("width", "610")
    with pytest.raises(UnknownChoiceError, match="Did you mean “three”"):
        wide.check(Choice("doors", "tree"))
    with pytest.raises(UnknownChoiceError, match="unknown-slot"):
        wide.check(Choice("door", "two"))


def test_a_number_too_wide_for_its_rules_is_refused_with_a_cure() -> None:
    product = product_of(
        whole("a", 0, 10**6),
        whole("b", 0, 10**6),
        rules=(Rule("r", None, require=Comparison("<", Read("a"), Read("b"))),),
    )
    with pytest.raises(EngineError, match="step") as caught:
        compile_product(product, DAY)
    assert caught.value.code == "too-wide"


def test_a_huge_range_compared_with_constants_is_not_too_wide() -> None:
    product = product_of(
        whole("a", 0, 10**12),
        rules=(Rule("r", None, forbid=Comparison(">", Read("a"), Number(Fraction(2001, 2)))),),
    )
    engine = compile_product(product, DAY, backend="sat")
    assert slot(engine, "a").intervals == (Interval("0", "1000"),)
    assert engine.view(()).count.number == 1001


def test_sums_of_wide_numbers_are_exact() -> None:
    product = product_of(
        *(whole(name, 0, 400) for name in ("veg", "vegan", "guests")),
        rules=(
            Rule(
                "diets",
                None,
                require=Comparison(
                    "<=", Arithmetic("+", Read("veg"), Read("vegan")), Read("guests")
                ),
            ),
        ),
    )
    engine = compile_product(product, DAY, backend="sat")
    found = slot(engine, "veg", ("guests", "120"), ("vegan", "45"))
    assert found.intervals == (Interval("0", "75"),)


def test_exactly_one_of_many_stays_small() -> None:
    names = [f"f{i}" for i in range(60)]
    total = Read(names[0])
    for name in names[1:]:
        total = Arithmetic("+", total, Read(name))
    product = product_of(
        *(yes_no(name) for name in names),
        rules=(Rule("one", None, require=Comparison("=", total, number(1))),),
    )
    engine = compile_product(product, DAY, backend="sat")
    assert len(engine.network.constraints) == 1
    assert engine.view(()).count == engine.view(()).count.__class__(60, True)
    found = slot(engine, "f7", ("f3", "yes"))
    assert (found.state, found.answer) == ("implied", "no")


# --- dates, texts, periods --------------------------------------------------------------


def test_days_are_cut_by_weekday() -> None:
    weekday = DatePart("weekday", Read("start"))
    product = product_of(
        Variable("start", text("start"), "date", days=DayRange(1, 200)),
        one_of("hall", ("ours", "theirs")),
        rules=(Rule("closed", None, is_("hall", "ours"), Comparison("!=", weekday, number(1))),),
    )
    engine = compile_product(product, DAY, backend="sat")
    assert engine.network.variables[0].size == 2
    for offset in range(1, 201):
        day = DAY + datetime.timedelta(days=offset)
        possible = engine.is_possible((Choice("hall", "ours"),), Choice("start", day.isoformat()))
        assert possible is (day.isoweekday() != 1)


def test_a_text_is_given_or_not_and_has_a_length() -> None:
    product = product_of(
        Variable("plate", text("plate"), "text", text=TextLimits((1, 20), "latin"), optional=True),
        one_of("metal", ("tin", "gold")),
        rules=(
            Rule(
                "long-on-tin",
                None,
                forbid=And(
                    (Comparison(">", TextLength("plate"), number(12)), is_("metal", "gold"))
                ),
            ),
        ),
        prices=Prices(
            base=100,
            lines=(
                AmountLine("letters", text("l"), Arithmetic("*", number(2), TextLength("plate"))),
            ),
        ),
    )
    engine = compile_product(product, DAY, backend="sat")
    assert engine.is_possible((Choice("metal", "gold"),), Choice("plate", "Short"))
    assert not engine.is_possible((Choice("metal", "gold"),), Choice("plate", "x" * 13))
    assert engine.conflict((Choice("metal", "gold"),), Choice("plate", "x" * 13)).rules == (
        "long-on-tin",
    )
    view = engine.view((Choice("plate", "Ana"), Choice("metal", "tin")))
    assert view.complete
    assert view.bill is not None
    assert view.bill.total == 700
    assert engine.complete(()).bill.total == 100
    with pytest.raises(UnknownChoiceError, match="text-length"):
        engine.check(Choice("plate", "x" * 21))
    for blank in (" ", " " * 9):
        with pytest.raises(UnknownChoiceError, match="text-length"):
            engine.check(Choice("plate", blank))
    assert engine.check(Choice("plate", " Ana ")) == Choice("plate", "Ana")
    for foreign in ("Ж", "Ana 🚲", "❤", "١", "a\n"):
        with pytest.raises(UnknownChoiceError, match="text-letters"):
            engine.check(Choice("plate", foreign))
    for latin in ("Ñandú & Zoë", "«1.º» – 3/4", "O’Brien… 5€", "Łódź"):
        assert engine.check(Choice("plate", latin)).answer == latin


def test_what_has_passed_is_gone() -> None:
    coral = Value("coral", text("coral"), period=Period(None, DAY))
    colour = Variable("colour", text("colour"), "one of", (Value("sand", text("sand")), coral))
    product = product_of(colour)
    assert len(slot(compile_product(product, DAY, backend="sat"), "colour").options) == 2
    later = compile_product(product, DAY + datetime.timedelta(days=1), backend="sat")
    assert slot(later, "colour").state == "implied"
    with pytest.raises(UnknownChoiceError, match="not-today"):
        later.check(Choice("colour", "coral"))


GONE = (
    Value("coral", text("coral"), period=Period(None, DAY)),
    Value("sand", text("sand"), period=Period(None, DAY)),
)
LATER = DAY + datetime.timedelta(days=1)


@pytest.mark.parametrize("backend", ["diagram", "sat", "python-constraint"])
@pytest.mark.parametrize(
    "limits", [SeveralOf((1, 2), (0, 1), None), SeveralOf((0, 2), (0, 1), (1, 2))]
)
def test_limits_hold_where_all_values_have_passed(limits: SeveralOf, backend: str) -> None:
    colours = Variable("colours", text("colours"), "several of", GONE, several=limits)
    product = product_of(colours, one_of("frame", ("steel", "carbon")))
    assert compile_product(product, DAY, backend=backend).view(()).count.number > 0
    with pytest.raises(EngineError, match="void") as caught:
        compile_product(product, LATER, backend=backend)
    assert caught.value.owners == ("limits:colours",)
    none_needed = replace(colours, several=SeveralOf((0, 2), (0, 1), (0, 2)))
    compile_product(product_of(none_needed, yes_no("a")), LATER, backend=backend)


@pytest.mark.parametrize("backend", ["diagram", "sat", "python-constraint"])
def test_what_nothing_can_be_taken_of_has_to_go_unasked(backend: str) -> None:
    colours = Variable(
        "colours",
        text("colours"),
        "several of",
        GONE,
        several=SeveralOf((1, 2), (0, 1), None),
        relevant_when=And((is_("frame", "steel"), Comparison("=", Read("painted"), YES))),
    )
    product = product_of(one_of("frame", ("steel", "carbon")), yes_no("painted"), colours)
    engine = compile_product(product, LATER, backend=backend)
    assert engine.view(()).count.number == len(Oracle(product, LATER).configurations) == 3
    steel = (Choice("frame", "steel"),)
    assert not engine.is_possible(steel, Choice("painted", "yes"))
    assert engine.conflict(steel, Choice("painted", "yes")).rules == ("limits:colours",)


# --- relevance, several-of, computed ----------------------------------------------------


@pytest.fixture(scope="module")
def rack() -> Engine:
    return compile_product(
        product_of(
            several("extras", ("rack", "bell"), SeveralOf((0, 1), (1, 3), None)),
            whole(
                "load",
                5,
                25,
                5,
                relevant_when=Comparison(">", Quantity("extras", "rack"), number(0)),
            ),
            Variable(
                "twice",
                text("twice"),
                "computed",
                computed=Computed(Arithmetic("*", Read("load"), number(2)), None, None, 0),
                show="result",
            ),
            one_of("frame", ("steel", "carbon")),
            rules=(
                Rule(
                    "heavy", None, Comparison(">", Read("load"), number(15)), is_("frame", "steel")
                ),
            ),
        ),
        DAY,
        backend="sat",
    )


@pytest.mark.parametrize(("answer", "like"), [("bell", "bell"), ("1", "rack")])
def test_a_several_of_is_chosen_value_by_value(rack: Engine, answer: str, like: str) -> None:
    with pytest.raises(UnknownChoiceError, match="unknown-slot: Of “extras” several") as caught:
        rack.check(Choice("extras", answer))
    help = caught.value.help
    assert help.in_language("en") == (
        f"Choose like this: extras.{like}=1. There is: extras.rack, extras.bell."
    )
    assert help.in_language("es").startswith(f"Elige así: extras.{like}=1. Hay: extras.rack")


def test_relevance_follows_the_several_of(rack: Engine) -> None:
    assert slot(rack, "load", ("extras.rack", "0")).state == "not asked"
    assert slot(rack, "load", ("extras.rack", "2")).state == "open"
    assert not slot(rack, "load").certainly_asked
    assert slot(rack, "extras.rack", ("load", "20")).state == "open"
    assert slot(rack, "extras.bell", ("load", "20")).answer == "0"
    assert slot(rack, "twice", ("load", "20")).answer == "40"
    assert slot(rack, "twice", ("extras.rack", "0")).state == "not asked"


def test_limits_are_cited_by_name(rack: Engine) -> None:
    conflict = rack.conflict((Choice("extras.rack", "1"),), Choice("extras.bell", "1"))
    assert conflict.rules == ("limits:extras",)
    assert conflict.choices == (Choice("extras.rack", "1"),)


def test_a_rule_about_a_question_nobody_asked_never_bites(rack: Engine) -> None:
    assert slot(rack, "frame", ("extras.rack", "0")).state == "open"
    assert slot(rack, "frame", ("load", "20")).answer == "steel"
    origin = rack.origin((Choice("load", "20"),), "frame")
    assert (origin.choices, origin.rules) == ((Choice("load", "20"),), ("heavy",))


def test_a_repair_withdraws_what_is_no_longer_asked(rack: Engine) -> None:
    repairs = rack.repairs((Choice("load", "20"),), Choice("extras.rack", "0"))
    assert [(c.slot, c.before, c.after) for c in repairs[0].changes] == [("load", "20", None)]
    assert repairs[0].choices == (Choice("extras.rack", "0"),)


def test_the_oldest_choice_is_blamed_where_several_could_be() -> None:
    product = product_of(
        yes_no("a"),
        yes_no("b"),
        yes_no("c"),
        rules=(
            Rule(
                "a-c",
                None,
                forbid=And((Comparison("=", Read("a"), YES), Comparison("=", Read("c"), YES))),
            ),
            Rule(
                "b-c",
                None,
                forbid=And((Comparison("=", Read("b"), YES), Comparison("=", Read("c"), YES))),
            ),
        ),
    )
    engine = compile_product(product, DAY, backend="sat")
    a, b, c = (Choice(name, "yes") for name in "abc")
    assert engine.conflict((a, b), c).choices == (a,)
    assert engine.conflict((b, a), c).choices == (b,)
    (repair,) = engine.repairs((a, b), c)
    assert [change.slot for change in repair.changes] == ["a", "b"]


def test_a_look_up_over_many_columns_takes_the_first_row_that_fits() -> None:
    names = [f"n{k}" for k in range(9)]
    rows = (
        TableRow((is_("n0", "a"), Or((is_("n1", "b"), is_("n2", "c")))), ("10",)),
        TableRow(tuple(Not(is_(name, "d")) for name in names), ("20",)),
        TableRow((is_("n8", "d"),), ("30",)),
    )
    product = product_of(
        *(one_of(name, ("a", "b", "c", "d")) for name in names),
        Variable("found", text("found"), "computed", computed=Computed(None, "look", None, 0)),
        tables=(Table("look", "lookup", tuple(names), rows, ("found",), first_match=True),),
        rules=(Rule("big", None, require=Comparison("<=", Read("found"), number(20))),),
    )
    engine = compile_product(product, DAY, backend="sat")
    rng = random.Random(5)
    for _ in range(60):
        answers = {name: rng.choice("abcd") for name in names}
        worth = engine.meaning.read("found")(answers)
        *first, last = (Choice(*each) for each in answers.items())
        allowed = worth is None or worth <= 20
        assert engine.is_possible(tuple(first), last) is allowed
        if allowed:
            found = slot(engine, "found", *answers.items())
            assert found.answer == (None if worth is None else str(worth))
            assert found.state == ("not asked" if worth is None else "implied")


# --- context, proposals, prices ---------------------------------------------------------


def test_context_is_cited_and_never_given_up() -> None:
    product = product_of(
        one_of("fitting", ("self", "pro")),
        context=(ContextVariable("area", ("mainland", "islands"), "mainland"),),
        rules=(Rule("far", None, forbid=And((is_("area", "islands"), is_("fitting", "pro")))),),
    )
    engine = compile_product(product, DAY, backend="sat")
    islands = (Choice("area", "islands"),)
    pro = Choice("fitting", "pro")
    assert engine.is_possible((), pro)
    assert not engine.is_possible((), pro, islands)
    found = engine.conflict((), pro, islands)
    assert (found.choices, found.context, found.rules) == ((), islands, ("far",))
    assert engine.repairs((), pro, islands) == ()
    option = slot(engine, "fitting", area="islands").options[1]
    assert (option.answer, option.state) == ("pro", "impossible")
    with pytest.raises(UnknownChoiceError):
        engine.view((), (Choice("area", "moon"),))


def test_proposals_fit_together_in_step_order() -> None:
    product = product_of(
        one_of("size", ("S", "M"), defaults=(Default("M"),)),
        one_of(
            "doors",
            ("open", "hinged"),
            defaults=(Default("open", is_("size", "S")), Default("hinged")),
        ),
        one_of(
            "handle",
            ("knob", "bar"),
            relevant_when=is_("doors", "hinged"),
            defaults=(Default("knob", is_("size", "S")), Default("bar")),
        ),
        yes_no("ask-me", defaults=(Default("yes"),), ask_always=True),
        yes_no("light", defaults=(Default("yes"),)),
        rules=(Rule("m-dark", None, is_("size", "M"), Not(Comparison("=", Read("light"), YES))),),
    )
    engine = compile_product(product, DAY, backend="sat")
    view = engine.view(())
    proposed = {each.slot: each.proposal for each in view.slots}
    assert proposed == {
        "size": "M",
        "doors": "hinged",
        "handle": "bar",
        "ask-me": None,
        "light": None,
    }
    assert view.proposed["light"] == "no"
    small = engine.view((Choice("size", "S"),))
    proposed = {each.slot: each.proposal for each in small.slots}
    assert (proposed["doors"], proposed["handle"], proposed["light"]) == ("open", None, "yes")
    complete = engine.complete((), prefer_proposals=True)
    assert {c.slot: c.answer for c in complete.answers}["handle"] == "bar"


def test_units_multiply_the_total() -> None:
    product = product_of(
        one_of("screen", ("13", "16"), prices={"16": 19000}),
        whole("units", 1, 200),
        prices=Prices(base=89000, tax_rate=Fraction(21), tax_included=False, times=Read("units")),
    )
    engine = compile_product(product, DAY, backend="sat")
    view = engine.view((Choice("units", "10"),))
    assert view.lowest_total == 10 * 107690
    assert view.lowest_exact
    prices = [(o.answer, o.difference) for o in slot(engine, "screen", ("units", "2")).options]
    assert prices == [("13", 0), ("16", 2 * (130680 - 107690))]
    assert engine.view(()).lowest_total == 107690


def test_a_charge_too_wide_to_tabulate_says_at_least_until_it_is_answered() -> None:
    area = Arithmetic("*", Read("width"), Read("height"))
    product = product_of(
        whole("width", 600, 3600, 1),
        whole("height", 1800, 2800, 1),
        one_of("panel", ("white", "oak"), prices={"oak": 5000}),
        prices=Prices(
            base=1000, lines=(AmountLine("area", text("a"), Arithmetic("/", area, number(10_000))),)
        ),
    )
    engine = compile_product(product, DAY, backend="sat")
    start = engine.view(())
    assert start.lowest_total == 1000 + 108 * 100
    assert not start.lowest_exact
    choices = (Choice("width", "1000"), Choice("height", "2000"))
    view = engine.view(choices)
    assert (view.lowest_total, view.lowest_exact) == (1000 + 200 * 100, True)
    options = next(s for s in view.slots if s.slot == "panel").options
    assert [o.difference for o in options] == [0, 5000]
    assert engine.view((*choices, Choice("panel", "oak"))).bill.total == 26000


def test_impossible_products_name_their_rules() -> None:
    product = product_of(
        yes_no("a"),
        rules=(
            Rule("must", None, require=Comparison("=", Read("a"), YES)),
            Rule(
                "free",
                None,
                require=Or((Comparison("=", Read("a"), YES), Not(Comparison("=", Read("a"), YES)))),
            ),
            Rule("must-not", None, forbid=Comparison("=", Read("a"), YES)),
        ),
    )
    with pytest.raises(EngineError) as caught:
        compile_product(product, DAY, backend="sat")
    assert caught.value.code == "void"
    assert caught.value.owners == ("must", "must-not")


def test_choices_that_do_not_hold_together_have_no_view(rack: Engine) -> None:
    with pytest.raises(ValueError, match="do not hold together"):
        rack.view((Choice("load", "20"), Choice("frame", "carbon")))


# --- the same bytes everywhere ----------------------------------------------------------

PROGRAM = """
import hashlib, random
from hypothesis import Phase, given, seed, settings
from tests.engine.oracle import Oracle, SKIPPED
from tests.engine.products import DAY, products
from configurator.engine import compile_product, EngineError
from configurator.model.choice import Choice
digest = hashlib.sha256()

@seed(7)
@settings(max_examples=12, database=None, deadline=None, phases=[Phase.generate])
@given(product=products())
def run(product):
    try:
        engine = compile_product(product, DAY, backend="sat")
    except EngineError as error:
        digest.update(str(error).encode())
        return
    found = engine.complete(())
    if found is None:
        return
    slots = [c for c in found.answers if c.slot not in ("sum", "found")]
    for count in range(0, len(slots), 2):
        view = engine.view(tuple(slots[:count]))
        digest.update(repr(view).encode())
        for slot in view.slots:
            for option in slot.options:
                if option.state == "needs changes" and slot.slot not in ("sum", "found"):
                    wanted = Choice(slot.slot, option.answer)
                    digest.update(repr(engine.conflict(tuple(slots[:count]), wanted)).encode())
                    digest.update(repr(engine.repairs(tuple(slots[:count]), wanted)).encode())

run()
print(digest.hexdigest())
"""


def bytes_under(hash_seed: str) -> str:
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(root)}
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        cwd=root,
        env=environment,
        check=True,
    )
    return run.stdout


def test_the_same_bytes_in_twenty_processes() -> None:
    seeds = [*(str(number) for number in range(15)), *["random"] * 5]
    with ThreadPoolExecutor(2) as pool:
        found = set(pool.map(bytes_under, seeds))
    assert len(found) == 1

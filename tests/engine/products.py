"""Small products, drawn at random, that use every construct the engine knows."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from hypothesis import strategies as st

from configurator.engine import Engine, EngineError, compile_product
from configurator.model.choice import Choice, Choices
from configurator.model.expression import (
    And,
    Arithmetic,
    Comparison,
    Condition,
    Else,
    Fact,
    Has,
    Kinds,
    Membership,
    Negative,
    Not,
    Nothing,
    Number,
    Or,
    Pieces,
    Quantity,
    Range,
    Read,
    Relevant,
    SumOfFact,
    Symbol,
    Term,
    YesNo,
    parts_of,
)
from configurator.model.product import (
    AmountLine,
    Computed,
    ContextVariable,
    Default,
    FactType,
    Guard,
    NumberRange,
    PercentLine,
    Period,
    PriceRow,
    Prices,
    Product,
    Rule,
    SeveralOf,
    Step,
    Suggestion,
    Table,
    TableRow,
    Value,
    Variable,
)
from configurator.model.text import Text

DAY = datetime.date(2026, 11, 22)
FAR = (Choice("area", "far"),)
GONE = Period(None, datetime.date(2026, 1, 1))


def text(words: str) -> Text:
    return Text((("en", words),))


def number(value: int | Fraction) -> Number:
    return Number(Fraction(value))


def one_of(name: str, values: tuple[str, ...], **more: object) -> Variable:
    prices = more.pop("prices", {})
    weights = more.pop("weights", {})
    return Variable(
        name,
        text(name),
        "one of",
        tuple(
            Value(
                v,
                text(v),
                price=prices.get(v),
                facts=(("weight", Fraction(weights[v])),) if v in weights else (),
                number=Fraction(v) if v.isdigit() else None,
            )
            for v in values
        ),
        **more,
    )


def yes_no(name: str, **more: object) -> Variable:
    price = more.pop("price", None)
    return Variable(
        name,
        text(name),
        "yes or no",
        (Value("yes", text("yes"), price=price), Value("no", text("no"))),
        **more,
    )


def whole(name: str, low: int, high: int, step: int = 1, **more: object) -> Variable:
    span = NumberRange(Fraction(low), Fraction(high), Fraction(step), 0)
    return Variable(name, text(name), "number", number=span, **more)


def several(name: str, values: tuple[str, ...], limits: SeveralOf, **more: object) -> Variable:
    prices = more.pop("prices", {})
    weights = more.pop("weights", {})
    return Variable(
        name,
        text(name),
        "several of",
        tuple(
            Value(
                v,
                text(v),
                price=prices.get(v),
                facts=(("weight", Fraction(weights[v])),) if v in weights else (),
            )
            for v in values
        ),
        several=limits,
        **more,
    )


def product_of(*variables: Variable, **more: object) -> Product:
    asked = tuple(v.id for v in variables if v.kind != "computed")
    return Product(
        "sample",
        text("Sample"),
        "en",
        ("en",),
        "Europe/Madrid",
        tuple(variables),
        (Step("all", text("All"), asked),),
        facts=(FactType("weight", None, "g", 0, False),),
        **more,
    )


# --- random products --------------------------------------------------------------------

IDS = ("a", "b", "c")
TAXES = st.sampled_from([None, None, Fraction(0), Fraction(10)])


@st.composite
def products(draw: st.DrawFn, *, prices: bool = True) -> Product:
    """Up to six variables of all kinds, up to four rules, tables, look-ups, prices."""
    variables: list[Variable] = [
        one_of(
            "shape",
            draw(st.sampled_from([("a", "b"), ("a", "b", "c")])),
            prices=draw(price_map(IDS)),
            weights=draw(weight_map(IDS)),
            optional=draw(st.booleans()),
        ),
        yes_no("extra", price=draw(st.sampled_from([None, 990, -300]))),
    ]
    known = Known(["shape"], ["extra"], [], [])
    if draw(st.booleans()):
        relevant = draw(st.one_of(st.none(), conditions(known, 1)))
        variables.append(
            whole(
                "size",
                0,
                draw(st.sampled_from([2, 3])),
                optional=draw(st.booleans()),
                relevant_when=relevant,
                price_each=draw(st.sampled_from([None, 150, 333])) if prices else None,
                facts_each=draw(st.sampled_from([(), (("weight", Fraction(3, 2)),)])),
                tax=draw(TAXES),
            )
        )
        known.numbers.append("size")
    if draw(st.booleans()):
        each = draw(st.sampled_from([(0, 1), (1, 2), (2, 3)]))
        pieces = draw(st.sampled_from([None, (0, 2), (1, 3)]))
        variables.append(
            several(
                "kit",
                ("p", "q"),
                SeveralOf(draw(st.sampled_from([(0, 2), (0, 1), (1, 2)])), each, pieces),
                prices=draw(price_map(("p", "q"))),
                weights=draw(weight_map(("p", "q"))),
                relevant_when=draw(st.one_of(st.none(), conditions(known, 1))),
                times=draw(times_of(known)),
                tax=draw(TAXES),
            )
        )
        known.several.append("kit")
    if draw(st.booleans()):
        variables.append(
            one_of(
                "depth",
                ("4", "6"),
                relevant_when=draw(st.one_of(st.none(), conditions(known, 2))),
                times=draw(times_of(known)),
                prices=draw(price_map(("4", "6"))),
                weights=draw(weight_map(("4", "6"))),
            )
        )
        known.numbers.append("depth")
    tables: list[Table] = []
    known.complete = True
    if draw(st.booleans()):
        variables.append(
            Variable(
                "sum",
                text("sum"),
                "computed",
                computed=Computed(draw(terms(known, 2)), None, "nearest", 0),
            )
        )
        known.numbers.append("sum")
    elif draw(st.booleans()):
        cells = draw(st.lists(conditions(known, 0), min_size=2, max_size=2))
        tables.append(
            Table(
                "look",
                "lookup",
                (),
                tuple(TableRow((cell,), (str(n),), id=str(n)) for n, cell in enumerate(cells, 1)),
                ("found",),
                first_match=True,
            )
        )
        variables.append(
            Variable("found", text("found"), "computed", computed=Computed(None, "look", None, 0))
        )
        known.numbers.append("found")
    rules = tuple(draw(rule(known, f"rule-{n}")) for n in range(draw(st.integers(0, 3))))
    if draw(st.booleans()):
        tables.append(draw(table(known)))
    context = (ContextVariable("area", ("near", "far"), "near"),)
    return product_of(
        *variables,
        rules=rules,
        tables=tuple(tables),
        context=context,
        prices=draw(price_list(known)) if prices else None,
    )


class Known:
    """Names that may be read, by what they are worth."""

    def __init__(
        self,
        ids: list[str],
        flags: list[str],
        numbers: list[str],
        several: list[str],
    ) -> None:
        self.ids, self.flags, self.numbers = ids, flags, numbers
        self.several = several
        self.complete = False
        """All variables are there, so that a sum over everything depends on no relevance."""


def price_map(ids: tuple[str, ...]) -> st.SearchStrategy[dict[str, int | None]]:
    return st.fixed_dictionaries({i: st.sampled_from([None, 0, 499, 1200, -250]) for i in ids})


def weight_map(ids: tuple[str, ...]) -> st.SearchStrategy[dict[str, int]]:
    return st.fixed_dictionaries({i: st.integers(0, 4) for i in ids})


def times_of(known: Known) -> st.SearchStrategy[Term | None]:
    options: list[Term | None] = [None, None, Read("extra")]
    options += [Read(name) for name in known.numbers]
    return st.sampled_from(options)


@st.composite
def terms(draw: st.DrawFn, known: Known, depth: int) -> Term:
    simple: list[st.SearchStrategy[Term]] = [
        st.integers(-1, 5).map(number),
        st.sampled_from([Read(name) for name in [*known.numbers, *known.flags]]),
        st.just(Fact("shape", "weight")),
    ]
    if known.complete:
        simple.append(st.just(SumOfFact(None, "weight")))
    if known.several:
        name = known.several[0]
        simple.append(
            st.sampled_from(
                [Quantity(name, "p"), Pieces(name), Kinds(name), SumOfFact(name, "weight")]
            )
        )
    if depth == 0 or draw(st.booleans()):
        return draw(st.one_of(simple))
    one, other = draw(terms(known, depth - 1)), draw(terms(known, depth - 1))
    kind = draw(st.sampled_from("+-*/e~"))
    if kind == "e":
        return Else(one, other)
    if kind == "~":
        return Negative(one)
    return Arithmetic(kind, one, other)


@st.composite
def conditions(draw: st.DrawFn, known: Known, depth: int) -> Condition:
    if depth and draw(st.booleans()):
        kind = draw(st.sampled_from(["and", "or", "not"]))
        first = draw(conditions(known, depth - 1))
        if kind == "not":
            return Not(first)
        second = draw(conditions(known, depth - 1))
        return And((first, second)) if kind == "and" else Or((first, second))
    kind = draw(st.sampled_from(["id", "flag", "area", "number", "in", "has", "relevant", "none"]))
    if kind == "has" and known.several:
        mode = draw(st.sampled_from(["any", "all", "none", "only"]))
        return Has(known.several[0], mode, draw(st.sampled_from([("p",), ("p", "q"), ("q",)])))
    if kind == "relevant" and known.numbers:
        name = draw(st.sampled_from(known.numbers))
        return Relevant(name, draw(st.booleans()))
    if kind == "area":
        return Comparison("=", Read("area"), Symbol("area", "far"))
    if kind == "none":
        return Comparison(draw(st.sampled_from(["=", "!="])), Read("shape"), Nothing())
    if kind == "in":
        low = draw(st.integers(0, 3))
        items = draw(
            st.sampled_from(
                [
                    (number(low), Range(number(low + 1), number(low + 2))),
                    (Range(None, number(low)),),
                    (Nothing(), number(low)),
                ]
            )
        )
        return Membership(draw(terms(known, 1)), items, draw(st.booleans()))
    if kind == "number":
        operator = draw(st.sampled_from(["=", "!=", "<", "<=", ">", ">="]))
        return Comparison(operator, draw(terms(known, 1)), draw(terms(known, 1)))
    if kind == "flag":
        return Comparison("=", Read("extra"), YesNo(draw(st.booleans())))
    operator = draw(st.sampled_from(["=", "!="]))
    return Comparison(operator, Read("shape"), Symbol("shape", draw(st.sampled_from(IDS[:2]))))


@st.composite
def rule(draw: st.DrawFn, known: Known, name: str) -> Rule:
    when = draw(st.one_of(st.none(), conditions(known, 1)))
    then = draw(conditions(known, 1))
    if draw(st.booleans()):
        return Rule(name, None, when, require=then)
    return Rule(name, None, None, forbid=then if when is None else And((when, then)))


@st.composite
def table(draw: st.DrawFn, known: Known) -> Table:
    rows = draw(
        st.lists(st.lists(conditions(known, 0), min_size=1, max_size=2), min_size=1, max_size=3)
    )
    kind = draw(st.sampled_from(["allowed", "forbidden"]))
    return Table("table", kind, (), tuple(TableRow(tuple(cells)) for cells in rows))


@st.composite
def price_list(draw: st.DrawFn, known: Known) -> Prices:
    lines: list[AmountLine | PercentLine] = []
    if draw(st.booleans()):
        lines.append(
            AmountLine(
                "work",
                text("Work"),
                draw(terms(known, 1)),
                times=draw(st.sampled_from([None, number(Fraction(1, 3))])),
                when=draw(st.one_of(st.none(), conditions(known, 0))),
                minimum=draw(st.sampled_from([None, 120])),
            )
        )
    if draw(st.booleans()):
        lines.append(
            AmountLine(
                "list",
                text("List"),
                None,
                (
                    PriceRow((), Fraction(99), GONE),
                    PriceRow((draw(conditions(known, 0)),), Fraction(7)),
                    PriceRow((), Fraction(21, 2)),
                ),
                tax=draw(TAXES),
            )
        )
    for name in ("less", "lesser")[: draw(st.integers(0, 2))]:
        lines.append(
            PercentLine(
                name,
                text(name),
                Fraction(draw(st.sampled_from([-10, 7, -33]))),
                draw(st.sampled_from([(), ("base",), ("shape", "kit")])),
                draw(st.sampled_from([None, "group"])),
                draw(st.one_of(st.none(), conditions(known, 0))),
                draw(TAXES),
            )
        )
    return Prices(
        tax_rate=Fraction(21),
        tax_included=draw(st.booleans()),
        base=draw(st.sampled_from([0, 1999])),
        lines=tuple(lines),
        minimum=draw(st.sampled_from([None, None, 2500])),
        times=draw(st.sampled_from([None, None, *(Read(n) for n in known.numbers[:1])])),
    )


# --- with defaults and guards, and who chooses -----------------------------------------


@st.composite
def proposing(draw: st.DrawFn) -> Product:
    """A product whose questions have defaults, some of them under conditions."""
    product = draw(products())
    numbers = [v.id for v in product.variables if v.kind == "number" or v.id == "depth"]
    kits = [v.id for v in product.variables if v.kind == "several of"]
    known = Known(["shape"], ["extra"], numbers, kits)
    when = st.one_of(st.none(), conditions(known, 1))

    def rows(variable: Variable) -> tuple[Default, ...]:
        answers = st.sampled_from(_answers(variable))
        return tuple(
            replace(draw(answers), when=draw(when)) for _ in range(draw(st.integers(0, 2)))
        )

    variables = [
        each if each.kind == "computed" else replace(each, defaults=rows(each))
        for each in product.variables
    ]
    return replace(product, variables=tuple(variables))


def _answers(variable: Variable) -> list[Default]:
    if variable.kind == "several of":
        return [Default("", taken=taken) for taken in ((), (("p", "1"),), (("q", "2"),))]
    none = [Default("none")] if variable.optional else []
    if variable.number is not None:
        return [Default("1"), Default("2"), *none]
    return [*(Default(value.id) for value in variable.values), *none]


def guarded(product: Product) -> Product:
    """With a guard for every small condition of the rules, and one for its opposite."""
    atoms = [
        part
        for rule in product.rules
        for condition in (rule.when, rule.require, rule.forbid)
        if condition is not None
        for part in parts_of(condition)
        if isinstance(part, Comparison | Has | Membership)
    ]
    both = [each for atom in atoms for each in (atom, Not(atom))]
    suggest = [
        Suggestion(variable.id, value.id)
        for variable in product.variables
        if variable.kind == "one of"
        for value in variable.values
        if value.period.covers(DAY)
    ]
    guards = (
        Guard(f"g{n}", "hint", when, text("So."), suggest=tuple(suggest[n : n + 1]))
        for n, when in enumerate(both)
    )
    return replace(product, guards=tuple(guards))


def walks(
    data: st.DataObject, product: Product, backend: str
) -> Iterator[tuple[Engine, Engine, Choices, Choices]]:
    """Choices of customers who take one valid option after the other, with the engine that
    was asked all along and one that was asked nothing yet; none where nothing can be had."""
    try:
        engine = compile_product(product, DAY, backend=backend)
    except EngineError:
        return
    computed = {each.id for each in product.variables if each.kind == "computed"}
    for context in ((), FAR, ()):
        choices: Choices = ()
        while engine.holds(choices, context):
            yield engine, compile_product(product, DAY, backend=backend), choices, context
            options = [
                Choice(slot.slot, option.answer)
                for slot in engine.view(choices, context).slots
                if slot.state == "open" and slot.slot not in computed
                for option in slot.options
                if option.state == "possible"
            ]
            if not options:
                break
            choices = (*choices, data.draw(st.sampled_from(options)))

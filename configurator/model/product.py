"""A product as its merchandiser wrote it: variables, rules, guards, prices, scenarios.

Money is in whole cents, numbers are exact fractions, days are ``datetime.date``.
Tuples keep the order of the rule folder. Where a field may hold a condition,
``None`` means "always".
"""

from __future__ import annotations

import datetime
import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from configurator.model.choice import NONE
from configurator.model.diagnostic import NOWHERE, Acceptance, Span
from configurator.model.expression import Condition, Term
from configurator.model.text import Text

Kind = Literal["one of", "yes or no", "number", "date", "several of", "text", "computed"]
Level = Literal["hint", "caution", "acknowledge"]


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days in the product's time zone; both ends count, ``None`` is open."""

    first: datetime.date | None = None
    last: datetime.date | None = None

    def covers(self, day: datetime.date) -> bool:
        """Whether ``day`` lies in the period."""
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)

    def changes(self) -> tuple[datetime.date, ...]:
        """The day it begins and the first day after it, as far as there are such days."""
        days = () if self.first is None else (self.first,)
        if self.last is None or self.last == datetime.date.max:
            return days
        return (*days, self.last + datetime.timedelta(1))


ALWAYS = Period()


def days_of_change(periods: Iterable[Period], today: datetime.date) -> tuple[datetime.date, ...]:
    """The days after ``today`` on which one of some periods begins or is over, in order."""
    days = {day for period in periods for day in period.changes()}
    return tuple(sorted(day for day in days if day > today))


@dataclass(frozen=True, slots=True)
class FactType:
    """A declared fact: ``weight: {unit: g, decimals: 0}``."""

    id: str
    name: Text | None
    unit: str | None
    decimals: int
    yes_or_no: bool
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Value:
    """One option of a one-of or several-of variable.

    ``number`` is set where the id is a number and compares as one. ``facts`` holds
    ``(fact, number)`` pairs; a yes-or-no fact is 1 or 0. ``price`` is in cents.
    """

    id: str
    name: Text
    help: Text | None = None
    number: Fraction | None = None
    price: int | None = None
    facts: tuple[tuple[str, Fraction], ...] = ()
    irreversible: Text | None = None
    period: Period = ALWAYS
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Default:
    """One row of a default: the first row that applies and fits is proposed.

    ``value`` is an answer (see ``model.choice``) of the variable. For a several-of it is
    empty, and ``taken`` holds ``(value, quantity)`` pairs; what is not named is 0.
    """

    value: str
    when: Condition | None = None
    span: Span = NOWHERE
    taken: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Doubt:
    """A question customers ask beside a variable, and its answer."""

    ask: Text
    answer: Text
    when: Condition | None = None


@dataclass(frozen=True, slots=True)
class NumberRange:
    """``low..high`` by ``step``: exact fractions with at most ``decimals`` decimals."""

    low: Fraction
    high: Fraction
    step: Fraction
    decimals: int


@dataclass(frozen=True, slots=True)
class DayRange:
    """Days a date may take: offsets from the session's day, or fixed dates."""

    first: int | datetime.date
    last: int | datetime.date


@dataclass(frozen=True, slots=True)
class SeveralOf:
    """Limits of a several-of: kinds taken, quantity of each kind taken, pieces in all.

    ``pieces`` is ``None`` where unlimited. ``each`` is the quantity a kind may have;
    its lower end applies to kinds that are taken (0 is always "not taken").
    """

    pick: tuple[int, int]
    each: tuple[int, int]
    pieces: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class TextLimits:
    """Length of a text in letters, and which letters it may have."""

    length: tuple[int, int]
    letters: Literal["latin", "digits", "any"]


@dataclass(frozen=True, slots=True)
class Computed:
    """How a computed variable gets its value.

    Either ``term`` (rounded once to ``decimals``, as ``rounding`` says) or the id of
    the lookup table that sets it.
    """

    term: Term | None
    lookup: str | None
    rounding: Literal["down", "up", "nearest"] | None
    decimals: int


@dataclass(frozen=True, slots=True)
class Variable:
    """One thing to decide (or, for ``computed``, one thing that follows).

    ``values`` is given for one-of and several-of, and holds ``yes`` and ``no`` for a
    yes-or-no. ``times`` multiplies the price and every fact of what was chosen.
    ``price_each`` (cents) is charged per unit of a number, and ``facts_each`` holds
    ``(fact, amount per unit)`` pairs of one. ``tax`` is a percentage that stands in for
    the general rate.
    """

    id: str
    name: Text
    kind: Kind
    values: tuple[Value, ...] = ()
    number: NumberRange | None = None
    days: DayRange | None = None
    several: SeveralOf | None = None
    text: TextLimits | None = None
    computed: Computed | None = None
    unit: str | None = None
    optional: bool = False
    relevant_when: Condition | None = None
    defaults: tuple[Default, ...] = ()
    ask_always: bool = False
    times: Term | None = None
    price_each: int | None = None
    facts_each: tuple[tuple[str, Fraction], ...] = ()
    tax: Fraction | None = None
    show: Literal["never", "result", "ask"] = "ask"
    help: Text | None = None
    doubts: tuple[Doubt, ...] = ()
    irreversible: Text | None = None
    period: Period = ALWAYS
    span: Span = NOWHERE

    def value(self, value_id: str) -> Value | None:
        """The value of that id, if there is one."""
        return next((each for each in self.values if each.id == value_id), None)


@dataclass(frozen=True, slots=True)
class ContextVariable:
    """Something the shop tells and the customer is never asked: region, segment."""

    id: str
    values: tuple[str, ...]
    if_missing: str
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Step:
    """A page of questions, in the order customers see them."""

    id: str
    name: Text
    ask: tuple[str, ...]
    help: Text | None = None
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Rule:
    """What is possible: forbidden where ``when`` is certainly true and ``require``
    certainly false; or where ``forbid`` is certainly true."""

    id: str
    because: Text | None
    when: Condition | None = None
    require: Condition | None = None
    forbid: Condition | None = None
    why: str | None = None
    owner: str | None = None
    source: str | None = None
    period: Period = ALWAYS
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row: a condition for each column that is not ``*``; numbers or ids it sets.

    ``id`` names the row in explanations; ``because`` overrides the table's.
    """

    conditions: tuple[Condition, ...]
    sets: tuple[str, ...] = ()
    id: str = ""
    because: Text | None = None
    period: Period = ALWAYS
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Table:
    """A rule written as a table.

    ``allowed``: some row is not certainly false. ``forbidden``: no row is certainly
    true. ``lookup``: the variables in ``sets`` follow from the first row that holds
    (rows do not overlap unless ``first_match``). ``columns`` are the variables read.
    """

    id: str
    kind: Literal["allowed", "forbidden", "lookup"]
    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]
    sets: tuple[str, ...] = ()
    first_match: bool = False
    because: Text | None = None
    why: str | None = None
    owner: str | None = None
    source: str | None = None
    period: Period = ALWAYS
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a guard suggests instead: answers to variables."""

    variable: str
    value: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where the number in a guard's sentence comes from."""

    text: Text
    date: datetime.date | None = None


@dataclass(frozen=True, slots=True)
class Mute:
    """A guard is not said up to and including ``until``; ``because`` is for us."""

    until: datetime.date
    because: str | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """What is wise: a sentence said when ``when`` is certainly true. It never blocks."""

    id: str
    level: Level
    when: Condition
    say: Text
    at: Literal["choice", "summary"] = "choice"
    suggest: tuple[Suggestion, ...] = ()
    reasons: tuple[Text, ...] = ()
    evidence: Evidence | None = None
    owner: str | None = None
    mute: Mute | None = None
    period: Period = ALWAYS
    span: Span = NOWHERE

    def may_speak(self, day: datetime.date) -> bool:
        """Whether it exists on ``day`` and is not muted then."""
        return self.period.covers(day) and (self.mute is None or day > self.mute.until)


@dataclass(frozen=True, slots=True)
class PriceRow:
    """One row of a price table: a condition for each column that is not ``*``, and the
    price in the currency's unit."""

    conditions: tuple[Condition, ...]
    price: Fraction
    period: Period = ALWAYS
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class AmountLine:
    """A charge computed from variables: ``amount`` in the currency's unit, or a lookup
    in a price table (``rows``; the first that holds), times ``times``. ``tax`` is a
    percentage that stands in for the general rate."""

    id: str
    name: Text
    amount: Term | None
    rows: tuple[PriceRow, ...] = ()
    times: Term | None = None
    when: Condition | None = None
    minimum: int | None = None
    tax: Fraction | None = None
    first_match: bool = False
    period: Period = ALWAYS
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class PercentLine:
    """A percentage on the original amount of named charges (empty ``of``: every one).

    ``of`` names ``base``, amount lines, and variables with prices. Of the percent
    lines of one ``group`` only the first that applies is charged. Its tax is that of the
    charge it is a percentage of, unless ``tax`` says otherwise.
    """

    id: str
    name: Text
    percent: Fraction
    of: tuple[str, ...]
    group: str | None = None
    when: Condition | None = None
    tax: Fraction | None = None
    period: Period = ALWAYS
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Prices:
    """How the total comes about (docs/language.md, "Prices").

    ``base`` and ``minimum`` are in cents; ``tax_rate`` is a percentage.
    """

    currency: str = "EUR"
    tax_rate: Fraction = Fraction(0)
    tax_included: bool = True
    base: int = 0
    lines: tuple[AmountLine | PercentLine, ...] = ()
    minimum: int | None = None
    times: Term | None = None


NOT_TODAY = "not-today"
"""Why a scenario's choice is refused that is not on offer on its day: no rule says so."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What the merchandiser expects, checked before every release.

    ``choose`` are choices in order (see ``model.choice``); each expectation that is
    not ``None`` is checked exactly. ``repair`` holds what the first repair of a refusal
    changes, ``completes`` answers of the configuration that "finish for me" gives.
    """

    name: str
    on: datetime.date | None = None
    context: tuple[tuple[str, str], ...] = ()
    choose: tuple[tuple[str, str], ...] = ()
    expect: Literal["possible", "refused", "complete"] | None = None
    because: tuple[str, ...] | None = None
    repair: tuple[tuple[str, str | None], ...] | None = None
    implies: tuple[tuple[str, str], ...] | None = None
    offers: tuple[tuple[str, tuple[str, ...]], ...] | None = None
    removes: tuple[tuple[str, tuple[str, ...]], ...] | None = None
    not_relevant: tuple[str, ...] | None = None
    proposes: tuple[tuple[str, str], ...] | None = None
    completes: tuple[tuple[str, str], ...] | None = None
    lines: tuple[tuple[str, int], ...] | None = None
    no_lines: tuple[str, ...] | None = None
    net: int | None = None
    price: int | None = None
    lowest: int | None = None
    guards: tuple[str, ...] | None = None
    count: int | None = None
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Irreversible:
    """Which answers to a slot cannot be taken back later: those of ``answers``, or (where
    ``None``) all but ``nothing``, which takes nothing."""

    slot: str
    nothing: str
    answers: frozenset[str] | None

    def has(self, answer: str) -> bool:
        """Whether this answer cannot be taken back."""
        return answer != self.nothing and (self.answers is None or answer in self.answers)


def _irreversible(variable: Variable) -> list[Irreversible]:
    if variable.kind == "several of":
        return [
            Irreversible(f"{variable.id}.{value.id}", "0", None)
            for value in variable.values
            if variable.irreversible or value.irreversible
        ]
    some = frozenset(value.id for value in variable.values if value.irreversible)
    if not some and not variable.irreversible:
        return []
    return [Irreversible(variable.id, NONE, None if variable.irreversible else some)]


@dataclass(frozen=True, slots=True)
class Product:
    """Everything a rule folder says. ``digest`` is the SHA-256 of its files, in hex;
    ``accepted`` are doubts that its author has answered; ``irreversible`` says by slot which
    answers cannot be taken back later."""

    id: str
    name: Text
    language: str
    languages: tuple[str, ...]
    time_zone: str
    variables: tuple[Variable, ...]
    steps: tuple[Step, ...]
    owner: str | None = None
    description: Text | None = None
    facts: tuple[FactType, ...] = ()
    context: tuple[ContextVariable, ...] = ()
    rules: tuple[Rule, ...] = ()
    tables: tuple[Table, ...] = ()
    guards: tuple[Guard, ...] = ()
    prices: Prices | None = None
    scenarios: tuple[Scenario, ...] = ()
    picture: str | None = None
    digest: str = ""
    accepted: tuple[Acceptance, ...] = ()
    by_id: dict[str, Variable] = field(init=False, compare=False, repr=False)
    irreversible: dict[str, Irreversible] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_id", {each.id: each for each in self.variables})
        final = {each.slot: each for every in map(_irreversible, self.variables) for each in every}
        object.__setattr__(self, "irreversible", final)

    def day_at(self, moment: datetime.datetime) -> datetime.date:
        """The day it is for the product: days begin and end in its time zone."""
        return moment.astimezone(zoneinfo.ZoneInfo(self.time_zone)).date()

    def because(self, rule: str) -> Text | None:
        """The reason of a rule, a table or a row of a table (``table#row``), where it gives
        one."""
        table_id, _, row_id = rule.partition("#")
        for table in self.tables:
            if table.id == table_id:
                rows = (row for row in table.rows if row_id and row.id == row_id)
                return next((row.because for row in rows if row.because), table.because)
        return next((each.because for each in self.rules if each.id == rule), None)

    def variable(self, variable_id: str) -> Variable:
        """The variable of that id; raises ``KeyError`` where there is none."""
        return self.by_id[variable_id]

"""Three-valued truth on a complete assignment: the meaning of expressions, written once.

Conditions and terms are turned into closures over *answers*, a mapping from slot to
answer. A slot that is missing, or ``NOT_ASKED``, was not asked; ``None`` is unanswered
and reads as open too. Everything else in the engine (lowering, bills, the judge) asks
these closures; they know nothing of networks. See docs/engine.md, "Truth".

A condition is ``True``, ``False`` or ``None`` (open). A term is a fraction (days by
their ordinal, yes and no as 1 and 0), a value id, ``Special.NONE``, or ``None`` (open).
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from enum import Enum
from fractions import Fraction

from configurator.engine.exact import plain, rounded
from configurator.engine.layout import NOT_ASKED, Layout, parse_day, parse_number
from configurator.model.choice import NO, NONE, YES
from configurator.model.expression import (
    And,
    Arithmetic,
    Comparison,
    Condition,
    Constant,
    DatePart,
    Day,
    Else,
    Extreme,
    Fact,
    Has,
    Kinds,
    LowestTotal,
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
    TextLength,
    Today,
    YesNo,
)
from configurator.model.product import Product, Table, TableRow, Variable


class Special(Enum):
    """What a term can be besides a number, an id or open."""

    NONE = "none"


Answers = Mapping[str, str | None]
Worth = Fraction | str | Special | None
Truth = bool | None
TermOf = Callable[[Answers], Worth]
TruthOf = Callable[[Answers], Truth]
NumberOf = Callable[[Answers], Fraction | None]

ZERO, ONE = Fraction(0), Fraction(1)


def holds_ordered(operator: str, left: Worth, right: Worth) -> Truth:
    """``<``, ``<=``, ``>``, ``>=``: open unless both sides are numbers."""
    if not isinstance(left, Fraction) or not isinstance(right, Fraction):
        return None
    if operator == "<":
        return left < right
    if operator == "<=":
        return left <= right
    if operator == ">":
        return left > right
    return left >= right


def date_part(part: str, ordinal: Fraction) -> Fraction | None:
    """Weekday (mon = 1), month or year of a day; open where no such day exists."""
    if not 1 <= ordinal <= datetime.date.max.toordinal():
        return None
    date = datetime.date.fromordinal(int(ordinal))
    if part == "weekday":
        return Fraction(date.isoweekday())
    return Fraction(date.month if part == "month" else date.year)


def arithmetic(operator: str, left: Fraction, right: Fraction) -> Fraction | None:
    """``+ - * /``, exact; open where the divisor is 0."""
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    if operator == "*":
        return left * right
    return left / right if right else None


class Meaning:
    """Closures for the expressions of one product on one day."""

    def __init__(self, product: Product, day: datetime.date, layout: Layout | None = None) -> None:
        self.product = product
        self.day = day
        self.layout = layout or Layout(product, day)
        self._reads: dict[str, TermOf] = {}
        self._facts: dict[tuple[str, str], dict[str, Fraction]] = {}
        self._flags = {fact.id for fact in product.facts if fact.yes_or_no}

    # --- conditions -------------------------------------------------------------------

    def condition(self, condition: Condition | None) -> TruthOf:
        """The truth of a condition; ``None`` is always true."""
        if condition is None:
            return lambda answers: True
        if isinstance(condition, Constant):
            value = condition.value
            return lambda answers: value
        if isinstance(condition, Comparison):
            return self._comparison(condition)
        if isinstance(condition, Not):
            inner = self.condition(condition.condition)

            def negation(answers: Answers) -> Truth:
                truth = inner(answers)
                return None if truth is None else not truth

            return negation
        if isinstance(condition, And | Or):
            parts = tuple(self.condition(each) for each in condition.conditions)
            return _joined(parts, decisive=isinstance(condition, Or))
        if isinstance(condition, Relevant):
            asked = self.asked(condition.variable)
            negated = condition.negated
            return lambda answers: asked(answers) is not negated
        return self.condition(self.written_out(condition))

    def written_out(self, test: Has | Membership) -> Condition:
        """A test of a set as the comparisons it means."""
        return self.has(test) if isinstance(test, Has) else self._members(test)

    def has(self, condition: Has) -> Condition:
        """``has ...`` written out as comparisons of quantities, which it means."""
        zero = Number(ZERO)
        variable = condition.variable
        named = condition.values
        if condition.mode == "only":
            all_values = [value.id for value in self.product.variable(variable).values]
            named = tuple(each for each in all_values if each not in condition.values)
        operator: str = "=" if condition.mode in ("none", "only") else ">"
        parts: tuple[Condition, ...] = tuple(
            Comparison(
                "=" if operator == "=" else ">",
                Quantity(variable, value, condition.span),
                zero,
                condition.span,
            )
            for value in named
        )
        if condition.mode == "any":
            return Or(parts, condition.span)
        if not parts:  # every value is named: true wherever the question is asked
            return Comparison(">=", Pieces(variable, condition.span), zero, condition.span)
        return And(parts, condition.span)

    def _members(self, condition: Membership) -> Condition:
        """``term in [...]`` written out as comparisons, which it means. An answer of
        ``none`` is a value like the others: in the set where the set names it."""
        term, span = condition.term, condition.span
        parts: list[Condition] = []
        for item in condition.items:
            if not isinstance(item, Range):
                parts.append(Comparison("=", term, item, span))
                continue
            ends: list[Condition] = []
            if self._may_be_none(term):
                ends.append(Comparison("!=", term, Nothing(), span))
            if item.low is not None:
                ends.append(Comparison(">=", term, item.low, span))
            if item.high is not None:
                ends.append(Comparison("<=", term, item.high, span))
            parts.append(ends[0] if len(ends) == 1 else And(tuple(ends), span))
        either: Condition = parts[0] if len(parts) == 1 else Or(tuple(parts), span)
        return Not(either, span) if condition.negated else either

    def _may_be_none(self, term: Term) -> bool:
        if not isinstance(term, Read) or term.variable in self.layout.context:
            return False
        return self.product.variable(term.variable).optional

    def asked(self, variable_id: str) -> Callable[[Answers], bool]:
        """Whether a variable is asked: never open."""
        if variable_id in self.layout.context:
            return lambda answers: True
        slots = self.layout.by_variable[variable_id]
        variable = self.product.variable(variable_id)
        if not variable.period.covers(self.day):
            return lambda answers: False
        if variable.kind == "computed":
            read = self.read(variable_id)
            return lambda answers: read(answers) is not None
        if not slots:  # a several-of of which nothing is left today
            relevant = self.condition(variable.relevant_when)
            return lambda answers: relevant(answers) is True
        if variable.relevant_when is None:
            return lambda answers: True
        slot = slots[0].id
        return lambda answers: answers.get(slot, NOT_ASKED) != NOT_ASKED

    def _comparison(self, condition: Comparison) -> TruthOf:
        left, right = self.term(condition.left), self.term(condition.right)
        operator = condition.operator
        if operator in ("=", "!="):
            wanted = operator == "="

            def equality(answers: Answers) -> Truth:
                one, other = left(answers), right(answers)
                if one is None or other is None:
                    return None
                return (one == other) is wanted

            return equality
        return lambda answers: holds_ordered(operator, left(answers), right(answers))

    # --- terms ------------------------------------------------------------------------

    def term(self, term: Term) -> TermOf:
        """The worth of a term."""
        constant = self.constant(term)
        if constant is not None:
            return lambda answers: constant
        if isinstance(term, Read):
            return self.read(term.variable)
        if isinstance(term, Quantity):
            return self._quantity(term)
        if isinstance(term, Pieces | Kinds):
            return self._pieces(term)
        if isinstance(term, TextLength):
            slot = term.variable

            def length(answers: Answers) -> Worth:
                answer = answers.get(slot)
                if not answer or answer == NONE:
                    return None
                return Fraction(len(answer))

            return length
        if isinstance(term, LowestTotal):
            return lambda answers: None
        if isinstance(term, Else):
            first, fallback = self.term(term.term), self.term(term.fallback)

            def otherwise(answers: Answers) -> Worth:
                worth = first(answers)
                return worth if isinstance(worth, Fraction) else fallback(answers)

            return otherwise
        return self._number_term(term)

    def _number_term(self, term: Term) -> TermOf:
        if isinstance(term, Fact):
            return self._fact(term)
        if isinstance(term, SumOfFact):
            return self._sum(term)
        if isinstance(term, Negative):
            inner = self.number(term.term)

            def negative(answers: Answers) -> Worth:
                number = inner(answers)
                return None if number is None else -number

            return negative
        if isinstance(term, DatePart):
            date, part = self.number(term.date), term.part

            def of_date(answers: Answers) -> Worth:
                ordinal = date(answers)
                return None if ordinal is None else date_part(part, ordinal)

            return of_date
        if isinstance(term, Arithmetic):
            left, right, operator = self.number(term.left), self.number(term.right), term.operator

            def joined(answers: Answers) -> Worth:
                one = left(answers)
                other = right(answers)
                if one is None or other is None:
                    return None
                return arithmetic(operator, one, other)

            return joined
        if isinstance(term, Extreme):
            parts = tuple(self.number(each) for each in term.terms)
            pick = min if term.function == "min" else max

            def extreme(answers: Answers) -> Worth:
                numbers = [part(answers) for part in parts]
                known = [number for number in numbers if number is not None]
                return pick(known) if len(known) == len(numbers) else None

            return extreme
        raise TypeError(f"no meaning for {term!r}")

    def number(self, term: Term) -> NumberOf:
        """The worth of a term as a number: ids and ``none`` are open."""
        worth = self.term(term)

        def number(answers: Answers) -> Fraction | None:
            value = worth(answers)
            return value if isinstance(value, Fraction) else None

        return number

    def constant(self, term: Term) -> Worth:
        """The worth of a term that reads no slot by itself, ``None`` for all others."""
        if isinstance(term, Number):
            return term.value
        if isinstance(term, YesNo):
            return ONE if term.value else ZERO
        if isinstance(term, Nothing):
            return Special.NONE
        if isinstance(term, Day):
            return Fraction(term.value.toordinal())
        if isinstance(term, Today):
            return Fraction(self.day.toordinal())
        if isinstance(term, Symbol):
            return self.worth_of(term.variable, term.value)
        return None

    def worth_of(self, variable_id: str, answer: str) -> Worth:
        """What one answer of a variable is worth in a term."""
        if answer == NONE:
            return Special.NONE
        told = self.layout.context.get(variable_id)
        if told is not None:
            return _worth_by_set(answer, told.values)
        variable = self.product.variable(variable_id)
        if variable.kind == "yes or no":
            return ONE if answer == YES else ZERO
        if variable.kind == "number":
            return parse_number(answer)
        if variable.kind == "date":
            return parse_day(answer)
        if variable.kind == "computed":
            number = parse_number(answer)
            return answer if number is None else number
        for value in variable.values:
            if value.id == answer:
                return answer if value.number is None else value.number
        return answer

    def spelled(self, worth: Worth) -> str:
        """A computed worth as an answer; ``NOT_ASKED`` where there is none."""
        if isinstance(worth, Fraction):
            return plain(worth)
        return worth if isinstance(worth, str) else NOT_ASKED

    def read(self, variable_id: str) -> TermOf:
        """The worth of a variable."""
        found = self._reads.get(variable_id)
        if found is None:
            found = self._reads[variable_id] = self._read(variable_id)
        return found

    def _read(self, variable_id: str) -> TermOf:
        slot = variable_id
        told = self.layout.context.get(variable_id)
        if told is None:
            variable = self.product.variable(variable_id)
            if variable.kind == "computed":
                return self._computed(variable)
            if not variable.period.covers(self.day):
                return lambda answers: None
        memo: dict[str | None, Worth] = {None: None, NOT_ASKED: None}

        def read(answers: Answers) -> Worth:
            answer = answers.get(slot)
            if answer in memo:
                return memo[answer]
            assert answer is not None
            worth = self.worth_of(slot, answer)
            if len(memo) < 50_000:
                memo[answer] = worth
            return worth

        return read

    def _computed(self, variable: Variable) -> TermOf:
        """A computed number: the answer given for it, else what follows from its inputs."""
        computed = variable.computed
        slot = variable.id
        if computed is None or not variable.period.covers(self.day):
            return lambda answers: None
        relevant = self.condition(variable.relevant_when)
        inner: TermOf
        if computed.term is not None:
            term, rounding, decimals = (
                self.number(computed.term),
                computed.rounding,
                computed.decimals,
            )

            def inner(answers: Answers) -> Worth:
                number = term(answers)
                return None if number is None else rounded(number, rounding, decimals)
        else:
            inner = self._looked_up(variable.id, computed.lookup or "")
        memo: dict[str, Worth] = {NOT_ASKED: None}

        def read(answers: Answers) -> Worth:
            given = answers.get(slot)
            if given is not None:
                if given not in memo:
                    memo[given] = self.worth_of(slot, given)
                return memo[given]
            return inner(answers) if relevant(answers) is True else None

        return read

    def _looked_up(self, variable_id: str, table_id: str) -> TermOf:
        table = next(each for each in self.product.tables if each.id == table_id)
        column = table.sets.index(variable_id)
        rows = [
            (self.row_holds(row), self.worth_of(variable_id, row.sets[column]))
            for row in self.live_rows(table)
        ]

        def looked_up(answers: Answers) -> Worth:
            for holds, worth in rows:
                if holds(answers) is not False:
                    return worth
            return None

        return looked_up

    def live_rows(self, table: Table) -> tuple[TableRow, ...]:
        """The rows of a table that exist on the day."""
        if not table.period.covers(self.day):
            return ()
        return tuple(row for row in table.rows if row.period.covers(self.day))

    def row_holds(self, row: TableRow) -> TruthOf:
        """All cells of a row together."""
        return _joined(tuple(self.condition(each) for each in row.conditions), decisive=False)

    def _quantity(self, term: Quantity) -> TermOf:
        slot = f"{term.variable}.{term.value}"
        if slot not in self.layout.by_id:  # gone today: none taken, wherever it is asked
            asked = self.asked(term.variable)
            return lambda answers: ZERO if asked(answers) else None

        def quantity(answers: Answers) -> Worth:
            answer = answers.get(slot)
            return Fraction(answer) if answer else None

        return quantity

    def _pieces(self, term: Pieces | Kinds) -> TermOf:
        slots = [slot.id for slot in self.layout.by_variable[term.variable]]
        asked = self.asked(term.variable)
        kinds = isinstance(term, Kinds)

        def pieces(answers: Answers) -> Worth:
            if not asked(answers):
                return None
            total = 0
            for slot in slots:
                answer = answers.get(slot)
                if not answer:
                    return None
                total += (answer != "0") if kinds else int(answer)
            return Fraction(total)

        return pieces

    # --- facts ------------------------------------------------------------------------

    def facts_of(self, variable_id: str, fact: str) -> dict[str, Fraction]:
        """The fact of each value that has it."""
        found = self._facts.get((variable_id, fact))
        if found is None:
            found = self._facts[variable_id, fact] = {
                value.id: number
                for value in self.product.variable(variable_id).values
                for name, number in value.facts
                if name == fact
            }
        return found

    def each_of(self, variable_id: str, fact: str) -> Fraction | None:
        """What each unit of a number adds to a fact; ``None`` where it has none."""
        return dict(self.product.variable(variable_id).facts_each).get(fact)

    def has_fact(self, variable_id: str, fact: str) -> bool:
        """Whether a variable can add to a fact."""
        return bool(self.facts_of(variable_id, fact)) or (
            self.each_of(variable_id, fact) is not None
        )

    def times(self, variable: Variable, fact: str | None = None) -> NumberOf | None:
        """The multiplier of a variable's price and facts, where it has one."""
        if variable.times is None or fact in self._flags:
            return None
        return self.number(variable.times)

    def _fact(self, term: Fact) -> TermOf:
        facts = self.facts_of(term.variable, term.fact)
        each = self.each_of(term.variable, term.fact)
        variable = self.product.variable(term.variable)
        times = self.times(variable, term.fact)
        slot = term.variable
        if not variable.period.covers(self.day):
            return lambda answers: None

        def fact(answers: Answers) -> Worth:
            answer = answers.get(slot)
            if not answer or answer == NONE:
                return None
            number = facts.get(answer, ZERO) if each is None else Fraction(answer) * each
            if times is None:
                return number
            multiplier = times(answers)
            return None if multiplier is None else number * multiplier

        return fact

    def _sum(self, term: SumOfFact) -> TermOf:
        names = (
            [each.id for each in self.product.variables]
            if term.variable is None
            else [term.variable]
        )
        parts = [part for name in names for part in self._summands(name, term.fact)]

        def total(answers: Answers) -> Worth:
            whole, rest = 0, ZERO  # whole numbers add up far faster than fractions
            for slot, worth, times in parts:
                answer = answers.get(slot, NOT_ASKED)
                if answer is None:
                    return None
                number = worth(answer)
                if number is None:
                    continue
                if times is not None:
                    multiplier = times(answers)
                    if multiplier is None:
                        continue
                    number = number * multiplier
                if number.denominator == 1:
                    whole += number.numerator
                else:
                    rest += number
            return rest + whole

        return total

    def _summands(
        self, variable_id: str, fact: str
    ) -> list[tuple[str, Callable[[str], Fraction | None], NumberOf | None]]:
        """What a variable adds to a sum: slot, worth of each answer, multiplier."""
        facts, each_unit = self.facts_of(variable_id, fact), self.each_of(variable_id, fact)
        variable = self.product.variable(variable_id)
        if not self.has_fact(variable_id, fact) or not variable.period.covers(self.day):
            return []
        times = self.times(variable, fact)
        if each_unit is not None:
            return [(variable_id, _per_unit(each_unit), times)]
        if variable.kind != "several of":
            return [(variable_id, facts.get, times)]
        return [
            (slot.id, {each: facts[slot.value.id] * int(each) for each in slot.answers}.get, times)
            for slot in self.layout.by_variable[variable_id]
            if slot.value is not None and slot.value.id in facts
        ]


def _per_unit(each: Fraction) -> Callable[[str], Fraction | None]:
    """What a number adds at ``each`` per unit; nothing where it is not asked, or none."""

    def worth(answer: str) -> Fraction | None:
        number = parse_number(answer)
        return None if number is None else number * each

    return worth


def _worth_by_set(answer: str, values: tuple[str, ...]) -> Worth:
    """A told value: yes and no as 1 and 0, numbers where all values are numbers."""
    if set(values) <= {YES, NO}:
        return ONE if answer == YES else ZERO
    numbers = [parse_number(each) for each in values]
    if numbers and all(each is not None for each in numbers):
        return parse_number(answer)
    return answer


def _joined(parts: tuple[TruthOf, ...], *, decisive: bool) -> TruthOf:
    """``or`` (decided by a true part) or ``and`` (decided by a false one)."""

    def joined(answers: Answers) -> Truth:
        result: Truth = not decisive
        for part in parts:
            truth = part(answers)
            if truth is decisive:
                return decisive
            if truth is None:
                result = None
        return result

    return joined

"""An independent, slow reading of docs/language.md: every configuration, one by one.

Written apart from the engine, on purpose in another way: one recursive evaluator over
plain Python values, products enumerated by brute force.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterator
from fractions import Fraction

from configurator.model.choice import Choice
from configurator.model.expression import (
    And,
    Arithmetic,
    Comparison,
    Constant,
    DatePart,
    Day,
    Else,
    Expression,
    Extreme,
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
    TextLength,
    Today,
    YesNo,
)
from configurator.model.product import AmountLine, PercentLine, Product, Variable

OPEN = "OPEN"
NO_ANSWER = "NONE"
SKIPPED = "-"
"""Not asked."""

Configuration = dict[str, str]
"""Every slot's answer, ``SKIPPED`` where it is not asked; context included."""


class Oracle:
    def __init__(
        self, product: Product, day: datetime.date, context: dict[str, str] | None = None
    ) -> None:
        self.product = product
        self.day = day
        told = context or {}
        self.context = {c.id: told.get(c.id, c.if_missing) for c in product.context}
        self.configurations = [c for c in self.every() if self.refused(c) is None]

    # --- every configuration ------------------------------------------------------------

    def domains(self, variable: Variable) -> dict[str, list[str]]:
        """Slots of a variable and their answers, not counting "not asked"."""
        if variable.kind == "computed":
            return {}
        live = [v.id for v in variable.values if v.period.covers(self.day)]
        if variable.kind == "several of":
            low, high = variable.several.each
            quantities = ["0"] + [str(q) for q in range(1, high + 1) if q >= low]
            return {f"{variable.id}.{v}": quantities for v in live}
        if variable.kind == "number":
            answers, number = [], variable.number.low
            while number <= variable.number.high:
                answers.append(decimal(number))
                number += variable.number.step
        elif variable.kind == "date":
            first, last = (
                self.day + datetime.timedelta(days=end) if isinstance(end, int) else end
                for end in (variable.days.first, variable.days.last)
            )
            answers = [
                datetime.date.fromordinal(n).isoformat()
                for n in range(first.toordinal(), last.toordinal() + 1)
            ]
        elif variable.kind == "text":
            low, high = variable.text.length
            answers = ["x" * n for n in range(max(low, 1), high + 1)]
        else:
            answers = live
        if variable.optional:
            answers = [*answers, "none"]
        return {variable.id: answers}

    def every(self, context: dict[str, str] | None = None) -> Iterator[Configuration]:
        """All assignments, whether refused or not."""
        variables = [v for v in self.product.variables if v.kind != "computed"]
        choices = []
        for variable in variables:
            slots = self.domains(variable)
            ways = [
                dict(zip(slots, row, strict=True)) for row in itertools.product(*slots.values())
            ]
            if variable.relevant_when is not None and slots:
                ways.append(dict.fromkeys(slots, SKIPPED))
            if not variable.period.covers(self.day):
                ways = [dict.fromkeys(slots, SKIPPED)]
            choices.append(ways)
        for row in itertools.product(*choices):
            configuration = dict(context or self.context)
            for way in row:
                configuration |= way
            yield configuration

    # --- rules --------------------------------------------------------------------------

    def refused(self, configuration: Configuration) -> str | None:
        """The first thing that refuses a configuration."""
        broken = self.broken(configuration)
        return broken[0] if broken else None

    def broken(self, configuration: Configuration) -> list[str]:
        """Everything that refuses a configuration; ``""`` stands for a definition."""
        found = []
        for variable in self.product.variables:
            if variable.kind == "computed" or not variable.period.covers(self.day):
                continue
            if variable.relevant_when is not None:
                slots = list(self.domains(variable))
                asked = self.truth(variable.relevant_when, configuration) is True
                if any((configuration[slot] != SKIPPED) is not asked for slot in slots):
                    return [""]
            if variable.several is not None and not self._within(variable, configuration):
                found.append(f"limits:{variable.id}")
        for rule in self.product.rules:
            if not rule.period.covers(self.day):
                continue
            when = True if rule.when is None else self.truth(rule.when, configuration)
            if when is not True:
                continue
            if rule.require is not None and self.truth(rule.require, configuration) is False:
                found.append(rule.id)
            if rule.forbid is not None and self.truth(rule.forbid, configuration) is True:
                found.append(rule.id)
        for table in self.product.tables:
            if table.kind == "lookup" or not table.period.covers(self.day):
                continue
            rows = [r for r in table.rows if r.period.covers(self.day)]
            truths = [self.row(row.conditions, configuration) for row in rows]
            if table.kind == "allowed" and all(truth is False for truth in truths):
                found.append(table.id)
            if table.kind == "forbidden" and True in truths:
                found.append(table.id)
        return found

    def _within(self, variable: Variable, configuration: Configuration) -> bool:
        taken = [configuration[slot] for slot in self.domains(variable)]
        if SKIPPED in taken or not self.asked(variable.id, configuration):
            return True
        quantities = [int(q) for q in taken]
        limits = variable.several
        if not limits.pick[0] <= sum(q > 0 for q in quantities) <= limits.pick[1]:
            return False
        return limits.pieces is None or limits.pieces[0] <= sum(quantities) <= limits.pieces[1]

    def row(self, cells: tuple[Expression, ...], configuration: Configuration) -> bool | None:
        return self.truth(And(cells), configuration)

    # --- truth --------------------------------------------------------------------------

    def truth(self, node: Expression, c: Configuration) -> bool | None:
        match node:
            case Constant(value=value):
                return value
            case Not(condition=inner):
                truth = self.truth(inner, c)
                return truth if truth is None else not truth
            case And(conditions=parts):
                truths = [self.truth(part, c) for part in parts]
                return False if False in truths else None if None in truths else True
            case Or(conditions=parts):
                truths = [self.truth(part, c) for part in parts]
                return True if True in truths else None if None in truths else False
            case Relevant(variable=name, negated=negated):
                return self.asked(name, c) is not negated
            case Membership(term=term, items=items, negated=negated):
                truths = [self._member(term, item, c) for item in items]
                found = True if True in truths else None if None in truths else False
                return found if found is None or not negated else not found
            case Has():
                return self._has(node, c)
            case Comparison(operator=operator, left=left, right=right):
                return compare(operator, self.worth(left, c), self.worth(right, c))
        raise AssertionError(node)

    def _member(self, term: Expression, item: Expression | Range, c: Configuration) -> bool | None:
        worth = self.worth(term, c)
        if not isinstance(item, Range):
            return compare("=", worth, self.worth(item, c))
        if worth == NO_ANSWER:
            return False
        ends = []
        if item.low is not None:
            ends.append(compare(">=", worth, self.worth(item.low, c)))
        if item.high is not None:
            ends.append(compare("<=", worth, self.worth(item.high, c)))
        return False if False in ends else None if None in ends else True

    def _has(self, node: Has, c: Configuration) -> bool | None:
        if not self.asked(node.variable, c):
            return None
        variable = self.product.variable(node.variable)
        taken = [
            value.id
            for value in variable.values
            if c.get(f"{node.variable}.{value.id}", "0") not in ("0", SKIPPED)
        ]
        if node.mode == "any":
            return any(value in taken for value in node.values)
        if node.mode == "all":
            return all(value in taken for value in node.values)
        if node.mode == "none":
            return not any(value in taken for value in node.values)
        return all(value in node.values for value in taken)

    def asked(self, name: str, c: Configuration) -> bool:
        if name in self.context:
            return True
        variable = self.product.variable(name)
        if not variable.period.covers(self.day):
            return False
        if variable.kind == "computed":
            return self.worth(Read(name), c) != OPEN
        if variable.relevant_when is None:
            return True
        return self.truth(variable.relevant_when, c) is True

    # --- worth --------------------------------------------------------------------------

    def worth(self, node: Expression, c: Configuration) -> object:
        match node:
            case Number(value=value):
                return value
            case YesNo(value=value):
                return Fraction(int(value))
            case Nothing():
                return NO_ANSWER
            case Day(value=value):
                return Fraction(value.toordinal())
            case Today():
                return Fraction(self.day.toordinal())
            case Symbol(variable=name, value=value):
                return self._worth_of(name, value)
            case Read(variable=name):
                return self._read(name, c)
            case Quantity(variable=name, value=value):
                if not self.asked(name, c):
                    return OPEN
                return Fraction(c.get(f"{name}.{value}", "0"))
            case Pieces(variable=name) | Kinds(variable=name):
                if not self.asked(name, c):
                    return OPEN
                quantities = [int(c[s]) for s in self.domains(self.product.variable(name))]
                if isinstance(node, Kinds):
                    return Fraction(sum(q > 0 for q in quantities))
                return Fraction(sum(quantities))
            case TextLength(variable=name):
                answer = c[name]
                return OPEN if answer in (SKIPPED, "none") else Fraction(len(answer))
            case Negative(term=term):
                number = self.worth(term, c)
                return -number if isinstance(number, Fraction) else OPEN
            case DatePart(part=part, date=date):
                return self._part(part, self.worth(date, c))
            case Else(term=term, fallback=fallback):
                number = self.worth(term, c)
                return number if isinstance(number, Fraction) else self.worth(fallback, c)
            case Extreme(function=function, terms=terms):
                numbers = [self.worth(term, c) for term in terms]
                if not all(isinstance(number, Fraction) for number in numbers):
                    return OPEN
                return (min if function == "min" else max)(numbers)
            case Arithmetic(operator=operator, left=left, right=right):
                one, other = self.worth(left, c), self.worth(right, c)
                if not isinstance(one, Fraction) or not isinstance(other, Fraction):
                    return OPEN
                if operator == "/":
                    return one / other if other else OPEN
                return (
                    one + other
                    if operator == "+"
                    else (one - other if operator == "-" else one * other)
                )
            case Fact(variable=name, fact=fact):
                return self._fact(name, fact, c)
            case SumOfFact(variable=name, fact=fact):
                names = [v.id for v in self.product.variables] if name is None else [name]
                return sum((self._summed(n, fact, c) for n in names), Fraction(0))
        raise AssertionError(node)

    def _part(self, part: str, ordinal: object) -> object:
        if not isinstance(ordinal, Fraction):
            return OPEN
        date = datetime.date.fromordinal(int(ordinal))
        return Fraction(date.isoweekday() if part == "weekday" else getattr(date, part))

    def _worth_of(self, name: str, answer: str) -> object:
        if answer == "none":
            return NO_ANSWER
        if name in self.context:
            return answer
        variable = self.product.variable(name)
        if variable.kind == "yes or no":
            return Fraction(int(answer == "yes"))
        if variable.kind == "number":
            return Fraction(answer)
        if variable.kind == "date":
            return Fraction(datetime.date.fromisoformat(answer).toordinal())
        for value in variable.values:
            if value.id == answer and value.number is not None:
                return value.number
        return answer

    def _read(self, name: str, c: Configuration) -> object:
        if name in self.context:
            return c[name]
        variable = self.product.variable(name)
        if not variable.period.covers(self.day):
            return OPEN
        if variable.kind != "computed":
            return OPEN if c[name] == SKIPPED else self._worth_of(name, c[name])
        relevant = variable.relevant_when
        if relevant is not None and self.truth(relevant, c) is not True:
            return OPEN
        computed = variable.computed
        if computed.term is not None:
            number = self.worth(computed.term, c)
            if not isinstance(number, Fraction):
                return OPEN
            return once(number, computed.rounding, computed.decimals)
        table = next(t for t in self.product.tables if t.id == computed.lookup)
        for row in table.rows:
            if row.period.covers(self.day) and self.row(row.conditions, c) is not False:
                text = row.sets[table.sets.index(name)]
                return Fraction(text) if text.replace(".", "").isdigit() else text
        return OPEN

    def _times(self, variable: Variable, c: Configuration) -> object:
        return Fraction(1) if variable.times is None else self.worth(variable.times, c)

    def _fact(self, name: str, fact: str, c: Configuration) -> object:
        variable = self.product.variable(name)
        if not self.asked(name, c) or c[name] in (SKIPPED, "none"):
            return OPEN
        times = self._times(variable, c)
        if variable.kind == "number":
            worth = Fraction(c[name]) * dict(variable.facts_each)[fact]
        else:
            worth = {v.id: dict(v.facts).get(fact, Fraction(0)) for v in variable.values}[c[name]]
        return worth * times if isinstance(times, Fraction) else OPEN

    def _summed(self, name: str, fact: str, c: Configuration) -> Fraction:
        variable = self.product.variable(name)
        if variable.kind == "computed" or not self.asked(name, c):
            return Fraction(0)
        known = [dict(v.facts) for v in variable.values] + [dict(variable.facts_each)]
        if not any(fact in facts for facts in known):
            return Fraction(0)
        times = self._times(variable, c)
        if not isinstance(times, Fraction):
            return Fraction(0)
        if variable.kind == "several of":
            return times * sum(
                (
                    dict(v.facts).get(fact, Fraction(0)) * int(c.get(f"{name}.{v.id}", "0"))
                    for v in variable.values
                ),
                Fraction(0),
            )
        found = self._fact(name, fact, c)
        return found if isinstance(found, Fraction) else Fraction(0)

    # --- prices -------------------------------------------------------------------------

    def total(self, c: Configuration) -> int:
        """What is paid, in cents."""
        prices = self.product.prices
        charges: dict[str, int] = {"base": prices.base}
        rates: dict[str, Fraction] = {"base": prices.tax_rate}
        for variable in self.product.variables:
            charge = self._charge(variable, c)
            if charge is not None:
                charges[variable.id] = charge
                rates[variable.id] = prices.tax_rate if variable.tax is None else variable.tax
        for line in prices.lines:
            if isinstance(line, AmountLine) and line.period.covers(self.day):
                charges[line.id] = self._amount(line, c)
                rates[line.id] = prices.tax_rate if line.tax is None else line.tax
        taxed = [(charges[name], rates[name]) for name in charges]
        used: set[str] = set()
        for line in prices.lines:
            if not isinstance(line, PercentLine) or not line.period.covers(self.day):
                continue
            if line.when is not None and self.truth(line.when, c) is not True:
                continue
            if line.group is not None and line.group in used:
                continue
            used.add(line.group or "")
            used.discard("")
            for name, cents in charges.items():
                if not line.of or name in line.of:
                    rate = rates[name] if line.tax is None else line.tax
                    taxed.append((cent(cents * line.percent / 100), rate))
        net = sum(cents for cents, _ in taxed)
        if prices.minimum is not None and net < prices.minimum:
            taxed.append((prices.minimum - net, prices.tax_rate))
            net = prices.minimum
        if not prices.tax_included:
            net += sum(cent(cents * rate / 100) for cents, rate in taxed)
        units: object = Fraction(1)
        if prices.times is not None:
            units = self.worth(prices.times, c)
        return cent(net * max(units, Fraction(0))) if isinstance(units, Fraction) else net

    def _charge(self, variable: Variable, c: Configuration) -> int | None:
        if variable.kind == "computed":
            return None
        if variable.price_each is None and not any(v.price for v in variable.values):
            return None
        if not self.asked(variable.id, c):
            return 0
        times = self._times(variable, c)
        if not isinstance(times, Fraction):
            return 0
        if variable.price_each is not None:
            answer = c[variable.id]
            return 0 if answer == "none" else cent(Fraction(answer) * variable.price_each * times)
        if variable.kind == "several of":
            each = sum(
                (v.price or 0) * int(c.get(f"{variable.id}.{v.id}", "0")) for v in variable.values
            )
            return cent(each * times)
        return cent(
            next((v.price or 0 for v in variable.values if v.id == c[variable.id]), 0) * times
        )

    def _amount(self, line: AmountLine, c: Configuration) -> int:
        if line.when is not None and self.truth(line.when, c) is not True:
            return 0
        amount: object = OPEN
        if line.amount is not None:
            amount = self.worth(line.amount, c)
        else:
            for row in line.rows:
                truth = self.row(row.conditions, c)
                if row.period.covers(self.day) and truth is not False:
                    amount = row.price if truth else OPEN
                    break
        times = Fraction(1) if line.times is None else self.worth(line.times, c)
        if not isinstance(amount, Fraction) or not isinstance(times, Fraction):
            return 0
        cents = cent(amount * times * 100)
        return cents if line.minimum is None else max(cents, line.minimum)

    # --- questions ----------------------------------------------------------------------

    def slots(self) -> list[str]:
        return [s for v in self.product.variables for s in self.domains(v)]

    def with_choices(self, choices: tuple[Choice, ...]) -> list[Configuration]:
        return [
            c for c in self.configurations if all(c[each.slot] == each.answer for each in choices)
        ]

    def fewest_changes(self, choices: tuple[Choice, ...], wanted: Choice) -> int | None:
        """Least number of other choices given up for ``wanted``."""
        counts = [
            sum(c[each.slot] != each.answer for each in choices if each.slot != wanted.slot)
            for c in self.configurations
            if c[wanted.slot] == wanted.answer
        ]
        return min(counts, default=None)

    def corrections(self, choices: tuple[Choice, ...], wanted: Choice) -> set[frozenset[str]]:
        """All minimal sets of slots to give up."""
        sets = {
            frozenset(each.slot for each in choices if c[each.slot] != each.answer) - {wanted.slot}
            for c in self.configurations
            if c[wanted.slot] == wanted.answer
        }
        return {one for one in sets if not any(other < one for other in sets)}


def compare(operator: str, left: object, right: object) -> bool | None:
    if OPEN in (left, right):
        return None
    if operator in ("=", "!="):
        return (left == right) is (operator == "=")
    if not isinstance(left, Fraction) or not isinstance(right, Fraction):
        return None
    return {
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
    }[operator]


def cent(number: Fraction | int) -> int:
    exact = Fraction(number)
    sign = -1 if exact < 0 else 1
    return sign * int(abs(exact) + Fraction(1, 2))


def once(number: Fraction, rounding: str | None, decimals: int) -> Fraction:
    if rounding is None:
        return number
    scaled = number * 10**decimals
    floor = scaled.numerator // scaled.denominator
    if rounding == "down":
        whole = floor
    elif rounding == "up":
        whole = floor if scaled == floor else floor + 1
    else:
        whole = cent(scaled)
    return Fraction(whole, 10**decimals)


def decimal(number: Fraction) -> str:
    if number.denominator == 1:
        return str(number.numerator)
    text = f"{float(number):.6f}".rstrip("0")
    assert Fraction(text) == number
    return text

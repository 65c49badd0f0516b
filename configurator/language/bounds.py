"""What can be told about the numbers of a term without solving anything.

Finite sets where they are small, intervals elsewhere, and how many decimals a term can
need. Everything errs outward: a bound is never too narrow.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from configurator.model import expression as model
from configurator.model.product import Product, SeveralOf, Variable

MOST_VALUES = 400
_OPERATORS: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
Interval = tuple[Fraction, Fraction] | None
"""Lowest and highest; ``None`` where it cannot be told."""
Told = tuple[frozenset[Fraction] | None, Interval]
"""The values where they are few, and the interval."""


@dataclass(slots=True)
class Bounds:
    """Answers about the terms of one product whose computed variables form no ring."""

    product: Product
    memo: dict[str, Told] = field(default_factory=dict)

    def can_be_zero(self, term: model.Term) -> bool:
        """Whether the term takes the value 0 somewhere, as far as can be told."""
        values, interval = self.of(term)
        if values is not None:
            return Fraction(0) in values
        if interval is None or not interval[0] <= 0 <= interval[1]:
            return False
        if isinstance(term, model.Read):
            limits = self.product.variable(term.variable).number
            return limits is None or limits.low % limits.step == 0
        return True

    def decimals(self, term: model.Term) -> int | None:
        """How many decimals the term can need; ``None``: no number of them is enough."""
        values = self.of(term)[0]
        if values is not None:
            return max(map(places, values)) if all(map(ends, values)) else None
        match term:
            case model.Number(value=value):
                return places(value)
            case model.Read(variable=name) | model.Fact(variable=name):
                return self._decimals_of(name, term)
            case model.SumOfFact(variable=name, fact=fact):
                return self._decimals_of_sum(name, fact)
            case model.Negative(term=inner):
                return self.decimals(inner)
            case model.Else(term=left, fallback=right):
                return self._most(left, right)
            case model.Extreme(terms=terms):
                return self._most(*terms)
            case model.Arithmetic(operator="/", left=left, right=right):
                return self._decimals_of_quotient(left, right)
            case model.Arithmetic(operator="*", left=left, right=right):
                one, other = self.decimals(left), self.decimals(right)
                return None if one is None or other is None else one + other
            case model.Arithmetic(left=left, right=right):
                return self._most(left, right)
            case _:
                return 0

    def _most(self, *terms: model.Term) -> int | None:
        most = 0
        for term in terms:
            needed = self.decimals(term)
            if needed is None:
                return None
            most = max(most, needed)
        return most

    def _decimals_of(self, name: str, term: model.Read | model.Fact) -> int | None:
        variable = self._variable(name)
        if variable is None:
            return 0
        if isinstance(term, model.Fact):
            return self._with_times(variable, _fact_places(variable, term.fact))
        if variable.computed is not None:
            return variable.computed.decimals
        if variable.number is not None:
            return variable.number.decimals
        return max((places(each.number) for each in variable.values if each.number), default=0)

    def _with_times(self, variable: Variable, needed: int) -> int | None:
        if variable.times is None:
            return needed
        times = self.decimals(variable.times)
        return None if times is None else needed + times

    def _decimals_of_sum(self, name: str | None, fact: str) -> int | None:
        most = 0
        for variable in self.product.variables if name is None else [self._variable(name)]:
            if variable is None or not _has_fact(variable, fact):
                continue
            needed = self._with_times(variable, _fact_places(variable, fact))
            if needed is None:
                return None
            most = max(most, needed)
        return most

    def _decimals_of_quotient(self, left: model.Term, right: model.Term) -> int | None:
        divisors = self.of(right)[0]
        if divisors is None:
            return None
        inverse = [1 / each for each in divisors if each]
        own = self.decimals(left)
        needed = [
            places(each) + own if own is not None and ends(each) else None for each in inverse
        ]
        known = [each for each in needed if each is not None]
        return max(known, default=0) if len(known) == len(needed) else None

    def of(self, term: model.Term) -> Told:
        """The values of a term where they are few, and its lowest and highest."""
        match term:
            case model.Number(value=value):
                return _few({value})
            case model.YesNo(value=value):
                return _few({Fraction(value)})
            case model.Read(variable=name):
                return self._read(name)
            case model.Fact(variable=name, fact=fact):
                return self._fact(name, fact)
            case model.Quantity(variable=name):
                most = self._several(name).each[1]
                return _few({Fraction(each) for each in range(most + 1)})
            case model.Kinds(variable=name):
                fewest, most = self._several(name).pick
                return _few({Fraction(each) for each in range(fewest, most + 1)})
            case model.Pieces(variable=name):
                return None, _pieces(self._several(name))
            case model.DatePart(part=part):
                last = {"weekday": 7, "month": 12}.get(part)
                return _few({Fraction(n) for n in range(1, last + 1)}) if last else (None, None)
            case model.Negative(term=inner):
                return self._combined("-", _few({Fraction(0)}), self.of(inner))
            case model.Arithmetic(operator=sign, left=left, right=right):
                return self._combined(sign, self.of(left), self.of(right))
            case model.Else(term=left, fallback=right):
                return _union([self.of(left), self.of(right)])
            case model.Extreme(function=function, terms=terms):
                return _extreme(function, [self.of(each) for each in terms])
            case _:
                return None, None

    def _variable(self, name: str) -> Variable | None:
        try:
            return self.product.variable(name)
        except KeyError:
            return None

    def _several(self, name: str) -> SeveralOf:
        variable = self._variable(name)
        if variable is None or variable.several is None:
            return SeveralOf((0, 0), (0, 0), None)
        return variable.several

    def _read(self, name: str) -> Told:
        if name not in self.memo:
            self.memo[name] = self._of_variable(self._variable(name))
        return self.memo[name]

    def _of_variable(self, variable: Variable | None) -> Told:
        if variable is None:
            return None, None
        if variable.kind == "yes or no":
            return _few({Fraction(0), Fraction(1)})
        if variable.number is not None:
            low, high, step = variable.number.low, variable.number.high, variable.number.step
            count = int((high - low) / step) + 1
            if count <= MOST_VALUES:
                return _few({low + step * at for at in range(count)})
            return None, (low, high)
        if variable.computed is not None:
            return self._of_computed(variable)
        numbers = {each.number for each in variable.values if each.number is not None}
        return _few(numbers) if numbers else (None, None)

    def _of_computed(self, variable: Variable) -> Told:
        assert variable.computed is not None
        if variable.computed.term is not None:
            values, interval = self.of(variable.computed.term)
            if variable.computed.rounding is None or interval is None:
                declared = 10**variable.computed.decimals
                # Whoever reads a number that needs rounding is not told so as well.
                fit = all((each * declared).denominator == 1 for each in values or ())
                return values if fit else None, interval
            unit = Fraction(1, 10**variable.computed.decimals)
            return None, (interval[0] // unit * unit, -(-interval[1] // unit) * unit)
        for table in self.product.tables:
            if table.id == variable.computed.lookup and variable.id in table.sets:
                at = table.sets.index(variable.id)
                try:
                    return _few({Fraction(row.sets[at]) for row in table.rows})
                except ValueError:
                    return None, None
        return None, None

    def _fact(self, name: str, fact: str) -> Told:
        variable = self._variable(name)
        if variable is None:
            return None, None
        unit = dict(variable.facts_each).get(fact)
        if unit is None:
            told = _few({dict(each.facts).get(fact, Fraction(0)) for each in variable.values})
        else:
            told = self._combined("*", self._read(name), _few({unit}))
        if variable.times is None:
            return told
        return self._combined("*", told, self.of(variable.times))

    def _combined(
        self,
        sign: str,
        left: Told,
        right: Told,
    ) -> Told:
        apply = _OPERATORS[sign]
        few, other = left[0], right[0]
        if few is not None and other is not None and len(few) * len(other) <= MOST_VALUES:
            pairs = itertools.product(few, other)
            return _few({apply(a, b) for a, b in pairs if sign != "/" or b})
        if left[1] is None or right[1] is None:
            return None, None
        if sign == "/" and right[1][0] <= 0 <= right[1][1]:
            return None, None
        corners = [apply(a, b) for a, b in itertools.product(left[1], right[1])]
        return None, (min(corners), max(corners))


def _pieces(several: SeveralOf) -> Interval:
    """How many pieces there are in all, which ``pick``, ``each`` and ``pieces`` limit."""
    fewest, most = several.pick[0] * max(several.each[0], 1), several.pick[1] * several.each[1]
    if several.pieces is not None:
        fewest, most = max(fewest, several.pieces[0]), min(most, several.pieces[1])
    return Fraction(fewest), Fraction(most)


def _few(values: set[Fraction]) -> Told:
    if not values:
        return None, None
    interval = min(values), max(values)
    return (frozenset(values) if len(values) <= MOST_VALUES else None), interval


def _union(
    parts: list[Told],
) -> Told:
    values: set[Fraction] | None = set()
    intervals = []
    for few, interval in parts:
        values = None if few is None or values is None else values | few
        if interval is None:
            return None, None
        intervals.append(interval)
    both = min(low for low, _ in intervals), max(high for _, high in intervals)
    return (frozenset(values) if values is not None else None), both


def _extreme(function: str, parts: list[Told]) -> Told:
    intervals = [interval for _, interval in parts]
    known = [each for each in intervals if each is not None]
    pick = max if function == "max" else min
    if len(known) == len(intervals):
        lows, highs = [low for low, _ in known], [high for _, high in known]
        return None, (pick(lows), pick(highs))
    return None, None


def _has_fact(variable: Variable, fact: str) -> bool:
    return fact in dict(variable.facts_each) or any(
        fact in dict(each.facts) for each in variable.values
    )


def _fact_places(variable: Variable, fact: str) -> int:
    unit = dict(variable.facts_each).get(fact)
    if unit is not None:
        return places(unit) + (variable.number.decimals if variable.number else 0)
    return max(
        (places(amount) for each in variable.values for name, amount in each.facts if name == fact),
        default=0,
    )


def ends(value: Fraction) -> bool:
    """Whether a number has finitely many decimals."""
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1


def places(value: Fraction) -> int:
    """How many decimals a number that ends needs."""
    needed = 0
    while (value * 10**needed).denominator != 1 and needed < 60:
        needed += 1
    return needed

"""Truth on valid domains: what is certain whatever the customer still chooses.

An atom over one slot is true where it holds for each of its valid answers and false
where it holds for none. An atom over several is judged by the lowest and the highest
value of its sides; ids only where they are disjoint, or single and equal. The rest is
open. Atoms are joined as everywhere (docs/language.md, "Truth").
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from configurator.engine import Engine
from configurator.engine.layout import NOT_ASKED, parse_day, parse_number
from configurator.engine.truth import Meaning, Special, members
from configurator.model.choice import NONE, Choices
from configurator.model.expression import (
    And,
    Arithmetic,
    Comparison,
    Condition,
    Constant,
    Else,
    Extreme,
    Has,
    Kinds,
    LowestTotal,
    Membership,
    Negative,
    Not,
    Or,
    Pieces,
    Read,
    Relevant,
    SumOfFact,
    Term,
)
from configurator.model.verdict import EngineView, SlotView

Truth = bool | None
POSSIBLE = ("possible", "chosen", "implied")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a term may be: numbers from ``low`` to ``high`` (``None``: no end), ``ids``,
    and whether it may have no number at all."""

    low: Fraction | None = None
    high: Fraction | None = None
    ids: frozenset[str] = frozenset()
    numeric: bool = False
    may_be_open: bool = False


OPEN = Bounds(may_be_open=True)


class Prospect:
    """The valid domains of one view, and what is certain on them."""

    def __init__(self, engine: Engine, view: EngineView, context: Choices) -> None:
        self._meaning: Meaning = engine.meaning
        self._lowest = view.lowest_total
        self._slots: dict[str, SlotView] = {slot.slot: slot for slot in view.slots}
        self._told = {choice.slot: choice.answer for choice in context}
        self._reading = engine.reading

    # --- slots ------------------------------------------------------------------------

    def answers(self, slot: str) -> tuple[str, ...] | None:
        """The valid answers of a slot, ``NOT_ASKED`` among them where the question may be
        skipped; ``None`` where they are too many to list (see ``ends``)."""
        if slot in self._told:
            return (self._told[slot],)
        view = self._slots.get(slot)
        if view is None or view.state == "not asked":
            return (NOT_ASKED,)
        if view.state in ("chosen", "implied") and view.answer is not None:
            return (view.answer,)
        if view.intervals or not view.options:
            return None
        valid = tuple(option.answer for option in view.options if option.state in POSSIBLE)
        undecided = any(option.state == "undecided" for option in view.options)
        if undecided:
            return None
        return (*valid, NOT_ASKED) if self.asked(view.variable) is not True else valid

    def ends(self, slot: str) -> Bounds:
        """The lowest and highest number of a wide slot."""
        view = self._slots[slot]
        if not view.intervals:
            return OPEN
        numbers = [
            number
            for interval in view.intervals
            for end in (interval.low, interval.high)
            if (number := _number(end)) is not None
        ]
        optional = any(option.state in POSSIBLE for option in view.options)
        skipped = self.asked(view.variable) is not True
        return Bounds(min(numbers), max(numbers), frozenset(), True, optional or skipped)

    def asked(self, variable: str) -> Truth:
        """Whether a question is asked: certain, certainly not, or open."""
        if variable in self._told:
            return True
        states = {slot.state for slot in self._slots.values() if slot.variable == variable}
        if not states or states == {"not asked"}:
            return False
        if states & {"chosen", "implied"}:
            return True
        relevant = self._meaning.product.variable(variable).relevant_when
        return True if relevant is None else True if self.holds(relevant) is True else None

    # --- conditions -------------------------------------------------------------------

    def holds(self, condition: Condition) -> Truth:
        """Whether a condition is certainly true, certainly false, or open."""
        match condition:
            case Constant():
                return condition.value
            case Not():
                truth = self.holds(condition.condition)
                return None if truth is None else not truth
            case And():
                return _joined((self.holds(each) for each in condition.conditions), False)
            case Or():
                return _joined((self.holds(each) for each in condition.conditions), True)
            case Membership():
                return self.holds(members(condition))
            case Has():
                return self.holds(self._meaning.has(condition))
            case Relevant():
                asked = self.asked(condition.variable)
                return None if asked is None else asked is not condition.negated
            case Comparison():
                return self._comparison(condition)

    def _comparison(self, atom: Comparison) -> Truth:
        slots = self._reading.slots(atom)
        reads_total = _reads_total(atom.left) or _reads_total(atom.right)
        if len(slots) <= 1 and not reads_total:
            answers = self.answers(slots[0]) if slots else (NOT_ASKED,)
            if answers is not None:
                judge = self._meaning.condition(atom)
                truths = {judge({slots[0]: answer} if slots else {}) for answer in answers}
                return truths.pop() if len(truths) == 1 else None
        return _compared(atom.operator, self.bounds(atom.left), self.bounds(atom.right))

    # --- terms ------------------------------------------------------------------------

    def bounds(self, term: Term) -> Bounds:
        """What a term may be, by its lowest and highest value."""
        constant = self._meaning.constant(term)
        if isinstance(constant, Fraction):
            return Bounds(constant, constant, numeric=True)
        if isinstance(constant, str):
            return Bounds(ids=frozenset((constant,)))
        if constant is Special.NONE:
            return Bounds(ids=frozenset((NONE,)))
        match term:
            case LowestTotal():
                if self._lowest is None:
                    return OPEN
                return Bounds(Fraction(self._lowest, 100), None, numeric=True)
            case Negative():
                inner = self.bounds(term.term)
                return _number_bounds(_minus(inner.high), _minus(inner.low), inner)
            case Arithmetic():
                return _arithmetic(term.operator, self.bounds(term.left), self.bounds(term.right))
            case Else():
                first = self.bounds(term.term)
                return _union(first, self.bounds(term.fallback)) if first.may_be_open else first
            case Extreme():
                return _extreme(term.function, [self.bounds(each) for each in term.terms])
            case SumOfFact() | Pieces() | Kinds():
                return self._sum(term)
        slots = self._reading.slots(term)
        if len(slots) == 1:
            return self._over_slot(slots[0], term)
        return OPEN

    def _over_slot(self, slot: str, term: Term) -> Bounds:
        answers = self.answers(slot)
        if answers is None:
            return self.ends(slot) if isinstance(term, Read) else OPEN
        worth = self._meaning.term(term)
        result: Bounds | None = None
        for answer in answers:
            found = worth({slot: answer})
            if isinstance(found, Fraction):
                one = Bounds(found, found, numeric=True)
            elif found is None:
                one = OPEN
            else:
                one = Bounds(ids=frozenset((NONE if found is Special.NONE else found,)))
            result = one if result is None else _union(result, one)
        return OPEN if result is None else result

    def _sum(self, term: SumOfFact | Pieces | Kinds) -> Bounds:
        """A sum, slot by slot: each adds its own least and most."""
        if isinstance(term, SumOfFact):
            names: Iterable[str] = (
                [each.id for each in self._meaning.product.variables]
                if term.variable is None
                else [term.variable]
            )
        else:
            names = [term.variable]
        low, high = Fraction(0), Fraction(0)
        for name in names:
            variable = self._meaning.product.variable(name)
            facts = self._meaning.facts_of(name, term.fact) if isinstance(term, SumOfFact) else {}
            if isinstance(term, SumOfFact) and not facts:
                continue
            times = Bounds(Fraction(1), Fraction(1), numeric=True)
            if isinstance(term, SumOfFact) and variable.times is not None:
                times = self.bounds(variable.times)
            for slot in self._meaning.layout.by_variable[name]:
                answers = self.answers(slot.id)
                if answers is None:
                    return OPEN
                each = [
                    _share(term, facts, slot.value.id if slot.value else None, answer)
                    for answer in answers
                ]
                part = _arithmetic("*", Bounds(min(each), max(each), numeric=True), times)
                if not part.numeric or part.low is None or part.high is None:
                    return OPEN
                low, high = low + part.low, high + part.high
        return Bounds(low, high, numeric=True)


def _share(
    term: SumOfFact | Pieces | Kinds, facts: dict[str, Fraction], value: str | None, answer: str
) -> Fraction:
    """What one answer adds to a sum; what is not asked adds nothing."""
    if answer == NOT_ASKED:
        return Fraction(0)
    if value is None:
        return facts.get(answer, Fraction(0))
    quantity = Fraction(answer)
    if isinstance(term, SumOfFact):
        return facts.get(value, Fraction(0)) * quantity
    return quantity if isinstance(term, Pieces) else Fraction(quantity > 0)


def _joined(truths: Iterable[Truth], decisive: bool) -> Truth:
    result: Truth = not decisive
    for truth in truths:
        if truth is decisive:
            return decisive
        if truth is None:
            result = None
    return result


def _number(text: str) -> Fraction | None:
    number = parse_number(text)
    return parse_day(text) if number is None else number


def _reads_total(term: Term) -> bool:
    if isinstance(term, Arithmetic):
        return _reads_total(term.left) or _reads_total(term.right)
    if isinstance(term, Negative):
        return _reads_total(term.term)
    return isinstance(term, LowestTotal)


def _minus(number: Fraction | None) -> Fraction | None:
    return None if number is None else -number


def _number_bounds(low: Fraction | None, high: Fraction | None, *parts: Bounds) -> Bounds:
    may_be_open = any(part.may_be_open or part.ids or not part.numeric for part in parts)
    return Bounds(low, high, numeric=True, may_be_open=may_be_open)


def _union(one: Bounds, other: Bounds) -> Bounds:
    if not (one.numeric and other.numeric):
        numeric = one if one.numeric else other
        return Bounds(
            numeric.low,
            numeric.high,
            one.ids | other.ids,
            one.numeric or other.numeric,
            one.may_be_open or other.may_be_open,
        )
    low = None if one.low is None or other.low is None else min(one.low, other.low)
    high = None if one.high is None or other.high is None else max(one.high, other.high)
    return Bounds(low, high, one.ids | other.ids, True, one.may_be_open or other.may_be_open)


def _arithmetic(operator: str, left: Bounds, right: Bounds) -> Bounds:
    """Interval arithmetic (Moore 1966), with open ends only for sums and differences."""
    if operator == "+":
        low = None if left.low is None or right.low is None else left.low + right.low
        high = None if left.high is None or right.high is None else left.high + right.high
        return _number_bounds(low, high, left, right)
    if operator == "-":
        low = None if left.low is None or right.high is None else left.low - right.high
        high = None if left.high is None or right.low is None else left.high - right.low
        return _number_bounds(low, high, left, right)
    ends = (left.low, left.high, right.low, right.high)
    if any(end is None for end in ends):
        return OPEN
    a, b, c, d = (end for end in ends if end is not None)
    if operator == "/":
        if c <= 0 <= d:
            return OPEN
        corners = (a / c, a / d, b / c, b / d)
    else:
        corners = (a * c, a * d, b * c, b * d)
    return _number_bounds(min(corners), max(corners), left, right)


def _extreme(function: str, parts: list[Bounds]) -> Bounds:
    lows = [part.low for part in parts]
    highs = [part.high for part in parts]
    if any(end is None for end in (*lows, *highs)):
        return OPEN
    pick = min if function == "min" else max
    return _number_bounds(
        pick(low for low in lows if low is not None),
        pick(high for high in highs if high is not None),
        *parts,
    )


def _compared(operator: str, left: Bounds, right: Bounds) -> Truth:
    if left.may_be_open or right.may_be_open:
        return None
    if operator in ("=", "!="):
        equal = _equal(left, right)
        return None if equal is None else equal is (operator == "=")
    if left.ids or right.ids or not (left.numeric and right.numeric):
        return None
    if operator in (">", ">="):
        operator, left, right = ("<" if operator == ">" else "<="), right, left
    if _certainly(operator, left.high, right.low):
        return True
    opposite = "<=" if operator == "<" else "<"
    return False if _certainly(opposite, right.high, left.low) else None


def _certainly(operator: str, most: Fraction | None, least: Fraction | None) -> bool:
    """Whether even ``most`` is below (or at) ``least``."""
    if most is None or least is None:
        return False
    return most < least or (operator == "<=" and most == least)


def _equal(left: Bounds, right: Bounds) -> Truth:
    if not left.numeric and not right.numeric:
        if not left.ids & right.ids:
            return False
        return True if left.ids == right.ids and len(left.ids) == 1 else None
    if left.numeric and right.numeric and not left.ids and not right.ids:
        ends = (left.low, left.high, right.low, right.high)
        if None not in ends and len(set(ends)) == 1:
            return True
        if left.high is not None and right.low is not None and left.high < right.low:
            return False
        if right.high is not None and left.low is not None and right.high < left.low:
            return False
        return None
    pure = left if not left.numeric else right if not right.numeric else None
    if pure is not None and not (left.ids & right.ids):
        return False
    return None

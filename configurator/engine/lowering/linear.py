"""Terms as sums of functions of one variable each, where they are.

``linear`` splits a term; what it cannot split it tabulates as a hidden variable, where
that is small enough, or gives up.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from configurator.engine.layout import NOT_ASKED
from configurator.engine.lowering.emitter import Emitter
from configurator.engine.lowering.formula import Literal
from configurator.engine.lowering.held import Held
from configurator.engine.reading import Reading
from configurator.engine.truth import Answers, Meaning
from configurator.model.expression import (
    Arithmetic,
    Fact,
    Kinds,
    Negative,
    Pieces,
    Quantity,
    Read,
    SumOfFact,
    Term,
)

NumberOf = Callable[[Answers], Fraction | None]


@dataclass(slots=True)
class Weighted:
    """``constant`` plus a weight for the value of each variable.

    The term is open where one of ``open`` holds (weights are 0 there).
    """

    constant: Fraction = Fraction(0)
    weights: dict[int, list[Fraction]] = field(default_factory=dict)
    open: list[Literal] = field(default_factory=list)

    def add(self, other: Weighted, factor: Fraction = Fraction(1)) -> None:
        """Add ``factor`` times another."""
        self.constant += other.constant * factor
        for variable, row in other.weights.items():
            mine = self.weights.get(variable)
            scaled = [weight * factor for weight in row]
            if mine is None:
                self.weights[variable] = scaled
            else:
                self.weights[variable] = [a + b for a, b in zip(mine, scaled, strict=True)]
        self.open.extend(other.open)


class Splitter:
    """Splits the terms of one product."""

    def __init__(
        self,
        meaning: Meaning,
        reading: Reading,
        held: dict[str, Held],
        emitter: Emitter,
        budget: int,
    ) -> None:
        self._meaning = meaning
        self._reading = reading
        self._held = held
        self._emitter = emitter
        self._budget = budget
        self._tabulated: dict[tuple[str, ...], Weighted] = {}

    def split(self, term: Term) -> Weighted | None:
        """The term as a weighted sum, ``None`` where it is none."""
        if isinstance(term, Arithmetic) and term.operator in ("+", "-"):
            return self._summed(term)
        slots = self._reading.slots(term)
        number = self._meaning.number(term)
        if not slots:
            constant = number({})
            return None if constant is None else Weighted(constant)
        if len(slots) == 1:
            return self._of_one(self._held[slots[0]], number)
        if isinstance(term, Negative):
            return self._scaled(term.term, Fraction(-1))
        if isinstance(term, Arithmetic):
            found = self._arithmetic(term)
        elif isinstance(term, SumOfFact):
            found = self._sum(term)
        elif isinstance(term, Pieces | Kinds):
            found = self._pieces(term)
        elif isinstance(term, Read):
            found = self._computed(term)
        else:
            found = None
        return found if found is not None else self._tabulate(slots, number, repr(term))

    def _of_one(self, held: Held, number: NumberOf) -> Weighted:
        worth = [number({held.id: answer}) for answer in held.answers]
        row = [each if each is not None else Fraction(0) for each in worth]
        missing = frozenset(i for i, each in enumerate(worth) if each is None)
        found = Weighted(weights={held.index: row})
        if missing:
            found.open.append(Literal(held.index, missing))
        return found

    def _scaled(self, term: Term, factor: Fraction) -> Weighted | None:
        inner = self.split(term)
        if inner is None:
            return None
        found = Weighted()
        found.add(inner, factor)
        return found

    def _summed(self, term: Arithmetic) -> Weighted | None:
        """A chain of sums and differences, however long, part by part."""
        found = Weighted()
        waiting: list[tuple[Term, Fraction]] = [(term, Fraction(1))]
        while waiting:
            part, factor = waiting.pop()
            if isinstance(part, Arithmetic) and part.operator in ("+", "-"):
                waiting.append((part.right, factor if part.operator == "+" else -factor))
                waiting.append((part.left, factor))
                continue
            split = self.split(part)
            if split is None:
                return None
            found.add(split, factor)
        return found

    def _arithmetic(self, term: Arithmetic) -> Weighted | None:
        for side, other in ((term.right, term.left), (term.left, term.right)):
            if self._reading.slots(side):
                continue
            factor = self._meaning.number(side)({})
            if term.operator == "*" and factor is not None:
                return self._scaled(other, factor)
            if term.operator == "/" and factor and side is term.right:
                return self._scaled(other, 1 / factor)
        return None

    def _computed(self, term: Read) -> Weighted | None:
        """A computed number that is looked through, where it is not rounded."""
        if term.variable in self._meaning.layout.context:
            return None
        variable = self._meaning.product.variable(term.variable)
        source = variable.computed
        if source is None or source.term is None or variable.relevant_when is not None:
            return None
        if source.rounding is not None:
            return None
        return self.split(source.term)

    def _pieces(self, term: Pieces | Kinds) -> Weighted | None:
        slots = self._meaning.layout.by_variable[term.variable]
        found = Weighted()
        for slot in slots:
            held = self._held[slot.id]
            row = [
                Fraction(0)
                if answer == NOT_ASKED
                else Fraction(int(answer) if isinstance(term, Pieces) else answer != "0")
                for answer in held.answers
            ]
            found.weights[held.index] = row
        first = self._held[slots[0].id]
        if first.not_asked >= 0:
            found.open.append(Literal(first.index, frozenset((first.not_asked,))))
        return found

    def _sum(self, term: SumOfFact) -> Weighted | None:
        """A sum over the configuration, variable by variable."""
        variables = self._meaning.product.variables
        names = [each.id for each in variables] if term.variable is None else [term.variable]
        found = Weighted()
        for name in names:
            if not self._meaning.has_fact(name, term.fact):
                continue
            variable = self._meaning.product.variable(name)
            timed = self._meaning.times(variable, term.fact) is not None
            for slot in self._meaning.layout.by_variable[name]:
                part = self._summand(name, slot.value.id if slot.value else None, term, timed)
                if part is None:
                    return None
                found.add(part)
        found.open = []  # sums skip what is open
        return found

    def _summand(
        self, name: str, value: str | None, term: SumOfFact, timed: bool
    ) -> Weighted | None:
        facts = self._meaning.facts_of(name, term.fact)
        inner: Term
        if value is None:
            inner = Fact(name, term.fact)
            number = self._meaning.number(inner)
        else:
            if value not in facts:
                return Weighted()
            inner = Quantity(name, value)
            quantity, each = self._meaning.number(inner), facts[value]
            times = self._meaning.times(self._meaning.product.variable(name), term.fact)

            def number(answers: Answers) -> Fraction | None:
                count = quantity(answers)
                factor = Fraction(1) if times is None else times(answers)
                return None if count is None or factor is None else count * factor * each

        slots = self._reading.slots(inner)
        variable = self._meaning.product.variable(name)
        if timed and variable.times is not None:
            slots = tuple(dict.fromkeys((*slots, *self._reading.slots(variable.times))))
        if not slots:
            return Weighted()
        if len(slots) == 1:
            return self._of_one(self._held[slots[0]], number)
        return self._tabulate(slots, number, f"{name}.{value}.{term.fact}")

    def _tabulate(self, slots: tuple[str, ...], number: NumberOf, key: str) -> Weighted | None:
        """A hidden variable that takes the term's worth, where it is small enough."""
        place = (key, *slots)
        known = self._tabulated.get(place)
        if known is not None:
            return known
        held = [self._held[slot] for slot in slots]
        if math.prod(each.size for each in held) > self._budget:
            return None
        worth: dict[tuple[int, ...], Fraction | None] = {}
        for row in itertools.product(*(range(each.size) for each in held)):
            answers = {each.id: each.answers[k] for each, k in zip(held, row, strict=True)}
            worth[row] = number(answers)
        results = sorted({each for each in worth.values() if each is not None})
        values: dict[Fraction | None, int] = {each: i for i, each in enumerate(results)}
        if None in worth.values():
            values[None] = len(results)
        index = self._emitter.add_variable(
            f"worth:{len(self._emitter.sizes)}", (1,) * len(values), hidden=True
        )
        self._emitter.allow(
            (*(each.index for each in held), index),
            frozenset((*row, values[each]) for row, each in worth.items()),
        )
        weights = [*results] + ([Fraction(0)] if None in values else [])
        found = Weighted(weights={index: weights})
        if None in values:
            found.open.append(Literal(index, frozenset((values[None],))))
        self._tabulated[place] = found
        return found

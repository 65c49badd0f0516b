"""Conditions as two-valued formulas: certainly true, certainly false.

``T`` and ``F`` follow docs/engine.md, "Truth": atoms are asked about representatives of
network values, the rest is structure.
"""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

from configurator.engine.errors import too_wide
from configurator.engine.lowering.emitter import Emitter
from configurator.engine.lowering.formula import (
    Formula,
    Literal,
    Rows,
    conjunction,
    disjunction,
    negation,
    normal_sum,
)
from configurator.engine.lowering.held import Held
from configurator.engine.lowering.linear import Splitter, Weighted
from configurator.engine.reading import Reading
from configurator.engine.truth import Meaning, Special, Worth
from configurator.model.expression import (
    And,
    Comparison,
    Condition,
    Constant,
    Has,
    Membership,
    Not,
    Or,
    Read,
    Relevant,
    Term,
)

ROWS_FIRST = 256
"""Atoms over several variables with so few combinations are tabulated at once."""


class Conditions:
    """Turns conditions of one product into formulas."""

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
        self._splitter = Splitter(meaning, reading, held, emitter, budget)
        self._simple: dict[tuple[str, str, Worth, bool], Formula] = {}
        self.subject = ""
        """What is being lowered, to name it where it is too wide."""

    def certainly(self, condition: Condition | None, truth: bool = True) -> Formula:
        """Where the condition is certainly true (or, ``truth`` false, certainly false)."""
        if condition is None:
            return truth
        if isinstance(condition, Constant):
            return condition.value is truth
        if isinstance(condition, Not):
            return self.certainly(condition.condition, not truth)
        if isinstance(condition, And | Or):
            parts = [self.certainly(each, truth) for each in condition.conditions]
            if isinstance(condition, And) is truth:
                return conjunction(parts)
            return disjunction(parts, self._emitter.sizes)
        if isinstance(condition, Comparison):
            return self._comparison(condition, truth)
        if isinstance(condition, Has | Membership):
            return self.certainly(self._meaning.written_out(condition), truth)
        return self._atom(condition, self._reading.slots(condition), truth)

    def possibly(self, condition: Condition | None) -> Formula:
        """Where the condition is not certainly false."""
        return self.denied(self.certainly(condition, False))

    def denied(self, formula: Formula) -> Formula:
        """Where the formula does not hold."""
        return negation(formula, self._emitter.sizes)

    def relevant(self, condition: Condition | None) -> Formula:
        """Where a question with this relevance is asked."""
        return self.certainly(condition)

    # --- atoms ------------------------------------------------------------------------

    def _comparison(self, condition: Comparison, truth: bool) -> Formula:
        """Rules and tables compare the same question with the same few answers over and
        over: answered from a memo."""
        constant = self._meaning.constant(condition.right)
        if not isinstance(condition.left, Read) or constant is None:
            return self._atom(condition, self._reading.slots(condition), truth)
        key = (condition.left.variable, condition.operator, constant, truth)
        found = self._simple.get(key)
        if found is None:
            found = self._atom(condition, self._reading.slots(condition), truth)
            self._simple[key] = found
        return found

    def _atom(
        self, atom: Comparison | Membership | Relevant, slots: tuple[str, ...], truth: bool
    ) -> Formula:
        held = [self._held[slot] for slot in slots]
        combinations = math.prod(each.size for each in held)
        if combinations > ROWS_FIRST and len(held) > 1 and isinstance(atom, Comparison):
            formula = self._linear(atom, truth)
            if formula is not None:
                return formula
        if combinations > self._budget:
            raise self._too_wide(held)
        test = self._meaning.condition(atom)
        if not slots:
            return test({}) is truth
        if len(held) == 1:
            only = held[0]
            values = frozenset(
                i for i, answer in enumerate(only.answers) if test({only.id: answer}) is truth
            )
            if not values:
                return False
            return Literal(only.index, values) if len(values) < only.size else True
        rows = frozenset(
            row
            for row in itertools.product(*(range(each.size) for each in held))
            if test({h.id: h.answers[k] for h, k in zip(held, row, strict=True)}) is truth
        )
        if not rows or len(rows) == combinations:
            return bool(rows)
        return Rows(tuple(each.index for each in held), rows)

    def _linear(self, atom: Comparison, truth: bool) -> Formula | None:
        if atom.operator in ("=", "!=") and not (
            self._always_number(atom.left) and self._always_number(atom.right)
        ):
            return None
        left, right = self._splitter.split(atom.left), self._splitter.split(atom.right)
        if left is None or right is None:
            return None
        difference = Weighted()
        difference.add(left)
        difference.add(right, Fraction(-1))
        sizes = self._emitter.sizes
        holds = self._bounded(difference, atom.operator)
        asked = [negation(literal, sizes) for literal in difference.open]
        return conjunction((*asked, holds if truth else negation(holds, sizes)))

    def _bounded(self, difference: Weighted, operator: str) -> Formula:
        """``difference operator 0`` as a sum of whole numbers."""
        denominators = [difference.constant.denominator]
        denominators += [w.denominator for row in difference.weights.values() for w in row]
        scale = math.lcm(*denominators)
        scope = sorted(difference.weights)
        weights = [[int(w * scale) for w in difference.weights[v]] for v in scope]
        bound = -int(difference.constant * scale)
        sizes = self._emitter.sizes
        if operator == "<=":
            return normal_sum(scope, weights, None, bound)
        if operator == "<":
            return normal_sum(scope, weights, None, bound - 1)
        if operator == ">=":
            return normal_sum(scope, weights, bound, None)
        if operator == ">":
            return normal_sum(scope, weights, bound + 1, None)
        equal = normal_sum(scope, weights, bound, bound)
        return equal if operator == "=" else negation(equal, sizes)

    def _always_number(self, term: Term) -> bool:
        """Whether a side of ``=`` is a number wherever it is not open."""
        if not isinstance(term, Read):
            constant = self._meaning.constant(term)
            return constant is None or isinstance(constant, Fraction)
        slots = self._reading.slots(term)
        if len(slots) != 1:
            return True
        read = self._meaning.read(term.variable)
        held = self._held[slots[0]]
        worth = [read({held.id: answer}) for answer in held.answers]
        return not any(each is Special.NONE or isinstance(each, str) for each in worth)

    def _too_wide(self, held: list[Held]) -> Exception:
        widest = max(held, key=lambda each: each.size)
        names = ", ".join(each.id for each in held[:6])
        return too_wide(
            self.subject,
            (
                f"“{self.subject}” depende de {names}: son demasiadas combinaciones.",
                f"“{self.subject}” depends on {names}: too many combinations.",
            ),
            (
                f"Da a “{widest.id}” un paso (step) mayor, o calcula antes una parte.",
                f"Give “{widest.id}” a bigger step, or compute a part of it first.",
            ),
        )

"""Before lowering: which computed numbers become variables, and where wide numbers are cut.

A computed number that no rule needs, or that is too wide to tabulate, is *opened*: it is
looked through to its inputs. A wide number is cut where only single comparisons read it,
kept whole where rules do arithmetic with it, and left to bounds where only prices do.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from configurator.engine.errors import too_wide
from configurator.engine.layout import Slot
from configurator.engine.lowering.held import (
    EVALUATED,
    LISTED,
    Held,
    Runs,
    cut,
    cut_at_constants,
    in_pieces,
    listed,
    text_in_pieces,
)
from configurator.engine.pricing import Pricing
from configurator.engine.reading import Reading, atoms_of
from configurator.engine.truth import Meaning
from configurator.model.expression import Condition, Expression, Term
from configurator.model.product import AmountLine, PercentLine

TABULATED = 50_000
"""Combinations a computed number or a comparison may be tabulated over."""

WHOLE = 5_000
"""Answers a number may have where rules do arithmetic with it."""

PRICED = 600
"""Answers a number may have to be kept whole for prices alone."""


class Survey:
    """What a product's expressions read, on one day."""

    def __init__(self, meaning: Meaning, pricing: Pricing) -> None:
        self.meaning = meaning
        self.product = meaning.product
        self.layout = meaning.layout
        self.pricing = pricing
        self.rule_conditions: tuple[Condition, ...] = tuple(self._rule_conditions())
        self.opened: set[str] = set()
        self._decide_computed()
        self.reading = Reading(meaning, self.opened.__contains__)
        self._single: dict[str, list[Condition]] = {}
        self._whole: set[str] = set()
        self._priced: set[str] = set()
        self._survey_wide()

    # --- computed numbers -------------------------------------------------------------

    def _rule_conditions(self) -> Iterable[Condition]:
        day = self.meaning.day
        for rule in self.product.rules:
            if rule.period.covers(day):
                yield from (e for e in (rule.when, rule.require, rule.forbid) if e is not None)
        for table in self.product.tables:
            for row in self.meaning.live_rows(table):
                yield from row.conditions
        for variable in self.product.variables:
            if variable.relevant_when is not None:
                yield variable.relevant_when

    def _decide_computed(self) -> None:
        """Open the computed numbers that need no variable, or cannot have one."""
        closed = Reading(self.meaning, lambda _: False)
        names = [each.id for each in self.product.variables if each.kind == "computed"]
        needed = {slot for slot in closed.slots(*self.rule_conditions) if slot in names}
        waiting = sorted(needed)
        while waiting:
            for slot in closed.behind(waiting.pop()):
                if slot in names and slot not in needed:
                    needed.add(slot)
                    waiting.append(slot)
        raw = Reading(self.meaning, self._by_term)
        for name in names:
            computed = self.product.variable(name).computed
            if computed is None or computed.term is None:
                continue
            sizes = [self._raw_size(slot) for slot in raw.behind(name)]
            wide = any(size > LISTED for size in sizes)
            if math.prod(sizes) > TABULATED or (wide and name not in needed):
                self.opened.add(name)

    def _by_term(self, name: str) -> bool:
        computed = self.product.variable(name).computed
        return computed is not None and computed.term is not None

    def _raw_size(self, slot_id: str) -> int:
        slot = self.layout.by_id.get(slot_id)
        if slot is None:
            return len(self.layout.context[slot_id].values)
        if slot.grid is not None:
            return slot.grid.size + slot.optional + slot.may_be_skipped
        if slot.variable.computed is not None:
            return LISTED
        return max(len(slot.answers), 1) + slot.may_be_skipped

    # --- wide numbers -----------------------------------------------------------------

    def _wide(self, slot_id: str) -> bool:
        slot = self.layout.by_id.get(slot_id)
        if slot is None or slot.variable.kind == "computed":
            return False
        return slot.variable.kind == "text" or (slot.grid is not None and slot.grid.size > LISTED)

    def _survey_wide(self) -> None:
        if not any(self._wide(slot.id) for slot in self.layout.slots):
            return
        for condition in self.rule_conditions:
            self._survey(condition, self._whole)
        for variable in self.product.variables:
            source = variable.computed
            if source is None or source.term is None or variable.id in self.opened:
                continue
            self._mark(self._whole, source.term)
        for line in self.pricing.prices.lines:
            if not line.period.covers(self.meaning.day):
                continue
            if line.when is not None:
                self._survey(line.when, self._priced)
            if isinstance(line, PercentLine):
                continue
            for cell in (cell for row in line.rows for cell in row.conditions):
                self._survey(cell, self._priced)
            self._mark(self._priced, *_given(line))
        for variable in self.product.variables:
            if variable.price_each is not None and variable.kind != "computed":
                self._priced.add(variable.id)
            if variable.times is not None:
                self._mark(self._priced, variable.times)

    def _survey(self, condition: Condition, mixed: set[str]) -> None:
        for atom in atoms_of(self.meaning, condition):
            slots = self.reading.slots(atom)
            if len(slots) == 1:
                if self._wide(slots[0]):
                    self._single.setdefault(slots[0], []).append(atom)
            else:
                mixed.update(slot for slot in slots if self._wide(slot))

    def _mark(self, marked: set[str], *terms: Expression) -> None:
        marked.update(slot for slot in self.reading.slots(*terms) if self._wide(slot))

    # --- holding ----------------------------------------------------------------------

    def hold(self, slot: Slot, index: int) -> Held:
        """The slot as a network variable; raises ``EngineError`` where it is too wide."""
        if not self._wide(slot.id) or slot.never:
            return listed(slot, index)
        if slot.variable.kind == "text":
            return text_in_pieces(slot, index, self._text_pieces(slot))
        grid = slot.grid
        assert grid is not None
        if slot.id in self._whole and grid.size > WHOLE:
            raise too_wide(
                slot.id,
                (
                    f"“{slot.id}” tiene {grid.size} respuestas y las reglas calculan con ella.",
                    f"“{slot.id}” has {grid.size} answers and rules calculate with it.",
                ),
                (
                    "Elige un paso (step) mayor o compárala solo con números fijos.",
                    "Choose a bigger step, or compare it with fixed numbers only.",
                ),
            )
        if slot.id in self._whole or (slot.id in self._priced and grid.size <= PRICED):
            return listed(slot, index)
        return in_pieces(slot, index, self._pieces(slot))

    def bounded(self, slot_id: str) -> bool:
        """Whether prices read a number that was cut all the same."""
        slot = self.layout.by_id.get(slot_id)
        if slot is None or slot.grid is None or slot_id not in self._priced:
            return False
        return slot_id not in self._whole and slot.grid.size > PRICED

    def _pieces(self, slot: Slot) -> list[Runs]:
        grid = slot.grid
        assert grid is not None
        atoms = self._single.get(slot.id, [])
        tests = [self.meaning.condition(atom) for atom in atoms]
        if grid.size <= EVALUATED:
            return cut([grid.answer(k) for k in range(grid.size)], slot.id, tests)
        pieces = cut_at_constants(slot, atoms, tests, self.meaning.constant)
        if pieces is None:
            raise too_wide(
                slot.id,
                (
                    f"“{slot.id}” tiene {grid.size} respuestas y las reglas calculan con ella.",
                    f"“{slot.id}” has {grid.size} answers and rules calculate with it.",
                ),
                (
                    "Elige un paso (step) mayor o compárala solo con números fijos.",
                    "Choose a bigger step, or compare it with fixed numbers only.",
                ),
            )
        return pieces

    def _text_pieces(self, slot: Slot) -> list[Runs]:
        limits = slot.variable.text
        low, high = limits.length if limits is not None else (1, 1)
        low = max(low, 1)
        atoms = self._single.get(slot.id, [])
        tests = [self.meaning.condition(atom) for atom in atoms]
        if slot.id in self._whole or slot.id in self._priced:
            return [((k, k),) for k in range(high - low + 1)]
        return cut(["x" * length for length in range(low, high + 1)], slot.id, tests)


def _given(line: AmountLine) -> tuple[Term, ...]:
    return tuple(each for each in (line.amount, line.times) if each is not None)

"""A product's own expressions as conditions over its network's variables.

For the independent judge: nothing the lowering made of a rule is read here, only which
network value stands for which answers. Knows no solver.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from configurator.engine.layout import NOT_ASKED
from configurator.engine.lowering import Lowered
from configurator.engine.network import BACKGROUND
from configurator.engine.reading import Reading
from configurator.engine.truth import Answers, TruthOf
from configurator.model.expression import Condition as ExpressionCondition
from configurator.model.expression import Expression
from configurator.model.product import Table, TableRow, Variable

Values = tuple[int, ...]
Check = Callable[..., bool]


@dataclass(frozen=True, slots=True)
class Condition:
    """``check(*values of scope)`` must hold, unless its rule is left out."""

    scope: tuple[int, ...]
    check: Check
    owner: int


class ProductConditions:
    """A product's rules as conditions over the variables of its network."""

    def __init__(self, lowered: Lowered) -> None:
        self._lowered = lowered
        self._meaning = lowered.meaning
        self._product = lowered.meaning.product
        self._names = {name: k for k, name in enumerate(lowered.network.owners)}
        self._by_index = {held.index: held for held in lowered.held.values()}
        self.searched = tuple(
            sorted(held.index for held in lowered.held.values() if not held.computed)
        )
        self._following = [held for held in lowered.held.values() if held.computed]
        self._reads = Reading(
            lowered.meaning, lambda _: True
        )  # no table of the lowering is trusted

    def complete(self, values: dict[int, int]) -> Values:
        """Adds what follows. Hidden helpers of the lowering are no part of the product:
        they stay 0 and nothing is said about them."""
        row = [0] * len(self._lowered.network.variables)
        for index, value in values.items():
            row[index] = value
        answers = self._answers(values)
        for held in self._following:
            answer = self._meaning.spelled(self._meaning.read(held.id)(answers))
            row[held.index] = held.answers.index(answer)
        return tuple(row)

    def cost(self, values: Values) -> int:
        """What a configuration costs for one unit, before any minimum."""
        if not self._lowered.pricing.charged:
            return 0
        searched = {index: values[index] for index in self.searched}
        answers = self._answers(searched)
        total = self._lowered.pricing.plain_sum(answers)
        for charge in self._lowered.wide:  # counted as the network counts them
            place = tuple(values[self._lowered.held[slot].index] for slot in charge.kept)
            total += int(charge.bound[place]) - charge.paid(answers)
        return total

    def _answers(self, values: dict[int, int]) -> dict[str, str | None]:
        found: dict[str, str | None] = {}
        for index, value in values.items():
            held = self._by_index[index]
            found[held.id] = held.answers[value]
        return found

    # --- conditions -------------------------------------------------------------------

    def conditions(self) -> list[Condition]:
        """Definitions and rules; what certainly fails is refused."""
        found: list[Condition] = []
        for variable in self._product.variables:
            found.extend(self._relevance(variable))
            found.extend(self._limits(variable))
        for rule in self._product.rules:
            if not rule.period.covers(self._meaning.day):
                continue
            when = self._meaning.condition(rule.when)
            if rule.require is not None:
                require = self._meaning.condition(rule.require)
                slots = self._slots(rule.when, rule.require)
                found.append(self._rule(slots, when, require, False, rule.id))
            if rule.forbid is not None:
                forbid = self._meaning.condition(rule.forbid)
                slots = self._slots(rule.when, rule.forbid)
                found.append(self._rule(slots, when, forbid, True, rule.id))
        for table in self._product.tables:
            found.extend(self._table(table))
        return found

    def _slots(self, *expressions: Expression | None) -> tuple[str, ...]:
        return self._reads.slots(*expressions)

    def _rule(
        self, slots: tuple[str, ...], when: TruthOf, then: TruthOf, bad: bool, name: str
    ) -> Condition:
        def check(answers: Answers) -> bool:
            return not (when(answers) is True and then(answers) is bad)

        return self._condition(slots, check, self._names[name])

    def _condition(
        self, slots: tuple[str, ...], check: Callable[[Answers], bool], owner: int
    ) -> Condition:
        held = [self._lowered.held[slot] for slot in slots]

        def of_values(*values: int) -> bool:
            return check({h.id: h.answers[v] for h, v in zip(held, values, strict=True)})

        return Condition(tuple(each.index for each in held), of_values, owner)

    def _relevance(self, variable: Variable) -> list[Condition]:
        slots = self._meaning.layout.by_variable[variable.id]
        if variable.kind == "computed" or variable.relevant_when is None or not slots:
            return []
        if slots[0].never:
            return []
        relevant = self._meaning.condition(variable.relevant_when)
        reads = self._slots(variable.relevant_when)
        return [
            self._condition(
                tuple(dict.fromkeys((slot.id, *reads))),
                _asked_where(slot.id, relevant),
                BACKGROUND,
            )
            for slot in slots
        ]

    def _limits(self, variable: Variable) -> list[Condition]:
        limits = variable.several
        slots = tuple(slot.id for slot in self._meaning.layout.by_variable[variable.id])
        name = f"limits:{variable.id}"
        if limits is None or name not in self._names:
            return []

        asked = self._meaning.asked(variable.id)

        def check(answers: Answers) -> bool:
            if not asked(answers):
                return True
            quantities = [int(answers[slot] or 0) for slot in slots]
            kinds = sum(1 for quantity in quantities if quantity)
            pieces = limits.pieces or (0, sum(quantities))
            return (
                limits.pick[0] <= kinds <= limits.pick[1]
                and pieces[0] <= sum(quantities) <= pieces[1]
            )

        reads = slots or self._slots(variable.relevant_when)
        return [self._condition(reads, check, self._names[name])]

    def _some_row(self, rows: tuple[TableRow, ...]) -> Callable[[Answers], bool]:
        return _SomeRow(rows, self._slots, self._meaning.condition)

    def _table(self, table: Table) -> list[Condition]:
        if table.kind == "lookup" or not table.period.covers(self._meaning.day):
            return []
        rows = self._meaning.live_rows(table)
        cells = (cell for row in rows for cell in row.conditions)
        if table.kind == "allowed":
            slots = self._slots(*{id(cell): cell for cell in cells}.values())
            return [self._condition(slots, self._some_row(rows), self._names[table.id])]
        return [
            self._condition(
                self._slots(*row.conditions),
                _never_true(self._meaning.row_holds(row)),
                self._names[f"{table.id}#{row.id}" if row.id else table.id],
            )
            for row in rows
        ]


class _SomeRow:
    """Whether some row of an allowed table is not certainly false.

    A cell that reads one slot is asked once for each of the slot's answers; which rows it
    leaves is then a number of one bit a row, and an answer to all of them an intersection.
    """

    def __init__(
        self,
        rows: Sequence[TableRow],
        slots_of: Callable[[ExpressionCondition], tuple[str, ...]],
        truth_of: Callable[[ExpressionCondition], TruthOf],
    ) -> None:
        self._rows = len(rows)
        numbers: dict[int, int] = {}
        self._tests: list[TruthOf] = []
        by_slot: dict[str, list[tuple[int, int]]] = {}
        slots: list[tuple[str, ...]] = []
        self._wide: list[tuple[int, int]] = []
        for place, row in enumerate(rows):
            for cell in row.conditions:
                number = numbers.setdefault(id(cell), len(numbers))
                if number == len(self._tests):
                    self._tests.append(truth_of(cell))
                    slots.append(slots_of(cell))
                if len(slots[number]) == 1:
                    by_slot.setdefault(slots[number][0], []).append((place, number))
                else:
                    self._wide.append((place, number))
        self._by_slot = {
            slot: np.array(entries, dtype=np.int64) for slot, entries in by_slot.items()
        }
        self._left: dict[tuple[str, str | None], int] = {}

    def __call__(self, answers: Answers) -> bool:
        left = (1 << self._rows) - 1
        for slot in self._by_slot:
            left &= self._after(slot, answers[slot])
            if not left:
                return False
        if self._wide:
            gone = {place for place, number in self._wide if self._tests[number](answers) is False}
            left &= ~sum(1 << place for place in gone)
        return bool(left)

    def _after(self, slot: str, answer: str | None) -> int:
        known = self._left.get((slot, answer))
        if known is None:
            entries = self._by_slot[slot]
            cells, place = np.unique(entries[:, 1], return_inverse=True)
            fails = [self._tests[cell]({slot: answer}) is False for cell in cells.tolist()]
            flags = np.ones(self._rows, dtype=bool)
            flags[entries[np.array(fails)[place.reshape(-1)], 0]] = False
            packed = np.packbits(flags, bitorder="little").tobytes()
            known = self._left[slot, answer] = int.from_bytes(packed, "little")
        return known


def _never_true(test: TruthOf) -> Callable[[Answers], bool]:
    return lambda answers: test(answers) is not True


def _asked_where(slot: str, relevant: TruthOf) -> Callable[[Answers], bool]:
    return lambda answers: (answers[slot] == NOT_ASKED) is not (relevant(answers) is True)

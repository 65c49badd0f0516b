"""Inputs that somebody can reach and for which a lookup has no row, or rows that disagree.

Columns are grouped so that no slot stands in two groups; what a group's slots may say is
merged by the rows it leaves. A walk over these pieces, without any solver, meets every
input that is wrong by the columns alone; only for those is the backend asked whether the
rules let anybody reach them. Budgets count; what they leave open is called undecided.
"""

from __future__ import annotations

import datetime
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from configurator.engine.backend import Pins, offsets_of
from configurator.engine.engine import Engine
from configurator.engine.layout import NOT_ASKED
from configurator.engine.lowering.held import Held
from configurator.engine.truth import TruthOf
from configurator.model.choice import NONE
from configurator.model.expression import Condition, Or
from configurator.model.product import AmountLine, PriceRow, Product, TableRow, days_of_change

COMBINATIONS = 20_000
"""Answers of one group of columns that are looked at."""

STATES = 50_000
"""Combinations of pieces that are looked at, for one table."""

QUESTIONS = 500
"""Questions to the backend, for one table."""

Row = TableRow | PriceRow


@dataclass(frozen=True, slots=True)
class Gap:
    """What is wrong with a lookup or a table of prices: an input that no row fits, or
    one for which ``rows`` disagree. ``undecided``: the budget ran out before it was known.
    ``example`` holds ``(slot, answer)`` pairs of an input that can be reached."""

    table: str
    kind: Literal["gap", "overlap", "undecided"]
    first: Row
    example: tuple[tuple[str, str], ...] = ()
    rows: tuple[Row, ...] = ()


def find_gaps(engine: Engine) -> tuple[Gap, ...]:
    """What is wrong with the lookups and tables of prices on the engine's day."""
    found: list[Gap] = []
    for question in _questions(engine):
        try:
            found.extend(_Search(engine, question).run())
        except _UndecidedError:
            found.append(Gap(question.table, "undecided", question.rows[0]))
    return tuple(found)


def days_to_check(product: Product, today: datetime.date) -> tuple[datetime.date, ...]:
    """``today`` and every later day on which a lookup, a price line or a row of one begins,
    or is gone."""
    tables = [table for table in product.tables if table.sets]
    priced = product.prices.lines if product.prices else ()
    lines = [line for line in priced if isinstance(line, AmountLine) and line.rows]
    periods = [table.period for table in tables] + [line.period for line in lines]
    periods += [row.period for table in tables for row in table.rows]
    periods += [row.period for line in lines for row in line.rows]
    return (today, *days_of_change(periods, today))


class _UndecidedError(Exception):
    """A budget ran out."""


@dataclass(frozen=True, slots=True)
class _Question:
    """One table: its rows today, what they say, and when it is asked at all. Without any
    today (``live``) it has the rows of all days, for their columns."""

    table: str
    rows: tuple[Row, ...]
    live: bool
    says: tuple[object, ...]
    first_match: bool
    priced: bool
    when: Condition | None


def _questions(engine: Engine) -> Iterator[_Question]:
    product, meaning = engine.product, engine.meaning
    for table in product.tables:
        variables = [product.variable(name) for name in table.sets]
        relevant = [each.relevant_when for each in variables if each.period.covers(engine.day)]
        if not table.rows or not relevant or not table.period.covers(engine.day):
            continue
        live = meaning.live_rows(table)
        rows = live or table.rows
        conditions = tuple(each for each in relevant if each is not None)
        when = Or(conditions) if len(conditions) == len(relevant) else None
        says = tuple(row.sets for row in rows)
        yield _Question(table.id, rows, bool(live), says, table.first_match, False, when)
    for line in product.prices.lines if product.prices else ():
        if not isinstance(line, AmountLine) or not line.rows or not line.period.covers(engine.day):
            continue
        charged = engine.lowered.pricing.live_rows(line)
        shown = charged or line.rows
        prices = tuple(row.price for row in shown)
        yield _Question(line.id, shown, bool(charged), prices, line.first_match, True, line.when)


@dataclass(slots=True)
class _Group:
    """Columns that share slots: which tests of which rows they hold, and, for each set of
    rows they leave (and whether all of the slots are answered), the values that do."""

    slots: tuple[str, ...]
    tests: list[tuple[int, TruthOf]] = field(default_factory=list)
    when: TruthOf | None = None
    pieces: dict[tuple[int, bool], list[tuple[int, ...]]] = field(default_factory=dict)


class _Search:
    def __init__(self, engine: Engine, question: _Question) -> None:
        self._engine = engine
        self._question = question
        self._held = engine.lowered.held
        sizes = tuple(variable.size for variable in engine.network.variables)
        self._offsets: list[int] = offsets_of(sizes).tolist()
        self._asked = 0
        self._states = 0

    def run(self) -> list[Gap]:
        """A gap and an overlap, as far as there are any."""
        groups = self._groups()
        for group in groups:
            self._cut(group)
        groups.sort(key=lambda each: len(each.pieces))
        found: dict[str, Gap] = {}
        try:
            for rows, path in self._wrong(groups, self._every_row(), True, []):
                kind: Literal["gap", "overlap"] = "overlap" if rows else "gap"
                if kind not in found:
                    pins = self._reached(groups, path, ())
                    if pins is not None:
                        found[kind] = self._gap(kind, rows, pins)
        except _UndecidedError:
            if not found:
                raise
        return [found[kind] for kind in ("gap", "overlap") if kind in found]

    def _every_row(self) -> int:
        return (1 << len(self._question.rows)) - 1 if self._question.live else 0

    # --- columns --------------------------------------------------------------------

    def _groups(self) -> list[_Group]:
        """The conditions of all rows, grouped so that no slot stands in two groups."""
        groups: list[_Group] = []
        place: dict[str, int] = {}
        conditions = [
            (at, cell) for at, row in enumerate(self._question.rows) for cell in row.conditions
        ]
        if self._question.when is not None:
            conditions.append((-1, self._question.when))
        for at, cell in conditions:
            slots = self._engine.reading.slots(cell)
            touched = list(dict.fromkeys(place[slot] for slot in slots if slot in place))
            group = _Group(tuple(slots))
            for number in touched:
                other = groups[number]
                group.slots = tuple(dict.fromkeys((*other.slots, *group.slots)))
                group.tests += other.tests
                group.when = group.when or other.when
            test = self._engine.meaning.condition(cell)
            if at >= 0:
                group.tests.append((at, test))
            else:
                group.when = test
            if any(slot not in self._held for slot in slots) or not self._exact(slots):
                raise _UndecidedError
            place.update(dict.fromkeys(group.slots, len(groups)))
            groups.append(group)
        return [groups[number] for number in sorted(set(place.values()))]

    def _exact(self, slots: Sequence[str]) -> bool:
        """Whether the values of the network tell what a condition says. A condition on one
        slot alone is the same all over a piece of a wide number."""
        return len(slots) == 1 or all(all(self._held[slot].known) for slot in slots)

    def _cut(self, group: _Group) -> None:
        held = [self._held[slot] for slot in group.slots]
        if math.prod(each.size for each in held) > COMBINATIONS:
            raise _UndecidedError
        everything = self._every_row()
        for values in itertools.product(*(range(each.size) for each in held)):
            answers = {each.id: each.answers[v] for each, v in zip(held, values, strict=True)}
            if group.when is not None and group.when(answers) is not True:
                continue
            said = list(answers.values())
            if self._question.priced and (NOT_ASKED in said or NONE in said):
                continue  # a line that reads nothing is not charged
            left = everything
            for at, test in group.tests:
                if test(answers) is False:
                    left &= ~(1 << at)
            group.pieces.setdefault((left, NOT_ASKED not in said), []).append(values)

    # --- what is wrong by the columns alone -----------------------------------------

    def _wrong(
        self, groups: list[_Group], rows: int, answered: bool, path: list[tuple[int, bool]]
    ) -> Iterator[tuple[int, list[tuple[int, bool]]]]:
        """The rows left and the pieces on the way to it, for all that is wrong."""
        self._states += 1
        if self._states > STATES:
            raise _UndecidedError
        if not rows and len(path) == len(groups):
            yield 0, list(path)
        elif len(path) < len(groups):
            for piece in groups[len(path)].pieces:
                path.append(piece)
                yield from self._wrong(groups, rows & piece[0], answered and piece[1], path)
                path.pop()
        elif answered and not self._question.first_match and self._disagree(rows):
            yield rows, list(path)

    def _disagree(self, rows: int) -> bool:
        return len({says for at, says in enumerate(self._question.says) if rows >> at & 1}) > 1

    # --- what can be reached --------------------------------------------------------

    def _reached(
        self, groups: Sequence[_Group], path: Sequence[tuple[int, bool]], pins: Pins
    ) -> Pins | None:
        """Pins of a configuration that takes one of the values of each piece."""
        self._asked += 1
        if self._asked > QUESTIONS:
            raise _UndecidedError
        found = self._engine.backend.marginals(pins)
        if found.undecided.any():
            raise _UndecidedError
        if not found.consistent:
            return None
        if not groups:
            return pins
        held = [self._held[slot] for slot in groups[0].slots]
        for values in groups[0].pieces[path[0]]:
            places = [self._offsets[h.index] + v for h, v in zip(held, values, strict=True)]
            if not all(found.valid[place] for place in places):
                continue
            more = ((each.index, value) for each, value in zip(held, values, strict=True))
            both = tuple(sorted((*pins, *more)))
            if len(groups) == len(held) == 1:  # valid with all the others, so that is that
                return both
            reached = self._reached(groups[1:], path[1:], both)
            if reached is not None:
                return reached
        return None

    def _gap(self, kind: Literal["gap", "overlap"], rows: int, pins: Pins) -> Gap:
        by_index: dict[int, Held] = {each.index: each for each in self._held.values()}
        said = [(by_index[index].id, by_index[index].answers[value]) for index, value in pins]
        fitting = [row for at, row in enumerate(self._question.rows) if rows >> at & 1]
        if fitting:
            says = dict(zip(self._question.rows, self._question.says, strict=True))
            other = next(row for row in fitting if says[row] != says[fitting[0]])
            fitting = [fitting[0], other]
        return Gap(
            self._question.table,
            kind,
            self._question.rows[0],
            tuple((slot, answer) for slot, answer in said if answer != NOT_ASKED),
            tuple(fitting),
        )

"""Slots of a product on one day: what each may be answered, before any rule is read.

The one place that knows which answers exist. Wide numbers and days are *grids*; nothing
here knows of networks or of rules.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass, field
from fractions import Fraction

from configurator.engine.exact import plain
from configurator.model.choice import NO, NONE, YES
from configurator.model.product import ContextVariable, Product, Value, Variable

NOT_ASKED = ""
"""The "answer" of a slot that is not asked; no real answer is empty."""

LONGEST_NUMBER = 40

SPELLED = 20_000
"""Answers of one grid that are kept spelled."""

_NUMBER = re.compile(r"-?\d+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Grid:
    """Evenly spaced numbers or days: ``low + k * step`` for ``k`` in ``range(size)``.

    Days are counted by their proleptic ordinal.
    """

    low: Fraction
    step: Fraction
    size: int
    days: bool
    spelled: dict[int, str] = field(default_factory=dict, compare=False, repr=False)

    def number(self, position: int) -> Fraction:
        """The number (or day's ordinal) at a position."""
        return self.low + position * self.step

    def answer(self, position: int) -> str:
        """The answer at a position; spelled once."""
        known = self.spelled.get(position)
        if known is None:
            number = self.number(position)
            known = (
                datetime.date.fromordinal(int(number)).isoformat() if self.days else plain(number)
            )
            if len(self.spelled) < SPELLED:
                self.spelled[position] = known
        return known

    def position(self, number: Fraction) -> int | None:
        """Where a number stands, ``None`` where it is off the grid."""
        offset = (number - self.low) / self.step
        if offset.denominator != 1 or not 0 <= offset.numerator < self.size:
            return None
        return offset.numerator


@dataclass(frozen=True, slots=True)
class Slot:
    """The smallest thing decided on its own (see ``model.choice``).

    Answers are listed, or laid on a ``grid`` (``none`` comes besides, where ``optional``).
    A text has neither. ``may_be_skipped`` says that the question is not always asked;
    ``never`` that its variable does not exist on this day.
    """

    id: str
    variable: Variable
    value: Value | None
    answers: tuple[str, ...]
    grid: Grid | None
    optional: bool
    may_be_skipped: bool
    never: bool = False


def parse_number(answer: str) -> Fraction | None:
    """A plain decimal as an exact number; ``None`` where it is none."""
    if len(answer) > LONGEST_NUMBER or _NUMBER.fullmatch(answer) is None or not answer.isascii():
        return None
    return Fraction(answer)


def parse_day(answer: str) -> Fraction | None:
    """An ISO day as its ordinal; ``None`` where it is none."""
    if len(answer) != 10:
        return None
    try:
        return Fraction(datetime.date.fromisoformat(answer).toordinal())
    except ValueError:
        return None


def live_values(variable: Variable, day: datetime.date) -> tuple[Value, ...]:
    """The values that exist on a day."""
    return tuple(value for value in variable.values if value.period.covers(day))


def grid_of(variable: Variable, day: datetime.date) -> Grid | None:
    """The grid of a number or a date, ``None`` for other kinds."""
    if variable.number is not None:
        span = variable.number
        size = int((span.high - span.low) // span.step) + 1
        return Grid(span.low, span.step, max(size, 0), False)
    if variable.days is not None:
        first, last = (
            day.toordinal() + bound if isinstance(bound, int) else bound.toordinal()
            for bound in (variable.days.first, variable.days.last)
        )
        return Grid(Fraction(first), Fraction(1), max(last - first + 1, 0), True)
    return None


def slots_of(variable: Variable, day: datetime.date) -> tuple[Slot, ...]:
    """The slots of one variable on a day; a computed one has one slot without answers."""
    never = not variable.period.covers(day)
    skipped = never or variable.relevant_when is not None
    if variable.kind == "several of" and variable.several is not None:
        low, high = variable.several.each
        quantities = ("0", *(str(n) for n in range(max(low, 1), high + 1)))
        return tuple(
            Slot(
                f"{variable.id}.{value.id}",
                variable,
                value,
                quantities,
                None,
                False,
                skipped,
                never,
            )
            for value in live_values(variable, day)
        )
    grid = grid_of(variable, day)
    answers: tuple[str, ...] = ()
    if variable.kind == "one of":
        answers = tuple(value.id for value in live_values(variable, day))
    elif variable.kind == "yes or no":
        answers = tuple(value.id for value in live_values(variable, day)) or (YES, NO)
    optional = variable.optional and variable.kind != "computed"
    if optional and grid is None and variable.kind != "text":
        answers = (*answers, NONE)
    return (Slot(variable.id, variable, None, answers, grid, optional, skipped, never),)


class Layout:
    """All slots of a product on one day, in step order, computed ones last."""

    def __init__(self, product: Product, day: datetime.date) -> None:
        self.product = product
        self.day = day
        self.by_variable: dict[str, tuple[Slot, ...]] = {
            variable.id: slots_of(variable, day) for variable in product.variables
        }
        asked = [name for step in product.steps for name in step.ask]
        known = set(asked)
        asked += [each.id for each in product.variables if each.id not in known]
        decided = [name for name in asked if product.variable(name).kind != "computed"]
        computed = [each.id for each in product.variables if each.kind == "computed"]
        self.slots: tuple[Slot, ...] = tuple(
            slot for name in (*decided, *computed) for slot in self.by_variable[name]
        )
        self.by_id: dict[str, Slot] = {slot.id: slot for slot in self.slots}
        self.context: dict[str, ContextVariable] = {each.id: each for each in product.context}

"""How a slot is held by one network variable, and how wide numbers are cut into pieces.

Every network value has a *representative*: an answer that stands for all answers of the
value, so that the closures of ``engine.truth`` can be asked about it. This module knows
nothing of constraints.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from configurator.engine.layout import NOT_ASKED, Grid, Slot, parse_day, parse_number
from configurator.engine.truth import TruthOf, Worth
from configurator.model.choice import NONE
from configurator.model.expression import Comparison, Condition, Membership, Range, Read, Term

Runs = tuple[tuple[int, int], ...]
"""Runs of grid positions, both ends included, ascending."""

LISTED = 60
"""Numbers and days with at most so many answers are listed one by one."""

EVALUATED = 20_000
"""Grids up to this size are cut by trying every answer."""


@dataclass(frozen=True, slots=True)
class Held:
    """One slot (or one context variable) as a network variable.

    ``answers[i]`` represents value ``i``; ``known[i]`` says that it is the only answer of
    the value. ``runs[i]`` are the grid positions of the value, empty off the grid.
    ``not_asked`` and ``none`` are values, or -1.
    """

    id: str
    index: int
    slot: Slot | None
    answers: tuple[str, ...]
    known: tuple[bool, ...]
    runs: tuple[Runs, ...]
    not_asked: int
    none: int
    multiplicity: tuple[int, ...]
    computed: bool = False
    grid: Grid | None = None
    positions: dict[str, int] = field(default_factory=dict, compare=False, repr=False)
    starts: list[tuple[int, int]] = field(default_factory=list, compare=False, repr=False)

    def __post_init__(self) -> None:
        self.positions.update(
            (each, i)
            for i, each in enumerate(self.answers)
            if i != self.not_asked and self.known[i]
        )
        self.starts.extend(
            sorted((first, i) for i, runs in enumerate(self.runs) for first, _ in runs)
        )

    @property
    def size(self) -> int:
        """How many network values it has."""
        return len(self.answers)

    def value_of(self, answer: str) -> int | None:
        """The network value of an answer, ``None`` where it is no answer of the slot."""
        found = self.positions.get(answer)
        if found is not None:
            return found
        if self.slot is not None and self.slot.variable.kind == "text" and answer != NONE:
            return self.value_at(len(answer) - self._shortest())
        if self.grid is None:
            return None
        number = parse_day(answer) if self.grid.days else parse_number(answer)
        position = None if number is None else self.grid.position(number)
        return None if position is None else self.value_at(position)

    def value_at(self, position: int) -> int | None:
        """The network value at a grid position."""
        place = bisect_right(self.starts, (position, self.size)) - 1
        if place < 0:
            return None
        value = self.starts[place][1]
        inside = any(first <= position <= last for first, last in self.runs[value])
        return value if inside else None

    def _shortest(self) -> int:
        assert self.slot is not None
        limits = self.slot.variable.text
        return limits.length[0] if limits is not None else 1


def listed(slot: Slot, index: int) -> Held:
    """Hold a slot whose answers are listed one by one."""
    answers: Iterable[str] = slot.answers
    runs: list[Runs] = [()] * len(slot.answers)
    if slot.grid is not None:
        answers = [slot.grid.answer(k) for k in range(slot.grid.size)]
        runs = [((k, k),) for k in range(slot.grid.size)]
    every = () if slot.never else tuple(answers)
    return _with_extras(slot, index, every, (True,) * len(every), tuple(runs) if every else ())


def in_pieces(slot: Slot, index: int, pieces: Sequence[Runs]) -> Held:
    """Hold a grid cut into pieces."""
    assert slot.grid is not None
    answers = tuple(slot.grid.answer(runs[0][0]) for runs in pieces)
    known = tuple(len(runs) == 1 and runs[0][0] == runs[0][1] for runs in pieces)
    return _with_extras(slot, index, answers, known, tuple(pieces))


def text_in_pieces(slot: Slot, index: int, pieces: Sequence[Runs]) -> Held:
    """Hold a text: its length, counted from the shortest allowed, cut into pieces.

    ``none`` comes first, so that a completion prefers to write nothing.
    """
    limits = slot.variable.text
    shortest = limits.length[0] if limits is not None else 1
    answers = tuple("x" * (runs[0][0] + shortest) for runs in pieces)
    none = (NONE,) if slot.optional else ()
    extra = (NOT_ASKED,) if slot.may_be_skipped else ()
    every = (*none, *answers, *extra)
    if slot.never:
        return _never(slot, index)
    return Held(
        slot.id,
        index,
        slot,
        every,
        tuple(each in (NONE, NOT_ASKED) for each in every),
        (*((),) * len(none), *pieces, *((),) * len(extra)),
        len(every) - 1 if extra else -1,
        0 if none else -1,
        (1,) * len(every),
    )


def _never(slot: Slot, index: int) -> Held:
    return Held(slot.id, index, slot, (NOT_ASKED,), (True,), ((),), 0, -1, (1,))


def _with_extras(
    slot: Slot,
    index: int,
    answers: tuple[str, ...],
    known: tuple[bool, ...],
    runs: tuple[Runs, ...],
) -> Held:
    if slot.never:
        return _never(slot, index)
    multiplicity = [sum(last - first + 1 for first, last in each) or 1 for each in runs]
    every, sure, places = list(answers), list(known), list(runs)
    none = every.index(NONE) if NONE in every else -1
    if slot.optional and none < 0:
        none = len(every)
        every.append(NONE)
        sure.append(True)
        places.append(())
        multiplicity.append(1)
    not_asked = -1
    if slot.may_be_skipped:
        not_asked = len(every)
        every.append(NOT_ASKED)
        sure.append(True)
        places.append(())
        multiplicity.append(1)
    return Held(
        slot.id,
        index,
        slot,
        tuple(every),
        tuple(sure),
        tuple(places),
        not_asked,
        none,
        tuple(multiplicity),
        grid=slot.grid,
    )


def cut(answers_by_position: Sequence[str], slot: str, tests: Sequence[TruthOf]) -> list[Runs]:
    """Cut grid positions into classes on which every test is constant."""
    classes: dict[tuple[object, ...], list[tuple[int, int]]] = {}
    for position, answer in enumerate(answers_by_position):
        answers = {slot: answer}
        signature = tuple(test(answers) for test in tests)
        runs = classes.setdefault(signature, [])
        if runs and runs[-1][1] == position - 1:
            runs[-1] = (runs[-1][0], position)
        else:
            runs.append((position, position))
    return [tuple(runs) for runs in classes.values()]


def cut_at_constants(
    slot: Slot,
    atoms: Sequence[Condition],
    tests: Sequence[TruthOf],
    constant: Callable[[Term], Worth],
) -> list[Runs] | None:
    """Cut a very long grid at the constants it is compared with; ``None`` where an atom
    does more than compare.

    ``constant`` is ``Meaning.constant``.
    """
    grid = slot.grid
    assert grid is not None
    edges = {0}
    for atom in atoms:
        for bound in _constants(atom, slot.id):
            number = None if bound is None else constant(bound)
            if isinstance(number, Fraction):
                position = (number - grid.low) / grid.step
                floor = position.numerator // position.denominator
                edges |= {each for each in (floor, floor + 1) if 0 < each < grid.size}
            elif bound is None:
                return None
    starts = sorted(edges)
    classes: dict[tuple[object, ...], list[tuple[int, int]]] = {}
    for first, after in zip(starts, [*starts[1:], grid.size], strict=True):
        answers = {slot.id: grid.answer(first)}
        signature = tuple(test(answers) for test in tests)
        classes.setdefault(signature, []).append((first, after - 1))
    return [tuple(runs) for runs in classes.values()]


def _constants(atom: Condition, slot: str) -> list[Term | None]:
    """The constants a slot is compared with; holds ``None`` where an atom is anything else."""
    if isinstance(atom, Comparison):
        sides = [atom.left, atom.right]
        others: list[Term | None] = [
            each for each in sides if not (isinstance(each, Read) and each.variable == slot)
        ]
        return others if len(others) == 1 else [None]
    if isinstance(atom, Membership) and isinstance(atom.term, Read):
        bounds: list[Term | None] = []
        for item in atom.items:
            ends = (item.low, item.high) if isinstance(item, Range) else (item,)
            bounds.extend(each for each in ends if each is not None)
        return bounds
    return [None]

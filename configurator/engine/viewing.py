"""From marginals to what customers see: slots, options, intervals, prices.

Most of a view stays as it was from one choice to the next. So a slot's view is taken from the
view before where all it is made of is the same, else looked up by that, and built only where
it has not been met before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt

from configurator.engine.backend import Marginals
from configurator.engine.diagram.jit import kernel
from configurator.engine.judge import Domain, MarkedDomains
from configurator.engine.layout import Layout, Slot
from configurator.engine.lowering.charges import domain_of
from configurator.engine.lowering.held import LISTED, Held
from configurator.memory import Memory
from configurator.model.verdict import Interval, Option, OptionState, SlotState, SlotView

Int64 = npt.NDArray[np.int64]

_WIDTH = 16
"""Bytes of a row: two numbers."""

KEPT = 1 << 19
"""Network values (one slot's count once per domain or view of it) that are kept."""

Pinned = tuple[int, str]
"""A chosen slot's network value, and the answer as it was given."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Where a slot's answers stand in the packed arrays; ``listed`` counts from ``start``.

    ``ends_only``: a computed number with so many results that only the lowest and the
    highest are shown.
    """

    slot: Slot
    held: Held
    start: int
    end: int
    asked_end: int
    listed: tuple[tuple[str, int], ...]
    ends_only: bool


def plan_of(slot: Slot, held: Held, start: int) -> Plan:
    """Lay out one slot."""
    computed = slot.variable.kind == "computed"
    wide = held.size > LISTED if computed else slot.grid is not None and slot.grid.size > LISTED
    listed: tuple[tuple[str, int], ...] = ()
    if slot.variable.kind != "text" and not wide:
        listed = tuple(
            (answer, value) for value, answer in enumerate(held.answers) if value != held.not_asked
        )
    elif held.none >= 0:
        listed = ((held.answers[held.none], held.none),)
    asked_end = start + held.size - (1 if held.not_asked >= 0 else 0)
    return Plan(slot, held, start, start + held.size, asked_end, listed, computed and wide)


@dataclass(frozen=True, slots=True)
class PricedValues:
    """Totals for every network value: as things stand, and with its changes made."""

    lowest: npt.NDArray[np.int64]
    exact: npt.NDArray[np.bool_]
    repaired: npt.NDArray[np.int64]
    repaired_exact: npt.NDArray[np.bool_]


def _cutter(spans: list[tuple[int, int]]) -> Callable[[bytes], tuple[bytes, ...]]:
    """What cuts bytes at all of the spans at once."""
    cuts = [slice(start, end) for start, end in spans]
    if len(cuts) < 2:  # there, ``itemgetter`` gives no tuple
        return lambda packed: tuple(packed[cut] for cut in cuts)
    return itemgetter(*cuts)


class Ground:
    """Where slots stand in packed arrays, and the domains met there so far."""

    def __init__(self, layout: Layout, places: Mapping[str, tuple[Held, int]]) -> None:
        self.places = places
        self.domains: Memory[tuple[str, bytes], Domain] = Memory(KEPT)
        self._cut = _cutter([(at, at + held.size) for held, at in places.values()])
        self._placeless: dict[str, bytes] = dict.fromkeys(layout.by_id, b"")
        self._left: Memory[bytes, dict[str, bytes]] = Memory(KEPT)

    def left(self, valid: bytes) -> dict[str, bytes]:
        """By slot, one byte per network value: whether it is valid. Nobody changes it."""
        known = self._left.get(valid)
        if known is None:
            found = self._placeless | dict(zip(self.places, self._cut(valid), strict=True))
            known = self._left.keep(valid, found, len(valid))
        return known


class Standing(MarkedDomains):
    """What is valid under some answers: domains by slot, worked out when asked for.

    ``valid`` has one byte per network value, 0 or 1; ``left`` is that by slot, and a mark
    is the slot's answer, else its part of ``left``. Answers may be accepted on trust: their
    slots then count as answered, while the rest stays as it was.
    """

    marks: dict[str, bytes | str]

    def __init__(self, ground: Ground, valid: bytes, answers: Mapping[str, str]) -> None:
        self._ground = ground
        self.left = ground.left(valid)
        self.answers = dict(answers)
        self.marks = {**self.left, **answers}

    def copy(self) -> Standing:
        """The same, to be changed."""
        made = Standing.__new__(Standing)
        made._ground, made.left = self._ground, self.left
        made.answers, made.marks = self.answers.copy(), self.marks.copy()
        return made

    def accept(self, slot: str, answer: str) -> None:
        """Count an answer as given."""
        self.answers[slot] = self.marks[slot] = answer

    def __getitem__(self, slot: str) -> Domain:
        answer = self.answers.get(slot)
        if answer is not None:
            return Domain((answer,))
        left = self.left[slot]
        found = self._ground.domains.get((slot, left))
        if found is None:
            values = [value for value, taken in enumerate(left) if taken]
            made = domain_of(self._ground.places[slot][0], values)
            found = self._ground.domains.keep((slot, left), made, len(left))
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._ground.places)

    def __len__(self) -> int:
        return len(self._ground.places)


_Shown = tuple[str, bytes, Pinned | None, str | None]
"""What a slot's view is made of: its id, its rows, its pin and its proposal."""


@dataclass(frozen=True, slots=True)
class Laid:
    """The views of all slots that have a plan, and what they are made of: rows, pins and
    proposals. Nobody changes it."""

    views: dict[str, SlotView]
    rows: Int64
    pinned: Mapping[str, Pinned]
    proposals: Mapping[str, str]

    @property
    def nbytes(self) -> int:
        """Roughly what it takes beside the views themselves, which many share."""
        return self.rows.nbytes + 128 * len(self.views)


class Viewer:
    """Slot views by what they are made of.

    A slot shows what follows from the rows of its network values, its pin and its
    proposal. A row is two numbers. The first: valid (1), undecided (2), its total is
    reached and not only a bound (4), and eight times the changes it needs. The second:
    how far its total lies above the lowest one, which moves with most choices while the
    differences mostly stay.
    """

    def __init__(self, plans: Mapping[str, Plan], priced: bool) -> None:
        self._plans = plans
        self._names = tuple(plans)
        self._priced = priced
        self._ends = {name: (each.start, each.end) for name, each in plans.items()}
        self._bounds = np.array([*self._ends.values()], dtype=np.int64).reshape(-1, 2)
        self._no_rows = np.empty((0, 2), dtype=np.int64)
        self._kept: Memory[_Shown, SlotView] = Memory(KEPT)

    def lay(
        self,
        marginals: Marginals,
        totals: PricedValues | None,
        pinned: Mapping[str, Pinned],
        proposals: Mapping[str, str],
        lowest: int,
        before: Laid | None,
    ) -> Laid:
        """The view of every slot that has a plan; ``lowest`` is the total that the others
        are compared with. It is found the quicker, the more it shares with ``before``."""
        if before is None:
            before = Laid({}, self._no_rows, {}, {})
        rows, changed = self._rows(marginals, totals, lowest, pinned, before.rows)
        names = {self._names[index] for index in changed}
        names.update(name for name, _ in pinned.items() ^ before.pinned.items())
        names.update(name for name, _ in proposals.items() ^ before.proposals.items())
        views, packed = before.views.copy(), rows.tobytes()
        for name in names if views else self._names:  # in their order
            plan = self._plans[name]
            own = packed[_WIDTH * plan.start : _WIDTH * plan.end]
            key = name, own, pinned.get(name), proposals.get(name)
            views[name] = self._kept.get(key) or self._made(key, rows)
        return Laid(views, rows, pinned, proposals)

    def _made(self, key: _Shown, rows: Int64) -> SlotView:
        name, _, pin, proposal = key
        plan = self._plans[name]
        made = _Slot(plan, rows[plan.start : plan.end], self._priced).view(pin, proposal)
        return self._kept.keep(key, made, plan.end - plan.start)

    def _rows(
        self,
        marginals: Marginals,
        totals: PricedValues | None,
        lowest: int,
        pinned: Mapping[str, Pinned],
        before: Int64,
    ) -> tuple[Int64, list[int]]:
        """The rows of all network values, and the places of the slots whose rows are others
        than ``before``."""
        changes, undecided = marginals.changes, marginals.undecided
        size = len(undecided)
        if changes is None:
            changes = np.full(size, -2, dtype=np.int64)
        ends = [end for slot in pinned for end in self._ends[slot]]
        flags, numbers = [marginals.valid, undecided], [changes]
        if totals is not None:
            flags += totals.exact, totals.repaired_exact
            numbers += totals.lowest, totals.repaired
        rows = np.empty((size, 2), dtype=np.int64)
        changed = np.ones(len(self._names), dtype=np.bool_)
        fill_rows(
            np.array(flags),
            np.array(numbers),
            np.array(ends, dtype=np.int64),
            lowest,
            rows,
            self._bounds,
            before,
            changed,
        )
        return rows, np.flatnonzero(changed).tolist()


@kernel
def fill_rows(
    flags: Any,
    numbers: Any,
    chosen: Any,
    lowest: int,
    rows: Any,
    bounds: Any,
    before: Any,
    changed: Any,
) -> None:
    """A row for every network value (see ``Viewer``).

    ``flags`` say whether it is valid and whether undecided, and where there are prices,
    whether its total is reached, and so when repaired; ``numbers`` are its changes and these
    two totals. ``chosen`` are the beginnings and ends of the values of chosen slots, by turns:
    of these another value shows the total it has when it alone changes.

    ``changed``: whether the rows of each slot, which stand within its ``bounds``, are others
    than ``before``, where there are such.
    """
    valid, undecided, changes = flags[0], flags[1], numbers[0]
    priced = len(flags) > 2
    for index in range(len(rows)):
        rows[index, 0] = (changes[index] << 3) | (2 * undecided[index]) | valid[index]
        rows[index, 1] = 0
        if priced and valid[index]:
            rows[index, 0] |= 4 * flags[2, index]
            rows[index, 1] = numbers[1, index] - lowest
    if priced:
        for k in range(0, len(chosen), 2):
            for index in range(chosen[k], chosen[k + 1]):
                if changes[index] == 1 and not valid[index]:
                    rows[index, 0] |= 4 * flags[3, index]
                    rows[index, 1] = numbers[2, index] - lowest
    if len(before) < len(rows):
        return
    for place in range(len(bounds)):
        changed[place] = False
        for index in range(bounds[place, 0], bounds[place, 1]):
            if rows[index, 0] != before[index, 0] or rows[index, 1] != before[index, 1]:
                changed[place] = True
                break


class _Slot:
    """One slot's rows as lists: indexing a list is far cheaper than indexing an array."""

    def __init__(self, plan: Plan, rows: npt.NDArray[np.int64], priced: bool) -> None:
        states: list[int] = rows[:, 0].tolist()
        self._plan = plan
        self._priced = priced
        self._valid = [bool(state & 1) for state in states]
        self._undecided = [bool(state & 2) for state in states]
        self._exact = [bool(state & 4) for state in states]
        self._changes = [state >> 3 for state in states]
        self._differences: list[int] = rows[:, 1].tolist()

    def view(self, pin: Pinned | None, proposal: str | None) -> SlotView:
        """The slot, with its choice or its proposal."""
        plan, valid = self._plan, self._valid
        may_be_skipped = plan.held.not_asked >= 0 and valid[plan.held.not_asked]
        if pin is not None:
            value, answer = pin
            return SlotView(
                plan.slot.id,
                plan.slot.variable.id,
                "chosen",
                answer,
                self._chosen_options(value),
                self._intervals(value),
                None,
                True,
            )
        asked = [k for k in range(plan.asked_end - plan.start) if valid[k]]
        state: SlotState = "open"
        implied: str | None = None
        if not asked:
            state = "undecided" if any(self._undecided) else "not asked"
        elif len(asked) == 1 and not may_be_skipped and plan.held.known[asked[0]]:
            state = "undecided" if any(self._undecided) else "implied"
            implied = None if any(self._undecided) else plan.held.answers[asked[0]]
        return SlotView(
            plan.slot.id,
            plan.slot.variable.id,
            state,
            implied,
            self._options(state),
            self._intervals(None),
            proposal,
            not may_be_skipped,
        )

    def _options(self, state: SlotState) -> tuple[Option, ...]:
        taken: OptionState = "implied" if state == "implied" else "possible"
        return tuple(
            self._valid_option(answer, k, taken) if self._valid[k] else self._other(answer, k, 0)
            for answer, k in self._plan.listed
        )

    def _chosen_options(self, chosen: int) -> tuple[Option, ...]:
        """The other options as they would be if only this choice changed."""
        return tuple(
            self._valid_option(answer, k, "chosen" if k == chosen else "possible")
            if k == chosen or self._changes[k] == 1
            else self._other(answer, k, 1)
            for answer, k in self._plan.listed
        )

    def _valid_option(self, answer: str, k: int, state: OptionState) -> Option:
        if not self._priced:
            return Option(answer, state)
        return Option(answer, state, self._differences[k], self._exact[k])

    def _other(self, answer: str, k: int, own: int) -> Option:
        """An option that needs changes; ``own`` of them are its slot's own choice."""
        if self._undecided[k]:
            return Option(answer, "undecided", None, True, None)
        needed = self._changes[k]
        if needed == -1:
            return Option(answer, "impossible", None, True, None)
        if needed == -2:
            return Option(answer, "needs changes", None, True, None)
        return Option(answer, "needs changes", None, True, needed - own)

    def _intervals(self, chosen: int | None) -> tuple[Interval, ...]:
        plan, valid = self._plan, self._valid
        if plan.ends_only:
            left = [k for k in range(plan.asked_end - plan.start) if valid[k]]
            answers = plan.held.answers
            return (Interval(answers[left[0]], answers[left[-1]]),) if left else ()
        grid = plan.slot.grid
        if grid is None or grid.size <= LISTED:
            return ()
        runs: list[tuple[int, int]] = []
        for k, places in enumerate(plan.held.runs):
            if valid[k] or (chosen is not None and self._changes[k] == 1):
                runs.extend(places)
        runs.sort()
        joined: list[list[int]] = []
        for first, last in runs:
            if joined and first <= joined[-1][1] + 1:
                joined[-1][1] = max(joined[-1][1], last)
            else:
                joined.append([first, last])
        return tuple(Interval(grid.answer(a), grid.answer(b)) for a, b in joined)

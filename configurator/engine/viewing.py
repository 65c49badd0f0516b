"""From marginals to what customers see: slots, options, intervals, prices.

Arrays are unpacked once per view; everything that does not change is laid out before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from configurator.engine.backend import Marginals
from configurator.engine.judge import Domain
from configurator.engine.layout import Slot
from configurator.engine.lowering.charges import domain_of
from configurator.engine.lowering.held import LISTED, Held
from configurator.model.verdict import Interval, Option, OptionState, SlotState, SlotView


@dataclass(frozen=True, slots=True)
class Plan:
    """Where a slot's answers stand in the packed arrays.

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
            (answer, start + value)
            for value, answer in enumerate(held.answers)
            if value != held.not_asked
        )
    elif held.none >= 0:
        listed = ((held.answers[held.none], start + held.none),)
    asked_end = start + held.size - (1 if held.not_asked >= 0 else 0)
    return Plan(slot, held, start, start + held.size, asked_end, listed, computed and wide)


@dataclass(frozen=True, slots=True)
class PricedValues:
    """Totals for every network value: as things stand, and with its changes made."""

    lowest: npt.NDArray[np.int64]
    exact: npt.NDArray[np.bool_]
    repaired: npt.NDArray[np.int64]
    repaired_exact: npt.NDArray[np.bool_]


class Unpacked:
    """Marginals and totals as plain lists: indexing a list is far cheaper than indexing
    an array. ``totals`` is ``None`` where nothing is priced."""

    __slots__ = ("changes", "priced", "totals", "undecided", "valid")

    def __init__(self, marginals: Marginals, totals: PricedValues | None) -> None:
        self.valid: list[bool] = marginals.valid.tolist()
        self.undecided: list[bool] | None = (
            marginals.undecided.tolist() if marginals.undecided.any() else None
        )
        self.changes: list[int] = (
            [-2] * len(self.valid) if marginals.changes is None else marginals.changes.tolist()
        )
        self.priced = totals is not None
        self.totals: list[tuple[int, bool, int, bool]] = []
        if totals is not None:
            self.totals = list(
                zip(
                    totals.lowest.tolist(),
                    totals.exact.tolist(),
                    totals.repaired.tolist(),
                    totals.repaired_exact.tolist(),
                    strict=True,
                )
            )


class Standing(Mapping[str, Domain]):
    """What is valid under some answers: domains by slot, worked out when asked for.

    Answers may be accepted on trust: their slots then count as answered, while the rest
    stays as it was.
    """

    def __init__(
        self, places: Mapping[str, tuple[Held, int]], valid: list[bool], answers: Mapping[str, str]
    ) -> None:
        self._places = places
        self._valid = valid
        self._answers = dict(answers)
        self._known: dict[str, Domain] = {}

    def valid(self, held: Held, value: int) -> bool:
        """Whether a network value is valid."""
        return self._valid[self._places[held.id][1] + value]

    def left(self, held: Held) -> list[int]:
        """The valid network values of a slot."""
        start = self._places[held.id][1]
        return [value for value in range(held.size) if self._valid[start + value]]

    def accept(self, slot: str, answer: str) -> None:
        """Count an answer as given."""
        self._answers[slot] = answer
        self._known.pop(slot, None)

    def answered(self, slot: str) -> bool:
        """Whether a slot has been answered."""
        return slot in self._answers

    def __getitem__(self, slot: str) -> Domain:
        found = self._known.get(slot)
        if found is None:
            answer = self._answers.get(slot)
            if answer is not None:
                found = Domain((answer,))
            else:
                held = self._places[slot][0]
                found = domain_of(held, self.left(held))
            self._known[slot] = found
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


class Viewer:
    """Builds slot views from unpacked marginals and what is chosen."""

    def __init__(
        self,
        unpacked: Unpacked,
        pinned: Mapping[str, tuple[int, str]],
    ) -> None:
        self._m = unpacked
        self._pinned = pinned

    def slot(self, plan: Plan, proposal: str | None) -> SlotView:
        """One slot."""
        valid = self._m.valid
        pin = self._pinned.get(plan.slot.id)
        may_be_skipped = plan.held.not_asked >= 0 and valid[plan.start + plan.held.not_asked]
        if pin is not None:
            value, answer = pin
            return SlotView(
                plan.slot.id,
                plan.slot.variable.id,
                "chosen",
                answer,
                self._chosen_options(plan, plan.start + value),
                self._intervals(plan, value),
                None,
                True,
            )
        asked = [k for k in range(plan.start, plan.asked_end) if valid[k]]
        state: SlotState = "open"
        implied: str | None = None
        if not asked:
            state = "not asked"
            if self._m.undecided is not None and self._is_undecided(plan):
                state = "undecided"
        elif len(asked) == 1 and not may_be_skipped and plan.held.known[asked[0] - plan.start]:
            state = "implied"
            implied = plan.held.answers[asked[0] - plan.start]
            if self._m.undecided is not None and self._is_undecided(plan):
                state, implied = "undecided", None
        return SlotView(
            plan.slot.id,
            plan.slot.variable.id,
            state,
            implied,
            self._options(plan, state),
            self._intervals(plan, None),
            proposal,
            not may_be_skipped,
        )

    def _is_undecided(self, plan: Plan) -> bool:
        undecided = self._m.undecided
        return undecided is not None and any(undecided[plan.start : plan.end])

    def _options(self, plan: Plan, state: SlotState) -> tuple[Option, ...]:
        m = self._m
        taken: OptionState = "implied" if state == "implied" else "possible"
        options = []
        for answer, k in plan.listed:
            if m.valid[k]:
                if m.priced:
                    total, exact, _, _ = m.totals[k]
                    options.append(Option(answer, taken, total, exact))
                else:
                    options.append(Option(answer, taken))
            else:
                options.append(self._not_valid(answer, k, 0))
        return tuple(options)

    def _not_valid(self, answer: str, k: int, own: int) -> Option:
        """An option that needs changes; ``own`` of them are its slot's own choice."""
        m = self._m
        if m.undecided is not None and m.undecided[k]:
            return Option(answer, "undecided", None, True, None)
        needed = m.changes[k]
        if needed == -1:
            return Option(answer, "impossible", None, True, None)
        if needed == -2:
            return Option(answer, "needs changes", None, True, None)
        return Option(answer, "needs changes", None, True, needed - own)

    def _chosen_options(self, plan: Plan, taken: int) -> tuple[Option, ...]:
        """The other options as they would be if only this choice changed."""
        m = self._m
        options = []
        for answer, k in plan.listed:
            if k == taken:
                if m.priced:
                    total, exact, _, _ = m.totals[k]
                    options.append(Option(answer, "chosen", total, exact))
                else:
                    options.append(Option(answer, "chosen"))
            elif m.changes[k] == 1:
                if m.priced:
                    _, _, total, exact = m.totals[k]
                    options.append(Option(answer, "possible", total, exact))
                else:
                    options.append(Option(answer, "possible"))
            else:
                options.append(self._not_valid(answer, k, 1))
        return tuple(options)

    def _intervals(self, plan: Plan, chosen: int | None) -> tuple[Interval, ...]:
        m = self._m
        if plan.ends_only:
            left = [k - plan.start for k in range(plan.start, plan.asked_end) if m.valid[k]]
            answers = plan.held.answers
            return (Interval(answers[left[0]], answers[left[-1]]),) if left else ()
        grid = plan.slot.grid
        if grid is None or grid.size <= LISTED:
            return ()
        runs: list[tuple[int, int]] = []
        for value, places in enumerate(plan.held.runs):
            k = plan.start + value
            if m.valid[k] or (chosen is not None and m.changes[k] == 1):
                runs.extend(places)
        runs.sort()
        joined: list[list[int]] = []
        for first, last in runs:
            if joined and first <= joined[-1][1] + 1:
                joined[-1][1] = max(joined[-1][1], last)
            else:
                joined.append([first, last])
        return tuple(Interval(grid.answer(a), grid.answer(b)) for a, b in joined)

"""Reasons and corrections, in the customer's own terms."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import reduce
from itertools import accumulate

from configurator.engine.backend import Pins
from configurator.engine.conflict import first_conflict
from configurator.engine.desk import REMEMBERED, Desk
from configurator.engine.layout import Grid, parse_day, parse_number
from configurator.engine.lowering.held import Held
from configurator.engine.overview import Overview
from configurator.engine.repairs import minimal_corrections
from configurator.memory import Memory
from configurator.model.choice import Choice, Choices, without
from configurator.model.verdict import Change, Conflict, Repair

PRICED = 12
"""Corrections that are priced and ranked."""

SLOTS = 40_000
"""Slots (once per context) whose origins are kept."""

NAMED = 50
"""Rules that an origin names: nobody reads more, and of a long chain of implications each
link would name all before it."""

CORES = 8
"""Pins that are kept of those known to leave no way out, for each thing that is wanted."""

PREFIXES = 64
"""Origins of one slot that are kept, one per list of oldest choices it needs."""


class Reasons:
    """Conflicts, origins and repairs of one engine."""

    def __init__(self, desk: Desk, overview: Overview) -> None:
        self._desk = desk
        self._overview = overview
        # Every implied slot of a view needs its origin: fewer would be forgotten before
        # they are asked for again.
        # By slot and context: for the hash of some oldest choices, these and what they tell.
        self._origins: Memory[tuple[str, Choices], dict[int, tuple[Choices, Conflict]]]
        self._origins = Memory(SLOTS)
        self._together: Memory[tuple[Choices, Choices], dict[str, Conflict]] = Memory(REMEMBERED)
        # Whoever keeps what is made of an origin goes by the object: equal ones are one.
        self._same: Memory[Conflict, Conflict] = Memory(SLOTS)
        # By what is wanted, and what is not: pins that leave no way out, the newest first.
        self._cores: Memory[tuple[Pins, Pins], list[Pins]] = Memory(SLOTS)
        self._ruled: Memory[tuple[Pins, Pins, int | None], tuple[tuple[str, ...], bool]] = Memory(
            SLOTS
        )

    # --- why not ----------------------------------------------------------------------

    def conflict(self, choices: Choices, wanted: Choice, context: Choices) -> Conflict:
        """See ``Engine.conflict``."""
        others = without(choices, {wanted.slot})
        return self._desk.remembered(
            "conflict",
            (others, wanted, context),
            lambda: self._conflict(others, wanted, (self._desk.pin(wanted),), (), context, None),
        )

    def origin(self, choices: Choices, slot: str, context: Choices) -> Conflict:
        """See ``Engine.origin``."""
        return self._origin(without(choices, {slot}), slot, context)

    def origins(
        self, choices: Choices, slots: Iterable[str], context: Choices
    ) -> dict[str, Conflict]:
        """See ``Engine.origins``. Most are those of before the newest choice."""
        before = self._together.get((choices[:-1], context)) or {}
        found = {
            slot: (slot in self._desk.held and before.get(slot))
            or self._origin(choices, slot, context)
            for slot in slots
        }
        self._together.keep((choices, context), found)
        return found

    def _origin(self, others: Choices, slot: str, context: Choices) -> Conflict:
        """The origin of a slot that none of the choices is about. The first conflict needs the
        oldest choices only, so an origin found under fewer choices stays what it is."""
        if slot not in self._desk.held:
            inputs = self._desk.lowered.reading.behind(slot)
            return Conflict(None, tuple(each for each in others if each.slot in inputs), ())
        known = self._origins.get((slot, context))
        if known is None:
            known = self._origins.keep((slot, context), {})
        prefixes = frozenset(accumulate(others, _hashed, initial=0))
        for each in prefixes.intersection(tuple(known)):
            prefix, conflict = known.get(each, ((), None))
            if conflict is not None and others[: len(prefix)] == prefix:
                return conflict
        held, start = self._desk.places[slot]
        given = self._desk.given(others, context)
        marginals = self._desk.marginals(given.pins, given.fixed, totals=False)
        valid = [v for v in range(held.size) if marginals.valid[start + v]]
        if len(valid) != 1:
            raise ValueError(f"{slot} is not implied")
        found = self._conflict(others, None, (), ((held.index, valid[0]),), context, NAMED)
        found = self._same.keep(found, found)
        last = max((others.index(each) for each in found.choices), default=-1)
        prefix = others[: last + 1]
        for oldest in tuple(known)[: max(len(known) + 1 - PREFIXES, 0)]:
            known.pop(oldest, None)
        known[reduce(_hashed, prefix, 0)] = prefix, found
        return found

    def _conflict(
        self,
        others: Choices,
        wanted: Choice | None,
        held: Pins,
        barred: Pins,
        context: Choices,
        most: int | None,
    ) -> Conflict:
        """Choices first, then facts, then rules (the ``most`` newest where that is given);
        each minimal given those before.

        One core over everything begins, or one that is known; what it names is then
        minimised, choices and facts by asking the backend, rules by asking the reasoner.
        """
        desk = self._desk
        pins = {desk.pin(each): each for each in others}
        facts = {desk.pin_fact(each): each for each in desk.facts(context)}
        everything = (*held, *facts)
        given = {*everything, *pins}
        cores = self._cores.get((held, barred)) or self._cores.keep((held, barred), [])
        pinned, failing_rules = next(filter(given.issuperset, cores), None), None
        if pinned is None:
            owners = tuple(range(len(desk.lowered.network.owners)))
            found = desk.reasoner.core(tuple(sorted(given)), owners, barred)
            if found is None:
                raise ValueError("they hold together")
            pinned, failing_rules = found

        def core(some: Pins, background: Pins) -> Pins | None:
            every = sorted((*background, *some))
            soft = tuple(pin for pin in every if pin not in facts)
            return self._core(some, soft, tuple(pin for pin in every if pin in facts), barred)

        blamed = first_conflict(
            tuple(pins), lambda first, later: core((*first, *later), everything), pinned
        )
        kept = (*held, *blamed)
        failing = pinned if {*kept, *facts}.issuperset(pinned) else None
        known = first_conflict(
            tuple(facts), lambda first, later: core((*first, *later), kept), failing
        )
        against = tuple(sorted((*kept, *known)))
        if against not in cores:
            cores[:] = [against, *cores[: CORES - 1]]
        if not set(against).issuperset(pinned):
            failing_rules = None
        rules, more = self._rules(against, barred, failing_rules, most)
        return Conflict(
            wanted,
            tuple(each for pin, each in pins.items() if pin in blamed),
            rules,
            tuple(each for pin, each in facts.items() if pin in known),
            more,
        )

    def _core(self, some: Pins, pins: Pins, fixed: Pins, barred: Pins) -> Pins | None:
        """``None`` where a configuration has the pins and facts and not what is barred; else
        those of ``some`` that are to blame. A compiled diagram knows it in one sweep, or
        still knows it: the oldest choices were all there were, once."""
        desk = self._desk
        if desk.backend.name == "diagram" and len(barred) <= 1:
            marginals = desk.marginals(pins, fixed, settle=False, totals=False)
            if not marginals.consistent:
                return some
            if not barred:
                return None
            ((variable, value),) = barred
            start = desk.offsets[variable]
            place = slice(start, desk.offsets[variable + 1])
            valid = marginals.valid[place].copy()
            valid[value] = False
            if valid.any():
                return None
            undecided = marginals.undecided[place].copy()
            undecided[value] = False
            if not undecided.any():
                return some
        found = desk.reasoner.core(tuple(sorted((*pins, *fixed))), None, barred)
        return None if found is None else tuple(pin for pin in found[0] if pin in some)

    def rules_against(self, pins: Pins, barred: Pins) -> tuple[str, ...]:
        """A minimal set of rules that cannot hold with the pins, in written order."""
        return self._rules(pins, barred, None, None)[0]

    def _rules(
        self, pins: Pins, barred: Pins, failing: tuple[int, ...] | None, most: int | None
    ) -> tuple[tuple[str, ...], bool]:
        """The same, or its ``most`` newest rules, and whether there are more. ``failing`` are
        rules that are known not to hold with the pins."""
        known = self._ruled.get((pins, barred, most))
        if known is not None:
            return known
        owners = self._desk.lowered.network.owners
        core = self._desk.reasoner.rules_core(pins, barred, failing or ())
        found = first_conflict(range(len(owners)), core, failing, most)
        more = len(found) == most and core(range(0), found) is None
        rules = tuple(owners[owner] for owner in sorted(found))
        return self._ruled.keep((pins, barred, most), (rules, more))

    # --- what now ---------------------------------------------------------------------

    def repairs(
        self, choices: Choices, wanted: Choice, context: Choices, k: int
    ) -> tuple[Repair, ...]:
        """See ``Engine.repairs``."""
        return self._desk.remembered(
            "repairs",
            (choices, wanted, context, k),
            lambda: self._repairs(choices, wanted, context, k),
        )

    def _repairs(
        self, choices: Choices, wanted: Choice, context: Choices, k: int
    ) -> tuple[Repair, ...]:
        desk = self._desk
        others = without(choices, {wanted.slot})
        pins = [desk.pin(each) for each in others]
        fixed = (*desk.fixed(context), desk.pin(wanted))
        reason = desk.reasoner

        def core(some: tuple[int, ...]) -> tuple[int, ...] | None:
            found = reason.core(tuple(sorted((*fixed, *(pins[i] for i in some)))))
            return None if found is None else tuple(i for i in some if pins[i] in found[0])

        def conflict(kept: tuple[int, ...]) -> tuple[int, ...] | None:
            failing = core(kept)
            if failing is None:
                return None
            return first_conflict(kept, lambda first, later: core((*first, *later)), failing)

        present = self._overview.lowest_total(choices, context)
        found = [
            self._repair(others, given_up, wanted, context, present)
            for given_up in minimal_corrections(range(len(others)), conflict, k)[:PRICED]
        ]
        found.sort(key=lambda each: each[0])
        return tuple(repair for _, repair in found[:k])

    def _repair(
        self,
        others: Choices,
        given_up: tuple[int, ...],
        wanted: Choice,
        context: Choices,
        present: int | None,
    ) -> tuple[tuple[object, ...], Repair]:
        """A correction as a diff, and its rank: fewest changes, fewest that cannot be
        taken back, lowest total, newest choices changed."""
        desk = self._desk
        rest = tuple(each for i, each in enumerate(others) if i not in given_up)
        given = [others[i] for i in sorted(given_up)]
        known = desk.given((*rest, wanted), context)
        pins = self._kept_near(known.pins, known.fixed, given)
        values = self._overview.cheapest(pins)
        changes: list[Change] = []
        kept: list[Choice] = []
        for i, choice in enumerate(others):
            if i not in given_up:
                kept.append(choice)
                continue
            held = desk.held[choice.slot]
            answer = _nearest(held, values[held.index], choice.answer)
            changes.append(Change(choice.slot, choice.answer, answer))
            if answer is not None:
                kept.append(Choice(choice.slot, answer))
        after = (*kept, wanted)
        lowest = self._overview.lowest_total(after, context)
        difference = None if lowest is None or present is None else lowest - present
        rank = (
            len(changes),
            sum(self._irreversible(change) for change in changes),
            lowest or 0,
            tuple(-i for i in sorted(given_up, reverse=True)),
        )
        return rank, Repair(tuple(changes), after, lowest, difference)

    def _kept_near(self, pins: Pins, fixed: Pins, given_up: Iterable[Choice]) -> Pins:
        """The pins, and for each number or day given up, oldest first, the valid one that
        is nearest to it: who asked for 3000 mm does not want 600 because it costs least."""
        desk = self._desk
        for choice in given_up:
            slot, held = desk.layout.by_id[choice.slot], desk.held[choice.slot]
            before = _number(slot.grid, choice.answer)
            if slot.grid is None or before is None:
                continue
            start = desk.places[choice.slot][1]
            valid = desk.marginals(tuple(sorted(pins)), fixed, totals=False).valid
            distances = []
            for value in range(held.size):
                answer = _nearest(held, value, choice.answer) if valid[start + value] else None
                number = None if answer is None else _number(slot.grid, answer)
                if number is not None:
                    distances.append((abs(number - before), value))
            if distances:
                pins = (*pins, (held.index, min(distances)[1]))
        return tuple(sorted((*pins, *fixed)))

    def _irreversible(self, change: Change) -> bool:
        final = self._desk.product.irreversible.get(change.slot)
        return final is not None and change.after is not None and final.has(change.after)


def _hashed(before: int, choice: Choice) -> int:
    """The hash of some oldest choices from that of those before the last."""
    return hash((before, choice))


def _number(grid: Grid | None, answer: str) -> Fraction | None:
    if grid is None:
        return None
    return parse_day(answer) if grid.days else parse_number(answer)


def _nearest(held: Held, value: int, before: str) -> str | None:
    """The answer of a value that is nearest to the one given before; ``None`` where the
    question is not asked, or only the customer can answer it."""
    if value == held.not_asked:
        return None
    if held.known[value]:
        return held.answers[value]
    grid, number = held.grid, _number(held.grid, before)
    if grid is None:
        return None
    if number is None:
        return held.answers[value]
    edges = (edge for run in held.runs[value] for edge in run)
    return grid.answer(min((abs(grid.number(edge) - number), edge) for edge in edges)[1])

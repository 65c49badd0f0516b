"""Views, proposals, lowest totals and completions of one engine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import partial

import numpy as np

from configurator.engine.backend import Marginals, Pins
from configurator.engine.desk import REMEMBERED, Desk, Given
from configurator.engine.judge import Judge, MarkedDomains
from configurator.engine.layout import NOT_ASKED
from configurator.engine.lowering.held import Held
from configurator.engine.proposals import Proposer, Wanted
from configurator.engine.totals import Totals, cheapest_of
from configurator.engine.viewing import (
    Ground,
    Laid,
    Plan,
    PricedValues,
    Standing,
    Viewer,
    plan_of,
)
from configurator.memory import Memory
from configurator.model.choice import Choice, Choices
from configurator.model.verdict import Bill, Completion, Count, EngineView, SlotView

UNITS_TRIED = 8
"""Order quantities (or pieces of them) for which lowest totals are found one by one."""

LAID = 1 << 24
"""Bytes of views that are kept for those after them."""

Told = dict[str, str]


class Overview:
    """Puts together what there is to see."""

    def __init__(self, desk: Desk, judge: Judge) -> None:
        self._desk = desk
        self._judge = judge
        self._reading = desk.lowered.reading
        self._pricing = desk.pricing
        self._totals = Totals(desk.pricing, desk.lowered.wide, desk.held)
        self._proposer = Proposer(desk.product, judge, desk.held)
        self._plans: dict[str, Plan] = {
            slot.id: plan_of(slot, *desk.places[slot.id])
            for slot in desk.layout.slots
            if slot.id in desk.places
        }
        self._ground = Ground(desk.layout, desk.places)
        self._standings: Memory[tuple[Choices, Choices, bool], Standing] = Memory(REMEMBERED)
        self._laid: Memory[tuple[Choices, Choices, bool], Laid] = Memory(LAID)
        self._viewer = Viewer(self._plans, self._pricing.charged)
        times = desk.pricing.prices.times
        self._units_slots = () if times is None else self._reading.slots(times)

    # --- views ------------------------------------------------------------------------

    def view(self, choices: Choices, context: Choices, settle: bool) -> EngineView:
        """See ``Engine.view``."""
        settle = settle or self._desk.backend.at_once
        return self._desk.remembered(
            "view", (choices, context, settle), lambda: self._view(choices, context, settle)
        )

    def _view(self, choices: Choices, context: Choices, settle: bool) -> EngineView:
        desk = self._desk
        given = desk.given(choices, context)
        told = given.told
        marginals = desk.marginals(given.pins, given.fixed, changes=True, settle=settle)
        if not marginals.consistent:
            raise ValueError("these choices do not hold together; see Engine.conflict")
        priced = self._priced(given, marginals, settle)
        now = self._standing(choices, context, marginals, given, settle)
        accepted, after = self._proposals(given, now, settle)
        proposals = dict(accepted)
        pinned = {slot: (value, told[slot]) for slot, value in given.values.items()}
        lowest, exact = _overall(priced, marginals)

        lay = partial(self._viewer.lay, marginals, priced, pinned, proposals)
        laid = lay(lowest or 0, self._laid.get((choices[:-1], context, settle)))
        slots = self._slots(laid, now)
        complete = {slot.state for slot in slots}.isdisjoint(("open", "undecided"))
        bill = None
        if complete and self._pricing.charged:
            answers = {slot.slot: slot.answer for slot in slots if slot.answer is not None}
            bill = self._pricing.bill({**told, **answers})
            if bill.total != lowest:
                laid = lay(bill.total, laid)
                slots = self._slots(laid, now)
        self._laid.keep((choices, context, settle), laid, laid.nbytes)
        number, counted = desk.backend.count(given.together, settle=settle)
        number //= self._alike(given)
        then = self._all_answers(after)
        view = EngineView(
            slots,
            lowest if bill is None else bill.total,
            exact or bill is not None,
            Count(number, counted),
            complete,
            bill,
            {slot: answer for slot, answer in then.items() if answer},
            self._bill_of(then, context),
            settle or marginals.settled,
        )
        # Who judges what holds with all proposals asks for their domains next.
        self._standings.keep(((*choices, *view.proposals), context, settle), after)
        return view

    def _slots(self, laid: Laid, now: Standing) -> tuple[SlotView, ...]:
        """The views of all slots, those that have no plan, too."""
        slots = self._desk.layout.slots
        if len(laid.views) == len(slots):
            return tuple(laid.views.values())
        return tuple(laid.views.get(each.id) or self._opened(each.id, now) for each in slots)

    def _alike(self, given: Given) -> int:
        """For how many configurations that differ in the answers given alone each counted
        one stands: a network value may stand for many answers, of which one is chosen."""
        held = self._desk.held
        return math.prod(held[slot].multiplicity[value] for slot, value in given.values.items())

    def _opened(self, slot: str, domains: Standing) -> SlotView:
        """A computed number that has no variable: known once its inputs are."""
        inputs = self._reading.behind(slot)
        if any(domains[each].size() != 1 for each in inputs):
            return SlotView(slot, slot, "open")
        answer = self._worth({each: next(iter(domains[each].every())) for each in inputs}, slot)
        if not answer:
            return SlotView(slot, slot, "not asked", certainly_asked=False)
        return SlotView(slot, slot, "implied", answer)

    def _worth(self, answers: Told, computed: str) -> str:
        return self._desk.meaning.spelled(self._desk.meaning.read(computed)(answers))

    def _all_answers(self, now: Standing) -> dict[str, str | None]:
        """Every slot's answer where it is certain: ``NOT_ASKED``, or ``None`` if open."""
        answers: dict[str, str | None] = {}
        for slot in self._desk.layout.slots:
            if slot.id in now.answers:
                answers[slot.id] = now.answers[slot.id]
            elif slot.id in self._plans:
                held, left = self._plans[slot.id].held, now.left[slot.id]
                value = left.find(1) if left.count(1) == 1 else -1
                sure = value >= 0 and (held.known[value] or value == held.not_asked)
                answers[slot.id] = held.answers[value] if sure else None
            else:
                inputs = self._reading.behind(slot.id)
                known = {each: now[each] for each in inputs}
                answers[slot.id] = None
                if all(each.size() == 1 for each in known.values()):
                    given = {name: next(iter(each.every())) for name, each in known.items()}
                    answers[slot.id] = self._worth(given, slot.id)
        return answers

    def _bill_of(self, answers: dict[str, str | None], context: Choices) -> Bill | None:
        """The bill of answers that are all known."""
        if not self._pricing.charged or None in answers.values():
            return None
        return self._pricing.bill({**dict(self._desk.facts(context)), **answers})

    # --- proposals --------------------------------------------------------------------

    def _proposals(
        self, given: Given, now: Standing, settle: bool
    ) -> tuple[list[tuple[str, str]], Standing]:
        """What the defaults propose, and what is valid with it."""

        def refresh(accepted: Sequence[Wanted]) -> Standing | None:
            if not accepted:
                return now.copy()
            more = [(held.index, value) for held, value, _ in accepted]
            pins = tuple(sorted((*given.pins, *more)))
            marginals = self._desk.marginals(pins, given.fixed, settle=settle, totals=False)
            if not np.count_nonzero(marginals.valid):  # none, or none that is known to be there
                return None
            answers = {held.id: answer for held, _, answer in accepted}
            return Standing(self._ground, marginals.possible, {**given.told, **answers})

        accepted, after = self._proposer.propose(refresh)
        return accepted, now if after is None else after

    def domains(self, choices: Choices, context: Choices, settle: bool) -> MarkedDomains:
        """See ``Engine.domains``. What is undecided may still be."""
        settle = settle or self._desk.backend.at_once
        known = self._standings.get((choices, context, settle))
        if known is None:
            given = self._desk.given(choices, context)
            marginals = self._desk.marginals(given.pins, given.fixed, settle=settle, totals=False)
            known = self._standing(choices, context, marginals, given, settle)
        return known

    def _standing(
        self, choices: Choices, context: Choices, marginals: Marginals, given: Given, settle: bool
    ) -> Standing:
        """What is valid, kept for who asks for domains; nobody changes it."""
        made = Standing(self._ground, marginals.possible, given.told)
        return self._standings.keep((choices, context, settle), made)

    # --- totals -----------------------------------------------------------------------

    def lowest_total(self, choices: Choices, context: Choices, settle: bool = True) -> int | None:
        """The lowest total with these choices; ``None`` where nothing is priced, or the
        choices do not hold together."""
        given = self._desk.given(choices, context)
        marginals = self._desk.marginals(given.pins, given.fixed, settle=settle)
        if not marginals.consistent:
            return None
        return _overall(self._priced(given, marginals, settle), marginals)[0]

    def _priced(self, given: Given, marginals: Marginals, settle: bool) -> PricedValues | None:
        if not self._pricing.charged:
            return None
        told, left = given.told, self._ground.left(marginals.possible)

        def values(held: Held) -> list[int]:
            return [value for value, taken in enumerate(left[held.id]) if taken]

        shift, sure = self._totals.correction(values, told)
        if self._pricing.times is None:
            return self._totals.priced(marginals, shift, sure, Fraction(1))
        if len(self._units_slots) != 1:
            return self._with_bounded_units(marginals, shift, sure, told)
        slot = self._units_slots[0]
        held, start = self._desk.places[slot]
        units = [self._pricing.units({slot: answer}) for answer in held.answers]
        if slot in told:
            now = self._pricing.units(told)
            each = [now] * len(marginals.valid)
            each[start : start + held.size] = units
            chosen = held.value_of(told[slot])
            if chosen is not None:
                each[start + chosen] = now
            return self._totals.priced(marginals, shift, sure, each)
        if held.size > UNITS_TRIED:
            return self._between(marginals, shift, False, (min(units), max(units)))
        several = []
        for value in range(held.size):  # other quantities, too: a changed choice may need them
            more = tuple(sorted((*given.pins, (held.index, value))))
            case = self._desk.marginals(more, given.fixed, changes=True, settle=settle)
            several.append((case, self._totals.priced(case, shift, sure, units[value])))
        return cheapest_of(several)

    def _with_bounded_units(
        self, marginals: Marginals, shift: int, sure: bool, told: Told
    ) -> PricedValues:
        times = self._pricing.prices.times
        assert times is not None
        domains = Standing(self._ground, marginals.possible, told)
        bounds = self._judge.bounds(times, domains)
        ends = [
            max(end, Fraction(0)) for end in (bounds.low, bounds.high) if isinstance(end, Fraction)
        ]
        if not bounds.sure or len(ends) < 2:
            ends.append(Fraction(1))
        return self._between(marginals, shift, sure and len(set(ends)) == 1, tuple(ends))

    def _between(
        self, marginals: Marginals, shift: int, sure: bool, units: Sequence[Fraction]
    ) -> PricedValues:
        """A bound for an order quantity somewhere between the ends."""
        low, high = (
            self._totals.priced(marginals, shift, sure, end) for end in (min(units), max(units))
        )
        return PricedValues(
            np.minimum(low.lowest, high.lowest),
            low.exact,
            np.minimum(low.repaired, high.repaired),
            low.repaired_exact,
        )

    # --- completions ------------------------------------------------------------------

    def cheapest(self, pins: Pins) -> tuple[int, ...]:
        """One value per network variable: the canonical cheapest configuration."""
        found = self._desk.backend.cheapest(pins)
        if found is None:
            raise ValueError("no configuration has these pins")
        return found

    def complete(
        self, choices: Choices, context: Choices, prefer_proposals: bool
    ) -> Completion | None:
        """See ``Engine.complete``."""
        desk = self._desk
        given = desk.given(choices, context)
        marginals = desk.marginals(given.pins, given.fixed)
        if not marginals.consistent:
            return None
        told, pins = given.told, given.together
        if prefer_proposals:
            now = Standing(self._ground, marginals.possible, told)
            accepted, _ = self._proposals(given, now, True)
            told = {**told, **dict(accepted)}
            proposed = {desk.pin(Choice(slot, answer)) for slot, answer in accepted}
            pins = tuple(sorted((*pins, *proposed)))
        values = self.cheapest(pins)
        answers = self._answers_of(values, told)
        return Completion(
            tuple(Choice(slot, answer) for slot, answer in answers.items() if answer),
            self._bill_of(answers, context),
        )

    def _answers_of(self, values: tuple[int, ...], told: Told) -> dict[str, str | None]:
        """A configuration's answers, slot by slot."""
        answers: dict[str, str | None] = {}
        for slot in self._desk.layout.slots:
            if slot.id in told:
                answers[slot.id] = told[slot.id]
            elif slot.id in self._plans:
                held = self._plans[slot.id].held
                answer = held.answers[values[held.index]]
                answers[slot.id] = None if _unwritten(held, answer) else answer
        for slot in self._desk.layout.slots:
            if slot.id not in answers:
                facts = {
                    name: self._desk.held[name].answers[values[self._desk.held[name].index]]
                    for name in self._reading.behind(slot.id)
                }
                given = {name: answers.get(name) or each for name, each in facts.items()}
                answers[slot.id] = self._worth(given, slot.id)
        return answers


def _unwritten(held: Held, answer: str) -> bool:
    """Whether an answer only stands for a text nobody wrote."""
    text = held.slot is not None and held.slot.variable.kind == "text"
    return text and answer != NOT_ASKED and not held.known[held.answers.index(answer)]


def _overall(priced: PricedValues | None, marginals: Marginals) -> tuple[int | None, bool]:
    """The lowest total of all."""
    if priced is None:
        return None, True
    totals = priced.lowest[marginals.valid]
    if not len(totals):
        return None, True
    best = totals.min()
    reached = bool(np.count_nonzero(priced.exact[marginals.valid] & (totals == best)))
    return int(best), reached and marginals.settled

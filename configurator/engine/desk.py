"""Choices and facts as pins, and the backend's answers about them, remembered a while."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from configurator.engine.answers import checked, checked_context
from configurator.engine.backend import Backend, Marginals, Pins, Reasoner, offsets_of
from configurator.engine.lowering import Lowered
from configurator.engine.lowering.held import Held
from configurator.memory import Memory
from configurator.model.choice import Choice, Choices, without

REMEMBERED = 256
"""Answers of each sort that are kept."""

BYTES = 24_000_000
"""Room for the backend's arrays that are kept."""

PINS = 50_000
"""Choices whose pins are kept."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Given:
    """Choices and facts as the backend takes them.

    ``pins`` are the choices, ``fixed`` the facts, ``together`` both, each sorted. ``told``
    is the answer by slot, ``values`` the network value by chosen slot.
    """

    pins: Pins
    fixed: Pins
    together: Pins
    told: dict[str, str]
    values: dict[str, int]


class Desk:
    """Where the parts of one engine meet: names, pins, backend, reasoner."""

    def __init__(
        self, lowered: Lowered, backend: Backend, reasoner: Callable[[], Reasoner]
    ) -> None:
        self.lowered = lowered
        self.meaning = lowered.meaning
        self.product = lowered.meaning.product
        self.layout = lowered.meaning.layout
        self.pricing = lowered.pricing
        self.held: dict[str, Held] = lowered.held
        self.backend = backend
        offsets = offsets_of(tuple(v.size for v in lowered.network.variables)).tolist()
        self.offsets: tuple[int, ...] = tuple(offsets)
        self.places: dict[str, tuple[Held, int]] = {
            name: (held, offsets[held.index]) for name, held in lowered.held.items()
        }
        self._reasoner_of = reasoner
        self._reasoner: Reasoner | None = None
        self._lock = threading.RLock()
        self._memory: dict[str, OrderedDict[Any, Any]] = {}
        self._marginals: Memory[tuple[Pins, Pins, bool, bool, bool], Marginals] = Memory(BYTES)
        self._pins: Memory[Choice, tuple[int, int]] = Memory(PINS)
        self._given: Memory[tuple[Choices, Choices], Given] = Memory(REMEMBERED)
        self._facts: Memory[Choices, tuple[Choices, Pins]] = Memory(REMEMBERED)

    def remembered(self, sort: str, key: object, work: Callable[[], Answer]) -> Answer:
        """An answer worked out once; the oldest are forgotten."""
        with self._lock:
            memory = self._memory.setdefault(sort, OrderedDict())
            if key in memory:
                memory.move_to_end(key)
                known: Answer = memory[key]
                return known
        answer = work()
        with self._lock:
            memory[key] = answer
            while len(memory) > REMEMBERED:
                memory.popitem(last=False)
        return answer

    @property
    def reasoner(self) -> Reasoner:
        """Answers about some of the rules; built when first needed."""
        with self._lock:
            if self._reasoner is None:
                self._reasoner = self._reasoner_of()
            return self._reasoner

    # --- pins -------------------------------------------------------------------------

    def pin(self, choice: Choice) -> tuple[int, int]:
        """A choice as a pin. Raises ``UnknownChoiceError``."""
        return self._pins.get(choice) or self._pins.keep(choice, self._pin(choice))

    def _pin(self, choice: Choice) -> tuple[int, int]:
        held = self.held.get(choice.slot)
        value = None if held is None or held.computed else held.value_of(choice.answer)
        if held is None or value is None or held.slot is None:
            good = checked(self.layout, choice)
            held = self.held[good.slot]
            value = held.value_of(good.answer)
            if value is None:
                raise ValueError(f"{choice} has no place in the network")
        return held.index, value

    def given(self, choices: Choices, context: Choices) -> Given:
        """Choices and facts as pins. Raises ``UnknownChoiceError``."""
        known = self._given.get((choices, context))
        if known is None:
            pinned = [
                self.pin(choice) if pin is None else pin
                for choice, pin in zip(choices, self._pins.every(choices), strict=True)
            ]
            facts, fixed = self._told(context)
            told = {each.slot: each.answer for each in (*facts, *choices)}
            values = {choice.slot: pin[1] for choice, pin in zip(choices, pinned, strict=True)}
            pins = tuple(sorted(pinned))
            together = tuple(sorted((*pins, *fixed)))
            made = Given(pins, fixed, together, told, values)
            known = self._given.keep((choices, context), made)
        return known

    def facts(self, context: Choices) -> Choices:
        """Every fact of the context, with what holds where it is missing."""
        return self._told(context)[0]

    def fixed(self, context: Choices) -> Pins:
        """The facts as pins, sorted."""
        return self._told(context)[1]

    def pin_fact(self, fact: Choice) -> tuple[int, int]:
        """A fact as a pin."""
        held = self.held[fact.slot]
        return held.index, held.answers.index(fact.answer)

    def _told(self, context: Choices) -> tuple[Choices, Pins]:
        known = self._facts.get(context)
        if known is None:
            told = {choice.slot: checked_context(self.layout, choice).answer for choice in context}
            facts = tuple(
                Choice(each.id, told.get(each.id, each.if_missing)) for each in self.product.context
            )
            pins = tuple(sorted(map(self.pin_fact, facts)))
            known = self._facts.keep(context, (facts, pins))
        return known

    # --- the backend ------------------------------------------------------------------

    def marginals(
        self,
        pins: Pins,
        fixed: Pins,
        *,
        changes: bool = False,
        settle: bool = True,
        totals: bool = True,
    ) -> Marginals:
        """The backend's marginals, remembered. Those with ``changes`` say all that the
        others do, and those with ``totals`` all that is said without; first answers and
        settled ones are kept apart, for they may differ."""
        settle, totals = settle or self.backend.at_once, totals or changes
        sorts = ((True, True), (False, True), (False, False))  # each says all that later ones do
        for sort in sorts[: 1 + sorts.index((changes, totals))]:
            known = self._marginals.get((pins, fixed, *sort, settle))
            if known is not None:
                return known
        found = self.backend.marginals(
            pins, changes=changes, fixed=fixed, settle=settle, totals=totals
        )
        key = (pins, fixed, changes, totals, settle)
        return self._marginals.keep(key, found, _bytes_of(found))

    def consistent(self, pins: Pins, fixed: Pins) -> bool:
        """Whether a configuration has the pins: from a first answer where it tells."""
        first = self.marginals(pins, fixed, settle=False, totals=False)
        if first.settled or np.count_nonzero(first.valid):
            return first.consistent
        return self.marginals(pins, fixed, totals=False).consistent

    def is_possible(self, choices: Choices, wanted: Choice, context: Choices) -> bool:
        """See ``Engine.is_possible``; answered from the marginals of a view where it can."""
        variable, value = self.pin(wanted)
        given = self.given(choices, context)
        fixed, others = given.fixed, without(choices, {wanted.slot})
        marginals = self.marginals(given.pins, fixed, changes=True, settle=False)
        place = self.places[wanted.slot][1] + value
        if marginals.consistent and len(others) == len(choices):
            if not marginals.undecided[place]:
                return bool(marginals.valid[place])
            return self.consistent(tuple(sorted((*given.pins, (variable, value)))), fixed)
        changes = -2 if marginals.changes is None else int(marginals.changes[place])
        if marginals.consistent and changes != -2:  # -2: not known
            return 0 <= changes <= 1  # it alone has to change
        pins = tuple(sorted((*self.given(others, context).pins, (variable, value))))
        return self.consistent(pins, fixed)

    def holds(self, choices: Choices, context: Choices) -> bool:
        """See ``Engine.holds``."""
        given = self.given(choices, context)
        return self.consistent(given.pins, given.fixed)


def _bytes_of(marginals: Marginals) -> int:
    """Roughly what is kept: the arrays every answer has of its own."""
    arrays = (marginals.valid, marginals.lowest, marginals.changes, marginals.repaired_lowest)
    return 1024 + sum(each.nbytes for each in arrays if each is not None)

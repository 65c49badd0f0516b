"""Why not, asked of SAT: which pins and rules leave nothing.

Implements ``Reasoner`` for ``SatBackend``. Which solver or configuration an answer is found
with changes the time taken, never whether there is a contradiction.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from configurator.engine.backend import Core, Pins, RuleCore
from configurator.engine.network import BACKGROUND
from configurator.engine.sat.encoding import Encoding
from configurator.engine.sat.nearby import Bools, Index, Nearby, TooFarError
from configurator.engine.sat.probe import Asked, Budget, BudgetSpentError, Pool, Probe
from configurator.memory import Memory

MANY = 5_000
"""Variables from which on rules are asked about near a configuration: below, a solver that
assigns all of them is quicker, and needs fewer questions."""

BASES = 4_000_000
"""Bytes of the configurations that are kept to start from."""


class Reasoning:
    """Contradictions of one encoded network."""

    def __init__(self, encoding: Encoding, owners: int, probes: Pool[Probe]) -> None:
        self._encoding = encoding
        self._owners = owners
        self._selectors = [encoding.top + 1 + owner for owner in range(owners)]
        self._probes = probes
        self._reasoners = Pool(lambda: Asked(self._selected()))
        self._bases: Memory[Pins, Bools] = Memory(BASES)
        self._lock = threading.Lock()
        self._index: Index | None = None

    def core(
        self,
        pins: Pins,
        owners: Sequence[int] | None = None,
        barred: Pins = (),
        budget: Budget | None = None,
    ) -> Core | None:
        """See ``Reasoner``; raises ``BudgetSpentError`` where a ``budget`` runs out."""
        given = [self._literal(pin) for pin in pins]
        assumptions = [*given, *(-self._literal(pin) for pin in barred)]
        if owners is None:
            with self._probes.one() as probe:
                held = [self._packed(pin) for pin in pins]
                if len(probe.agreeing(held, [self._packed(pin) for pin in barred])):
                    return None
                if _holds(probe, assumptions, budget):
                    probe.remember()
                    return None
                blamed = probe.core()
            return tuple(p for p, lit in zip(pins, given, strict=True) if lit in blamed), ()
        every = len(owners) == self._owners
        assumptions += self._selectors if every else [self._selectors[each] for each in owners]
        with self._reasoners.one() as reasoner:
            if _holds(reasoner, assumptions, budget):
                return None
            blamed = reasoner.core()
        lowest = self._encoding.top + 1
        return (
            tuple(p for p, lit in zip(pins, given, strict=True) if lit in blamed),
            tuple(sorted(literal - lowest for literal in blamed if literal >= lowest)),
        )

    def rules_core(self, pins: Pins, barred: Pins, likely: tuple[int, ...] = ()) -> RuleCore:
        """See ``Reasoner``. In a large product asked near a configuration with the pins, or
        all but one where nothing is barred; of everything where there is none, or what would
        change is much."""
        large = self._encoding.top >= MANY
        base = self._base(pins if barred else pins[:-1]) if large else None
        given = [
            *(self._literal(pin) for pin in pins),
            *(-self._literal(pin) for pin in barred),
        ]
        near = None if base is None else Nearby(self._indexed(), base, self._owners, given, likely)

        def core(first: Sequence[int], later: tuple[int, ...]) -> tuple[int, ...] | None:
            nonlocal near
            if near is not None:
                try:
                    return near.core(len(first), later)
                except TooFarError:
                    near = None
            found = self.core(pins, (*first, *later), barred)
            return None if found is None else found[1]

        return core

    def _base(self, pins: Pins) -> Bools | None:
        """Whether each solver variable holds in a configuration with the pins; the first
        entry is nobody's."""
        found = self._bases.get(pins)
        if found is None:
            with self._probes.one() as probe:
                if not probe.ask([self._literal(pin) for pin in pins]):
                    return None
                signs = probe.model(self._encoding.top)
            found = self._bases.keep(pins, np.concatenate(([False], signs)), len(signs))
        return found

    def _indexed(self) -> Index:
        with self._lock:
            if self._index is None:
                self._index = Index(self._encoding)
            return self._index

    def _literal(self, pin: tuple[int, int]) -> int:
        return self._encoding.literals[pin[0]][pin[1]]

    def _packed(self, pin: tuple[int, int]) -> int:
        return int(self._encoding.offsets[pin[0]]) + pin[1]

    def _selected(self) -> list[list[int]]:
        """The clauses, each rule's waiting for its selector."""
        return [
            clause if owner == BACKGROUND else [*clause, -self._selectors[owner]]
            for clause, owner in zip(self._encoding.clauses, self._encoding.owners, strict=True)
        ]


def _holds(solver: Asked, assumptions: list[int], budget: Budget | None) -> bool:
    answer = solver.ask(assumptions, budget)
    if answer is None:
        raise BudgetSpentError
    return answer

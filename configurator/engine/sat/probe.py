"""Solvers that are asked again and again: counted budgets, bounded memory, witnesses.

A solution found once is a witness for all its values, and stays one wherever the pins
agree with it. A solver that has learned much is made anew, so that its memory does not
grow for ever. Solvers run without the interpreter's lock; a pool hands each thread its
own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt
from pysat.solvers import Solver

from configurator.engine.sat.encoding import Encoding

SOLVER = "glucose4"
"""CaDiCaL 1.5.3's ``propagate`` gives wrong answers after clauses are added: kept out."""

WORN = 100_000
"""Conflicts after which a solver is made anew: it has learned about as many clauses."""

POOL = 4
"""Solvers of one product; a thread that finds none free waits."""

WITNESS_BYTES = 12_000_000
"""Memory for the witnesses of one solver."""

Bools = npt.NDArray[np.bool_]


@dataclass(slots=True)
class Budget:
    """What one answer may still cost: questions to the solver, and literals propagated.
    The solver looks at the latter only when it restarts, so that a little more is spent."""

    questions: int
    propagations: int

    @property
    def spent(self) -> bool:
        """Whether nothing is left."""
        return self.questions <= 0 or self.propagations <= 0


class BudgetSpentError(Exception):
    """The budget ran out before an answer was known."""


def ask(solver: Solver, assumptions: list[int], budget: Budget | None) -> bool | None:
    """Whether there is a solution; ``None`` where the budget ran out before it was known."""
    if budget is None:
        solver.prop_budget(-1)
        return bool(solver.solve_limited(assumptions=assumptions, expect_interrupt=True))
    if budget.spent:
        return None
    before = solver.accum_stats()["propagations"]
    solver.prop_budget(budget.propagations)
    found: bool | None = solver.solve_limited(assumptions=assumptions, expect_interrupt=True)
    budget.questions -= 1
    budget.propagations -= solver.accum_stats()["propagations"] - before
    return found


class Asked:
    """One solver over fixed clauses; for one thread at a time."""

    def __init__(self, clauses: list[list[int]]) -> None:
        self._clauses = clauses
        self._solver = Solver(name=SOLVER, bootstrap_with=clauses)

    def __del__(self) -> None:
        solver = getattr(self, "_solver", None)
        if solver is not None:
            solver.delete()

    def ask(self, assumptions: list[int], budget: Budget | None = None) -> bool | None:
        """See ``ask``."""
        if self._solver.accum_stats()["conflicts"] > WORN:
            self._solver.delete()
            self._solver = Solver(name=SOLVER, bootstrap_with=self._clauses)
        return ask(self._solver, assumptions, budget)

    def core(self) -> set[int]:
        """The assumptions of the last question that already leave no solution."""
        return set(self._solver.get_core() or ())

    def propagate(self, assumptions: list[int]) -> tuple[bool, list[int]]:
        """Whether unit propagation finds no contradiction, and what it implies."""
        consistent, implied = self._solver.propagate(assumptions=assumptions)
        return bool(consistent), implied

    def model(self, size: int) -> Bools:
        """Signs of the first ``size`` solver variables in the last solution."""
        signs: Bools = np.asarray(self._solver.get_model()[:size]) > 0
        return signs


class Probe(Asked):
    """A solver of a network that keeps its solutions as witnesses."""

    def __init__(self, encoding: Encoding) -> None:
        super().__init__(encoding.clauses)
        self._encoding = encoding
        values = len(encoding.packed)
        capacity = max(64, min(1024, WITNESS_BYTES // max(values, 1)))
        self._witnesses: Bools = np.zeros((capacity, values), dtype=np.bool_)
        self._filled = 0
        self._next = 0
        self._place = np.abs(encoding.packed) - 1
        self._positive = encoding.packed > 0

    def values(self) -> Bools:
        """The packed values of the last solution."""
        found: Bools = self.model(self._encoding.primary)[self._place] == self._positive
        return found

    def remember(self) -> Bools:
        """Keep the last solution as a witness."""
        values = self.values()
        self._witnesses[self._next] = values
        self._filled = max(self._filled, self._next + 1)
        self._next = (self._next + 1) % len(self._witnesses)
        return values

    def agreeing(self, held: list[int], barred: list[int] | None = None) -> Bools:
        """The witnesses that have all the packed values ``held`` and none of ``barred``."""
        witnesses = self._witnesses[: self._filled]
        if held:
            witnesses = witnesses[witnesses[:, held].all(axis=1)]
        if barred:
            witnesses = witnesses[~witnesses[:, barred].any(axis=1)]
        return witnesses

    def settle(
        self, assumptions: list[int], needed: Bools, valid: Bools, budget: Budget | None
    ) -> Bools:
        """Decide the needed values: those found are added to ``valid``; returns those the
        budget left undecided."""
        needed = needed.copy()
        if not needed.any():
            return needed
        _, implied = self.propagate(assumptions)
        primary = [literal for literal in implied if abs(literal) <= self._encoding.primary]
        if primary:
            signs = np.zeros(self._encoding.primary, dtype=np.int8)
            array = np.asarray(primary)
            signs[np.abs(array) - 1] = np.sign(array)
            sign_of = signs[self._place]
            needed &= ~((sign_of != 0) & ((sign_of > 0) != self._positive))
        waiting = np.flatnonzero(needed)
        while len(waiting):
            self._solver.set_phases(self._encoding.packed[waiting].tolist())
            first = waiting[0]
            answer = self.ask([*assumptions, int(self._encoding.packed[first])], budget)
            if answer is None:
                return needed
            if answer:
                found = self.remember()
                valid[waiting] |= found[waiting]
                needed &= ~found
            else:
                needed[first] = False
            waiting = np.flatnonzero(needed)
        return needed


One = TypeVar("One")


class Pool(Generic[One]):
    """Up to ``POOL`` of something costly to make, each used by one thread at a time. The
    one given back last is taken first: it is the best acquainted."""

    def __init__(self, make: Callable[[], One]) -> None:
        self._make = make
        self._free: list[One] = []
        self._made = 0
        self._changed = threading.Condition()

    @contextmanager
    def one(self) -> Iterator[One]:
        """One that nobody else uses now. Must not be asked for while holding one."""
        with self._changed:
            self._changed.wait_for(lambda: self._free or self._made < POOL)
            mine = self._free.pop() if self._free else None
            if mine is None:
                self._made += 1
        try:
            if mine is None:
                mine = self._make()
            yield mine
        finally:
            with self._changed:
                if mine is None:
                    self._made -= 1
                else:
                    self._free.append(mine)
                self._changed.notify()

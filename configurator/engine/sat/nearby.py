"""Which rules leave nothing: asked of the few clauses near one configuration.

A question about rules need not look at the whole product. A configuration that keeps
everything is bent until it takes what is wanted; a small solver holds the clauses met on the
way. Where that solver finds nothing, its clauses alone are the contradiction. Where it finds
something, every clause that reads a changed value is looked at: those that do not hold are
added and it is asked again; if there is none, everything holds. So every answer is exact, and
costs what has to change, not what there is (clauses are added on demand as abstractions are
refined by Clarke, Grumberg, Jha, Lu and Veith, JACM 2003).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt
from pysat.solvers import Solver

from configurator.engine.diagram.jit import kernel
from configurator.engine.network import BACKGROUND
from configurator.engine.sat.encoding import Encoding
from configurator.engine.sat.probe import SOLVER

FEW = 1_000
"""Clauses that may always be taken; beyond, at most one in ``MOST``."""

MOST = 4

ROUNDS = 100
"""How often one question may go back for more clauses."""

Ints = npt.NDArray[np.int32]
Places = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class Index:
    """Clauses as flat arrays, and where each literal occurs.

    Literal ``n`` is written ``2n`` here, ``-n`` is ``2n + 1``. The literals of clause ``c``
    are ``literals[start[c] : start[c + 1]]``, the clauses with literal ``n``
    ``occurs[first[n] : first[n + 1]]``.
    """

    def __init__(self, encoding: Encoding) -> None:
        clauses = encoding.clauses
        self.size = len(clauses)
        self.owner: Ints = np.asarray(encoding.owners, dtype=np.int32)
        lengths = np.fromiter(map(len, clauses), dtype=np.int64, count=self.size)
        signed = np.fromiter(chain.from_iterable(clauses), dtype=np.int64, count=int(lengths.sum()))
        self.literals: Ints = (2 * np.abs(signed) + (signed < 0)).astype(np.int32)
        self.start: Places = np.concatenate(([0], np.cumsum(lengths)))
        order = np.argsort(self.literals, kind="stable")
        self.occurs: Ints = np.repeat(np.arange(self.size, dtype=np.int32), lengths)[order]
        counts = np.bincount(self.literals, minlength=2 * encoding.top + 2)
        self.first: Places = np.concatenate(([0], np.cumsum(counts)))
        self._by_owner: Ints = np.argsort(self.owner, kind="stable").astype(np.int32)
        self._owners: Ints = self.owner[self._by_owner]

    def clauses_of(self, owners: Sequence[int]) -> Ints:
        """The clauses of some rules."""
        low = np.searchsorted(self._owners, owners, side="left")
        high = np.searchsorted(self._owners, owners, side="right")
        parts = [self._by_owner[a:b] for a, b in zip(low, high, strict=True)]
        return np.concatenate(parts) if parts else self._by_owner[:0]


class TooFarError(Exception):
    """What would have to change is no longer little."""


class Nearby:
    """Questions with the same literals given; for one thread at a time.

    ``base`` says of every solver variable (the first entry is nobody's) whether it holds in
    a configuration that keeps all clauses; the rules ``likely`` are looked at first.
    """

    def __init__(
        self,
        index: Index,
        base: Bools,
        owners: int,
        given: Sequence[int],
        likely: Sequence[int] = (),
    ) -> None:
        self._index = index
        self._base = base
        self._now = base.copy()
        self._solver = Solver(name=SOLVER)
        self._numbers = np.zeros(len(base), dtype=np.int64)  # variables as the solver has them
        self._variables: Places = np.zeros(1, dtype=np.int64)  # and back; 0 for a selector
        self._selectors: dict[int, int] = {}
        self._there = np.zeros(index.size, dtype=np.bool_)
        self.added = 0
        self._met: Ints = np.empty(index.size, dtype=np.int32)
        self._active = np.zeros(owners + 1, dtype=np.bool_)
        literals = np.asarray([2 * abs(each) + (each < 0) for each in given], dtype=np.int64)
        self._given: list[int] = self._numbered(literals).tolist()
        begin = index.clauses_of(likely)
        if len(begin) <= FEW:
            self._there[begin] = True
            self._add(begin)

    def __del__(self) -> None:
        solver = getattr(self, "_solver", None)
        if solver is not None:
            solver.delete()

    def core(self, first: int, later: Sequence[int]) -> tuple[int, ...] | None:
        """``None`` where something keeps the background, the rules ``0 .. first - 1`` and
        some ``later`` ones; else some of these rules that leave nothing. Raises
        ``TooFarError``."""
        active = self._active
        active[:first] = True
        active[first:] = False
        active[list(later)] = True
        active[BACKGROUND] = True
        for _ in range(ROUNDS):
            held = {each: owner for owner, each in self._selectors.items() if active[owner]}
            if not self._solver.solve(assumptions=[*self._given, *held]):
                return tuple(held[each] for each in self._solver.get_core() or () if each in held)
            met = self._not_kept(self._solver.get_model())
            if not len(met):
                return None
            self._add(met)
        raise TooFarError

    def _not_kept(self, model: list[int]) -> Ints:
        """The clauses to add where the solver's variables are as in its model, and all
        others as they were; none where everything holds."""
        signs = np.asarray(model[: len(self._variables) - 1]) > 0
        variables = self._variables[1 : len(signs) + 1]
        changed = variables[(variables > 0) & (self._base[variables] != signs)]
        index = self._index
        self._now[changed] = ~self._base[changed]
        found = clauses_to_add(
            changed,
            self._now,
            index.first,
            index.occurs,
            index.start,
            index.literals,
            index.owner,
            self._active,
            self._there,
            self._met,
        )
        self._now[changed] = self._base[changed]
        return self._met[:found]

    def _add(self, clauses: Ints) -> None:
        self.added += len(clauses)
        if self.added > max(FEW, self._index.size // MOST):
            raise TooFarError
        index = self._index
        starts, ends = index.start[clauses], index.start[clauses + 1]
        lengths = ends - starts
        places = np.repeat(ends - np.cumsum(lengths), lengths) + np.arange(lengths.sum())
        literals: list[int] = self._numbered(index.literals[places].astype(np.int64)).tolist()
        written, at = [], 0
        for owner, length in zip(index.owner[clauses].tolist(), lengths.tolist(), strict=True):
            clause = literals[at : at + length]
            at += length
            if owner != BACKGROUND:
                clause.append(-self._selector(owner))
            written.append(clause)
        self._solver.append_formula(written)

    def _selector(self, owner: int) -> int:
        found = self._selectors.get(owner)
        if found is None:
            found = self._selectors[owner] = len(self._variables)
            self._variables = np.append(self._variables, 0)
        return found

    def _numbered(self, literals: Places) -> Places:
        """Literals as the solver has them."""
        variables = literals >> 1
        unknown = np.unique(variables[self._numbers[variables] == 0])
        numbers = np.arange(len(unknown)) + len(self._variables)
        self._numbers[unknown] = numbers
        self._variables = np.concatenate((self._variables, unknown))
        self._solver.set_phases(np.where(self._base[unknown], numbers, -numbers).tolist())
        found = self._numbers[variables]
        signed: Places = np.where(literals & 1, -found, found)
        return signed


@kernel
def clauses_to_add(
    changed: Places,
    now: Bools,
    first: Places,
    occurs: Ints,
    start: Places,
    literals: Ints,
    owner: Ints,
    active: Bools,
    there: Bools,
    met: Ints,
) -> int:
    """Write into ``met`` the clauses to add, mark them as ``there``, and say how many.

    Where every clause with an active owner holds, there are none. Else they are those that
    read a changed variable and do not hold, or by one literal only: what that one depends on
    would be asked for next. Those that are ``there`` are known to hold.
    """
    found = 0
    broken = 0
    for variable in changed:
        false = 2 * variable + 1 if now[variable] else 2 * variable
        for occurrence in range(first[false], first[false + 1]):
            clause = occurs[occurrence]
            if there[clause] or not active[owner[clause]]:
                continue
            holding = 0
            for at in range(start[clause], start[clause + 1]):
                literal = literals[at]
                if now[literal >> 1] != bool(literal & 1):
                    holding += 1
                    if holding > 1:
                        break
            if holding <= 1:
                there[clause] = True
                met[found] = clause
                found += 1
                broken += holding == 0
    if broken == 0:
        for k in range(found):
            there[met[k]] = False
        return 0
    return found

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

FEW = 2_000
"""Clauses that may always be taken; beyond, at most one in ``MOST``: adding more costs as
much as asking the whole solver."""

MOST = 40

ROUNDS = 100
"""How often one question may go back for more clauses."""

Ints = npt.NDArray[np.int32]
Places = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.int8]

MET, ADDED = 1, 2
"""What a clause is to a question: looked at in this round, in the small solver."""


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

    def clauses_of(self, owners: Sequence[int], most: int) -> Ints:
        """The clauses of some rules; none where they are more than ``most``."""
        low = np.searchsorted(self._owners, owners, side="left")
        high = np.searchsorted(self._owners, owners, side="right")
        if not len(low) or int((high - low).sum()) > most:
            return self._by_owner[:0]
        return np.concatenate([self._by_owner[a:b] for a, b in zip(low, high, strict=True)])


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
        # What the solver's numbers stand for: a variable (else 0) or a rule (else BACKGROUND).
        self._variables: Places = np.zeros(1, dtype=np.int64)
        self._rules: Places = np.full(1, BACKGROUND, dtype=np.int64)
        self._numbers: Places = np.zeros(len(base), dtype=np.int64)  # of variables; 0: none
        self._selectors: Places = np.zeros(owners + 1, dtype=np.int64)  # of rules
        self._there: Bytes = np.zeros(index.size, dtype=np.int8)
        self._changed: Places = np.empty(len(base), dtype=np.int64)
        self.added = 0
        self._met: Ints = np.empty(index.size, dtype=np.int32)
        self._active = np.zeros(owners + 1, dtype=np.bool_)
        literals = np.asarray([2 * abs(each) + (each < 0) for each in given], dtype=np.int64)
        self._given: list[int] = self._numbered(literals).tolist()
        begin = index.clauses_of(likely, FEW)
        self._there[begin] = ADDED
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
            held = np.flatnonzero((self._rules != BACKGROUND) & active[self._rules])
            if not self._solver.solve(assumptions=[*self._given, *held.tolist()]):
                blamed = self._rules[np.abs(np.asarray(self._solver.get_core() or (0,)))]
                return tuple(blamed[blamed != BACKGROUND].tolist())
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
        index, now = self._index, self._now
        self._changed[: len(changed)] = changed
        now[changed] = ~self._base[changed]
        found, many = clauses_to_add(
            self._changed,
            len(changed),
            self._base,
            now,
            self._numbers,
            index.first,
            index.occurs,
            index.start,
            index.literals,
            index.owner,
            self._active,
            self._there,
            self._met,
        )
        now[self._changed[:many]] = self._base[self._changed[:many]]
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
        owners = index.owner[clauses]
        new = np.unique(owners[(owners != BACKGROUND) & (self._selectors[owners] == 0)])
        self._selectors[new] = self._name(np.zeros_like(new), new)
        written, at = [], 0
        for selector, length in zip(
            self._selectors[owners].tolist(), lengths.tolist(), strict=True
        ):
            clause = literals[at : at + length]
            at += length
            if selector:
                clause.append(-selector)
            written.append(clause)
        self._solver.append_formula(written)

    def _name(self, variables: Places, rules: Places) -> Places:
        """New numbers of the solver, and what they stand for."""
        before = len(self._variables)
        self._variables = np.concatenate((self._variables, variables))
        self._rules = np.concatenate((self._rules, rules))
        return np.arange(before, len(self._variables))

    def _numbered(self, literals: Places) -> Places:
        """Literals as the solver has them."""
        variables = literals >> 1
        unknown = np.unique(variables[self._numbers[variables] == 0])
        numbers = self._name(unknown, np.full_like(unknown, BACKGROUND))
        self._numbers[unknown] = numbers
        self._solver.set_phases(np.where(self._base[unknown], numbers, -numbers).tolist())
        found = self._numbers[variables]
        signed: Places = np.where(literals & 1, -found, found)
        return signed


@kernel
def clauses_to_add(
    changed: Places,
    many: int,
    base: Bools,
    now: Bools,
    numbers: Places,
    first: Places,
    occurs: Ints,
    start: Places,
    literals: Ints,
    owner: Ints,
    active: Bools,
    there: Bytes,
    met: Ints,
) -> tuple[int, int]:
    """Write into ``met`` the clauses to add, mark them in ``there``, and say how many.

    The first ``many`` of ``changed`` are the variables that are ``now`` otherwise than in the
    ``base``. A clause that does not hold, and that just one variable without a number in the
    solver can mend, has it changed too; the second result counts all that were. Where in the
    end every clause with an active owner holds, there is none to add. Else they are those
    that did not hold on the way, or by one literal only: what that one depends on would be
    asked for next. Those ``there`` before are known to hold.
    """
    found = 0
    failed = 0
    at = 0
    while at < many:
        variable = changed[at]
        at += 1
        false = 2 * variable + 1 if now[variable] else 2 * variable
        for occurrence in range(first[false], first[false + 1]):
            clause = occurs[occurrence]
            if there[clause] == ADDED or not active[owner[clause]]:
                continue
            holding = 0
            free = 0
            mending = 0
            for k in range(start[clause], start[clause + 1]):
                each = literals[k] >> 1
                if now[each] != bool(literals[k] & 1):
                    holding += 1
                    if holding > 1:
                        break
                elif numbers[each] == 0 and now[each] == base[each]:
                    free += 1
                    mending = each
            if holding > 1:
                continue
            if there[clause] == 0:
                there[clause] = MET
                met[found] = clause
                found += 1
            if holding == 0:
                if free == 1:
                    now[mending] = not now[mending]
                    changed[many] = mending
                    many += 1
                else:
                    failed += 1
    for k in range(found):
        there[met[k]] = ADDED if failed else 0
    return found if failed else 0, many

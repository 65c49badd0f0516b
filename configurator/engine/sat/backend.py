"""Incremental SAT with witnesses: the backend for everything that does not compile.

A solution found once is a witness for all its values, and stays one wherever the pins
agree with it; only values without a witness cost a solver call, and its phases are set
towards them. Which witnesses happen to be there changes the time taken, never an answer.
"""

from __future__ import annotations

import itertools
import math
import threading

import numpy as np
import numpy.typing as npt
from pysat.solvers import Solver

from configurator.engine.backend import Core, Marginals, Pins
from configurator.engine.network import BACKGROUND, Network
from configurator.engine.sat.branching import Branching
from configurator.engine.sat.costs import CostBounds
from configurator.engine.sat.counting import count_part, independent_parts
from configurator.engine.sat.encoding import Encoding
from configurator.engine.sat.optimum import CostClauses, Search

SOLVER = "glucose4"
"""CaDiCaL 1.5.3's ``propagate`` gives wrong answers after clauses are added: kept out."""

WITNESS_BYTES = 24_000_000
SMALL_VALUES = 700
"""Networks with at most so many values get proven lowest totals for every option."""

CORES = 600
"""Cores one such question may take before bounds are left as bounds."""

AMOUNTS = 600
"""Different amounts all charges together may have for core-guided search."""

SUBSETS = 120
"""Sets of pins of one size that are given up in search of least changes."""

COUNTED = 500
"""Configurations counted one by one for one answer."""

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


class SatBackend:
    """See the module; implements ``Backend`` and ``Reasoner``."""

    name = "sat"

    def __init__(self, network: Network) -> None:
        self._network = network
        self._encoding = Encoding(network)
        self._offsets = self._encoding.offsets
        self._sizes = self._encoding.sizes
        self._costs = CostBounds(network)
        self._lock = threading.RLock()
        self._solver = Solver(name=SOLVER, bootstrap_with=self._encoding.clauses)
        self._reasoner: Solver | None = None
        self._selectors: list[int] = []
        self._charges: CostClauses | None = None
        self._values = int(self._offsets[-1])
        capacity = max(64, min(1024, WITNESS_BYTES // max(self._values, 1)))
        self._witnesses: Bools = np.zeros((capacity, self._values), dtype=np.bool_)
        self._filled = 0
        self._next = 0
        self._place = np.abs(self._encoding.packed) - 1
        self._positive = self._encoding.packed > 0
        self._roots: dict[Pins, Bools | None] = {}
        amounts = sum(len(set(function.costs)) - 1 for function in network.costs)
        self._few_amounts = amounts <= AMOUNTS
        self._small = self._values <= SMALL_VALUES and self._few_amounts
        self._branching: Branching | None = None

    # --- valid values -----------------------------------------------------------------

    def marginals(
        self, pins: Pins, *, changes: bool = False, fixed: Pins = (), settle: bool = True
    ) -> Marginals:
        """See ``Backend``."""
        with self._lock:
            every = tuple(sorted((*pins, *fixed)))
            root = self._root(fixed)
            valid = None if root is None else self._valid(every, root)
            consistent = valid is not None
            if valid is None:
                valid = np.zeros(self._values, dtype=np.bool_)
            lowest, exact = self._lowest(every, valid)
            needed = repaired = sure = None
            if changes:
                known = np.zeros(self._values, dtype=np.bool_) if root is None else root
                needed, repaired, sure = self._changes(pins, fixed, known, valid, lowest, exact)
            return Marginals(
                consistent,
                valid,
                np.zeros(self._values, dtype=np.bool_),
                lowest,
                exact,
                needed,
                repaired,
                sure,
            )

    def _root(self, fixed: Pins) -> Bools | None:
        """What is valid before anything is chosen."""
        if fixed not in self._roots:
            everything = np.ones(self._values, dtype=np.bool_)
            if len(self._roots) > 256:
                self._roots.clear()
            self._roots[fixed] = self._valid(fixed, everything)
        return self._roots[fixed]

    def _literal(self, pin: tuple[int, int]) -> int:
        return self._encoding.literals[pin[0]][pin[1]]

    def _packed(self, pin: tuple[int, int]) -> int:
        return int(self._offsets[pin[0]]) + pin[1]

    def _valid(self, pins: Pins, candidates: Bools) -> Bools | None:
        """The candidates that some configuration with the pins has; ``None``: there is
        none. ``candidates`` holds at least all valid values."""
        assumptions = [self._literal(pin) for pin in pins]
        held = [self._packed(pin) for pin in pins]
        witnesses = self._witnesses[: self._filled]
        agreeing = witnesses[witnesses[:, held].all(axis=1)] if held else witnesses
        supported: Bools = np.asarray(agreeing.any(axis=0))
        if not len(agreeing):
            if not self._solver.solve(assumptions=assumptions):
                return None
            supported = supported | self._remember()
        valid: Bools = candidates & supported
        needed = candidates & ~supported
        for variable, value in pins:
            start = int(self._offsets[variable])
            needed[start : start + self._sizes[variable]] = False
            valid[start : start + self._sizes[variable]] = False
            valid[start + value] = True
        self._settle(assumptions, needed, valid)
        return valid

    def _settle(self, assumptions: list[int], needed: Bools, valid: Bools) -> None:
        """Decide every needed value: a witness, or none."""
        if not needed.any():
            return
        _, implied = self._solver.propagate(assumptions=assumptions)
        primary = [lit for lit in implied if abs(lit) <= self._encoding.primary]
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
            literal = int(self._encoding.packed[first])
            if self._solver.solve(assumptions=[*assumptions, literal]):
                found = self._remember()
                valid[waiting] |= found[waiting]
                needed &= ~found
            else:
                needed[first] = False
            waiting = np.flatnonzero(needed)

    def _remember(self) -> Bools:
        """Keep the solver's last solution as a witness."""
        model = np.asarray(self._solver.get_model()[: self._encoding.primary]) > 0
        values: Bools = model[self._place] == self._positive
        self._witnesses[self._next] = values
        self._filled = max(self._filled, self._next + 1)
        self._next = (self._next + 1) % len(self._witnesses)
        return values

    # --- totals -----------------------------------------------------------------------

    def _lowest(self, pins: Pins, valid: Bools) -> tuple[Ints, Bools]:
        """Lowest totals: proven for small networks, else bounds."""
        if not valid.any():
            return np.full(self._values, -1, dtype=np.int64), np.ones(self._values, dtype=np.bool_)
        bounds = self._costs.lowest(valid)
        if not self._costs.any:
            return bounds, np.ones(self._values, dtype=np.bool_)
        exact = ~valid
        if not self._small:
            return bounds, exact
        search = self._search(CORES)
        try:
            self._prove(search, pins, valid, bounds, exact)
        finally:
            search.close()
        if not self._costs.exact:
            exact &= ~valid
        return bounds, exact

    def _search(self, cores: int | None) -> Search:
        if self._charges is None:
            self._charges = CostClauses(self._encoding, self._costs)
        return Search(self._encoding, self._charges, cores)

    def _prove(
        self,
        search: Search,
        pins: Pins,
        valid: Bools,
        bounds: Ints,
        exact: Bools,
    ) -> None:
        """Raise each bound until a configuration reaches it, cheapest first."""
        assumptions = [self._literal(pin) for pin in pins]
        best = search.start
        if search.minimise(assumptions, best) is None:
            np.maximum(bounds, best.proven, out=bounds, where=valid)
            return
        np.maximum(bounds, best.proven, out=bounds, where=valid)
        self._reached(search, valid, bounds, exact, best.proven)
        for index in np.flatnonzero(valid & ~exact):
            if exact[index]:
                continue
            softs = best.copy()
            literal = int(self._encoding.packed[index])
            if search.minimise([*assumptions, literal], softs) is None:
                bounds[index] = max(bounds[index], softs.proven)
                return
            bounds[index] = softs.proven
            exact[index] = True
            self._reached(search, valid, bounds, exact, softs.proven)

    def _reached(
        self,
        search: Search,
        valid: Bools,
        bounds: Ints,
        exact: Bools,
        total: int,
    ) -> None:
        """Options of the solution just found whose bound is its total are proven too."""
        values = search.model()[self._place] == self._positive
        proven = values & valid & (bounds >= total)
        exact |= proven

    def cheapest(self, pins: Pins) -> tuple[int, ...] | None:
        """See ``Backend``."""
        with self._lock:
            if not self._few_amounts:
                root = self._root(())
                if root is None:
                    return None
                if self._branching is None:
                    self._branching = Branching(self._encoding, self._costs, self._solver, root)
                return self._branching.first_cheapest([self._literal(pin) for pin in pins])
            search = self._search(None)
            try:
                return self._first_cheapest(search, pins)
            finally:
                search.close()

    def _first_cheapest(self, search: Search, pins: Pins) -> tuple[int, ...] | None:
        """The cheapest, then the smallest value of each variable in turn."""
        assumptions = [self._literal(pin) for pin in sorted(pins)]
        softs = search.start
        if not search.minimise(assumptions, softs):
            return None
        current = search.model()
        values: list[int] = []
        for row in self._encoding.literals:
            taken = next(
                value for value, lit in enumerate(row) if current[abs(lit) - 1] == (lit > 0)
            )
            for value in range(taken):
                if search.possible([*assumptions, row[value]], softs):
                    current = search.model()
                    taken = value
                    break
            values.append(taken)
            assumptions.append(row[taken])
        return tuple(values)

    # --- changes ----------------------------------------------------------------------

    def _changes(
        self, pins: Pins, fixed: Pins, root: Bools, valid: Bools, lowest: Ints, exact: Bools
    ) -> tuple[Ints, Ints, Bools]:
        """Least pins to give up, what is then the lowest total, and whether that is proven.

        A pinned variable's other values come first: giving up its own pin. Small
        networks are searched for more; what is not found is not known (-2).
        """
        needed = np.where(root, np.int64(-2), np.int64(-1))
        repaired: Ints = np.full(self._values, -1, dtype=np.int64)
        sure = exact.copy()
        needed[valid] = 0
        repaired[valid] = lowest[valid]
        for pin in pins:
            rest = tuple(sorted((*(each for each in pins if each != pin), *fixed)))
            others = root & self._own(pin) & ~valid
            if others.any():
                found = self._possible_with(rest, others)
                needed[found] = 1
                self._reprice(rest, root, found, repaired, sure)
        for given_up in range(1, len(pins)):
            subsets = math.comb(len(pins), given_up)
            if not self._small or subsets > SUBSETS or not (needed == -2).any():
                break
            for gone in itertools.combinations(pins, given_up):
                kept = [each for each in pins if each not in gone]
                rest = tuple(sorted((*kept, *fixed)))
                found = self._possible_with(rest, needed == -2)
                needed[found] = given_up
        if self._small and math.comb(len(pins), max(len(pins) - 1, 0)) <= SUBSETS:
            self._last_resort(pins, needed)
        return needed, repaired, sure

    def _last_resort(self, pins: Pins, needed: Ints) -> None:
        """Where every smaller number was tried, only giving up everything is left."""
        if all(math.comb(len(pins), k) <= SUBSETS for k in range(1, len(pins))):
            needed[needed == -2] = len(pins)

    def _reprice(self, pins: Pins, root: Bools, found: Bools, repaired: Ints, sure: Bools) -> None:
        """Lowest totals of the values found, under these pins."""
        bounds = self._costs.lowest(self._bounding(pins, root))
        repaired[found] = bounds[found]
        sure[found] = not self._costs.any
        if not self._small or not self._costs.any:
            return
        search = self._search(CORES)
        try:
            assumptions = [self._literal(pin) for pin in pins]
            for index in np.flatnonzero(found):
                softs = search.start.copy()
                literal = int(self._encoding.packed[index])
                if search.minimise([*assumptions, literal], softs) is None:
                    break
                repaired[index] = softs.proven
                sure[index] = self._costs.exact
        finally:
            search.close()

    def _own(self, pin: tuple[int, int]) -> Bools:
        own = np.zeros(self._values, dtype=np.bool_)
        start = int(self._offsets[pin[0]])
        own[start : start + self._sizes[pin[0]]] = True
        return own

    def _bounding(self, pins: Pins, root: Bools) -> Bools:
        """The values left by pins alone, for a bound."""
        left = root.copy()
        for pin in pins:
            left[self._own(pin)] = False
            left[self._packed(pin)] = True
        return left

    def _possible_with(self, pins: Pins, wanted: Bools) -> Bools:
        """Which of the wanted values some configuration with the pins has."""
        assumptions = [self._literal(pin) for pin in pins]
        held = [self._packed(pin) for pin in pins]
        witnesses = self._witnesses[: self._filled]
        agreeing = witnesses[witnesses[:, held].all(axis=1)] if held else witnesses
        found: Bools = wanted & agreeing.any(axis=0)
        needed = wanted & ~found
        self._settle(assumptions, needed, found)
        return found & wanted

    # --- counting ---------------------------------------------------------------------

    def count(self, pins: Pins, limit: int = COUNTED) -> tuple[int, bool]:
        """See ``Backend``: independent parts are multiplied, each counted one by one as
        long as ``limit`` configurations in all allow."""
        with self._lock:
            root = self._root(())
            valid = None if root is None else self._valid(tuple(sorted(pins)), root)
            if valid is None:
                return 0, True
            number, exact = 1, True
            joined: list[list[int]] = []
            for part in independent_parts(self._encoding, valid):
                if len(part) == 1:
                    number *= self._answers_of(part[0], valid)
                else:
                    joined.append(part)
            if not joined:
                return number, True
            solver = Solver(name=SOLVER, bootstrap_with=self._encoding.clauses)
            try:
                assumptions = [self._literal(pin) for pin in pins]
                for turn, part in enumerate(joined):
                    switch = self._encoding.top + 1 + turn
                    several, found = count_part(
                        self._encoding, solver, assumptions, part, switch, limit
                    )
                    limit = max(limit - found, 0)
                    exact = exact and several is not None
                    number *= max(found, 1) if several is None else several
                return number, exact
            finally:
                solver.delete()

    def _answers_of(self, variable: int, valid: Bools) -> int:
        start = int(self._offsets[variable])
        flags = valid[start : start + self._sizes[variable]]
        multiplicity = self._network.variables[variable].multiplicity
        return sum(m for m, ok in zip(multiplicity, flags, strict=True) if ok)

    # --- reasons ----------------------------------------------------------------------

    def core(
        self, pins: Pins, owners: tuple[int, ...] | None = None, barred: Pins = ()
    ) -> Core | None:
        """See ``Reasoner``."""
        with self._lock:
            given = [self._literal(pin) for pin in pins]
            assumptions = [*given, *(-self._literal(pin) for pin in barred)]
            solver = self._solver
            if owners is not None:
                solver = self._with_selectors()
                assumptions += [self._selectors[owner] for owner in owners]
            if solver.solve(assumptions=assumptions):
                return None
            blamed = set(solver.get_core() or ())
            return (
                tuple(pin for pin, lit in zip(pins, given, strict=True) if lit in blamed),
                tuple(owner for owner in owners or () if self._selectors[owner] in blamed),
            )

    def _with_selectors(self) -> Solver:
        """A second solver in which each rule's clauses wait for its selector."""
        if self._reasoner is None:
            top = self._encoding.top
            self._selectors = [top + 1 + k for k in range(len(self._network.owners))]
            self._reasoner = Solver(name=SOLVER)
            for clause, owner in zip(self._encoding.clauses, self._encoding.owners, strict=True):
                if owner == BACKGROUND:
                    self._reasoner.add_clause(clause)
                else:
                    self._reasoner.add_clause([*clause, -self._selectors[owner]])
        return self._reasoner

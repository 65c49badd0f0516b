"""Incremental SAT with witnesses: the backend for everything that does not compile.

Only values without a witness cost a solver call, and its phases are set towards them.
Which witnesses happen to be there, and which solver of the pool answers, changes the
time taken, never what is decided.
"""

from __future__ import annotations

import itertools
import math
import threading
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pysat.solvers import Solver

from configurator.engine.backend import Core, Marginals, Pins, RuleCore
from configurator.engine.network import Network
from configurator.engine.proving import Prover
from configurator.engine.sat.branching import Branching, SearchEndedError
from configurator.engine.sat.costs import CostBounds
from configurator.engine.sat.counting import count_part, independent_parts
from configurator.engine.sat.encoding import Encoding
from configurator.engine.sat.optimum import CostClauses, Search
from configurator.engine.sat.probe import SOLVER, Budget, Pool, Probe
from configurator.engine.sat.reasoning import Reasoning

QUESTIONS = 40
PROPAGATIONS = 400_000
"""What an answer that need not be settled may cost: questions to the solver, and literals
propagated in them."""

FIRST_CORES = 40
"""Cores the lowest totals of such an answer may take."""

SMALL_VALUES = 700
"""Networks with at most so many values get proven lowest totals for every option."""

CORES = 600
"""Cores one such question may take before bounds are left as bounds."""

CHEAPEST_CORES = 5_000
"""Cores the search for one cheapest configuration may take."""

AMOUNTS = 600
"""Different amounts all charges together may have for core-guided search."""

SUBSETS = 120
"""Sets of pins of one size that are given up in search of least changes."""

COUNTED = 500
"""Configurations counted one by one for one answer."""

ROOTS = 256
"""Answers before any choice that are kept, one for each set of told facts."""

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Known:
    """Values that some configuration has, and those not decided yet."""

    valid: Bools
    undecided: Bools

    @property
    def possible(self) -> Bools:
        """All that may be valid."""
        both: Bools = self.valid | self.undecided
        return both

    @property
    def settled(self) -> bool:
        """Whether everything is decided."""
        return not self.undecided.any()


class SatBackend:
    """See the module; implements ``Backend`` and ``Reasoner``."""

    at_once = False

    def __init__(self, network: Network, prover: Prover | None = None) -> None:
        """``prover`` is asked for the lowest total where search does not prove it."""
        self.name = "sat" if prover is None else "sat+ortools"
        self._prover = prover
        self._network = network
        self._encoding = Encoding(network)
        self._offsets = self._encoding.offsets
        self._sizes = self._encoding.sizes
        self._costs = CostBounds(network)
        self._lock = threading.Lock()
        self._probes = Pool(lambda: Probe(self._encoding))
        self._reasoning = Reasoning(self._encoding, len(network.owners), self._probes)
        self._charges: CostClauses | None = None
        self._values = int(self._offsets[-1])
        self._place = np.abs(self._encoding.packed) - 1
        self._positive = self._encoding.packed > 0
        self._roots: dict[Pins, Known | None] = {}
        amounts = sum(len(set(function.costs)) - 1 for function in network.costs)
        self._few_amounts = amounts <= AMOUNTS
        self._small = self._values <= SMALL_VALUES and self._few_amounts

    # --- valid values -----------------------------------------------------------------

    def marginals(
        self,
        pins: Pins,
        *,
        changes: bool = False,
        fixed: Pins = (),
        settle: bool = True,
        totals: bool = True,
    ) -> Marginals:
        """See ``Backend``."""
        budget = None if settle else Budget(QUESTIONS, PROPAGATIONS)
        nothing = np.zeros(self._values, dtype=np.bool_)
        with self._probes.one() as probe:
            every = tuple(sorted((*pins, *fixed)))
            root = self._root(probe, fixed, settle and changes)
            found = None if root is None else self._known(probe, every, root.possible, budget)
            known = found or Known(nothing, nothing)
            lowest, exact = self._lowest(every, known, budget)
            needed = repaired = sure = None
            if changes:
                needed, repaired, sure = self._changes(
                    probe,
                    pins,
                    fixed,
                    root or Known(nothing, nothing),
                    known,
                    lowest,
                    exact,
                    budget,
                )
            return Marginals(
                found is not None,
                known.valid,
                known.undecided,
                lowest,
                exact,
                needed,
                repaired,
                sure,
            )

    def _root(self, probe: Probe, fixed: Pins, settle: bool) -> Known | None:
        """What is valid before anything is chosen."""
        with self._lock:
            there = fixed in self._roots
            known = self._roots.get(fixed)
        if there and (known is None or known.settled or not settle):
            return known
        candidates = np.ones(self._values, dtype=np.bool_) if known is None else known.possible
        budget = None if settle else Budget(QUESTIONS, PROPAGATIONS)
        known = self._known(probe, fixed, candidates, budget)
        with self._lock:
            if len(self._roots) >= ROOTS:
                self._roots.clear()
            self._roots[fixed] = known
        return known

    def _literal(self, pin: tuple[int, int]) -> int:
        return self._encoding.literals[pin[0]][pin[1]]

    def _packed(self, pin: tuple[int, int]) -> int:
        return int(self._offsets[pin[0]]) + pin[1]

    def _known(
        self, probe: Probe, pins: Pins, candidates: Bools, budget: Budget | None
    ) -> Known | None:
        """The candidates that some configuration with the pins has; ``None``: there is
        none. ``candidates`` holds at least all valid values. Whether there is any
        configuration is decided whatever the budget."""
        assumptions = [self._literal(pin) for pin in pins]
        agreeing = probe.agreeing([self._packed(pin) for pin in pins])
        supported: Bools = np.asarray(agreeing.any(axis=0))
        if not len(agreeing):
            if not probe.ask(assumptions):
                return None
            supported = supported | probe.remember()
        valid: Bools = candidates & supported
        needed = candidates & ~supported
        for variable, value in pins:
            start = int(self._offsets[variable])
            needed[start : start + self._sizes[variable]] = False
            valid[start : start + self._sizes[variable]] = False
            valid[start + value] = True
        undecided = probe.settle(assumptions, needed, valid, budget)
        return Known(valid, undecided)

    # --- totals -----------------------------------------------------------------------

    def _lowest(self, pins: Pins, known: Known, budget: Budget | None) -> tuple[Ints, Bools]:
        """Lowest totals: proven for small networks, else bounds."""
        valid = known.valid
        if not valid.any():
            return np.full(self._values, -1, dtype=np.int64), np.ones(self._values, dtype=np.bool_)
        bounds = np.where(valid, self._costs.lowest(known.possible), np.int64(-1))
        if not self._costs.any:
            return bounds, np.ones(self._values, dtype=np.bool_)
        exact = ~valid
        if self._small:
            with self._search(CORES if budget is None else FIRST_CORES, budget) as search:
                self._prove(search, pins, valid, bounds, exact)
        if budget is None and not (exact & valid & (bounds == bounds[valid].min())).any():
            self._ask_prover(pins, valid, bounds, exact)
        if not self._costs.exact:
            exact &= ~valid
        return bounds, exact

    def _ask_prover(self, pins: Pins, valid: Bools, bounds: Ints, exact: Bools) -> None:
        """The lowest total of all, which every other option costs at least."""
        found = None if self._prover is None else self._prover.cheapest(pins)
        if found is None:
            return
        values = np.asarray(found, dtype=np.int64)
        total = self._costs.total(values)
        np.maximum(bounds, total, out=bounds, where=valid)
        exact[self._offsets[:-1] + values] = True

    def _search(self, cores: int, budget: Budget | None) -> Search:
        """A search for one answer, to be closed."""
        with self._lock:
            if self._charges is None:
                self._charges = CostClauses(self._encoding, self._costs)
        return Search(self._encoding, self._charges, cores, budget)

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
        """See ``Backend``. Where a counted search does not prove the cheapest, each
        variable in turn takes the value that costs least of those still possible."""
        pins = tuple(sorted(pins))
        with self._probes.one() as probe:
            if not probe.ask([self._literal(pin) for pin in pins]):
                return None
            root = None if self._few_amounts else self._root(probe, (), settle=True)
        found = self._proven_cheapest(pins) if root is None else self._branched(pins, root)
        if found is None:
            with self._probes.one() as probe:
                found = self._first_good(probe, pins)
        return found

    def _proven_cheapest(self, pins: Pins) -> tuple[int, ...] | None:
        """The cheapest, then the smallest value of each variable in turn; ``None`` where
        the cores of one search do not prove it."""
        assumptions = [self._literal(pin) for pin in pins]
        with self._search(CHEAPEST_CORES, None) as search:
            softs = search.start
            if not search.minimise(assumptions, softs):
                return None
            current = search.model()
            values: list[int] = []
            for row in self._encoding.literals:
                taken = _taken(row, current)
                for value in range(taken):
                    if search.possible([*assumptions, row[value]], softs):
                        current = search.model()
                        taken = value
                        break
                values.append(taken)
                assumptions.append(row[taken])
        return tuple(values)

    def _branched(self, pins: Pins, root: Known) -> tuple[int, ...] | None:
        """The same by branch and bound."""
        branching = Branching(self._encoding, self._costs, Probe(self._encoding), root.valid)
        try:
            return branching.first_cheapest([self._literal(pin) for pin in pins])
        except SearchEndedError:
            return None

    def _first_good(self, probe: Probe, pins: Pins) -> tuple[int, ...]:
        """A configuration that is good where none is proven to be the cheapest."""
        given = [self._literal(pin) for pin in pins]
        probe.ask(given)
        current = probe.model(self._encoding.primary)
        values: list[int] = []
        for variable, row in enumerate(self._encoding.literals):
            taken = _taken(row, current)
            start = int(self._offsets[variable])
            costs = self._costs.unary[start : start + len(row)].tolist()
            for value in sorted(range(len(row)), key=lambda value: (costs[value], value)):
                if value == taken:
                    break
                if probe.ask([*given, row[value]]):
                    current = probe.model(self._encoding.primary)
                    taken = value
                    break
            values.append(taken)
            given.append(row[taken])
        return tuple(values)

    # --- changes ----------------------------------------------------------------------

    def _changes(
        self,
        probe: Probe,
        pins: Pins,
        fixed: Pins,
        root: Known,
        known: Known,
        lowest: Ints,
        exact: Bools,
        budget: Budget | None,
    ) -> tuple[Ints, Ints, Bools]:
        """Least pins to give up, what is then the lowest total, and whether that is proven.

        A pinned variable's other values come first: giving up its own pin. Small
        networks are searched for more, where all is settled; what is not found is not
        known (-2).
        """
        needed = np.where(root.possible, np.int64(-2), np.int64(-1))
        repaired: Ints = np.full(self._values, -1, dtype=np.int64)
        sure = exact.copy()
        needed[known.valid] = 0
        repaired[known.valid] = lowest[known.valid]
        for pin in pins:
            rest = tuple(sorted((*(each for each in pins if each != pin), *fixed)))
            others = root.possible & self._own(pin) & ~known.valid
            if others.any():
                found = self._possible_with(probe, rest, others, budget)
                needed[found] = 1
                self._reprice(rest, root.possible, found, repaired, sure, budget)
        if budget is not None:
            return needed, repaired, sure
        for given_up in range(1, len(pins)):
            subsets = math.comb(len(pins), given_up)
            if not self._small or subsets > SUBSETS or not (needed == -2).any():
                break
            for gone in itertools.combinations(pins, given_up):
                kept = [each for each in pins if each not in gone]
                rest = tuple(sorted((*kept, *fixed)))
                found = self._possible_with(probe, rest, needed == -2, None)
                needed[found] = given_up
        if self._small and math.comb(len(pins), max(len(pins) - 1, 0)) <= SUBSETS:
            self._last_resort(pins, needed)
        return needed, repaired, sure

    def _last_resort(self, pins: Pins, needed: Ints) -> None:
        """Where every smaller number was tried, only giving up everything is left."""
        if all(math.comb(len(pins), k) <= SUBSETS for k in range(1, len(pins))):
            needed[needed == -2] = len(pins)

    def _reprice(
        self,
        pins: Pins,
        root: Bools,
        found: Bools,
        repaired: Ints,
        sure: Bools,
        budget: Budget | None,
    ) -> None:
        """Lowest totals of the values found, under these pins."""
        bounds = self._costs.lowest(self._bounding(pins, root))
        repaired[found] = bounds[found]
        sure[found] = not self._costs.any
        if not self._small or not self._costs.any:
            return
        with self._search(CORES if budget is None else FIRST_CORES, budget) as search:
            assumptions = [self._literal(pin) for pin in pins]
            for index in np.flatnonzero(found):
                softs = search.start.copy()
                literal = int(self._encoding.packed[index])
                if search.minimise([*assumptions, literal], softs) is None:
                    break
                repaired[index] = softs.proven
                sure[index] = self._costs.exact

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

    def possible_with(self, pins: Pins, wanted: Bools) -> Bools:
        """Which of some values (packed) a configuration with the pins has."""
        with self._probes.one() as probe:
            return self._possible_with(probe, pins, wanted, None)

    def some(self, pins: Pins) -> tuple[int, ...] | None:
        """A configuration with the pins, one value per variable; ``None``: there is none."""
        with self._probes.one() as probe:
            if not probe.ask([self._literal(pin) for pin in pins]):
                return None
            taken = np.flatnonzero(probe.remember()) - self._offsets[:-1]
        return tuple(int(value) for value in taken)

    def _possible_with(
        self, probe: Probe, pins: Pins, wanted: Bools, budget: Budget | None
    ) -> Bools:
        """Which of the wanted values some configuration with the pins has, as far as the
        budget goes."""
        assumptions = [self._literal(pin) for pin in pins]
        agreeing = probe.agreeing([self._packed(pin) for pin in pins])
        found: Bools = wanted & agreeing.any(axis=0)
        probe.settle(assumptions, wanted & ~found, found, budget)
        return found & wanted

    # --- counting ---------------------------------------------------------------------

    def count(self, pins: Pins, limit: int = COUNTED, *, settle: bool = True) -> tuple[int, bool]:
        """See ``Backend``: independent parts are multiplied, each counted one by one as
        long as ``limit`` configurations in all allow."""
        with self._probes.one() as probe:
            root = self._root(probe, (), settle=True)
            known = (
                None if root is None else self._known(probe, tuple(sorted(pins)), root.valid, None)
            )
        if known is None:
            return 0, True
        number, exact = 1, True
        joined: list[list[int]] = []
        for part in independent_parts(self._encoding, known.valid):
            if len(part) == 1:
                number *= self._answers_of(part[0], known.valid)
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
        self,
        pins: Pins,
        owners: tuple[int, ...] | None = None,
        barred: Pins = (),
        budget: Budget | None = None,
    ) -> Core | None:
        """See ``Reasoner``; raises ``BudgetSpentError`` where a ``budget`` runs out."""
        return self._reasoning.core(pins, owners, barred, budget)

    def rules_core(self, pins: Pins, barred: Pins, likely: tuple[int, ...] = ()) -> RuleCore:
        """See ``Reasoner``."""
        return self._reasoning.rules_core(pins, barred, likely)


def _taken(row: list[int], signs: Bools) -> int:
    """The value whose literal holds."""
    return next(value for value, lit in enumerate(row) if signs[abs(lit) - 1] == (lit > 0))

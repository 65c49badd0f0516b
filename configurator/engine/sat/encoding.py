"""A constraint network as clauses.

Direct encoding: one literal per value (a single one for two values), a ladder for
"at most one" of many. Tables get a literal per tuple or a diagram, sums a diagram or
adders. Solver variables of the network come first, so that models are read off quickly.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from configurator.engine.backend import offsets_of
from configurator.engine.network import (
    BACKGROUND,
    AllowedTuples,
    Clause,
    LinearSum,
    Network,
)
from configurator.engine.sat.sums import DEAD, DONE, Level, sum_diagram, table_diagram

PAIRWISE = 6
TUPLES = 2_000
CONFLICTS = 64
DIAGRAM_EDGES = 40_000


class Encoding:
    """Clauses, each with the owner that may be left out (``BACKGROUND``: never)."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.sizes = tuple(variable.size for variable in network.variables)
        self.offsets: npt.NDArray[np.int64] = offsets_of(self.sizes)
        self.clauses: list[list[int]] = []
        self.owners: list[int] = []
        self.literals: list[list[int]] = []
        top = 0
        for size in self.sizes:
            if size == 2:
                top += 1
                self.literals.append([-top, top])
            else:
                self.literals.append(list(range(top + 1, top + size + 1)))
                top += size
        self.primary = top
        self.top = top
        self.packed: npt.NDArray[np.int64] = np.asarray(
            [literal for row in self.literals for literal in row], dtype=np.int64
        )
        if top:
            self.add([top, -top])  # so that models reach to the last primary variable
        for row, size in zip(self.literals, self.sizes, strict=True):
            if size != 2:
                self._exactly_one(row)
        for constraint in network.constraints:
            if isinstance(constraint, Clause):
                self._clause(constraint)
            elif isinstance(constraint, AllowedTuples):
                self._table(constraint)
            else:
                self._sum(constraint)

    def fresh(self) -> int:
        """A new solver variable."""
        self.top += 1
        return self.top

    def add(self, clause: list[int], owner: int = BACKGROUND) -> None:
        """Add one clause; an empty one becomes a contradiction of two."""
        if not clause:
            never = self.fresh()
            self.add([never])
            clause = [-never]
        self.clauses.append(clause)
        self.owners.append(owner)

    def literals_in(self, variable: int, values: Iterable[int]) -> list[int]:
        """Literals of which one holds where the variable takes one of the values."""
        row = self.literals[variable]
        chosen = sorted(values)
        if len(row) > 2 and len(chosen) == len(row) - 1:
            missing = next(v for v in range(len(row)) if v >= len(chosen) or chosen[v] != v)
            return [-row[missing]]
        return [row[value] for value in chosen]

    def _exactly_one(self, row: Sequence[int]) -> None:
        self.add(list(row))
        if len(row) <= PAIRWISE:
            for one, other in itertools.combinations(row, 2):
                self.add([-one, -other])
            return
        before = row[0]  # a ladder: "one of the values so far"
        for literal in row[1:-1]:
            self.add([-before, -literal])
            so_far = self.fresh()
            self.add([-before, so_far])
            self.add([-literal, so_far])
            before = so_far
        self.add([-before, -row[-1]])

    def _clause(self, constraint: Clause) -> None:
        clause: list[int] = []
        for variable, values in constraint.literals:
            if len(values) == self.sizes[variable]:
                return
            clause.extend(self.literals_in(variable, values))
        self.add(clause, constraint.owner)

    # --- tables -----------------------------------------------------------------------

    def _table(self, constraint: AllowedTuples) -> None:
        scope, tuples, owner = constraint.scope, constraint.tuples, constraint.owner
        if not tuples:
            self.add([], owner)
            return
        combinations = math.prod(self.sizes[v] for v in scope)
        forbidden = combinations - len(tuples)
        if forbidden == 0:
            return
        if len(scope) == 1:
            self.add(self.literals_in(scope[0], {row[0] for row in tuples}), owner)
        elif forbidden <= CONFLICTS and combinations <= 4 * TUPLES:
            allowed = set(tuples)
            for row in itertools.product(*(range(self.sizes[v]) for v in scope)):
                if row not in allowed:
                    self.add([-self.literals[v][a] for v, a in zip(scope, row, strict=True)], owner)
        elif len(scope) == 2:
            self._supports(scope, tuples, owner)
        elif len(tuples) <= TUPLES:
            self._tuples(scope, tuples, owner)
        else:
            self._table_diagram(scope, constraint.rows(), owner)

    def _supports(
        self, scope: Sequence[int], tuples: Sequence[tuple[int, ...]], owner: int
    ) -> None:
        for here, there in ((0, 1), (1, 0)):
            partners: dict[int, set[int]] = {v: set() for v in range(self.sizes[scope[here]])}
            for row in tuples:
                partners[row[here]].add(row[there])
            for value, others in partners.items():
                if len(others) < self.sizes[scope[there]]:
                    self.add(
                        [
                            -self.literals[scope[here]][value],
                            *self.literals_in(scope[there], others),
                        ],
                        owner,
                    )

    def _tuples(self, scope: Sequence[int], tuples: Sequence[tuple[int, ...]], owner: int) -> None:
        supports: dict[tuple[int, int], list[int]] = {
            (v, a): [] for v in scope for a in range(self.sizes[v])
        }
        for row in tuples:
            taken = self.fresh()
            for variable, value in zip(scope, row, strict=True):
                self.add([-taken, self.literals[variable][value]], owner)
                supports[variable, value].append(taken)
        for (variable, value), takers in supports.items():
            self.add([-self.literals[variable][value], *takers], owner)

    def _table_diagram(self, scope: Sequence[int], rows: npt.NDArray[np.int64], owner: int) -> None:
        """A literal per node of the merged table. A node leads to a value and with it to
        the node below; a value needs a node that has it, a node one that leads to it."""
        nodes: list[int] = []
        left = False  # whether a path may have left the table already: nothing is asked any more
        for column, level in enumerate(table_diagram([self.sizes[v] for v in scope], rows)):
            literals = self.literals[scope[column]]
            if not column:
                nodes = [self.fresh()]
                self.add([nodes[0]], owner)
            below = [self.fresh() for _ in range(int(level.target.max(initial=-1)) + 1)]
            values: list[list[int]] = [[] for _ in nodes]
            having: list[list[int]] = [[] for _ in literals]
            above: list[list[int]] = [[] for _ in below]
            edges = zip(
                level.source.tolist(), level.value.tolist(), level.target.tolist(), strict=True
            )
            for source, value, target in edges:
                values[source].append(value)
                having[value].append(nodes[source])
                if target != DONE:
                    self.add([-nodes[source], -literals[value], below[target]], owner)
                    above[target].append(nodes[source])
            for node, among in zip(nodes, values, strict=True):
                if len(among) < len(literals):
                    self.add([-node, *self.literals_in(scope[column], among)], owner)
            if not left:
                for literal, among in zip(literals, having, strict=True):
                    self.add([-literal, *among], owner)
            left = left or bool((level.target == DONE).any())
            for node, parents in zip(below, above, strict=True):
                self.add([-node, *parents], owner)
            nodes = below

    def _diagram(self, scope: Sequence[int], levels: Sequence[Level], owner: int) -> None:
        """Being at a node and taking a value leads to the node below."""
        if not levels:
            return
        nodes: list[int | None] = [None] * len(levels[0])
        for position, level in enumerate(levels):
            below: dict[int, int] = {}
            for node, targets in zip(nodes, level, strict=True):
                here = [] if node is None else [-node]
                if all(target == DEAD for target in targets):
                    self.add(here, owner)
                    continue
                for value, target in enumerate(targets):
                    if target == DONE:
                        continue
                    clause = [*here, -self.literals[scope[position]][value]]
                    if target != DEAD:
                        if target not in below:
                            below[target] = self.fresh()
                        clause.append(below[target])
                    self.add(clause, owner)
            if position + 1 < len(levels):
                nodes = [below.get(k) or self.fresh() for k in range(len(levels[position + 1]))]

    # --- sums -------------------------------------------------------------------------

    def _sum(self, constraint: LinearSum) -> None:
        shift = sum(min(row) for row in constraint.weights)
        weights = [[weight - min(row) for weight in row] for row in constraint.weights]
        low = None if constraint.low is None else constraint.low - shift
        high = None if constraint.high is None else constraint.high - shift
        order = sorted(range(len(weights)), key=lambda k: (-max(weights[k]), k))
        weights = [weights[k] for k in order]
        scope = [constraint.scope[k] for k in order]
        levels = sum_diagram(weights, low, high, DIAGRAM_EDGES) if weights else None
        if not weights:
            if (low is not None and low > 0) or (high is not None and high < 0):
                self.add([], constraint.owner)
        elif levels is not None:
            self._diagram(scope, levels, constraint.owner)
        else:
            self._adders(scope, weights, low, high, constraint.owner)

    def _adders(
        self,
        scope: Sequence[int],
        weights: Sequence[Sequence[int]],
        low: int | None,
        high: int | None,
        owner: int,
    ) -> None:
        buckets: list[list[int]] = []
        for variable, row in zip(scope, weights, strict=True):
            for bit in range(max(row).bit_length()):
                while len(buckets) <= bit:
                    buckets.append([])
                buckets[bit].append(self._bit(variable, row, bit))
        bits: list[int] = []
        position = 0
        while position < len(buckets):
            waiting = buckets[position]
            if len(waiting) > 1 and position + 1 == len(buckets):
                buckets.append([])
            while len(waiting) > 1:
                taken, waiting = waiting[:3], waiting[3:]
                total, carry = self._add_bits(taken)
                waiting.append(total)
                buckets[position + 1].append(carry)
            if waiting:
                bits.append(waiting[0])
            else:
                never = self.fresh()
                self.add([-never])
                bits.append(never)
            position += 1
        self._compare(bits, low, high, owner)

    def _bit(self, variable: int, row: Sequence[int], bit: int) -> int:
        if len(row) == 2:
            ones = [value for value in (0, 1) if row[value] >> bit & 1]
            if len(ones) == 1:
                return self.literals[variable][ones[0]]
        literal = self.fresh()
        for value, weight in enumerate(row):
            sign = 1 if weight >> bit & 1 else -1
            self.add([-self.literals[variable][value], sign * literal])
        return literal

    def _add_bits(self, bits: Sequence[int]) -> tuple[int, int]:
        total, carry = self.fresh(), self.fresh()
        for signs in itertools.product((1, -1), repeat=len(bits)):
            ones = signs.count(1)
            given = [-sign * bit for sign, bit in zip(signs, bits, strict=True)]
            self.add([*given, total if ones % 2 else -total])
            self.add([*given, carry if ones >= 2 else -carry])
        return total, carry

    def _compare(self, bits: Sequence[int], low: int | None, high: int | None, owner: int) -> None:
        most = (1 << len(bits)) - 1
        if high is not None and high < most:
            if high < 0:
                self.add([], owner)
                return
            for place, bit in enumerate(bits):
                if not high >> place & 1:
                    above = [-b for k, b in enumerate(bits) if k > place and high >> k & 1]
                    self.add([-bit, *above], owner)
        if low is not None and low > 0:
            if low > most:
                self.add([], owner)
                return
            for place, bit in enumerate(bits):
                if low >> place & 1:
                    above = [b for k, b in enumerate(bits) if k > place and not low >> k & 1]
                    self.add([bit, *above], owner)

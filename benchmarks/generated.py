"""Seeded models at the network level: product-like ones with sums, and feature models.

A product has sections of a few variables each, a few *hubs* that rules of every section
mention, and rules that seldom reach beyond the next section: so real products look.
Rules are kept only where some planted configurations satisfy them, so a model always has
configurations. The same arguments give the same network in every process.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil, inf

from benchmarks.baselines import OrToolsOptimum, holds
from benchmarks.inputs import priced
from configurator.engine.network import (
    AllowedTuples,
    Clause,
    Constraint,
    LinearSum,
    Network,
    NetworkVariable,
    scope_of,
)

LOOSE = inf
PLANTED = 3
WEIGHTS = (0, 1, 2, 3, 5, 8, 10, 12, 15, 20)


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a product is: variables of up to ``values`` values, rules, global sums.

    Every second sum couples two neighbouring sections, the others ``reach`` of all
    variables.
    """

    variables: int
    values: int
    rules: int
    sums: int
    reach: float = 0.2
    section: int = 8


MEDIUM = Shape(60, 6, 120, 3, reach=0.25)
LARGE = Shape(300, 8, 900, 5)


def product(shape: Shape, seed: int, tightness: float | None) -> Network:
    """A product with unary prices.

    Each sum's limit is ``tightness`` (1 or more) times the least that the rules and the
    limits before it allow; or, ``LOOSE``, a little more than the heaviest of the planted
    configurations, which are random ones; or there are no sums (``None``).
    """
    drawn = _Product(shape, random.Random(f"{shape} {seed}"))
    network = drawn.network()
    if tightness is None:
        return network
    return _limited(network, drawn.sums(), tightness)


def feature_model(features: int, seed: int) -> Network:
    """A feature tree (mandatory, optional, or, alternative) of yes-or-no variables with
    one cross-tree clause for ten features, between near relations."""
    return _FeatureModel(features, random.Random(f"features {features} {seed}")).network()


def _limited(network: Network, sums: list[LinearSum], tightness: float) -> Network:
    """One limit after the other, so that together they always leave a configuration."""
    for number, each in enumerate(sums):
        high = each.high
        if tightness != LOOSE:
            least = OrToolsOptimum(network, ((each.scope, each.weights),)).least()
            assert least is not None
            high = ceil(tightness * least)
        limited = replace(each, high=high, owner=len(network.owners))
        network = replace(
            network,
            constraints=(*network.constraints, limited),
            owners=(*network.owners, f"sum{number}"),
        )
    return network


class _Product:
    """The draws of one product, in a fixed order."""

    def __init__(self, shape: Shape, draw: random.Random) -> None:
        self.shape = shape
        self.draw = draw
        hubs = min(3, max(1, shape.variables // 20))
        self.sizes = [self._size() for _ in range(shape.variables)]
        for hub in range(hubs):
            self.sizes[hub] = min(5, shape.values)
        self.hubs = list(range(hubs))
        self.sections = self._sections(hubs)
        self.planted = [[draw.randrange(size) for size in self.sizes] for _ in range(PLANTED)]

    def _size(self) -> int:
        kind = self.draw.random()
        if kind < 0.35:
            return 2
        return self.shape.values if kind < 0.5 else self.draw.randint(3, self.shape.values)

    def _sections(self, first: int) -> list[list[int]]:
        sections = []
        while first < self.shape.variables:
            spread = self.draw.randint(-3, 3)
            size = max(3, self.shape.section + spread)
            sections.append(list(range(first, min(self.shape.variables, first + size))))
            first += size
        if len(sections) > 1 and len(sections[-1]) < 3:
            last = sections.pop()
            sections[-1] += last
        return sections

    def network(self) -> Network:
        variables = tuple(
            NetworkVariable(f"v{index}", (1,) * size) for index, size in enumerate(self.sizes)
        )
        rules: list[Constraint] = []
        for rule in self._rules():
            scope = scope_of(rule)
            if all(holds(rule, tuple(one[v] for v in scope)) for one in self.planted):
                rules.append(replace(rule, owner=len(rules)))
            if len(rules) == self.shape.rules:
                break
        owners = tuple(f"rule{number}" for number in range(len(rules)))
        return priced(Network(variables, tuple(rules), owners), self.draw.randrange(2**32))

    def _rules(self) -> Iterator[Constraint]:
        while True:
            kind = self.draw.random()
            scope = self._scope(kind)
            if len(scope) < 2:
                continue
            if kind < 0.6:
                yield self._implication(scope)
            elif kind < 0.78:
                yield self._exclusion(scope)
            elif kind < 0.93:
                yield self._table(scope)
            else:
                yield self._count(scope)

    def _scope(self, kind: float) -> list[int]:
        """Distinct variables: mostly of one section, else hubs and the next section."""
        home = self.draw.randrange(len(self.sections))
        wide = kind >= 0.93
        wanted = self.draw.randint(3, 5) if wide else self.draw.choice((2, 2, 3))
        if 0.6 <= kind < 0.78:
            wanted = 2
        scope: list[int] = []
        for _ in range(60):
            where = self.draw.random()
            if where < 0.82:
                pool = self.sections[home]
            elif where < 0.94:
                pool = self.hubs
            else:
                beside = home + self.draw.choice((-1, 1))
                pool = self.sections[min(len(self.sections) - 1, max(0, beside))]
            variable = self.draw.choice(pool)
            if variable not in scope:
                scope.append(variable)
            if len(scope) == wanted:
                break
        return scope

    def _some(self, variable: int, low: float, high: float) -> frozenset[int]:
        """A part of a variable's values, never none and never all."""
        size = self.sizes[variable]
        wanted = self.draw.randint(int(low * size), max(1, int(high * size)))
        return frozenset(self.draw.sample(range(size), max(1, min(size - 1, wanted))))

    def _implication(self, scope: list[int]) -> Clause:
        literals = [
            (v, frozenset(range(self.sizes[v])) - self._some(v, 0.1, 0.5)) for v in scope[:-1]
        ]
        return Clause((*literals, (scope[-1], self._some(scope[-1], 0.3, 0.8))))

    def _exclusion(self, scope: list[int]) -> Clause:
        return Clause(
            tuple(
                (v, frozenset(range(self.sizes[v])) - {self.draw.randrange(self.sizes[v])})
                for v in scope
            )
        )

    def _table(self, scope: list[int]) -> AllowedTuples:
        rows = list(itertools.product(*(range(self.sizes[v]) for v in scope)))
        kept = set(self.draw.sample(rows, max(1, int(len(rows) * self.draw.uniform(0.45, 0.8)))))
        kept.update(tuple(one[v] for v in scope) for one in self.planted)
        return AllowedTuples(tuple(scope), tuple(sorted(kept)))

    def _count(self, scope: list[int]) -> LinearSum:
        counted = [self._some(v, 0.2, 0.6) for v in scope]
        weights = tuple(
            tuple(int(value in values) for value in range(self.sizes[v]))
            for v, values in zip(scope, counted, strict=True)
        )
        totals = [
            sum(row[one[v]] for v, row in zip(scope, weights, strict=True)) for one in self.planted
        ]
        return LinearSum(tuple(scope), weights, max(0, min(totals) - 1), max(totals))

    def sums(self) -> list[LinearSum]:
        """The global sums, with loose limits."""
        sums = []
        for number in range(self.shape.sums):
            if number % 2 == 0 and len(self.sections) > 3:
                first = self.draw.randrange(len(self.sections) - 2)
                near = [v for section in self.sections[first : first + 2] for v in section]
                scope = sorted(self.draw.sample(near, int(len(near) * 0.7)))
            else:
                count = max(4, int(self.shape.variables * self.shape.reach))
                scope = sorted(self.draw.sample(range(self.shape.variables), count))
            weights = tuple(
                tuple(
                    self.draw.choice(WEIGHTS) if self.draw.random() < 0.75 else 0
                    for _ in range(self.sizes[v])
                )
                for v in scope
            )
            heaviest = max(
                sum(row[one[v]] for v, row in zip(scope, weights, strict=True))
                for one in self.planted
            )
            sums.append(LinearSum(tuple(scope), weights, 0, int(heaviest * 1.02) + 1))
        return sums


YES, NO = frozenset({1}), frozenset({0})


class _FeatureModel:
    """A feature tree grown group by group; a parent is older than its children."""

    def __init__(self, features: int, draw: random.Random) -> None:
        self.features = features
        self.draw = draw
        self.parent = [-1]
        self.children: list[list[int]] = [[] for _ in range(features)]
        self.constraints: list[Clause | LinearSum] = []
        self.planted = [1]

    def network(self) -> Network:
        self._add(((0, YES),))
        waiting = [0]
        while len(self.parent) < self.features:
            parent = waiting.pop(self.draw.randrange(min(len(waiting), 4)))
            size = min(self.draw.randint(2, 8), self.features - len(self.parent))
            children = list(range(len(self.parent), len(self.parent) + size))
            self.parent += [parent] * size
            self.children[parent] = children
            self._group(parent, children)
            waiting += children
        for _ in range(self.features // 10):
            self._cross()
        variables = tuple(NetworkVariable(f"f{index}", (1, 1)) for index in range(self.features))
        owners = tuple(f"rule{number}" for number in range(len(self.constraints)))
        network = Network(variables, tuple(self.constraints), owners)
        return priced(network, self.draw.randrange(2**32))

    def _add(self, *clauses: tuple[tuple[int, frozenset[int]], ...]) -> None:
        for literals in clauses:
            self.constraints.append(Clause(literals, len(self.constraints)))

    def _group(self, parent: int, children: list[int]) -> None:
        kind = self.draw.random()
        there = self.planted[parent]
        self._add(*(((child, NO), (parent, YES)) for child in children))
        if kind < 0.5:
            for child in children:
                if self.draw.random() < 0.3:
                    self._add(((parent, NO), (child, YES)))
                    self.planted.append(there)
                else:
                    self.planted.append(there * self.draw.randint(0, 1))
            return
        self._add(((parent, NO), *((child, YES) for child in children)))
        chosen = self.draw.choice(children)
        if kind < 0.75:
            self.planted += [there * int(child == chosen) for child in children]
            weights = ((0, 1),) * len(children)
            owner = len(self.constraints)
            self.constraints.append(LinearSum(tuple(children), weights, 0, 1, owner))
        else:
            self.planted += [
                there * max(int(child == chosen), self.draw.randint(0, 1)) for child in children
            ]

    def _cross(self) -> None:
        """A clause over two or three features with a near ancestor in common."""
        while True:
            first = self.draw.randrange(1, self.features)
            scope = {first}
            for _ in range(self.draw.choice((1, 1, 2))):
                scope.add(self._relative(first))
            literals = tuple((v, frozenset({self.draw.randint(0, 1)})) for v in sorted(scope))
            if len(literals) > 1 and any(self.planted[v] in values for v, values in literals):
                self._add(literals)
                return

    def _relative(self, feature: int) -> int:
        """Up to three generations up, and down again."""
        for _ in range(self.draw.randint(1, 3)):
            feature = max(0, self.parent[feature])
        while self.children[feature] and self.draw.random() < 0.8:
            feature = self.draw.choice(self.children[feature])
        return feature

"""Random constraint networks and what brute force says about them."""

from __future__ import annotations

import itertools
import math
import random

from configurator.engine.network import (
    AllowedTuples,
    Clause,
    Constraint,
    CostFunction,
    LinearSum,
    Network,
    NetworkVariable,
)

Row = tuple[int, ...]


def random_network(seed: int, *, most: int = 6) -> Network:
    """A few variables, constraints of every kind, charges; often tight, sometimes void."""
    rng = random.Random(seed)
    sizes = [rng.choice([1, 2, 2, 3, 4, 9]) for _ in range(rng.randrange(2, most + 1))]
    variables = tuple(
        NetworkVariable(f"v{i}", tuple(rng.choice([1, 1, 3]) for _ in range(size)))
        for i, size in enumerate(sizes)
    )
    owners = tuple(f"rule-{i}" for i in range(4))
    constraints = [_constraint(rng, sizes) for _ in range(rng.randrange(5))]
    costs = tuple(_cost(rng, sizes) for _ in range(rng.randrange(5)))
    return Network(variables, tuple(constraints), owners, costs)


def _scope(rng: random.Random, sizes: list[int], most: int) -> tuple[int, ...]:
    count = rng.randrange(1, min(most, len(sizes)) + 1)
    return tuple(sorted(rng.sample(range(len(sizes)), count)))


def _constraint(rng: random.Random, sizes: list[int]) -> Constraint:
    owner = rng.randrange(-1, 4)
    kind = rng.randrange(3)
    scope = _scope(rng, sizes, 4)
    if kind == 0:
        return Clause(
            tuple(
                (v, frozenset(rng.sample(range(sizes[v]), rng.randrange(1, sizes[v] + 1))))
                for v in scope
            ),
            owner,
        )
    if kind == 1:
        every = list(itertools.product(*(range(sizes[v]) for v in scope)))
        kept = rng.sample(every, max(1, int(len(every) * rng.choice([0.1, 0.5, 0.95]))))
        return AllowedTuples(scope, tuple(sorted(kept)), owner)
    weights = tuple(tuple(rng.randrange(-3, 8) for _ in range(sizes[v])) for v in scope)
    middle = sum(rng.choice(row) for row in weights)
    low = rng.choice([None, middle - rng.randrange(3)])
    high = rng.choice([None, middle + rng.randrange(3)])
    return LinearSum(scope, weights, low, high, owner)


def _cost(rng: random.Random, sizes: list[int]) -> CostFunction:
    scope = _scope(rng, sizes, 2) if rng.random() < 0.9 else ()
    size = math.prod(sizes[v] for v in scope)
    costs = [rng.choice([0, 0, 100, 250, -40, 999]) for _ in range(size)]
    return CostFunction(scope, tuple(costs), "line")


def holds(constraint: Constraint, row: Row) -> bool:
    if isinstance(constraint, Clause):
        return any(row[v] in values for v, values in constraint.literals)
    if isinstance(constraint, AllowedTuples):
        return tuple(row[v] for v in constraint.scope) in constraint.tuples
    total = sum(w[row[v]] for v, w in zip(constraint.scope, constraint.weights, strict=True))
    low, high = constraint.low, constraint.high
    return (low is None or low <= total) and (high is None or total <= high)


def total_of(network: Network, row: Row) -> int:
    total = 0
    for function in network.costs:
        place = 0
        for v in function.scope:
            place = place * network.variables[v].size + row[v]
        total += function.costs[place]
    return total


def weight_of(network: Network, row: Row) -> int:
    return math.prod(
        v.multiplicity[a] for v, a in zip(network.variables, row, strict=True) if not v.hidden
    )


def solutions(network: Network, owners: tuple[int, ...] | None = None) -> list[Row]:
    """Every configuration, in lexicographic order."""
    kept = [c for c in network.constraints if owners is None or c.owner == -1 or c.owner in owners]
    return [
        row
        for row in itertools.product(*(range(v.size) for v in network.variables))
        if all(holds(c, row) for c in kept)
    ]

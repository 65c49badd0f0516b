"""The compiled diagram against brute force, on small networks of every kind."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from unittest import mock

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from configurator.engine.backend import Marginals, Pins, offsets_of
from configurator.engine.diagram import DiagramBackend, compile_diagram, expansion, relations
from configurator.engine.diagram.reduction import reduce_network
from configurator.engine.network import (
    AllowedTuples,
    Clause,
    Constraint,
    CostFunction,
    LinearSum,
    Network,
    NetworkVariable,
)


def holds(constraint: Constraint, values: tuple[int, ...]) -> bool:
    if isinstance(constraint, Clause):
        return any(values[variable] in allowed for variable, allowed in constraint.literals)
    if isinstance(constraint, AllowedTuples):
        return tuple(values[variable] for variable in constraint.scope) in constraint.tuples
    total = sum(
        weights[values[variable]]
        for variable, weights in zip(constraint.scope, constraint.weights, strict=True)
    )
    return (constraint.low is None or constraint.low <= total) and (
        constraint.high is None or total <= constraint.high
    )


def charge(network: Network, function: CostFunction, values: tuple[int, ...]) -> int:
    index = 0
    for variable in function.scope:
        index = index * network.variables[variable].size + values[variable]
    return function.costs[index]


@dataclass
class Oracle:
    """Every configuration with its total and multiplicity, written down."""

    network: Network

    def __post_init__(self) -> None:
        network = self.network
        self.all: list[tuple[tuple[int, ...], int, int]] = []
        for values in itertools.product(*(range(v.size) for v in network.variables)):
            if all(holds(constraint, values) for constraint in network.constraints):
                total = sum(charge(network, function, values) for function in network.costs)
                weight = 1
                for variable, value in zip(network.variables, values, strict=True):
                    if not variable.hidden:
                        weight *= variable.multiplicity[value]
                self.all.append((values, total, weight))

    def left(self, pins: Pins) -> list[tuple[tuple[int, ...], int, int]]:
        return [one for one in self.all if all(one[0][v] == a for v, a in pins)]

    def count(self, pins: Pins) -> int:
        return sum(weight for _, _, weight in self.left(pins))

    def cheapest(self, pins: Pins) -> tuple[int, ...] | None:
        left = [(total, values) for values, total, _ in self.left(pins)]
        return min(left)[1] if left else None

    def marginals(self, pins: Pins, fixed: Pins = ()) -> tuple[list[int], list[int], list[int]]:
        """``lowest, changes, repaired_lowest`` for every value."""
        allowed = self.left(fixed)
        lowest: list[int] = []
        changes: list[int] = []
        repaired: list[int] = []
        for variable, known in enumerate(self.network.variables):
            for value in range(known.size):
                found = min(
                    (
                        (sum(values[v] != a for v, a in pins), total)
                        for values, total, _ in allowed
                        if values[variable] == value
                    ),
                    default=(-1, -1),
                )
                changes.append(found[0])
                repaired.append(found[1])
                lowest.append(found[1] if found[0] == 0 else -1)
        return lowest, changes, repaired


def same(left: Marginals, right: Marginals) -> bool:
    def equal(one: np.ndarray | None, other: np.ndarray | None) -> bool:
        if one is None or other is None:
            return one is other
        return bool(np.array_equal(one, other))

    return left.consistent == right.consistent and all(
        equal(getattr(left, name), getattr(right, name))
        for name in (
            "valid",
            "undecided",
            "lowest",
            "lowest_exact",
            "changes",
            "repaired_lowest",
        )
    )


def check(oracle: Oracle, backend: DiagramBackend, pins: Pins, fixed: Pins = ()) -> None:
    lowest, changes, repaired = oracle.marginals(pins, fixed)
    together = tuple(sorted((*pins, *fixed)))
    hard = backend.marginals(pins, fixed=fixed)
    assert hard.consistent == bool(oracle.left(together))
    assert hard.valid.tolist() == [change == 0 for change in changes]
    assert not hard.undecided.any()
    assert hard.changes is None
    assert hard.repaired_lowest is None
    assert hard.lowest.tolist() == lowest
    valid = backend.marginals(pins, fixed=fixed, totals=False)
    assert valid.consistent == hard.consistent
    assert valid.valid.tolist() == hard.valid.tolist()
    assert not valid.undecided.any()
    assert (valid.lowest <= hard.lowest).all()
    assert (valid.lowest == hard.lowest)[valid.lowest_exact].all()
    soft = backend.marginals(pins, changes=True, fixed=fixed)
    assert soft.changes is not None
    assert soft.repaired_lowest is not None
    assert soft.consistent == hard.consistent
    assert soft.valid.tolist() == hard.valid.tolist()
    assert soft.lowest.tolist() == hard.lowest.tolist()
    assert soft.changes.tolist() == changes
    assert soft.repaired_lowest.tolist() == repaired
    assert backend.count(together) == (oracle.count(together), True)
    assert backend.cheapest(together) == oracle.cheapest(together)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=7))
    variables = tuple(
        NetworkVariable(
            f"v{index}",
            tuple(draw(st.lists(st.integers(1, 5), min_size=size, max_size=size))),
        )
        for index, size in enumerate(sizes)
    )
    numbers = st.integers(0, len(sizes) - 1)

    def scope(most: int) -> tuple[int, ...]:
        return tuple(
            draw(st.lists(numbers, min_size=1, max_size=min(most, len(sizes)), unique=True))
        )

    constraints: list[Constraint] = []
    for owner in range(draw(st.integers(0, 6))):
        kind = draw(st.sampled_from(["clause", "clause", "tuples", "sum"]))
        chosen = scope(4)
        if kind == "clause":
            literals = tuple((v, draw(st.frozensets(st.integers(0, sizes[v] - 1)))) for v in chosen)
            constraints.append(Clause(literals, owner))
        elif kind == "tuples":
            every = list(itertools.product(*(range(sizes[v]) for v in chosen)))
            kept = draw(st.lists(st.sampled_from(every), max_size=2 * len(every), unique=True))
            constraints.append(AllowedTuples(chosen, tuple(sorted(kept)), owner))
        else:
            weights = tuple(
                tuple(draw(st.lists(st.integers(-3, 6), min_size=sizes[v], max_size=sizes[v])))
                for v in chosen
            )
            bound = st.one_of(st.none(), st.integers(-4, 14))
            constraints.append(LinearSum(chosen, weights, draw(bound), draw(bound), owner))
    costs = []
    for _ in range(draw(st.integers(0, 4))):
        chosen = scope(3) if draw(st.booleans()) else scope(1)
        size = int(np.prod([sizes[v] for v in chosen]))
        charged = draw(st.lists(st.integers(-50, 300), min_size=size, max_size=size))
        costs.append(CostFunction(chosen, tuple(charged), "line"))
    if draw(st.booleans()):
        costs.append(CostFunction((), (draw(st.integers(-100, 1000)),), "base"))
    owners = tuple(f"rule-{index}" for index in range(len(constraints)))
    return Network(variables, tuple(constraints), owners, tuple(costs))


@st.composite
def forbidden_rows(draw: st.DrawFn) -> Network:
    """Tables of rows that are forbidden, a clause each, some of them over many values."""
    sizes = draw(st.lists(st.integers(2, 5), min_size=3, max_size=4))
    variables = tuple(NetworkVariable(f"v{v}", (1,) * size) for v, size in enumerate(sizes))
    constraints: list[Constraint] = []
    for scope in draw(st.sets(st.sampled_from([(0, 1), (1, 2), (0, 1, 2)]), min_size=1)):
        for _ in range(draw(st.integers(1, 25))):
            row = [draw(st.sets(st.integers(0, sizes[v] - 1), min_size=1)) for v in scope]
            literals = tuple(
                (v, frozenset(range(sizes[v])) - values)
                for v, values in zip(scope, row, strict=True)
            )
            constraints.append(Clause(literals, 0))
    costs = [
        CostFunction((v,), tuple(draw(st.integers(0, 90)) for _ in range(size)), "line")
        for v, size in enumerate(sizes)
    ]
    return Network(variables, tuple(constraints), ("table",), tuple(costs))


@given(forbidden_rows(), st.data())
@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_many_clauses_over_the_same_variables_are_one_table(
    network: Network, data: st.DataObject
) -> None:
    oracle = Oracle(network)
    variable = data.draw(st.integers(0, len(network.variables) - 1))
    pins = ((variable, data.draw(st.integers(0, network.variables[variable].size - 1))),)
    with mock.patch.object(relations, "MANY", 2):
        backend = compile_diagram(network)
    for asked in ((), pins):
        check(oracle, backend, asked)


def test_a_table_of_forbidden_rows_is_conjoined_at_once() -> None:
    free = NetworkVariable("free", (1,) * 30)
    rows = [(one, other) for one in range(30) for other in range(30) if (one * other) % 7 == 1]
    every = frozenset(range(30))
    clauses = tuple(Clause(((0, every - {one}), (1, every - {other})), 0) for one, other in rows)
    reduced = reduce_network(Network((free, free), clauses, ("table",), ()))
    (table,) = reduced.relations
    assert isinstance(table.body, relations.Rows)
    assert table.symbols == (7, 7)  # all that it can tell apart is the remainder
    assert len(table.body.rows) == 49 - 6


@st.composite
def yes_or_no_networks(draw: st.DrawFn) -> Network:
    """Many implications, exclusions, groups with a parent, equals and fixed variables, so
    that the simplifier has work on every path; one wider variable and a charge of two."""
    count = draw(st.integers(3, 10))
    numbers = st.integers(0, count - 1)
    value = st.integers(0, 1)
    constraints: list[Constraint] = []
    for owner in range(draw(st.integers(1, 9))):
        kind = draw(st.sampled_from(["two", "two", "exclude", "group", "long", "one", "equal"]))
        some = draw(st.lists(numbers, min_size=3, max_size=min(count, 5), unique=True))
        first, second, *_ = some
        if kind == "two":
            pair = ((first, frozenset({draw(value)})), (second, frozenset({draw(value)})))
            constraints.append(Clause(pair, owner))
        elif kind == "exclude":
            for one, other in itertools.combinations(some, 2):
                pair = ((one, frozenset({0})), (other, frozenset({0})))
                constraints.append(Clause(pair, owner))
        elif kind == "group":
            members = some[1:]
            for member in members:
                constraints.append(Clause(((member, frozenset({0})), (first, frozenset({1})))))
            ones = ((0, 1),) * len(members)
            high = draw(st.integers(1, 2))
            weights = ((high - len(members), 0), *ones)
            constraints.append(LinearSum(tuple(some), weights, None, high, owner))
            if draw(st.booleans()):
                constraints.append(LinearSum(tuple(some), ((1, 0), *ones), 1, None, owner))
        elif kind == "long":
            literals = tuple((variable, frozenset({draw(value)})) for variable in some)
            constraints.append(Clause(literals, owner))
        elif kind == "one":
            constraints.append(Clause(((first, frozenset({draw(value)})),), owner))
        else:
            turned = draw(value)
            rows = ((0, turned), (1, 1 - turned))
            constraints.append(AllowedTuples((first, second), rows, owner))
    variables = [NetworkVariable(f"b{index}", (1, 1)) for index in range(count)]
    if draw(st.booleans()):
        variables.append(NetworkVariable("wide", (1, 4, 2)))
        rows = draw(
            st.lists(st.tuples(st.integers(0, 2), value), min_size=1, max_size=6, unique=True)
        )
        constraints.append(AllowedTuples((count, draw(numbers)), tuple(sorted(rows))))
    if draw(st.booleans()):
        variables[0] = NetworkVariable("b0", (3, 2))
    costs = [
        CostFunction((v,), (draw(st.integers(-5, 5)), draw(st.integers(-50, 200))), "unit")
        for v in range(len(variables))
        if variables[v].size == 2
    ]
    pair_cost = draw(st.lists(st.integers(0, 90), min_size=4, max_size=4))
    costs.append(CostFunction((0, draw(st.integers(1, count - 1))), tuple(pair_cost), "pair"))
    owners = tuple(f"rule-{index}" for index in range(9))
    return Network(tuple(variables), tuple(constraints), owners, tuple(costs))


@st.composite
def pins_of(draw: st.DrawFn, network: Network) -> Pins:
    chosen = draw(st.lists(st.integers(0, len(network.variables) - 1), unique=True, max_size=4))
    return tuple((v, draw(st.integers(0, network.variables[v].size - 1))) for v in sorted(chosen))


relaxed = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@relaxed
@given(st.data())
def test_equals_brute_force(data: st.DataObject) -> None:
    network = data.draw(networks())
    oracle = Oracle(network)
    backend = compile_diagram(network, orders=2)
    check(oracle, backend, ())
    for _ in range(3):
        pins = data.draw(pins_of(network))
        check(oracle, backend, pins)
        check(oracle, backend, pins[1:], fixed=pins[:1])


@settings(relaxed, max_examples=200)
@given(st.data())
def test_simplified_networks_equal_brute_force(data: st.DataObject) -> None:
    network = data.draw(yes_or_no_networks())
    oracle = Oracle(network)
    backend = compile_diagram(network, orders=1)
    check(oracle, backend, ())
    for _ in range(2):
        pins = data.draw(pins_of(network))
        check(oracle, backend, pins)
        check(oracle, backend, pins[1:], fixed=pins[:1])


@settings(relaxed, max_examples=60)
@given(st.data())
def test_charges_that_overlap(data: st.DataObject) -> None:
    variables = tuple(NetworkVariable(f"v{index}", (1, 1, 1)) for index in range(4))
    costs = []
    for scope in ((0, 1), (1, 2), (0, 1, 2), (2, 3), (3, 0)):
        size = 3 ** len(scope)
        charged = data.draw(st.lists(st.integers(-9, 99), min_size=size, max_size=size))
        costs.append(CostFunction(scope, tuple(charged), "line"))
    clause = Clause(((0, frozenset({1})), (3, frozenset({0, 2}))))
    network = Network(variables, (clause,), (), tuple(costs))
    check(Oracle(network), compile_diagram(network, orders=1), data.draw(pins_of(network)))


@settings(relaxed, max_examples=100)
@given(st.data())
def test_the_smallest_of_many_cheapest(data: st.DataObject) -> None:
    """A hub whose parts depend on each other through it alone, and nothing has a price."""
    hub_size = data.draw(st.integers(3, 5))
    leaves = data.draw(st.integers(2, 4))
    variables = [NetworkVariable(f"leaf{index}", (1, 1, 1)) for index in range(leaves)]
    variables.append(NetworkVariable("hub", (1,) * hub_size))
    pair = st.tuples(st.integers(0, 2), st.integers(0, hub_size - 1))
    tables = tuple(
        AllowedTuples(
            (leaf, leaves),
            tuple(sorted(data.draw(st.lists(pair, min_size=2, max_size=9, unique=True)))),
        )
        for leaf in range(leaves)
    )
    network = Network(tuple(variables), tables, ())
    check(Oracle(network), compile_diagram(network, orders=1), data.draw(pins_of(network)))


@settings(relaxed, max_examples=40)
@given(st.data())
def test_plain_python_equals_machine_code(data: st.DataObject) -> None:
    network = data.draw(networks())
    compiled = compile_diagram(network, orders=1)
    plain = DiagramBackend(compiled.diagram, compiled.facts, plain=True)
    for pins in ((), data.draw(pins_of(network))):
        for changes in (False, True):
            assert same(
                plain.marginals(pins, changes=changes), compiled.marginals(pins, changes=changes)
            )
        assert plain.count(pins) == compiled.count(pins)
        assert plain.cheapest(pins) == compiled.cheapest(pins)


@settings(relaxed, max_examples=60)
@given(st.data())
def test_products_from_the_side_of_tables_equal_brute_force(data: st.DataObject) -> None:
    network = data.draw(networks())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(expansion, "WORTHWHILE", 0)
        backend = compile_diagram(network, orders=1)
    check(Oracle(network), backend, data.draw(pins_of(network)))


@pytest.mark.parametrize("seed", range(5))
def test_parts_of_wide_conjunctions_are_shared_rightly(seed: int) -> None:
    """Eight leaves around a hub: too many to enumerate, easy to count by hand."""
    random = np.random.default_rng(seed)
    allowed = random.random((8, 12, 4)) < 0.6
    allowed[:, :, 0] = True
    tables = tuple(
        AllowedTuples(
            (leaf, 8), tuple((v, h) for v in range(4) for h in range(12) if allowed[leaf, h, v])
        )
        for leaf in range(8)
    )
    variables = (
        *(NetworkVariable(f"leaf{leaf}", (1,) * 4) for leaf in range(8)),
        NetworkVariable("hub", (1,) * 12),
    )
    backend = compile_diagram(Network(variables, tables, ()), orders=1)
    per_hub = allowed.sum(axis=2).prod(axis=0)
    assert backend.count(()) == (int(per_hub.sum()), True)
    for hub in range(12):
        assert backend.count(((8, hub),)) == (int(per_hub[hub]), True)
        valid = backend.marginals(((8, hub),)).valid[:32].reshape(8, 4)
        assert np.array_equal(valid, allowed[:, hub])


@settings(relaxed, max_examples=25)
@given(networks())
def test_every_order_gives_the_same_answers(network: Network) -> None:
    answers = [
        compile_diagram(network, orders=orders).marginals((), changes=True) for orders in (1, 2, 5)
    ]
    assert same(answers[0], answers[1])
    assert same(answers[0], answers[2])


def booleans(count: int) -> tuple[NetworkVariable, ...]:
    return tuple(NetworkVariable(f"b{index}", (1, 1)) for index in range(count))


def test_no_variables_is_one_configuration() -> None:
    backend = compile_diagram(Network((), (), ()))
    assert backend.marginals(()).consistent
    assert backend.count(()) == (1, True)
    assert backend.cheapest(()) == ()


def test_one_variable() -> None:
    network = Network(
        (NetworkVariable("only", (3, 1)),), (), (), (CostFunction((0,), (500, 200), "price"),)
    )
    check(Oracle(network), compile_diagram(network), ((0, 0),))


def test_unsatisfiable_has_nothing_and_never_had() -> None:
    contradiction = (
        Clause(((0, frozenset({1})), (1, frozenset({1}))), 0),
        Clause(((0, frozenset({0})), (1, frozenset({1}))), 1),
        Clause(((0, frozenset({0})), (1, frozenset({0}))), 2),
        Clause(((0, frozenset({1})), (1, frozenset({0}))), 3),
    )
    for constraints in (contradiction, (Clause((), 0),), (AllowedTuples((0,), (), 0),)):
        network = Network(booleans(2), constraints, ("a", "b", "c", "d"))
        backend = compile_diagram(network)
        check(Oracle(network), backend, ())
        check(Oracle(network), backend, ((0, 1),))


def test_a_variable_without_values_leaves_nothing() -> None:
    network = Network((NetworkVariable("none", ()), NetworkVariable("two", (1, 1))), (), ())
    backend = compile_diagram(network)
    assert backend.count(()) == (0, True)
    assert not backend.marginals((), changes=True).consistent
    assert backend.cheapest(()) is None


def test_a_single_configuration() -> None:
    wanted = (1, 0, 1, 1, 0, 0, 1)
    clauses = tuple(
        Clause(
            (
                (index, frozenset({value})),
                ((index + 1) % 7, frozenset({1 - wanted[(index + 1) % 7]})),
            )
        )
        for index, value in enumerate(wanted)
    )
    network = Network(booleans(7), (*clauses, Clause(((0, frozenset({1})),))), ())
    backend = compile_diagram(network)
    check(Oracle(network), backend, ())
    check(Oracle(network), backend, ((3, 0), (5, 1)))


def test_counts_beyond_machine_integers_are_exact() -> None:
    variables = tuple(NetworkVariable(f"v{index}", (1, 1, 7)) for index in range(200))
    chain = tuple(
        Clause(((index, frozenset({0, 1})), (index + 1, frozenset({0, 2})))) for index in range(199)
    )
    backend = compile_diagram(Network(variables, chain, ()))
    ending_in = [1, 1, 7]
    for _ in range(199):
        whole, last = sum(ending_in), ending_in[2]
        ending_in = [whole, whole - last, 7 * whole]
    assert backend.count(()) == (sum(ending_in), True)
    assert sum(ending_in) > 10**150


def test_hidden_variables_do_not_multiply() -> None:
    variables = (
        NetworkVariable("a", (2, 3)),
        NetworkVariable("twin", (10, 10), hidden=True),
    )
    equal = AllowedTuples((0, 1), ((0, 0), (1, 1)))
    assert compile_diagram(Network(variables, (equal,), ())).count(()) == (5, True)


def test_bounds_are_told_from_exact_totals() -> None:
    network = Network(booleans(1), (), (), (CostFunction((0,), (0, 5), "wide", exact=False),))
    assert not compile_diagram(network).marginals(()).lowest_exact.any()


def test_unknown_pins_are_refused() -> None:
    backend = compile_diagram(Network(booleans(2), (), ()))
    with pytest.raises(ValueError, match="no variable 2"):
        backend.marginals(((2, 0),))
    with pytest.raises(ValueError, match="variable 1 has no value 2"):
        backend.count(((1, 2),))


def random_network(seed: int, count: int, size: int, rules: int) -> Network:
    """A sectioned network with a planted configuration, for tests beyond brute force."""
    random = np.random.default_rng(seed)
    sizes = random.integers(2, size + 1, count).tolist()
    planted = [int(random.integers(0, s)) for s in sizes]
    constraints: list[Constraint] = []
    for owner in range(rules):
        first = int(random.integers(0, count - 6))
        scope = [first, *(first + 1 + int(k) for k in random.choice(5, 2, replace=False))]
        literals = []
        for variable in scope:
            allowed = set(random.choice(sizes[variable], max(1, sizes[variable] // 2)).tolist())
            literals.append((variable, frozenset(allowed)))
        literals[0] = (scope[0], literals[0][1] | {planted[scope[0]]})
        constraints.append(Clause(tuple(literals), owner))
    costs = tuple(
        CostFunction((v,), tuple(int(c) for c in random.integers(0, 500, sizes[v])), "unit")
        for v in range(count)
    )
    variables = tuple(NetworkVariable(f"v{v}", (1,) * s) for v, s in enumerate(sizes))
    owners = tuple(f"rule-{owner}" for owner in range(rules))
    return Network(variables, tuple(constraints), owners, costs)


def test_threads_get_equal_answers() -> None:
    network = random_network(3, 60, 6, 120)
    backend = compile_diagram(network, orders=1)
    offsets = offsets_of(tuple(v.size for v in network.variables))
    open_values = np.flatnonzero(backend.marginals(()).valid).tolist()
    asked: list[Pins] = []
    for value in open_values[:120]:
        variable = int(np.searchsorted(offsets, value, side="right") - 1)
        asked.append(((variable, value - int(offsets[variable])),))
    alone = [backend.marginals(pins, changes=True) for pins in asked]
    counts = [backend.count(pins) for pins in asked]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda p: backend.marginals(p, changes=True), asked * 3))
        counted = list(pool.map(backend.count, asked))
    assert all(same(one, alone[i % len(asked)]) for i, one in enumerate(together))
    assert counted == counts

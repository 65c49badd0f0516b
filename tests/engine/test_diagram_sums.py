"""Sums beside the diagram: against brute force on small networks, against SAT on larger."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from configurator.engine.backend import Pins
from configurator.engine.diagram import DiagramBackend, compile_diagram, compiler, summed, ties
from configurator.engine.diagram import backend as module
from configurator.engine.diagram.summed import Bools, SummedDiagram
from configurator.engine.network import (
    AllowedTuples,
    Clause,
    Constraint,
    CostFunction,
    LinearSum,
    Network,
    NetworkVariable,
)
from configurator.engine.sat import SatBackend
from tests.engine.test_diagram_oracle import Oracle, networks, pins_of, relaxed, same


@pytest.fixture(autouse=True)
def aside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every sum stays beside the diagram, however small."""
    monkeypatch.setattr(compiler, "WIDE_SUM", 0)
    monkeypatch.setattr(compiler, "NARROW", 0)
    monkeypatch.setattr(compiler, "MODEST", -1)


class NoSearch:
    """A decider for answers that sweeps alone must give."""

    def possible_with(self, pins: Pins, wanted: object) -> object:
        raise AssertionError(f"search was needed under {pins}")

    cheapest = possible_with


def check(oracle: Oracle, backend: DiagramBackend, pins: Pins, fixed: Pins = ()) -> None:
    lowest, changes, repaired = oracle.marginals(pins, fixed)
    possible = np.array(changes) == 0
    together = tuple(sorted((*pins, *fixed)))
    settled = backend.marginals(pins, changes=True, fixed=fixed)
    assert settled.consistent == bool(oracle.left(together))
    assert settled.valid.tolist() == possible.tolist()
    assert not settled.undecided.any()
    assert (settled.lowest == -1).tolist() == (~possible).tolist()
    for mine, exact, true in zip(settled.lowest, settled.lowest_exact, lowest, strict=True):
        assert mine == true if exact or true == -1 else mine <= true
    assert settled.changes is not None
    assert settled.repaired_lowest is not None
    repaired_exact = settled.repaired_exact
    if repaired_exact is None:
        repaired_exact = np.ones(len(changes), dtype=bool)
    for index, (mine, true) in enumerate(zip(settled.changes, changes, strict=True)):
        assert mine in (true, -2)
        if mine == true:
            bound, sure = settled.repaired_lowest[index], repaired_exact[index]
            assert bound == repaired[index] if sure else bound <= repaired[index]
    first = backend.marginals(pins, changes=True, fixed=fixed, settle=False)
    assert not (first.valid & ~possible).any()
    assert not (possible & ~(first.valid | first.undecided)).any()
    assert not (first.valid & first.undecided).any()
    number, exact = backend.count(together)
    counted = oracle.count(together)
    assert number == counted if exact else 0 < number <= counted
    assert backend.cheapest(together) == oracle.cheapest(together)


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


def budgeted(seed: int, variables: int, sums: int, tightness: float) -> Network:
    """Sections of related questions and budgets over many of them; a known configuration
    keeps within each budget times ``tightness``."""
    rng = random.Random(seed)
    sizes = [rng.randint(2, 5) for _ in range(variables)]
    known = [rng.randrange(size) for size in sizes]
    constraints: list[Constraint] = []
    for first in range(0, variables - 3, 2):
        one, other = rng.sample(range(first, first + 4), 2)
        when = frozenset(range(sizes[one])) - {(known[one] + 1) % sizes[one]}
        then = frozenset({known[other], rng.randrange(sizes[other])})
        constraints.append(Clause(((one, when), (other, then)), len(constraints)))
    scope = tuple(sorted(rng.sample(range(variables), 3)))
    rows = list(itertools.product(*(range(sizes[v]) for v in scope)))
    kept = {*rng.sample(rows, len(rows) // 2), tuple(known[v] for v in scope)}
    constraints.append(AllowedTuples(scope, tuple(sorted(kept)), len(constraints)))
    for number in range(sums):
        scope = tuple(sorted(rng.sample(range(variables), variables * 2 // 3)))
        weights = tuple(tuple(rng.randint(0, 30) for _ in range(sizes[v])) for v in scope)
        needed = sum(row[known[v]] for v, row in zip(scope, weights, strict=True))
        low = needed // 2 if number == 1 else None
        constraints.append(
            LinearSum(scope, weights, low, int(needed * tightness), len(constraints))
        )
    owners = tuple(f"rule-{number}" for number in range(len(constraints)))
    costs = tuple(
        CostFunction((v,), tuple(rng.randint(0, 400) for _ in range(size)), f"p{v}")
        for v, size in enumerate(sizes)
    )
    several = tuple(NetworkVariable(f"v{v}", (1,) * size) for v, size in enumerate(sizes))
    return Network(several, tuple(constraints), owners, costs)


def domains_of(network: Network) -> SatBackend:
    """SAT, asked for valid values alone."""
    return SatBackend(replace(network, costs=()))


def heavier(network: Network, bits: int) -> Network:
    """The same configurations, every sum multiplied by a power of two."""
    return replace(
        network,
        constraints=tuple(
            replace(
                each,
                weights=tuple(tuple(w << bits for w in row) for row in each.weights),
                low=None if each.low is None else each.low << bits,
                high=None if each.high is None else each.high << bits,
            )
            if isinstance(each, LinearSum)
            else each
            for each in network.constraints
        ),
    )


@pytest.mark.parametrize("seed", range(4))
def test_sums_that_fill_several_words(seed: int) -> None:
    network = budgeted(seed, 14, 3, 1.2)
    light = compile_diagram(network, orders=1)
    heavy = compile_diagram(heavier(network, 14), orders=1)
    assert isinstance(light, SummedDiagram)
    assert isinstance(heavy, SummedDiagram)
    assert light.sums.width < heavy.sums.width
    for pins in ((), ((0, 0),), ((2, 1), (5, 1))):
        one, other = light.marginals(pins, changes=True), heavy.marginals(pins, changes=True)
        assert one.valid.tolist() == other.valid.tolist()


@pytest.mark.parametrize("seed", range(4))
def test_plain_python_equals_machine_code(seed: int) -> None:
    network = heavier(budgeted(seed, 12, 3, 1.2), 14 * (seed % 2))
    compiled = compile_diagram(network, orders=1)
    assert isinstance(compiled, SummedDiagram)
    plain = SummedDiagram(compiled.diagram, compiled.facts, lambda: SatBackend(network), plain=True)
    for pins in ((), ((0, 0),), ((2, 1), (5, 1))):
        for settle in (False, True):
            assert same(
                plain.marginals(pins, changes=True, settle=settle),
                compiled.marginals(pins, changes=True, settle=settle),
            )
    assert plain.count(((0, 0),)) == compiled.count(((0, 0),))
    assert plain.cheapest(((0, 0),)) == compiled.cheapest(((0, 0),))


@pytest.mark.parametrize("tightness", [1.0, 1.1, 1.5])
@pytest.mark.parametrize("seed", range(3))
def test_equals_sat_along_walks(seed: int, tightness: float) -> None:
    network = budgeted(seed, 24, 3, tightness)
    backend, sat = compile_diagram(network, orders=1), domains_of(network)
    assert isinstance(backend, SummedDiagram)
    randomness = random.Random(seed)
    pins: dict[int, int] = {}
    offset = backend.diagram.offset.tolist()
    while True:
        question = tuple(sorted(pins.items()))
        found, known = backend.marginals(question), sat.marginals(question)
        assert found.consistent
        assert found.valid.tolist() == known.valid.tolist()
        first = backend.marginals(question, settle=False)
        assert not (first.valid & ~known.valid).any()
        assert not (known.valid & ~(first.valid | first.undecided)).any()
        left = [
            v
            for v in range(len(offset) - 1)
            if v not in pins and found.valid[offset[v] : offset[v + 1]].sum() > 1
        ]
        if not left:
            return
        variable = randomness.choice(left)
        options = np.flatnonzero(found.valid[offset[variable] : offset[variable + 1]])
        pins[variable] = int(randomness.choice(options.tolist()))


def test_first_answers_do_not_depend_on_what_was_asked_before() -> None:
    network = budgeted(5, 24, 3, 1.0)
    asked, fresh = compile_diagram(network, orders=1), compile_diagram(network, orders=1)
    for variable in range(10):
        asked.marginals(((variable, 0),), changes=True)
        asked.marginals(((variable, 1),), settle=False)
    pins = ((2, 0),)
    for settle in (False, True):
        assert same(
            asked.marginals(pins, changes=True, settle=settle),
            fresh.marginals(pins, changes=True, settle=settle),
        )


def test_loose_sums_need_no_search() -> None:
    network = budgeted(1, 24, 3, 1.5)
    backend = compile_diagram(network, orders=1, decider=NoSearch)  # type: ignore[arg-type]
    found = backend.marginals((), settle=False)
    assert found.valid.any()
    assert not found.undecided.any()


def test_sums_that_no_longer_bind_leave_exact_answers() -> None:
    network = budgeted(1, 10, 1, 1.2)
    oracle = Oracle(network)
    backend = compile_diagram(network, orders=1)
    assert backend.count(())[1] is False
    cheap = oracle.cheapest(())
    assert cheap is not None
    pins = tuple(enumerate(cheap))[:-2]
    assert backend.count(pins) == (oracle.count(pins), True)


def test_sums_too_large_to_pack_are_refused() -> None:
    network = budgeted(1, 10, 1, 1.2)
    last = network.constraints[-1]
    assert isinstance(last, LinearSum)
    heavy = replace(
        last,
        weights=tuple(tuple(w << 58 for w in row) for row in last.weights),
        high=(last.high or 0) << 58,
    )
    with pytest.raises(compiler.TooWideError) as refusal:
        compile_diagram(replace(network, constraints=(*network.constraints[:-1], heavy)), orders=1)
    assert refusal.value.reason == "charges"


def test_mixtures_are_given_up_before_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summed, "MIXTURES", 0)
    network = budgeted(2, 24, 3, 1.0)
    backend, sat = compile_diagram(network, orders=1), domains_of(network)
    first = backend.marginals((), settle=False)
    assert first.undecided.any()
    assert backend.marginals(()).valid.tolist() == sat.marginals(()).valid.tolist()


def test_a_group_of_alternatives_is_no_wide_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many variables, few partial sums: such rules never stand beside the diagram."""
    monkeypatch.setattr(compiler, "NARROW", 16)
    scope = tuple(range(20))
    one_of = LinearSum(scope, ((0, 1),) * 20, 1, 1)
    at_most_three = LinearSum(scope, ((0, 1),) * 20, None, 3)
    at_least_two = LinearSum(scope, ((3, 4),) * 20, 62, None)
    weight = LinearSum(scope, ((0, 7),) * 20, None, 60)
    assert [compiler._is_wide(each) for each in (one_of, at_most_three, at_least_two, weight)] == [
        False,
        False,
        False,
        True,
    ]


def session(
    network: Network, seed: int, monkeypatch: pytest.MonkeyPatch
) -> tuple[SummedDiagram, list[Pins]]:
    """A customer's questions, whose every answer is that of a backend that was never asked
    before; the backend that was asked, and kept every part."""
    for name, value in (("WORTH", 1), ("SMALLEST", 1), ("LEFT", 1.1)):
        monkeypatch.setattr(module, name, value)
    decider = SatBackend(network)
    backend = compile_diagram(network, orders=1)
    assert isinstance(backend, SummedDiagram)
    offset = backend.diagram.offset.tolist()
    randomness = random.Random(seed)
    pins: dict[int, int] = {}
    questions: list[Pins] = []
    for variable in randomness.sample(range(24), 16):
        asked = tuple(sorted(pins.items()))
        fresh = SummedDiagram(backend.diagram, backend.facts, lambda: decider)
        for settle in (False, True):
            assert same(
                backend.marginals(asked, settle=settle), fresh.marginals(asked, settle=settle)
            )
        found = backend.marginals(asked)
        assert found.valid.tolist() == decider.marginals(asked).valid.tolist()
        here = found.valid[offset[variable] : offset[variable + 1]]
        pins[variable] = randomness.choice(np.flatnonzero(here).tolist())
        questions.append(asked)
    return backend, questions


@pytest.mark.parametrize("bits", [0, 14])
@pytest.mark.parametrize("priced", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_what_was_asked_before_changes_no_answer(
    seed: int, priced: bool, bits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor where all configurations cost the same, so that any of them may be met first."""
    network = heavier(budgeted(seed, 24, 3, 1.3), bits)
    backend, questions = session(
        network if priced else replace(network, costs=()), seed, monkeypatch
    )
    assert len(backend._parts._kept) > 6
    kept = [backend._settled.nearest(backend._flat(pins)) for pins in questions[1:]]
    roots = len(backend.diagram.roots)
    assert any(len(part.roots) > roots for part in kept), "nothing was folded"
    sizes = [part.edges for part in kept]
    assert sizes[-1] < sizes[0]


class Once:
    """A decider that is asked nothing twice of a customer who only chooses."""

    def __init__(self, network: Network) -> None:
        self.sat = SatBackend(network)
        self.impossible = np.zeros(sum(each.size for each in network.variables), dtype=np.bool_)

    def possible_with(self, pins: Pins, wanted: Bools) -> Bools:
        assert not (wanted & self.impossible).any(), f"decided twice, at last under {pins}"
        found = self.sat.possible_with(pins, wanted)
        self.impossible |= wanted & ~found
        return found

    def some(self, pins: Pins) -> tuple[int, ...] | None:
        return self.sat.some(pins)


def test_what_no_sum_leaves_possible_is_decided_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summed, "MIXTURES", 0)
    monkeypatch.setattr(module, "WORTH", 1)
    network = budgeted(3, 24, 3, 1.0)
    once = Once(network)
    backend = compile_diagram(network, orders=1, decider=lambda: once)
    chosen = once.some(())
    assert chosen is not None
    pins: Pins = ()
    for variable in random.Random(1).sample(range(24), 24):
        pins = tuple(sorted((*pins, (variable, chosen[variable]))))
        found = backend.marginals(pins)
        assert found.valid.tolist() == once.sat.marginals(pins).valid.tolist()
        assert not (found.valid & once.impossible).any()
    assert once.impossible.any()


def test_charges_that_leave_no_room_are_not_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ties, "ROOM", 20)
    backend, questions = session(budgeted(2, 24, 3, 1.3), 2, monkeypatch)
    assert backend._ties == 0
    roots = len(backend.diagram.roots)
    for pins in questions[1:]:
        assert len(backend._settled.nearest(backend._flat(pins)).roots) == roots

"""What pins leave of a diagram answers as the whole does, and is forgotten in time."""

from __future__ import annotations

import math
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
import pytest

from configurator.engine.backend import Pins
from configurator.engine.diagram import backend as module
from configurator.engine.diagram import compile_diagram, graph
from configurator.engine.diagram.backend import DiagramBackend
from configurator.engine.diagram.graph import Parts
from configurator.engine.network import Clause, Network, NetworkVariable
from tests.engine.test_diagram_oracle import random_network, same


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every part, however small, and hardly a count."""
    monkeypatch.setattr(module, "WORTH", 1)
    monkeypatch.setattr(module, "SMALLEST", 1)
    monkeypatch.setattr(module, "LEFT", 1.1)
    monkeypatch.setattr(module, "MARKED", 1)
    monkeypatch.setattr(module, "COUNTS", 1)


def walk(backend: DiagramBackend, seed: int) -> list[Pins]:
    """Questions of a customer who chooses, takes back and chooses otherwise."""
    randomness = random.Random(seed)
    asked: list[Pins] = []
    pins: dict[int, int] = {}
    offset = backend.diagram.offset.tolist()
    for _ in range(12):
        valid = backend.marginals(tuple(sorted(pins.items()))).valid
        variable = randomness.randrange(len(offset) - 1)
        if variable in pins and randomness.random() < 0.6:
            del pins[variable]
        else:
            options = np.flatnonzero(valid[offset[variable] : offset[variable + 1]])
            pins[variable] = int(randomness.choice(options.tolist()))
        asked.append(tuple(sorted(pins.items())))
    return asked


@pytest.mark.parametrize("seed", range(6))
def test_parts_answer_as_the_whole(seed: int, eager: None) -> None:
    network = random_network(seed, 25, 5, 40)
    backend = compile_diagram(network, orders=1)
    if not backend.marginals(()).consistent:
        return
    questions = walk(backend, seed)
    assert backend._parts._kept, "no part was ever kept"
    for pins in questions:
        fresh = DiagramBackend(backend.diagram, backend.facts)
        half = len(pins) // 2
        assert same(backend.marginals(pins), fresh.marginals(pins))
        assert same(
            backend.marginals(pins[:half], changes=True, fixed=pins[half:]),
            fresh.marginals(pins[:half], changes=True, fixed=pins[half:]),
        )
        assert backend.count(pins) == fresh.count(pins)
        assert backend.cheapest(pins) == fresh.cheapest(pins)


def test_parts_are_smaller_and_bounded(eager: None, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = compile_diagram(random_network(3, 25, 5, 40), orders=1)
    whole = backend._parts.whole
    monkeypatch.setattr(graph, "REMEMBERED_EDGES", 2 * whole.edges)
    for pins in walk(backend, 1) + walk(backend, 2):
        part = backend._parts.nearest(backend._flat(pins))
        assert part.edges <= whole.edges
        assert part.roots.shape == whole.roots.shape
    distinct = {id(part.start): part.edges for _, part in backend._parts._kept.values()}
    assert sum(distinct.values()) == backend._parts._edges
    assert backend._parts._edges <= graph.REMEMBERED_EDGES


def valid_walk(backend: DiagramBackend, seed: int) -> list[Pins]:
    """A customer who only chooses, more and more."""
    randomness = random.Random(seed)
    offset = backend.diagram.offset.tolist()
    asked: list[Pins] = []
    pins: dict[int, int] = {}
    for variable in randomness.sample(range(len(offset) - 1), len(offset) - 1):
        valid = backend.marginals(tuple(sorted(pins.items()))).valid
        options = np.flatnonzero(valid[offset[variable] : offset[variable + 1]])
        pins[variable] = int(randomness.choice(options.tolist()))
        asked.append(tuple(sorted(pins.items())))
    return asked


def counted_at_once(backend: DiagramBackend, pins: Pins) -> int:
    """Counted with all parts together, and nothing kept but what the pins leave."""
    return backend._count_of(backend._allowed(pins), pins)


@pytest.mark.parametrize("seed", range(4))
def test_counting_narrows_by_itself(seed: int, eager: None) -> None:
    """Parts made by counting alone hold what those made by sweeping hold, and the counts in
    floating point are the same to the last bit."""
    found = compile_diagram(random_network(seed, 25, 5, 40), orders=1)
    if not found.marginals(()).consistent:
        return
    fresh = partial(DiagramBackend, found.diagram, found.facts)
    counting, sweeping, whole = fresh(), fresh(), fresh()
    sizes = []
    for pins in valid_walk(whole, seed):
        whole._parts = Parts(whole.diagram.graph)
        number = counted_at_once(whole, pins)
        known = whole._working()
        floats = [known.counts[root] for root in whole._parts.whole.roots]
        assert counted_at_once(counting, pins) == number
        part = counting._parts.nearest(counting._flat(pins))
        # Counted once more, now in the part itself.
        assert counted_at_once(counting, pins) == number
        again = counting._working().counts
        assert [again[root] for root in part.roots] == floats
        sweeping.marginals(pins)
        swept = sweeping._parts.nearest(sweeping._flat(pins))
        for name in ("start", "conjunction", "slot", "target", "roots", "slots"):
            assert np.array_equal(getattr(part, name), getattr(swept, name)), name
        assert part.choices == swept.choices
        assert set(swept.states.tolist()) <= set(part.states.tolist())
        assert same(counting.marginals(pins, changes=True), whole.marginals(pins, changes=True))
        sizes.append(part.edges)
    assert sizes[-1] < whole.diagram.edges


def side_by_side(networks: list[Network]) -> Network:
    """Networks of clauses that share nothing, as one."""
    first, clauses = 0, []
    for network in networks:
        for clause in network.constraints:
            assert isinstance(clause, Clause)
            clauses.append(Clause(tuple((first + v, values) for v, values in clause.literals)))
        first += len(network.variables)
    variables = tuple(variable for network in networks for variable in network.variables)
    return Network(variables, tuple(clauses), ())


@pytest.mark.parametrize("parts", range(1, 4))
@pytest.mark.parametrize("kept", [1, module.COUNTS])
def test_parts_that_share_nothing_are_counted_apart(
    parts: int, kept: int, eager: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "COUNTS", kept)
    networks = [random_network(parts + each, 9 + each, 4, 6 + 3 * each) for each in range(parts)]
    own = [compile_diagram(network, orders=1) for network in networks]
    own = [DiagramBackend(each.diagram, each.facts, plain=True) for each in own]
    together = compile_diagram(side_by_side(networks), orders=1)
    starts = np.cumsum([0, *(len(network.variables) for network in networks)]).tolist()
    apart = together._apart
    assert len(apart.variables) < starts[-1], "something is always beside the largest part"
    assert apart.rest.edges < together.diagram.edges
    asked = [(), *valid_walk(together, 1), *walk(together, 2)]
    randomness = random.Random(parts)
    sizes = [variable.size for network in networks for variable in network.variables]
    for _ in range(50):  # most of these leave nothing
        some = sorted(randomness.sample(range(len(sizes)), 5))
        asked.append(tuple((v, randomness.randrange(sizes[v])) for v in some))
    numbers = set()
    for pins in asked:
        expected = math.prod(
            each.count(tuple((v - at, value) for v, value in pins if at <= v < end))[0]
            for each, (at, end) in zip(own, pairwise(starts), strict=True)
        )
        assert together.count(pins) == (expected, True)
        numbers.add(expected)
    assert 0 in numbers
    assert len(numbers) > 10
    with pytest.raises(ValueError, match="there is no variable"):
        together.count(((len(sizes), 0),))


def test_contradictory_pins_leave_no_part(eager: None) -> None:
    network = Network(
        (NetworkVariable("a", (1, 1)), NetworkVariable("b", (1, 1)), NetworkVariable("c", (1, 1))),
        tuple(Clause(((v, frozenset((1,))), (v + 1, frozenset((1,)))), v) for v in range(2)),
        ("one", "two"),
    )
    backend = compile_diagram(network, orders=1)
    assert backend.count(((0, 0), (1, 0))) == (0, True)
    assert not backend._parts._kept
    assert backend.count(((0, 0),)) == (2, True)


def test_several_threads_count_as_one(eager: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """While parts are made and forgotten all the time."""
    backend = compile_diagram(random_network(3, 25, 5, 40), orders=1)
    monkeypatch.setattr(graph, "REMEMBERED_EDGES", 2 * backend.diagram.edges)
    walks = [valid_walk(DiagramBackend(backend.diagram, backend.facts), seed) for seed in range(8)]
    alone = [
        [DiagramBackend(backend.diagram, backend.facts).count(pins) for pins in each]
        for each in walks
    ]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            together = pool.map(lambda each: [backend.count(pins) for pins in each], walks)
            assert list(together) == alone
    distinct = {id(part.start): part.edges for _, part in backend._parts._kept.values()}
    distinct.pop(id(backend._parts.whole.start), None)
    assert sum(distinct.values()) == backend._parts._edges <= graph.REMEMBERED_EDGES


def test_a_part_of_several_pins_takes_its_room_once() -> None:
    whole = compile_diagram(random_network(3, 25, 5, 40), orders=1).diagram.graph
    part = replace(whole, start=whole.start.copy())
    parts = Parts(whole)
    pins = [np.array([0, value], dtype=np.int64) for value in range(3)]
    for each in pins:
        parts.keep(each, part)
    assert parts._edges == part.edges
    for each in pins[:2]:
        parts.keep(each, whole)
    assert parts._edges == part.edges
    parts.keep(pins[2], whole)
    assert parts._edges == 0
    parts.keep(pins[2], replace(whole, impossible=np.array([3])))
    assert parts._edges == 0
    assert set(parts._holders) == {id(whole.start)}


@pytest.mark.parametrize("plain", [False, True])
def test_the_last_pins_are_kept_and_no_others(plain: bool) -> None:
    found = compile_diagram(random_network(3, 25, 5, 40), orders=1)
    backend = DiagramBackend(found.diagram, found.facts, plain=plain)
    pins = ((0, 1), (3, 0))
    first = backend._flat(pins)
    assert list(first) == [0, 1, 3, 0]
    assert list(backend._flat(())) == []
    assert backend._flat(tuple(pins)) is first
    for _ in range(2):
        with pytest.raises(ValueError, match="there is no variable 99"):
            backend._flat(((0, 1), (99, 0)))
    assert list(backend._flat(((0, 0), (3, 0)))) == [0, 0, 3, 0]
    assert list(backend._flat(pins[:1])) == [0, 1]

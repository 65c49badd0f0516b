"""What pins leave of a diagram answers as the whole does, and is forgotten in time."""

from __future__ import annotations

import random

import numpy as np
import pytest

from configurator.engine.backend import Pins
from configurator.engine.diagram import backend as module
from configurator.engine.diagram import compile_diagram, graph
from configurator.engine.diagram.backend import DiagramBackend
from tests.engine.test_diagram_oracle import random_network, same


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every part, however small."""
    monkeypatch.setattr(module, "WORTH", 1)
    monkeypatch.setattr(module, "SMALLEST", 1)
    monkeypatch.setattr(module, "LEFT", 1.1)


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
    assert sum(part.edges for _, part in backend._parts._kept.values()) == backend._parts._edges
    assert backend._parts._edges <= graph.REMEMBERED_EDGES

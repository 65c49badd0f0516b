"""The compiled diagram against the SAT backend, on networks beyond brute force."""

from __future__ import annotations

import numpy as np
import pytest

from configurator.engine.backend import Pins, offsets_of
from configurator.engine.diagram import compile_diagram
from configurator.engine.sat import SatBackend
from tests.engine.test_diagram_oracle import random_network


@pytest.mark.parametrize("seed", range(4))
def test_equal_along_a_walk(seed: int) -> None:
    network = random_network(seed, 30, 4, 45)
    compiled = compile_diagram(network, orders=2)
    solver = SatBackend(network)
    offsets = offsets_of(tuple(variable.size for variable in network.variables))
    random = np.random.default_rng(seed)
    pins: Pins = ()
    for _ in range(6):
        found, wanted = compiled.marginals(pins), solver.marginals(pins)
        assert found.consistent == wanted.consistent
        known = ~wanted.undecided
        assert np.array_equal(found.valid[known], wanted.valid[known])
        exact = known & wanted.lowest_exact
        assert np.array_equal(found.lowest[exact], wanted.lowest[exact])
        left = np.add.reduceat(found.valid, offsets[:-1])
        open_variables = np.flatnonzero(left > 1)
        if len(open_variables) == 0:
            break
        variable = int(random.choice(open_variables))
        first, last = int(offsets[variable]), int(offsets[variable + 1])
        value = int(random.choice(np.flatnonzero(found.valid[first:last])))
        pins = tuple(sorted((*pins, (variable, value))))

"""OR-Tools proves the lowest total where our own search does not."""

from __future__ import annotations

import datetime
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configurator.engine import Limits, compile_product
from configurator.engine.proving import Prover, installed
from configurator.engine.sat import SatBackend
from configurator.engine.sat import backend as backend_module
from configurator.language import load_folder
from tests.conftest import LAMP, files_of
from tests.engine.networks import random_network, solutions, total_of
from tests.engine.test_backends import random_pins

pytestmark = pytest.mark.skipif(not installed(), reason="OR-Tools is not installed")


@given(seed=st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_the_proven_lowest_total_is_the_lowest(seed: int) -> None:
    network = random_network(seed)
    rng = random.Random(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backend_module, "SMALL_VALUES", -1)  # bounds only, without the prover
        plain, proving = SatBackend(network), SatBackend(network, Prover(network))
        for _ in range(2):
            pins, _ = random_pins(network, rng)
            rows = [row for row in solutions(network) if all(row[v] == a for v, a in pins)]
            cheapest = Prover(network).cheapest(pins)
            totals = [total_of(network, row) for row in rows]
            assert (cheapest is None) is not bool(rows)
            assert cheapest is None or total_of(network, cheapest) == min(totals)
            found, bounds = proving.marginals(pins), plain.marginals(pins)
            assert found.valid.tobytes() == bounds.valid.tobytes()
            if rows:
                best = min(totals)
                lowest = found.valid & (found.lowest == best)
                assert (found.lowest[found.valid] >= best).all()
                assert (lowest & found.lowest_exact).any()
                assert not (found.lowest_exact & found.valid & ~lowest).any() or not network.costs


def test_its_name_says_that_a_backend_proves() -> None:
    network = random_network(1)
    assert SatBackend(network).name == "sat"
    assert SatBackend(network, Prover(network)).name == "sat+ortools"


def test_a_product_is_answered_by_a_backend_that_proves() -> None:
    product = load_folder(files_of(LAMP)).product
    assert product is not None
    day = datetime.date(2026, 11, 22)
    proving = compile_product(product, day, limits=Limits(nodes=0, edges=0), prove=True)
    assert proving.backend_name == "sat+ortools"
    assert proving.view(()) == compile_product(product, day, backend="sat+ortools").view(())
    compiled = compile_product(product, day, prove=True)
    assert compiled.backend_name == "diagram"
    assert compiled.lowest_total(()) == proving.lowest_total(())

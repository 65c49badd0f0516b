"""The SAT backend within budgets: what it leaves open, and what it never gets wrong."""

from __future__ import annotations

import random
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configurator.engine.backend import Marginals, Pins
from configurator.engine.network import Network
from configurator.engine.sat import SatBackend
from configurator.engine.sat import backend as backend_module
from configurator.engine.sat import branching as branching_module
from configurator.engine.sat import probe as probe_module
from tests.engine.networks import random_network, solutions
from tests.engine.test_backends import random_pins


def same(one: Marginals, other: Marginals) -> None:
    assert one.consistent == other.consistent
    for name in ("valid", "undecided", "lowest", "lowest_exact", "changes", "repaired_lowest"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), name)


@given(seed=st.integers(0, 10**6), questions=st.sampled_from([0, 1, 2, 5]))
@settings(max_examples=80, deadline=None)
def test_what_is_decided_within_a_budget_is_right(seed: int, questions: int) -> None:
    network = random_network(seed)
    rng = random.Random(seed)
    hasty, thorough = SatBackend(network), SatBackend(network)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backend_module, "QUESTIONS", questions)
        for _ in range(4):
            pins, fixed = random_pins(network, rng)
            found = hasty.marginals(pins, changes=True, fixed=fixed, settle=False)
            right = thorough.marginals(pins, changes=True, fixed=fixed)
            assert found.consistent == right.consistent
            assert not (found.valid & found.undecided).any()
            decided = ~found.undecided
            np.testing.assert_array_equal(found.valid[decided], right.valid[decided])
            assert (found.lowest[~found.valid] == -1).all()
            assert (found.lowest[found.valid] <= right.lowest[found.valid]).all()
            exact = found.valid & found.lowest_exact
            np.testing.assert_array_equal(found.lowest[exact], right.lowest[exact])
            assert found.changes is not None
            assert right.changes is not None
            known = found.changes != -2
            np.testing.assert_array_equal(found.changes[known], right.changes[known])
            same(hasty.marginals(pins, changes=True, fixed=fixed), right)


def test_a_budget_leaves_something_open_and_settling_decides_it() -> None:
    network = random_network(3)
    backend = SatBackend(network)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backend_module, "QUESTIONS", 0)
        found = backend.marginals((), settle=False)
    assert found.consistent
    assert found.valid.any()
    assert found.undecided.any()
    assert not backend.marginals(()).undecided.any()


@given(seed=st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_a_solver_made_anew_answers_the_same(seed: int) -> None:
    network = random_network(seed)
    rng = random.Random(seed)
    right, renewed = SatBackend(network), SatBackend(network)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(probe_module, "WORN", -1)
        for _ in range(3):
            pins, fixed = random_pins(network, rng)
            same(
                renewed.marginals(pins, changes=True, fixed=fixed),
                right.marginals(pins, changes=True, fixed=fixed),
            )


def test_threads_share_a_pool_and_get_the_same_answers() -> None:
    network: Network = random_network(11)
    rng = random.Random(11)
    questions = [random_pins(network, rng) for _ in range(40)]
    alone = SatBackend(network)
    right = [alone.marginals(p, changes=True, fixed=f) for p, f in questions]
    shared = SatBackend(network)
    failures: list[BaseException] = []

    def work(start: int) -> None:
        try:
            for k in range(len(questions)):
                turn = (start + k) % len(questions)
                pins, fixed = questions[turn]
                same(shared.marginals(pins, changes=True, fixed=fixed), right[turn])
                both: Pins = tuple(sorted((*pins, *fixed)))
                assert (shared.core(both) is None) == right[turn].consistent
        except BaseException as problem:
            failures.append(problem)

    threads = [threading.Thread(target=work, args=(5 * k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


@given(seed=st.integers(0, 10**6), amounts=st.sampled_from([-1, 600]))
@settings(max_examples=60, deadline=None)
def test_where_the_cheapest_is_not_proven_a_good_one_is_found_the_same_every_time(
    seed: int, amounts: int
) -> None:
    network = random_network(seed)
    rng = random.Random(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backend_module, "AMOUNTS", amounts)
        patch.setattr(backend_module, "CHEAPEST_CORES", 0)
        patch.setattr(branching_module, "BRANCHES", 1)
        old, fresh = SatBackend(network), SatBackend(network)
        for _ in range(3):
            pins, fixed = random_pins(network, rng)
            everything = tuple(sorted((*pins, *fixed)))
            old.marginals(pins, changes=True, fixed=fixed)
            found = old.cheapest(everything)
            assert found == fresh.cheapest(everything)
            rows = [row for row in solutions(network) if all(row[v] == a for v, a in everything)]
            assert (found is None) is not bool(rows)
            assert found is None or found in rows

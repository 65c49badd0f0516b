"""Every backend against brute force, on random networks."""

from __future__ import annotations

import random
from collections.abc import Callable
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configurator.engine.backend import Backend, Pins, Reasoner, offsets_of
from configurator.engine.constraint_backend import ConstraintBackend
from configurator.engine.network import LinearSum, Network, NetworkVariable
from configurator.engine.sat import SatBackend, reasoning
from configurator.engine.sat import backend as backend_module
from configurator.engine.sat import encoding as encoding_module
from tests.engine.networks import random_network, solutions, total_of, weight_of

MAKERS: dict[str, Callable[[Network], SatBackend | ConstraintBackend]] = {
    "sat": SatBackend,
    "python-constraint": ConstraintBackend.of_network,
}
SETTINGS = settings(max_examples=80, deadline=None)


def random_pins(network: Network, rng: random.Random) -> tuple[Pins, Pins]:
    rows = solutions(network)
    row = rng.choice(rows) if rows and rng.random() < 0.8 else None
    pins, fixed = [], []
    for v, variable in enumerate(network.variables):
        kind = rng.choice(["free", "free", "pin", "fixed"])
        value = row[v] if row is not None else rng.randrange(variable.size)
        if kind == "pin":
            pins.append((v, value))
        elif kind == "fixed" and rng.random() < 0.5:
            fixed.append((v, value))
    return tuple(pins), tuple(fixed)


def check(backend: Backend, network: Network, pins: Pins, fixed: Pins) -> None:
    told = [row for row in solutions(network) if all(row[v] == a for v, a in fixed)]
    rows = [row for row in told if all(row[v] == a for v, a in pins)]
    marginals = backend.marginals(pins, changes=True, fixed=fixed)
    assert marginals.consistent is bool(rows)
    offsets = offsets_of(tuple(v.size for v in network.variables))
    for v, variable in enumerate(network.variables):
        for a in range(variable.size):
            k = int(offsets[v]) + a
            having = [row for row in rows if row[v] == a]
            assert marginals.valid[k] == bool(having)
            assert not marginals.undecided[k]
            if having:
                best = min(total_of(network, row) for row in having)
                assert marginals.lowest[k] == best
                assert marginals.lowest_exact[k]
            else:
                assert marginals.lowest[k] == -1
            changed = [(sum(row[w] != b for w, b in pins), row) for row in told if row[v] == a]
            fewest = min((count for count, _ in changed), default=-1)
            assert marginals.changes is not None
            assert marginals.changes[k] == fewest
            own = any(w == v and b != a for w, b in pins)
            if fewest == 0 or (fewest == 1 and own):
                best = min(total_of(network, row) for count, row in changed if count == fewest)
                assert marginals.repaired_lowest is not None
                assert marginals.repaired_lowest[k] == best
    everything = tuple(sorted((*pins, *fixed)))
    number, exact = backend.count(everything)
    left = sum(weight_of(network, row) for row in rows)
    assert (number == left) if exact else (500 <= number <= left)
    cheapest = min(rows, key=lambda row: (total_of(network, row), row), default=None)
    assert backend.cheapest(everything) == cheapest


@pytest.mark.parametrize("name", MAKERS)
@given(seed=st.integers(0, 10**6))
@SETTINGS
def test_answers_are_what_brute_force_finds(name: str, seed: int) -> None:
    network = random_network(seed)
    backend = MAKERS[name](network)
    rng = random.Random(seed)
    for _ in range(3):  # several questions: witnesses of one must not spoil another
        check(backend, network, *random_pins(network, rng))


@pytest.mark.parametrize("name", MAKERS)
@given(seed=st.integers(0, 10**6), near=st.booleans())
@SETTINGS
def test_rules_can_be_left_out(name: str, seed: int, near: bool) -> None:
    with mock.patch.object(reasoning, "MANY", 0 if near else reasoning.MANY):
        _leave_rules_out(name, seed)


def _leave_rules_out(name: str, seed: int) -> None:
    network = random_network(seed)
    reasoner: Reasoner = MAKERS[name](network)
    rng = random.Random(seed)
    for _ in range(3):
        owners = tuple(sorted(rng.sample(range(4), rng.randrange(5))))
        pins = tuple((v, rng.randrange(x.size)) for v, x in enumerate(network.variables[:2]))
        barred = ((1, rng.randrange(network.variables[1].size)),)
        rows = [
            row
            for row in solutions(network, owners)
            if all(row[v] == a for v, a in pins[:1]) and all(row[v] != a for v, a in barred)
        ]
        assert (reasoner.core(pins[:1], owners, barred) is None) is bool(rows)
        rules = reasoner.rules_core(pins[:1], barred)
        for first in (len(owners), 4, 0):  # one after the other: what is known must not spoil
            some = tuple(owner for owner in owners if owner >= first)
            found = rules(range(first), some)
            left = solutions(network, tuple(sorted({*range(first), *some})))
            fits = [r for r in left if r[0] == pins[0][1] and r[1] != barred[0][1]]
            assert (found is None) is bool(fits)
            if found is not None:
                assert set(found) <= {*range(first), *some}
                assert reasoner.core(pins[:1], tuple(sorted(found)), barred) is not None
        rows = [row for row in solutions(network) if all(row[v] == a for v, a in pins)]
        found = reasoner.core(pins)
        assert (found is None) is bool(rows)
        if found is not None:
            assert reasoner.core(found[0]) is not None


@given(seed=st.integers(0, 10**6), budget=st.sampled_from([0, 3]))
@settings(max_examples=60, deadline=None)
def test_sums_too_wide_for_a_diagram_are_added_in_binary(seed: int, budget: int) -> None:
    """The adders answer as the diagrams do."""
    rng = random.Random(seed)
    sizes = [rng.choice([2, 3, 5]) for _ in range(4)]
    variables = tuple(NetworkVariable(f"v{i}", (1,) * s) for i, s in enumerate(sizes))
    weights = tuple(tuple(rng.randrange(-9, 30) for _ in range(s)) for s in sizes)
    middle = sum(rng.choice(row) for row in weights)
    low = rng.choice([None, middle, middle - 7])
    high = rng.choice([None, middle, middle + 5])
    network = Network(variables, (LinearSum((0, 1, 2, 3), weights, low, high, 0),), ("r",))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding_module, "DIAGRAM_EDGES", budget)
        backend = SatBackend(network)
    for value in range(sizes[0]):
        check(backend, network, ((0, value),), ())


@given(seed=st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_tables_too_long_for_tuples_become_diagrams(seed: int) -> None:
    network = random_network(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding_module, "TUPLES", 2)
        patch.setattr(encoding_module, "CONFLICTS", 0)
        backend = SatBackend(network)
    check(backend, network, *random_pins(network, random.Random(seed)))


@given(seed=st.integers(0, 10**6))
@settings(max_examples=80, deadline=None)
def test_many_amounts_are_searched_by_branching(seed: int) -> None:
    network = random_network(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backend_module, "AMOUNTS", -1)
        backend = SatBackend(network)
    rng = random.Random(seed)
    for _ in range(3):
        pins, _ = random_pins(network, rng)
        rows = [row for row in solutions(network) if all(row[v] == a for v, a in pins)]
        cheapest = min(rows, key=lambda row: (total_of(network, row), row), default=None)
        assert backend.cheapest(pins) == cheapest
        marginals = backend.marginals(pins)
        for k in marginals.valid.nonzero()[0]:
            variable = next(v for v, end in enumerate(backend._offsets[1:]) if k < end)
            value = int(k - backend._offsets[variable])
            best = min(total_of(network, row) for row in rows if row[variable] == value)
            assert marginals.lowest[k] <= best
            assert not marginals.lowest_exact[k] or marginals.lowest[k] == best


def test_answers_do_not_depend_on_earlier_questions() -> None:
    """A backend asked a hundred other things answers like a fresh one."""
    for seed in range(12):
        network = random_network(seed, most=7)
        old, rng = SatBackend(network), random.Random(seed)
        for _ in range(30):
            pins, fixed = random_pins(network, rng)
            old.marginals(pins, changes=True, fixed=fixed)
        pins, fixed = random_pins(network, rng)
        one = old.marginals(pins, changes=True, fixed=fixed)
        other = SatBackend(network).marginals(pins, changes=True, fixed=fixed)
        for name in ("valid", "lowest", "lowest_exact", "changes", "repaired_lowest"):
            mine, fresh = getattr(one, name), getattr(other, name)
            assert (mine is None and fresh is None) or mine.tobytes() == fresh.tobytes()

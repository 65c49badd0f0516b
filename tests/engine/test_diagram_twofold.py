"""Two diagrams of one network answer as one: exactly, whichever of them was asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configurator.engine.diagram import compile_diagram, compiler, load_diagram
from configurator.engine.diagram.backend import DiagramBackend
from configurator.engine.diagram.twofold import TwofoldDiagram
from configurator.engine.network import CostFunction, LinearSum, Network, NetworkVariable
from tests.engine.test_diagram_oracle import Oracle, check, networks, pins_of, relaxed, same
from tests.engine.test_diagram_sums import budgeted


@pytest.fixture(autouse=True)
def both(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep both diagrams, however small."""
    monkeypatch.setattr(compiler, "WIDE_SUM", 0)
    monkeypatch.setattr(compiler, "NARROW", 0)
    monkeypatch.setattr(compiler, "SMALLER", 0)
    monkeypatch.setattr(compiler, "LARGE", 0)


@settings(relaxed, max_examples=100)
@given(st.data())
def test_equals_brute_force(data: st.DataObject) -> None:
    network = data.draw(networks())
    oracle = Oracle(network)
    backend = compile_diagram(network, orders=1)
    check(oracle, backend, ())
    for _ in range(3):
        pins = data.draw(pins_of(network))
        check(oracle, backend, pins)
        check(oracle, backend, pins[1:], fixed=pins[:1])
        number, exact = backend.count(pins, settle=False)
        counted = oracle.count(pins)
        assert number == counted if exact else 0 < number <= counted


def loose() -> Network:
    """What costs little weighs little, and the limit is seldom reached."""
    scope = tuple(range(8))
    return Network(
        tuple(NetworkVariable(f"v{v}", (1, 1, 1)) for v in scope),
        (LinearSum(scope, ((0, 1, 2),) * 8, None, 13, 0),),
        ("weight",),
        tuple(CostFunction((v,), (0, 10 + v, 30), f"p{v}") for v in scope),
    )


def test_the_small_one_answers_where_limits_are_far() -> None:
    backend = compile_diagram(loose(), orders=1)
    assert isinstance(backend, TwofoldDiagram)
    known = DiagramBackend(backend.diagram, backend.facts).marginals((), changes=True)
    hard = backend.quick.proven((), totals=True)
    assert hard is not None
    proven = backend.quick.proven_changes(hard, (), ())
    assert proven is not None
    assert same(proven, known)
    assert same(backend.marginals((), changes=True), known)


def test_the_whole_answers_where_limits_are_near() -> None:
    network = budgeted(2, 12, 2, 1.0)
    backend = compile_diagram(network, orders=1)
    assert isinstance(backend, TwofoldDiagram)
    assert backend.quick.proven((), totals=True) is None
    found = backend.marginals((), settle=False)
    assert not found.undecided.any()
    assert found.lowest_exact.all()


def test_both_are_stored_and_read_again(tmp_path: Path) -> None:
    network = loose()
    compiled = compile_diagram(network, orders=1)
    compiled.save(tmp_path / "d")
    loaded = load_diagram(tmp_path / "d", compiled.facts.digest, lambda: None)  # type: ignore[arg-type, return-value]
    assert isinstance(loaded, TwofoldDiagram)
    assert any(isinstance(each, LinearSum) for each in network.constraints)
    for pins in ((), ((0, 1),), ((2, 0), (5, 1))):
        assert same(loaded.marginals(pins, changes=True), compiled.marginals(pins, changes=True))
        assert loaded.count(pins) == compiled.count(pins)
        assert loaded.cheapest(pins) == compiled.cheapest(pins)

"""Questions near one configuration: the same answers, of few clauses."""

from __future__ import annotations

import datetime
import random
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from configurator.engine import compile_product, reasons
from configurator.engine.network import Clause, Network, NetworkVariable
from configurator.engine.sat import SatBackend, nearby, reasoning
from configurator.engine.sat.encoding import Encoding
from configurator.engine.sat.nearby import Index, Nearby
from configurator.language import load_folder
from configurator.language.importers import import_model
from configurator.model.choice import Choice
from tests.engine.networks import random_network

YES = frozenset({1})
NO = frozenset({0})


def chain(length: int) -> Network:
    """Yes-or-no questions of which each needs the one before; the first is always taken."""
    variables = tuple(NetworkVariable(f"v{n}", (1, 1)) for n in range(length))
    rules = [Clause(((0, YES),), 0)]
    rules += [Clause(((n - 1, NO), (n, YES)), n) for n in range(1, length)]
    return Network(variables, tuple(rules), tuple(f"r{n}" for n in range(length)))


def test_a_question_takes_the_clauses_of_what_changes_only() -> None:
    network = chain(3_000)
    encoding = Encoding(network)
    index = Index(encoding)
    base = np.ones(encoding.top + 1, dtype=np.bool_)
    near = Nearby(index, base, 3_000, [-1_001])  # the 1,001st is not taken
    assert near.core(1_000, ()) is None
    assert near.core(998, (999, 1_000)) is None
    assert near.added < 10
    near = Nearby(index, base, 3_000, [-501], range(501))
    assert set(near.core(3_000, ()) or ()) == set(range(501))
    assert near.core(499, (500,)) is None
    assert near.added == 501


@pytest.fixture(autouse=True)
def asked_nearby(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in small products."""
    monkeypatch.setattr(reasoning, "MANY", 0)


@pytest.mark.parametrize("few", [nearby.FEW, 2])
def test_rules_of_a_long_chain_are_all_needed(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where what would change is too much, and everything is asked."""
    monkeypatch.setattr(nearby, "FEW", few)
    backend = SatBackend(chain(60))
    core = backend.rules_core((), ((59, 1),))
    assert set(core(range(60), ()) or ()) == set(range(60))
    for gone in range(60):
        assert core(range(gone), tuple(range(gone + 1, 60))) is None


def test_changes_that_follow_from_one_another_take_one_round() -> None:
    network = chain(3_000)
    encoding = Encoding(network)
    base = np.ones(encoding.top + 1, dtype=np.bool_)
    near = Nearby(Index(encoding), base, 3_000, [-1])  # none of the others can be taken either
    assert near.core(0, range(1, 3_000)) is None
    assert near.added < 10


@pytest.mark.parametrize("seed", range(40))
def test_answers_do_not_depend_on_what_was_asked_before(seed: int) -> None:
    network = random_network(seed)
    draw = random.Random(seed)
    backend = SatBackend(network)
    pins = ((0, draw.randrange(network.variables[0].size)),)
    barred = ((1, draw.randrange(network.variables[1].size)),)
    core = backend.rules_core(pins, barred)
    for _ in range(12):
        first = draw.randint(0, len(network.owners))
        rest = range(first, len(network.owners))
        later = tuple(sorted(draw.sample(rest, draw.randint(0, len(rest)))))
        expected = backend.core(pins, (*range(first), *later), barred)
        assert (core(range(first), later) is None) is (expected is None)


def test_an_origin_names_the_newest_rules_of_a_long_chain(tmp_path: Path) -> None:
    """And says that there are more; a conflict names all."""
    depth = reasons.NAMED + 20
    model = tmp_path / "deep.uvl"
    lines = [" " * (2 * n + 1) + f"F{n}\n" + " " * (2 * n + 2) + "mandatory" for n in range(depth)]
    model.write_text("\n".join(["features", *lines, " " * (2 * depth + 1) + f"F{depth}", ""]))
    product = load_folder(import_model(model)).product
    assert product is not None
    engine = compile_product(product, datetime.date(2026, 11, 26))
    includes = [f"F{n}-includes" for n in range(depth)]
    whole = engine.origin((), f"F{reasons.NAMED - 1}")
    assert whole.rules == tuple(includes[: reasons.NAMED - 1])
    assert not whole.more
    cut = engine.origin((), f"F{depth}")
    assert cut.rules == tuple(includes[-reasons.NAMED :])
    assert cut.more
    refused = engine.conflict((), Choice(f"F{depth}", "no"))
    assert refused.rules == tuple(includes)
    assert not refused.more


def test_a_warm_engine_has_the_reasons_of_the_first_view(tmp_path: Path) -> None:
    model = tmp_path / "bike.uvl"
    model.write_text("features\n Bike\n  mandatory\n   Frame\n  optional\n   Bell\n")
    product = load_folder(import_model(model)).product
    assert product is not None
    engine = compile_product(product, datetime.date(2026, 11, 26))
    engine.warm()
    with mock.patch.object(SatBackend, "core", side_effect=AssertionError):
        assert engine.origin((), "Frame").rules == ("Bike-includes",)


def test_equal_origins_are_one_object(tmp_path: Path) -> None:
    """Else whoever keeps what is made of an origin keeps it again for each way to it."""
    model = tmp_path / "bike.uvl"
    model.write_text(
        "features\n Bike\n  optional\n   Bell\n   Horn\n   Light\n   Rack\n"
        "constraints\n Bell => Horn\n"
    )
    product = load_folder(import_model(model)).product
    assert product is not None
    engine = compile_product(product, datetime.date(2026, 11, 26))
    bell = Choice("Bell", "yes")
    after_light = engine.origin((Choice("Light", "yes"), bell), "Horn")
    after_rack = engine.origin((Choice("Rack", "yes"), bell), "Horn")
    assert after_light.choices == (bell,)
    assert after_rack is after_light

"""Compiling within limits: what is kept, what is refused, and what a dead child leaves."""

from __future__ import annotations

import datetime
import errno
import itertools
import json
import threading
from pathlib import Path

import numpy as np
import pytest

from configurator.engine import Limits, TooWide, compile_product
from configurator.engine import building as building_module
from configurator.engine.building import build, stored
from configurator.engine.diagram import CompileProgress, DiagramBackend, network_digest
from configurator.engine.network import Clause, Network, NetworkVariable
from configurator.engine.sat import SatBackend
from configurator.language import load_folder
from configurator.model.product import Product
from tests.conftest import LAMP, files_of

DAY = datetime.date(2026, 11, 22)
LIMITS = Limits()


def search() -> SatBackend:
    raise AssertionError("no sums stand beside these diagrams")


def chain(length: int = 12) -> Network:
    """Questions of three answers, each ruling one out for the next."""
    variables = tuple(NetworkVariable(f"v{k}", (1, 1, 1)) for k in range(length))
    rules = tuple(
        Clause(((k, frozenset({0, 1})), (k + 1, frozenset({0}))), k) for k in range(length - 1)
    )
    return Network(variables, rules, tuple(f"r{k}" for k in range(length - 1)))


def wide() -> Network:
    """Rules over any three of sixty questions."""
    random = np.random.default_rng(1)
    rules = []
    for owner in range(200):
        scope = sorted(random.choice(60, 3, replace=False).tolist())
        rules.append(Clause(tuple((v, frozenset({int(random.integers(2))})) for v in scope), owner))
    variables = tuple(NetworkVariable(f"v{v}", (1, 1)) for v in range(60))
    return Network(variables, tuple(rules), tuple(f"rule-{owner}" for owner in range(200)))


@pytest.fixture
def in_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is small."""
    monkeypatch.setattr(building_module, "SMALL_TERMS", -1)


@pytest.mark.usefixtures("in_child")
def test_a_child_compiles_tells_its_progress_and_saves(tmp_path: Path) -> None:
    network = chain()
    digest = network_digest(network)
    told: list[CompileProgress] = []
    assert stored(tmp_path, digest, LIMITS, search) is None
    found = build(network, tmp_path, digest, LIMITS, search, told.append)
    assert isinstance(found, DiagramBackend)
    assert told[-1].done == told[-1].rules == 11
    again = stored(tmp_path, digest, LIMITS, search)
    assert isinstance(again, DiagramBackend)
    assert not again.diagram.start.flags.writeable  # mapped, not read
    right = SatBackend(network).marginals(())
    np.testing.assert_array_equal(found.marginals(()).valid, right.valid)


@pytest.mark.usefixtures("in_child")
def test_what_is_too_wide_is_noted_with_its_rules_and_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, few = wide(), Limits(nodes=500, edges=2000)
    digest = network_digest(network)
    found = build(network, tmp_path, digest, few, search)
    assert isinstance(found, TooWide)
    assert found.reason in ("nodes", "states")
    assert found.owners
    assert set(found.owners) <= set(network.owners)
    monkeypatch.setattr(building_module, "_in_child", None)  # would fail if it were asked
    assert build(network, tmp_path, digest, few, search) == found
    assert stored(tmp_path, digest, Limits(nodes=400, edges=2000), search) == found
    assert stored(tmp_path, digest, LIMITS, search) is None  # more is allowed now: try again


@pytest.mark.usefixtures("in_child")
@pytest.mark.parametrize(
    ("limits", "reason"),
    [(Limits(megabytes=48), "memory"), (Limits(seconds=0.0), "seconds")],
)
def test_memory_and_time_end_a_child_with_a_reason(
    tmp_path: Path, limits: Limits, reason: str
) -> None:
    network = wide()
    found = build(network, tmp_path, network_digest(network), limits, search)
    assert isinstance(found, TooWide)
    assert found.reason in (reason, "died")
    assert not [each for each in tmp_path.iterdir() if each.is_dir()]


@pytest.mark.usefixtures("in_child")
def test_a_killed_child_leaves_no_half_written_file_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = chain()
    digest = network_digest(network)
    (tmp_path / f".{digest}-half").mkdir()  # what a child killed while it wrote leaves
    program = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    with monkeypatch.context() as patch:
        patch.setattr(building_module, "_START", program)
        assert build(network, tmp_path, digest, LIMITS, search) == TooWide("died")
    assert stored(tmp_path, digest, LIMITS, search) is None
    assert [each.name for each in tmp_path.iterdir()] == [f"{digest}.lock"]
    assert isinstance(build(network, tmp_path, digest, LIMITS, search), DiagramBackend)


@pytest.mark.parametrize("small", [True, False])
@pytest.mark.parametrize("full", [True, False])
def test_where_nothing_can_be_stored_only_what_is_small_is_compiled(
    tmp_path: Path, small: bool, full: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = chain()
    digest = network_digest(network)
    folder = tmp_path / "compiled"
    with monkeypatch.context() as patch:
        if not small:
            patch.setattr(building_module, "SMALL_TERMS", -1)
        if not full:
            folder.write_text("in the way")
        elif small:
            patch.setattr(DiagramBackend, "save", no_space)
        else:
            limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))\n"
            patch.setattr(building_module, "_START", limit + building_module._START)
        found = build(network, folder, digest, LIMITS, search)
    if small:
        assert isinstance(found, DiagramBackend)
        assert found.count(()) == (chain_count(), True)
    else:
        assert found == TooWide("disk")
    if full:
        assert [each.name for each in folder.iterdir()] == [f"{digest}.lock"]
        # there is room again
        assert isinstance(build(network, folder, digest, LIMITS, search), DiagramBackend)
        assert (folder / digest).is_dir()


def no_space(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def chain_count() -> int:
    """Configurations of ``chain()``, one by one."""
    answers = itertools.product(range(3), repeat=12)
    return sum(
        all(one in (0, 1) or next_one == 0 for one, next_one in itertools.pairwise(row))
        for row in answers
    )


@pytest.mark.usefixtures("in_child")
def test_who_cannot_wait_is_not_kept_waiting(tmp_path: Path) -> None:
    network = chain()
    digest = network_digest(network)
    assert build(network, tmp_path, digest, LIMITS, search, wait=False) is None
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with building_module._alone(tmp_path / f"{digest}.lock", True):
            inside.set()
            leave.wait(30)

    other = threading.Thread(target=hold)
    other.start()
    assert inside.wait(30)
    assert build(network, tmp_path, digest, LIMITS, search, wait=False) is None
    leave.set()
    other.join()
    assert isinstance(build(network, tmp_path, digest, LIMITS, search), DiagramBackend)
    assert isinstance(build(network, tmp_path, digest, LIMITS, search, wait=False), DiagramBackend)


def test_a_damaged_note_or_folder_is_compiled_anew(tmp_path: Path) -> None:
    network = chain()
    digest = network_digest(network)
    for content in ("", "[]", json.dumps({"reason": "nodes"}), '{"limits": {"x": 1}}'):
        (tmp_path / f"{digest}.wide.json").write_text(content)
        assert stored(tmp_path, digest, LIMITS, search) is None
    (tmp_path / digest).mkdir()
    assert isinstance(build(network, tmp_path, digest, LIMITS, search), DiagramBackend)


def lamp() -> Product:
    product = load_folder(files_of(LAMP)).product
    assert product is not None
    return product


def test_a_product_too_wide_to_compile_says_so_and_answers_by_sat(tmp_path: Path) -> None:
    product = lamp()
    none = Limits(nodes=0, edges=0)
    engine = compile_product(product, DAY, cache=tmp_path, limits=none)
    assert (engine.backend_name, engine.pending) == ("sat", False)
    assert engine.too_wide is not None
    compiled = compile_product(product, DAY, cache=tmp_path)
    assert (compiled.backend_name, compiled.too_wide) == ("diagram", None)
    assert compiled.digest == engine.digest
    assert compiled.view(()) == engine.view(())


@pytest.mark.usefixtures("in_child")
def test_a_product_not_compiled_yet_is_answered_at_once(tmp_path: Path) -> None:
    product = lamp()
    now = compile_product(product, DAY, cache=tmp_path, wait=False)
    assert (now.backend_name, now.pending) == ("sat", True)
    later = compile_product(product, DAY, cache=tmp_path)
    assert (later.backend_name, later.pending) == ("diagram", False)
    assert compile_product(product, DAY, cache=tmp_path, wait=False).backend_name == "diagram"
    assert now.view(()) == later.view(())

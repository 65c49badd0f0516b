"""Diagrams on disk: mapped again they answer the same; damaged or foreign ones are refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from configurator.engine.diagram import (
    DiagramFileError,
    compile_diagram,
    load_diagram,
    network_digest,
)
from configurator.engine.network import Clause, CostFunction, Network, NetworkVariable
from tests.engine.test_diagram_oracle import random_network, same


@pytest.fixture(scope="module")
def network() -> Network:
    return random_network(5, 30, 4, 50)


@pytest.fixture
def folder(network: Network, tmp_path: Path) -> Path:
    compile_diagram(network, orders=1).save(tmp_path / "diagram")
    return tmp_path / "diagram"


def test_mapped_again_it_answers_the_same(network: Network, folder: Path) -> None:
    compiled = compile_diagram(network, orders=1)
    loaded = load_diagram(folder, network_digest(network))
    for pins in ((), ((0, 1),), ((3, 0), (7, 1))):
        assert same(loaded.marginals(pins, changes=True), compiled.marginals(pins, changes=True))
        assert loaded.count(pins) == compiled.count(pins)
        assert loaded.cheapest(pins) == compiled.cheapest(pins)
    assert all(not array.flags.writeable for array in loaded.diagram.arrays().values())


def test_the_constant_and_bounds_survive(tmp_path: Path) -> None:
    costs = (CostFunction((), (700,), "base"), CostFunction((0,), (0, 5), "wide", exact=False))
    network = Network((NetworkVariable("v", (1, 1)),), (), (), costs)
    compile_diagram(network).save(tmp_path / "d")
    again = load_diagram(tmp_path / "d").marginals(())
    assert again.lowest.tolist() == [700, 705]
    assert not again.lowest_exact.any()


@pytest.mark.parametrize(
    "empty",
    [
        Network((), (), ()),
        Network((NetworkVariable("v", (1, 1)),), (Clause((), 0),), ("never",)),
        Network((NetworkVariable("none", ()),), (), ()),
    ],
)
def test_diagrams_with_next_to_nothing_are_kept_too(empty: Network, tmp_path: Path) -> None:
    compiled = compile_diagram(empty)
    compiled.save(tmp_path / "d")
    loaded = load_diagram(tmp_path / "d", network_digest(empty))
    assert same(loaded.marginals((), changes=True), compiled.marginals((), changes=True))
    assert loaded.count(()) == compiled.count(())
    assert loaded.cheapest(()) == compiled.cheapest(())


def test_saving_again_replaces_and_leaves_nothing_beside(network: Network, folder: Path) -> None:
    compile_diagram(network, orders=1).save(folder)
    assert [path.name for path in folder.parent.iterdir()] == ["diagram"]
    load_diagram(folder)


def test_a_damaged_file_is_refused(folder: Path) -> None:
    path = folder / "target.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(DiagramFileError, match=r"target\.npy is damaged; compile again"):
        load_diagram(folder)


def test_a_missing_file_is_refused(folder: Path) -> None:
    (folder / "slot.npy").unlink()
    with pytest.raises(DiagramFileError, match=r"slot\.npy is missing"):
        load_diagram(folder)


def test_another_version_is_refused(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["format"] = 0
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DiagramFileError, match="format is not version"):
        load_diagram(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1, "files": {}, "about": {}}'])
def test_a_manifest_that_is_none_is_refused(folder: Path, text: str) -> None:
    (folder / "manifest.json").write_text(text)
    with pytest.raises(DiagramFileError, match="compile again"):
        load_diagram(folder)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DiagramFileError, match="no manifest"):
        load_diagram(tmp_path / "nowhere")


def test_a_foreign_folder_is_refused(folder: Path) -> None:
    with pytest.raises(DiagramFileError, match="belongs to another network"):
        load_diagram(folder, "0" * 64)


def test_the_digest_sees_everything_that_changes_an_answer(network: Network) -> None:
    variables, constraints = network.variables, network.constraints
    changed = (
        Network(variables, constraints[1:], network.owners, network.costs),
        Network(variables, constraints, network.owners, network.costs[1:]),
        Network((*variables, NetworkVariable("more", (1,))), constraints, network.owners),
    )
    digests = {network_digest(each) for each in (network, *changed)}
    assert len(digests) == 4
    renamed = Network(variables, constraints, tuple(f"x{o}" for o in network.owners), network.costs)
    assert network_digest(renamed) == network_digest(network)


def test_compiling_twice_gives_the_same_arrays(network: Network) -> None:
    one = compile_diagram(network, orders=2).diagram.arrays()
    other = compile_diagram(network, orders=2).diagram.arrays()
    assert all(np.array_equal(one[name], other[name]) for name in one)

"""A real car range, answered as two independent tools answered it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from defusedxml import ElementTree

from configurator.engine.backend import Pins, offsets_of
from configurator.engine.conflict import first_conflict
from configurator.engine.network import AllowedTuples, Clause, Constraint, Network, NetworkVariable
from configurator.engine.repairs import minimal_corrections
from configurator.engine.sat import SatBackend

MODELS = Path(
    os.environ.get("CONFIGURATOR_MODELS", Path(__file__).parents[3] / "shared" / "models")
)
RANGE = MODELS / "renault-medium"

if not RANGE.is_dir():
    print(f"no models at {MODELS}: the car range is not tried")
    pytest.skip("the models are not there", allow_module_level=True)


class Car:
    def __init__(self) -> None:
        root = ElementTree.parse(RANGE / "medium.xml").getroot()
        domains = {d.get("name"): [int(x) for x in d.text.split()] for d in root.find("domains")}
        self.names: list[str] = []
        self.values: list[list[int]] = []
        for variable in root.find("variables"):
            self.names.append(variable.get("name"))
            self.values.append(domains[variable.get("domain")])
        relations = {
            r.get("name"): (
                r.get("semantics"),
                [tuple(int(x) for x in t.split()) for t in (r.text or "").split("|") if t.strip()],
            )
            for r in root.find("relations")
        }
        constraints: list[Constraint] = []
        for number, each in enumerate(root.find("constraints")):
            scope = tuple(self.names.index(name) for name in each.get("scope").split())
            semantics, tuples = relations[each.get("reference")]
            rows = [
                tuple(self.values[v].index(x) for v, x in zip(scope, row, strict=True))
                for row in tuples
                if all(x in self.values[v] for v, x in zip(scope, row, strict=True))
            ]
            if semantics == "supports":
                constraints.append(AllowedTuples(scope, tuple(sorted(set(rows))), number))
                continue
            for row in rows:
                literals = tuple(
                    (v, frozenset(range(len(self.values[v]))) - {a})
                    for v, a in zip(scope, row, strict=True)
                )
                constraints.append(Clause(literals, number))
        self.network = Network(
            tuple(
                NetworkVariable(name, (1,) * len(values))
                for name, values in zip(self.names, self.values, strict=True)
            ),
            tuple(constraints),
            tuple(f"c{k}" for k in range(len(root.find("constraints")))),
        )
        self.offsets = offsets_of(tuple(v.size for v in self.network.variables))

    def pin(self, choice: list[Any]) -> tuple[int, int]:
        name, value = choice
        variable = self.names.index(name)
        return variable, self.values[variable].index(value)


@pytest.fixture(scope="module")
def car() -> Car:
    return Car()


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    return json.loads((RANGE / "expected.json").read_text())


@pytest.fixture(scope="module")
def backend(car: Car) -> SatBackend:
    return SatBackend(car.network)


def excluded(car: Car, backend: SatBackend, pins: Pins) -> dict[str, list[int]]:
    valid = backend.marginals(pins).valid
    found = {}
    for v, name in enumerate(car.names):
        flags = valid[car.offsets[v] : car.offsets[v + 1]]
        gone = [x for x, ok in zip(car.values[v], flags, strict=True) if not ok]
        if gone:
            found[name] = sorted(gone)
    return found


def test_sessions(car: Car, backend: SatBackend, expected: dict[str, Any]) -> None:
    assert excluded(car, backend, ()) == {
        name: sorted(values) for name, values in expected["initial"]["removed_values"].items()
    }
    for session in expected["sessions"]:
        pins: list[tuple[int, int]] = []
        for step in session["steps"]:
            pins.append(car.pin(step["choose"]))
            gone = excluded(car, backend, tuple(sorted(pins)))
            assert sum(len(values) for values in gone.values()) == step["removed_total"]
            if "excluded" in step:
                assert gone == {n: sorted(values) for n, values in step["excluded"].items()}


def test_conflicts_and_repairs(car: Car, backend: SatBackend, expected: dict[str, Any]) -> None:
    for case in expected["conflicts"]:
        choices = case["choices"]
        pins = [car.pin(choice) for choice in choices]
        names = [choice[0] for choice in choices]

        def core(
            some: tuple[int, ...], pins: list[tuple[int, int]] = pins
        ) -> tuple[int, ...] | None:
            found = backend.core(tuple(sorted(pins[k] for k in some)))
            return None if found is None else tuple(k for k in some if pins[k] in found[0])

        def conflict(kept: tuple[int, ...], core: Any = core) -> tuple[int, ...] | None:
            return (
                None
                if core(kept) is None
                else first_conflict(kept, lambda first, later: core((*first, *later)))
            )

        found = {
            names[k]
            for k in first_conflict(range(len(pins)), lambda first, later: core((*first, *later)))
        }
        assert found in [set(each) for each in case["all_minimal_conflicts"]]
        corrections = [
            {names[k] for k in each}
            for each in minimal_corrections(range(len(pins)), conflict, 10**6)
        ]
        wanted = [set(each) for each in case["all_minimal_removals"]]
        assert len(corrections) == len(wanted)
        assert all(each in wanted for each in corrections)

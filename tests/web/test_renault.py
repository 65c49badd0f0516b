"""A real car range over HTTP: published, configured and refused as its known answers say."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from configurator.app import create_app, create_services
from configurator.language.importers import import_model
from configurator.settings import Settings

MODELS = Path(os.environ.get("CONFIGURATOR_MODELS") or Path(__file__).parents[3] / "shared/models")
FOLDER = MODELS / "renault-medium"

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"no models at {MODELS}: set CONFIGURATOR_MODELS"
)
REMOVED = ("needs changes", "impossible")


class Car:
    """The published car range, asked through the API by the model's own names."""

    def __init__(self, settings: Settings) -> None:
        services = create_services(settings)
        files = import_model(FOLDER / "medium.xml")
        published = services.catalogue.publish(files, by="tests")
        assert published.release is not None, published.diagnostics[:3]
        self.product = published.release.product_id
        product = services.catalogue.product(published.release.digest)
        self.ids = {each.name.in_language("en"): each.id for each in product.variables}
        self.names = {slot: name for name, slot in self.ids.items()}
        self.client = create_app(settings, services).test_client()

    def start(self) -> None:
        answer = self.client.post("/api/v1/sessions", json={"product": self.product})
        assert answer.status_code == 201, answer.text
        started = answer.get_json()
        self.path = f"/api/v1/sessions/{started['session']['session_id']}/choose"
        self.headers = {"Authorization": f"Bearer {started['token']}"}
        self.view: dict[str, Any] = started["session"]["view"]

    def choose(self, name: str, value: int) -> Any:
        body = {"slot": self.ids[name], "answer": str(value)}
        answer = self.client.post(self.path, json=body, headers=self.headers)
        assert answer.status_code == 200, answer.text
        answered = answer.get_json()
        self.view = answered["session"]["view"]
        return answered

    def removed(self) -> dict[str, set[int]]:
        """The values no configuration with the choices made has."""
        found = {}
        for slot, state in self.view["slots"].items():
            gone = {
                int(value)
                for value, option in state["options"].items()
                if option["state"] in REMOVED
                or (state["state"] in ("chosen", "implied") and value != state["answer"])
            }
            if gone:
                found[self.names[slot]] = gone
        return found


@pytest.fixture(scope="module")
def car(tmp_path_factory: pytest.TempPathFactory) -> Car:
    folder = tmp_path_factory.mktemp("car")
    settings = Settings(folder, f"sqlite:///{folder}/car.db", "for tests only", testing=True)
    return Car(settings)


@pytest.fixture(scope="module")
def expected() -> Any:
    return json.loads((FOLDER / "expected.json").read_text())


def test_sessions_remove_just_the_known_values(car: Car, expected: Any) -> None:
    car.start()
    initial = {name: set(gone) for name, gone in expected["initial"]["removed_values"].items()}
    assert car.removed() == initial
    for session in expected["sessions"]:
        car.start()
        for step in session["steps"]:
            assert car.choose(*step["choose"])["kind"] == "accepted"
            removed = car.removed()
            assert sum(len(gone) for gone in removed.values()) == step["removed_total"]
            if "excluded" in step:
                assert removed == {name: set(gone) for name, gone in step["excluded"].items()}


def test_conflicts_and_repairs_are_the_known_ones(car: Car, expected: Any) -> None:
    for case in expected["conflicts"]:
        car.start()
        *before, (name, value) = case["choices"]
        for choice in before:
            assert car.choose(*choice)["kind"] == "accepted"
        refused = car.choose(name, value)
        assert refused["kind"] == "refused"
        refusal = refused["refusal"]
        blamed = {car.names[cause["slot"]] for cause in refusal["conflict"]["choices"]}
        minimal = [set(each) for each in case["all_minimal_conflicts"]]
        assert blamed | {name} in minimal
        removals = [set(each) for each in case["all_minimal_removals"] if name not in each]
        for repair in refusal["repairs"]:
            assert {car.names[change["slot"]] for change in repair["changes"]} in removals
        assert refusal["repairs"]

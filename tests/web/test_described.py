"""What the API answers is what its description says, down to the last member."""

from __future__ import annotations

import random
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.web.conftest import ApiSession

Json = dict[str, Any]
KINDS: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "boolean": bool,
}


class Description:
    """The service's OpenAPI document, taken at its word: what is not described is wrong."""

    def __init__(self, client: FlaskClient) -> None:
        self.spec: Json = client.get("/api/v1/openapi.json").get_json()

    def check(self, value: Any, shape: Json | str, place: str = "") -> None:
        schema = {"$ref": f"#/components/schemas/{shape}"} if isinstance(shape, str) else shape
        while "$ref" in schema:
            _, _, kind, name = schema["$ref"].split("/")
            schema = self.spec["components"][kind][name]
        if "allOf" in schema:
            (inner,) = schema["allOf"]
            self.check(value, inner, place)
            return
        types = schema.get("type", [])
        types = [types] if isinstance(types, str) else types
        assert types, f"{place} is not described: {value!r}"
        fits = any(type(value) is KINDS[each] for each in types)
        assert fits, f"{place} is {value!r}, not {types}"
        assert value in schema.get("enum", [value]), f"{place} is {value!r}"
        if isinstance(value, list):
            for number, each in enumerate(value):
                self.check(each, schema["items"], f"{place}[{number}]")
        if isinstance(value, dict):
            self._members(value, schema, place)

    def _members(self, value: Json, schema: Json, place: str) -> None:
        known = schema.get("properties", {})
        missing = set(schema.get("required", ())) - set(value)
        assert not missing, f"{place} lacks {missing}"
        for name, each in value.items():
            others = schema.get("additionalProperties", False)
            inner = known.get(name, others)
            assert inner is not False, f"{place}.{name} is not described"
            if inner not in ({}, True):
                self.check(each, inner, f"{place}.{name}")


@pytest.fixture
def description(client: FlaskClient) -> Description:
    return Description(client)


def test_a_product_is_as_described(client: FlaskClient, description: Description) -> None:
    product = client.get("/api/v1/products/lamp").get_json()
    description.check(product, "ProductDetail")
    shown = {each["id"] for each in product["variables"]}
    started = client.post("/api/v1/sessions", json={"product": "lamp"}).get_json()
    assert {each["variable"] for each in started["session"]["view"]["slots"].values()} <= shown
    assert {"id", "because"} == set(product["rules"][0])


def test_whatever_a_customer_does_is_answered_as_described(
    lamp_session: ApiSession, description: Description
) -> None:
    source = random.Random(20261130)
    lines: set[str] = set()
    for _ in range(60):
        slots: Json = lamp_session.get().get_json()["view"]["slots"]
        slot = source.choice([name for name in slots if slots[name].get("options")])
        answer = source.choice(list(slots[slot]["options"]))
        act = source.choice(("choose", "choose", "preview", "withdraw", "undo", "finish"))
        body = {"slot": slot, "answer": answer} if act in ("choose", "preview") else {}
        told = lamp_session.post(act, {"slot": slot} if act == "withdraw" else body)
        shape = "ActAnswer" if told.status_code == 200 else "Problem"
        description.check(told.get_json(), shape, act)
        state = lamp_session.get().get_json()
        description.check(state, "SessionState")
        assert told.status_code != 200 or told.get_json()["session"] == state
        lines |= {line for line, _ in state["view"]["price"].get("lines", ())}
    assert lines


def test_a_confirmed_configuration_is_as_described(
    lamp_session: ApiSession, description: Description
) -> None:
    lamp_session.post("finish")
    for guard in lamp_session.get().get_json()["view"]["guards"]:
        description.check(
            lamp_session.post("acknowledge", {"guard": guard}).get_json(), "ActAnswer"
        )
    description.check(lamp_session.post("commit").get_json(), "ActAnswer")
    description.check(lamp_session.post("choose", {}).get_json(), "Problem")

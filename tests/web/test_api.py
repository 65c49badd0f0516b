"""The whole way of a configuration through the API."""

from __future__ import annotations

import re
from http import HTTPStatus

from flask.testing import FlaskClient

from configurator.web.api import schemas
from tests.web.conftest import ApiSession


def test_products_are_listed_and_described(client: FlaskClient) -> None:
    listed = client.get("/api/v1/products").get_json()
    assert schemas.ProductList().validate(listed) == {}
    assert [product["id"] for product in listed["products"]] == ["lamp"]
    detail = client.get("/api/v1/products/lamp").get_json()
    assert schemas.ProductDetail().validate(detail) == {}
    assert detail["name"] == {"en": "Desk lamp", "es": "Lámpara de mesa"}
    assert detail["currency"] == "EUR"
    by_id = {variable["id"]: variable for variable in detail["variables"]}
    assert list(by_id) == ["mount", "arm", "colour", "bulb", "dimmer", "extras", "light", "width"]
    assert by_id["width"]["number"] == {"low": "60", "high": "240", "step": "1"}
    assert by_id["extras"]["several"] == {"pick": [0, 2], "each": [1, 3]}
    assert [value["id"] for value in by_id["mount"]["values"]] == ["clamp", "foot"]


def test_a_configuration_from_start_to_commit(lamp_session: ApiSession) -> None:
    session = lamp_session
    assert schemas.SessionState().validate(session.state) == {}
    assert session.state["language"] == "es"
    assert session.state["seq"] == 1
    chosen = session.choose("mount", "clamp", key="k1")
    assert schemas.ActAnswer().validate(chosen) == {}
    assert (chosen["kind"], chosen["seq"]) == ("accepted", 2)
    assert chosen["session"]["choices"] == [{"slot": "mount", "answer": "clamp"}]

    refused = session.choose("arm", "long")
    assert refused["kind"] == "refused"
    assert refused["change"] == {}
    assert refused["session"]["choices"] == chosen["session"]["choices"]
    refusal = refused["refusal"]
    assert refusal["wanted"] == {"slot": "arm", "answer": "long"}
    assert refusal["conflict"]["choices"] == [{"slot": "mount", "answer": "clamp"}]
    assert refusal["conflict"]["rules"] == [
        {
            "id": "long-needs-foot",
            "because": {
                "en": "A long arm tips a clamp over.",
                "es": "Un brazo largo vence una pinza.",
            },
        }
    ]
    (repair,) = refusal["repairs"]
    assert {"slot": "mount", "before": "clamp", "after": "foot"} in repair["changes"]

    repaired = session.post("accept-repair", {"refusal_seq": refusal["seq"], "index": 0})
    assert repaired.get_json()["kind"] == "accepted"
    answers = {each["slot"]: each["answer"] for each in repaired.get_json()["session"]["choices"]}
    assert answers == {"mount": "foot", "arm": "long"}

    many = [{"slot": "colour", "answer": "red"}, {"slot": "bulb", "answer": "large"}]
    assert session.post("choose-many", {"choices": many}).get_json()["kind"] == "accepted"
    open_yet = session.post("commit").get_json()
    assert (open_yet["code"], open_yet["status"]) == ("incomplete", 409)
    assert "width" in open_yet["slots"]
    assert session.post("finish").get_json()["session"]["view"]["complete"] is True
    committed = session.post("commit").get_json()
    assert committed["session"]["status"] == "committed"
    late = session.post("choose", {"slot": "colour", "answer": "black"})
    assert (late.status_code, late.get_json()["code"]) == (409, "session-closed")


def test_undo_redo_withdraw_and_reset(lamp_session: ApiSession) -> None:
    session = lamp_session
    assert session.post("undo").get_json()["code"] == "nothing-to-undo"
    session.choose("mount", "foot")
    session.choose("colour", "red")
    undone = session.post("undo").get_json()["session"]
    assert [each["slot"] for each in undone["choices"]] == ["mount"]
    assert (undone["can_undo"], undone["can_redo"]) == (True, True)
    redone = session.post("redo").get_json()["session"]
    assert [each["slot"] for each in redone["choices"]] == ["mount", "colour"]
    withdrawn = session.post("withdraw", {"slot": "mount"}).get_json()["session"]
    assert [each["slot"] for each in withdrawn["choices"]] == ["colour"]
    assert session.post("reset").get_json()["session"]["choices"] == []


def test_a_guard_waits_to_be_acknowledged(lamp_session: ApiSession) -> None:
    session = lamp_session
    for slot, answer in (("mount", "foot"), ("arm", "short"), ("width", "200"), ("bulb", "large")):
        session.choose(slot, answer)
    session.post("finish")
    waiting = session.post("commit").get_json()
    assert (waiting["code"], waiting["guards"]) == ("guards-open", ["short-on-wide-desk"])
    unknown = session.post("acknowledge", {"guard": "nothing-like-it"})
    assert (unknown.status_code, unknown.get_json()["code"]) == (404, "unknown-guard")
    body = {"guard": "short-on-wide-desk", "reason": "Está en el centro"}
    acknowledged = session.post("acknowledge", body).get_json()["session"]
    assert acknowledged["acknowledged"]["short-on-wide-desk"]["reason"] == "Está en el centro"
    assert session.post("commit").get_json()["session"]["status"] == "committed"


def test_explaining_leaves_no_trace(lamp_session: ApiSession) -> None:
    session = lamp_session
    session.choose("mount", "clamp")
    why = session.get("/explain", slot="arm", answer="long").get_json()
    assert schemas.Explanation().validate(why) == {}
    assert why["possible"] is False
    assert why["refusal"]["conflict"]["rules"][0]["id"] == "long-needs-foot"
    assert "seq" not in why["refusal"]
    assert session.get("/explain", slot="arm", answer="short").get_json() == {"possible": True}
    assert session.get().get_json()["seq"] == 2


def test_the_trail_can_be_read_and_replayed(lamp_session: ApiSession) -> None:
    session = lamp_session
    after_first = session.choose("mount", "clamp")["session"]
    refused = session.choose("arm", "long")["session"]
    last = session.post("language", {"language": "en"}).get_json()["session"]
    page = session.get("/events", limit=2).get_json()
    assert schemas.EventPage().validate(page) == {}
    assert [event["kind"] for event in page["events"]] == ["SessionStarted", "ValueChosen"]
    rest = session.get("/events", after=page["next_after"]).get_json()
    assert [event["kind"] for event in rest["events"]] == ["ChoiceRefused", "LocaleChanged"]
    assert "next_after" not in rest
    hashes = [event["hash"] for event in page["events"] + rest["events"]]
    links = [event["previous_hash"] for event in page["events"] + rest["events"]]
    assert links[1:] == hashes[:-1]
    receipts = [each["hash"] for each in (session.state, after_first, refused, last)]
    assert receipts == hashes
    assert session.get().get_json()["hash"] == hashes[-1]
    step = session.get("/events/2").get_json()
    assert schemas.ReplayedStep().validate(step) == {}
    assert step["session"] == after_first
    assert session.get("/verification").get_json() == {"ok": True}


def test_a_retry_gets_the_first_answer_whatever_happened_since(lamp_session: ApiSession) -> None:
    session = lamp_session
    body = {"slot": "mount", "answer": "clamp", "expected_seq": 1}
    first = session.post("choose", body, key="one")
    session.choose("colour", "red")
    again = session.post("choose", body, key="one")
    assert again.status_code == 200
    assert again.get_data() == first.get_data()
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert session.get().get_json()["seq"] == 3
    changed = session.post("choose", {**body, "answer": "foot"}, key="one")
    assert (changed.status_code, changed.get_json()["code"]) == (422, "key-reused")


def test_a_retried_refusal_is_the_same_refusal(lamp_session: ApiSession) -> None:
    session = lamp_session
    session.choose("mount", "clamp")
    first = session.choose("arm", "long", key="two")
    assert session.choose("arm", "long", key="two") == first
    assert session.get().get_json()["seq"] == 3


def test_the_slower_of_two_tabs_gets_the_present_state(lamp_session: ApiSession) -> None:
    session = lamp_session
    session.choose("mount", "foot")
    late = session.post("choose", {"slot": "colour", "answer": "red", "expected_seq": 1})
    problem = late.get_json()
    assert (late.status_code, problem["code"]) == (409, "sequence-conflict")
    assert problem["session"] == session.get().get_json()
    assert problem["session"]["seq"] == 2
    won = session.post("choose", {"slot": "colour", "answer": "red", "expected_seq": 2})
    assert won.status_code == 200


def test_openapi_describes_every_address(client: FlaskClient) -> None:
    spec = client.get("/api/v1/openapi.json").get_json()
    described = {
        (path, method) for path, operations in spec["paths"].items() for method in operations
    }
    rules = {
        (rule.rule.replace("<", "{").replace(">", "}"), method.lower())
        for rule in client.application.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.endpoint.startswith(("products.", "sessions."))
    }
    assert {(path, method) for path, method in described if method != "parameters"} == rules
    problem = spec["components"]["responses"]["Problem"]["content"]
    assert list(problem) == ["application/problem+json"]
    for path, operations in spec["paths"].items():
        for operation in operations.values():
            if isinstance(operation, dict) and "{session_id}" in path:
                assert operation["security"] == [{"token": []}], path


def test_openapi_says_what_is_needed_and_how_problems_come(client: FlaskClient) -> None:
    spec = client.get("/api/v1/openapi.json").get_json()
    needed = {
        path.rpartition("/")[2]: operation["requestBody"]["required"]
        for path, operations in spec["paths"].items()
        for method, operation in operations.items()
        if method == "post"
    }
    assert needed["choose"]
    assert needed["sessions"]
    assert not needed["undo"]
    assert not needed["commit"]
    unprocessable = spec["components"]["responses"][HTTPStatus(422).name]["content"]
    assert list(unprocessable) == ["application/problem+json"]
    slot = spec["components"]["schemas"]["Choose"]["properties"]["slot"]
    assert re.match(slot["pattern"], "fork")
    assert re.match(slot["pattern"], "horquilla ñ 🚲")
    assert not re.match(slot["pattern"], "tab\there")


def test_a_context_the_shop_tells_is_kept(client: FlaskClient) -> None:
    unknown = client.post(
        "/api/v1/sessions",
        json={"product": "lamp", "context": [{"slot": "area", "answer": "islands"}]},
    )
    assert unknown.status_code in (404, 422)
    assert unknown.mimetype == "application/problem+json"

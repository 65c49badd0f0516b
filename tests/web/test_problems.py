"""Whatever is sent, the answer is a 4xx in the one shape, with a cure, and never a 500."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError
from werkzeug.test import TestResponse

from configurator.app import BODY_LIMIT
from configurator.web.api import sessions as api_sessions
from configurator.web.api.problems import KINDS
from configurator.web.api.schemas import Integral, Words
from tests.web.conftest import ApiSession

MEMBERS = {"type", "title", "status", "detail", "cure", "code", "instance"}


def problem_of(response: TestResponse, status: int, code: str) -> dict[str, Any]:
    text = response.get_data(as_text=True)
    assert response.status_code == status, text
    assert response.mimetype == "application/problem+json", text
    body: dict[str, Any] = json.loads(text)
    assert set(body) >= MEMBERS
    assert body["status"] == status
    assert body["code"] == code, text
    assert body["cure"]
    assert body["type"] == f"/api/v1/problems/{code}"
    return body


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff\xfe",
        b"{'slot': 1}",
        b'{"slot": NaN}',
        b'{"slot": Infinity}',
        b"[" * 30_000,
        b'{"a":' * 10_000,
        b'{"expected_seq": ' + b"9" * 10_000 + b"}",
        b"nonsense",
    ],
)
def test_what_is_not_json(lamp_session: ApiSession, body: bytes) -> None:
    response = lamp_session.post("choose", data=body, content_type="application/json")
    problem_of(response, 400, "malformed-json")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "text/json"])
def test_what_is_not_declared_as_json(lamp_session: ApiSession, kind: str) -> None:
    problem_of(lamp_session.post("choose", data=b"{}", content_type=kind), 415, "not-json")


def test_a_body_that_is_too_large(lamp_session: ApiSession) -> None:
    body = json.dumps({"slot": "mount", "answer": "x" * BODY_LIMIT}).encode()
    response = lamp_session.post("choose", data=body, content_type="application/json")
    problem_of(response, 413, "body-too-large")


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ([], "", "object"),
        ("text", "", "object"),
        (None, "", "object"),
        ({}, "slot", "required"),
        ({"slot": "mount"}, "answer", "required"),
        ({"slot": 5, "answer": "foot"}, "slot", "text"),
        ({"slot": "", "answer": "foot"}, "slot", "empty"),
        ({"slot": "x" * 300, "answer": "foot"}, "slot", "long"),
        ({"slot": "mount", "answer": "\ud800"}, "answer", "letters"),
        ({"slot": "mount", "answer": "a\x00b"}, "answer", "letters"),
        ({"slot": "mount", "answer": "foot", "price": 0}, "price", "unknown"),
        ({"slot": "mount", "answer": "foot", "expected_seq": 2.5e-42}, "expected_seq", "whole"),
        ({"slot": "mount", "answer": "foot", "expected_seq": 1.5}, "expected_seq", "whole"),
        ({"slot": "mount", "answer": "foot", "expected_seq": "1"}, "expected_seq", "whole"),
        ({"slot": "mount", "answer": "foot", "expected_seq": True}, "expected_seq", "whole"),
        ({"slot": "mount", "answer": "foot", "expected_seq": [1]}, "expected_seq", "whole"),
        ({"slot": "mount", "answer": "foot", "expected_seq": 1e300}, "expected_seq", "range"),
        ({"slot": "mount", "answer": "foot", "expected_seq": 0}, "expected_seq", "range"),
        ({"slot": "mount", "answer": "foot", "expected_seq": -1}, "expected_seq", "range"),
    ],
)
def test_fields_that_are_not_as_expected(
    lamp_session: ApiSession, body: Any, field: str, code: str
) -> None:
    response = lamp_session.post(
        "choose", data=json.dumps(body).encode(), content_type="application/json"
    )
    problem = problem_of(response, 422, "unexpected-fields")
    assert {"field": field, "code": code} in [
        {"field": each["field"], "code": each["code"]} for each in problem["errors"]
    ]
    assert all(each["message"] for each in problem["errors"])


@pytest.mark.parametrize(
    ("key", "code", "message"),
    [
        ("", "empty", "It is empty."),
        ("k1", "short", "It is too short: 16 at least."),
        ("k" * 300, "long", "It is too long: 200 at most."),
    ],
)
def test_a_key_of_the_wrong_length_says_which_it_has_to_have(
    client: FlaskClient, key: str, code: str, message: str
) -> None:
    headers = {"Idempotency-Key": key, "Accept-Language": "en"}
    response = client.post("/api/v1/sessions", json={"product": "lamp"}, headers=headers)
    (error,) = problem_of(response, 422, "unexpected-fields")["errors"]
    assert error == {"field": "Idempotency-Key", "code": code, "message": message}


def test_null_is_no_number(lamp_session: ApiSession) -> None:
    response = lamp_session.post("choose", {"slot": "mount", "answer": None, "expected_seq": None})
    problem = problem_of(response, 422, "unexpected-fields")
    assert {each["field"] for each in problem["errors"]} == {"answer", "expected_seq"}


@pytest.mark.parametrize(
    ("act", "body", "field"),
    [
        ("choose-many", {"choices": {}}, "choices"),
        ("choose-many", {"choices": []}, "choices"),
        ("choose-many", {"choices": [1]}, "choices.0"),
        ("choose-many", {"choices": [{"slot": "mount"}]}, "choices.0.answer"),
        ("accept-repair", {"refusal_seq": 2}, "index"),
        ("accept-repair", {"refusal_seq": 2, "index": 10**6}, "index"),
        ("language", {"language": "fr"}, "language"),
        ("acknowledge", {"guard": "g", "reason": "x" * 501}, "reason"),
    ],
)
def test_fields_of_the_other_acts(
    lamp_session: ApiSession, act: str, body: Any, field: str
) -> None:
    problem = problem_of(lamp_session.post(act, body), 422, "unexpected-fields")
    assert field in [each["field"] for each in problem["errors"]]


def test_five_point_nought_is_five(lamp_session: ApiSession) -> None:
    body = b'{"slot": "mount", "answer": "foot", "expected_seq": 1.0}'
    response = lamp_session.post("choose", data=body, content_type="application/json")
    assert response.status_code == 200


def test_what_the_product_does_not_know(lamp_session: ApiSession) -> None:
    choose = lamp_session.post
    problem_of(choose("choose", {"slot": "wings", "answer": "two"}), 404, "unknown-slot")
    problem_of(choose("choose", {"slot": "mount", "answer": "jelly"}), 422, "unknown-value")
    problem_of(choose("choose", {"slot": "width", "answer": "wide"}), 422, "unknown-value")
    problem_of(choose("choose", {"slot": "width", "answer": "1e400"}), 422, "unknown-value")
    problem_of(choose("choose", {"slot": "width", "answer": "9" * 2000}), 422, "unknown-value")
    problem_of(choose("choose", {"slot": "extras.hook", "answer": "99"}), 422, "unknown-value")
    explained = lamp_session.get("/explain", slot="wings", answer="two")
    problem_of(explained, 404, "unknown-slot")
    problem_of(lamp_session.get("/explain", slot="arm"), 422, "unexpected-fields")
    problem_of(choose("accept-repair", {"refusal_seq": 9, "index": 0}), 404, "unknown-repair")
    problem_of(choose("withdraw", {"slot": "wings"}), 404, "unknown-slot")
    problem_of(choose("withdraw", {"slot": "mount"}), 409, "nothing-to-withdraw")


def test_what_is_finished_cannot_be_finished_again(lamp_session: ApiSession) -> None:
    lamp_session.post("finish")
    again = problem_of(lamp_session.post("finish"), 409, "nothing-to-finish")
    assert again["slots"] == []


def test_numbers_are_sent_with_a_point_in_every_language(lamp_session: ApiSession) -> None:
    body = {"slot": "width", "answer": "80,5"}
    told = lamp_session.post("choose", body, headers={"Accept-Language": "es"}).get_json()
    assert told["cure"].endswith("Aquí los decimales se envían con punto: 4.6.")


def test_one_slot_has_one_answer(client: FlaskClient, lamp_session: ApiSession) -> None:
    twice = [{"slot": "mount", "answer": answer} for answer in ("clamp", "foot")]
    told = problem_of(
        lamp_session.post("choose-many", {"choices": twice}), 422, "unexpected-fields"
    )
    assert told["errors"][0]["field"] == "choices"
    assert "mount" in told["errors"][0]["message"]
    body = {"product": "lamp", "context": twice}
    problem_of(client.post("/api/v1/sessions", json=body), 422, "unexpected-fields")
    raw = b'{"slot": "mount", "answer": "clamp", "answer": "foot"}'
    response = lamp_session.post("choose", data=raw, content_type="application/json")
    problem_of(response, 400, "malformed-json")


@pytest.mark.parametrize("product", ["nothing", "..", "%00", "a\nb", "x" * 5000, "lamp'--"])
def test_products_there_are_not(client: FlaskClient, product: str) -> None:
    response = client.get(f"/api/v1/products/{product}")
    assert response.status_code == 404
    assert response.mimetype == "application/problem+json"
    if "\n" not in product and len(product) <= 200:
        problem_of(
            client.post("/api/v1/sessions", json={"product": product}), 404, "unknown-product"
        )


@pytest.mark.parametrize(
    ("authorization", "status", "code"),
    [
        (None, 401, "token-missing"),
        ("", 401, "token-missing"),
        ("Basic abc", 401, "token-missing"),
        ("Bearer", 401, "token-missing"),
        ("Bearer nonsense", 404, "unknown-session"),
        ("Bearer a.b.c", 404, "unknown-session"),
        ("Bearer ñ.ñ", 404, "unknown-session"),
        ("Bearer " + "x" * 5000, 404, "unknown-session"),
    ],
)
def test_tokens_that_open_nothing(
    lamp_session: ApiSession, authorization: str | None, status: int, code: str
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    for response in (
        lamp_session.client.get(lamp_session.address, headers=headers),
        lamp_session.client.post(f"{lamp_session.address}/undo", json={}, headers=headers),
    ):
        problem_of(response, status, code)
        assert (response.status_code == 401) == ("WWW-Authenticate" in response.headers)


def test_a_foreign_token_opens_nothing(client: FlaskClient, lamp_session: ApiSession) -> None:
    other = ApiSession(client)
    wrong_secret = lamp_session.id + "." + other.token.partition(".")[2]
    for token in (other.token, wrong_secret, f"{lamp_session.id}."):
        headers = {"Authorization": f"Bearer {token}"}
        response = client.get(lamp_session.address, headers=headers)
        problem_of(response, 404, "unknown-session")


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/sessions/x/choose/more", "/problems/none", "/products/"]
)
def test_addresses_there_are_not(client: FlaskClient, path: str) -> None:
    problem_of(client.get(f"/api/v1{path}"), 404, "unknown-address")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/products", {"GET", "HEAD", "OPTIONS"}),
        ("GET", "/sessions", {"POST", "OPTIONS"}),
        ("DELETE", "/sessions/x/undo", {"POST", "OPTIONS"}),
    ],
)
def test_methods_an_address_does_not_take(
    client: FlaskClient, method: str, path: str, allowed: set[str]
) -> None:
    response = client.open(f"/api/v1{path}", method=method)
    problem_of(response, 405, "method-not-allowed")
    assert set(response.headers["Allow"].split(", ")) == allowed


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/products", {"GET", "HEAD", "OPTIONS"}),
        ("/sessions/x/undo", {"POST", "OPTIONS"}),
        ("/problems/unknown-value", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_asking_what_an_address_takes(client: FlaskClient, path: str, allowed: set[str]) -> None:
    response = client.options(f"/api/v1{path}")
    assert (response.status_code, response.data) == (204, b"")
    assert set(response.headers["Allow"].split(", ")) == allowed


def test_asking_what_an_unknown_address_takes(client: FlaskClient) -> None:
    problem_of(client.options("/api/v1/nothing"), 404, "unknown-address")


@pytest.mark.parametrize("seq", ["0", "99", "-1", "x", "1.0", "9" * 5000, "１"])
def test_events_there_are_not(lamp_session: ApiSession, seq: str) -> None:
    problem_of(lamp_session.get(f"/events/{seq}"), 404, "unknown-event")


@pytest.mark.parametrize("query", [{"after": "x"}, {"limit": "0"}, {"after": "9" * 400}])
def test_pages_there_are_not(lamp_session: ApiSession, query: dict[str, str]) -> None:
    problem_of(lamp_session.get("/events", **query), 422, "unexpected-fields")


@pytest.mark.parametrize("key", ["x" * 201, "tab\there"])
def test_keys_that_cannot_be_kept(lamp_session: ApiSession, key: str) -> None:
    response = lamp_session.post("undo", headers={"Idempotency-Key": key})
    problem = problem_of(response, 422, "unexpected-fields")
    assert problem["errors"][0]["field"] == "Idempotency-Key"


@pytest.mark.parametrize(
    ("headers", "query", "expected"),
    [
        ({"Accept-Language": "es-MX,en;q=0.5"}, "", "es"),
        ({"Accept-Language": "en-GB"}, "", "en"),
        ({"Accept-Language": "en"}, "?lang=es", "es"),
        ({"Accept-Language": "fr"}, "", "es"),
        ({"Accept-Language": "%%%"}, "?lang=%00", "es"),
    ],
)
def test_problems_speak_the_language_asked_for(
    client: FlaskClient, headers: dict[str, str], query: str, expected: str
) -> None:
    response = client.get(f"/api/v1/products/nothing{query}", headers=headers)
    body = problem_of(response, 404, "unknown-product")
    assert body["title"] == KINDS["unknown-product"].title.in_language(expected)
    assert response.headers["Content-Language"] == expected


def test_each_kind_of_problem_explains_itself(client: FlaskClient) -> None:
    for code, kind in KINDS.items():
        told = client.get(f"/api/v1/problems/{code}").get_json()
        assert told["status"] == kind.status
        assert set(told["title"]) == set(told["cure"]) == {"en", "es"}


def test_too_many_sessions_from_one_address(client: FlaskClient) -> None:
    client.application.config["API_START_LIMIT"] = "2 per minute"
    answers = [client.post("/api/v1/sessions", json={"product": "lamp"}) for _ in range(3)]
    assert [answer.status_code for answer in answers[:2]] == [201, 201]
    problem_of(answers[2], 429, "too-many-requests")
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 61


def test_acts_of_one_session_are_limited_apart(client: FlaskClient) -> None:
    client.application.config["API_LIMIT"] = "1 per minute"
    one, other = ApiSession(client), ApiSession(client)
    assert one.post("reset").status_code == 200
    problem_of(one.post("reset"), 429, "too-many-requests")
    assert other.post("reset").status_code == 200


@pytest.mark.parametrize("what", ["/events", "/events/1", "/verification"])
def test_reads_of_one_trail_are_limited_apart(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(api_sessions, "TRAIL_READS", "1 per minute")
    one, other = ApiSession(client), ApiSession(client)
    assert one.get(what).status_code == 200
    problem_of(one.get(what), 429, "too-many-requests")
    assert one.post("reset").status_code == 200
    assert other.get(what).status_code == 200


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
FIELDS = (
    "slot",
    "answer",
    "choices",
    "expected_seq",
    "index",
    "refusal_seq",
    "guard",
    "reason",
    "language",
)
bodies = json_values | st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, json_values))
ACTS = ("choose", "choose-many", "withdraw", "undo", "reset", "accept-repair", "acknowledge")


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from((*ACTS, "finish", "commit", "language", "../../sessions")), bodies)
def test_nothing_that_is_sent_breaks_the_service(
    lamp_session: ApiSession, act: str, body: Any
) -> None:
    data = json.dumps(body).encode()
    response = lamp_session.post(act, data=data, content_type="application/json")
    assert response.status_code < 500
    if response.status_code >= 400:
        assert response.mimetype == "application/problem+json"
        assert set(response.get_json(force=True)) >= MEMBERS


@given(st.integers(0, 2**53 - 1))
def test_whole_numbers_are_read_however_json_spells_them(number: int) -> None:
    field = Integral()
    assert field.deserialize(number) == number
    assert field.deserialize(float(number)) == number
    assert Integral(text=True).deserialize(str(number)) == number


@given(st.floats())
def test_only_whole_numbers_are_whole(number: float) -> None:
    field = Integral(low=-(2**53), high=2**53)
    try:
        read = field.deserialize(number)
    except ValidationError:
        assert not (number.is_integer() and abs(number) <= 2**53) or number != number
    else:
        assert isinstance(read, int)
        assert read == number


@given(st.text(st.characters(), min_size=1, max_size=50))
def test_texts_that_are_taken_can_be_stored(text: str) -> None:
    try:
        taken = Words(longest=50).deserialize(text)
    except ValidationError:
        return
    assert taken == text
    assert "\x00" not in taken.encode().decode()


def test_the_guide_lists_every_problem_with_its_status() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d{3}) \| (.*?) \|", guide, flags=re.MULTILINE)
    listed = {
        code: int(status)
        for status, codes in rows
        for code in re.findall("`(.+?)`", re.sub(r"\(.*?\)", "", codes))
    }
    assert listed == {code: kind.status for code, kind in KINDS.items()}

"""Rows that somebody altered, or that were damaged: nothing breaks, and each room says it."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text
from structlog.testing import capture_logs

from configurator.app import create_app, create_services
from configurator.settings import Settings
from configurator.trail import DamagedSessionError
from configurator.trail.records import hash_of
from tests.web.conftest import STAFF, ApiSession, csrf_of, sign_in

UNBELIEVABLE = {
    "the state": "update session_head set state = '[1, 2]'",
    "a choice of the state": "update session_head set state = "
    "cast(replace(cast(state as text), 'clamp', 'other') as blob)",
    "the release": "update session_head set release = 'f00d'",
    "the day": "update session_head set day = 'yesterday'",
    "the number of steps": "update session_head set seq = 9",
    "the status": "update session_head set status = 'committed'",
    "all steps": "delete from event",
}
"""What makes the head another than its last event left."""

UNREADABLE = {
    "a file of the release": "update blob set content = zeroblob(9)",
    "the list of files": "delete from release_file",
    "its name": "update product_release set name = '{'",
    "its time": "update product_release set published_at = 'yesterday'",
    "its number": "update product_release set number = 'first'",
    "what was confirmed": "update product_release set confirmation = '{\"a\": 1}'",
}

FIRST_STEP = "update event set record = zeroblob(9) where seq = 1"
MIDDLE_STEP = "update event set record = zeroblob(9) where seq = 2"

MUTANTS = 120
JUNK = (None, 0, -1, True, "", "x", [], {}, [[]], {"a": 1}, 3.5, "2026-01-01", "9" * 30)


class Rooms:
    """A service on an altered database, begun anew, as a customer and staff reach it."""

    def __init__(self, settings: Settings, token: str, session_id: str) -> None:
        self.app = create_app(settings, create_services(settings))
        self.app.config["PROPAGATE_EXCEPTIONS"] = False
        self.customer, self.desk = self.app.test_client(), self.app.test_client()
        assert sign_in(self.desk, STAFF["support"]).status_code == 303
        self.token, self.id = token, session_id
        self.address = f"/api/v1/sessions/{session_id}"

    def api(self, path: str = "", act: str = "") -> tuple[int, Any]:
        """Status and body of what the API says."""
        headers = {"Authorization": f"Bearer {self.token}"}
        address = f"{self.address}{path}"
        if act:
            answer = self.customer.post(f"{self.address}/{act}", headers=headers, json={})
        else:
            answer = self.customer.get(address, headers=headers)
        return answer.status_code, answer.get_json()

    def pages(self) -> Iterator[tuple[str, int, str]]:
        """The desk's pages of the session: path, status, text."""
        for path in ("", "/steps/1", "/steps/2", "/steps/3", "/verification"):
            query = {"lang": "en"}
            answer = self.desk.get(f"/desk/configurations/{self.id}{path}", query_string=query)
            yield path, answer.status_code, answer.get_data(as_text=True)


@pytest.fixture
def database(settings: Settings) -> Iterator[Engine]:
    """The service's database, whose triggers somebody has dropped."""
    engine = create_engine(settings.database_url)
    with engine.begin() as connection:
        triggers = "select name from sqlite_master where type = 'trigger'"
        for name in connection.execute(text(triggers)).scalars().all():
            connection.execute(text(f"drop trigger {name}"))
    yield engine
    engine.dispose()


@pytest.fixture
def altered(lamp_session: ApiSession, settings: Settings, database: Engine) -> Any:
    """Make a session of three steps, alter the database, and begin anew."""
    lamp_session.choose("mount", "clamp")
    lamp_session.choose("colour", "red")

    def alter(statement: str) -> Rooms:
        with database.begin() as connection:
            connection.execute(text(statement))
        return Rooms(settings, lamp_session.token, lamp_session.id)

    return alter


@pytest.mark.parametrize("what", UNBELIEVABLE)
def test_a_head_nobody_wrote_is_refused_to_customers_and_told_by_the_desk(
    what: str, altered: Any, lamp_session: ApiSession
) -> None:
    rooms: Rooms = altered(UNBELIEVABLE[what])
    for path, act in (("", ""), ("/events", ""), ("/events/2", ""), ("", "undo"), ("", "finish")):
        status, problem = rooms.api(path, act)
        assert (status, problem["code"]) == (503, "damaged-session")
        assert problem["cure"]
    with capture_logs() as logged:
        resumed = rooms.customer.get(f"/r/{rooms.token}", headers={"Accept-Language": "es"})
    assert resumed.status_code == 503
    assert "Esta configuración está dañada" in resumed.get_data(as_text=True)
    assert lamp_session.state["code"] in resumed.get_data(as_text=True)
    assert rooms.customer.get(f"/r/{rooms.id}.not-its-token").status_code == 404
    assert [line["event"] for line in logged] == ["damaged"]
    assert rooms.token.partition(".")[2] not in str(logged)
    status, check = rooms.api("/verification")
    assert (status, check["ok"]) == (200, False)
    rooms.token, own = f"{rooms.id}.not-its-token", rooms.token
    for path, act in (("", ""), ("/verification", ""), ("", "undo")):
        assert rooms.api(path, act)[0] == 404
    rooms.token = own
    token = csrf_of(rooms.desk.get("/desk/"))
    form = {"code": lamp_session.state["code"], "csrf_token": token}
    assert rooms.desk.post("/desk/", data=form).headers["Location"].endswith(rooms.id)
    for path, status, page in rooms.pages():
        assert status == 200, path
        assert "The trail is not whole from step" in page
    assert rooms.customer.get("/").status_code == 200


@pytest.mark.parametrize("what", UNBELIEVABLE)
def test_a_head_is_mended_from_its_steps(
    what: str, altered: Any, lamp_session: ApiSession, settings: Settings
) -> None:
    services = create_services(settings)
    stood = services.trail.head(lamp_session.id)
    rooms: Rooms = altered(UNBELIEVABLE[what])
    if what == "all steps":
        with pytest.raises(DamagedSessionError):
            services.sessions.mend(lamp_session.id)
        return
    assert services.sessions.mend(lamp_session.id)
    status, state = rooms.api()
    assert (status, state["seq"]) == (200, 3)
    assert rooms.api("/verification") == (200, {"ok": True})
    assert rooms.api("", "undo")[0] == 200
    assert stood.created == services.trail.head(lamp_session.id).created


@pytest.mark.parametrize("what", UNREADABLE)
def test_a_release_that_cannot_be_read_is_left_out_and_said(what: str, altered: Any) -> None:
    rooms: Rooms = altered(UNREADABLE[what])
    for path, act in (("", ""), ("", "undo")):
        status, problem = rooms.api(path, act)
        assert (status, problem["code"]) == (503, "unreadable-release")
    assert rooms.api("/verification") == (200, {"ok": True})
    home = rooms.customer.get("/", headers={"Accept-Language": "es"})
    assert home.status_code == 200
    assert "Lámpara de mesa" not in home.get_data(as_text=True)
    started = rooms.customer.post("/api/v1/sessions", json={"product": "lamp"})
    assert (started.status_code, started.get_json()["code"]) == (503, "unreadable-release")
    resumed = rooms.customer.get(f"/r/{rooms.token}", headers={"Accept-Language": "en"})
    assert "This product cannot be opened just now" in resumed.get_data(as_text=True)
    for _path, status, page in rooms.pages():
        assert status == 200
        assert "The stored files of this release cannot be read." in page
        assert "The trail is whole" in page
        assert "ValueChosen" in page


def test_a_publication_that_cannot_be_read_is_left_out(altered: Any) -> None:
    rooms: Rooms = altered("update publication set at = 'yesterday'")
    merchandiser = rooms.app.test_client()
    sign_in(merchandiser, STAFF["merchandiser"])
    with capture_logs() as logged:
        assert merchandiser.get("/workshop/products/lamp").status_code == 200
    assert "damaged" in [line["event"] for line in logged]


def test_an_account_with_a_role_that_there_is_not_is_shut(altered: Any) -> None:
    rooms: Rooms = altered(f"update staff set role = 'king' where name = '{STAFF['admin']}'")
    assert sign_in(rooms.app.test_client(), STAFF["admin"]).status_code == 401


def test_a_step_that_cannot_be_read_ends_what_is_told(altered: Any) -> None:
    rooms: Rooms = altered(MIDDLE_STEP)
    for path in ("", "/events"):
        assert rooms.api(path)[1]["code"] == "damaged-session"
    told = {path: status for path, status, _ in rooms.pages()}
    assert told == {
        "": 200,
        "/steps/1": 200,
        "/steps/2": 404,
        "/steps/3": 404,
        "/verification": 200,
    }


def test_strangers_learn_nothing_of_a_damaged_trail(altered: Any) -> None:
    rooms: Rooms = altered(MIDDLE_STEP)
    repair = {"refusal_seq": 2, "index": 0}
    for token, status in ((f"{rooms.id}.stranger", 404), (rooms.token, 503)):
        headers = {"Authorization": f"Bearer {token}"}
        answer = rooms.customer.post(f"{rooms.address}/accept-repair", headers=headers, json=repair)
        assert answer.status_code == status


def test_a_time_beyond_all_clocks_is_no_time(altered: Any) -> None:
    rooms: Rooms = altered(
        "update event set record = cast(json_replace(cast(record as text), "
        "'$.server_time', '9999-12-31T23\\:59\\:59Z') as blob) where seq = 3"
    )
    assert [status for _, status, _ in rooms.pages()] == [200, 200, 200, 404, 200]


def test_where_no_step_can_be_read_the_desk_says_so(altered: Any) -> None:
    rooms: Rooms = altered(FIRST_STEP)
    for _path, status, page in rooms.pages():
        assert status == 200
        assert "This configuration cannot be told" in page
        assert "The trail is not whole from step 1 on" in page


def test_where_no_product_can_be_read_times_are_in_utc(altered: Any) -> None:
    rooms: Rooms = altered(UNREADABLE["a file of the release"])
    assert all(re.search(r"\d:\d\d \(UTC\)", page) for _path, _status, page in rooms.pages())
    merchandiser = rooms.app.test_client()
    assert sign_in(merchandiser, STAFF["merchandiser"]).status_code == 303
    for path in ("/workshop/", "/workshop/products/lamp"):
        assert re.search(r"\d:\d\d \(UTC\)", merchandiser.get(path).get_data(as_text=True))


def test_whatever_stands_in_a_step_nothing_breaks(
    lamp_session: ApiSession, settings: Settings, database: Engine
) -> None:
    lamp_session.choose("mount", "clamp")
    lamp_session.choose("arm", "long")
    lamp_session.post("preview", {"slot": "bulb", "answer": "large"})
    lamp_session.post("finish")
    rooms = Rooms(settings, lamp_session.token, lamp_session.id)
    source = random.Random(20261130)
    with database.begin() as connection:
        rows = connection.execute(text("select seq, record, hash from event order by seq")).all()
    put = text("update event set record = :record, hash = :hash where seq = :seq")
    for _ in range(MUTANTS):
        seq, record, its_hash = source.choice(rows)
        mutant = mutated(record, source)
        again = hash_of(mutant) if source.random() < 0.5 else its_hash
        with database.begin() as connection:
            connection.execute(put, {"record": mutant, "hash": again, "seq": seq})
        status, check = rooms.api("/verification")
        assert (status, check["ok"]) == (200, False), (seq, mutant)
        for path in ("", "/events", f"/events/{seq}"):
            assert rooms.api(path)[0] in (200, 503), (path, mutant)
        for path, status, _ in rooms.pages():
            assert status in (200, 404), (path, mutant)
        with database.begin() as connection:
            connection.execute(put, {"record": record, "hash": its_hash, "seq": seq})
    assert rooms.api("/verification") == (200, {"ok": True})


def test_no_act_follows_a_step_that_was_altered(
    lamp_session: ApiSession, settings: Settings, database: Engine
) -> None:
    acts: list[tuple[str, dict[str, Any], str | None]] = [
        ("choose", {"slot": "mount", "answer": "clamp"}, "the first"),
        ("choose", {"slot": "arm", "answer": "long"}, "the refusal"),
        ("preview", {"slot": "bulb", "answer": "large"}, "the look"),
    ]
    for act, body, key in acts:
        assert lamp_session.post(act, body, key=key).status_code == 200
    acts.append(("accept-repair", {"refusal_seq": 3, "index": 0}, None))
    rooms = Rooms(settings, lamp_session.token, lamp_session.id)
    lamp_session.client = rooms.customer
    source = random.Random(20261201)
    with database.begin() as connection:
        rows = connection.execute(text("select seq, record from event order by seq")).all()
    put = text("update event set record = :record where seq = :seq")
    for _ in range(MUTANTS):
        seq, record = source.choice(rows)
        mutant = mutated(record, source)
        with database.begin() as connection:
            connection.execute(put, {"record": mutant, "seq": seq})
        if seq > 1:
            act, body, key = acts[seq - 2]
            answer = lamp_session.post(act, body, key=key)
            assert (answer.status_code, answer.get_json()["code"]) == (503, "damaged-session")
        if seq == 3:
            answer = lamp_session.post(*acts[-1])
            assert (answer.status_code, answer.get_json()["code"]) == (503, "damaged-session")
            stranger = {"Authorization": f"Bearer {lamp_session.id}.somebody-else"}
            answer = rooms.customer.post(
                f"{rooms.address}/accept-repair", json=acts[-1][1], headers=stranger
            )
            assert (answer.status_code, answer.get_json()["code"]) == (404, "unknown-session")
        with database.begin() as connection:
            connection.execute(put, {"record": record, "seq": seq})
    assert lamp_session.post(*acts[-1]).get_json()["kind"] == "accepted"
    assert rooms.api("/verification") == (200, {"ok": True})


def test_a_refusal_that_no_longer_tells_its_repairs_is_damaged(
    lamp_session: ApiSession, settings: Settings, database: Engine
) -> None:
    lamp_session.choose("mount", "clamp")
    lamp_session.choose("arm", "long", key="the refusal")
    lamp_session.choose("colour", "red")
    with database.begin() as connection:
        record = connection.execute(text("select record from event where seq = 3")).scalar_one()
        content = json.loads(record)
        del content["payload"]["choices"], content["payload"]["repairs"]
        mutant = json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
        put = text("update event set record = :record, hash = :hash where seq = 3")
        connection.execute(put, {"record": mutant, "hash": hash_of(mutant)})
    lamp_session.client = Rooms(settings, lamp_session.token, lamp_session.id).customer
    repair = lamp_session.post("accept-repair", {"refusal_seq": 3, "index": 0})
    again = lamp_session.post("choose", {"slot": "arm", "answer": "long"}, key="the refusal")
    for answer in (repair, again):
        assert (answer.status_code, answer.get_json()["code"]) == (503, "damaged-session")


def mutated(record: bytes, source: random.Random) -> bytes:
    """A record with one bit or one member changed."""
    if source.random() < 0.2:
        flipped = bytearray(record)
        flipped[source.randrange(len(flipped))] ^= 1 << source.randrange(8)
        return bytes(flipped)
    content = json.loads(record)
    places: list[tuple[Any, Any]] = []

    def look(node: Any) -> None:
        inner = node.items() if isinstance(node, dict) else enumerate(node)
        for key, member in inner:
            places.append((node, key))
            if isinstance(member, (dict, list)):
                look(member)

    look(content)
    node, key = source.choice(places)
    if source.random() < 0.2:
        del node[key]
    else:
        node[key] = source.choice([each for each in JUNK if each != node[key]])
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()

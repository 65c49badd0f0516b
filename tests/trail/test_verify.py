"""An intruder with the database in hand: every edit is found, at the right event."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError

from configurator.trail import (
    CodeTakenError,
    DamagedSessionError,
    Trail,
    canonical_json,
    tables,
)
from configurator.trail.records import hash_of
from tests.trail.sessions import Clock, a_session, choose
from tests.trail.stores import OnPostgresql, OnSqlite, allow_changes

EVENTS = 8

Edit = Callable[[Connection, str, random.Random], int]
"""Edits one session; gives the event at which that must be noticed."""


def sql(connection: Connection, statement: str, **parameters: Any) -> Any:
    return connection.execute(text(statement), parameters)


def record(connection: Connection, session: str, seq: int) -> bytes:
    statement = "SELECT record FROM event WHERE session_id = :s AND seq = :n"
    return bytes(sql(connection, statement, s=session, n=seq).scalar_one())


def put(connection: Connection, session: str, seq: int, data: bytes, own_hash: bool) -> None:
    where = "WHERE session_id = :s AND seq = :n"
    sql(connection, f"UPDATE event SET record = :r {where}", r=data, s=session, n=seq)
    if own_hash:
        sql(connection, f"UPDATE event SET hash = :h {where}", h=hash_of(data), s=session, n=seq)


def renumber(connection: Connection, session: str, seq: int, new: int) -> None:
    statement = "UPDATE event SET seq = :m WHERE session_id = :s AND seq = :n"
    sql(connection, statement, m=new, s=session, n=seq)


def flip_a_bit(connection: Connection, session: str, source: random.Random) -> int:
    seq = source.randint(1, EVENTS)
    data = bytearray(record(connection, session, seq))
    data[source.randrange(len(data))] ^= 1 << source.randrange(8)
    put(connection, session, seq, bytes(data), own_hash=False)
    return seq


def flip_a_bit_and_hash_again(connection: Connection, session: str, source: random.Random) -> int:
    seq = source.randint(1, EVENTS)
    data = bytearray(record(connection, session, seq))
    data[source.randrange(len(data))] ^= 1 << source.randrange(8)
    put(connection, session, seq, bytes(data), own_hash=True)
    return seq


def change(field: str, value: Any) -> Edit:
    def edit(connection: Connection, session: str, source: random.Random) -> int:
        seq = source.randint(2, EVENTS)
        content = json.loads(record(connection, session, seq))
        content[field] = value
        put(connection, session, seq, canonical_json(content), own_hash=True)
        return seq

    return edit


def change_a_column(column: str, value: Any) -> Edit:
    def edit(connection: Connection, session: str, source: random.Random) -> int:
        seq = source.randint(1, EVENTS)
        statement = f"UPDATE event SET {column} = :v WHERE session_id = :s AND seq = :n"
        sql(connection, statement, v=value, s=session, n=seq)
        return seq

    return edit


def delete(connection: Connection, session: str, source: random.Random) -> int:
    seq = source.randint(1, EVENTS)
    sql(connection, "DELETE FROM event WHERE session_id = :s AND seq = :n", s=session, n=seq)
    return seq


def delete_and_close_the_gap(connection: Connection, session: str, source: random.Random) -> int:
    seq = delete(connection, session, source)
    for later in range(seq + 1, EVENTS + 1):
        renumber(connection, session, later, later - 1)
    return seq


def delete_everything(connection: Connection, session: str, source: random.Random) -> int:
    sql(connection, "DELETE FROM event WHERE session_id = :s", s=session)
    return 1


def cut_the_tail(connection: Connection, session: str, source: random.Random) -> int:
    seq = source.randint(2, EVENTS)
    sql(connection, "DELETE FROM event WHERE session_id = :s AND seq >= :n", s=session, n=seq)
    return seq


def insert(connection: Connection, session: str, source: random.Random) -> int:
    """Put a made-up event in between, well formed and linked to the one before."""
    seq = source.randint(2, EVENTS)
    content = json.loads(record(connection, session, seq))
    for later in range(EVENTS, seq - 1, -1):
        renumber(connection, session, later, later + 1)
    content |= {"key": "made up", "payload": {"slot": "a", "answer": "made up"}}
    data = canonical_json(content)
    sql(
        connection,
        "INSERT INTO event (session_id, seq, key, kind, server_time, hash, record) "
        "VALUES (:s, :n, 'made up', :kind, :at, :h, :r)",
        s=session,
        n=seq,
        kind=content["kind"],
        at=content["server_time"],
        h=hash_of(data),
        r=data,
    )
    return seq


def append(connection: Connection, session: str, source: random.Random) -> int:
    """Put one more at the end and leave the head as it is."""
    content = json.loads(record(connection, session, EVENTS))
    content |= {"key": "made up", "seq": EVENTS + 1}
    content["previous_hash"] = hash_of(record(connection, session, EVENTS))
    data = canonical_json(content)
    sql(
        connection,
        "INSERT INTO event (session_id, seq, key, kind, server_time, hash, record) "
        "VALUES (:s, :n, 'made up', :kind, :at, :h, :r)",
        s=session,
        n=EVENTS + 1,
        kind=content["kind"],
        at=content["server_time"],
        h=hash_of(data),
        r=data,
    )
    return EVENTS + 1


def swap(connection: Connection, session: str, source: random.Random) -> int:
    one, two = sorted(source.sample(range(1, EVENTS + 1), 2))
    renumber(connection, session, one, -1)
    renumber(connection, session, two, one)
    renumber(connection, session, -1, two)
    return one


def swap_contents(connection: Connection, session: str, source: random.Random) -> int:
    one, two = sorted(source.sample(range(1, EVENTS + 1), 2))
    first, second = record(connection, session, one), record(connection, session, two)
    put(connection, session, one, second, own_hash=True)
    put(connection, session, two, first, own_hash=True)
    return one


def rewrite_the_rest(connection: Connection, session: str, source: random.Random) -> int:
    """Change one event and mend every later link, but not the head."""
    seq = source.randint(1, EVENTS)
    content = json.loads(record(connection, session, seq))
    content["payload"] = {"slot": "a", "answer": "rewritten"}
    for later in range(seq, EVENTS + 1):
        data = canonical_json(content)
        put(connection, session, later, data, own_hash=True)
        if later < EVENTS:
            content = json.loads(record(connection, session, later + 1))
            content["previous_hash"] = hash_of(data)
    return EVENTS  # the head remembers the last one only


def change_the_head(column: str, value: Any) -> Edit:
    def edit(connection: Connection, session: str, source: random.Random) -> int:
        statement = f"UPDATE session_head SET {column} = :v WHERE session_id = :s"
        sql(connection, statement, v=value, s=session)
        return EVENTS

    return edit


def move_the_head_back(connection: Connection, session: str, source: random.Random) -> int:
    seq = source.randint(1, EVENTS - 1)
    earlier = hash_of(record(connection, session, seq))
    statement = "UPDATE session_head SET seq = :n, hash = :h WHERE session_id = :s"
    sql(connection, statement, n=seq, h=earlier, s=session)
    return EVENTS


EDITS: dict[str, Edit] = {
    "flip a bit": flip_a_bit,
    "flip a bit and hash again": flip_a_bit_and_hash_again,
    "change the payload": change("payload", {"slot": "a", "answer": "other"}),
    "change the change": change("change", {"price": {"lowest": 1}}),
    "make the change no object": change("change", 7),
    "change the actor": change("actor", "staff:ana"),
    "change the time": change("server_time", "2020-01-01T00:00:00.000000Z"),
    "change the link": change("previous_hash", "f" * 64),
    "change the view digest": change("view_digest", "f" * 64),
    "add a field": change("extra", 1),
    "change the column hash": change_a_column("hash", "f" * 64),
    "change the column key": change_a_column("key", "other"),
    "change the column kind": change_a_column("kind", "Other"),
    "change the column server_time": change_a_column("server_time", "2020"),
    "delete": delete,
    "delete and close the gap": delete_and_close_the_gap,
    "delete everything": delete_everything,
    "cut the tail": cut_the_tail,
    "insert": insert,
    "append": append,
    "swap": swap,
    "swap contents": swap_contents,
    "rewrite the rest": rewrite_the_rest,
    "change the head's hash": change_the_head("hash", "f" * 64),
    "change the head's seq": change_the_head("seq", EVENTS - 1),
    "change the head's release": change_the_head("release", "f" * 64),
    "change the head's product": change_the_head("product_id", "boat"),
    "change the head's code": change_the_head("code", "ZZZZ-ZZZZ"),
    "change the head's day": change_the_head("day", "2020-01-01"),
    "change the head's status": change_the_head("status", "committed"),
    "change the head's state": change_the_head("state", b"{}"),
    "change the head's owner": change_the_head("token_hash", "f" * 64),
    "move the head back": move_the_head_back,
}
TRIES = 3
UNBELIEVABLE = {
    "delete everything",
    "change the head's hash",
    "change the head's seq",
    "change the head's release",
    "change the head's day",
    "change the head's status",
    "change the head's state",
    "change the head's view",
    "move the head back",
}


class VerifyContract:
    @pytest.fixture
    def trail(self, engine: Engine) -> Trail:
        return Trail(engine, Clock())

    def test_every_edit_is_found_where_it_is_and_nothing_else_is(
        self, trail: Trail, engine: Engine
    ) -> None:
        source = random.Random(20261122)
        clean = [a_session(trail, source.randint(1, EVENTS + 4)) for _ in range(20)]
        cases = [(name, a_session(trail, EVENTS)) for name in EDITS for _ in range(TRIES)]
        allow_changes(engine, "event")
        expected = {}
        for number, (name, session_id) in enumerate(cases):
            with engine.begin() as connection:
                seq = EDITS[name](connection, session_id, source)
            # A code can only be changed once to the same text.
            if name == "change the head's code":
                with engine.begin() as connection:
                    statement = "UPDATE session_head SET code = :c WHERE session_id = :s"
                    sql(connection, statement, c=f"Z-{number}", s=session_id)
            expected[session_id] = (name, seq)
        wrong = []
        for session_id, (name, seq) in expected.items():
            found = trail.verify(session_id)
            if found.ok or found.first_bad_seq != seq:
                wrong.append((name, seq, found))
            assert found.reason is not None or found.ok
        assert not wrong, wrong
        assert all(trail.verify(session_id).ok for session_id in clean)

    @pytest.mark.parametrize("edit", [each for each in EDITS if each in UNBELIEVABLE])
    def test_a_head_that_its_last_event_does_not_bear_out_is_not_believed(
        self, trail: Trail, engine: Engine, edit: str
    ) -> None:
        session_id = a_session(trail, EVENTS)
        allow_changes(engine, "event")
        with engine.begin() as connection:
            EDITS[edit](connection, session_id, random.Random(7))
        unknowing = Trail(engine, Clock())  # another process, or this one started anew
        with pytest.raises(DamagedSessionError) as caught:
            unknowing.head(session_id)
        assert caught.value.session_id == session_id
        with pytest.raises(DamagedSessionError):
            choose(unknowing, session_id, "a", "more", "more")
        found = unknowing.verify(session_id)
        assert not found.ok
        assert found.first_bad_seq == (1 if edit == "delete everything" else EVENTS)
        assert unknowing.token_hash(session_id) == "b" * 64

    @pytest.mark.parametrize("edit", EDITS)
    def test_a_head_is_made_anew_from_whole_events_and_nothing_else_is(
        self, trail: Trail, engine: Engine, edit: str
    ) -> None:
        session_id = a_session(trail, EVENTS)
        stood = trail.head(session_id)
        allow_changes(engine, "event")
        with engine.begin() as connection:
            EDITS[edit](connection, session_id, random.Random(7))
        altered = str(trail.stored(session_id))
        unknowing = Trail(engine, Clock())
        if "head" not in edit:
            for last_hash in (None, stood.hash):
                with pytest.raises(DamagedSessionError):
                    unknowing.mend(session_id, stood.state, last_hash)
                assert str(trail.stored(session_id)) == altered
            return
        if edit in ("change the head's hash", "move the head back"):  # were there more events?
            with pytest.raises(DamagedSessionError):
                unknowing.mend(session_id, stood.state)
        others = unknowing.mend(session_id, stood.state, stood.hash)
        assert others
        assert unknowing.verify(session_id).ok
        assert unknowing.head(session_id) == stood
        assert unknowing.mend(session_id, stood.state) == ()
        choose(unknowing, session_id, "a", "more", "more")
        assert unknowing.verify(session_id).ok

    def test_a_head_is_not_made_with_a_state_that_nobody_saw(
        self, trail: Trail, engine: Engine
    ) -> None:
        session_id = a_session(trail, EVENTS)
        with engine.begin() as connection:
            change_the_head("state", b"{}")(connection, session_id, random.Random(7))
        with pytest.raises(DamagedSessionError, match="another state"):
            trail.mend(session_id, {"choices": []})
        assert not trail.verify(session_id).ok

    def test_a_code_that_another_session_took_is_not_taken_back(
        self, trail: Trail, engine: Engine
    ) -> None:
        one, two = a_session(trail, 2), a_session(trail, 2)
        stood = trail.head(one)
        with engine.begin() as connection:
            change_the_head("code", "ZZZZ-ZZZZ")(connection, one, random.Random(7))
            change_the_head("code", stood.code)(connection, two, random.Random(7))
        with pytest.raises(CodeTakenError):
            trail.mend(one, stood.state)
        trail.mend(two, trail.head(two).state)
        trail.mend(one, stood.state)
        assert trail.verify(one).ok
        assert trail.verify(two).ok

    def test_an_event_moved_to_another_session_is_missed_and_noticed(
        self, trail: Trail, engine: Engine
    ) -> None:
        one, two = a_session(trail, 6), a_session(trail, 4)
        allow_changes(engine, "event")
        with engine.begin() as connection:
            statement = "UPDATE event SET session_id = :t, seq = 5, key = 'k' "
            sql(connection, statement + "WHERE session_id = :s AND seq = 3", t=two, s=one)
        assert trail.verify(one).first_bad_seq == 3
        assert trail.verify(two).first_bad_seq == 5

    def test_a_replay_shows_what_is_left_and_where_it_stops_fitting(
        self, trail: Trail, engine: Engine
    ) -> None:
        one, two = a_session(trail, 6), a_session(trail, 6)
        allow_changes(engine, "event")
        with engine.begin() as connection:
            content = json.loads(record(connection, one, 4))
            content["change"] = {"price": {"lowest": 1}}
            put(connection, one, 4, canonical_json(content), own_hash=True)
            put(connection, two, 4, b"not json", own_hash=True)
        assert [step.matches for step in trail.replay(one)][:4] == [True, True, True, False]
        assert [step.event.seq for step in trail.replay(two)] == [1, 2, 3]

    def test_a_missing_head_is_said(self, trail: Trail, engine: Engine) -> None:
        session_id = a_session(trail, 3)
        allow_changes(engine, "event")
        raw = engine.raw_connection()
        cursor = raw.cursor()
        if engine.dialect.name == "sqlite":
            cursor.execute("PRAGMA foreign_keys = OFF")
        else:
            cursor.execute("ALTER TABLE session_head DISABLE TRIGGER ALL")
        cursor.execute("DELETE FROM session_head")
        raw.commit()
        raw.close()
        found = trail.verify(session_id)
        assert not found.ok
        assert found.first_bad_seq == 1

    def test_a_whole_trail_gives_its_last_hash_and_says_nothing_else(self, trail: Trail) -> None:
        session_id = a_session(trail, 5)
        last = choose(trail, session_id, "a", "last", "last").event
        found = trail.verify(session_id)
        assert (found.ok, found.events, found.hash) == (True, 6, last.hash)
        assert (found.first_bad_seq, found.reason) == (None, None)

    def test_reasons_are_in_both_languages(self, trail: Trail, engine: Engine) -> None:
        session_id = a_session(trail, 3)
        allow_changes(engine, "event")
        with engine.begin() as connection:
            sql(connection, "DELETE FROM event WHERE session_id = :s AND seq = 2", s=session_id)
        reason = trail.verify(session_id).reason
        assert reason is not None
        assert reason.in_language("es") == "Falta el paso 2."
        assert reason.in_language("en") == "Step 2 is missing."

    def test_what_only_a_checkpoint_can_show(self, trail: Trail, engine: Engine) -> None:
        """The limit, stated: who rewrites everything, head included, goes unnoticed here;
        the last hash differs from every receipt given out before."""
        session_id = a_session(trail, 3)
        receipt = trail.verify(session_id).hash
        allow_changes(engine, "event")
        with engine.begin() as connection:
            content = json.loads(record(connection, session_id, 3))
            content["payload"] = {"slot": "a", "answer": "rewritten"}
            data = canonical_json(content)
            put(connection, session_id, 3, data, own_hash=True)
            statement = "UPDATE session_head SET hash = :h WHERE session_id = :s"
            sql(connection, statement, h=hash_of(data), s=session_id)
        found = trail.verify(session_id)
        assert found.ok
        assert found.hash != receipt


class TestVerifyOnSqlite(OnSqlite, VerifyContract):
    @pytest.mark.parametrize("value", [None, 7, 1.5, "text", b"bytes"])
    def test_a_column_that_holds_another_kind_of_thing_is_found(
        self, trail: Trail, engine: Engine, value: Any
    ) -> None:
        allow_changes(engine, "event")
        edits = [("event", each.name) for each in tables.event.columns]
        edits += [("session_head", each.name) for each in tables.session_head.columns]
        for table, column in edits:
            if column == "session_id":
                continue
            session_id = a_session(trail, 3)
            where = "session_id = :s" + (" AND seq = 3" if table == "event" else "")
            try:
                with engine.begin() as connection:
                    statement = f"UPDATE {table} SET {column} = :v WHERE {where}"
                    sql(connection, statement, v=value, s=session_id)
            except IntegrityError:  # no column takes NULL
                assert value is None
                continue
            assert not trail.verify(session_id).ok, (table, column)
            assert len(trail.replay(session_id)) <= 3


class TestVerifyOnPostgresql(OnPostgresql, VerifyContract):
    pass

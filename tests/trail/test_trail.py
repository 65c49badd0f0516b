"""What every store promises; the same tests run on SQLite and on PostgreSQL."""

from __future__ import annotations

import datetime
import hashlib
import json
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, make_url, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.pool import QueuePool

from configurator.trail import (
    CodeTakenError,
    Decision,
    Head,
    KeyReusedError,
    NotCanonicalError,
    SequenceConflictError,
    Trail,
    TrailUnavailableError,
    UnknownSessionError,
    canonical_json,
    connect,
)
from configurator.trail.database import driving
from configurator.trail.records import NO_HASH, hash_of
from tests.trail.sessions import (
    NOW,
    RELEASE,
    Clock,
    a_draft,
    a_head,
    a_session,
    choose,
    choosing,
    start,
    view_after,
)
from tests.trail.stores import OnPostgresql, OnSqlite, limit_pages


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def trail(engine: Engine, clock: Clock) -> Trail:
    return Trail(engine, clock)


class TrailContract:
    # --- starting ----------------------------------------------------------------

    def test_a_started_session_is_found_by_id_and_by_code(self, trail: Trail) -> None:
        head = a_head()
        event = trail.start(a_draft(head), head)
        found = trail.head(head.session_id)
        assert trail.id_of(head.code) == head.session_id
        assert (found.seq, found.hash) == (1, event.hash)
        assert (found.created, found.updated) == (event.server_time, event.server_time)
        assert (found.state, found.view) == (head.state, head.view)
        assert (found.token_hash, found.locale, found.day) == ("b" * 64, "es", "2026-11-22")

    def test_the_first_event_says_what_was_opened(self, trail: Trail) -> None:
        head = a_head()
        trail.start(a_draft(head), head)
        (event,) = trail.events(head.session_id)
        assert (event.seq, event.kind, event.previous_hash) == (1, "SessionStarted", NO_HASH)
        assert event.server_time == "2026-11-22T09:30:00.000000Z"
        opened = {"code": head.code, "product_id": "bike", "token_hash": head.token_hash}
        assert event.opening == opened
        assert (event.release, event.actor, event.on_behalf_of) == (RELEASE, "customer", None)

    @pytest.mark.parametrize("seq", [0, -1, 3, 2**31, 2**63, 10**40])
    def test_one_event_is_given_by_its_number(self, trail: Trail, seq: int) -> None:
        session_id = a_session(trail, 2)
        for event in trail.events(session_id):
            assert trail.event(session_id, event.seq) == event
        assert trail.event(session_id, seq) is None
        with pytest.raises(UnknownSessionError):
            trail.event("nobody", seq)

    def test_events_are_given_in_pages(self, trail: Trail) -> None:
        session_id = a_session(trail, 4)
        events = trail.events(session_id)
        assert trail.page(session_id, 0, 2) == events[:2]
        assert trail.page(session_id, 2, 9) == events[2:]
        assert trail.page(session_id, len(events), 9) == ()
        assert trail.page(session_id, 2**70, 9) == ()
        with pytest.raises(UnknownSessionError):
            trail.page("nobody", 0, 9)

    def test_a_repeated_start_gives_the_first_event(self, trail: Trail) -> None:
        head = a_head()
        first = trail.start(a_draft(head), head)
        assert trail.start(a_draft(head), head) == first
        with pytest.raises(KeyReusedError):
            trail.start(a_draft(head, fingerprint="other"), head)
        with pytest.raises(KeyReusedError):
            trail.start(a_draft(head, key="other"), head)
        assert len(trail.events(head.session_id)) == 1

    def test_a_code_is_of_one_session(self, trail: Trail) -> None:
        head = a_head()
        trail.start(a_draft(head), head)
        other = a_head(code=head.code)
        with pytest.raises(CodeTakenError):
            trail.start(a_draft(other), other)
        with pytest.raises(UnknownSessionError):
            trail.head(other.session_id)

    def test_what_is_not_there_is_said(self, trail: Trail) -> None:
        for ask in (trail.head, trail.id_of, trail.events, trail.verify, trail.replay):
            with pytest.raises(UnknownSessionError):
                ask("nobody")
        with pytest.raises(UnknownSessionError):
            choose(trail, "nobody", "a", "1", "k")

    @pytest.mark.parametrize("text", ["a\0b", "\ud800", "", "'; DROP TABLE event; --", "ñ" * 9999])
    def test_what_cannot_be_there_is_not_there_either(self, trail: Trail, text: str) -> None:
        for ask in (trail.head, trail.id_of, trail.events, trail.verify, trail.replay):
            with pytest.raises(UnknownSessionError):
                ask(text)
        with pytest.raises(UnknownSessionError):
            choose(trail, text, "a", "1", "k")

    @pytest.mark.parametrize("key", ["a\0b", "\ud800"])
    def test_a_key_that_cannot_be_stored_is_refused(self, trail: Trail, key: str) -> None:
        with pytest.raises(NotCanonicalError):
            choose(trail, start(trail), "a", "1", key)

    # --- writing -----------------------------------------------------------------

    def test_a_write_appends_and_moves_the_head(self, trail: Trail, clock: Clock) -> None:
        session_id = start(trail)
        before = trail.head(session_id)
        clock.now += datetime.timedelta(minutes=3)
        written = choose(trail, session_id, "bell", "ñu", "k1", expected=1)
        head = trail.head(session_id)
        assert not written.replayed
        assert written.answer == {"kind": "accepted", "after": 1}
        assert (head.seq, head.hash) == (2, written.event.hash)
        assert head.state == {"choices": [["bell", "ñu"]]}
        assert head.view == view_after([["bell", "ñu"]])
        assert (head.created, head.updated) == (before.created, "2026-11-22T09:33:00.000000Z")
        stored = trail.events(session_id)[1]
        assert stored == written.event
        assert stored.previous_hash == before.hash
        assert stored.payload == {"slot": "bell", "answer": "ñu"}

    def test_the_hashed_bytes_are_stored_as_they_are(self, trail: Trail) -> None:
        session_id = a_session(trail, 4)
        _, rows = trail.stored(session_id)
        for row, event in zip(rows, trail.events(session_id), strict=True):
            assert hash_of(row.record) == row.hash == event.hash
            assert b'"n\xcc' not in row.record
            assert row.record.startswith(b'{"actor":"customer"')

    def test_bytes_are_those_of_the_values_written_plainly(self, trail: Trail) -> None:
        session_id = start(trail)
        for number, answer in enumerate(("red", "ñu", "n\u0303u", "\U0001f6b2", "1.5")):
            written = choose(trail, session_id, f"bell-{number}", answer, f"k{number}")
            head, rows = trail.stored(session_id)
            assert head is not None
            seen = trail.replay(session_id)[-1].view
            assert written.view == canonical_json(seen)
            assert written.event.view_digest == hashlib.sha256(canonical_json(seen)).hexdigest()
            assert head.state == canonical_json(json.loads(head.state))
            assert written.event.state_digest == hashlib.sha256(head.state).hexdigest()
            assert rows[-1].record == canonical_json(json.loads(rows[-1].record))
        assert choose(trail, session_id, "bell-0", "red", "k0").view is None
        assert trail.verify(session_id).ok

    def test_a_write_leaves_its_connection_as_it_was(self, trail: Trail, engine: Engine) -> None:
        session_id = start(trail)
        choose(trail, session_id, "a", "1", "k")
        with pytest.raises(KeyReusedError):
            choose(trail, session_id, "a", "2", "k")
        with pytest.raises(IntegrityError), driving(engine) as connection:
            connection.execute("INSERT INTO session_head (session_id) VALUES ('x')")
        with pytest.raises(LookupError), driving(engine) as connection:
            raise LookupError
        with engine.begin() as found:
            found.execute(text("UPDATE session_head SET status = 'x'"))
            found.rollback()
        assert trail.head(session_id).status == "open"
        assert isinstance(engine.pool, QueuePool)
        assert engine.pool.checkedout() == 0
        assert trail.verify(session_id).ok

    def test_what_a_decision_changes_besides_the_view(self, trail: Trail) -> None:
        session_id = start(trail)

        def decide(head: Head) -> Decision:
            return Decision(
                kind="ConfigurationCommitted",
                payload={},
                change=None,
                view=head.view,
                state=head.state,
                status="committed",
                answer=None,
                engine_version="2",
                version=3,
                actor="staff:ana",
                on_behalf_of="customer",
                locale="en",
                release="c" * 64,
                day="2026-12-01",
            )

        event = trail.write(
            session_id, key="k", fingerprint="f", expected_seq=None, decide=decide
        ).event
        head = trail.head(session_id)
        for thing in (event, head):
            assert thing.locale == "en"
            assert thing.release == "c" * 64
            assert thing.day == "2026-12-01"
            assert thing.status == "committed"
        assert (event.actor, event.on_behalf_of) == ("staff:ana", "customer")
        assert (event.version, event.engine_version, event.change) == (3, "2", None)
        assert trail.events(session_id)[-1] == event
        assert trail.verify(session_id).ok

    def test_a_decision_may_raise_and_nothing_is_stored(self, trail: Trail) -> None:
        session_id = start(trail)
        before = trail.head(session_id)

        def refuse(head: Head) -> Decision:
            raise LookupError("no such option")

        with pytest.raises(LookupError):
            trail.write(session_id, key="k", fingerprint="f", expected_seq=1, decide=refuse)
        assert trail.head(session_id) == before
        assert not choose(trail, session_id, "a", "1", "k").replayed

    def test_a_change_that_does_not_lead_to_the_view_is_refused(self, trail: Trail) -> None:
        session_id = start(trail)

        def decide(head: Head) -> Decision:
            decision = choosing("a", "1")(head)
            return Decision(
                kind="ValueChosen",
                payload={},
                change={"price": {"lowest": 999}},
                view=decision.view,
                state=decision.state,
                status="open",
                answer=None,
                engine_version="1",
            )

        with pytest.raises(ValueError, match="does not lead"):
            trail.write(session_id, key="k", fingerprint="f", expected_seq=1, decide=decide)
        assert trail.head(session_id).seq == 1

    @pytest.mark.parametrize("answer", [1.5, {1: 2}, 2**60])
    def test_what_is_not_exact_is_not_stored(self, trail: Trail, answer: Any) -> None:
        session_id = start(trail)

        def decide(head: Head) -> Decision:
            return Decision(
                kind="ValueChosen",
                payload={"answer": answer},
                change=None,
                view=head.view,
                state=head.state,
                status="open",
                answer=None,
                engine_version="1",
            )

        with pytest.raises(NotCanonicalError):
            trail.write(session_id, key="k", fingerprint="f", expected_seq=1, decide=decide)
        assert trail.head(session_id).seq == 1

    # --- retries and conflicts ---------------------------------------------------

    def test_a_retry_gives_the_first_answer_whatever_happened_since(self, trail: Trail) -> None:
        session_id = start(trail)
        first = choose(trail, session_id, "a", "1", "k1", expected=1)
        choose(trail, session_id, "b", "2", "k2", expected=2)
        for expected in (1, 2, 3, None, 99):
            again = choose(trail, session_id, "a", "1", "k1", expected=expected)
            assert again.replayed
            assert (again.event, again.answer) == (first.event, first.answer)
        assert trail.head(session_id).seq == 3

    def test_a_retry_is_not_decided_again(self, trail: Trail) -> None:
        session_id = start(trail)
        choose(trail, session_id, "a", "1", "k1")

        def never(head: Head) -> Decision:
            raise AssertionError("decided again")

        written = trail.write(session_id, key="k1", fingerprint="a=1", expected_seq=1, decide=never)
        assert written.replayed

    def test_a_key_is_for_one_request(self, trail: Trail) -> None:
        session_id = start(trail)
        choose(trail, session_id, "a", "1", "k1")
        with pytest.raises(KeyReusedError):
            choose(trail, session_id, "a", "2", "k1", expected=2)
        assert trail.head(session_id).seq == 2

    def test_keys_of_different_sessions_have_nothing_to_do_with_each_other(
        self, trail: Trail
    ) -> None:
        one, two = start(trail), start(trail)
        choose(trail, one, "a", "1", "same")
        assert not choose(trail, two, "a", "2", "same").replayed

    @pytest.mark.parametrize("expected", [0, 1, 3, 10**6])
    def test_another_expectation_is_a_conflict_with_the_present_head(
        self, trail: Trail, expected: int
    ) -> None:
        session_id = a_session(trail, 2)
        with pytest.raises(SequenceConflictError) as conflict:
            choose(trail, session_id, "a", "1", "k9", expected=expected)
        assert conflict.value.head == trail.head(session_id)
        assert conflict.value.head.seq == 2

    def test_somebody_faster_makes_it_decide_again_on_the_new_head(self, trail: Trail) -> None:
        session_id = start(trail)
        seen: list[int] = []

        def decide(head: Head) -> Decision:
            seen.append(head.seq)
            if len(seen) == 1:
                choose(trail, session_id, "faster", "1", "k-faster")
            return choosing("slower", "2")(head)

        written = trail.write(
            session_id, key="k-slower", fingerprint="f", expected_seq=None, decide=decide
        )
        assert seen == [1, 2]
        assert written.event.seq == 3
        assert trail.head(session_id).state == {"choices": [["faster", "1"], ["slower", "2"]]}
        assert trail.verify(session_id).ok

    def test_who_is_outrun_again_and_again_gets_a_turn(self, trail: Trail) -> None:
        session_id = start(trail)
        seen: list[int] = []

        def decide(head: Head) -> Decision:
            seen.append(head.seq)
            if len(seen) <= 3:
                choose(trail, session_id, "faster", str(len(seen)), f"k{len(seen)}")
            return choosing("slower", "2")(head)

        written = trail.write(
            session_id, key="k-slower", fingerprint="f", expected_seq=None, decide=decide
        )
        assert seen == [1, 2, 3, 4]
        assert not written.replayed
        assert written.event.seq == 5
        assert trail.verify(session_id).ok

    def test_somebody_faster_is_a_conflict_where_an_event_was_expected(self, trail: Trail) -> None:
        session_id = start(trail)

        def decide(head: Head) -> Decision:
            choose(trail, session_id, "faster", "1", "k-faster")
            return choosing("slower", "2")(head)

        with pytest.raises(SequenceConflictError) as conflict:
            trail.write(session_id, key="k", fingerprint="f", expected_seq=1, decide=decide)
        assert conflict.value.head.seq == 2
        assert len(trail.events(session_id)) == 2

    def test_the_same_request_at_the_same_time_is_one_event(self, trail: Trail) -> None:
        session_id = start(trail)

        def decide(head: Head) -> Decision:
            if head.seq == 1:
                choose(trail, session_id, "a", "1", "same")
            return choosing("a", "1")(head)

        written = trail.write(
            session_id, key="same", fingerprint="a=1", expected_seq=1, decide=decide
        )
        assert written.replayed
        assert trail.head(session_id).seq == 2

    # --- many at once ------------------------------------------------------------

    def test_one_of_many_wins_each_event(self, trail: Trail) -> None:
        session_id = start(trail)
        tabs, rounds = 6, 12
        barrier = threading.Barrier(tabs, timeout=20)
        heads: list[tuple[int, int]] = []

        def tab(name: int) -> list[int]:
            won = []
            for expected in range(1, rounds + 1):
                barrier.wait()
                try:
                    key = f"{name}-{expected}"
                    choose(trail, session_id, f"s{name}", str(expected), key, expected)
                except SequenceConflictError as conflict:
                    heads.append((expected, conflict.head.seq))
                else:
                    won.append(expected)
                barrier.wait()
            return won

        with ThreadPoolExecutor(tabs) as pool:
            won = [each for tab_won in pool.map(tab, range(tabs)) for each in tab_won]
        assert sorted(won) == list(range(1, rounds + 1))
        assert len(heads) == (tabs - 1) * rounds
        assert all(told == expected + 1 for expected, told in heads)
        assert [event.seq for event in trail.events(session_id)] == list(range(1, rounds + 2))
        assert trail.verify(session_id).ok

    def test_nothing_is_lost_where_nobody_expects_an_event(self, trail: Trail) -> None:
        session_id = start(trail)

        def tab(name: int) -> None:
            for number in range(15):
                choose(trail, session_id, f"s{name}-{number}", "x", f"{name}-{number}")

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(tab, range(6)))
        assert [event.seq for event in trail.events(session_id)] == list(range(1, 92))
        assert len(trail.head(session_id).state["choices"]) == 90
        assert trail.verify(session_id).ok

    def test_retries_at_the_same_time_are_one_event(self, trail: Trail) -> None:
        session_id = start(trail)
        barrier = threading.Barrier(6, timeout=20)

        def retry(_: int) -> tuple[str, bool]:
            barrier.wait()
            written = choose(trail, session_id, "a", "1", "same", expected=1)
            return written.event.hash, written.replayed

        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(retry, range(6)))
        assert len({event_hash for event_hash, _ in answers}) == 1
        assert [replayed for _, replayed in answers].count(False) == 1
        assert trail.head(session_id).seq == 2

    def test_sessions_do_not_disturb_each_other(self, trail: Trail) -> None:
        with ThreadPoolExecutor(6) as pool:
            sessions = list(pool.map(lambda _: a_session(trail, 12), range(6)))
        for session_id in sessions:
            assert trail.verify(session_id).events == 12
            assert trail.verify(session_id).ok
        assert sorted(trail.sessions()) == sorted(sessions)

    # --- time, order, refusals ---------------------------------------------------

    def test_order_is_by_sequence_whatever_the_clock_says(self, trail: Trail, clock: Clock) -> None:
        session_id = start(trail)
        jumps = [datetime.timedelta(days=3650), datetime.timedelta(days=-4000)]
        for number in range(6):
            clock.now += jumps[number % 2]
            choose(trail, session_id, "a", str(number), f"k{number}")
        events = trail.events(session_id)
        assert [event.payload.get("answer") for event in events[1:]] == list("012345")
        assert sorted(e.server_time for e in events) != [e.server_time for e in events]
        assert trail.verify(session_id).ok
        assert [step.view for step in trail.replay(session_id)][-1] == trail.head(session_id).view

    def test_time_is_stored_in_utc(self, trail: Trail, clock: Clock) -> None:
        clock.now = NOW.astimezone(datetime.timezone(datetime.timedelta(hours=5, minutes=30)))
        assert trail.events(start(trail))[0].server_time == "2026-11-22T09:30:00.000000Z"

    def test_open_sessions_are_counted_by_release(self, trail: Trail) -> None:
        for _ in range(3):
            start(trail)
        assert trail.open_sessions("bike") == {RELEASE: 3}
        assert trail.open_sessions("boat") == {}

    # --- replay ------------------------------------------------------------------

    def test_a_replay_gives_every_view_as_it_was(self, trail: Trail) -> None:
        session_id = start(trail)
        seen = [trail.head(session_id).view]
        for number in range(10):
            choose(trail, session_id, f"s{number % 3}", str(number), f"k{number}")
            seen.append(trail.head(session_id).view)
        steps = trail.replay(session_id)
        assert [step.event for step in steps] == list(trail.events(session_id))
        assert all(step.matches for step in steps)
        assert [canonical_json(step.view) for step in steps] == [canonical_json(v) for v in seen]

    # --- the database keeps its word ---------------------------------------------

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE event SET kind = 'Other'",
            "UPDATE event SET record = record",
            "DELETE FROM event",
            "DELETE FROM event WHERE seq = 2",
        ],
    )
    def test_events_are_neither_changed_nor_deleted(
        self, trail: Trail, engine: Engine, statement: str
    ) -> None:
        session_id = a_session(trail, 3)
        with pytest.raises(DBAPIError, match="event takes new rows only"), engine.begin() as c:
            c.execute(text(statement))
        assert trail.verify(session_id).ok

    def test_a_head_with_events_cannot_be_deleted(self, trail: Trail, engine: Engine) -> None:
        session_id = a_session(trail, 2)
        with pytest.raises(DBAPIError), engine.begin() as connection:
            connection.execute(text("DELETE FROM session_head"))
        assert trail.head(session_id).seq == 2


class TestTrailOnSqlite(OnSqlite, TrailContract):
    def test_insert_or_replace_is_a_deletion_too(self, trail: Trail, engine: Engine) -> None:
        session_id = a_session(trail, 3)
        with pytest.raises(DBAPIError, match="event takes new rows only"), engine.begin() as c:
            c.execute(text("INSERT OR REPLACE INTO event SELECT * FROM event WHERE seq = 2"))
        assert trail.verify(session_id).ok

    def test_a_full_disk_stores_nothing_by_halves(
        self, trail: Trail, url: str, clock: Clock
    ) -> None:
        session_id = start(trail)
        full = connect(url)
        limit_pages(full, 12)
        cramped = Trail(full, clock)
        acknowledged = 1

        def fill() -> None:
            nonlocal acknowledged
            for number in range(500):
                choose(cramped, session_id, "a", "x" * 500, f"k{number}")
                acknowledged += 1

        with pytest.raises(TrailUnavailableError, match="full"):
            fill()
        assert acknowledged > 1
        assert cramped.head(session_id).seq == acknowledged
        assert cramped.verify(session_id).ok
        full.dispose()
        # The same request with the same key goes through once there is room.
        written = choose(trail, session_id, "a", "x" * 500, f"k{acknowledged - 1}")
        assert not written.replayed
        assert written.event.seq == acknowledged + 1
        assert trail.verify(session_id).ok

    def test_the_owner_alone_may_read_the_file(self, trail: Trail, tmp_path: Path) -> None:
        a_session(trail, 3)
        modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.glob("trail.db*")}
        assert {modes[name] for name in ("trail.db", "trail.db-wal", "trail.db-shm")} == {0o600}

    def test_nothing_is_written_to_a_file_that_is_gone(
        self, trail: Trail, engine: Engine, tmp_path: Path
    ) -> None:
        session_id = a_session(trail, 3)
        away = tmp_path / "away"
        away.mkdir()
        for file in tmp_path.glob("trail.db*"):
            file.rename(away / file.name)
        for _ in range(2):
            with pytest.raises(TrailUnavailableError, match="gone"):
                choose(trail, session_id, "a", "1", "lost")
            with pytest.raises(TrailUnavailableError, match="gone"):
                trail.head(session_id)
        for file in away.iterdir():
            file.rename(tmp_path / file.name)
        assert not choose(trail, session_id, "a", "1", "lost").replayed
        assert trail.verify(session_id).ok

    def test_what_is_written_goes_to_the_file_that_took_its_place(
        self, trail: Trail, url: str, engine: Engine, tmp_path: Path, clock: Clock
    ) -> None:
        session_id = a_session(trail, 3)
        engine.dispose()  # so that all of it is in the file
        restored = tmp_path / "backup.db"
        shutil.copy(tmp_path / "trail.db", restored)
        choose(trail, session_id, "a", "1", "after the backup")
        for log in ("trail.db-wal", "trail.db-shm"):
            (tmp_path / log).unlink()
        restored.replace(tmp_path / "trail.db")
        written = choose(trail, session_id, "a", "2", "after the restoring")
        other = connect(url)
        assert Trail(other, clock).head(session_id).hash == written.event.hash
        assert written.event.seq == 4
        other.dispose()

    def test_a_writer_that_fails_lets_the_next_one_in(self, trail: Trail) -> None:
        session_id = start(trail)
        for number in range(40):

            def fail(head: Head) -> Decision:
                raise RuntimeError("in the middle")

            with pytest.raises(RuntimeError):
                trail.write(session_id, key="k", fingerprint="f", expected_seq=None, decide=fail)
            choose(trail, session_id, "a", str(number), f"k{number}")
        assert trail.head(session_id).seq == 41

    def test_every_connection_keeps_what_it_must(self, engine: Engine) -> None:
        with engine.connect() as connection:
            for name, wanted in [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)]:
                assert connection.execute(text(f"PRAGMA {name}")).scalar() == wanted

    @pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://root@127.0.0.1/x"])
    def test_what_cannot_keep_a_trail_is_refused(self, url: str) -> None:
        with pytest.raises(ValueError, match=r"file|not supported"):
            connect(url)

    def test_a_file_that_is_no_database_is_unavailable(self, tmp_path: Any, clock: Clock) -> None:
        file = tmp_path / "notes.db"
        file.write_bytes(b"certainly not a database" * 100)
        with pytest.raises(TrailUnavailableError):
            Trail(connect(f"sqlite:///{file}"), clock).head("x")


class TestTrailOnPostgresql(OnPostgresql, TrailContract):
    def test_events_are_not_truncated(self, trail: Trail, engine: Engine) -> None:
        session_id = a_session(trail, 3)
        with pytest.raises(DBAPIError, match="event takes new rows only"), engine.begin() as c:
            c.execute(text("TRUNCATE event"))
        assert trail.verify(session_id).ok

    def test_broken_connections_are_unavailable_and_then_replaced(
        self, trail: Trail, engine: Engine
    ) -> None:
        session_id = start(trail)
        with engine.connect() as witness:
            witness.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
            witness.commit()
            acknowledged = 0
            refused = 0
            for number in range(20):
                try:
                    choose(trail, session_id, "a", str(number), f"k{number}")
                except TrailUnavailableError:
                    refused += 1
                    choose(trail, session_id, "a", str(number), f"k{number}")
                acknowledged += 1
        assert refused <= 2
        assert trail.head(session_id).seq == acknowledged + 1
        assert trail.verify(session_id).ok


def test_a_server_that_is_not_there_is_unavailable(clock: Callable[[], Any]) -> None:
    engine = connect("postgresql+psycopg://postgres@127.0.0.1:1/test")
    with pytest.raises(TrailUnavailableError):
        Trail(engine, clock).head("x")


def test_the_server_that_took_over_is_found(postgresql_url: str, clock: Callable[[], Any]) -> None:
    """With two addresses, the one that can be written to is used, whichever that is."""
    address = make_url(postgresql_url)
    hosts = ("127.0.0.1:1", f"{address.host or 'localhost'}:{address.port or 5432}")
    query = {"host": hosts, "target_session_attrs": "read-write"}
    several = address._replace(host=None, port=None).update_query_dict(query)
    engine = connect(several.render_as_string(hide_password=False))
    trail = Trail(engine, clock)
    session_id = start(trail)
    choose(trail, session_id, "a", "1", "k1")
    assert trail.verify(session_id).ok
    engine.dispose()

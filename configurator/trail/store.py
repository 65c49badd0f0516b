"""The trail: append an event and move the head, or do neither.

An act is decided on the head as it was read, before any lock; the transaction then moves
the head only from that very event on. If somebody was faster, it is decided again; after
a few times with the head locked. The order is always: same key, same answer; then the expected
event; then the decision. Knows nothing of what events mean.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import orjson
import uuid_utils
from sqlalchemy import Connection, Engine, Row, Select, exc

from configurator.trail.canonical import (
    Encoder,
    apply_change,
    canonical_json,
    encode_checked,
)
from configurator.trail.database import autocommit, driving, snapshot, storable, writing
from configurator.trail.errors import (
    CodeTakenError,
    DamagedSessionError,
    KeyReusedError,
    NotCanonicalError,
    SequenceConflictError,
    UnknownSessionError,
    UnreadableEventError,
)
from configurator.trail.heads import Heads
from configurator.trail.records import (
    Decision,
    Event,
    EventDraft,
    Head,
    StoredEvent,
    StoredHead,
    Written,
    event_of,
    hash_of,
    recorded,
)
from configurator.trail.tables import (
    ADD_EVENT,
    ADD_EVENT_PREPARED,
    ADD_HEAD,
    ALL_SESSIONS,
    EVENT_COLUMNS,
    EVENTS,
    EVENTS_AFTER,
    HEAD_AND_KEY,
    HEAD_COLUMNS,
    ID_OF_CODE,
    LOCK_HEAD,
    MARK,
    MARK_AND_KEY,
    MEND_HEAD,
    MOVE_AND_ADD,
    MOVE_HEAD,
    MOVE_HEAD_PREPARED,
    MOVE_STEADY_PREPARED,
    MOVING_COLUMNS,
    ONE_EVENT,
    ONE_HEAD,
    OPEN_SESSIONS,
    OPENING_COLUMNS,
    RECORDS_BETWEEN,
    STEADY_COLUMNS,
)
from configurator.trail.verify import (
    ReplayStep,
    Verification,
    head_of,
    replay_rows,
    shown_by,
    verify_rows,
)

Json = dict[str, Any]

Clock = Callable[[], datetime.datetime]
"""The present moment, with its time zone."""


_LARGEST_SEQ = 2**31 - 1
"""What the column of every database holds; requests may ask for any number."""

_UNLOCKED_TRIES = 3
"""How often an act is decided without a lock before it is decided under one."""


@dataclass(frozen=True, slots=True)
class _Step:
    """An event ready to be stored, and the head after it, both with their bytes.
    ``shown`` are those of the view."""

    event: Event
    record: bytes
    head: Head
    state: bytes
    shown: bytes


class Trail:
    """Trails of all sessions in one database; safe to use from several threads."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        """``clock`` gives the present moment with its time zone."""
        self._engine = engine
        self._clock = clock
        self._heads = Heads()
        self._encoder = Encoder()

    def start(self, draft: EventDraft, head: Head) -> Event:
        """Open a session with its first event.

        A repeated start (same session id, key and fingerprint) gives the first event
        again. Raises ``CodeTakenError``, ``KeyReusedError``, ``TrailUnavailableError``.
        """
        decision = Decision(
            kind=draft.kind,
            version=draft.version,
            payload=draft.payload,
            change=draft.change,
            view=draft.view,
            state=head.state,
            status=head.status,
            answer=draft.answer,
            engine_version=draft.engine_version,
            actor=draft.actor,
            on_behalf_of=draft.on_behalf_of,
        )
        before = replace(head, release=draft.release, locale=draft.locale, view={})
        opening = {name: getattr(head, name) for name in OPENING_COLUMNS}
        step = self._step(before, decision, draft.key, draft.fingerprint, opening)
        row = {name: getattr(step.head, name) for name in HEAD_COLUMNS}
        row |= {"state": step.state, "created": step.event.server_time}
        try:
            with writing(self._engine) as connection:
                connection.execute(ADD_HEAD, row)
                connection.execute(ADD_EVENT, _event_row(step))
        except exc.IntegrityError as taken:
            try:
                _, earlier = self._find(head.session_id, draft.key)
            except UnknownSessionError:
                raise CodeTakenError(head.code) from taken
            if earlier is None or earlier.fingerprint != draft.fingerprint:
                raise KeyReusedError from taken
            return earlier
        self._heads.keep(replace(step.head, created=step.event.server_time), len(step.shown))
        return step.event

    def write(
        self,
        session_id: str,
        *,
        key: str,
        fingerprint: str,
        expected_seq: int | None,
        decide: Callable[[Head], Decision],
        token_hash: str | None = None,
    ) -> Written:
        """Append one event to a session.

        A repeated ``key`` with the same ``fingerprint`` gives the first answer again,
        whatever happened since. ``decide`` sees the head and says what happens, or
        raises to have nothing stored; it may be called again, with a newer head, so it
        must not act on the world, nor write to this database. ``token_hash``, where
        given, has to be the session's: to anybody else it is unknown.

        Raises ``UnknownSessionError``, ``DamagedSessionError``, ``KeyReusedError`` (same
        key, other fingerprint), ``SequenceConflictError`` (the session is not at
        ``expected_seq``), ``NotCanonicalError``, ``TrailUnavailableError``.
        """
        if not storable(key):
            raise NotCanonicalError("the key")
        met = self._heads.get(session_id)
        if met is not None and _owns(token_hash, met) and expected_seq in (None, met.seq):
            written = self._written_unasked(met, key, fingerprint, decide)
            if written is not None:
                return written
        for _ in range(_UNLOCKED_TRIES):
            head, earlier = self._find(session_id, key)
            if not _owns(token_hash, head):
                raise UnknownSessionError(session_id)
            if earlier is not None:
                return _same_answer(earlier, fingerprint)
            step = self._decided(head, key, fingerprint, expected_seq, decide)
            if self._store(head, step):
                return _written(step)
        # Somebody was faster each time. In here nobody is: the head stays locked.
        with writing(self._engine) as connection:
            connection.execute(LOCK_HEAD, {"session_id": session_id})
            head, earlier = self._found(connection, session_id, key)
            if earlier is not None:
                return _same_answer(earlier, fingerprint)
            step = self._decided(head, key, fingerprint, expected_seq, decide)
            connection.execute(MOVE_HEAD, _head_row(head, step))
            connection.execute(ADD_EVENT, _event_row(step))
        return _written(step)

    def _written_unasked(
        self, met: Head, key: str, fingerprint: str, decide: Callable[[Head], Decision]
    ) -> Written | None:
        """Append to a head that was met before, without asking first whether it still
        stands and the key is new: the database refuses it where not. ``None`` where
        nothing was written: then ask."""
        try:
            step = self._decided(met, key, fingerprint, None, decide)
        except Exception:  # it may be of a head long gone that it is refused
            return None
        try:
            stored = self._store(met, step)
        except exc.IntegrityError:  # the key is taken
            return None
        return _written(step) if stored else None

    def head(self, session_id: str) -> Head:
        """How a session stands; raises ``UnknownSessionError`` and, where its last event
        does not bear that out, ``DamagedSessionError``. Its state and view are shared: do
        not change them."""
        if not storable(session_id):
            raise UnknownSessionError
        known, parameters = self._heads.get(session_id), {"session_id": session_id}
        with autocommit(self._engine) as connection:
            if known is not None:
                row = connection.execute(MARK, parameters).one_or_none()
                if row is not None and _is_still(known, row):
                    return known
            row = connection.execute(ONE_HEAD, parameters).one_or_none()
            if row is None:
                raise UnknownSessionError(session_id)
            return self._head_of(connection, row)

    def id_of(self, code: str) -> str:
        """The id of the session of a code, whatever became of it; ``code`` as
        ``code.normalise`` gives it. Raises ``UnknownSessionError``."""
        return str(self._only(ID_OF_CODE, "code", code).session_id)

    def token_hash(self, session_id: str) -> str:
        """The hash of the secret that opens a session, whatever became of it; raises
        ``UnknownSessionError``."""
        return str(self._only(MARK, "session_id", session_id).token_hash)

    def events(self, session_id: str) -> tuple[Event, ...]:
        """The events of a session in order; raises ``UnknownSessionError``,
        ``UnreadableEventError``. They are read, not verified: see ``verify``."""
        _, rows = self.stored(session_id)
        return tuple(event_of(row.record, row.hash) for row in rows)

    def event(self, session_id: str, seq: int) -> Event | None:
        """Event ``seq`` of a session, ``None`` where there is none; raises
        ``UnknownSessionError``, and ``UnreadableEventError`` where it is not what its hash
        was made of."""
        if storable(session_id) and 0 < seq <= _LARGEST_SEQ:
            with autocommit(self._engine) as connection:
                parameters = {"session_id": session_id, "seq": seq}
                row = connection.execute(ONE_EVENT, parameters).one_or_none()
            if row is not None:
                return _believed(row.record, row.hash)
        self.stored(session_id)  # raises where there is no such session
        return None

    def page(self, session_id: str, after: int, most: int) -> tuple[Event, ...]:
        """Up to ``most`` events of a session after event ``after``, in order; raises as
        ``events`` does. They are read, not verified: see ``verify``."""
        if storable(session_id):
            parameters = {"session_id": session_id, "after": min(after, _LARGEST_SEQ), "most": most}
            with autocommit(self._engine) as connection:
                rows = connection.execute(EVENTS_AFTER, parameters).all()
            if rows:
                return tuple(event_of(row.record, row.hash) for row in rows)
        self._only(MARK, "session_id", session_id)  # raises where there is no such session
        return ()

    def verify(self, session_id: str) -> Verification:
        """Whether the trail is what was written, and where not; raises
        ``UnknownSessionError``."""
        return verify_rows(*self.stored(session_id))

    def replay(self, session_id: str) -> tuple[ReplayStep, ...]:
        """Every event with the view the customer saw after it; raises
        ``UnknownSessionError``. Ends before an event that cannot be read."""
        return replay_rows(self.stored(session_id)[1])

    def told(self, session_id: str) -> tuple[Verification, tuple[ReplayStep, ...]]:
        """``verify`` and ``replay`` of one moment."""
        head, rows = self.stored(session_id)
        steps = replay_rows(rows)
        return verify_rows(head, rows, steps), steps

    def mend(self, session_id: str, state: Json, last_hash: str | None = None) -> tuple[str, ...]:
        """Make a damaged head anew from its events, and give the columns that were others.

        ``state`` is the session's after the last event, whose digest it has to have;
        ``last_hash`` is the hash of that event, where the head's own is not to be believed:
        a receipt or a backup has it. Raises ``UnknownSessionError``, ``TrailUnavailableError``,
        ``CodeTakenError`` where another session has its code now, and ``DamagedSessionError``
        where the head is missing or the events are not whole.
        """
        with writing(self._engine) as connection:
            connection.execute(LOCK_HEAD, {"session_id": session_id})
            head, rows = self._stored(connection, session_id)
            if head is None:
                raise DamagedSessionError("its head is missing", session_id)
            columns = head_of(rows, last_hash or head.hash)
            columns["state"] = canonical_json(state)
            last = event_of(rows[-1].record, rows[-1].hash)
            if hashlib.sha256(columns["state"]).hexdigest() != last.state_digest:
                raise DamagedSessionError("its steps lead to another state", session_id)
            others = [name for name, value in columns.items() if getattr(head, name) != value]
            row = {"of_session": session_id, **columns}
            try:
                connection.execute(MEND_HEAD, row)
            except exc.IntegrityError as taken:
                raise CodeTakenError(columns["code"]) from taken
        return tuple(others)

    def sessions(self) -> tuple[str, ...]:
        """The ids of all sessions, oldest first."""
        with autocommit(self._engine) as connection:
            return tuple(connection.execute(ALL_SESSIONS).scalars())

    def open_sessions(self, product_id: str) -> dict[str, int]:
        """How many open sessions a product has on each release, by its digest."""
        with autocommit(self._engine) as connection:
            counted = connection.execute(OPEN_SESSIONS, {"product_id": product_id})
            return {row.release: row.sessions for row in counted}

    def stored(self, session_id: str) -> tuple[StoredHead | None, tuple[StoredEvent, ...]]:
        """The stored head and events of one moment, unverified; raises
        ``UnknownSessionError`` where there is nothing at all."""
        with snapshot(self._engine) as connection:
            return self._stored(connection, session_id)

    def _stored(
        self, connection: Connection, session_id: str
    ) -> tuple[StoredHead | None, tuple[StoredEvent, ...]]:
        if not storable(session_id):
            raise UnknownSessionError
        parameters = {"session_id": session_id}
        head: Any = connection.execute(ONE_HEAD, parameters).one_or_none()
        rows: Any = connection.execute(EVENTS, parameters).all()
        if head is None and not rows:
            raise UnknownSessionError(session_id)
        return head, tuple(rows)

    def _only(self, query: Select[Any], column: str, value: str) -> Row[Any]:
        """The row of the session that ``value`` names; raises ``UnknownSessionError``."""
        if not storable(value):
            raise UnknownSessionError
        with autocommit(self._engine) as connection:
            row = connection.execute(query, {column: value}).one_or_none()
        if row is None:
            raise UnknownSessionError(value)
        return row

    def _find(self, session_id: str, key: str) -> tuple[Head, Event | None]:
        if not storable(session_id):
            raise UnknownSessionError
        known = self._heads.get(session_id)
        with autocommit(self._engine) as connection:
            if known is not None:
                parameters = {"session_id": session_id, "key": key}
                row = connection.execute(MARK_AND_KEY, parameters).one_or_none()
                if row is not None and _is_still(known, row):
                    return known, _earlier(row)
            return self._found(connection, session_id, key)

    def _found(
        self, connection: Connection, session_id: str, key: str
    ) -> tuple[Head, Event | None]:
        """The head, and the event of ``key`` where there is one already."""
        parameters = {"session_id": session_id, "key": key}
        row = connection.execute(HEAD_AND_KEY, parameters).one_or_none()
        if row is None:
            raise UnknownSessionError(session_id)
        return self._head_of(connection, row), _earlier(row)

    def _head_of(self, connection: Connection, row: Any) -> Head:
        """The head of a row; raises ``DamagedSessionError``. Its view follows from the one
        this process has met last and the events since, else from all events."""
        known = self._heads.get(row.session_id)
        if known is not None:
            with suppress(DamagedSessionError):  # or the database is one of before what was met
                return self._folded(connection, row, known.seq, known.view)
        return self._folded(connection, row, 0, {})

    def _folded(self, connection: Connection, row: Any, after: int, before: Json) -> Head:
        """The head of a row, its view from the one ``before`` the events since ``after``."""
        parameters = {"session_id": row.session_id, "after": after, "until": row.seq}
        records = connection.execute(RECORDS_BETWEEN, parameters).scalars().all()
        view = shown_by(row, records, before)
        columns = {name: getattr(row, name) for name in HEAD_COLUMNS}
        head = Head(**columns | {"state": orjson.loads(row.state), "view": orjson.loads(view)})
        self._heads.keep(head, len(view))
        return head

    def _store(self, before: Head, step: _Step) -> bool:
        """Move the head on from ``before`` and append; false, and nothing, where it has
        moved already."""
        head_row = _head_row(before, step)
        event_row = _event_row(step)
        with driving(self._engine) as connection:
            if self._engine.dialect.name == "postgresql":
                row = head_row | {f"add_{name}": value for name, value in event_row.items()}
                moved = MOVE_AND_ADD.run(self._engine, connection, row) == 1
            else:
                steady = all(
                    getattr(before, name) == getattr(step.head, name) for name in STEADY_COLUMNS
                )
                move = MOVE_STEADY_PREPARED if steady else MOVE_HEAD_PREPARED
                moved = move.run(self._engine, connection, head_row) == 1
                if moved:
                    ADD_EVENT_PREPARED.run(self._engine, connection, event_row)
        if moved:
            self._heads.keep(step.head, len(step.shown))
        return moved

    def _decided(
        self,
        head: Head,
        key: str,
        fingerprint: str,
        expected_seq: int | None,
        decide: Callable[[Head], Decision],
    ) -> _Step:
        if expected_seq is not None and expected_seq != head.seq:
            raise SequenceConflictError(head)
        return self._step(head, decide(head), key, fingerprint)

    def _step(
        self,
        head: Head,
        decision: Decision,
        key: str,
        fingerprint: str,
        opening: dict[str, Any] | None = None,
    ) -> _Step:
        """The event that ``decision`` makes after ``head``, and the head after it."""
        change = decision.change or {}
        view = decision.view
        view_bytes = self._encoder.encode(view, head.view)
        if apply_change(head.view, change) != view:
            raise ValueError("the change does not lead to the view that was decided")
        state_bytes = encode_checked(decision.state)
        moment = self._clock().astimezone(datetime.UTC).isoformat(timespec="microseconds")
        content: dict[str, Any] = {
            "event_id": str(uuid_utils.uuid7()),
            "session_id": head.session_id,
            "seq": head.seq + 1,
            "kind": decision.kind,
            "version": decision.version,
            "key": key,
            "fingerprint": fingerprint,
            "actor": decision.actor,
            "on_behalf_of": decision.on_behalf_of,
            "server_time": moment.replace("+00:00", "Z"),
            "release": decision.release or head.release,
            "engine_version": decision.engine_version,
            "locale": decision.locale or head.locale,
            "payload": decision.payload,
            "change": decision.change,
            "view_digest": hashlib.sha256(view_bytes).hexdigest(),
            "previous_hash": head.hash,
            "day": decision.day or head.day,
            "status": decision.status,
            "state_digest": hashlib.sha256(state_bytes).hexdigest(),
            "answer": decision.answer,
            "opening": opening,
        }
        event, record = recorded(content)
        after = Head(
            session_id=head.session_id,
            code=head.code,
            product_id=head.product_id,
            release=event.release,
            day=event.day,
            locale=event.locale,
            status=event.status,
            state=decision.state,
            view=view,
            token_hash=head.token_hash,
            seq=event.seq,
            hash=event.hash,
            created=head.created,
            updated=event.server_time,
        )
        return _Step(event, record, after, state_bytes, view_bytes)


def _earlier(row: Row[Any]) -> Event | None:
    return None if row.record is None else _believed(row.record, row.event_hash)


def _believed(record: bytes, its_hash: str) -> Event:
    """An event that is acted on; raises ``UnreadableEventError`` where its record and its
    hash do not fit. Whether it fits the others is for ``verify`` to say."""
    event = event_of(record, its_hash)
    if hash_of(record) != its_hash:
        raise UnreadableEventError(f"event {event.seq} is not what its hash was made of")
    return event


def _owns(token_hash: str | None, head: Head) -> bool:
    """Whether a session is the one that a token opens, where one is asked for."""
    return token_hash is None or hmac.compare_digest(token_hash, head.token_hash)


def _is_still(known: Head, row: Any) -> bool:
    """Whether a session stands where it was last met."""
    now = (row.seq, row.hash, row.token_hash)
    return now == (known.seq, known.hash, known.token_hash)


def _written(step: _Step) -> Written:
    return Written(step.event, step.event.answer, view=step.shown)


def _same_answer(earlier: Event, fingerprint: str) -> Written:
    if earlier.fingerprint != fingerprint:
        raise KeyReusedError(earlier.key)
    return Written(earlier, earlier.answer, replayed=True)


def _head_row(before: Head, step: _Step) -> dict[str, Any]:
    row = {f"new_{name}": getattr(step.head, name) for name in MOVING_COLUMNS}
    row["new_state"] = step.state
    of = {"of_session": before.session_id, "from_seq": before.seq}
    return row | of | {"from_hash": before.hash, "from_token_hash": before.token_hash}


def _event_row(step: _Step) -> dict[str, Any]:
    row = {name: getattr(step.event, name) for name in EVENT_COLUMNS[:-1]}
    return row | {"record": step.record}

"""The trail: append an event and move the head, or do neither.

An act is decided on the head as it was read, before any lock; the transaction then moves
the head only from that very event on. If somebody was faster, it is decided again, this
time with the head locked. The order is always: same key, same answer; then the expected
event; then the decision. Knows nothing of what events mean.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import uuid_utils
from sqlalchemy import Connection, Engine, Row, bindparam, exc, select

from configurator.trail.canonical import apply_change, canonical_json, encode_checked
from configurator.trail.database import reading, writing
from configurator.trail.errors import (
    CodeTakenError,
    KeyReusedError,
    SequenceConflictError,
    UnknownSessionError,
)
from configurator.trail.records import (
    Decision,
    Event,
    EventDraft,
    Head,
    Written,
    event_of,
    hash_of,
    record_of,
)
from configurator.trail.tables import event as event_table
from configurator.trail.tables import session_head

Clock = Callable[[], datetime.datetime]
"""The present moment, with its time zone."""

_HEAD = tuple(column.name for column in session_head.columns)
_ONE_HEAD = select(session_head).where(session_head.c.session_id == bindparam("session_id"))
_HEAD_BY_CODE = select(session_head).where(session_head.c.code == bindparam("code"))
_HEAD_AND_KEY = (
    select(session_head, event_table.c.record, event_table.c.hash.label("event_hash"))
    .select_from(
        session_head.outerjoin(
            event_table,
            (event_table.c.session_id == session_head.c.session_id)
            & (event_table.c.key == bindparam("key")),
        )
    )
    .where(session_head.c.session_id == bindparam("session_id"))
)
_LOCK_HEAD = (
    select(session_head.c.seq)
    .where(session_head.c.session_id == bindparam("session_id"))
    .with_for_update()
)
_EVENTS = (
    select(event_table)
    .where(event_table.c.session_id == bindparam("session_id"))
    .where(event_table.c.seq <= bindparam("last"))
    .order_by(event_table.c.seq)
)
_MOVE_HEAD = (
    session_head.update()
    .where(session_head.c.session_id == bindparam("of_session"))
    .where(session_head.c.seq == bindparam("from_seq"))
    .values(
        {
            name: bindparam(f"new_{name}")
            for name in ("release", "day", "locale", "status", "seq", "hash", "state", "view")
            + ("updated",)
        }
    )
)
_ADD_HEAD = session_head.insert()
_ADD_EVENT = event_table.insert()
_EVERYTHING = 2**31 - 1


@dataclass(frozen=True, slots=True)
class _Step:
    """An event ready to be stored, and the head after it, both with their bytes."""

    event: Event
    record: bytes
    head: Head
    state: bytes
    view: bytes


class Trail:
    """Trails of all sessions in one database; safe to use from several threads."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        """``clock`` gives the present moment with its time zone."""
        self._engine = engine
        self._clock = clock

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
        opening = {"code": head.code, "product_id": head.product_id}
        step = self._step(before, decision, draft.key, draft.fingerprint, opening)
        row = {name: getattr(step.head, name) for name in _HEAD}
        row |= {"state": step.state, "view": step.view, "created": step.event.server_time}
        try:
            with writing(self._engine) as connection:
                connection.execute(_ADD_HEAD, row)
                connection.execute(_ADD_EVENT, _event_row(step))
        except exc.IntegrityError as taken:
            try:
                _, earlier = self._find(head.session_id, draft.key)
            except UnknownSessionError:
                raise CodeTakenError(head.code) from taken
            if earlier is None or earlier.fingerprint != draft.fingerprint:
                raise KeyReusedError from taken
            return earlier
        return step.event

    def write(
        self,
        session_id: str,
        *,
        key: str,
        fingerprint: str,
        expected_seq: int | None,
        decide: Callable[[Head], Decision],
    ) -> Written:
        """Append one event to a session.

        A repeated ``key`` with the same ``fingerprint`` gives the first answer again,
        whatever happened since. ``decide`` sees the head and says what happens, or
        raises to have nothing stored; it may be called a second time, with a newer
        head, so it must not act on the world.

        Raises ``UnknownSessionError``, ``KeyReusedError`` (same key, other
        fingerprint), ``SequenceConflictError`` (the session is not at
        ``expected_seq``), ``NotCanonicalError``, ``TrailUnavailableError``.
        """
        head, earlier = self._find(session_id, key)
        if earlier is not None:
            return _same_answer(earlier, fingerprint)
        step = self._decided(head, key, fingerprint, expected_seq, decide)
        with writing(self._engine) as connection:
            if not _store(connection, head, step):
                # Somebody was faster. From here on nobody is: the head stays locked.
                connection.execute(_LOCK_HEAD, {"session_id": session_id})
                head, earlier = _found(connection, session_id, key)
                if earlier is not None:
                    return _same_answer(earlier, fingerprint)
                step = self._decided(head, key, fingerprint, expected_seq, decide)
                _store(connection, head, step)
        return Written(step.event, step.event.answer)

    def head(self, session_id: str) -> Head:
        """How a session stands; raises ``UnknownSessionError``."""
        with reading(self._engine) as connection:
            row = connection.execute(_ONE_HEAD, {"session_id": session_id}).one_or_none()
        if row is None:
            raise UnknownSessionError(session_id)
        return _head_of(row)

    def head_by_code(self, code: str) -> Head:
        """How the session of a code stands; ``code`` as ``code.normalise`` gives it.
        Raises ``UnknownSessionError``."""
        with reading(self._engine) as connection:
            row = connection.execute(_HEAD_BY_CODE, {"code": code}).one_or_none()
        if row is None:
            raise UnknownSessionError(code)
        return _head_of(row)

    def events(self, session_id: str) -> tuple[Event, ...]:
        """The events of a session in order; raises ``UnknownSessionError``,
        ``UnreadableEventError``. They are read, not verified: see ``verify``."""
        rows = self.rows(session_id)
        if not rows:
            raise UnknownSessionError(session_id)
        return tuple(event_of(row.record, row.hash) for row in rows)

    def rows(self, session_id: str, last: int = _EVERYTHING) -> tuple[Row[Any], ...]:
        """The stored rows of a session up to event ``last``, as they are."""
        with reading(self._engine) as connection:
            parameters = {"session_id": session_id, "last": last}
            return tuple(connection.execute(_EVENTS, parameters).all())

    def _find(self, session_id: str, key: str) -> tuple[Head, Event | None]:
        with reading(self._engine) as connection:
            return _found(connection, session_id, key)

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
        view = apply_change(head.view, change)
        if view != decision.view:
            raise ValueError("the change does not lead to the view that was decided")
        state_bytes = canonical_json(decision.state)
        canonical_json(change)
        view_bytes = encode_checked(view)
        moment = self._clock().astimezone(datetime.UTC).isoformat(timespec="microseconds")
        event = Event(
            event_id=str(uuid_utils.uuid7()),
            session_id=head.session_id,
            seq=head.seq + 1,
            kind=decision.kind,
            version=decision.version,
            key=key,
            fingerprint=fingerprint,
            actor=decision.actor,
            on_behalf_of=decision.on_behalf_of,
            server_time=moment.replace("+00:00", "Z"),
            release=decision.release or head.release,
            engine_version=decision.engine_version,
            locale=decision.locale or head.locale,
            payload=decision.payload,
            change=decision.change,
            view_digest=hashlib.sha256(view_bytes).hexdigest(),
            previous_hash=head.hash,
            day=decision.day or head.day,
            status=decision.status,
            state_digest=hashlib.sha256(state_bytes).hexdigest(),
            answer=decision.answer,
            opening=opening,
        )
        record = record_of(event)
        event = replace(event, hash=hash_of(record))
        after = replace(
            head,
            release=event.release,
            day=event.day,
            locale=event.locale,
            status=event.status,
            state=decision.state,
            view=view,
            seq=event.seq,
            hash=event.hash,
            updated=event.server_time,
        )
        return _Step(event, record, after, state_bytes, view_bytes)


def _found(connection: Connection, session_id: str, key: str) -> tuple[Head, Event | None]:
    """The head, and the event of ``key`` where there is one already."""
    parameters = {"session_id": session_id, "key": key}
    row = connection.execute(_HEAD_AND_KEY, parameters).one_or_none()
    if row is None:
        raise UnknownSessionError(session_id)
    earlier = None if row.record is None else event_of(row.record, row.event_hash)
    return _head_of(row), earlier


def _head_of(row: Row[Any]) -> Head:
    columns = {name: getattr(row, name) for name in _HEAD}
    columns |= {"state": json.loads(row.state), "view": json.loads(row.view)}
    return Head(**columns)


def _same_answer(earlier: Event, fingerprint: str) -> Written:
    if earlier.fingerprint != fingerprint:
        raise KeyReusedError(earlier.key)
    return Written(earlier, earlier.answer, replayed=True)


def _store(connection: Connection, before: Head, step: _Step) -> bool:
    """Move the head on from ``before`` and append; false, and nothing, where it moved
    already."""
    after = step.head
    moved = connection.execute(
        _MOVE_HEAD,
        {
            "of_session": before.session_id,
            "from_seq": before.seq,
            "new_release": after.release,
            "new_day": after.day,
            "new_locale": after.locale,
            "new_status": after.status,
            "new_seq": after.seq,
            "new_hash": after.hash,
            "new_state": step.state,
            "new_view": step.view,
            "new_updated": after.updated,
        },
    )
    if moved.rowcount != 1:
        return False
    connection.execute(_ADD_EVENT, _event_row(step))
    return True


def _event_row(step: _Step) -> dict[str, Any]:
    event = step.event
    return {
        "session_id": event.session_id,
        "seq": event.seq,
        "key": event.key,
        "kind": event.kind,
        "server_time": event.server_time,
        "hash": event.hash,
        "record": step.record,
    }

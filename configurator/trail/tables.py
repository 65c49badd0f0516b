"""The two tables of the trail, events and heads, and the statements on them.

``event.record`` holds the hashed bytes; the other columns repeat parts of it so that the
database can keep them unique and find them, and are compared with it when verifying.
What the customer sees at a head follows from the changes its events hold.
Triggers (see the migrations) refuse to change or delete events.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Select,
    Table,
    Text,
    Update,
    bindparam,
    func,
    select,
)

from configurator.trail.database import Prepared, metadata

session_head = Table(
    "session_head",
    metadata,
    Column("session_id", Text, primary_key=True),
    Column("code", Text, nullable=False, unique=True),
    Column("product_id", Text, nullable=False),
    Column("release", Text, nullable=False),
    Column("day", Text, nullable=False),
    Column("locale", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("hash", Text, nullable=False),
    Column("state", LargeBinary, nullable=False),
    Column("token_hash", Text, nullable=False),
    Column("created", Text, nullable=False),
    Column("updated", Text, nullable=False),
    Index("session_head_created", "created"),
    Index("session_head_release", "product_id", "status", "release"),
)

event = Table(
    "event",
    metadata,
    Column("session_id", Text, ForeignKey("session_head.session_id"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("key", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("server_time", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("record", LargeBinary, nullable=False),
    Index("event_key", "session_id", "key", unique=True),
)

HEAD_COLUMNS = tuple(column.name for column in session_head.columns)
OPENING_COLUMNS = ("code", "product_id", "token_hash")
"""What the first event says of its head for good."""
STEADY_COLUMNS = ("release", "day", "locale", "status")
"""What an event may change of a head, and mostly does not."""
MOVING_COLUMNS = (*STEADY_COLUMNS, "seq", "hash", "state", "updated")
EVENT_COLUMNS = tuple(column.name for column in event.columns)
ONE_HEAD = select(session_head).where(session_head.c.session_id == bindparam("session_id"))
ID_OF_CODE = select(session_head.c.session_id).where(session_head.c.code == bindparam("code"))
_mark = (session_head.c.seq, session_head.c.hash, session_head.c.token_hash)
MARK = select(*_mark).where(session_head.c.session_id == bindparam("session_id"))
"""Enough of a head to see whether it has moved."""


def _and_key(columns: Iterable[ColumnElement[Any]]) -> Select[Any]:
    of_key = (event.c.session_id == session_head.c.session_id) & (event.c.key == bindparam("key"))
    return (
        select(*columns, event.c.record, event.c.hash.label("event_hash"))
        .select_from(session_head.outerjoin(event, of_key))
        .where(session_head.c.session_id == bindparam("session_id"))
    )


HEAD_AND_KEY = _and_key(session_head.c)
MARK_AND_KEY = _and_key(_mark)
LOCK_HEAD = (
    select(session_head.c.seq)
    .where(session_head.c.session_id == bindparam("session_id"))
    .with_for_update()
)
EVENTS = select(event).where(event.c.session_id == bindparam("session_id")).order_by(event.c.seq)
EVENTS_AFTER = EVENTS.where(event.c.seq > bindparam("after")).limit(bindparam("most"))
ONE_EVENT = EVENTS.where(event.c.seq == bindparam("seq"))
RECORDS_BETWEEN = (
    select(event.c.record)
    .where(event.c.session_id == bindparam("session_id"))
    .where(event.c.seq > bindparam("after"))
    .where(event.c.seq <= bindparam("until"))
    .order_by(event.c.seq)
)
ALL_SESSIONS = select(session_head.c.session_id).order_by(
    session_head.c.created, session_head.c.session_id
)
OPEN_SESSIONS = (
    select(session_head.c.release, func.count().label("sessions"))
    .where(session_head.c.product_id == bindparam("product_id"))
    .where(session_head.c.status == "open")
    .group_by(session_head.c.release)
    .order_by(session_head.c.release)
)


def _moving(columns: Iterable[str]) -> Update:
    return (
        session_head.update()
        .where(session_head.c.session_id == bindparam("of_session"))
        .where(session_head.c.seq == bindparam("from_seq"))
        .where(session_head.c.hash == bindparam("from_hash"))
        .where(session_head.c.token_hash == bindparam("from_token_hash"))
        .values({name: bindparam(f"new_{name}") for name in columns})
    )


MOVE_HEAD = _moving(MOVING_COLUMNS)
_moved = MOVE_HEAD.returning(session_head.c.session_id).cte("moved")
MOVE_AND_ADD = Prepared(
    event.insert().from_select(
        EVENT_COLUMNS,
        select(
            *(
                _moved.c.session_id
                if column.name == "session_id"
                else bindparam(f"add_{column.name}", type_=column.type)
                for column in event.columns
            )
        ),
    )
)
"""Both at once, where the database can (PostgreSQL): one statement is a transaction."""
ADD_HEAD = session_head.insert()
MEND_HEAD = session_head.update().where(session_head.c.session_id == bindparam("of_session"))
ADD_EVENT = event.insert()
MOVE_HEAD_PREPARED = Prepared(MOVE_HEAD)
MOVE_STEADY_PREPARED = Prepared(
    _moving(name for name in MOVING_COLUMNS if name not in STEADY_COLUMNS)
)
"""Where these stay as they were: SQLite would write the index over them again."""
ADD_EVENT_PREPARED = Prepared(ADD_EVENT)

"""The two tables of the trail: events, and one head row per session.

``event.record`` holds the hashed bytes; the other columns repeat parts of it so that the
database can keep them unique and find them, and are compared with it when verifying.
Triggers (see the migrations) refuse to change or delete events.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from configurator.trail.database import metadata

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
    Column("view", LargeBinary, nullable=False),
    Column("token_hash", Text, nullable=False),
    Column("created", Text, nullable=False),
    Column("updated", Text, nullable=False),
    Index("session_head_created", "created"),
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

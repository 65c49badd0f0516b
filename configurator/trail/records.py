"""An event and the bytes that stand for it: what is hashed is what is stored.

A record is the canonical JSON of everything an event says, the hash of the event before
it included. Its own hash is ``SHA256(0x00 || "pcs-event-v1" || record)``. Reading never
serialises again: whoever verifies hashes the stored bytes.
Knows nothing of databases.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from types import UnionType
from typing import Any, Protocol

import orjson

from configurator.trail.canonical import canonical_json
from configurator.trail.errors import UnreadableEventError

Json = dict[str, Any]

NO_HASH = "0" * 64
"""What the first event of a session has as the hash of the one before."""

_DOMAIN = b"\x00pcs-event-v1"


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a trail.

    ``seq`` counts from 1 without gaps; ``actor`` is ``customer``, ``staff:<name>`` or
    ``system``; ``server_time`` is ISO 8601 in UTC; ``change`` is the merge patch of the
    view (``None``: nothing changed for the customer); ``view_digest`` and
    ``state_digest`` are of the view and the state after the event; ``answer`` is what
    the caller was told. ``opening`` is set in the first event only: what the session's
    head said at the start. ``hash`` and ``previous_hash`` chain the events.
    """

    event_id: str
    session_id: str
    seq: int
    kind: str
    version: int
    key: str
    fingerprint: str
    actor: str
    on_behalf_of: str | None
    server_time: str
    release: str
    engine_version: str
    locale: str
    payload: Json
    change: Json | None
    view_digest: str
    previous_hash: str
    hash: str = ""
    day: str = ""
    status: str = "open"
    state_digest: str = ""
    answer: Any = None
    opening: Json | None = None


@dataclass(frozen=True, slots=True)
class EventDraft:
    """The first event of a session, before it has a number and a hash."""

    kind: str
    key: str
    fingerprint: str
    release: str
    engine_version: str
    locale: str
    payload: Json
    change: Json | None
    view: Json
    version: int = 1
    actor: str = "customer"
    on_behalf_of: str | None = None
    answer: Any = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What an act comes to: the event to append and the session after it.

    ``change`` leads from the view before to ``view``. ``locale``, ``release`` and
    ``day`` stay as they are where ``None``.
    """

    kind: str
    payload: Json
    change: Json | None
    view: Json
    state: Json
    status: str
    answer: Any
    engine_version: str
    version: int = 1
    actor: str = "customer"
    on_behalf_of: str | None = None
    locale: str | None = None
    release: str | None = None
    day: str | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """How a session stands after event ``seq``: a cache of its trail, one row each.

    ``day`` is the ISO day the session's prices and dates are of; ``state`` belongs to
    the session room, ``view`` is what the customer sees, as the events tell it (the row
    does not hold it); ``token_hash`` is the hash of the owner's secret; ``created`` and
    ``updated`` are ISO 8601 in UTC.
    """

    session_id: str
    code: str
    product_id: str
    release: str
    day: str
    locale: str
    status: str
    state: Json
    view: Json
    token_hash: str
    seq: int = 0
    hash: str = NO_HASH
    created: str = ""
    updated: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """What a write came to; ``replayed`` says that it was a retry of an earlier one,
    whose event and answer these are. ``view``: the canonical bytes of the view after the
    event, where it was written just now."""

    event: Event
    answer: Any
    replayed: bool = False
    view: bytes | None = None


class StoredEvent(Protocol):
    """A row of events as the database gives it: nothing in it is verified."""

    session_id: str
    seq: int
    key: str
    kind: str
    server_time: str
    hash: str
    record: bytes


class StoredHead(Protocol):
    """A head row as the database gives it; ``state`` is canonical JSON."""

    session_id: str
    code: str
    product_id: str
    release: str
    day: str
    locale: str
    status: str
    seq: int
    hash: str
    state: bytes
    token_hash: str
    created: str
    updated: str


_ABSENT_WHEN_NONE = ("on_behalf_of", "change", "answer", "opening")
_TEXTS = (
    "event_id",
    "session_id",
    "kind",
    "key",
    "fingerprint",
    "actor",
    "server_time",
    "release",
    "engine_version",
    "locale",
    "view_digest",
    "previous_hash",
    "day",
    "status",
    "state_digest",
)
_KINDS: dict[str, type | UnionType] = {
    **dict.fromkeys(_TEXTS, str),
    "seq": int,
    "version": int,
    "on_behalf_of": str | None,
    "payload": dict,
    "change": dict | None,
    "opening": dict | None,
}


def hash_of(record: bytes) -> str:
    """The hash of a record's bytes, in hex."""
    return hashlib.sha256(_DOMAIN + record).hexdigest()


def recorded(content: Json) -> tuple[Event, bytes]:
    """The event of which ``content`` gives every member but its hash, and the bytes that
    stand for it; raises ``NotCanonicalError``."""
    present = {
        name: member
        for name, member in content.items()
        if member is not None or name not in _ABSENT_WHEN_NONE
    }
    record = canonical_json(present)
    return Event(hash=hash_of(record), **content), record


def event_of(record: bytes, event_hash: str) -> Event:
    """The event that ``recorded`` wrote; raises ``UnreadableEventError``."""
    try:
        content = orjson.loads(record)
        for name in _ABSENT_WHEN_NONE:
            content.setdefault(name, None)
        event = Event(hash=event_hash, **content)
    except (ValueError, TypeError, AttributeError, RecursionError) as problem:
        raise UnreadableEventError(str(problem)) from problem
    for name, kind in _KINDS.items():
        if not isinstance(getattr(event, name), kind):
            raise UnreadableEventError(f"{name} is not what it should be")
    return event

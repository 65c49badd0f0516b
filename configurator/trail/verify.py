"""Whether a trail is what was written, and if not, where it was altered.

Everything is computed again from the stored bytes; nothing stored is believed because
it fits something else that is stored. Two walks meet: forward from the first event, each
must fit the one before; backward from the head, each must have the hash that the later
one names. An altered event fails one of them even if its own hash was made to fit.

What one chain cannot show: a tail cut off with the head moved back, or everything from
some event on rewritten together with the head. Signed checkpoints kept elsewhere do.
Knows nothing of databases.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from configurator.model.text import Text
from configurator.trail.canonical import apply_change, canonical_json, digest
from configurator.trail.errors import (
    DamagedSessionError,
    NotCanonicalError,
    UnreadableEventError,
)
from configurator.trail.records import (
    NO_HASH,
    Event,
    StoredEvent,
    StoredHead,
    event_of,
    hash_of,
)

Json = dict[str, Any]

_NOT_WRITTEN_SO = (
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    RecursionError,
    UnreadableEventError,
    NotCanonicalError,
)
"""What comes of records that are missing or that somebody altered: SQLite lets a column hold
anything."""
_COPIED = ("session_id", "seq", "key", "kind", "server_time")
_FROM_EVENT = ("session_id", "seq", "release", "day", "locale", "status", "hash")
_EVENT_TEXTS = ("session_id", "key", "kind", "server_time", "hash")
_HEAD_TEXTS = (
    "session_id",
    "code",
    "product_id",
    "release",
    "day",
    "locale",
    "status",
    "hash",
    "token_hash",
    "created",
    "updated",
)


@dataclass(frozen=True, slots=True)
class Verification:
    """The result: ``ok``, or the first bad event and what is wrong with it.

    ``events`` is how many were looked at; ``hash`` is that of the last one where all is
    well, to be compared with a receipt or a checkpoint.
    """

    ok: bool
    events: int
    hash: str | None = None
    first_bad_seq: int | None = None
    reason: Text | None = None


@dataclass(frozen=True, slots=True)
class ReplayStep:
    """One event and the view as the customer saw it after that event. ``matches`` says
    whether the view has the digest that was recorded."""

    event: Event
    view: Json
    matches: bool


@dataclass(frozen=True, slots=True)
class _Fault:
    seq: int
    es: str
    en: str


def verify_rows(
    head: StoredHead | None,
    rows: Sequence[StoredEvent],
    steps: Sequence[ReplayStep] | None = None,
) -> Verification:
    """Verify the stored head and events (in the order of ``seq``) of one session. ``steps``
    are what ``replay_rows`` makes of the events, where that is known."""
    fault = (
        _strange(head, rows)
        or _first(_forward(head, rows), _backward(head, rows))
        or _folding(replay_rows(rows) if steps is None else steps)
        or _leaving(head, rows)
    )
    if fault is None:
        return Verification(True, len(rows), hash=rows[-1].hash)
    reason = Text.of({"es": fault.es, "en": fault.en})
    return Verification(False, len(rows), first_bad_seq=fault.seq, reason=reason)


def replay_rows(rows: Sequence[StoredEvent]) -> tuple[ReplayStep, ...]:
    """Every event with the view after it, folded from the recorded changes.

    Stops before an event that cannot be read or does not follow; ``verify_rows`` says
    why.
    """
    steps: list[ReplayStep] = []
    view: Json = {}
    for seq, row in enumerate(rows, start=1):
        try:
            event = event_of(row.record, row.hash)
        except UnreadableEventError:
            break
        if event.seq != seq:
            break
        view = apply_change(view, event.change or {})
        steps.append(ReplayStep(event, view, _digest(view) == event.view_digest))
    return tuple(steps)


def head_of(rows: Sequence[StoredEvent], last_hash: str) -> Json:
    """What whole events leave in a head, but for its state. Events of before 0.2 do not say
    whose a session is.

    ``last_hash``, known from elsewhere, is that of the last event: without it, nobody knows
    whether there were more. Raises ``DamagedSessionError`` where the events are not whole
    or end with another one.
    """
    fault = _strange(None, rows) or _forward(None, rows) or _folding(replay_rows(rows))
    if fault is not None:
        raise DamagedSessionError(fault.en)
    if not rows or rows[-1].hash != last_hash:
        raise DamagedSessionError(
            f"the stored events do not end with {last_hash}: some may be missing"
        )
    first, last = (event_of(row.record, row.hash) for row in (rows[0], rows[-1]))
    columns = {name: getattr(last, name) for name in _FROM_EVENT if name != "session_id"}
    return {**columns, "updated": last.server_time, **_started(first)}


def shown_by(head: StoredHead, records: Sequence[bytes], view: Json) -> bytes:
    """The canonical bytes of what the customer sees at a stored head: the ``view`` before
    some events, changed as their ``records`` say. Raises ``DamagedSessionError`` where the
    last of them does not bear out view and head."""
    try:
        for record in records:
            view = apply_change(view, orjson.loads(record).get("change", {}))
        last = event_of(records[-1], hash_of(records[-1]))
        seen = canonical_json(view)
        if _left_by(head, last) and hashlib.sha256(seen).hexdigest() == last.view_digest:
            return seen
    except _NOT_WRITTEN_SO:
        pass
    raise DamagedSessionError(
        f"event {head.seq} left another head", str(head.session_id), str(head.code)
    )


def _left_by(head: StoredHead, event: Event) -> bool:
    """Whether a head is as an event left it."""
    return (
        all(getattr(head, name) == getattr(event, name) for name in _FROM_EVENT)
        and head.updated == event.server_time
        and hashlib.sha256(head.state).hexdigest() == event.state_digest
    )


def _strange(head: StoredHead | None, rows: Sequence[StoredEvent]) -> _Fault | None:
    """The first row that holds another kind of thing than was written, as SQLite lets it."""
    for place, row in enumerate(rows, start=1):
        if not (
            _are(str, row, _EVENT_TEXTS)
            and _are(int, row, ("seq",))
            and _are(bytes, row, ("record",))
        ):
            return _Fault(
                place, f"El paso {place} no se puede leer.", f"Step {place} cannot be read."
            )
    if head is None or (
        _are(str, head, _HEAD_TEXTS) and _are(int, head, ("seq",)) and _are(bytes, head, ("state",))
    ):
        return None
    return _Fault(
        max(len(rows), 1),
        "La ficha de la configuración no se puede leer.",
        "The configuration's head cannot be read.",
    )


def _are(kind: type, row: object, columns: Iterable[str]) -> bool:
    return all(isinstance(getattr(row, column), kind) for column in columns)


def _first(*faults: _Fault | None) -> _Fault | None:
    found = [fault for fault in faults if fault is not None]
    return min(found, key=lambda fault: fault.seq, default=None)


def _forward(head: StoredHead | None, rows: Sequence[StoredEvent]) -> _Fault | None:
    """The first event that does not fit what comes before it."""
    previous = NO_HASH
    for seq, row in enumerate(rows, start=1):
        if row.seq != seq:
            return _missing(seq)
        if hash_of(row.record) != row.hash:
            return _Fault(
                seq,
                f"El contenido del paso {seq} ya no da su huella: se cambió.",
                f"The content of step {seq} no longer gives its hash: it was altered.",
            )
        try:
            event = event_of(row.record, row.hash)
        except UnreadableEventError:
            return _Fault(
                seq,
                f"El paso {seq} no se puede leer.",
                f"Step {seq} cannot be read.",
            )
        for name in _COPIED:
            if getattr(event, name) != getattr(row, name):
                return _Fault(
                    seq,
                    f"El paso {seq} no estaba en este lugar: su «{name}» es otro.",
                    f"Step {seq} does not belong here: its {name} is another.",
                )
        if event.previous_hash != previous:
            return _Fault(
                seq,
                f"El paso {seq} no sigue al paso {seq - 1} que hay guardado.",
                f"Step {seq} does not follow the step {seq - 1} that is stored.",
            )
        previous = row.hash
    if head is not None and head.seq > len(rows):
        return _missing(len(rows) + 1)
    return None


def _backward(head: StoredHead | None, rows: Sequence[StoredEvent]) -> _Fault | None:
    """The last event that is not the one later events, or the head, speak of."""
    if head is None:
        return _Fault(
            1, "Falta la ficha de la configuración.", "The configuration's head is missing."
        )
    wanted_seq, wanted_hash = head.seq, head.hash
    position = len(rows) - 1
    while wanted_seq > 0:
        row = rows[position] if position >= 0 else None
        if row is None or (row.seq < wanted_seq and hash_of(row.record) != wanted_hash):
            return _missing(wanted_seq)
        if hash_of(row.record) != wanted_hash:
            below = rows[position - 1] if position > 0 else None
            if below is not None and hash_of(below.record) == wanted_hash:
                return _extra(row.seq)
            return _Fault(
                row.seq,
                f"El paso {row.seq} no es el que se guardó: lo que le sigue recuerda otro.",
                f"Step {row.seq} is not the one that was stored: what follows remembers another.",
            )
        try:
            event = event_of(row.record, row.hash)
        except UnreadableEventError:
            return None  # the forward walk stops at it too, and says so
        if event.seq != wanted_seq:
            return _Fault(
                row.seq,
                f"El paso {row.seq} se guardó como paso {event.seq}, no como {wanted_seq}.",
                f"Step {row.seq} was stored as step {event.seq}, not as {wanted_seq}.",
            )
        wanted_seq, wanted_hash = wanted_seq - 1, event.previous_hash
        position -= 1
    return None if position < 0 else _extra(rows[position].seq)


def _missing(seq: int) -> _Fault:
    return _Fault(seq, f"Falta el paso {seq}.", f"Step {seq} is missing.")


def _extra(seq: int) -> _Fault:
    return _Fault(
        seq,
        f"El paso {seq} sobra: ningún otro lo conoce.",
        f"Step {seq} was added: no other step knows it.",
    )


def _folding(steps: Sequence[ReplayStep]) -> _Fault | None:
    """The first change that does not lead to the recorded view."""
    for seq, step in enumerate(steps, start=1):
        if not step.matches:
            return _Fault(
                seq,
                f"Los cambios hasta el paso {seq} no dan lo que vio el cliente.",
                f"The changes up to step {seq} do not give what the customer saw.",
            )
    return None


def _leaving(head: StoredHead | None, rows: Sequence[StoredEvent]) -> _Fault | None:
    """Whether the head is as whole events left it."""
    assert head is not None
    first, last = (event_of(row.record, row.hash) for row in (rows[0], rows[-1]))
    agrees = _left_by(head, last) and all(
        getattr(head, name) == value for name, value in _started(first).items()
    )
    if agrees:
        return None
    return _Fault(
        last.seq,
        f"La ficha de la configuración no es la que dejó el paso {last.seq}.",
        f"The configuration's head is not as step {last.seq} left it.",
    )


def _started(first: Event) -> Json:
    """What the first event says of the head for good."""
    return {"created": first.server_time, **(first.opening or {})}


def _digest(view: Json) -> str | None:
    try:
        return digest(view)
    except NotCanonicalError:
        return None

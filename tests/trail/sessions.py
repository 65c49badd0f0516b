"""Sessions of a made-up product whose views change with every choice."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable
from typing import Any

from configurator.trail import (
    Decision,
    EventDraft,
    Head,
    Trail,
    Written,
    new_code,
    view_change,
)

NOW = datetime.datetime(2026, 11, 22, 9, 30, tzinfo=datetime.UTC)
RELEASE = "a" * 64


class Clock:
    """A clock that moves by hand."""

    def __init__(self, now: datetime.datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime.datetime:
        return self.now


def view_after(choices: list[Any]) -> dict[str, Any]:
    slots = {slot: {"state": "chosen", "answer": answer} for slot, answer in choices}
    for number in range(5):
        slots.setdefault(f"open-{number}", {"state": "open", "options": {"sí": {"lowest": 1}}})
    return {"slots": slots, "price": {"lowest": 100 * len(choices)}, "complete": False}


def a_head(session_id: str | None = None, code: str | None = None) -> Head:
    return Head(
        session_id=session_id or str(uuid.uuid4()),
        code=code or new_code(),
        product_id="bike",
        release=RELEASE,
        day="2026-11-22",
        locale="es",
        status="open",
        state={"choices": []},
        view=view_after([]),
        token_hash="b" * 64,
    )


def a_draft(head: Head, key: str = "start", fingerprint: str = "start") -> EventDraft:
    return EventDraft(
        kind="SessionStarted",
        key=key,
        fingerprint=fingerprint,
        release=head.release,
        engine_version="1",
        locale=head.locale,
        payload={"product": head.product_id},
        change=view_change({}, head.view),
        view=head.view,
    )


def start(trail: Trail) -> str:
    head = a_head()
    trail.start(a_draft(head), head)
    return head.session_id


def choosing(slot: str, answer: str, kind: str = "ValueChosen") -> Callable[[Head], Decision]:
    """What a session decides when ``answer`` is chosen."""

    def decide(head: Head) -> Decision:
        choices = [pair for pair in head.state["choices"] if pair[0] != slot] + [[slot, answer]]
        view = view_after(choices)
        return Decision(
            kind=kind,
            payload={"slot": slot, "answer": answer},
            change=view_change(head.view, view),
            view=view,
            state={"choices": choices},
            status="open",
            answer={"kind": "accepted", "after": head.seq},
            engine_version="1",
        )

    return decide


def choose(
    trail: Trail,
    session_id: str,
    slot: str,
    answer: str,
    key: str,
    expected: int | None = None,
    token_hash: str | None = None,
) -> Written:
    return trail.write(
        session_id,
        key=key,
        fingerprint=f"{slot}={answer}",
        expected_seq=expected,
        decide=choosing(slot, answer),
        token_hash=token_hash,
    )


def a_session(trail: Trail, events: int) -> str:
    """A session with that many events, the start included."""
    session_id = start(trail)
    for number in range(1, events):
        choose(trail, session_id, f"slot-{number % 4}", f"ñ-{number}", f"key-{number}")
    return session_id

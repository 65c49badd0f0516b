"""Heads kept in memory are as good as those read, and no more than there is room for."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from configurator.trail import (
    Decision,
    Head,
    SequenceConflictError,
    Trail,
    UnknownSessionError,
    connect,
    migrate,
)
from configurator.trail.heads import Heads
from tests.trail.sessions import Clock, a_head, choose, choosing, start


def test_what_was_not_used_for_longest_gives_way() -> None:
    heads = Heads(room=100)
    for number in range(20):
        heads.keep(a_head(f"s-{number}"), 30)
        assert len(heads) <= 3
        assert heads.get("s-0") is not None or number > 0
    assert heads.get("s-19") is not None
    assert heads.get("s-16") is None
    heads.keep(a_head("larger than all the room"), 1000)
    assert len(heads) == 0
    heads.keep(a_head("again"), 30)
    heads.keep(replace(a_head("again"), seq=7), 40)
    kept = heads.get("again")
    assert kept is not None
    assert kept.seq == 7
    assert len(heads) == 1


def test_another_process_is_noticed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/trail.db"
    migrate(connect(url))
    here, there = (Trail(connect(url), Clock()) for _ in range(2))
    session_id = start(here)
    for number in range(6):
        writer, reader = (here, there) if number % 2 else (there, here)
        choose(writer, session_id, f"slot-{number}", "ñ", f"key-{number}")
        head = reader.head(session_id)
        assert head.seq == number + 2
        assert head == Trail(connect(url), Clock()).head(session_id)
        assert choose(reader, session_id, f"slot-{number}", "ñ", f"key-{number}").replayed
    assert here.verify(session_id).ok


def test_who_writes_on_a_head_long_gone_writes_on_the_present_one(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/trail.db"
    migrate(connect(url))
    here, there = (Trail(connect(url), Clock()) for _ in range(2))
    session_id = start(here)
    for number in range(6):
        writer = here if number % 2 else there
        written = choose(writer, session_id, f"slot-{number}", "ñ", f"key-{number}")
        assert (written.event.seq, written.replayed) == (number + 2, False)
    assert len(here.head(session_id).state["choices"]) == 6
    with pytest.raises(SequenceConflictError) as conflict:
        choose(there, session_id, "slot-7", "ñ", "key-7", expected=6)
    assert conflict.value.head.seq == 7
    assert here.verify(session_id).ok


def test_a_refusal_on_a_head_long_gone_is_looked_at_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/trail.db"
    migrate(connect(url))
    here, there = (Trail(connect(url), Clock()) for _ in range(2))
    session_id = start(here)
    choose(there, session_id, "a", "1", "k1")

    def only_after_one(head: Head) -> Decision:
        if not head.state["choices"]:
            raise ValueError("too early")
        return choosing("b", "2")(head)

    for key in ("k2", "k2"):
        written = here.write(
            session_id, key=key, fingerprint="b=2", expected_seq=None, decide=only_after_one
        )
        assert written.event.seq == 3


@pytest.mark.parametrize("longer", [0, 1, 2])
def test_a_restored_session_is_not_taken_for_the_one_that_was_met(
    tmp_path: Path, longer: int
) -> None:
    url = f"sqlite:///{tmp_path}/trail.db"
    engine = connect(url)
    migrate(engine)
    here = Trail(engine, Clock())
    session_id = start(here)
    backup = sqlite3.connect(tmp_path / "backup.db")
    with sqlite3.connect(tmp_path / "trail.db") as source:
        source.backup(backup)
    choose(here, session_id, "a", "lost", "k1")
    engine.dispose()
    with sqlite3.connect(tmp_path / "trail.db") as target:
        backup.backup(target)
    there = Trail(connect(url), Clock())
    choose(there, session_id, "b", "restored", "k2")
    for number in range(longer):
        choose(there, session_id, f"longer-{number}", "restored", f"k2-{number}")
    choose(here, session_id, "c", "3", "k3")
    head = here.head(session_id)
    assert head.state["choices"][0] == ["b", "restored"]
    assert head.state["choices"][-1] == ["c", "3"]
    assert len(head.state["choices"]) == 2 + longer
    assert head == Trail(connect(url), Clock()).head(session_id)
    assert here.verify(session_id).ok


def test_a_new_owner_is_noticed(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/trail.db")
    migrate(engine)
    trail = Trail(engine, Clock())
    session_id = start(trail)
    with engine.begin() as connection:
        connection.execute(text("UPDATE session_head SET token_hash = 'other'"))
    with pytest.raises(UnknownSessionError):
        choose(trail, session_id, "a", "1", "k", token_hash="b" * 64)
    assert trail.head(session_id).token_hash == "other"


def test_what_is_kept_is_what_would_be_read(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/trail.db"
    migrate(connect(url))
    trail = Trail(connect(url), Clock())
    session_id = start(trail)
    choose(trail, session_id, "a", "1", "k")
    kept, read = trail.head(session_id), Trail(connect(url), Clock()).head(session_id)
    assert kept == read
    assert json.dumps(kept.state) == json.dumps(read.state)

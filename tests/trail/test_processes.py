"""Several processes on one session, and processes that die in the middle."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
from sqlalchemy import Engine, text

from configurator.trail import Trail
from tests.trail.sessions import Clock, start
from tests.trail.stores import OnPostgresql, OnSqlite

ROOT = Path(__file__).parents[2]
KILLS = 3
SECONDS = 12.0


class Writer:
    """A writing process and what it has acknowledged so far: number -> (seq, hash)."""

    def __init__(self, url: str, session_id: str, name: str) -> None:
        self._arguments = (url, session_id, name)
        self.session_id = session_id
        self.name = name
        self.acknowledged: dict[int, tuple[int, str]] = {}
        self._process: subprocess.Popen[str] | None = None

    def begin(self, count: int, expecting: bool = False) -> None:
        first = len(self.acknowledged)
        mode = "expecting" if expecting else "anywhere"
        command = (sys.executable, "-m", "tests.trail.writer", *self._arguments)
        self._process = subprocess.Popen(
            [*command, str(first), str(count), mode], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,))
        self._reader.start()

    def _read(self, said: IO[str]) -> None:
        with said:
            for line in said:
                if line.endswith("\n"):
                    number, seq, event_hash = line.split()
                    self.acknowledged[int(number)] = (int(seq), event_hash)

    def finish(self) -> None:
        assert self._process is not None
        assert self._process.wait(120) == 0
        self._reader.join()

    def kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(30)
            self._reader.join()

    def gets_on(self, before: int) -> None:
        """Wait until more than ``before`` choices are acknowledged."""
        deadline = time.monotonic() + 60
        while len(self.acknowledged) <= before:
            assert time.monotonic() < deadline, "the writer does not get on"
            assert self._process is not None
            assert self._process.poll() is None, "the writer gave up"
            time.sleep(0.002)


@pytest.fixture
def writers(url: str, trail: Trail) -> Iterator[list[Writer]]:
    """Three writers of one session, none of which outlives the test."""
    session_id = start(trail)
    made = [Writer(url, session_id, name) for name in "abc"]
    yield made
    for writer in made:
        writer.kill()


@pytest.fixture
def trail(engine: Engine) -> Trail:
    return Trail(engine, Clock())


class ProcessesContract:
    def test_one_winner_per_event_among_processes(
        self, trail: Trail, writers: list[Writer]
    ) -> None:
        for writer in writers:
            writer.begin(20, expecting=True)
        for writer in writers:
            writer.finish()
        session_id = writers[0].session_id
        events = trail.events(session_id)
        assert [event.seq for event in events] == list(range(1, 62))
        won = sorted(place for writer in writers for place in writer.acknowledged.values())
        assert won == [(event.seq, event.hash) for event in events[1:]]
        assert trail.verify(session_id).ok

    def test_killed_writers_lose_nothing_they_acknowledged(
        self, trail: Trail, writers: list[Writer], engine: Engine
    ) -> None:
        seed = int(os.environ.get("CONFIGURATOR_TEST_SEED", "20261122"))
        print(f"seed {seed}")
        source = random.Random(seed)
        writers = writers[:2]
        enough = time.monotonic() + SECONDS
        killed = 0
        while killed < KILLS and (time.monotonic() < enough or not killed):
            before = [len(writer.acknowledged) for writer in writers]
            for writer in writers:
                writer.begin(10_000)
            for writer, acknowledged in zip(writers, before, strict=True):
                writer.gets_on(acknowledged)
            time.sleep(source.uniform(0, 0.15))
            for writer in writers:
                writer.kill()
            killed += 1
        for writer in writers:
            writer.begin(5)
        for writer in writers:
            writer.finish()
        session_id = writers[0].session_id
        events = {event.key: event for event in trail.events(session_id)}
        assert [event.seq for event in events.values()] == list(range(1, len(events) + 1))
        for writer in writers:
            assert sorted(writer.acknowledged) == list(range(len(writer.acknowledged)))
            for number, (seq, event_hash) in writer.acknowledged.items():
                event = events.pop(f"{writer.name}-{number}")
                assert (event.seq, event.hash) == (seq, event_hash)
        # What was being sent when a writer died was sent again with the same key, so
        # nothing is left over but the start.
        assert set(events) == {"start"}
        assert trail.verify(session_id).ok
        if engine.dialect.name == "sqlite":
            with engine.connect() as connection:
                assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"


class TestProcessesOnSqlite(OnSqlite, ProcessesContract):
    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
    @pytest.mark.filterwarnings("ignore::DeprecationWarning")
    def test_a_forked_child_writes_with_its_own_connection_and_lock(
        self, trail: Trail, url: str
    ) -> None:
        session_id = start(trail)
        child = os.fork()
        if child == 0:  # pragma: no cover - the child ends here
            try:
                from tests.trail.sessions import choose

                for number in range(20):
                    choose(trail, session_id, "child", str(number), f"child-{number}")
                os._exit(0)
            except BaseException:
                os._exit(1)
        from tests.trail.sessions import choose

        for number in range(20):
            choose(trail, session_id, "parent", str(number), f"parent-{number}")
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert trail.head(session_id).seq == 41
        assert trail.verify(session_id).ok


class TestProcessesOnPostgresql(OnPostgresql, ProcessesContract):
    pass

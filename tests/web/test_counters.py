"""Counters of rate limits: windows begin, end and are forgotten."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager

import pytest
from limits import parse
from limits.errors import ConfigurationError
from structlog.testing import capture_logs

from configurator.web import counters
from configurator.web.counters import Counters, Limiter
from tests.conftest import lacking


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(counters.time, "time", lambda: now[0])
    monkeypatch.setattr(counters.time, "monotonic", lambda: now[0])
    return now


@pytest.mark.parametrize("jump", [-10 * 365 * 86_400, -86_400, 86_400])
def test_a_clock_that_is_set_changes_no_window(
    jump: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Counters()
    assert found.incr("a", 60) == 1
    now = time.time() + jump
    monkeypatch.setattr(counters.time, "time", lambda: now)
    assert found.get("a") == 1
    assert now + 50 < found.get_expiry("a") <= now + 60
    passed = time.monotonic() + 61
    monkeypatch.setattr(counters.time, "monotonic", lambda: passed)
    assert found.get("a") == 0
    assert found.incr("a", 60) == 1


def test_a_window_ends_and_another_begins(clock: list[float]) -> None:
    found = Counters()
    assert [found.incr("a", 60) for _ in range(3)] == [1, 2, 3]
    assert found.incr("b", 60, 5) == 5
    assert (found.get("a"), found.get_expiry("a")) == (3, 1060.0)
    clock[0] = 1059.9
    assert found.incr("a", 60) == 4
    clock[0] = 1060.0
    assert found.get("a") == 0
    assert found.incr("a", 60) == 1
    assert found.get_expiry("a") == 1120.0
    assert found.get_expiry("never") == 1060.0


def test_what_has_expired_is_dropped(clock: list[float]) -> None:
    found = Counters()
    for number in range(100):
        found.incr(f"old-{number}", 30)
    clock[0] += counters.SWEEP + 1
    found.incr("new", 30)
    assert found.reset() == 1


def test_counting_can_be_taken_back() -> None:
    found = Counters("counters://")
    assert found.check()
    found.incr("a", 60)
    found.clear("a")
    assert found.get("a") == 0


def test_no_count_is_lost_between_threads() -> None:
    found = Counters()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: found.incr("a", 60), range(2000)))
    assert found.get("a") == 2000


TWICE = parse("2 per minute")


Server = Callable[[], AbstractContextManager[str]]


@pytest.fixture
def redis() -> Server:
    """Runs a Redis server, always at the same address, which it gives. A missing one fails
    in CI and skips with its reason elsewhere."""
    if shutil.which("redis-server") is None:
        lacking("no redis-server (Debian: apt install redis-server)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    @contextmanager
    def running() -> Iterator[str]:
        command = ["redis-server", "--port", str(port), "--save", "", "--appendonly", "no"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
            for _ in range(200):
                with socket.socket() as asked:
                    if asked.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            try:
                yield f"redis://127.0.0.1:{port}"
            finally:
                server.kill()

    return running


def test_processes_share_what_they_count_and_part_while_it_is_away(
    redis: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with redis() as address:
        one, other = Limiter(address), Limiter(address)
        assert one.used_up_until(TWICE, "a") is None
        assert other.used_up_until(TWICE, "a") is None
        until = one.used_up_until(TWICE, "a")
        assert until is not None
        assert 0 < until - time.time() <= 61
    with capture_logs() as logged:
        assert [one.used_up_until(TWICE, "a") is None for _ in range(3)] == [True, True, False]
    assert [line["event"] for line in logged] == ["limits not shared"]  # and not asked again
    later = time.monotonic() + counters.APART
    monkeypatch.setattr(counters.time, "monotonic", lambda: later)
    with redis():
        assert one.used_up_until(TWICE, "a") is None
        assert other.used_up_until(TWICE, "a") is None
        assert other.used_up_until(TWICE, "a") is not None
    for each in (one, other):
        assert each._shared is not None
        each._shared.storage.storage.close()  # type: ignore[attr-defined]


def test_an_address_of_nothing_known_is_refused_at_the_start() -> None:
    with pytest.raises(ConfigurationError):
        Limiter("abacus://desk")

"""Counters of rate limits: windows begin, end and are forgotten."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from configurator.web import counters
from configurator.web.counters import Counters


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(counters.time, "time", lambda: now[0])
    return now


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

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from configurator.catalogue.cache import LatestUsed


def test_it_makes_each_thing_once_however_many_ask_at_the_same_time() -> None:
    kept: LatestUsed[str, object] = LatestUsed(4)
    made: list[str] = []
    slow = threading.Event()

    def get(key: str) -> object:
        def make() -> object:
            made.append(key)
            slow.wait(2)
            return object()

        return kept.get(key, make)

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(get, key) for key in "aabbaabb"]
        slow.set()
        results = [each.result() for each in asked]
    assert sorted(made) == ["a", "b"]
    assert len(set(map(id, results))) == 2


def test_it_lets_go_of_what_was_used_longest_ago() -> None:
    kept: LatestUsed[int, str] = LatestUsed(2)
    made: list[int] = []

    def get(key: int) -> str:
        def make() -> str:
            made.append(key)
            return str(key)

        return kept.get(key, make)

    for key in (1, 2, 1, 3, 1, 2):
        assert get(key) == str(key)
    assert made == [1, 2, 3, 2]


def test_what_fails_is_told_to_all_and_tried_again_next_time() -> None:
    kept: LatestUsed[str, str] = LatestUsed(2)
    begun, go_on = threading.Event(), threading.Event()
    tries: list[int] = []

    def fail() -> str:
        tries.append(1)
        begun.set()
        go_on.wait(2)
        raise LookupError("not today")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(kept.get, "a", fail)
        assert begun.wait(2)
        second = pool.submit(kept.get, "a", fail)
        go_on.set()
        for asked in (first, second):
            with pytest.raises(LookupError, match="not today"):
                asked.result()
    assert kept.get("a", lambda: "fine now") == "fine now"

"""Keeps the latest used of what is costly to make, and makes each of them once.

Threads that ask for the same thing at the same time wait for the first one's result.
What fails is not kept. Knows nothing of what it keeps.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Made = TypeVar("Made")


class LatestUsed(Generic[Key, Made]):
    """Up to ``size`` results by key."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, Future[Made]] = OrderedDict()

    def get(self, key: Key, make: Callable[[], Made]) -> Made:
        """What was made for ``key``, made now where it is not there; raises what
        ``make`` raises."""
        with self._lock:
            future = self._kept.get(key)
            mine = future is None
            if future is None:
                future = self._kept[key] = Future()
                while len(self._kept) > self._size:
                    self._kept.popitem(last=False)
            else:
                self._kept.move_to_end(key)
        if mine:
            try:
                future.set_result(make())
            except BaseException as problem:
                with self._lock:
                    if self._kept.get(key) is future:
                        del self._kept[key]
                future.set_exception(problem)
                raise
        return future.result()

    def put(self, key: Key, made: Made) -> None:
        """Keep what was made otherwise, in place of what was there."""
        future: Future[Made] = Future()
        future.set_result(made)
        with self._lock:
            self._kept[key] = future
            self._kept.move_to_end(key)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)

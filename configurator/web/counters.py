"""Counters for rate limits: in this process's memory, or in a storage that several share.

The memory storage that comes with ``limits`` starts a thread for almost every request, to
look through all its counters; here what has expired is dropped now and then by whoever
counts next. Knows nothing of what is counted.
"""

from __future__ import annotations

import threading
import time

import structlog
from limits import RateLimitItem
from limits.errors import StorageError
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

log = structlog.get_logger(__name__)

SWEEP = 60.0
"""Seconds between two rounds in which expired counters are dropped."""

ANSWER = 1.0
"""Seconds that a shared storage has for its answer."""

APART = 5.0
"""Seconds for which one that gave none is not asked again."""


class Limiter:
    """Counts uses against limits. While a shared storage does not answer, each process
    counts for itself: limits hold on, and nobody is refused for it."""

    def __init__(self, address: str) -> None:
        """``memory://`` or an address of a storage that ``limits`` knows; raises its
        ``ConfigurationError`` for others."""
        self._own = FixedWindowRateLimiter(Counters())
        self._shared: FixedWindowRateLimiter | None = None
        self._again = 0.0
        if address != "memory://":
            patience = {"socket_timeout": ANSWER, "socket_connect_timeout": ANSWER}
            options = patience if address.startswith("redis") else {}
            storage = storage_from_string(address, wrap_exceptions=True, **options)
            self._shared = FixedWindowRateLimiter(storage)

    def used_up_until(self, limit: RateLimitItem, *keys: str) -> float | None:
        """Count one use of ``keys``. ``None`` where that was within the limit, else when
        its window ends, in seconds since the epoch."""
        if self._shared is not None and time.monotonic() >= self._again:
            try:
                return _used_up_until(self._shared, limit, keys)
            except StorageError as problem:
                self._again = time.monotonic() + APART
                log.error("limits not shared", problem=str(problem.storage_error))
        return _used_up_until(self._own, limit, keys)


def _used_up_until(
    counting: FixedWindowRateLimiter, limit: RateLimitItem, keys: tuple[str, ...]
) -> float | None:
    if counting.hit(limit, *keys):
        return None
    return float(counting.get_window_stats(limit, *keys).reset_time)


class Counters(Storage):
    """Fixed windows; each counter lives until its window ends, whatever becomes of the
    clock meanwhile."""

    STORAGE_SCHEME = ["counters"]  # noqa: RUF012

    def __init__(self, uri: str | None = None, **options: float | str | bool) -> None:
        super().__init__(uri)
        self._lock = threading.Lock()
        self._counts: dict[str, tuple[int, float]] = {}
        self._swept = time.monotonic()

    @property
    def base_exceptions(self) -> type[Exception]:
        """What could fail, but does not, in a process's own memory."""
        return ValueError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count on; a new window of ``expiry`` seconds begins where none is running."""
        now = time.monotonic()
        with self._lock:
            if now - self._swept > SWEEP:
                self._counts = {k: each for k, each in self._counts.items() if each[1] > now}
                self._swept = now
            count, end = self._counts.get(key, (0, 0.0))
            count, end = (count + amount, end) if end > now else (amount, now + expiry)
            self._counts[key] = (count, end)
        return count

    def get(self, key: str) -> int:
        """The count of the running window."""
        count, end = self._counts.get(key, (0, 0.0))
        return count if end > time.monotonic() else 0

    def get_expiry(self, key: str) -> float:
        """When the running window ends, in seconds since the epoch; now where none is."""
        now = time.monotonic()
        _, end = self._counts.get(key, (0, now))
        return time.time() + max(0.0, end - now)

    def check(self) -> bool:
        """Memory is there."""
        return True

    def reset(self) -> int:
        """Forget everything; how many counters that were."""
        with self._lock:
            forgotten = len(self._counts)
            self._counts = {}
        return forgotten

    def clear(self, key: str) -> None:
        """Forget one counter."""
        with self._lock:
            self._counts.pop(key, None)

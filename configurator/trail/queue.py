"""One writer at a time, in the order of arrival: the lock in front of a SQLite file.

SQLite itself makes waiting writers sleep and try again, which starves some of them for
hundreds of milliseconds. A blocking lock on a file beside the database wakes the next
one at once, in this process and in others. Locks of dead processes free themselves.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from types import TracebackType

from configurator.trail.errors import TrailUnavailableError

if sys.platform != "win32":
    import fcntl

PATIENCE = 30.0
"""Seconds a thread waits for the others of its process."""


class WriterQueue:
    """A context manager held during one write transaction."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = threading.Lock()
        self._descriptor = -1

    def __enter__(self) -> None:
        if not self._threads.acquire(timeout=PATIENCE):
            raise TrailUnavailableError("other writers do not finish")
        try:
            if sys.platform != "win32":
                if self._descriptor < 0:
                    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
                    self._descriptor = os.open(self._path, flags, 0o600)
                fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        except BaseException as problem:
            self._threads.release()
            if isinstance(problem, OSError):
                raise TrailUnavailableError(str(problem)) from problem
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if sys.platform != "win32":
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        finally:
            self._threads.release()

    def forget(self) -> None:
        """Start anew in a forked child, which must not share its parent's lock."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1
        self._threads = threading.Lock()

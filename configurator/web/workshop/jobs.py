"""Work that may take longer than a request: done in a thread, looked in on by pages.

A job is found again by its key, by whoever reloads the page; what it found is kept until
newer jobs need the room. Knows nothing of what is worked on.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

from configurator.catalogue import CheckProgress, Telling

AT_ONCE: Final = 2
"""Jobs that run at the same time; the others wait for their turn."""

KEPT: Final = 32

Found = TypeVar("Found")
Work = Callable[[Telling], Found]


class Job(Generic[Found]):
    """One piece of work, begun when it is made."""

    def __init__(self, work: Work[Found], turns: threading.Semaphore) -> None:
        self._work = work
        self._turns = turns
        self._done = threading.Event()
        self._found: Found | None = None
        self._problem: BaseException | None = None
        self.progress: CheckProgress | None = None
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        try:
            with self._turns:
                self._found = self._work(self._tell)
        except BaseException as problem:  # told to whoever asks for the result
            self._problem = problem
        finally:
            self._done.set()

    def _tell(self, progress: CheckProgress) -> None:
        self.progress = progress

    def wait(self, seconds: float = 0.0) -> bool:
        """Whether it is done, after waiting so long at the most."""
        return self._done.wait(seconds)

    @property
    def failed(self) -> bool:
        """Whether it ended with an exception."""
        return self._problem is not None

    def result(self) -> Found:
        """What the work returned, or raises what it raised; waits until it is done."""
        self._done.wait()
        if self._problem is not None:
            raise self._problem
        found: Found = self._found  # type: ignore[assignment]
        return found


class Jobs(Generic[Found]):
    """The jobs of one process, by key."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turns = threading.Semaphore(AT_ONCE)
        self._jobs: OrderedDict[Hashable, Job[Found]] = OrderedDict()

    def start(self, key: Hashable, work: Work[Found]) -> Job[Found]:
        """The job of this key; begun where there is none, or where it failed."""
        with self._lock:
            job = self._jobs.get(key)
            if job is None or job.failed:
                job = self._jobs[key] = Job(work, self._turns)
            self._jobs.move_to_end(key)
            for old in [each for each, kept in self._jobs.items() if kept.wait()][:-KEPT]:
                del self._jobs[old]
            return job

    def find(self, key: Hashable) -> Job[Found] | None:
        """The job of this key, if there is one."""
        with self._lock:
            return self._jobs.get(key)

    def forget(self, key: Hashable) -> None:
        """Let go of a job: its result was taken."""
        with self._lock:
            self._jobs.pop(key, None)

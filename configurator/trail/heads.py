"""The heads this process met last, so that a view need not be read again to change it.

A head's hash stands for all the head says but the owner's ``token_hash``; whoever takes a
head from here first sees in the database that both are still what they were.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from configurator.trail.records import Head

ROOM = 8_000_000
"""Bytes of canonical views that are kept; as Python objects they take some eight times
as much."""


class Heads:
    """Heads by session. They are shared: nobody changes what they hold."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[Head, int]] = OrderedDict()
        self._taken = 0

    def get(self, session_id: str) -> Head | None:
        """The head last met."""
        with self._lock:
            found = self._kept.get(session_id)
            if found is None:
                return None
            self._kept.move_to_end(session_id)
            return found[0]

    def keep(self, head: Head, size: int) -> None:
        """Keep a head whose view takes ``size`` bytes; the longest unused give way."""
        with self._lock:
            _, before = self._kept.pop(head.session_id, (None, 0))
            self._kept[head.session_id] = (head, size)
            self._taken += size - before
            while self._taken > self._room:
                _, (_, freed) = self._kept.popitem(last=False)
                self._taken -= freed

    def __len__(self) -> int:
        return len(self._kept)

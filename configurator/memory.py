"""Answers worked out once: a memory that never outgrows its room.

It only saves time: what it holds for a key is a function of the key alone.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Kept = TypeVar("Kept")


class Memory(Generic[Key, Kept]):
    """Up to ``room`` units of weight; what was not asked for since it was last half full is
    forgotten first. Safe to use from several threads."""

    def __init__(self, room: int) -> None:
        self._half = max(room // 2, 1)
        self._weight = 0
        self._lock = threading.Lock()
        self._young: dict[Key, tuple[Kept, int]] = {}
        self._old: dict[Key, tuple[Kept, int]] = {}

    def get(self, key: Key) -> Kept | None:
        """What is kept for ``key``, or ``None``."""
        found = self._young.get(key)
        if found is None:
            found = self._old.get(key)
            if found is None:
                return None
            self.keep(key, *found)
        return found[0]

    def every(self, keys: Sequence[Key]) -> list[Kept | None]:
        """What is kept for each of many keys."""
        young = map(self._young.get, keys)
        return [
            self.get(key) if found is None else found[0]
            for key, found in zip(keys, young, strict=True)
        ]

    def keep(self, key: Key, value: Kept, weight: int = 1) -> Kept:
        """Keep ``value`` for ``key`` and give it back (or what another thread kept
        meanwhile, so that equal things stay one thing)."""
        with self._lock:
            known = self._young.get(key)
            if known is not None:
                return known[0]
            if self._weight + weight > self._half and self._young:
                self._old, self._young, self._weight = self._young, {}, 0
            self._young[key] = value, weight
            self._weight += weight
        return value

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

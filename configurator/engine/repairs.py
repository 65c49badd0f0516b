"""What now: minimal corrections, best first.

A correction is a set of choices to give up so that the rest and the wanted choice hold.
Corrections are the hitting sets of all conflicts: Reiter, "A Theory of Diagnosis from
First Principles" (AI 1987), walked by size as in FastDiag's use for configurators
(Felfernig, Schubert and Zehentner, AI EDAM 2012); the wanted choice is never given up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

NODES = 2_000
"""Nodes of the tree looked at before the search settles for what it has."""


def minimal_corrections(
    choices: Sequence[int],
    conflict: Callable[[tuple[int, ...]], tuple[int, ...] | None],
    wanted: int,
) -> tuple[tuple[int, ...], ...]:
    """Subset-minimal sets of ``choices`` to give up, smallest first.

    ``conflict(kept)`` is a minimal conflict among the choices kept, ``None`` where they
    hold. Every set of a size is found before the search stops at ``wanted`` of them.
    """
    found: list[frozenset[int]] = []
    known: list[tuple[int, ...]] = []
    level: list[frozenset[int]] = [frozenset()]
    visited = 0
    while level and len(found) < wanted:
        following: dict[frozenset[int], None] = {}
        for given_up in level:
            if visited >= NODES:
                break
            if any(smaller <= given_up for smaller in found):
                continue
            visited += 1
            label = next((c for c in known if not given_up.intersection(c)), None)
            if label is None:
                label = conflict(tuple(c for c in choices if c not in given_up))
                if label is None:
                    found.append(given_up)
                    continue
                known.append(label)
            for choice in label:
                following[given_up | {choice}] = None
        level = sorted(following, key=sorted)
    return tuple(tuple(sorted(each)) for each in found)

"""What became of each guard that was said: heeded, acknowledged, overridden, or still said.

Reads the replayed views alone. They record which guards were in force, not which page was
open: one at a choice was said there, one for the review page only if it was opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from configurator.trail import ReplayStep

Json = dict[str, Any]
ON_REVIEW = "summary"
"""Where a view says that a guard is said on the review page only."""

Fate = Literal["standing", "heeded", "gone", "acknowledged", "overridden"]


@dataclass(frozen=True, slots=True)
class SaidGuard:
    """One time a guard was in force, from event ``first`` to event ``last``; ``on_review``
    where it is said on the review page only.

    ``heeded``: it disappeared because what it suggested was taken. ``gone``: it
    disappeared because something else changed. ``acknowledged``: the customer confirmed
    it, with ``reason`` where one was given. ``overridden``: the configuration was
    confirmed while it was being said and nobody had acknowledged it. ``standing``: it is
    being said still. ``reads`` are the answers it spoke of.
    """

    guard: str
    level: str
    first: int
    last: int
    reads: Json
    fate: Fate
    on_review: bool
    reason: str = ""


def fates(steps: Sequence[ReplayStep]) -> tuple[SaidGuard, ...]:
    """Every time a guard was said, in the order it began."""
    told: list[SaidGuard] = []
    saying: dict[str, int] = {}
    suggested: dict[str, Json] = {}
    for step in steps:
        seq, view = step.event.seq, step.view
        now: Json = view.get("guards", {})
        for guard in [each for each in saying if each not in now]:
            place = saying.pop(guard)
            told[place] = _ended(told[place], suggested[guard], view)
        for guard, spoken in now.items():
            if guard not in saying:
                saying[guard] = len(told)
                told.append(
                    SaidGuard(
                        guard=guard,
                        level=spoken["level"],
                        first=seq,
                        last=seq,
                        reads=spoken["reads"],
                        fate="standing",
                        on_review=on_review(spoken),
                    )
                )
            place = saying[guard]
            told[place] = replace(told[place], last=seq, reads=spoken["reads"])
            suggested[guard] = spoken.get("suggest", {})
            if spoken.get("acknowledged"):
                told[place] = replace(
                    told[place], fate="acknowledged", reason=spoken.get("reason", "")
                )
            elif told[place].fate == "acknowledged":
                # What it reads changed, so it speaks anew.
                told[place] = replace(told[place], fate="standing", reason="")
        if step.event.kind == "ConfigurationCommitted":
            for place in saying.values():
                if told[place].fate == "standing":
                    told[place] = replace(told[place], fate="overridden")
    return tuple(told)


def on_review(spoken: Json) -> bool:
    """Whether a guard of a view is said on the review page only."""
    return bool(spoken.get("at") == ON_REVIEW)


def _ended(said: SaidGuard, suggested: Json, view: Json) -> SaidGuard:
    if said.fate == "acknowledged":
        return said
    slots = view["slots"]
    taken = any(
        slots.get(slot, {}).get("answer") == suggestion["answer"]
        for slot, suggestion in suggested.items()
    )
    return replace(said, fate="heeded" if taken else "gone")

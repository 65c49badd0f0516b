"""Numbers and days that may be entered now, read from the view as runs of neighbours."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from configurator.model.choice import NONE

Json = dict[str, Any]
OPEN_TO_CHOOSE = frozenset({"possible", "chosen", "implied"})


def entry(data: Json) -> tuple[str, str]:
    """The answer as it stands and, while there is none, the proposal."""
    answer = data.get("answer", "")
    value = "" if answer == NONE else answer
    proposal = "" if answer else data.get("proposal", "")
    return value, "" if proposal == NONE else proposal


def plain(numerator: int, denominator: int) -> str:
    """A fraction that is a decimal, without zeros at its end."""
    text = format(Decimal(numerator) / Decimal(denominator), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def runs_of(data: Json, read: Any, step: Any) -> list[tuple[Any, Any]]:
    """What may be entered now, as runs of neighbours: the view's own intervals, or its
    options taken together."""
    if "intervals" in data:
        return [(read(low), read(high)) for low, high in data["intervals"]]
    values = sorted(
        read(answer)
        for answer, option in data.get("options", {}).items()
        if answer != NONE and option["state"] in OPEN_TO_CHOOSE
    )
    runs: list[tuple[Any, Any]] = []
    for value in values:
        if runs and runs[-1][1] + step == value:
            runs[-1] = (runs[-1][0], value)
        else:
            runs.append((value, value))
    return runs


def neighbours(
    runs: list[tuple[Decimal, Decimal]], here: Decimal | None, step: Decimal
) -> tuple[Decimal | None, Decimal | None]:
    """The next lower and the next higher number that may be entered."""
    if not runs:
        return None, None
    if here is None:
        return None, runs[0][0]
    lower = [min(high, here - step) for low, high in runs if low < here]
    higher = [max(low, here + step) for low, high in runs if high > here]
    return (max(lower) if lower else None), (min(higher) if higher else None)

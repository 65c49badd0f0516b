"""A refusal: what was wanted, why it cannot be had now, and the repairs on offer.

It is stored in the trail as the customer saw it, and read back from there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from configurator.engine import Engine
from configurator.model.choice import Choice, Choices
from configurator.model.verdict import Change, Conflict, Repair

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refusal:
    """An option that cannot be had as things stand. ``seq`` is its event, where it has
    one (an explanation asked for beforehand has none)."""

    wanted: Choice
    conflict: Conflict
    repairs: tuple[Repair, ...]
    seq: int | None = None


def refusal_of(
    engine: Engine, choices: Choices, wanted: Choice, context: Choices, stands: Choices
) -> Refusal:
    """Why ``wanted`` cannot be had with ``choices``, and what would make it possible.

    Repairs cost more or less than what ``stands`` now; ``choices`` may already hold what
    was asked for in the same act.
    """
    conflict = engine.conflict(choices, wanted, context)
    repairs = engine.repairs(choices, wanted, context) if conflict.choices else ()
    if choices != stands:
        present = engine.lowest_total(stands, context)
        repairs = tuple(_compared(repair, present) for repair in repairs)
    return Refusal(wanted, conflict, repairs)


def _compared(repair: Repair, present: int | None) -> Repair:
    if repair.lowest_total is None or present is None:
        return repair
    return replace(repair, difference=repair.lowest_total - present)


def choices_json(choices: Choices) -> list[list[str]]:
    """Choices as JSON pairs."""
    return [[choice.slot, choice.answer] for choice in choices]


def choices_from_json(pairs: list[list[str]]) -> Choices:
    """The choices that ``choices_json`` wrote."""
    return tuple(Choice(slot, answer) for slot, answer in pairs)


def refusal_json(refusal: Refusal, choices: Choices) -> Json:
    """The payload of a refusal made while ``choices`` stood."""
    return {
        "wanted": [refusal.wanted.slot, refusal.wanted.answer],
        "choices": choices_json(choices),
        "conflict": {
            "choices": choices_json(refusal.conflict.choices),
            "rules": list(refusal.conflict.rules),
            "context": choices_json(refusal.conflict.context),
        },
        "repairs": [_repair_json(repair) for repair in refusal.repairs],
    }


def refusal_from_json(payload: Json, seq: int | None) -> Refusal:
    """The refusal that ``refusal_json`` wrote."""
    wanted = Choice(*payload["wanted"])
    conflict = payload["conflict"]
    return Refusal(
        wanted,
        Conflict(
            wanted,
            choices_from_json(conflict["choices"]),
            tuple(conflict["rules"]),
            choices_from_json(conflict["context"]),
        ),
        tuple(_repair_from_json(repair) for repair in payload["repairs"]),
        seq,
    )


def _repair_json(repair: Repair) -> Json:
    data: Json = {
        "choices": choices_json(repair.choices),
        "changes": [
            {
                key: value
                for key, value in (
                    ("slot", change.slot),
                    ("before", change.before),
                    ("after", change.after),
                )
                if value is not None
            }
            for change in repair.changes
        ],
    }
    if repair.lowest_total is not None:
        data["lowest"] = repair.lowest_total
    if repair.difference is not None:
        data["difference"] = repair.difference
    return data


def _repair_from_json(data: Json) -> Repair:
    return Repair(
        tuple(
            Change(change["slot"], change.get("before"), change.get("after"))
            for change in data["changes"]
        ),
        choices_from_json(data["choices"]),
        data.get("lowest"),
        data.get("difference"),
    )

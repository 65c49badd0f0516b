"""The section ``guards``: what is wise."""

from __future__ import annotations

from typing import Literal, cast

from configurator.language.answers import slots_of
from configurator.language.draft import Draft
from configurator.language.fields import METADATA, Fields, mapping, sequence
from configurator.language.nodes import Mapping, Node, Scalar
from configurator.language.resolve import read_condition
from configurator.language.rules import take_id
from configurator.model.diagnostic import Span
from configurator.model.product import Evidence, Guard, Level, Mute, Suggestion

_KEYS = METADATA | {"id", "level", "when", "say", "at", "suggest", "reasons", "evidence", "mute"}


def read_guards(draft: Draft, items: list[Mapping]) -> tuple[tuple[Guard, ...], dict[str, Span]]:
    """Guards in the order written, and where each id stands."""
    guards = []
    seen: dict[str, Span] = {}
    for item in items:
        fields = Fields(draft, item, _KEYS)
        key = take_id(draft, fields, seen, "guards")
        if key is None:
            continue
        active = fields.active()
        guard = _guard(draft, fields, key)
        if guard is not None and active:
            guards.append(guard)
    return tuple(guards), seen


def _guard(draft: Draft, fields: Fields, key: Scalar) -> Guard | None:
    place = f"guards.{key.text}"
    fields.must("level", key.text)
    level = fields.word("level", ("hint", "caution", "acknowledge"))
    fields.must("when", key.text)
    when = read_condition(draft, fields.scalar("when"), "guard")
    say = draft.texts.read(fields.must("say", key.text), f"{place}.say", must="say")
    at = fields.word("at", ("choice", "summary")) or "choice"
    fields.check_metadata()
    reasons = tuple(
        text
        for number, node in enumerate(sequence(draft, fields.get("reasons")), 1)
        if (text := draft.texts.read(node, f"{place}.reasons.{number}")) is not None
    )
    suggest = tuple(
        Suggestion(slot, answer)
        for name, node in mapping(draft, fields.get("suggest"))
        for slot, answer in slots_of(draft, name, node, closed=False) or ()
    )
    evidence = _evidence(draft, fields.get("evidence"), place)
    mute = _mute(draft, fields.get("mute"))
    if level is None or when is None or say is None:
        return None
    return Guard(
        id=key.text,
        level=cast(Level, level),
        when=when,
        say=say,
        at=cast(Literal["choice", "summary"], at),
        suggest=suggest,
        reasons=reasons,
        evidence=evidence,
        owner=fields.string("owner"),
        mute=mute,
        period=fields.period(),
        span=key.span,
    )


def _mute(draft: Draft, node: Node | None) -> Mute | None:
    """``mute: {until: 2027-01-31, because: Said too often.}``: it always ends some day."""
    if node is None:
        return None
    fields = Fields(draft, node, frozenset({"until", "because"}))
    fields.must("until", "mute")
    until = fields.day("until")
    because = fields.string("because")
    return Mute(until, because) if until is not None else None


def _evidence(draft: Draft, node: Node | None, place: str) -> Evidence | None:
    if node is None:
        return None
    fields = Fields(draft, node, frozenset({"text", "date"}))
    text = draft.texts.read(fields.must("text", "evidence"), f"{place}.evidence")
    date = fields.day("date")
    return Evidence(text, date) if text is not None else None

"""The section ``scenarios``: what the merchandiser expects."""

from __future__ import annotations

import re
from typing import Literal, cast

from configurator.language.answers import slots_of
from configurator.language.draft import Draft
from configurator.language.fields import Fields, mapping, money, scalar, strings
from configurator.language.nodes import Mapping, Node, Scalar
from configurator.model.product import NOT_TODAY, Scenario

_KEYS = frozenset(
    (
        "name",
        "on",
        "context",
        "choose",
        "expect",
        "because",
        "implies",
        "offers",
        "removes",
        "not relevant",
        "proposes",
        "repair",
        "completes",
        "lines",
        "no lines",
        "net",
        "price",
        "lowest",
        "guards",
        "count",
    )
)
_LATER = {"lead days": "lead time"}
OPEN = "open"
"""What a repair does to a question it asks again."""
Pairs = tuple[tuple[str, str], ...]


def read_scenarios(
    draft: Draft, items: list[Mapping], rules: set[str], guards: set[str], charges: set[str]
) -> tuple[Scenario, ...]:
    """Scenarios in the order written; ids they name must exist."""
    return tuple(_scenario(draft, item, rules, guards, charges) for item in items)


def _scenario(
    draft: Draft, item: Mapping, rules: set[str], guards: set[str], charges: set[str]
) -> Scenario:
    fields = Fields(draft, item, _KEYS, _LATER)
    fields.must("name", "scenarios")
    expect = None
    said = fields.scalar("expect")
    if said is not None and said.text.lower() in ("impossible", "imposible"):
        draft.report.stop("syntax/write", said.span, found=said.text, write="refused")
    else:
        expect = fields.word("expect", ("possible", "refused", "complete"))
    return Scenario(
        name=fields.string("name") or "",
        on=fields.day("on"),
        context=_context(draft, fields.get("context")),
        choose=_answers(draft, fields.get("choose"), closed=True) or (),
        expect=cast(Literal["possible", "refused", "complete"] | None, expect),
        because=_ids(draft, fields.get("because"), {*rules, NOT_TODAY}),
        repair=_repair(draft, fields.get("repair")),
        implies=_answers(draft, fields.get("implies"), closed=False, chosen=False),
        offers=_options(draft, fields.get("offers")),
        removes=_options(draft, fields.get("removes")),
        not_relevant=_variables(draft, fields.get("not relevant")),
        proposes=_answers(draft, fields.get("proposes"), closed=False),
        completes=_answers(draft, fields.get("completes"), closed=False, chosen=False),
        lines=_lines(draft, fields.get("lines"), charges),
        no_lines=_ids(draft, fields.get("no lines"), charges),
        net=fields.money("net"),
        price=fields.money("price"),
        lowest=fields.money("lowest"),
        guards=_ids(draft, fields.get("guards"), guards),
        count=_count(draft, fields),
        span=item.span,
    )


def _answers(draft: Draft, node: Node | None, *, closed: bool, chosen: bool = True) -> Pairs | None:
    if node is None:
        return None
    found: dict[str, str] = {}
    for key, value in mapping(draft, node):
        for slot, answer in slots_of(draft, key, value, closed=closed, chosen=chosen) or ():
            found[slot] = answer
    return tuple(found.items())


def _repair(draft: Draft, node: Node | None) -> tuple[tuple[str, str | None], ...] | None:
    """What a repair changes: answers, or ``open`` where the question is asked again."""
    if node is None:
        return None
    found: dict[str, str | None] = {}
    for key, value in mapping(draft, node):
        name, _, part = key.text.partition(".")
        declared = draft.scope.names.get(name)
        reopened = (
            isinstance(value, Scalar)
            and value.text == OPEN
            and declared is not None
            and declared.kind not in ("context", "computed", "text")
            and OPEN not in declared.values
            and (declared.kind != "several of" or part in declared.values)
        )
        if reopened:
            found[key.text] = None
            continue
        found.update(slots_of(draft, key, value, closed=False) or ())
    return tuple(found.items())


def _context(draft: Draft, node: Node | None) -> Pairs:
    found = []
    for key, value in mapping(draft, node):
        declared = draft.scope.names.get(key.text)
        if declared is None or declared.kind != "context":
            offered = [each.id for each in draft.scope.names.values() if each.kind == "context"]
            draft.stop_unknown("unknown-name/context", key.span, key.text, offered)
            continue
        word = scalar(draft, value)
        if word is None:
            continue
        if word.text not in declared.values:
            offered = list(declared.values)
            draft.stop_unknown("unknown-value", word.span, word.text, offered, variable=key.text)
            continue
        found.append((key.text, word.text))
    return tuple(found)


def _ids(draft: Draft, node: Node | None, known: set[str]) -> tuple[str, ...] | None:
    if node is None:
        return None
    found = []
    for word in strings(draft, node):
        name = word.text.partition("#")[0]
        if name in known or name.startswith("limits:"):
            found.append(word.text)
        elif name not in draft.scope.pending:
            draft.stop_unknown("unknown-name/cited", word.span, word.text, sorted(known))
    return tuple(found)


def _options(draft: Draft, node: Node | None) -> tuple[tuple[str, tuple[str, ...]], ...] | None:
    if node is None:
        return None
    found = []
    for key, value in mapping(draft, node):
        declared = draft.scope.names.get(key.text)
        if declared is None:
            if key.text.partition("[")[0] not in draft.scope.pending:
                draft.stop_unknown("unknown-name", key.span, key.text, draft.scope.names)
            continue
        words = []
        for word in strings(draft, value):
            known = word.text in declared.values or not declared.values
            if known or (word.text == "none" and declared.optional):
                words.append(word.text)
            else:
                draft.stop_unknown(
                    "unknown-value",
                    word.span,
                    word.text,
                    declared.values,
                    variable=declared.id,
                )
        found.append((declared.id, tuple(words)))
    return tuple(found)


def _variables(draft: Draft, node: Node | None) -> tuple[str, ...] | None:
    if node is None:
        return None
    found = []
    for word in strings(draft, node):
        if word.text in draft.scope.names:
            found.append(word.text)
        elif word.text.partition("[")[0] not in draft.scope.pending:
            draft.stop_unknown("unknown-name", word.span, word.text, draft.scope.names)
    return tuple(found)


def _lines(
    draft: Draft, node: Node | None, charges: set[str]
) -> tuple[tuple[str, int], ...] | None:
    if node is None:
        return None
    found = []
    for key, value in mapping(draft, node):
        if key.text not in charges:
            if key.text.partition("[")[0] not in draft.scope.pending:
                draft.stop_unknown("unknown-name/charge", key.span, key.text, sorted(charges))
            continue
        amount = scalar(draft, value)
        cents = money(draft, amount) if amount is not None else None
        if cents is not None:
            found.append((key.text, cents))
    return tuple(found)


def _count(draft: Draft, fields: Fields) -> int | None:
    text = fields.scalar("count")
    if text is None:
        return None
    digits = text.text.replace("_", "")
    if not re.fullmatch(r"\d{1,4000}", digits):
        draft.report.stop("type-mismatch/number", text.span, word=text.text)
        return None
    return int(digits)

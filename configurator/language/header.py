"""What a product says of itself: name, languages, facts, context and steps."""

from __future__ import annotations

import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from configurator.language.draft import Draft
from configurator.language.fields import (
    METADATA,
    Fields,
    check_id,
    mapping,
    scalar,
    sequence,
    strings,
)
from configurator.language.nodes import Mapping, Node, Scalar, Sequence
from configurator.language.scope import Declared
from configurator.language.texts import LANGUAGE
from configurator.model.choice import NO, YES
from configurator.model.diagnostic import Span
from configurator.model.product import ContextVariable, FactType, Step, Value
from configurator.model.text import Text

PRODUCT_KEYS = frozenset(
    ("product", "name", "language", "languages", "owner", "time zone", "description", "picture")
)
PRODUCT_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(slots=True)
class Header:
    """The scalars at the top of a product."""

    id: str
    name: Node | None
    owner: str | None
    time_zone: str
    description: Node | None
    picture: str | None
    span: Span


def read_header(draft: Draft, entries: dict[str, Node], place: Span) -> Header:
    """Read the product's own keys and set the languages its texts are in."""
    top = Mapping(place.file, place.line, place.column, [], False, place.line)
    fields = Fields(draft, top, PRODUCT_KEYS)
    fields.of = dict(entries)
    for key in ("product", "name"):
        fields.must(key, "product.yaml")
    product = fields.scalar("product")
    if product is not None and not PRODUCT_ID.fullmatch(product.text):
        draft.report.stop("bad-id/product", product.span, word=product.text)
    _languages(draft, fields)
    zone = fields.scalar("time zone")
    if zone is not None and not _is_zone(zone.text):
        draft.report.stop("unknown-value/zone", zone.span, word=zone.text)
    return Header(
        id=product.text if product else "",
        name=fields.get("name"),
        owner=fields.string("owner"),
        time_zone=zone.text if zone else "Europe/Madrid",
        description=fields.get("description"),
        picture=_picture(draft, fields),
        span=product.span if product else place,
    )


def _picture(draft: Draft, fields: Fields) -> str | None:
    node = fields.scalar("picture")
    if node is None or node.text in draft.files:
        return node.text if node is not None else None
    drawings = [name for name in sorted(draft.files) if name.endswith(".svg")]
    draft.stop_unknown("unknown-file/picture", node.span, node.text, drawings)
    return None


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _languages(draft: Draft, fields: Fields) -> None:
    own = fields.scalar("language")
    listed = strings(draft, fields.get("languages"))
    for each in [*listed, *([own] if own else [])]:
        if not LANGUAGE.fullmatch(each.text):
            draft.report.stop("unknown-value/language", each.span, word=each.text)
    language = own.text if own else (listed[0].text if listed else "en")
    draft.texts.language = language
    draft.texts.languages = tuple(dict.fromkeys((language, *(each.text for each in listed))))


def read_facts(draft: Draft, sections: list[Mapping]) -> list[tuple[FactType, Node | None]]:
    """The section ``attributes``: facts with unit and decimals; names are read later."""
    reserved = {"name", "help", "price", "irreversible", "length", "weekday", "month", "year"}
    reserved |= METADATA | {"type", "range", "step", "unit", "default", "values", "times", "show"}
    found = []
    for section in sections:
        for key, node in section.entries:
            name = check_id(draft, key)
            if name is None:
                continue
            if name in reserved:
                draft.report.stop("reserved-word", key.span, word=name)
                continue
            known = draft.scope.facts.get(name)
            if known is not None:
                file, line = known.span.file, known.span.line
                draft.report.stop("duplicate-id", key.span, id=name, file=file, line=line)
                continue
            fields = Fields(draft, node, frozenset({"name", "unit", "decimals", "type"}))
            decimals = fields.scalar("decimals")
            places = 0
            if decimals is not None and re.fullmatch(r"\d", decimals.text):
                places = int(decimals.text)
            elif decimals is not None:
                draft.report.stop("type-mismatch/decimals", decimals.span, word=decimals.text)
            kind = fields.word("type", ("number", "yes or no"))
            fact = FactType(
                name, None, fields.string("unit"), places, kind == "yes or no", key.span
            )
            draft.scope.facts[name] = fact
            found.append((fact, fields.get("name")))
    return found


def read_context(draft: Draft, sections: list[Mapping]) -> tuple[ContextVariable, ...]:
    """The section ``context``: what the shop tells, and what holds if it does not."""
    found = []
    for section in sections:
        for key, node in section.entries:
            name = check_id(draft, key)
            if name is None:
                continue
            known = draft.scope.names.get(name)
            if known is not None:
                file, line = known.span.file, known.span.line
                draft.report.stop("duplicate-id", key.span, id=name, file=file, line=line)
                continue
            keys = frozenset({"values", "type", "if missing", "name"})
            fields = Fields(draft, node, keys)
            yes_or_no = fields.word("type", ("one of", "yes or no")) == "yes or no"
            declared = Declared(name, "context", "yes or no" if yes_or_no else "symbol", key.span)
            draft.scope.names[name] = declared
            values = (YES, NO) if yes_or_no else _context_values(draft, fields, name)
            declared.flawed = not values
            for value in values:
                declared.values[value] = Value(value, Text.of({draft.texts.language: value}))
            missing = fields.must("if missing", name)
            word = scalar(draft, missing)
            if word is None:
                continue
            if values and word.text not in values:
                draft.stop_unknown("unknown-value", word.span, word.text, values, variable=name)
                continue
            found.append(ContextVariable(name, values, word.text, key.span))
    return tuple(found)


def _context_values(draft: Draft, fields: Fields, name: str) -> tuple[str, ...]:
    node = fields.must("values", name)
    if node is None:
        return ()
    keys = (
        strings(draft, node)
        if isinstance(node, Sequence)
        else [key for key, _ in mapping(draft, node)]
    )
    return tuple(dict.fromkeys(key.text for key in keys if check_id(draft, key)))


def read_steps(
    draft: Draft, sections: list[Sequence], every: tuple[str, ...], span: Span
) -> tuple[Step, ...]:
    """The section ``steps``; a folder without one asks everything on one page."""
    found: list[Step] = []
    ids: dict[str, Span] = {}
    asked: dict[str, Span] = {}
    if not sections:
        name = draft.texts.plain("Options", "steps.all.name", span)
        if draft.texts.language[:2] == "es":
            name = draft.texts.plain("Opciones", "steps.all.name", span)
        return (Step("all", name, every, span=span),)
    for section in sections:
        for item in sequence(draft, section):
            keys = frozenset({"id", "name", "ask", "help"})
            fields = Fields(draft, item, keys)
            key = scalar(draft, fields.must("id", "steps"))
            if key is None or check_id(draft, key) is None:
                continue
            if key.text in ids:
                first = ids[key.text]
                draft.report.stop(
                    "duplicate-id", key.span, id=key.text, file=first.file, line=first.line
                )
                continue
            ids[key.text] = key.span
            place = f"steps.{key.text}"
            name = draft.texts.read(fields.get("name"), f"{place}.name") or draft.texts.plain(
                key.text, f"{place}.name", key.span
            )
            ask = _asked(draft, fields.must("ask", key.text), asked)
            text = draft.texts.read(fields.get("help"), f"{place}.help")
            found.append(Step(key.text, name, ask, text, key.span))
    return tuple(found)


def _asked(draft: Draft, node: Node | None, asked: dict[str, Span]) -> tuple[str, ...]:
    names = []
    for word in strings(draft, node):
        declared = draft.scope.names.get(word.text)
        if declared is None or declared.kind == "context":
            if word.text not in draft.scope.pending:
                variables = [
                    each.id for each in draft.scope.names.values() if each.kind != "context"
                ]
                meant = draft.stop_unknown("unknown-name/step", word.span, word.text, variables)
                if meant is not None:
                    draft.misspelt.add(meant)
        elif word.text in asked:
            first = asked[word.text]
            draft.report.stop(
                "duplicate-id/asked", word.span, id=word.text, file=first.file, line=first.line
            )
        else:
            asked[word.text] = word.span
            names.append(word.text)
    return tuple(names)


def named(draft: Draft, node: Node | None, key: str, otherwise: str, span: Span) -> Text:
    """The text under ``node``, or ``otherwise`` in the author's language."""
    if node is not None and not (isinstance(node, Scalar) and node.empty):
        found = draft.texts.read(node, key)
        if found is not None:
            return found
    return draft.texts.plain(otherwise, key, span)

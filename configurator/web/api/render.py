"""Products, sessions, refusals and events as the JSON that the API answers with."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import orjson
from flask import Response

from configurator.catalogue import Release
from configurator.model.choice import Choices
from configurator.model.product import NumberRange, Product, Value, Variable
from configurator.model.text import Text
from configurator.session import Refusal, Session
from configurator.trail import Event, encode_checked

Json = dict[str, Any]


def answered(data: Json, headers: dict[str, str]) -> Response:
    """The response for an act: as the schema says, written out at once. A view is large
    and canonical already, and going through it field by field would take longer than
    everything else that is done for the answer."""
    return Response(encode_checked(data), headers=headers, mimetype="application/json")


def text_json(text: Text) -> dict[str, str]:
    """A text by language."""
    return dict(text.translations)


def decimal(number: Fraction, decimals: int) -> str:
    """An exact number as a plain decimal."""
    scaled = number * 10**decimals
    whole = round(scaled)
    sign, digits = ("-" if whole < 0 else ""), str(abs(whole)).rjust(decimals + 1, "0")
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}" if decimals else sign + digits


def summary_json(release: Release) -> Json:
    """A product in the list."""
    return {
        "id": release.product_id,
        "name": text_json(release.name),
        "release": {"digest": release.digest, "number": release.number},
    }


def product_json(release: Release, product: Product) -> Json:
    """A product with everything a client needs to draw it in any of its languages."""
    data = summary_json(release) | {
        "languages": list(product.languages),
        "context": [
            {"id": each.id, "values": list(each.values), "if_missing": each.if_missing}
            for each in product.context
        ],
        "steps": [
            {"id": step.id, "name": text_json(step.name), "ask": list(step.ask)}
            for step in product.steps
        ],
        "variables": [_variable(each) for each in product.variables],
        "guards": [
            {
                "id": guard.id,
                "level": guard.level,
                "at": guard.at,
                "say": text_json(guard.say),
                "reasons": [text_json(reason) for reason in guard.reasons],
            }
            for guard in product.guards
        ],
        "rules": [
            {"id": rule, "because": text_json(because)} for rule, because in _reasons(product)
        ],
        "lines": [
            {"id": line.id, "name": text_json(line.name)}
            for line in (product.prices.lines if product.prices else ())
        ],
    }
    if product.description is not None:
        data["description"] = text_json(product.description)
    if product.prices is not None:
        data["currency"] = product.prices.currency
    return data


def _reasons(product: Product) -> Iterator[tuple[str, Text]]:
    """Every reason, by the id that origins and conflicts name."""
    found = [(rule.id, rule.because) for rule in product.rules]
    for table in product.tables:
        found.append((table.id, table.because))
        found += [(f"{table.id}#{row.id}", row.because) for row in table.rows if row.id]
    for name, because in found:
        if because is not None:
            yield name, because


def _variable(variable: Variable) -> Json:
    data: Json = {
        "id": variable.id,
        "name": text_json(variable.name),
        "kind": variable.kind,
        "optional": variable.optional,
        "show": variable.show,
        "values": [_value(value) for value in variable.values],
    }
    if variable.unit is not None:
        data["unit"] = variable.unit
    if variable.number is not None:
        data["number"] = _range(variable.number)
    if variable.days is not None:
        data["days"] = {"first": _day(variable.days.first), "last": _day(variable.days.last)}
    if variable.several is not None:
        data["several"] = {
            "pick": list(variable.several.pick),
            "each": list(variable.several.each),
        }
        if variable.several.pieces is not None:
            data["several"]["pieces"] = list(variable.several.pieces)
    if variable.text is not None:
        data["text"] = {
            "length": list(variable.text.length),
            "letters": variable.text.letters,
        }
    if variable.price_each is not None:
        data["price_each"] = variable.price_each
    if variable.ask_always:
        data["ask"] = "always"
    if variable.doubts:
        data["doubts"] = [
            {"ask": text_json(each.ask), "answer": text_json(each.answer)}
            | ({} if each.when is None else {"sometimes": True})
            for each in variable.doubts
        ]
    for key, text in (("help", variable.help), ("irreversible", variable.irreversible)):
        if text is not None:
            data[key] = text_json(text)
    return data


def _value(value: Value) -> Json:
    data: Json = {"id": value.id, "name": text_json(value.name)}
    if value.price is not None:
        data["price"] = value.price
    for key, text in (("help", value.help), ("irreversible", value.irreversible)):
        if text is not None:
            data[key] = text_json(text)
    return data


def _range(numbers: NumberRange) -> Json:
    return {
        "low": decimal(numbers.low, numbers.decimals),
        "high": decimal(numbers.high, numbers.decimals),
        "step": decimal(numbers.step, numbers.decimals),
    }


def _day(day: object) -> object:
    return day if isinstance(day, int) else str(day)


def choices_json(choices: Choices) -> list[Json]:
    """Choices as objects, oldest first."""
    return [{"slot": choice.slot, "answer": choice.answer} for choice in choices]


def session_json(session: Session, view: bytes | None = None) -> Json:
    """A session as it stands after its event ``seq``. Where the canonical bytes of its
    ``view`` are given, they are in the place of the view: for ``answered`` alone."""
    return {
        "session_id": session.session_id,
        "code": session.code,
        "product": session.product_id,
        "release": session.release,
        "day": session.day.isoformat(),
        "language": session.locale,
        "status": session.status,
        "seq": session.seq,
        "hash": session.hash,
        "choices": choices_json(session.choices),
        "context": choices_json(session.context),
        "can_undo": session.can_undo,
        "can_redo": session.can_redo,
        "acknowledged": session.acknowledged,
        "view": session.view if view is None else orjson.Fragment(view),
    }


def refusal_json(refusal: Refusal, product: Product) -> Json:
    """A refusal with the reasons of its rules and the repairs, numbered for accepting."""
    conflict = refusal.conflict
    data: Json = {
        "wanted": {"slot": refusal.wanted.slot, "answer": refusal.wanted.answer},
        "conflict": {
            "choices": choices_json(conflict.choices),
            "rules": [_rule(product, rule) for rule in conflict.rules],
            "context": choices_json(conflict.context),
        },
        "repairs": [
            {
                "index": index,
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
                "choices": choices_json(repair.choices),
                **_money("lowest", repair.lowest_total),
                **_money("difference", repair.difference),
            }
            for index, repair in enumerate(refusal.repairs)
        ],
    }
    if refusal.seq is not None:
        data["seq"] = refusal.seq
    return data


def _rule(product: Product, rule: str) -> Json:
    because = product.because(rule)
    return {"id": rule} if because is None else {"id": rule, "because": text_json(because)}


def _money(name: str, cents: int | None) -> Json:
    return {} if cents is None else {name: cents}


def event_json(event: Event) -> Json:
    """An event of the customer's own trail; staff appear by their room, not by name."""
    data: Json = {
        "event_id": event.event_id,
        "seq": event.seq,
        "kind": event.kind,
        "version": event.version,
        "at": event.server_time,
        "actor": event.actor.partition(":")[0],
        "release": event.release,
        "engine_version": event.engine_version,
        "language": event.locale,
        "payload": event.payload,
        "view_digest": event.view_digest,
        "previous_hash": event.previous_hash,
        "hash": event.hash,
    }
    if event.change is not None:
        data["change"] = event.change
    return data

"""Answers as merchandisers write them, turned into the text the engine knows.

Used by defaults, suggestions and scenarios: ids, plain decimals, ISO days, ``yes`` and
``no``, and one slot per value of a several-of (see ``model.choice``).
"""

from __future__ import annotations

from fractions import Fraction

from configurator.language.draft import Draft
from configurator.language.fields import NUMBER, day, number, scalar
from configurator.language.nodes import Mapping, Node, Scalar, Sequence
from configurator.language.scope import Declared
from configurator.language.terms import offers_day, offers_number, plain
from configurator.model.choice import NONE


def answer_of(draft: Draft, declared: Declared, node: Node) -> str | None:
    """The answer ``node`` gives to one slot, or ``None`` after a diagnostic."""
    text = scalar(draft, node)
    if text is None:
        return None
    word = text.text
    if word == NONE and declared.kind != "several of":
        if not declared.optional and not declared.flawed:
            draft.report.stop("unknown-value/none", text.span, variable=declared.id)
            return None
        return NONE
    if declared.kind == "text":
        return _text(draft, declared, text)
    if declared.sort == "date":
        return _day(draft, declared, text)
    if declared.sort == "number":
        return _number(draft, declared, text)
    if declared.sort == "yes or no" and word not in ("yes", "no"):
        draft.report.stop("type-mismatch/yes", text.span, word=word)
        return None
    if declared.sort == "symbol" and word not in declared.values:
        if not declared.flawed:
            draft.stop_unknown(
                "unknown-value", text.span, word, declared.values, variable=declared.id
            )
        return None
    return word


def _text(draft: Draft, declared: Declared, text: Scalar) -> str | None:
    limits, letters = declared.text, len(text.text)
    if limits is not None and not limits.length[0] <= letters <= limits.length[1]:
        low, high = limits.length
        draft.report.stop(
            "unknown-value/length",
            text.span,
            variable=declared.id,
            letters=letters,
            low=low,
            high=high,
        )
        return None
    return text.text


def _day(draft: Draft, declared: Declared, text: Scalar) -> str | None:
    found = day(draft, text.text, text.span)
    if found is None or not offers_day(draft, declared, found, text.span):
        return None
    return found.isoformat()


def _number(draft: Draft, declared: Declared, text: Scalar) -> str | None:
    found = number(draft, text)
    if found is None:
        return None
    if not offers_number(draft, declared, found, text.span):
        return None
    return declared.numbers.get(found) or plain(found)


def quantities_of(
    draft: Draft, declared: Declared, node: Node, *, closed: bool
) -> list[tuple[str, str]] | None:
    """``{rack: 2}``, ``[rack, bell]`` or ``none`` as slots and quantities.

    A name alone takes as few as may be taken. With ``closed``, the values that are not
    named are 0.
    """
    wanted: dict[str, str] = {}
    if isinstance(node, Mapping):
        entries: list[tuple[Scalar, Node | None]] = list(node.entries)
    elif isinstance(node, Sequence):
        entries = [(each, None) for each in node.items if isinstance(each, Scalar)]
    elif isinstance(node, Scalar) and (node.text == NONE or node.text == ""):
        entries = []
    else:
        entries = [(node, None)]
    for key, value in entries:
        if key.text not in declared.values:
            if not declared.flawed:
                draft.stop_unknown(
                    "unknown-value",
                    key.span,
                    key.text,
                    declared.values,
                    variable=declared.id,
                )
            return None
        quantity = _least(declared) if value is None else _quantity(draft, declared, value)
        if quantity is None:
            return None
        wanted[key.text] = quantity
    if closed:
        return [(f"{declared.id}.{value}", wanted.get(value, "0")) for value in declared.values]
    return [(f"{declared.id}.{value}", quantity) for value, quantity in wanted.items()]


def _least(declared: Declared) -> str:
    """The smallest quantity of a kind that is taken."""
    return str(max(declared.several.each[0], 1) if declared.several else 1)


def _quantity(draft: Draft, declared: Declared, node: Node) -> str | None:
    text = scalar(draft, node)
    if text is None:
        return None
    if text.text in ("yes", "no"):
        return _least(declared) if text.text == "yes" else "0"
    least, highest = int(_least(declared)), declared.several.each[1] if declared.several else 1
    if NUMBER.fullmatch(text.text):
        found = Fraction(text.text)
        if found == 0 or (found.denominator == 1 and least <= found <= highest):
            return str(found.numerator)
    if not declared.flawed:
        draft.report.stop(
            "unknown-value/range",
            text.span,
            word=text.text,
            variable=declared.id,
            low=str(declared.several.each[0] if declared.several else 0),
            high=str(highest),
        )
    return None


def slots_of(
    draft: Draft, key: Scalar, node: Node, *, closed: bool, chosen: bool = True
) -> list[tuple[str, str]] | None:
    """The answers under one key: a variable, or one value of a several-of (``extras.rack``).

    ``chosen``: the customer answers it, so it cannot be computed or told by the shop.
    """
    name, _, part = key.text.partition(".")
    declared = draft.scope.names.get(name)
    if declared is None:
        name_of_part = name.partition("[")[0]
        if name not in draft.scope.pending and name_of_part not in draft.scope.pending:
            draft.stop_unknown("unknown-name", key.span, key.text, draft.scope.names)
        return None
    if declared.kind == "context" or (chosen and declared.kind == "computed"):
        if not declared.flawed:
            draft.report.stop("type-mismatch/answered", key.span, variable=name)
        return None
    if part:
        if declared.kind != "several of" or part not in declared.values:
            draft.stop_unknown("unknown-name/part", key.span, part, declared.values, owner=name)
            return None
        quantity = _quantity(draft, declared, node)
        return None if quantity is None else [(key.text, quantity)]
    if declared.kind == "several of":
        return quantities_of(draft, declared, node, closed=closed)
    answer = answer_of(draft, declared, node)
    return None if answer is None else [(declared.id, answer)]

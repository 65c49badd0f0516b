"""The section ``variables``: first what each one is, then the expressions in it.

Declared in one pass and completed in a second, because expressions may read
variables declared later.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, cast

from configurator.language.defaults import read_defaults
from configurator.language.draft import Draft
from configurator.language.fields import (
    METADATA,
    Fields,
    check_id,
    day,
    number,
    number_of,
    rate,
    scalar,
    sequence,
)
from configurator.language.nodes import Mapping, Node, Scalar
from configurator.language.resolve import read_condition, read_number
from configurator.language.scope import Declared, Sort
from configurator.language.terms import plain
from configurator.language.values import read_values, yes_and_no
from configurator.model.diagnostic import Span
from configurator.model.product import (
    Computed,
    DayRange,
    Doubt,
    Kind,
    NumberRange,
    SeveralOf,
    TextLimits,
    Value,
    Variable,
)

_COMMON = (METADATA - {"status"}) | {
    "name",
    "type",
    "help",
    "doubts",
    "relevant when",
    "default",
    "ask",
    "times",
    "optional",
    "show",
    "irreversible",
    "unit",
}
_KEYS: dict[str, frozenset[str]] = {
    "one of": frozenset({"values", "tax"}),
    "yes or no": frozenset({"price", "tax"}),
    "number": frozenset({"range", "step", "decimals", "price each", "tax"}),
    "date": frozenset({"range"}),
    "several of": frozenset({"values", "pick", "each", "pieces", "tax"}),
    "text": frozenset({"length", "letters"}),
    "computed": frozenset({"compute", "round", "decimals", "lookup"}),
}
_EVERY = _COMMON.union(*_KEYS.values())
_LATER = {
    "sku": "stock",
    "lead days": "lead time",
    "provides": "resources",
    "consumes": "resources",
    "when out of stock": "stock",
    "tiers": "tiers",
    "rows": "tiers",
}
_TYPES = ("one of", "yes or no", "number", "date", "several of", "text")
_SORTS: dict[Kind, Sort] = {
    "one of": "symbol",
    "yes or no": "yes or no",
    "number": "number",
    "date": "date",
    "several of": "several of",
    "text": "text",
    "computed": "number",
}
_DAYS = re.compile(r"(-?\d{1,5})\s*\.\.\s*(-?\d{1,5})\s+days\s+from\s+today")
MOST_NUMBERS = 10_000_000


@dataclass(slots=True)
class Outline:
    """A variable between the two passes."""

    declared: Declared
    key: Scalar
    fields: Fields
    kind: Kind
    values: tuple[Value, ...]
    facts_each: tuple[tuple[str, Fraction], ...] = ()


def declare(draft: Draft, section: list[Mapping]) -> list[Outline]:
    """First pass: every variable's id, type, values and limits."""
    outlines = []
    for part in section:
        for key, node in part.entries:
            outline = _outline(draft, key, node)
            if outline is not None:
                outlines.append(outline)
    return outlines


def _outline(draft: Draft, key: Scalar, node: Node) -> Outline | None:
    name = check_id(draft, key)
    if name is None:
        draft.scope.pending.add(key.text)
        return None
    known = draft.scope.names.get(name)
    if known is not None:
        draft.report.stop(
            "duplicate-id", key.span, id=name, file=known.span.file, line=known.span.line
        )
        return None
    fields = Fields(draft, node, _EVERY, _LATER, facts=True, each=True)
    kind = _kind(fields)
    declared = Declared(name, kind or "one of", _SORTS.get(kind or "one of", "symbol"), key.span)
    draft.scope.names[name] = declared
    if kind is None:
        declared.flawed = True
        return None
    _check_keys(draft, fields, kind)
    # Whatever else it says instead of yes, `none` is meant to be offered.
    declared.optional = "optional" in fields and fields.word("optional", ("yes", "no")) != "no"
    declared.unit = fields.string("unit")
    before = len(draft.report.found)
    outline = Outline(declared, key, fields, kind, ())
    _declare_kind(draft, outline)
    declared.flawed = len(draft.report.found) > before
    return outline


def _kind(fields: Fields) -> Kind | None:
    if "compute" in fields or "lookup" in fields:
        return "computed"
    if "type" in fields:
        return cast(Kind | None, fields.word("type", _TYPES))
    if "values" not in fields and ("range" in fields or "price each" in fields):
        return "number"
    return "one of"


def _check_keys(draft: Draft, fields: Fields, kind: Kind) -> None:
    """Keys of another type: ``range`` on a one-of."""
    allowed = _COMMON | _KEYS[kind]
    if kind == "several of":
        allowed -= {"optional", "unit"}
    if kind == "computed":
        allowed -= {"default", "ask", "optional", "doubts", "irreversible", "times"}
    if not isinstance(fields.node, Mapping):
        return
    for key in tuple(fields.of):
        whose = {"fact:": "yes or no", "each:": "number"}.get(key[:5])
        if (whose is not None and kind != whose) or (whose is None and key not in allowed):
            shown = key.removeprefix("fact:")
            if key.startswith("each:"):
                shown = key.removeprefix("each:") + " each"
            span = next(
                (
                    each.span
                    for each, _ in fields.node.entries
                    if each.text.replace("-", " ").replace("_", " ") == shown.replace("-", " ")
                ),
                fields.node.span,
            )
            if whose == "yes or no" and kind == "number":
                draft.report.stop("unknown-key/each", span, word=shown)
            else:
                draft.report.stop("unknown-key/type", span, word=shown, kind=kind)
            del fields.of[key]


def _declare_kind(draft: Draft, outline: Outline) -> None:
    declared, fields = outline.declared, outline.fields
    match outline.kind:
        case "one of" | "several of":
            outline.values = read_values(draft, outline.declared, fields)
            if outline.kind == "several of":
                declared.several = _several(draft, fields, len(outline.values))
        case "yes or no":
            outline.values = yes_and_no(draft, declared, fields)
        case "number":
            declared.number = _number_range(draft, fields, declared)
            outline.facts_each = _facts_each(draft, fields)
            declared.facts.update((fact, 1) for fact, _ in outline.facts_each)
        case "date":
            declared.days = _day_range(draft, fields, declared)
        case "text":
            length = _pair(draft, fields, "length", (1, 200))
            letters = fields.word("letters", ("latin", "digits", "any")) or "any"
            declared.text = TextLimits(length, cast(Literal["latin", "digits", "any"], letters))
        case "computed":
            declared.decimals = _decimals(draft, fields) or 0
    for value in outline.values:
        declared.values[value.id] = value
        if value.number is not None:
            declared.numbers[value.number] = value.id
        for fact, _ in value.facts:
            declared.facts[fact] = declared.facts.get(fact, 0) + 1
    if declared.numbers and declared.kind == "one of":
        declared.sort = "number"
        declared.decimals = max(_places(number) for number in declared.numbers)


def _facts_each(draft: Draft, fields: Fields) -> tuple[tuple[str, Fraction], ...]:
    """``weight each: 3``: what each unit of a number adds to a fact."""
    found = []
    for fact in draft.scope.facts.values():
        node = scalar(draft, fields.get("each:" + fact.id))
        if node is None:
            continue
        if fact.yes_or_no:
            draft.report.stop("type-mismatch/each", node.span, fact=fact.id)
            continue
        amount = number(draft, node)
        if amount is not None:
            found.append((fact.id, amount))
    return tuple(found)


def _places(value: Fraction) -> int:
    return len(plain(value).partition(".")[2])


def _decimals(draft: Draft, fields: Fields) -> int | None:
    node = fields.scalar("decimals")
    if node is None:
        return None
    if not re.fullmatch(r"\d", node.text):
        draft.report.stop("type-mismatch/decimals", node.span, word=node.text)
        return None
    return int(node.text)


def ends(draft: Draft, node: Scalar) -> tuple[tuple[str, Span], tuple[str, Span]] | None:
    """The two ends of ``a..b`` as written, or ``None`` after a diagnostic."""
    low, dots, high = node.text.partition("..")
    if not dots or not low.strip() or not high.strip():
        draft.report.stop("type-mismatch/ends", node.span, word=node.text)
        return None
    return (low.strip(), node.span), (high.strip(), node.at(len(low) + 2))


def _number_range(draft: Draft, fields: Fields, declared: Declared) -> NumberRange | None:
    if fields.must("range", declared.id) is None:
        return None
    node = fields.scalar("range")
    both = ends(draft, node) if node is not None else None
    if node is None or both is None:
        return None
    low, high = (number_of(draft, text, span) for text, span in both)
    step = fields.number("step")
    if low is None or high is None:
        return None
    written = _decimals(draft, fields)
    needed = max(_places(each) for each in (low, high, step or Fraction(0)))
    decimals = needed if written is None else written
    if needed > decimals:
        draft.report.stop(
            "type-mismatch/more-decimals", node.span, needed=needed, decimals=decimals
        )
        return None
    if step is None:
        step = Fraction(1, 10**decimals)
    if high < low or step <= 0:
        key = "type-mismatch/range" if high < low else "type-mismatch/step"
        draft.report.stop(key, node.span, low=plain(low), high=plain(high))
        return None
    if (high - low) / step >= MOST_NUMBERS:
        draft.report.stop("too-wide", node.span, variable=declared.id, most=MOST_NUMBERS)
        return None
    declared.decimals = decimals
    return NumberRange(low, high, step, decimals)


def _day_range(draft: Draft, fields: Fields, declared: Declared) -> DayRange | None:
    if fields.must("range", declared.id) is None:
        return None
    node = fields.scalar("range")
    if node is None:
        return None
    offsets = _DAYS.fullmatch(node.text.strip())
    if offsets:
        first, last = int(offsets[1]), int(offsets[2])
        if last < first:
            draft.report.stop("type-mismatch/range", node.span, low=str(first), high=str(last))
            return None
        return DayRange(first, last)
    both = ends(draft, node)
    if both is None:
        return None
    if "-" not in node.text and "/" not in node.text:  # days that miss their "from today"
        draft.report.stop("type-mismatch/ends", node.span, word=node.text)
        return None
    days = [day(draft, text, span) for text, span in both]
    if days[0] is None or days[1] is None:
        return None
    if days[1] < days[0]:
        draft.report.stop("type-mismatch/range", node.span, low=str(days[0]), high=str(days[1]))
        return None
    return DayRange(days[0], days[1])


def _pair(draft: Draft, fields: Fields, key: str, default: tuple[int, int]) -> tuple[int, int]:
    """``low..high`` or one whole number, both at least 0."""
    node = fields.scalar(key)
    if node is None:
        return default
    text = node.text.strip()
    whole = re.fullmatch(r"(\d{1,6})(?:\s*\.\.\s*(\d{1,6}))?", text)
    if whole is None:
        draft.report.stop("type-mismatch/ends", node.span, word=text)
        return default
    low, high = int(whole[1]), int(whole[2] or whole[1])
    if high < low:
        draft.report.stop("type-mismatch/range", node.span, low=str(low), high=str(high))
        return default
    return low, high


def _several(draft: Draft, fields: Fields, kinds: int) -> SeveralOf:
    pick = _pair(draft, fields, "pick", (0, kinds))
    if kinds and pick[0] > kinds:
        span = fields.of["pick"].span
        draft.report.stop("type-mismatch/pick", span, kinds=kinds, pick=pick[0])
    each = _pair(draft, fields, "each", (0, 1))
    pieces = _pair(draft, fields, "pieces", (0, 0)) if "pieces" in fields else None
    return SeveralOf((pick[0], min(pick[1], kinds) if kinds else pick[1]), each, pieces)


def complete(draft: Draft, outlines: list[Outline]) -> tuple[Variable, ...]:
    """Second pass: expressions, defaults and sentences."""
    return tuple(_complete(draft, outline) for outline in outlines)


def _complete(draft: Draft, outline: Outline) -> Variable:
    declared, fields, kind = outline.declared, outline.fields, outline.kind
    key = f"variables.{declared.id}"
    texts = draft.texts
    times = read_number(draft, fields.scalar("times"), "background")
    ask = fields.word("ask", ("always",))
    fields.check_metadata()
    return Variable(
        id=declared.id,
        name=texts.read(fields.get("name"), f"{key}.name")
        or texts.plain(declared.id, f"{key}.name", declared.span),
        kind=kind,
        values=tuple(declared.values.values()),
        number=declared.number,
        days=declared.days,
        several=declared.several,
        text=declared.text,
        computed=_computed(draft, outline) if kind == "computed" else None,
        unit=declared.unit,
        optional=declared.optional,
        relevant_when=read_condition(draft, fields.scalar("relevant when"), "background"),
        defaults=read_defaults(draft, declared, fields.get("default")),
        ask_always=ask == "always",
        times=times.term if times else None,
        price_each=fields.money("price each"),
        facts_each=outline.facts_each,
        tax=rate(draft, fields.get("tax")),
        show=cast(
            Literal["never", "result", "ask"],
            fields.word("show", ("never", "result", "ask")) or "ask",
        ),
        help=texts.read(fields.get("help"), f"{key}.help"),
        doubts=_doubts(draft, fields, key),
        irreversible=texts.read(fields.get("irreversible"), f"{key}.irreversible"),
        period=fields.period(),
        span=declared.span,
    )


def _computed(draft: Draft, outline: Outline) -> Computed:
    fields, declared = outline.fields, outline.declared
    rounding = cast(
        Literal["down", "up", "nearest"] | None, fields.word("round", ("down", "up", "nearest"))
    )
    lookup = fields.string("lookup")
    if lookup is not None and "compute" in fields:
        draft.report.stop("missing-key/compute-or-lookup", declared.span, variable=declared.id)
    typed = read_number(draft, fields.scalar("compute"), "background")
    if typed and (found := typed.unlike(declared.unit)):
        node = fields.scalar("compute")
        assert node is not None
        draft.report.stop("unit-mismatch", node.span, left=found[1], right=found[0])
    return Computed(typed.term if typed else None, lookup, rounding, declared.decimals)


def _doubts(draft: Draft, fields: Fields, key: str) -> tuple[Doubt, ...]:
    found = []
    for at, item in enumerate(sequence(draft, fields.get("doubts")), 1):
        doubt = Fields(draft, item, frozenset({"ask", "answer", "when"}))
        ask = draft.texts.read(doubt.must("ask", "doubts"), f"{key}.doubts.{at}.ask")
        answer = draft.texts.read(doubt.must("answer", "doubts"), f"{key}.doubts.{at}.answer")
        if ask is not None and answer is not None:
            condition = read_condition(draft, doubt.scalar("when"), "guard")
            found.append(Doubt(ask, answer, condition))
    return tuple(found)

"""The section ``prices``: what it costs."""

from __future__ import annotations

import re
from fractions import Fraction

from configurator.language.cells import read_cell
from configurator.language.draft import Draft
from configurator.language.fields import (
    METADATA,
    Fields,
    money_of,
    percent,
    rate,
    sequence,
    strings,
)
from configurator.language.header import named
from configurator.language.lookups import Lookup
from configurator.language.nodes import Mapping, Scalar, Sequence
from configurator.language.resolve import read_condition, read_number
from configurator.language.rules import take_id
from configurator.language.sheets import sheet_of
from configurator.language.spreadsheet import plain_number
from configurator.language.tables import empty_cells, read_layout, row_period
from configurator.model.diagnostic import Span
from configurator.model.product import (
    ALWAYS,
    AmountLine,
    PercentLine,
    PriceRow,
    Prices,
    TableRow,
    Variable,
)

_SECTION = frozenset({"currency", "tax", "base", "lines", "minimum", "times"})
_LINE = METADATA | {
    "id",
    "name",
    "amount",
    "table",
    "percent",
    "times",
    "when",
    "minimum",
    "of",
    "group",
    "empty",
    "match",
    "tax",
}
_LATER = {
    "tiers": "tiers",
    "rows": "tiers",
    "kind": "tiers",
    "sheet": "Excel tables",
}
_LATER_SECTION = {"tiers": "tiers", "lead time": "lead time"}
RESERVED_LINES = ("base", "minimum", "all", "tax", "total", "net")


def read_section(draft: Draft, sections: list[Mapping]) -> tuple[Fields | None, list[Mapping]]:
    """The ``prices`` sections of all files as one, ``None`` where there is none, and their
    lines in order, whose ids become known. A key may stand in one of them only, ``lines``
    in all."""
    first: dict[str, Scalar] = {}
    for section in sections:
        for key, _ in section.entries:
            known = first.setdefault(key.text, key)
            if known is not key and key.text != "lines":
                file, line = known.file, known.line
                draft.report.stop("duplicate-id", key.span, id=key.text, file=file, line=line)
    every = [Fields(draft, section, _SECTION, _LATER_SECTION) for section in sections]
    lines = []
    for fields in every:
        for item in sequence(draft, fields.get("lines")):
            if not isinstance(item, Mapping):
                draft.report.stop("type-mismatch/mapping", item.span)
                continue
            lines.append(item)
            for name, value in item.entries:
                if name.text == "id" and isinstance(value, Scalar):
                    draft.scope.prices.add(value.text)
    for fields in every[1:]:
        every[0].of = {**fields.of, **every[0].of}
    return (every[0] if every else None), lines


def read_prices(
    draft: Draft,
    fields: Fields | None,
    lines: list[Mapping],
    variables: tuple[Variable, ...],
) -> Prices | None:
    """The prices, or ``None`` where the folder has none."""
    if fields is None:
        return None
    tax_rate, included = Fraction(0), True
    if "tax" in fields:
        tax = Fields(draft, fields.of["tax"], frozenset({"rate", "included"}))
        tax_rate = rate(draft, tax.must("rate", "tax")) or Fraction(0)
        tax.must("included", "tax")
        included = tax.yes("included")
    currency = fields.scalar("currency")
    if currency is not None and not re.fullmatch(r"[A-Z]{3}", currency.text):
        draft.report.stop("unknown-value/currency", currency.span, word=currency.text)
    times = read_number(draft, fields.scalar("times"), "price")
    return Prices(
        currency=currency.text if currency else "EUR",
        tax_rate=tax_rate,
        tax_included=included,
        base=fields.money("base") or 0,
        lines=_lines(draft, lines, variables),
        minimum=fields.money("minimum"),
        times=times.term if times else None,
    )


def _lines(
    draft: Draft, items: list[Mapping], variables: tuple[Variable, ...]
) -> tuple[AmountLine | PercentLine, ...]:
    found: list[AmountLine | PercentLine] = []
    seen: dict[str, Span] = {}
    charges = {
        variable.id
        for variable in variables
        if variable.price_each is not None
        or any(value.price is not None for value in variable.values)
    }
    for variable in variables:
        if variable.id in charges and variable.id in RESERVED_LINES:
            draft.report.stop("reserved-word/charge", variable.span, word=variable.id)
    charges |= {"base", *draft.scope.prices}
    for item in items:
        fields = Fields(draft, item, _LINE, _LATER)
        key = take_id(draft, fields, seen, "prices")
        if key is None:
            continue
        if key.text in draft.scope.names or key.text in RESERVED_LINES:
            draft.report.stop("duplicate-id/line", key.span, id=key.text)
            continue
        active = fields.active()
        fields.check_metadata()
        line = _line(draft, fields, key, charges)
        if line is not None and active:
            found.append(line)
    percents = {each.id for each in found if isinstance(each, PercentLine)}
    for each in found:
        if isinstance(each, PercentLine):
            for name in each.of:
                if name in percents:
                    draft.report.stop("type-mismatch/percent", each.span, line=name)
    return tuple(found)


def _line(
    draft: Draft, fields: Fields, key: Scalar, charges: set[str]
) -> AmountLine | PercentLine | None:
    ways = [way for way in ("amount", "table", "percent") if way in fields]
    if len(ways) != 1:
        assert isinstance(fields.node, Mapping)
        tiers = any(name.text in ("tiers", "rows") for name, _ in fields.node.entries)
        if tiers:
            draft.texts.read(fields.get("name"), f"prices.lines.{key.text}.name")
        else:
            draft.report.stop("missing-key/line", key.span, line=key.text)
        return None
    name = named(draft, fields.get("name"), f"prices.lines.{key.text}.name", key.text, key.span)
    when = read_condition(draft, fields.scalar("when"), "price")
    if "when" in fields and when is None:
        return None
    if ways == ["percent"]:
        for word in ("times", "minimum", "empty", "match"):
            if word in fields:
                draft.report.stop("unknown-key/not-percent", fields.of[word].span, word=word)
        share = percent(draft, fields.get("percent"))
        of = _of(draft, fields, key, charges)
        if share is None or "of" not in fields:
            return None
        return PercentLine(
            id=key.text,
            name=name,
            percent=share,
            of=of,
            group=fields.string("group"),
            when=when,
            tax=rate(draft, fields.get("tax")),
            period=fields.period(),
            span=key.span,
        )
    for word in ("of", "group"):
        if word in fields:
            draft.report.stop("unknown-key/percent-only", fields.of[word].span, word=word)
    times = read_number(draft, fields.scalar("times"), "price")
    amount = read_number(draft, fields.scalar("amount"), "price")
    if amount is not None and amount.unit not in (None, "€"):
        draft.report.stop("unit-mismatch", fields.of["amount"].span, left="€", right=amount.unit)
    period = fields.period()
    always = when is None and period == ALWAYS
    rows = _table(draft, fields, always) if ways == ["table"] else ()
    if (amount is None and ways == ["amount"]) or rows is None:
        return None
    return AmountLine(
        id=key.text,
        name=name,
        amount=amount.term if amount else None,
        rows=rows,
        times=times.term if times else None,
        when=when,
        minimum=fields.money("minimum"),
        tax=rate(draft, fields.get("tax")),
        first_match=fields.word("match", ("first",)) == "first",
        period=period,
        span=key.span,
    )


def _of(draft: Draft, fields: Fields, key: Scalar, charges: set[str]) -> tuple[str, ...]:
    node = fields.must("of", key.text)
    words = strings(draft, node)
    if isinstance(node, Sequence) and not node.items:
        draft.report.stop("missing-key/empty", node.span)
    if [each.text for each in words] == ["all"]:
        return ()
    names = []
    for word in words:
        if word.text in charges:
            names.append(word.text)
        elif word.text not in draft.scope.pending:
            draft.stop_unknown("unknown-name/charge", word.span, word.text, sorted(charges))
    return tuple(names)


def _table(draft: Draft, fields: Fields, always: bool) -> tuple[PriceRow, ...] | None:
    """A price table: the column ``price`` is charged, all others are read. ``always``: so
    is its line, whatever the day and the answers."""
    node = fields.scalar("table")
    sheet = sheet_of(draft, node) if node is not None else None
    if sheet is None:
        return None
    if "price" not in sheet.columns:
        draft.report.stop("missing-key/column", sheet.place(1, 0), column="price")
        return None
    layout = read_layout(draft, sheet, ("price",))
    index = sheet.columns.index("price")
    empty = empty_cells(fields)
    rows: list[PriceRow] = []
    fit = layout.fit
    for row in sheet.rows:
        conditions = []
        for column in layout.read:
            good, condition = read_cell(draft, sheet, row, column, empty, charged=True)
            fit = fit and good
            if condition is not None:
                conditions.append(condition)
        span = sheet.place(row.line, index)
        text = plain_number(draft.report, sheet, row.cells[index].strip(), span)
        price = money_of(draft, text, span) if text is not None else None
        if price is None:
            fit = False
            continue
        period = row_period(draft, sheet, layout, row)
        rows.append(PriceRow(tuple(conditions), price, period, sheet.place(row.line, 0)))
    if not fit:
        return None
    first_match = fields.word("match", ("first",)) == "first"
    checked = tuple(
        TableRow(row.conditions, (str(row.price),), period=row.period, span=row.span)
        for row in rows
    )
    always = always and all(row.period == ALWAYS for row in rows)
    draft.lookups.append(
        Lookup(checked, first_match, tuple(layout.read), sheet, always, charged=True)
    )
    return tuple(rows)

"""Rules written as tables: which columns are read, set, or belong to the row."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, cast

from configurator.language.cells import Column, Empty, read_cell, read_column
from configurator.language.draft import Draft
from configurator.language.fields import NUMBER, Fields, check_id, day, number_of, strings
from configurator.language.lookups import Lookup, check_listed
from configurator.language.nodes import Mapping, Scalar
from configurator.language.scope import Declared
from configurator.language.sheets import sheet_of
from configurator.language.spreadsheet import Row, Sheet, plain_number
from configurator.language.terms import plain
from configurator.model.expression import Condition
from configurator.model.product import ALWAYS, Period, Table, TableRow, Value
from configurator.model.text import Text

_ROW_COLUMNS = ("id", "from", "until", "because")


@dataclass(slots=True)
class Layout:
    """The columns of a sheet by their use."""

    read: list[Column] = field(default_factory=list)
    sets: list[tuple[int, str]] = field(default_factory=list)
    own: dict[str, int] = field(default_factory=dict)
    fit: bool = True


def read_layout(draft: Draft, sheet: Sheet, sets: tuple[str, ...]) -> Layout:
    """Sort the columns: set, belonging to the row, notes, and all others, which are read."""
    layout = Layout()
    for index, name in enumerate(sheet.columns):
        if not name or name.startswith("#"):
            continue
        if name in sets:
            layout.sets.append((index, name))
        elif name.partition(".")[0] in _ROW_COLUMNS and name not in draft.scope.names:
            layout.own[name] = index
            language = name.partition(".")[2]
            if language and language not in draft.texts.languages:
                known = ", ".join(draft.texts.languages)
                place = sheet.place(1, index)
                draft.report.stop("unknown-key/language", place, word=language, offered=known)
        else:
            column = read_column(draft, sheet, index)
            if column is None:
                layout.fit = False
            else:
                layout.read.append(column)
    return layout


def empty_cells(fields: Fields) -> Empty:
    """What the table says its empty cells mean."""
    return cast(Empty, fields.word("empty", ("any", "none", "same as above")))


def type_lookups(draft: Draft, rules: list[Mapping]) -> None:
    """Give the variables that lookups set their type, before any expression reads them."""
    for rule in rules:
        of = {key.text: node for key, node in rule.entries}
        table, sets = of.get("table"), of.get("sets")
        if not isinstance(table, Scalar) or sets is None or table.empty:
            continue
        sheet = sheet_of(draft, table)
        if sheet is None:
            continue
        for name in strings(draft, sets):
            declared = draft.scope.names.get(name.text)
            if declared and declared.kind == "computed" and name.text in sheet.columns:
                _type_lookup(draft, declared, sheet, sheet.columns.index(name.text))


def _type_lookup(draft: Draft, declared: Declared, sheet: Sheet, index: int) -> None:
    cells = [row.cells[index].strip() for row in sheet.rows]
    said = [cell for cell in cells if cell]
    if not said or any(cell.lstrip("+-")[:1].isdigit() for cell in said):  # no id starts so
        numbers = [cell.replace(",", ".") for cell in said]
        fit = [number for number in numbers if NUMBER.fullmatch(number)]
        places = max((len(number.partition(".")[2]) for number in fit), default=0)
        declared.decimals = max(declared.decimals, places)
    elif all(cell in ("yes", "no") for cell in said):
        declared.sort = "yes or no"
    else:
        declared.sort = "symbol"
        for row, cell in zip(sheet.rows, cells, strict=True):
            if cell and cell not in declared.values:
                span = sheet.place(row.line, index)
                key = f"variables.{declared.id}.values.{cell}.name"
                declared.values[cell] = Value(cell, draft.texts.plain(cell, key, span), span=span)


def read_table(draft: Draft, fields: Fields, rule_id: str, key: Scalar) -> Table | None:
    """The table of one rule, or ``None`` after diagnostics."""
    kind = fields.word("kind", ("allowed", "forbidden", "lookup"))
    fields.must("kind", rule_id)
    node = fields.scalar("table")
    sheet = sheet_of(draft, node) if node is not None else None
    if kind is None or sheet is None or node is None:
        return None
    sets = tuple(each.text for each in strings(draft, fields.get("sets")))
    if (kind == "lookup") != bool(sets):
        draft.report.stop("missing-key/sets", key.span, rule=rule_id)
        return None
    _check_sets(draft, fields, sets, rule_id, sheet)
    match = fields.word("match", ("first",))
    layout = read_layout(draft, sheet, sets)
    if not layout.read and layout.fit:
        draft.report.stop("syntax/empty-table", sheet.place(1, 0))
    because = draft.texts.read(fields.get("because"), f"rules.{rule_id}.because", must="because")
    rows = _rows(draft, sheet, layout, empty_cells(fields))
    if rows is None or not layout.fit:
        return None
    columns = dict.fromkeys(column.subject.names[0] for column in layout.read)
    table = Table(
        id=rule_id,
        kind=cast(Literal["allowed", "forbidden", "lookup"], kind),
        columns=tuple(columns),
        rows=tuple(rows),
        sets=tuple(name for _, name in layout.sets),
        first_match=match == "first",
        because=because,
        why=fields.string("why"),
        owner=fields.string("owner"),
        source=fields.string("source"),
        period=fields.period(),
        span=key.span,
    )
    if kind == "allowed" and rows:
        check_listed(draft, sheet, layout.read, key.span)
    if kind == "lookup":
        always = table.period == ALWAYS and all(row.period == ALWAYS for row in rows)
        read = tuple(layout.read)
        draft.lookups.append(Lookup(table.rows, table.first_match, read, sheet, always, table.sets))
    return table


def _check_sets(
    draft: Draft, fields: Fields, sets: tuple[str, ...], rule_id: str, sheet: Sheet
) -> None:
    for name in strings(draft, fields.get("sets")):
        declared = draft.scope.names.get(name.text)
        if declared is None:
            if name.text not in draft.scope.pending:
                computed = [
                    each.id for each in draft.scope.names.values() if each.kind == "computed"
                ]
                draft.stop_unknown("unknown-name", name.span, name.text, computed)
        elif declared.kind != "computed":
            draft.report.stop("type-mismatch/sets", name.span, variable=name.text, rule=rule_id)
        if name.text not in sheet.columns:
            draft.stop_unknown("unknown-column/sets", name.span, name.text, sheet.columns)


def _rows(draft: Draft, sheet: Sheet, layout: Layout, empty: Empty) -> list[TableRow] | None:
    rows = []
    fit = True
    seen: dict[str, int] = {}
    for row in sheet.rows:
        conditions: list[Condition] = []
        for column in layout.read:
            good, condition = read_cell(draft, sheet, row, column, empty)
            fit = fit and good
            if condition is not None:
                conditions.append(condition)
        sets = tuple(_set_cell(draft, sheet, row, index, name) for index, name in layout.sets)
        identifier = _own(layout, row, "id")
        if identifier and identifier in seen:
            span = sheet.place(row.line, layout.own["id"])
            draft.report.stop("duplicate-id/key", span, id=identifier, line=seen[identifier])
        seen[identifier] = row.line
        rows.append(
            TableRow(
                tuple(conditions),
                sets,
                identifier or str(row.line),
                _because(draft, sheet, layout, row),
                row_period(draft, sheet, layout, row),
                sheet.place(row.line, 0),
            )
        )
    return rows if fit else None


def _own(layout: Layout, row: Row, name: str) -> str:
    index = layout.own.get(name)
    return row.cells[index].strip() if index is not None else ""


def _set_cell(draft: Draft, sheet: Sheet, row: Row, index: int, name: str) -> str:
    span = sheet.place(row.line, index)
    text = row.cells[index].strip()
    if not text:
        draft.report.stop("empty-cell/sets", span, column=name)
        return ""
    declared = draft.scope.names.get(name)
    if declared is None:
        return text
    if declared.sort == "yes or no":
        return "1" if text == "yes" else "0"
    if declared.sort == "symbol":
        word = Scalar(span.file, span.line, span.column, text, True, -1)
        if text in ("*", "-") or "|" in text:
            draft.report.stop("syntax/cell", span, cell=text)
        else:
            check_id(draft, word)
        return text
    written = plain_number(draft.report, sheet, text, span)
    number = None if written is None else number_of(draft, written, span)
    return text if number is None else plain(number)


def _because(draft: Draft, sheet: Sheet, layout: Layout, row: Row) -> Text | None:
    pairs: dict[str, str] = {}
    for name in layout.own:
        base, _, language = name.partition(".")
        text = _own(layout, row, name)
        if base == "because" and text:
            pairs[language or draft.texts.language] = text
            draft.texts.show(text, sheet.place(row.line, layout.own[name]))
    if not pairs:
        return None
    own = draft.texts.language
    if own in pairs:
        pairs = {own: pairs[own], **pairs}
    for language in draft.texts.languages:
        if language not in pairs:
            draft.report.stop(
                "text-missing/column",
                sheet.place(row.line, 0),
                kind="because",
                language=language,
                key=f"because.{language}",
            )
    return Text.of(pairs)


def row_period(draft: Draft, sheet: Sheet, layout: Layout, row: Row) -> Period:
    """The columns ``from`` and ``until`` of a row."""
    days = []
    for name in ("from", "until"):
        text = _own(layout, row, name)
        days.append(day(draft, text, sheet.place(row.line, layout.own[name])) if text else None)
    first, last = days
    if first and last and last < first:
        span = sheet.place(row.line, layout.own["until"])
        draft.report.stop("type-mismatch/period", span, first=str(first), last=str(last))
        return ALWAYS
    return Period(first, last) if first or last else ALWAYS

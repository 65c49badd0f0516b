"""The options of a variable: written inline, or kept in a table."""

from __future__ import annotations

from fractions import Fraction

from configurator.language.draft import Draft
from configurator.language.fields import (
    METADATA,
    NUMBER,
    Fields,
    check_id,
    number,
    scalar,
)
from configurator.language.nodes import Mapping, Node, Scalar
from configurator.language.scope import Declared
from configurator.language.sheets import sheet_of
from configurator.language.spreadsheet import Row, Sheet, plain_number
from configurator.model.product import Value
from configurator.model.text import Text

_KEYS = (METADATA - {"status"}) | {"name", "help", "price", "irreversible"}
_LATER = {
    "sku": "stock",
    "lead days": "lead time",
    "provides": "resources",
    "consumes": "resources",
}


def read_values(draft: Draft, declared: Declared, fields: Fields) -> tuple[Value, ...]:
    """The options under ``values``: a mapping, or the name of a table."""
    node = fields.must("values", declared.id)
    if node is None:
        return ()
    if isinstance(node, Scalar) and not node.empty:
        node = _from_table(draft, declared, node)
        if node is None:
            return ()
    if not isinstance(node, Mapping):
        draft.report.stop("type-mismatch/mapping", node.span)
        return ()
    if not node.entries:
        draft.report.stop("missing-key/values", node.span, variable=declared.id)
    numbers = [NUMBER.fullmatch(key.text) is not None for key, _ in node.entries]
    mixed = any(numbers) and not all(numbers)
    values = []
    seen: dict[Fraction, Scalar] = {}
    for (key, entry), numeric in zip(node.entries, numbers, strict=True):
        if mixed and numeric:
            draft.report.stop("bad-id/mixed", key.span, word=key.text, variable=declared.id)
            continue
        if numeric:
            first = seen.setdefault(Fraction(key.text), key)
            if first is not key:
                draft.report.stop("duplicate-id/key", key.span, id=key.text, line=first.line)
                continue
        elif check_id(draft, key) is None:
            continue
        values.append(_value(draft, declared, key, entry, numeric))
    return tuple(values)


def _value(draft: Draft, declared: Declared, key: Scalar, entry: Node, numeric: bool) -> Value:
    place = f"variables.{declared.id}.values.{key.text}"
    fields = Fields(draft, entry, _KEYS, _LATER, facts=True)
    fields.check_metadata()
    name = draft.texts.read(fields.get("name"), f"{place}.name")
    if name is None:
        name = _unnamed(draft, declared, key, place, numeric)
    return Value(
        id=key.text,
        name=name,
        help=draft.texts.read(fields.get("help"), f"{place}.help"),
        number=Fraction(key.text) if numeric else None,
        price=fields.money("price"),
        facts=read_facts(draft, fields),
        irreversible=draft.texts.read(fields.get("irreversible"), f"{place}.irreversible"),
        period=fields.period(),
        span=key.span,
    )


def _unnamed(draft: Draft, declared: Declared, key: Scalar, place: str, numeric: bool) -> Text:
    """An option without a name is called by its id; a number also by its unit."""
    if not numeric:
        return draft.texts.plain(key.text, f"{place}.name", key.span)
    unit = f" {declared.unit}" if declared.unit else ""
    return Text.of(
        {
            language: (key.text.replace(".", ",") if language[:2] == "es" else key.text) + unit
            for language in draft.texts.languages
        }
    )


def read_facts(draft: Draft, fields: Fields) -> tuple[tuple[str, Fraction], ...]:
    """The facts among the fields, in the order they were declared."""
    found = []
    for fact in draft.scope.facts.values():
        node = fields.get("fact:" + fact.id)
        if node is None:
            continue
        text = scalar(draft, node)
        if text is None:
            continue
        if fact.yes_or_no:
            if text.text not in ("yes", "no"):
                draft.report.stop("type-mismatch/yes", text.span, word=text.text)
                continue
            found.append((fact.id, Fraction(text.text == "yes")))
            continue
        amount = number(draft, text)
        if amount is None:
            continue
        found.append((fact.id, amount))
    return tuple(found)


_YES = {"es": "Sí", "en": "Yes"}
_NO = {"es": "No", "en": "No"}


def yes_and_no(draft: Draft, declared: Declared, fields: Fields) -> tuple[Value, ...]:
    """The two options of a yes or no; price and facts belong to ``yes``, ``no`` has none."""
    facts = read_facts(draft, fields)
    span = declared.span

    def named(words: dict[str, str]) -> Text:
        return Text.of({each: words.get(each[:2], words["en"]) for each in draft.texts.languages})

    return (
        Value("yes", named(_YES), price=fields.money("price"), facts=facts, span=span),
        Value("no", named(_NO), facts=tuple((fact, Fraction(0)) for fact, _ in facts), span=span),
    )


def _from_table(draft: Draft, declared: Declared, node: Scalar) -> Mapping | None:
    """A table of options as the mapping it stands for, so that both are read alike."""
    sheet = sheet_of(draft, node)
    if sheet is None:
        return None
    if "id" not in sheet.columns:
        draft.report.stop("missing-key/column", sheet.place(1, 0), column="id")
        return None
    known = {"id", *_KEYS, *_LATER, *draft.scope.facts}
    offered = ["id", "name", "help", "price", "irreversible", "from", "until", *draft.scope.facts]
    for index, column in enumerate(sheet.columns):
        spoken = column.partition(".")[0] in ("name", "help", "irreversible")
        if column and column not in known and not spoken and not column.startswith("#"):
            draft.stop_unknown("unknown-column/values", sheet.place(1, index), column, offered)
    where = sheet.columns.index("id")
    entries: list[tuple[Scalar, Node]] = []
    seen: dict[str, int] = {}
    for row in sheet.rows:
        place = sheet.place(row.line, where)
        key = Scalar(place.file, place.line, place.column, row.cells[where].strip(), True, -1)
        if key.text in seen:
            draft.report.stop("duplicate-id/key", place, id=key.text, line=seen[key.text])
            continue
        seen[key.text] = row.line
        entries.append((key, _row(draft, sheet, row)))
    return Mapping(sheet.file, 1, 1, entries, False, 1)


def _row(draft: Draft, sheet: Sheet, row: Row) -> Mapping:
    entries: list[tuple[Scalar, Node]] = []
    languages: dict[str, Mapping] = {}
    for index, (column, cell) in enumerate(zip(sheet.columns, row.cells, strict=True)):
        text = cell.strip()
        if column == "id" or column.startswith("#") or not column or not text:
            continue
        if "." not in column and column not in {*_KEYS, *_LATER, *draft.scope.facts}:
            continue
        place = sheet.place(row.line, index)
        key = Scalar(place.file, 1, place.column, column, True, -1)
        base, _, language = column.partition(".")
        if column == "price" or column in draft.scope.facts:
            read = plain_number(draft.report, sheet, text, place)
            if read is None:
                continue
            text = read
        value = Scalar(place.file, place.line, place.column, text, False, -1)
        if language and base in ("name", "help", "irreversible"):
            if base not in languages:
                group = Mapping(place.file, place.line, place.column, [], False, place.line)
                languages[base] = group
                entries.append((Scalar(place.file, 1, place.column, base, True, -1), group))
            spoken = Scalar(place.file, 1, place.column, language, True, -1)
            languages[base].entries.append((spoken, value))
        else:
            entries.append((key, value))
    return Mapping(sheet.file, row.line, 1, entries, False, row.line)

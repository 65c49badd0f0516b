"""Tables kept as CSV: rows of text with positions; what a cell means is read elsewhere."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass

from configurator.language.files import MOST_TABLE_BYTES, decode
from configurator.language.report import Report
from configurator.model.diagnostic import Span

_COMMA = re.compile(r"(?<![\d,])(?<!\d\.)(\d+),(\d+)(?![\d,]|\.\d)")
"""Of ``0,5..1,5`` both, for what stands beside two points is no part of the number."""
_EITHER = re.compile(r"(?<![\d,])(?<!\d\.)[1-9]\d{0,2}\.\d{3}(?![\d,]|\.\d)")
"""``1.234``: with decimals, or with thousands where decimals have a comma."""
_SEPARATOR = re.compile("sep=[,;\t]")
"""A first line for Excel."""
_THOUSANDS = re.compile(r"\d{1,3}(?:\.\d{3})+,\d|\d{1,3}(?:,\d{3})+\.\d|\d,\d{3},\d{3}")


@dataclass(slots=True)
class Row:
    """One row; ``line`` counts from 1, the header being line 1."""

    line: int
    cells: list[str]


@dataclass(slots=True)
class Sheet:
    """A CSV file: header and rows of its width. Note columns are still there."""

    file: str
    columns: list[str]
    rows: list[Row]
    decimal_comma: bool
    unfit: list[Row]
    """Rows of another width; the mistakes are in the report."""

    def place(self, line: int, column: int) -> Span:
        """The place of a cell: its line, and the number of its column."""
        return Span(self.file, max(line, 1), column + 1)


def read_csv(report: Report, file: str, content: bytes) -> Sheet | None:
    """Read a table separated by comma, semicolon or tab; ``None`` after diagnostics."""
    text = decode(report, file, content, MOST_TABLE_BYTES)
    if text is None:
        return None
    first, _, rest = text.partition("\n")
    if _SEPARATOR.fullmatch(first):
        delimiter, text = first[4], f"\n{rest}"
    else:
        delimiter = next((each for each in (";", "\t") if each in first), ",")
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    columns: list[str] = []
    rows: list[Row] = []
    unfit: list[Row] = []
    line = 1
    try:
        for cells in reader:
            start, line = line, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if not columns:
                columns = [cell.strip() for cell in cells]
                _check_header(report, file, start, columns)
                continue
            if len(cells) != len(columns):
                span = Span(file, start, min(len(cells), len(columns)) + 1)
                report.stop("syntax/cells", span, cells=len(cells), columns=len(columns))
                unfit.append(Row(start, cells))
                continue
            rows.append(Row(start, cells))
    except csv.Error:
        report.stop("syntax/csv", Span(file, reader.line_num, 1))
        return None
    if not columns:
        report.stop("syntax/empty-table", Span(file, 1, 1))
        return None
    return Sheet(file, columns, rows, delimiter == ";", unfit)


def _check_header(report: Report, file: str, line: int, columns: list[str]) -> None:
    seen: set[str] = set()
    for index, name in enumerate(columns):
        span = Span(file, line, index + 1)
        if not name:
            report.stop("unknown-column/unnamed", span)
        elif name in seen and not name.startswith("#"):
            report.stop("duplicate-id/column", span, id=name)
        seen.add(name)


def plain_number(report: Report, sheet: Sheet, text: str, span: Span) -> str | None:
    """A cell with decimal commas rewritten as points where the file allows them."""
    if _THOUSANDS.search(text):
        report.stop("thousands", span, cell=text)
        return None
    either = _EITHER.search(text) if sheet.decimal_comma else None
    if either is not None:
        whole, comma = either[0].replace(".", ""), either[0].replace(".", ",")
        report.stop("thousands/either", span, cell=either[0], whole=whole, comma=comma)
        return None
    if "," not in text:
        return text
    if sheet.decimal_comma:
        return _COMMA.sub(r"\1.\2", text)
    if _COMMA.search(text):
        report.stop("syntax/comma", span, write=_COMMA.sub(r"\1.\2", text))
        return None
    return text

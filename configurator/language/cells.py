"""Cells of tables: what one says about its column, as a condition."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from configurator.language import syntax
from configurator.language.draft import Draft
from configurator.language.fields import OTHER_DAY
from configurator.language.nodes import Scalar
from configurator.language.resolve import Resolver
from configurator.language.spreadsheet import Row, Sheet, plain_number
from configurator.language.terms import Typed, UnresolvedError
from configurator.model import expression as model

_ZERO = Fraction(0)

Empty = Literal["any", "none", "same as above"] | None

_TEST = re.compile(r"(<=|>=|!=|<>|==|=|<|>|≤|≥|≠)\s*(.+)")
_ATOM = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})|(?P<sign>[+-]?)(?P<number>\d+(\.\d+)?)(\s*(?P<unit>[^\W\d]\w*|%|€))?"
    r"|(?P<name>[^\W\d]\w*(-\w+)*)"
)


@dataclass(slots=True)
class Column:
    """A column that is read: its place in the sheet, its header as a term.

    ``said`` is the cell of each row so far, empty ones as the table says they are meant.
    """

    index: int
    subject: syntax.Path
    typed: Typed
    cells: dict[str, model.Condition | None] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)


def read_column(draft: Draft, sheet: Sheet, index: int) -> Column | None:
    """The column whose header is a variable, a fact (``panel.load``) or a quantity."""
    header = sheet.columns[index]
    span = sheet.place(1, index)
    source = Scalar(span.file, span.line, span.column, header, True, -1)
    try:
        tree = draft.parser.parse(header)
    except syntax.ExpressionError:
        tree = None
    if not isinstance(tree, syntax.Path):
        draft.stop_unknown("unknown-column", span, header, draft.scope.names)
        return None
    name = tree.names[0]
    if name not in draft.scope.names and name not in draft.scope.pending:
        draft.stop_unknown("unknown-column", span, header, draft.scope.names)
        return None
    try:
        return Column(index, tree, Resolver(draft, source, "rule").term(tree))
    except UnresolvedError:
        return None


def read_cell(
    draft: Draft, sheet: Sheet, row: Row, column: Column, empty: Empty, *, charged: bool = False
) -> tuple[bool, model.Condition | None]:
    """Whether the cell is fit, and its condition (``None``: anything). ``charged``: it is one
    of a price table."""
    text = row.cells[column.index].strip()
    if not text and empty is not None:
        above = column.said[-1] if column.said else ""
        text = {"any": "*", "none": "none", "same as above": above}[empty]
    column.said.append(text)
    if text in column.cells:
        return True, column.cells[text]
    span = sheet.place(row.line, column.index)
    header = sheet.columns[column.index]
    if text in ("", "-", "–", "—"):
        key = "empty-cell/dash" if text else "empty-cell"
        draft.report.stop(key, span, column=header)
        return False, None
    if text == "*":
        column.cells[text] = None
        return True, None
    written = plain_number(draft.report, sheet, text, span)
    if written is None:
        return False, None
    source = Scalar(span.file, span.line, span.column, written, True, -1)
    tree = _test(written, column.subject)
    if tree is None:
        slashed = OTHER_DAY.search(text) if column.typed.sort == "date" else None
        if slashed is not None:
            draft.report.stop("type-mismatch/date", span, word=slashed[0])
        else:
            draft.report.stop("syntax/cell", span, cell=text)
        return False, None
    if column.typed.sort == "several of" and _by_order(tree):
        name = column.subject.names[0]
        draft.report.stop("type-mismatch/several-cell", span, cell=text, variable=name)
        return False, None
    try:
        condition = _condition(Resolver(draft, source, "rule", cell=True), tree, column, charged)
    except UnresolvedError:
        return False, None
    column.cells[text] = condition
    return True, condition


def _test(text: str, subject: syntax.Path) -> syntax.Comparison | syntax.Membership | None:
    negated = False
    if re.match(r"not\s", text):
        negated, text = True, text[4:].strip()
    test = _TEST.fullmatch(text)
    if test is not None:
        atom = _atom(test[2])
        if atom is None or negated:
            return None
        operator = {"==": "=", "<>": "!=", "≠": "!=", "≤": "<=", "≥": ">="}.get(test[1], test[1])
        return syntax.Comparison(0, operator, subject, atom)
    items: list[syntax.Syntax] = []
    for piece in text.split("|"):
        low, dots, high = piece.partition("..")
        ends = [_atom(end) if end.strip() else None for end in (low, high)]
        missing = any(end.strip() and ends[at] is None for at, end in enumerate((low, high)))
        if missing or (ends[0] is None and ends[1] is None):
            return None
        if dots:
            items.append(syntax.Range(0, ends[0], ends[1]))
        else:
            assert ends[0] is not None
            items.append(ends[0])
    if len(items) == 1 and not isinstance(items[0], syntax.Range):
        return syntax.Comparison(0, "!=" if negated else "=", subject, items[0])
    return syntax.Membership(0, subject, tuple(items), negated)


def _by_order(tree: syntax.Comparison | syntax.Membership) -> bool:
    """Whether the cell asks for more or less, not for certain values."""
    if isinstance(tree, syntax.Comparison):
        return tree.operator not in ("=", "!=")
    return any(isinstance(item, syntax.Range) for item in tree.items)


def _atom(text: str) -> syntax.Syntax | None:
    found = _ATOM.fullmatch(text.strip())
    if found is None:
        return None
    if found["day"]:
        return syntax.Day(0, found["day"])
    if found["number"]:
        number = syntax.Number(0, found["number"], found["unit"])
        return syntax.Negative(0, number) if found["sign"] == "-" else number
    if found["name"] in ("yes", "no", "none"):
        return syntax.Word(0, found["name"])
    return syntax.Path(0, (found["name"],))


def _condition(
    resolver: Resolver,
    tree: syntax.Comparison | syntax.Membership,
    column: Column,
    charged: bool,
) -> model.Condition:
    typed = column.typed
    negated = tree.operator == "!=" if isinstance(tree, syntax.Comparison) else tree.negated
    if typed.sort != "several of":
        condition = resolver.condition(tree)
        ordered = isinstance(tree, syntax.Comparison) and _by_order(tree)
        if not ordered and not (charged and negated):
            return condition
        declared = typed.declared if isinstance(typed.term, model.Read) else None
        if declared is None or not declared.optional:
            return condition
        # ``none`` is neither above nor below anything, and nothing to charge for.
        given = model.Comparison("!=", typed.term, model.Nothing())
        return model.And((given, condition))
    assert typed.declared is not None
    items = (tree.right,) if isinstance(tree, syntax.Comparison) else tree.items
    if len(items) == 1 and isinstance(items[0], syntax.Word) and items[0].word == "none":
        kinds = model.Kinds(typed.declared.id)
        return model.Comparison("!=" if negated else "=", kinds, model.Number(_ZERO))
    mode = "none" if negated else "any"
    return resolver.condition(syntax.Has(0, column.subject, mode, items))

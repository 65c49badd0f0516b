"""Finds the table a rule file names."""

from __future__ import annotations

import posixpath

from configurator.language.draft import Draft
from configurator.language.nodes import Scalar
from configurator.language.spreadsheet import Sheet, read_csv


def sheet_of(draft: Draft, node: Scalar) -> Sheet | None:
    """The table named by ``node``, relative to the folder; read once, ``None`` if unfit."""
    name = posixpath.normpath(node.text.strip())
    if name.lower().endswith((".xlsx", ".xls", ".ods")):
        draft.report.later("Excel tables", node.span)
        return None
    if name in draft.sheets:
        return draft.sheets[name]
    content = draft.files.get(name)
    if content is None:
        tables = [each for each in draft.files if each.endswith(".csv")]
        draft.stop_unknown("unknown-file", node.span, node.text, tables)
        return None
    draft.sheets[name] = sheet = read_csv(draft.report, name, content)
    return sheet

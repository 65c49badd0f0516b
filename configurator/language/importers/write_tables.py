"""A model of variables and tables as a rule folder.

One one-of variable per variable, one CSV file per table. Rows of an allowed table that
differ in one column only are written as one (``a | b``; ``*`` for all values), which
says the same and reads faster.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from configurator.language.importers.ids import Ids, as_product_id
from configurator.language.importers.table_model import TableModel, TableVariable, Tuples
from configurator.language.importers.writing import (
    counted,
    in_both,
    in_one_line,
    names_en,
    names_es,
    one_line,
    scalar,
    sentence,
)

_WHOLE = re.compile(r"-?\d{1,30}", re.ASCII)

PAGE = 20
"""Questions on a page: tables say nothing of what belongs together."""


def table_folder(model: TableModel) -> dict[str, bytes]:
    """The files of the rule folder, by name."""
    writer = _Writer(model)
    rules = writer.rules()
    files = {"options.yaml": writer.options(), "product.yaml": writer.product()}
    if writer.rules_written:
        files["rules.yaml"] = rules
    files.update(writer.sheets)
    return {name: files[name].encode() for name in sorted(files)}


class _Writer:
    def __init__(self, model: TableModel) -> None:
        self.model = model
        given = Ids()
        self.ids = given.give_all([variable.name for variable in model.variables], "v")
        self.rule_ids = given.give_all([table.name for table in model.tables], "rule")
        self.values = [_value_ids(variable) for variable in model.variables]
        self.sheets: dict[str, str] = {}
        self.rules_written = 0

    def product(self) -> str:
        """Name, languages and pages, in the order of the file."""
        model = self.model
        count, tables = len(model.variables), len(model.tables)
        es = (
            f"Importado de {model.file} ({model.notation}), con"
            f" {counted(count, 'variable', 'variables')} y {counted(tables, 'tabla', 'tablas')}."
        )
        en = (
            f"Imported from {model.file} ({model.notation}), with"
            f" {counted(count, 'variable', 'variables')} and {counted(tables, 'table', 'tables')}."
        )
        lines = [
            f"product: {as_product_id(model.name)}",
            f"name: {scalar(one_line(model.name, 80))}",
            *in_both("description", es, en, ""),
            "language: en",
            "languages: [en, es]",
            "time zone: UTC",
            "steps:",
        ]
        for start in range(0, count, PAGE):
            last = min(start + PAGE, count)
            es, en = f"Preguntas {start + 1} a {last}", f"Questions {start + 1} to {last}"
            lines += [
                f"  - id: page-{start // PAGE + 1}",
                *in_both("name", es, en, "    "),
                f"    ask: [{', '.join(self.ids[start:last])}]",
            ]
        return _file(lines)

    def options(self) -> str:
        """Every variable with its values."""
        lines = ["variables:"]
        for variable, own, ids in zip(self.model.variables, self.ids, self.values, strict=True):
            lines.append(f"  {own}:")
            if variable.name != own:
                lines.append(f"    name: {scalar(in_one_line(variable.name))}")
            named = {value: _value_name(variable, value, ids[value]) for value in ids}
            if any(named.values()):
                lines.append("    values:")
                lines += [f"      {ids[value]}: {{{name}}}" for value, name in named.items()]
            else:
                every = ", ".join(f"{value}:_{{}}" for value in ids.values())
                lines += [
                    line.replace(":_{", ": {")
                    for line in textwrap.wrap(
                        f"values: {{{every}}}",
                        width=98,
                        initial_indent="    ",
                        subsequent_indent="      ",
                        break_long_words=False,
                        break_on_hyphens=False,
                    )
                ]
        return _file(lines)

    def rules(self) -> str:
        """Every table as a rule; its rows go to ``sheets``."""
        lines = ["rules:"]
        for table, rule_id in zip(self.model.tables, self.rule_ids, strict=True):
            names = [self.model.variables[each].name for each in table.scope]
            es, en = _reason(names, one_line(table.name, 60))
            if not table.rows:
                if table.kind == "forbidden":
                    continue
                first = table.scope[0]
                every = ", ".join(self.values[first].values())
                body = [f"    forbid: {scalar(f'{self.ids[first]} in [{every}]')}"]
            else:
                file = f"tables/{rule_id}.csv"
                self.sheets[file] = self._sheet(table)
                body = [f"    table: {file}", f"    kind: {table.kind}"]
            self.rules_written += 1
            lines += [
                f"  - id: {rule_id}",
                *body,
                *in_both("because", es, en, "    "),
                f"    source: {sentence(f'{table.span.file}, line {table.span.line}')}",
            ]
        return _file(lines)

    def _sheet(self, table: Tuples) -> str:
        ids = [self.values[each] for each in table.scope]
        rows: list[tuple[tuple[str, ...], ...]]
        if table.kind == "allowed":
            rows = merged(table.rows)
        else:
            rows = [tuple((value,) for value in row) for row in table.rows]
        lines = [",".join(self.ids[each] for each in table.scope)]
        for row in rows:
            cells = []
            for cell, known in zip(row, ids, strict=True):
                taken = frozenset(cell)
                words = [own for value, own in known.items() if value in taken]
                cells.append("*" if len(words) == len(known) > 1 else " | ".join(words))
            lines.append(",".join(cells))
        return _file(lines)


def merged(rows: Sequence[tuple[str, ...]]) -> list[tuple[tuple[str, ...], ...]]:
    """The rows with those joined that differ in one column, the column that joins most.

    Each cell holds the values it stands for; the product of the cells, over all rows, is
    exactly ``rows``.
    """
    width = len(rows[0])
    best: dict[tuple[str, ...], list[str]] = {}
    best_column = -1
    for column in range(width):
        groups: dict[tuple[str, ...], list[str]] = {}
        for row in rows:
            groups.setdefault(row[:column] + row[column + 1 :], []).append(row[column])
        if best_column < 0 or len(groups) < len(best):
            best, best_column = groups, column
    return [
        (
            *((value,) for value in rest[:best_column]),
            tuple(joined),
            *((value,) for value in rest[best_column:]),
        )
        for rest, joined in best.items()
    ]


def _reason(names: Sequence[str], table: str) -> tuple[str, str]:
    if len(names) == 1:
        return (
            f"{names_es(names)} solo toma los valores de la tabla «{table}».",
            f"{names_en(names)} only takes the values of the table “{table}”.",
        )
    return (
        f"{names_es(names)} solo se combinan como dice la tabla «{table}».",
        f"{names_en(names)} only combine as the table “{table}” says.",
    )


def _value_name(variable: TableVariable, value: str, own: str) -> str:
    """A value's name as an entry, where the id does not say it all."""
    if value == variable.absent:
        es, en = f"Sin esta opción ({value})", f"Without this option ({value})"
        return f"name: {{en: {scalar(en)}, es: {scalar(es)}}}"
    return f"name: {scalar(in_one_line(value))}" if value != own else ""


def _value_ids(variable: TableVariable) -> dict[str, str]:
    """The id of each value; whole numbers are ids already, unless two of them are equal."""
    numbers = {int(value) for value in variable.values if _WHOLE.fullmatch(value)}
    if len(numbers) == len(variable.values):
        return {value: value for value in variable.values}
    ids = Ids().give_all(variable.values, "v")
    return dict(zip(variable.values, ids, strict=True))


def _file(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"

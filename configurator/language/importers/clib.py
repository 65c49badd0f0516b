"""The JSON of the CLib benchmarks: from text to variables and tables.

``{"variables": {name: [values]}, "tables": [{"name", "scope", "allowed"}]}``; a table may
say ``"forbidden"`` instead.
"""

from __future__ import annotations

import json
from typing import Any

from configurator.language.importers.fault import Faults, ImportModelError, both, fault
from configurator.language.importers.source import Source
from configurator.language.importers.table_model import (
    MOST_CELLS,
    TableModel,
    TableVariable,
    Tuples,
)
from configurator.model.diagnostic import Span


def read_clib(source: Source) -> TableModel:
    """The model in ``source``; raises ``ImportModelError`` with everything faulty."""
    start = Span(source.name, 1, 1)
    try:
        data = json.loads(
            source.text,
            parse_constant=str,
            parse_int=str,
            parse_float=str,
            object_pairs_hook=_without_repeats,
        )
    except _RepeatedKeyError as problem:
        message = both(
            f"La clave «{problem}» está dos veces.", f'The key "{problem}" stands there twice.'
        )
        cure = both("Deja una sola.", "Keep one of them.")
        raise ImportModelError([fault("duplicate-name", start, message, cure)]) from None
    except json.JSONDecodeError as problem:
        message = both("El JSON está mal formado aquí.", "The JSON is not well-formed here.")
        cure = both("Revisa comas, comillas y cierres.", "Look at commas, quotes and brackets.")
        span = source.span(problem.pos)
        raise ImportModelError([fault("syntax", span, message, cure)]) from None
    except RecursionError:
        message = both("El JSON anida demasiado.", "The JSON nests too deeply.")
        cure = both("Usa el formato de CLib.", "Use the CLib format.")
        raise ImportModelError([fault("too-deep", start, message, cure)]) from None
    reader = _Reader(TableModel(source.name.split(".")[0], source.name, "CLib JSON"), start)
    reader.read(data)
    reader.faults.raise_if_any()
    return reader.model


class _RepeatedKeyError(Exception):
    """A JSON object says a key twice; one of the two would be lost."""


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _RepeatedKeyError(key[:40])
        found[key] = value
    return found


class _Reader:
    def __init__(self, model: TableModel, start: Span) -> None:
        self.model = model
        self.start = start
        self.faults = Faults()
        self.index: dict[str, int] = {}
        self.cells = 0

    def read(self, data: Any) -> None:
        """Check the shape while taking it over; JSON has no places, so names stand in."""
        if not isinstance(data, dict) or not isinstance(data.get("variables"), dict):
            self._faulty("Falta «variables».", 'There is no "variables".')
            return
        for name, values in data["variables"].items():
            if not _texts(values) or not values or len(set(values)) != len(values):
                self._faulty(
                    f"«{name}» necesita una lista de valores distintos.",
                    f'"{name}" needs a list of distinct values.',
                )
                continue
            self.index[name] = len(self.model.variables)
            self.model.variables.append(TableVariable(name, tuple(values), self.start))
        tables = data.get("tables", [])
        if not self.index and not self.faults.diagnostics:
            self._faulty("No hay variables.", "There are no variables.")
        if not isinstance(tables, list):
            self._faulty("«tables» no es una lista.", '"tables" is no list.')
            return
        for number, table in enumerate(tables, start=1):
            self._table(table, number)

    def _table(self, table: Any, number: int) -> None:
        name = table.get("name", f"table-{number}") if isinstance(table, dict) else ""
        kinds = [
            kind for kind in ("allowed", "forbidden") if isinstance(table, dict) and kind in table
        ]
        scope = table.get("scope") if isinstance(table, dict) else None
        if not isinstance(name, str) or len(kinds) != 1 or not _texts(scope) or not scope:
            self._faulty(
                f"La tabla {number} necesita «scope» y «allowed» o «forbidden».",
                f'Table {number} needs "scope" and either "allowed" or "forbidden".',
            )
            return
        if len(set(scope)) != len(scope) or any(each not in self.index for each in scope):
            self._faulty(
                f"La tabla «{name}» nombra una variable desconocida o repetida.",
                f'The table "{name}" names an unknown variable, or one twice.',
            )
            return
        kind, written = kinds[0], table[kinds[0]]
        if not isinstance(written, list) or any(
            not _texts(row) or len(row) != len(scope) for row in written
        ):
            self._faulty(
                f"Cada fila de «{name}» lleva {len(scope)} textos.",
                f'Each row of "{name}" has {len(scope)} texts.',
            )
            return
        self.cells += len(scope) * len(written)
        if self.cells > MOST_CELLS:
            message = both("Las tablas son demasiado grandes.", "The tables are too large.")
            cure = both("Divide el modelo.", "Split the model.")
            raise ImportModelError([fault("too-large", self.start, message, cure)])
        indices = tuple(self.index[each] for each in scope)
        domains = [frozenset(self.model.variables[each].values) for each in indices]
        rows = dict.fromkeys(
            tuple(row)
            for row in written
            if all(value in domain for value, domain in zip(row, domains, strict=True))
        )
        self.model.tables.append(
            Tuples(
                name,
                "allowed" if kind == "allowed" else "forbidden",
                indices,
                tuple(rows),
                self.start,
            )
        )

    def _faulty(self, es: str, en: str) -> None:
        cure = both("Usa el formato JSON de CLib.", "Use the JSON format of CLib.")
        self.faults.add("faulty-instance", self.start, both(es, en), cure)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)

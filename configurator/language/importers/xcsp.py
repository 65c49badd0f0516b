"""XCSP 2.1, constraints in extension: from text to variables and tables.

Instances after "XML Representation of Constraint Networks, Format XCSP 2.1" (Roussel and
Lecoutre, 2009). Relations list supports or conflicts. A domain's ``optional`` value (not
in the standard, but used for car ranges) is an ordinary value that means "this option is
not there". Predicates, functions and global constraints are refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from configurator.language.importers.fault import Faults, ImportModelError, both, fault
from configurator.language.importers.markup import Element, parse_markup
from configurator.language.importers.source import Source
from configurator.language.importers.table_model import (
    MOST_CELLS,
    TableModel,
    TableVariable,
    Tuples,
)

MOST_VALUES = 10_000
_INTEGER = re.compile(r"-?\d{1,15}")
_RANGE = re.compile(r"(-?\d{1,15})\.\.(-?\d{1,15})")


@dataclass(frozen=True, slots=True)
class _Relation:
    supports: bool
    arity: int
    rows: tuple[tuple[str, ...], ...]


def read_xcsp(source: Source) -> TableModel:
    """The instance in ``source``; raises ``ImportModelError`` with everything faulty."""
    root = parse_markup(source)
    if root.name != "instance" or not root.below("domains"):
        message = both(
            "Esto no es una instancia de XCSP 2.1.", "This is not an instance of XCSP 2.1."
        )
        cure = both(
            "Exporta el modelo en XCSP 2.1, con dominios y relaciones.",
            "Export the model as XCSP 2.1, with domains and relations.",
        )
        raise ImportModelError([fault("syntax", root.span, message, cure)])
    presentation = [each.attributes.get("name", "") for each in root.below("presentation")]
    name = "".join(presentation[:1]).strip()
    stem = source.name.rsplit(".", 1)[0]
    reader = _Reader(TableModel(name if name not in ("", "?") else stem, source.name, "XCSP 2.1"))
    reader.read(root)
    reader.faults.raise_if_any()
    return reader.model


class _Reader:
    def __init__(self, model: TableModel) -> None:
        self.model = model
        self.faults = Faults()
        self.domains: dict[str, tuple[tuple[str, ...], str | None] | None] = {}
        self.variables: dict[str, int] = {}
        self.relations: dict[str, _Relation] = {}
        self.names: set[str] = set()
        self.cells = 0

    def read(self, root: Element) -> None:
        """Read every section in the order they build on each other."""
        for section, name in (("predicates", "predicate"), ("functions", "function")):
            for element in (each for part in root.below(section) for each in part.below(name)):
                self._refuse(element, f"<{name}>")
        for element in _each(root, "domains", "domain"):
            self._domain(element)
        for element in _each(root, "variables", "variable"):
            self._variable(element)
        for element in _each(root, "relations", "relation"):
            self._relation(element)
        for element in _each(root, "constraints", "constraint"):
            self._constraint(element)
        if not self.model.variables and not self.faults.diagnostics:
            self._faulty(root, "No hay variables.", "There are no variables.")

    def _domain(self, element: Element) -> None:
        name = element.attributes.get("name", "")
        values: dict[str, None] = {}
        for word in _words(element.text):
            bounds = _RANGE.fullmatch(word)
            if bounds is not None:
                low, high = int(bounds[1]), int(bounds[2])
                wide = high - low >= MOST_VALUES
                values.update((str(each), None) for each in range(low, low if wide else high + 1))
            elif _INTEGER.fullmatch(word):
                wide = False
                values[str(int(word))] = None
            else:
                self._faulty(
                    element,
                    f"«{_short(word)}» no es un valor: van enteros o intervalos 0..5.",
                    f'"{_short(word)}" is no value: whole numbers or ranges 0..5 go here.',
                )
                self.domains[name] = None
                return
            if wide or len(values) > MOST_VALUES:
                self._faulty(
                    element,
                    f"El dominio tiene más de {MOST_VALUES} valores.",
                    f"The domain has more than {MOST_VALUES} values.",
                )
                self.domains[name] = None
                return
        if not values:
            self._faulty(element, "El dominio está vacío.", "The domain is empty.")
            self.domains[name] = None
            return
        absent = element.attributes.get("optional")
        self.domains[name] = tuple(values), absent if absent in values else None

    def _variable(self, element: Element) -> None:
        name = element.attributes.get("name", "")
        domain_name = element.attributes.get("domain", "")
        if not name or name in self.variables:
            self._faulty(
                element, f"«{name}» falta o está repetido.", f'"{name}" is missing or repeated.'
            )
        elif domain_name not in self.domains:
            self._faulty(
                element, f"El dominio de «{name}» no existe.", f'The domain of "{name}" is missing.'
            )
        elif (domain := self.domains[domain_name]) is not None:
            self.variables[name] = len(self.model.variables)
            self.model.variables.append(TableVariable(name, domain[0], element.span, domain[1]))

    def _relation(self, element: Element) -> None:
        name = element.attributes.get("name", "")
        semantics = element.attributes.get("semantics", "")
        arity = element.attributes.get("arity", "")
        if semantics not in ("supports", "conflicts"):
            if semantics == "soft":
                self._refuse(element, 'semantics="soft"')
            else:
                self._faulty(
                    element,
                    f"La relación «{name}» dice «{semantics}»; puede ser supports o conflicts.",
                    f'The relation "{name}" says "{semantics}"; it can be supports or conflicts.',
                )
            return
        if not arity.isdigit() or not 1 <= int(arity[:6]) <= 1000:
            self._faulty(
                element,
                f"La relación «{name}» no dice su aridad.",
                f'The relation "{name}" does not say its arity.',
            )
            return
        rows: dict[tuple[str, ...], None] = {}
        for written in re.finditer(r"[^|]+", element.text):
            words = written[0].split()
            if not words:
                continue
            if len(words) != int(arity) or not all(_INTEGER.fullmatch(word) for word in words):
                self._faulty(
                    element,
                    f"La tupla «{_short(' '.join(words))}» no son {arity} números enteros.",
                    f'The tuple "{_short(" ".join(words))}" is not {arity} whole numbers.',
                )
                return
            rows[tuple(str(int(word)) for word in words)] = None
            if len(rows) * int(arity) > MOST_CELLS:
                raise _too_large(element)
        self.relations[name] = _Relation(semantics == "supports", int(arity), tuple(rows))

    def _constraint(self, element: Element) -> None:
        name = element.attributes.get("name", "")
        reference = element.attributes.get("reference", "")
        scope_names = element.attributes.get("scope", "").split()
        relation = self.relations.get(reference)
        if reference.lower().startswith("global:"):
            self._refuse(element, reference)
            return
        if relation is None:
            if not self.faults.diagnostics:
                self._faulty(
                    element,
                    f"«{name}» cita la relación «{reference}», que no existe.",
                    f'"{name}" refers to the relation "{reference}", which does not exist.',
                )
            return
        unknown = [each for each in scope_names if each not in self.variables]
        if unknown or len(set(scope_names)) != len(scope_names):
            self._faulty(
                element,
                f"«{name}» nombra una variable desconocida o dos veces la misma.",
                f'"{name}" names an unknown variable, or the same one twice.',
            )
            return
        if len(scope_names) != relation.arity:
            self._faulty(
                element,
                f"«{name}» tiene {len(scope_names)} variables; su relación, {relation.arity}.",
                f'"{name}" has {len(scope_names)} variables, its relation {relation.arity}.',
            )
            return
        self.cells += relation.arity * len(relation.rows)
        if self.cells > MOST_CELLS:
            raise _too_large(element)
        scope = tuple(self.variables[each] for each in scope_names)
        domains = [frozenset(self.model.variables[each].values) for each in scope]
        rows = tuple(
            row
            for row in relation.rows
            if all(value in domain for value, domain in zip(row, domains, strict=True))
        )
        kind: Literal["allowed", "forbidden"] = "allowed" if relation.supports else "forbidden"
        label = name or f"constraint-{len(self.model.tables) + 1}"
        self.model.tables.append(Tuples(label, kind, scope, rows, element.span))

    def _faulty(self, element: Element, es: str, en: str) -> None:
        cure = both("Corrige este elemento.", "Mend this element.")
        self.faults.add("faulty-instance", element.span, both(es, en), cure)

    def _refuse(self, element: Element, construct: str) -> None:
        self.faults.add(
            "not-extension",
            element.span,
            both(
                f"{construct} no se importa: solo tablas de tuplas.",
                f"{construct} is not imported: only tables of tuples are.",
            ),
            both(
                "Exporta la restricción en extensión (supports o conflicts).",
                "Export the constraint in extension (supports or conflicts).",
            ),
        )


def _each(root: Element, section: str, name: str) -> list[Element]:
    return [element for part in root.below(section) for element in part.below(name)]


def _words(text: str) -> Iterator[str]:
    return (match[0] for match in re.finditer(r"\S+", text))


def _too_large(element: Element) -> ImportModelError:
    message = both("Las tablas son demasiado grandes.", "The tables are too large.")
    cure = both("Divide el modelo.", "Split the model.")
    return ImportModelError([fault("too-large", element.span, message, cure)])


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"

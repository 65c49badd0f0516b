"""SXFM, the format of SPLOT: from text to a feature model.

An outline by tabs inside XML (splot-research.org): ``:r`` root, ``:m`` mandatory, ``:o``
optional, ``:g [low,high]`` group, ``:`` member of a group; then constraints in
conjunctive normal form, one clause to a line, over the ids in brackets.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

from configurator.language.importers.fault import Faults, ImportModelError, both, fault
from configurator.language.importers.feature_model import (
    MOST_FEATURES,
    Feature,
    FeatureModel,
    Formulated,
    Group,
)
from configurator.language.importers.formula import Formula, Is, Not, Or
from configurator.language.importers.markup import Element, parse_markup
from configurator.language.importers.source import Source
from configurator.model.diagnostic import Span

_NODE = re.compile(r":(?P<kind>[rmog]?)\s+(?P<rest>.*)|:(?P<bare>g)\s*(?P<bounds>\[.*)")
_BOUNDS = re.compile(r"(?:\([^()]*\))?\s*\[\s*(?P<low>\d{1,9})\s*,\s*(?P<high>\d{1,9}|\*)\s*\]")
_OR = re.compile(r" or ", re.IGNORECASE)
_CLAUSE = re.compile(r"(?P<name>[^:]*):(?P<literals>.*)")


def read_sxfm(source: Source) -> FeatureModel:
    """The model in ``source``; raises ``ImportModelError`` with everything faulty."""
    root = parse_markup(source)
    if root.name != "feature_model" or not root.below("feature_tree"):
        message = both("No hay un <feature_tree>.", "There is no <feature_tree>.")
        cure = both("Exporta el modelo desde SPLOT.", "Export the model from SPLOT.")
        raise ImportModelError([fault("syntax", root.span, message, cure)])
    name = root.attributes.get("name", "").strip() or source.name.rsplit(".", 1)[0]
    reader = _Reader(FeatureModel(name, source.name, "SXFM"))
    reader.read_tree(root.below("feature_tree")[0])
    for constraints in root.below("constraints"):
        reader.read_constraints(constraints)
    reader.faults.raise_if_any()
    return reader.model


def _lines(element: Element, file: str) -> Iterator[tuple[str, Span]]:
    """The lines that say something, and where their first letter stands."""
    for number, line in enumerate(io.StringIO(element.text)):
        text = line.strip()
        if text:
            column = len(line) - len(line.lstrip()) + 1
            yield line.rstrip(), Span(file, element.span.line + number, column)


class _Reader:
    def __init__(self, model: FeatureModel) -> None:
        self.model = model
        self.faults = Faults()
        self.ids: dict[str, int] = {}
        self.groups: dict[tuple[int, str], Group] = {}

    def read_tree(self, element: Element) -> None:
        """Read the outline; a node belongs to the nearest line above that is less deep."""
        above: list[tuple[int, int, Group | None]] = []
        for line, span in _lines(element, self.model.file):
            text = line.lstrip()
            depth = len(line[: -len(text)].expandtabs(8))
            while above and above[-1][0] >= depth:
                above.pop()
            parent = above[-1][1] if above else -1
            group = above[-1][2] if above else None
            match = _NODE.fullmatch(text)
            if match is None:
                raise _syntax(
                    span,
                    "Esta línea no es un nodo (:r, :m, :o, :g o :).",
                    "This line is no node (:r, :m, :o, :g or :).",
                )
            kind = match["kind"] or match["bare"] or ""
            if (kind == "r") != (not self.model.features):
                raise _syntax(span, "Hay una sola raíz, y es la primera.", "One root, and first.")
            if kind == "g":
                if group is not None:
                    raise _syntax(span, "Un grupo dentro de otro.", "A group inside a group.")
                inner = self._group(match["bounds"] or match["rest"], parent, span)
                above.append((depth, parent, inner))
                continue
            if (kind == "") != (group is not None):
                raise _syntax(
                    span,
                    "Los miembros de un grupo empiezan por «:» y solo ellos.",
                    'Members of a group start with ":", and only they do.',
                )
            index = self._feature(match["rest"], parent, span)
            if group is not None:
                group.members.append(index)
            elif kind in "mo" and kind:
                self._solitary(kind, parent).members.append(index)
            above.append((depth, index, None))
        if not self.model.features:
            raise _syntax(element.span, "El árbol está vacío.", "The tree is empty.")
        self._close_groups()

    def _solitary(self, kind: str, parent: int) -> Group:
        """The mandatory, or the optional, children of a parent: one group each."""
        group = self.groups.get((parent, kind))
        if group is None:
            group = self.groups[parent, kind] = Group(parent, 0, 0, [])
            self.model.groups.append(group)
        return group

    def _close_groups(self) -> None:
        for (_, kind), group in self.groups.items():
            group.high = len(group.members)
            group.low = group.high if kind == "m" else 0
        for group in self.model.groups:
            size = len(group.members)
            if group.high < 0 or group.high > size:
                group.high = size
            if group.low > group.high:
                self.faults.add(
                    "impossible-group",
                    self.model.features[group.parent].span,
                    both(
                        f"Un grupo bajo esta característica pide {group.low} de {size}.",
                        f"A group below this feature asks for {group.low} of {size}.",
                    ),
                    both("Corrige los límites del grupo.", "Mend the bounds of the group."),
                )

    def _group(self, text: str, parent: int, span: Span) -> Group:
        bounds = _BOUNDS.fullmatch(text.strip())
        if bounds is None:
            raise _syntax(
                span,
                "Un grupo lleva límites: [1,1] o [1,*].",
                "A group has bounds: [1,1] or [1,*].",
            )
        high = -1 if bounds["high"] == "*" else int(bounds["high"])
        group = Group(parent, int(bounds["low"]), high, [])
        self.model.groups.append(group)
        return group

    def _feature(self, text: str, parent: int, span: Span) -> int:
        name, key = text.strip(), ""
        if name.endswith(")") and "(" in name:
            name, _, key = name[:-1].rpartition("(")
        name = name.strip()
        if not name or "[" in name:
            raise _syntax(
                span,
                "Aquí va un nombre y su id: Pantalla(_r_1).",
                "A name and its id: Screen(_r_1).",
            )
        if len(self.model.features) >= MOST_FEATURES:
            raise _syntax(span, "El modelo es demasiado grande.", "The model is too large.")
        index = len(self.model.features)
        key = key.strip() or name
        if self.ids.setdefault(key, index) != index:
            first = self.model.features[self.ids[key]].span.line
            self.faults.add(
                "duplicate-name",
                span,
                both(
                    f"El id «{key}» ya está en la línea {first}.",
                    f'The id "{key}" already stands in line {first}.',
                ),
                both("Da a cada uno su id.", "Give each an id of its own."),
            )
        self.model.features.append(Feature(name, parent, span))
        return index

    def read_constraints(self, element: Element) -> None:
        """Read the clauses; notes every fault."""
        for line, span in _lines(element, self.model.file):
            match = _CLAUSE.fullmatch(" ".join(line.split()))
            if match is None:
                self.faults.note(
                    *_syntax(
                        span,
                        "Una condición es «nombre: ~a or b».",
                        "A constraint is `name: ~a or b`.",
                    ).diagnostics
                )
                continue
            literals: list[Formula] = []
            words: list[str] = []
            for written in _OR.split(match["literals"].strip()):
                key = written.removeprefix("~").strip()
                feature = self.ids.get(key)
                if feature is None:
                    self.faults.add(
                        "unknown-feature",
                        span,
                        both(
                            f"«{key}» no es el id de ninguna característica.",
                            f'"{key}" is the id of no feature.',
                        ),
                        both(
                            "Usa los ids entre paréntesis del árbol, unidos con «or».",
                            "Use the ids in brackets of the tree, joined by `or`.",
                        ),
                    )
                    continue
                negative = written.startswith("~")
                literals.append(Not(Is(feature)) if negative else Is(feature))
                words.append(("~" if negative else "") + self.model.features[feature].name)
            if literals:
                formula = literals[0] if len(literals) == 1 else Or(tuple(literals))
                self.model.formulas.append(Formulated(formula, " or ".join(words), span))


def _syntax(span: Span, es: str, en: str) -> ImportModelError:
    cure = both("Corrige la línea según el formato SXFM.", "Mend the line after the SXFM format.")
    return ImportModelError([fault("syntax", span, both(es, en), cure)])

"""UVL, Boolean level: from text to a feature model.

After the grammar of the Universal Variability Language (github.com/
Universal-Variability-Language/uvl-parser). Imports are followed beside the importing
file; the features of an imported model are called ``alias.Name``. What belongs to the
arithmetic or type level is refused by name.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from configurator.language.importers import uvl_faults as faulty
from configurator.language.importers.fault import Faults, ImportModelError
from configurator.language.importers.feature_model import (
    MOST_FEATURES,
    Feature,
    FeatureModel,
    Formulated,
    Group,
)
from configurator.language.importers.source import Source, decode, read_bytes
from configurator.language.importers.uvl_attributes import read_attributes
from configurator.language.importers.uvl_constraint import (
    ConstraintParser,
    beyond_boolean,
    refuse,
)
from configurator.language.importers.uvl_lines import Line, Token, outline
from configurator.language.importers.uvl_tokens import Cursor, whole_number
from configurator.model.diagnostic import Span

MOST_FILES = 100
MOST_IMPORT_DEPTH = 20
_SECTIONS = ("namespace", "include", "imports", "features", "constraints")
_TYPES = frozenset(("String", "Integer", "Real"))
_LEVELS = frozenset(
    f"{major}{minor}"
    for major, minors in (
        ("Boolean", ("group-cardinality",)),
        ("Arithmetic", ("feature-cardinality", "aggregate-function")),
        ("Type", ("numeric-constraints", "string-constraints")),
    )
    for minor in ("", ".*", *(f".{each}" for each in minors))
)


def read_uvl(source: Source, folder: Path) -> FeatureModel:
    """The model in ``source``; its imports are looked for below ``folder``.

    Raises ``ImportModelError`` with everything that is faulty or not supported.
    """
    reader = _Reader(FeatureModel(source.name.removesuffix(".uvl"), source.name, "UVL"))
    namespace = reader.read_file(_File(source, folder, (source.name,), "", -1))
    reader.model.name = namespace or reader.model.name
    reader.read_constraints()
    reader.faults.raise_if_any()
    return reader.model


@dataclass(slots=True)
class _Import:
    path: tuple[str, ...]
    span: Span
    placed: bool = False


@dataclass(slots=True)
class _File:
    """A file while it is read: its text and folder, the files that led to it, the prefix
    of its features' names, the feature it hangs below (-1: it is the main file), and
    what it imports."""

    source: Source
    folder: Path
    trail: tuple[str, ...]
    prefix: str
    parent: int
    imports: dict[tuple[str, ...], _Import] = field(default_factory=dict)

    def cursor(self, line: Line) -> Cursor:
        """The tokens of one of its lines."""
        return Cursor(self.source, line.tokens, line.end)


@dataclass(frozen=True, slots=True)
class _Pending:
    """A constraint that waits until every feature is known."""

    source: Source
    prefix: str
    tokens: Sequence[Token]


class _Reader:
    def __init__(self, model: FeatureModel) -> None:
        self.model = model
        self.faults = Faults()
        self.names: dict[str, int] = {}
        self.pending: list[_Pending] = []
        self.files = 0

    def read_file(self, file: _File) -> str:
        """Read one file's sections into the model; its namespace, or ``""``."""
        self.files += 1
        namespace, sections = "", {}
        for line in outline(file.source):
            cursor = file.cursor(line)
            first = line.tokens[0]
            word = first.text if first.kind == "id" else ""
            if word not in _SECTIONS or word in sections:
                raise faulty.no_section(cursor, word in sections)
            cursor.take()
            if word == "namespace":
                namespace = ".".join(cursor.reference())
                for deeper in line.below:
                    raise faulty.too_deep_below(file.source, deeper)
            cursor.end_of_line()
            sections[word] = line
        for line in _flat(file.source, sections.get("include")):
            written = "".join(token.text for token in line.tokens)
            if written not in _LEVELS:
                self.faults.note(faulty.unknown_level(file.cursor(line).span(), written))
        for line in _flat(file.source, sections.get("imports")):
            self._declare_import(file, line)
        if "features" not in sections or not sections["features"].below:
            raise faulty.no_features(file.source)
        self._tree(file, sections["features"])
        for alias, each in file.imports.items():
            if not each.placed:
                self.faults.note(faulty.unplaced_import(each.span, ".".join(alias)))
        for line in _flat(file.source, sections.get("constraints")):
            self.pending.append(_Pending(file.source, file.prefix, line.tokens))
        return namespace

    # --- the tree ---------------------------------------------------------------------

    def _tree(self, file: _File, section: Line) -> None:
        for extra in section.below[1:]:
            raise faulty.second_root(file.source, extra)
        waiting: list[tuple[Line, int, Group | None]] = [(section.below[0], file.parent, None)]
        while waiting:
            line, parent, group = waiting.pop()
            index = self._feature(file, line, parent)
            if group is not None:
                group.members.append(index)
            below: list[tuple[Line, int, Group | None]] = []
            for group_line in line.below:
                inner = self._group(file.cursor(group_line), len(group_line.below), index)
                below.extend((each, index, inner) for each in group_line.below)
            waiting.extend(reversed(below))

    def _group(self, cursor: Cursor, size: int, parent: int) -> Group:
        span, first = cursor.span(), cursor.tokens[0]
        if first.kind == "id" and first.text in faulty.GROUPS:
            cursor.take()
            low, high = {
                "or": (1, size),
                "alternative": (1, 1),
                "optional": (0, size),
                "mandatory": (size, size),
            }[first.text]
        elif cursor.sees("["):
            low, high = self._cardinality(cursor, size)
        else:
            raise faulty.no_group(cursor)
        cursor.end_of_line()
        if not size:
            raise faulty.empty_group(span, first.text)
        if low > min(size, high):
            self.faults.note(faulty.impossible_group(span, low, high, size))
        group = Group(parent, low, min(high, size), [])
        self.model.groups.append(group)
        return group

    def _cardinality(self, cursor: Cursor, star: int) -> tuple[int, int]:
        cursor.expect("[")
        low = high = whole_number(cursor)
        if cursor.takes(".."):
            high = star if cursor.takes("*") else whole_number(cursor)
        cursor.expect("]")
        return low, high

    def _feature(self, file: _File, line: Line, parent: int) -> int:
        cursor = file.cursor(line)
        first, second = cursor.peek(), cursor.peek(1)
        if second is not None and second.kind in ("id", "quoted"):
            if cursor.sees_word("Boolean"):
                cursor.take()
            elif first is not None and first.kind == "id" and first.text in _TYPES:
                self.faults.note(faulty.typed(cursor.span(), first.text, second.text))
                cursor.take()
        span = cursor.span()
        if cursor.sees("["):
            raise faulty.group_among_features(span)
        reference = cursor.reference()
        if len(reference) > 1:
            index = self._imported(file, reference, span, parent)
        else:
            index = self._declare(file.prefix + reference[0], parent, span)
        if cursor.sees_word("cardinality"):
            self.faults.note(faulty.copied(cursor.span(), ".".join(reference)))
            cursor.take()
            self._cardinality(cursor, 0)
        if cursor.takes("{"):
            for tokens in read_attributes(cursor, self.model.features[index]):
                self.pending.append(_Pending(file.source, file.prefix, tokens))
        cursor.end_of_line()
        return index

    def _declare(self, name: str, parent: int, span: Span) -> int:
        index = len(self.model.features)
        if index >= MOST_FEATURES:
            raise faulty.too_many(span, MOST_FEATURES)
        first = self.names.setdefault(name, index)
        if first != index:
            self.faults.note(*faulty.twice(span, name, self.model.features[first].span).diagnostics)
        self.model.features.append(Feature(name, parent, span))
        return index

    # --- imports ----------------------------------------------------------------------

    def _declare_import(self, file: _File, line: Line) -> None:
        cursor = file.cursor(line)
        span = cursor.span()
        path = alias = cursor.reference()
        if cursor.sees_word("as"):
            cursor.take()
            alias = cursor.reference()
        cursor.end_of_line()
        if alias in file.imports:
            raise faulty.twice(span, ".".join(alias), file.imports[alias].span)
        file.imports[alias] = _Import(path, span)

    def _imported(self, file: _File, reference: tuple[str, ...], span: Span, parent: int) -> int:
        """Hang an imported model below ``parent``; the index of its root."""
        alias = ".".join(reference[:-1])
        wanted = file.imports.get(reference[:-1])
        if wanted is None:
            raise faulty.not_imported(span, alias)
        if wanted.placed:
            raise faulty.twice(span, ".".join(reference), wanted.span)
        wanted.placed = True
        path = file.folder.joinpath(*wanted.path[:-1], f"{wanted.path[-1]}.uvl")
        trail = (*file.trail, self._followed(file, path, wanted))
        inner = decode(read_bytes(path), trail[-1])
        root = len(self.model.features)
        prefix = f"{file.prefix}{alias}."
        self.read_file(_File(inner, path.parent, trail, prefix, parent))
        found = self.model.features[root].name.removeprefix(prefix)
        if found != reference[-1]:
            raise faulty.not_the_root(span, alias, reference[-1], found)
        return root

    def _followed(self, file: _File, path: Path, wanted: _Import) -> str:
        """The imported file's name beside the main file; checks that it may be read."""
        folder = Path(file.trail[-1]).parent
        name = folder.joinpath(*wanted.path[:-1], f"{wanted.path[-1]}.uvl").as_posix()
        if any(letter in part for part in wanted.path for letter in "/\\:"):
            es, en = f"«{name}» sale de la carpeta del modelo.", f'"{name}" leaves the folder.'
        elif name in file.trail:
            ring = " → ".join((*file.trail, name))
            es, en = f"«{name}» se importa a sí mismo: {ring}.", f'"{name}" imports itself: {ring}.'
        elif self.files >= MOST_FILES or len(file.trail) >= MOST_IMPORT_DEPTH:
            es, en = "El modelo importa demasiados archivos.", "The model imports too many files."
        elif not path.is_file():
            es = f"Falta el archivo importado «{name}»."
            en = f'The imported file "{name}" is missing.'
        else:
            return name
        raise faulty.wrong_import(wanted.span, es, en)

    # --- constraints ------------------------------------------------------------------

    def read_constraints(self) -> None:
        """Turn the constraints that waited into formulas; notes every fault."""
        for each in self.pending:
            start, end = each.tokens[0].offset, each.tokens[-1].end
            cursor = Cursor(each.source, each.tokens, end)
            beyond = beyond_boolean(each.tokens)
            if beyond is not None:
                refuse(self.faults, cursor, *beyond)
                continue

            def resolve(reference: tuple[str, ...], span: Span, prefix: str = each.prefix) -> int:
                return self._resolve(reference, span, prefix)

            try:
                formula = ConstraintParser(cursor, resolve).parse()
            except ImportModelError as problem:
                self.faults.note(*problem.diagnostics)
                continue
            text = each.source.text[start:end]
            self.model.formulas.append(Formulated(formula, text, each.source.span(start)))

    def _resolve(self, reference: tuple[str, ...], span: Span, prefix: str) -> int:
        name = ".".join(reference)
        feature = self.names.get(prefix + name)
        if feature is not None:
            return feature
        if len(reference) > 1 and prefix + ".".join(reference[:-1]) in self.names:
            raise faulty.attribute_in_constraint(span, name)
        quick = len(self.names) <= 2000 and len(self.faults.diagnostics) < 20
        near = difflib.get_close_matches(prefix + name, self.names, 1) if quick else []
        raise faulty.unknown_feature(span, name, "".join(near).removeprefix(prefix))


def _flat(source: Source, section: Line | None) -> list[Line]:
    """A section's lines; raises ``ImportModelError`` where something stands below one."""
    lines = section.below if section is not None else []
    for line in lines:
        for deeper in line.below:
            raise faulty.too_deep_below(source, deeper)
    return lines

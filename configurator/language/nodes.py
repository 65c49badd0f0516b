"""The YAML subset as a tree of text with positions.

Every scalar stays text and is typed later by its key. Built from ruamel.yaml's events,
one at a time and without recursion, so that a hostile file is left at its first
offence. It knows nothing of products.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from configurator.language.files import DEPTH
from configurator.language.report import Report
from configurator.model.diagnostic import Span

_BRACED = re.compile(r"^[^'\"]*:\s+(\{[^{}]*\}|\[[^\[\]]*\])\s+[^\s#]")
_HASH = re.compile(r" +#[^\s#]")
_BEFORE_COMMA = re.compile(r"([+-]?\d+(\.\d+)?\.\.)?[+-]?\d+|\d{1,3}\.\d{3}")
_AFTER_COMMA = re.compile(r"\d+(\.\.[+-]?\d+)?( ?[%€])?")
_ESCAPED_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(slots=True, eq=False)
class Scalar:
    """A text. ``shift`` is where the first letter stands after the scalar's start, or -1
    where letters cannot be mapped to columns (folded lines, escapes)."""

    file: str
    line: int
    column: int
    text: str
    plain: bool
    shift: int
    cut: bool = False
    """A comma inside braces cut it short; the mistake is in the report."""
    hashed: bool = False
    """A comment follows that may be meant as the rest of it: ``laser #2``."""

    @property
    def span(self) -> Span:
        """Where it starts."""
        return Span(self.file, self.line, self.column)

    def at(self, offset: int) -> Span:
        """The place of one letter of the text."""
        if self.shift < 0:
            return Span(self.file, self.line, self.column)
        return Span(self.file, self.line, self.column + self.shift + offset)

    @property
    def empty(self) -> bool:
        """Whether nothing was written."""
        return self.plain and not self.text


@dataclass(slots=True, eq=False)
class Sequence:
    """A list."""

    file: str
    line: int
    column: int
    items: list[Node]
    last_line: int

    @property
    def span(self) -> Span:
        """Where it starts."""
        return Span(self.file, self.line, self.column)


@dataclass(slots=True, eq=False)
class Mapping:
    """Keys and values, in the order written, each key once."""

    file: str
    line: int
    column: int
    entries: list[tuple[Scalar, Node]]
    flow: bool
    last_line: int

    @property
    def span(self) -> Span:
        """Where it starts."""
        return Span(self.file, self.line, self.column)


Node = Scalar | Sequence | Mapping


class _RefusedError(Exception):
    """The file was left; the reason is in the report."""


@dataclass(slots=True)
class _Open:
    node: Sequence | Mapping
    key: Scalar | None
    seen: dict[str, Scalar] | None


def read_yaml(report: Report, file: str, text: str) -> Mapping | None:
    """The file's mapping, or ``None`` after diagnostics (an empty file is an empty mapping)."""
    try:
        root = _build(report, file, text)
    except _RefusedError:
        return None
    except MarkedYAMLError as error:
        _report_syntax(report, file, text, error)
        return None
    except YAMLError:
        report.stop("bad-file/control", Span(file, 1, 1))
        return None
    if root is None or (isinstance(root, Scalar) and root.empty):
        return Mapping(file, 1, 1, [], False, 1)
    if not isinstance(root, Mapping):
        report.stop("syntax/sections", root.span)
        return None
    return root


def _build(report: Report, file: str, text: str) -> Node | None:
    root: Node | None = None
    stack: list[_Open] = []
    documents = 0
    lines = text.split("\n")
    for event in _events(text):
        kind = type(event)
        if kind is ScalarEvent:
            node: Node = _scalar(report, file, event, lines)
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            stack.pop().node.last_line = event.end_mark.line + 1
            continue
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            _refuse_features(report, file, event)
            if len(stack) >= DEPTH:
                report.stop("too-large/depth", _span(file, event), depth=DEPTH)
                raise _RefusedError
            line, column = event.start_mark.line + 1, event.start_mark.column + 1
            if kind is MappingStartEvent:
                node = Mapping(file, line, column, [], bool(event.flow_style), line)
            else:
                node = Sequence(file, line, column, [], line)
        elif kind is AliasEvent:
            report.stop("yaml-feature/alias", _span(file, event))
            raise _RefusedError
        elif kind is DocumentStartEvent:
            documents += 1
            if documents > 1 or event.version or event.tags:
                key = "yaml-feature/documents" if documents > 1 else "yaml-feature/directive"
                report.stop(key, _span(file, event))
                raise _RefusedError
            continue
        else:
            continue
        if not stack:
            root = node
        else:
            _attach(report, stack[-1], node)
        if not isinstance(node, Scalar):
            stack.append(_Open(node, None, {} if isinstance(node, Mapping) else None))
    return root


def _events(text: str) -> Iterator[Any]:
    return iter(YAML(typ="safe", pure=True).parse(text))


def _scalar(report: Report, file: str, event: Any, lines: list[str]) -> Scalar:
    start, end = event.start_mark, event.end_mark
    if event.anchor is not None or event.tag is not None:
        _refuse_features(report, file, event)
    text, style = event.value, event.style
    plain = not style
    width = end.column - start.column
    if start.line != end.line:
        shift = -1
    elif plain:
        shift = 0 if width == len(text) else -1
    else:
        shift = 1 if width == len(text) + 2 else -1
    if not plain and _ESCAPED_CONTROL.search(text.replace("\n", "")):
        report.stop("bad-file/control", _span(file, event))
        raise _RefusedError
    after = lines[end.line] if plain and end.line < len(lines) else ""
    hashed = _HASH.match(after, end.column) is not None
    return Scalar(file, start.line + 1, start.column + 1, text, plain, shift, hashed=hashed)


def _refuse_features(report: Report, file: str, event: Any) -> None:
    if event.anchor is not None:
        report.stop("yaml-feature/anchor", _span(file, event), name=str(event.anchor))
        raise _RefusedError
    if event.tag is not None:
        name = str(event.tag).replace("tag:yaml.org,2002:", "!!")
        report.stop("yaml-feature/tag", _span(file, event), name=name)
        raise _RefusedError


def _attach(report: Report, parent: _Open, node: Node) -> None:
    if parent.seen is None:
        assert isinstance(parent.node, Sequence)
        parent.node.items.append(node)
        return
    assert isinstance(parent.node, Mapping)
    key = parent.key
    if key is None:
        if not isinstance(node, Scalar):
            report.stop("yaml-feature/key", node.span)
            raise _RefusedError
        if node.text == "<<":
            report.stop("yaml-feature/merge", node.span)
            raise _RefusedError
        parent.key = node
        return
    parent.key = None
    if parent.node.flow and isinstance(node, Scalar) and node.empty and key.plain:
        if _decimals(parent.node, key):
            number = parent.node.entries[-1][1]
            assert isinstance(number, Scalar)
            if re.fullmatch(r"\d+\.\d+", number.text):
                report.stop("thousands", number.span, cell=f"{number.text},{key.text}")
                return
            if report.found and report.found[-1].span == number.span:
                report.found.pop()  # the first comma of a range: both are said at once
            number.text += f".{key.text}"  # read on as it is meant
            report.stop("syntax/comma", number.span, write=number.text)
            return
        report.stop("brace-comma/rest", key.span, rest=key.text)
        if parent.node.entries and isinstance(parent.node.entries[-1][1], Scalar):
            parent.node.entries[-1][1].cut = True
        return
    first = parent.seen.get(key.text)
    if first is not None:
        report.stop("duplicate-id/key", key.span, id=key.text, line=first.line)
        return
    parent.seen[key.text] = key
    parent.node.entries.append((key, node))


def _decimals(node: Mapping, key: Scalar) -> bool:
    """Whether ``key`` is what a comma cut off a number or range: ``price: 12,00 €``."""
    before = node.entries[-1][1] if node.entries else None
    return (
        isinstance(before, Scalar)
        and before.plain
        and _BEFORE_COMMA.fullmatch(before.text) is not None
        and _AFTER_COMMA.fullmatch(key.text) is not None
        and (before.line, before.column + len(before.text) + 1) == (key.line, key.column)
    )


def _span(file: str, event: Any) -> Span:
    return Span(file, event.start_mark.line + 1, event.start_mark.column + 1)


def _report_syntax(report: Report, file: str, text: str, error: MarkedYAMLError) -> None:
    mark = error.problem_mark or error.context_mark
    problem = str(error.problem or "")
    if "could not find expected ':'" in problem:
        # Only noticed where something else begins.
        mark = error.context_mark
    span = Span(file, mark.line + 1, mark.column + 1) if mark else Span(file, 1, 1)
    lines = text.split("\n")
    opened = error.context_mark
    for at in range(opened.line, span.line - 1) if opened and "expected ',' or" in problem else ():
        hashed = _HASH.search(lines[at])
        if hashed is not None:
            report.stop("syntax/hash", Span(file, at + 1, hashed.end() - 1))
            return
    line = lines[span.line - 1] if span.line <= len(lines) else ""
    here = line[span.column - 1 : span.column]
    if "expected" in problem and line[span.column - 2 : span.column - 1] == "'":
        report.stop("syntax/apostrophe", span)
    elif "expected ',' or '}'" in problem and here in ("[", "{"):
        report.stop("brace-comma/bracket", span)
    elif "mapping values are not allowed" in problem:
        report.stop("syntax/colon", span)
    elif _BRACED.search(line):
        # `say: {width} is …` also looks like a comma in braces; one mistake is enough.
        report.found = [each for each in report.found if each.span.line != span.line]
        report.stop("syntax/braces", span)
    elif "expected ',' or" in problem and here == ":":
        report.stop("syntax/colon", span)
    elif "expected ',' or" in problem or "expected the node content" in problem:
        report.stop("syntax/brackets", span)
    elif "quoted scalar" in str(error.context or "") or "end of stream" in problem:
        opened = error.context_mark or mark
        report.stop("syntax/unclosed", Span(file, opened.line + 1, opened.column + 1))
    elif here and here in "@`%|>&*!":
        report.stop("syntax/quote", span, sign=here)
    else:
        report.stop("syntax/yaml", span)

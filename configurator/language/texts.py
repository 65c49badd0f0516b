"""Sentences: inline, per language, and from the sheets in ``texts/<language>.csv``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from configurator.language.nodes import Mapping, Node, Scalar
from configurator.language.report import Report
from configurator.language.spreadsheet import Sheet
from configurator.model.diagnostic import Span
from configurator.model.text import Text

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


@dataclass(slots=True)
class Entry:
    """One row of a sheet."""

    source: str
    text: str
    span: Span
    place: Span
    used: bool = False


@dataclass(slots=True)
class Texts:
    """The languages of a product and the sheets of those that are not the author's."""

    report: Report
    language: str = "en"
    languages: tuple[str, ...] = ("en",)
    sheets: dict[str, dict[str, Entry]] = field(default_factory=dict)
    shown: list[tuple[str, Span]] = field(default_factory=list)
    """The names in ``{name}`` placeholders, and where."""
    absent: set[str] = field(default_factory=set)
    """The keys under which nothing is written in the author's language."""

    unread: set[tuple[str, str]] = field(default_factory=set)
    """Languages and keys whose text is unknown, as their row or sheet (no key) is unfit."""

    def add_sheet(self, language: str, sheet: Sheet) -> None:
        """Read ``key,source,text`` rows for ``language``."""
        wanted = ("key", "source", "text")
        for name in wanted:
            if name not in sheet.columns:
                self.report.stop("missing-key/column", sheet.place(0, 0), column=name)
                self.unread.add((language, ""))
                return
        where = [sheet.columns.index(name) for name in wanted]
        for row in sheet.unfit:
            self.unread |= {(language, cell.strip()) for cell in row.cells[where[0] :][:1]}
        entries = self.sheets.setdefault(language, {})
        for row in sheet.rows:
            key, source, text = (row.cells[index].strip() for index in where)
            if key in entries:
                span, first = sheet.place(row.line, where[0]), entries[key].span.line
                self.report.stop("duplicate-id/key", span, id=key, line=first)
            elif key and text:
                span, place = (sheet.place(row.line, index) for index in (where[0], where[2]))
                entries[key] = Entry(source, text, span, place)

    def plain(self, sentence: str, key: str, span: Span, *, must: str = "") -> Text:
        """A sentence in the author's language, with the translations of ``key``.

        ``must`` names the kind of text that may not lack a language (``because``).
        """
        sentence = " ".join(sentence.split())
        pairs = {self.language: sentence}
        self.show(sentence, span)
        for language, entries in self.sheets.items():
            entry = entries.get(key)
            if entry is None:
                continue
            entry.used = True
            pairs[language] = entry.text
            self.show(entry.text, entry.place)
            if entry.source and " ".join(entry.source.split()) != sentence:
                self.report.warn(
                    "text-stale",
                    entry.span,
                    about=span,
                    key=key,
                    source=entry.source,
                    now=sentence,
                )
        return self._checked(pairs, span, must, key)

    def read(self, node: Node | None, key: str, *, must: str = "") -> Text | None:
        """A text as written under a key: a sentence, or ``{es: …, en: …}``."""
        if node is None:
            self.absent.add(key)
            return None
        if isinstance(node, Scalar):
            if node.empty:
                self.report.stop("missing-key/empty", node.span)
                return None
            self._check_hash(node)
            return self.plain(node.text, key, node.span, must=must)
        if not isinstance(node, Mapping):
            self.report.stop("type-mismatch/text", node.span)
            return None
        pairs: dict[str, str] = {}
        for name, value in node.entries:
            if name.text not in self.languages:
                self.report.stop(
                    "unknown-key/language",
                    name.span,
                    word=name.text,
                    offered=", ".join(self.languages),
                )
            elif not isinstance(value, Scalar) or value.empty:
                self.report.stop("type-mismatch/text", value.span)
            else:
                self._check_hash(value)
                self.show(value.text, value.span)
                pairs[name.text] = " ".join(value.text.split())
        if not pairs:
            return None
        if self.language in pairs:
            pairs = {self.language: pairs[self.language], **pairs}
        return self._checked(pairs, node.span, must, key)

    def _check_hash(self, node: Scalar) -> None:
        if node.hashed:
            self.report.warn("hash-comment", node.span, text=node.text)

    def _checked(self, pairs: dict[str, str], span: Span, must: str, key: str) -> Text:
        if must:
            for language in self.languages:
                unread = {(language, ""), (language, key)} & self.unread
                if language not in pairs and not unread:
                    self.report.stop("text-missing", span, kind=must, language=language, key=key)
        return Text.of(pairs)

    def show(self, sentence: str, span: Span) -> None:
        """Note what a sentence shows, to be looked up once all names are known."""
        if "{" in sentence:
            self.shown += [(name, span) for name in PLACEHOLDER.findall(sentence)]

    def report_unused(self, pending: tuple[str, ...]) -> None:
        """Doubt the rows of sheets that belong to nothing in the folder."""
        for entries in self.sheets.values():
            for key, entry in entries.items():
                if entry.used or key.startswith(pending):
                    continue
                problem = "unknown-key/original" if key in self.absent else "unknown-key/text"
                self.report.warn(problem, entry.span, word=key)

"""A rule file as numbered lines, each diagnostic right after the line it is about.

Long files show the lines around their diagnostics only; what is left out is said.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from configurator.model.diagnostic import Diagnostic

WHOLE_UP_TO: Final = 1500
AROUND: Final = 12
LONGEST_LINE: Final = 2000
_WORD: Final = re.compile(r"\w[\w.-]*|\S")


def sentence(text: str) -> str:
    """A text that begins small, as helps do, to stand by itself."""
    first = 1 if text[:1] in ("¿", "¡") else 0
    return text[:first] + text[first : first + 1].upper() + text[first + 1 :]


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its text in three parts, the middle one underlined (empty where nothing
    is), and the diagnostics about it. ``skipped`` lines before it are not shown."""

    number: int
    before: str
    marked: str
    after: str
    diagnostics: tuple[Diagnostic, ...]
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Listing:
    """A file's lines, diagnostics about the file as a whole, and how many lines at its
    end are not shown. ``readable`` is false for files that are no text."""

    lines: tuple[Line, ...]
    whole: tuple[Diagnostic, ...]
    rest: int
    readable: bool = True

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Every diagnostic that is shown, in the order of the page."""
        return (*self.whole, *(each for line in self.lines for each in line.diagnostics))


def listing(content: bytes, diagnostics: Sequence[Diagnostic]) -> Listing:
    """The lines of a file with its diagnostics, which must be about this file."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Listing((), tuple(diagnostics), 0, readable=False)
    if "\x00" in text:
        return Listing((), tuple(diagnostics), 0, readable=False)
    rows = text.replace("\r\n", "\n").split("\n")
    if rows and not rows[-1]:
        rows.pop()
    by_line: dict[int, list[Diagnostic]] = defaultdict(list)
    whole = []
    for each in diagnostics:
        if 1 <= each.span.line <= len(rows):
            by_line[each.span.line].append(each)
        else:
            whole.append(each)
    shown = _shown(len(rows), by_line)
    lines = []
    last = 0
    for number in shown:
        lines.append(_line(number, rows[number - 1], by_line.get(number, []), number - last - 1))
        last = number
    return Listing(tuple(lines), tuple(whole), len(rows) - last)


def _shown(count: int, by_line: dict[int, list[Diagnostic]]) -> list[int]:
    if count <= WHOLE_UP_TO:
        return list(range(1, count + 1))
    if not by_line:
        return list(range(1, WHOLE_UP_TO + 1))
    near = {
        number
        for place in sorted(by_line)[:200]
        for number in range(max(1, place - AROUND), min(count, place + AROUND) + 1)
    }
    return sorted(near)


def _line(number: int, text: str, diagnostics: list[Diagnostic], skipped: int) -> Line:
    text = text[:LONGEST_LINE]
    column = min((each.span.column for each in diagnostics if each.span.column > 0), default=0)
    marked = _WORD.match(text, column - 1) if 0 < column <= len(text) else None
    if marked is None:
        return Line(number, text, "", "", tuple(diagnostics), skipped)
    return Line(
        number,
        text[: marked.start()],
        marked.group(),
        text[marked.end() :],
        tuple(diagnostics),
        skipped,
    )

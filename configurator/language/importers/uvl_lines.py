"""UVL text as an outline: tokens in lines, lines below lines by their indentation.

Knows the letters of UVL and what a line is, nothing of features. Line breaks inside
brackets do not end a line; comments and blank lines leave no trace.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from configurator.language.importers.fault import ImportModelError, both, fault
from configurator.language.importers.feature_model import MOST_DEPTH
from configurator.language.importers.source import Source
from configurator.model.diagnostic import Span

Kind = Literal["id", "quoted", "text", "number", "sign"]

MOST_TOKENS = 300_000

_TOKEN = re.compile(
    r"""
      (?P<blank>[ \t\f\ufeff]+|//[^\r\n]*)
    | (?P<comment>/\*.*?\*/)
    | (?P<newline>\r\n?|\n)
    | (?P<quoted>"[^\r\n"]+")
    | (?P<text>'[^\r\n']*')
    | (?P<number>-?(?:\d+\.\d+|\.\d+|\d+))
    | (?P<id>[^\W\d_][\w\#§%?\\';]*)
    | (?P<sign><=>|=>|<=|>=|==|!=|\.\.|/(?!\*)|[!&|<>(){}\[\],.*+-])
    """,
    re.VERBOSE | re.DOTALL,
)
_NAME_LETTER = re.compile(r"\w")
_OPENING = frozenset("([{")
_CLOSING = frozenset(")]}")


@dataclass(frozen=True, slots=True)
class Token:
    """A word of UVL; ``text`` is without quotes."""

    kind: Kind
    text: str
    offset: int

    @property
    def end(self) -> int:
        """The offset after its last letter, quotes included."""
        return self.offset + len(self.text) + (2 if self.kind in ("quoted", "text") else 0)


@dataclass(slots=True)
class Line:
    """One logical line and the lines indented below it. ``text`` is as written."""

    column: int
    tokens: list[Token]
    end: int
    below: list[Line] = field(default_factory=list)


def outline(source: Source) -> list[Line]:
    """The lines that stand furthest left, each with those below it.

    Raises ``ImportModelError`` for letters UVL does not know, unclosed brackets and
    comments, and indentation that returns to no earlier line.
    """
    top: list[Line] = []
    open_lines: list[Line] = []
    for line in _lines(source):
        while open_lines and open_lines[-1].column > line.column:
            open_lines.pop()
        if open_lines and open_lines[-1].column < line.column:
            above = open_lines[-1]
            if above.below and above.below[-1].column != line.column:
                raise _wrong_indentation(source, line)
            above.below.append(line)
        else:
            if open_lines:
                open_lines.pop()
            siblings = open_lines[-1].below if open_lines else top
            if siblings and siblings[-1].column != line.column:
                raise _wrong_indentation(source, line)
            siblings.append(line)
        open_lines.append(line)
    return top


def _lines(source: Source) -> Iterator[Line]:
    text = source.text
    tokens: list[Token] = []
    brackets: list[Token] = []
    position = count = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _strange_letter(source, position)
        kind = match.lastgroup
        position = match.end()
        if kind in ("blank", "comment"):
            continue
        if kind == "newline":
            if tokens and not brackets:
                yield _line(source, tokens)
                tokens = []
            continue
        token = _token(source, match)
        if token.kind == "sign" and token.text in _OPENING:
            brackets.append(token)
        elif token.kind == "sign" and token.text in _CLOSING and brackets:
            brackets.pop()
        tokens.append(token)
        count += 1
        if count > MOST_TOKENS:
            raise _too_large(source.span(token.offset))
        if len(brackets) > 2 * MOST_DEPTH:
            raise _too_deep(source.span(token.offset))
    if brackets:
        raise _unclosed(source.span(brackets[-1].offset), brackets[-1].text)
    if tokens:
        yield _line(source, tokens)


def _token(source: Source, match: re.Match[str]) -> Token:
    written, offset = match.group(), match.start()
    match match.lastgroup:
        case "quoted":
            return Token("quoted", written[1:-1], offset)
        case "text":
            return Token("text", written[1:-1], offset)
        case "number":
            if _NAME_LETTER.match(source.text, match.end()):
                raise _illegal_name(source.span(offset))
            return Token("number", written, offset)
        case "id":
            return Token("id", written, offset)
    return Token("sign", written, offset)


def _line(source: Source, tokens: list[Token]) -> Line:
    first = tokens[0].offset
    start = first - source.span(first).column + 1
    return Line(_width(source.text[start:first]), tokens, tokens[-1].end)


def _width(before: str) -> int:
    """How far right a line starts; a tab reaches to the next multiple of eight."""
    return len(before.expandtabs(8))


def _wrong_indentation(source: Source, line: Line) -> ImportModelError:
    message = both(
        f"La sangría de «{line.tokens[0].text}» no coincide con la de ninguna línea anterior.",
        f'The indentation of "{line.tokens[0].text}" matches no earlier line.',
    )
    cure = both(
        "Alinea la línea con sus hermanas, o ponla más adentro que su padre.",
        "Align the line with its siblings, or indent it deeper than its parent.",
    )
    return ImportModelError(
        [fault("wrong-indentation", source.span(line.tokens[0].offset), message, cure)]
    )


def _too_deep(span: Span) -> ImportModelError:
    message = both(
        "Aquí el modelo anida más de lo que una persona puede leer.",
        "Here the model nests deeper than a person can read.",
    )
    cure = both(
        f"Deja como mucho {MOST_DEPTH} niveles.",
        f"Keep to {MOST_DEPTH} levels.",
    )
    return ImportModelError([fault("too-deep", span, message, cure)])


def _too_large(span: Span) -> ImportModelError:
    message = both(
        f"El modelo tiene más de {MOST_TOKENS} palabras.",
        f"The model has more than {MOST_TOKENS} words.",
    )
    return ImportModelError([fault("too-large", span, message, both("Divídelo.", "Split it."))])


def _unclosed(span: Span, bracket: str) -> ImportModelError:
    message = both(f"«{bracket}» no se cierra.", f'"{bracket}" is never closed.')
    cure = both("Añade el cierre que falta.", "Add the closing one.")
    return ImportModelError([fault("syntax", span, message, cure)])


def _illegal_name(span: Span) -> ImportModelError:
    message = both("Un nombre no puede empezar por una cifra.", "A name cannot start with a digit.")
    cure = both('Ponlo entre comillas: "12B".', 'Put it in quotes: "12B".')
    return ImportModelError([fault("illegal-name", span, message, cure)])


def _strange_letter(source: Source, position: int) -> ImportModelError:
    letter = source.text[position]
    if source.text.startswith("/*", position):
        message = both(
            "El comentario que empieza aquí no termina.", "The comment that starts here never ends."
        )
        cure = both("Ciérralo con */.", "Close it with */.")
    elif letter in "\"'":
        message = both(
            "Las comillas que se abren aquí no se cierran en la línea, o están vacías.",
            "The quotes opened here are not closed on the line, or are empty.",
        )
        cure = both("Añade las comillas que faltan.", "Add the missing quote.")
    else:
        message = both(f"UVL no conoce la letra «{letter}».", f'UVL has no letter "{letter}".')
        cure = both("Pon el nombre entre comillas.", "Put the name in quotes.")
    return ImportModelError([fault("syntax", source.span(position), message, cure)])

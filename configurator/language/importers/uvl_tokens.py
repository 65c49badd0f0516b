"""Walking over the tokens of one UVL line, and saying what was expected there.

Knows the shape of names, values and attribute blocks; nothing of trees.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from configurator.language.importers.fault import ImportModelError, both, fault
from configurator.language.importers.source import Source
from configurator.language.importers.uvl_lines import Token
from configurator.model.diagnostic import Span

_DECIMAL = re.compile(r"(-?)(\d*)(?:\.(\d+))?")
MOST_DIGITS = 15
MOST_DECIMALS = 9

KEYWORDS = frozenset(
    (
        *("include", "features", "imports", "namespace", "as", "constraint", "constraints"),
        *("cardinality", "String", "Boolean", "Integer", "Real"),
        *("or", "alternative", "optional", "mandatory"),
    )
)

Value = str | bool | list["Value"] | dict[str, "Value"]
"""An attribute's value: numbers and texts as text (see ``Attribute``)."""


class Cursor:
    """The next token of a line, taken one by one."""

    def __init__(self, source: Source, tokens: Sequence[Token], end: int) -> None:
        self.source = source
        self.tokens = tokens
        self.end = end
        self.position = 0

    def peek(self, ahead: int = 0) -> Token | None:
        """The token ``ahead`` of the next one, without taking it."""
        position = self.position + ahead
        return self.tokens[position] if position < len(self.tokens) else None

    def sees(self, sign: str) -> bool:
        """Whether the next token is this sign."""
        token = self.peek()
        return token is not None and token.kind == "sign" and token.text == sign

    def takes(self, sign: str) -> bool:
        """Take the sign if it comes next."""
        if self.sees(sign):
            self.position += 1
            return True
        return False

    def expect(self, sign: str) -> None:
        """Take the sign; raises ``ImportModelError`` where something else comes."""
        if not self.takes(sign):
            raise self.unexpected(f"«{sign}»", f'"{sign}"')

    def sees_word(self, word: str) -> bool:
        """Whether the next token is this unquoted word."""
        token = self.peek()
        return token is not None and token.kind == "id" and token.text == word

    def span(self) -> Span:
        """The place of the next token, or of the line's end."""
        token = self.peek()
        return self.source.span(self.end if token is None else token.offset)

    def take(self) -> Token | None:
        """The next token, or ``None`` at the end."""
        token = self.peek()
        if token is not None:
            self.position += 1
        return token

    def name(self) -> str:
        """One part of a name; raises ``ImportModelError`` where none comes."""
        token = self.peek()
        if token is None or token.kind not in ("id", "quoted"):
            raise self.unexpected("un nombre", "a name")
        if token.kind == "id" and token.text in KEYWORDS:
            raise self._keyword(token)
        if "." in token.text:
            raise self._dotted(token)
        self.position += 1
        return token.text

    def reference(self) -> tuple[str, ...]:
        """A dotted name, as its parts."""
        parts = [self.name()]
        while self.takes("."):
            parts.append(self.name())
        return tuple(parts)

    def end_of_line(self) -> None:
        """Raises ``ImportModelError`` where the line goes on."""
        if self.peek() is not None:
            raise self.unexpected("el final de la línea", "the end of the line")

    def unexpected(self, es: str, en: str) -> ImportModelError:
        """What to raise where the next token is not what ``es``/``en`` names."""
        token = self.peek()
        found_es = "la línea termina" if token is None else f"está «{_short(token.text)}»"
        found_en = "the line ends" if token is None else f'there is "{_short(token.text)}"'
        message = both(
            f"Aquí va {es}, y {found_es}.", f"{en[0].upper()}{en[1:]} goes here, but {found_en}."
        )
        cure = both(
            "Corrige la línea según la gramática de UVL.", "Mend the line after the grammar of UVL."
        )
        return ImportModelError([fault("syntax", self.span(), message, cure)])

    def _keyword(self, token: Token) -> ImportModelError:
        message = both(
            f"«{token.text}» es una palabra de UVL y no puede ser un nombre.",
            f'"{token.text}" is a word of UVL and cannot be a name.',
        )
        cure = both(
            f'Si es un nombre, ponlo entre comillas: "{token.text}"; si no, revisa la sangría.',
            f'If it is a name, put it in quotes: "{token.text}"; if not, look at the indentation.',
        )
        return ImportModelError([fault("illegal-name", self.span(), message, cure)])

    def _dotted(self, token: Token) -> ImportModelError:
        message = both(
            f"El nombre «{_short(token.text)}» lleva un punto, y el punto separa nombres.",
            f'The name "{_short(token.text)}" has a dot, and dots separate names.',
        )
        cure = both("Quita el punto del nombre.", "Take the dot out of the name.")
        return ImportModelError([fault("illegal-name", self.span(), message, cure)])


def constraint_tokens(cursor: Cursor, closing: str) -> list[Token]:
    """The tokens up to a comma or ``closing`` outside brackets, which is not taken."""
    depth = 0
    found: list[Token] = []
    while (token := cursor.peek()) is not None:
        if token.kind == "sign":
            if depth == 0 and token.text in (",", closing):
                break
            depth += (token.text in "([{") - (token.text in ")]}")
        found.append(token)
        cursor.position += 1
    return found


def number(cursor: Cursor) -> str:
    """A number, canonical: no leading or trailing zeros that say nothing."""
    token = cursor.peek()
    match = _DECIMAL.fullmatch(token.text) if token is not None else None
    if token is None or token.kind != "number" or match is None:
        raise cursor.unexpected("un número", "a number")
    sign, whole, decimals = match.groups()
    whole, decimals = whole.lstrip("0") or "0", (decimals or "").rstrip("0")
    if len(whole) + len(decimals) > MOST_DIGITS or len(decimals) > MOST_DECIMALS:
        message = both(
            f"Este número tiene más de {MOST_DIGITS} cifras o {MOST_DECIMALS} decimales.",
            f"This number has more than {MOST_DIGITS} digits or {MOST_DECIMALS} decimals.",
        )
        cure = both("Redondéalo o cambia de unidad.", "Round it, or change the unit.")
        raise ImportModelError([fault("number-too-long", cursor.span(), message, cure)])
    cursor.position += 1
    text = f"{whole}.{decimals}" if decimals else whole
    return text if text == "0" or not sign else f"-{text}"


def whole_number(cursor: Cursor) -> int:
    """A number from 0 without decimals, as bounds of groups are."""
    span = cursor.span()
    text = number(cursor)
    if not text.isdigit():
        message = both(
            "Un límite es un número entero desde 0.", "A bound is a whole number from 0."
        )
        cure = both("Escribe, por ejemplo, [1..3].", "Write, for example, [1..3].")
        raise ImportModelError([fault("syntax", span, message, cure)])
    return int(text)


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"

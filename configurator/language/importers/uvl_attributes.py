"""The attribute block of a UVL feature.

Numbers and truths are kept apart from what rules could never read; constraints inside
the block hold for the whole model and are handed back as tokens.
"""

from __future__ import annotations

from configurator.language.importers.feature_model import Feature
from configurator.language.importers.uvl_lines import Token
from configurator.language.importers.uvl_tokens import Cursor, constraint_tokens, number

_HELP_KEYS = frozenset(("doc", "description", "help"))


def read_attributes(cursor: Cursor, feature: Feature) -> list[list[Token]]:
    """Read a block after its opening brace into ``feature``; its constraints, as tokens.

    Raises ``ImportModelError`` where the block is no attribute block.
    """
    constraints: list[list[Token]] = []
    while not cursor.takes("}"):
        if cursor.sees_word("constraint"):
            cursor.take()
            constraints.append(_constraint(cursor, "}"))
        elif cursor.sees_word("constraints"):
            cursor.take()
            cursor.expect("[")
            while not cursor.takes("]"):
                constraints.append(_constraint(cursor, "]"))
                if not cursor.sees("]"):
                    cursor.expect(",")
        else:
            _attribute(cursor, feature, cursor.name())
        if not cursor.sees("}"):
            cursor.expect(",")
    return constraints


def _constraint(cursor: Cursor, closing: str) -> list[Token]:
    tokens = constraint_tokens(cursor, closing)
    if not tokens:
        raise cursor.unexpected("una condición", "a constraint")
    return tokens


def _attribute(cursor: Cursor, feature: Feature, key: str) -> None:
    """One attribute; a block inside it gives attributes ``key.inner``."""
    open_blocks = [key]
    while True:
        key = ".".join(open_blocks)
        if cursor.takes("{"):
            if not cursor.takes("}"):
                open_blocks.append(cursor.name())
                continue
        else:
            _value(cursor, feature, key)
        open_blocks.pop()
        while open_blocks and cursor.takes("}"):
            open_blocks.pop()
        if not open_blocks:
            return
        cursor.expect(",")
        open_blocks.append(cursor.name())


def _value(cursor: Cursor, feature: Feature, key: str) -> None:
    token = cursor.peek()
    if token is None or (token.kind == "sign" and token.text in (",", "}")):
        if key != "abstract":
            feature.yes_or_no.append((key, True))
    elif token.kind == "number":
        feature.numbers.append((key, number(cursor)))
    elif token.kind == "id" and token.text in ("true", "false"):
        cursor.take()
        if key != "abstract":
            feature.yes_or_no.append((key, token.text == "true"))
    elif token.kind in ("text", "quoted"):
        cursor.take()
        if key in _HELP_KEYS:
            feature.help = token.text
        else:
            feature.notes.append((key, token.text))
    elif cursor.takes("["):
        inner = _bracketed(cursor)
        feature.notes.append((key, inner))
    else:
        raise cursor.unexpected("un valor", "a value")


def _bracketed(cursor: Cursor) -> str:
    """The words of a vector up to its closing bracket, as one text."""
    depth, words = 1, []
    while (token := cursor.take()) is not None:
        if token.kind == "sign":
            depth += (token.text in "[{") - (token.text in "]}")
            if depth == 0:
                break
        words.append(token.text)
    return " ".join(words)

"""What was probably meant by an expression that cannot be parsed."""

from __future__ import annotations

import re

from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from configurator.language.syntax import RESERVED, SPELLING, ExpressionError

_SIGNS = {"&": "and", "|": "or", "!": "not", "→": "=>", "×": "*", "·": "*", "÷": "/", "−": "-"}
_SIGNS_APART = {"=<": "<=", "=>": ">=", "<=": "<=", ">=": ">=", "==": "=", "<>": "!=", "->": "=>"}
"""What two signs in a row are meant for."""
_NUMBER_BEFORE = re.compile(r"(\d+\.)?\d+$")
_NEAR = 200
"""How many letters before a mistake are looked at."""
_AFTER_HAS = re.compile(r"\bhas(?:\s+only|\s+(?:any|all|none)(?:\s+of)?|\s+([^\W\d][\w-]*))?\s*$")
_AFTER_IN = re.compile(r"\bin\s+[^\W\d][\w-]*\s*$")
_AFTER_NO = re.compile(r"(^|\(|\b(and|or|not)\s)\s*no\s+$")
_NAME_BEFORE = re.compile(r"[^\W\d][\w-]*$")
OTHER_WORDS = {
    "true": "yes",
    "false": "no",
    "null": "none",
    "cuando": "when",
    "si": "when",
    "y": "and",
    "o": "or",
    "u": "or",
    "en": "in",
    "es": "is",
    "tiene": "has",
    "sin": "not",
    "nada": "none",
    "ninguno": "none",
    "ninguna": "none",
    "sí": "yes",
    "verdadero": "yes",
    "falso": "no",
    "hoy": "today",
    "suma": "sum",
    "cuenta": "count",
    "mínimo": "min",
    "máximo": "max",
}


def explain(text: str, error: UnexpectedInput) -> ExpressionError:
    """The mistake in ``text`` where the parser stopped, as a key of the catalogue."""
    at = error.pos_in_stream or 0
    first = text.split(maxsplit=1)[0].lower() if text.strip() else ""
    if first in ("cuando", "si", "when", "if"):
        return ExpressionError("syntax/when", 0, word=first)
    if isinstance(error, UnexpectedCharacters):
        sign = text[at : at + 1]
        if sign in _SIGNS:
            return ExpressionError("syntax/write", at, found=sign, write=_SIGNS[sign])
        if sign in "'\"«»“”‘’":
            return ExpressionError("syntax/text", at)
        return ExpressionError("syntax/sign", at, sign=sign)
    assert isinstance(error, UnexpectedToken)
    token = error.token
    if token.type == "$END":
        at = len(text)
    near = text[max(at - _NEAR, 0) : at]
    before = _word_before(text, at)
    if token.type == "LPAR" and before in ("in", "of", "only"):
        return ExpressionError("syntax/list", at)
    if _AFTER_IN.search(near):
        return ExpressionError("syntax/in", at)
    after_has = _AFTER_HAS.search(near)
    if after_has and (token.type == "CMP" or after_has[1] is None):
        return ExpressionError("syntax/has", at)
    if token.type == "$END":
        return ExpressionError("syntax/ends", at)
    if token.type == "CMP":
        return _two_signs(text, at, str(token)) or _chained(text, at)
    whole, decimals = _NUMBER_BEFORE.search(near), re.match(r",\d+", text[at : at + _NEAR])
    if token.type == "COMMA" and whole is not None and decimals is not None:
        return _decimal_comma(whole[0] + decimals[0], at - len(whole[0]))
    for word in (str(token), before):
        write = "*" if word in ("x", "X") else meant(word)
        if write is not None:
            return ExpressionError("syntax/write", at, found=word, write=write)
    if _AFTER_NO.search(near):
        return ExpressionError("syntax/not", at)
    name = _NAME_BEFORE.search(near)
    if token.type == "LPAR" and name is not None:
        return ExpressionError("syntax/function", at - len(name[0]), word=name[0])
    if token in ("(", ")", "[", "]"):
        return ExpressionError("syntax/unbalanced", at, sign=str(token))
    return ExpressionError("syntax/word", at, word=str(token))


def meant(word: str) -> str | None:
    """The word of the language that another one, or one in capitals, stands for."""
    small = word.lower()
    return OTHER_WORDS.get(small) or (small if small != word and small in RESERVED else None)


def _word_before(text: str, at: int) -> str:
    words = text[:at].split()
    return words[-1] if words else ""


def _two_signs(text: str, at: int, sign: str) -> ExpressionError | None:
    """``=<``, ``> =`` and ``->``."""
    start = len(text[:at].rstrip()) - 1
    write = _SIGNS_APART.get(text[start : start + 1] + sign) if start >= 0 else None
    if write is None:
        return None
    return ExpressionError("syntax/write", start, found=text[start : at + len(sign)], write=write)


def _chained(text: str, at: int) -> ExpressionError:
    """``18 <= age <= 30``: comparisons do not chain."""
    pieces = [piece.strip() for piece in _split_comparisons(text)]
    if len(pieces) == 5 and pieces[1] == pieces[3] == "<=":
        return ExpressionError("syntax/chain", at, write=f"{pieces[2]} in {pieces[0]}..{pieces[4]}")
    if len(pieces) == 5 and pieces[1] == pieces[3] == ">=":
        return ExpressionError("syntax/chain", at, write=f"{pieces[2]} in {pieces[4]}..{pieces[0]}")
    if len(pieces) == 5:
        return ExpressionError(
            "syntax/chain",
            at,
            write=f"{''.join(f'{piece} ' for piece in pieces[:3])}and {' '.join(pieces[2:])}",
        )
    return ExpressionError("syntax/chain", at, write="a <= b and b <= c")


def _split_comparisons(text: str) -> list[str]:
    pieces = [""]
    position = 0
    while position < len(text):
        for operator in ("<=", ">=", "==", "!=", "<>", "≤", "≥", "≠", "=", "<", ">"):
            if text.startswith(operator, position):
                pieces += [SPELLING.get(operator, operator), ""]
                position += len(operator)
                break
        else:
            pieces[-1] += text[position]
            position += 1
    return pieces


def _decimal_comma(number: str, at: int) -> ExpressionError:
    if "." in number:
        return ExpressionError("thousands", at, cell=number)
    return ExpressionError("syntax/comma", at, write=number.replace(",", "."))

"""What was probably meant by an expression that cannot be parsed."""

from __future__ import annotations

from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from configurator.language.syntax import RESERVED, SPELLING, ExpressionError

_SIGNS = {"&": "and", "|": "or", "!": "not", "→": "=>", "×": "*", "·": "*", "÷": "/", "−": "-"}
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
        return ExpressionError("syntax/ends", len(text))
    if token.type == "CMP":
        return _chained(text, at)
    if token.type == "COMMA" and text[at - 1 : at].isdigit() and text[at + 1 : at + 2].isdigit():
        return _decimal_comma(text, at)
    before = _word_before(text, at)
    if token.type == "LPAR" and before in ("in", "of", "only"):
        return ExpressionError("syntax/list", at)
    for word in (str(token), before):
        write = "*" if word in ("x", "X") else meant(word)
        if write is not None:
            return ExpressionError("syntax/write", at, found=word, write=write)
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


def _decimal_comma(text: str, at: int) -> ExpressionError:
    start, end = at, at + 1
    while start and text[start - 1].isdigit():
        start -= 1
    while end < len(text) and text[end].isdigit():
        end += 1
    return ExpressionError("syntax/comma", start, write=text[start:end].replace(",", "."))

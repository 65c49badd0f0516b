"""Expressions as written: a grammar and a tree of words, no meaning yet.

The tree keeps offsets into the expression's text. Names are resolved in
``language.resolve``.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any, cast

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

GRAMMAR = r"""
?start: expr
?expr: implication | implication "<=>" implication -> equivalence
?implication: disj | disj "=>" implication -> implies
?disj: conj ("or" conj)*
?conj: neg ("and" neg)*
?neg: "not" neg -> negation | test
?test: sum
    | sum CMP sum -> comparison
    | sum "in" set -> inside
    | sum "not" "in" set -> outside
    | sum "is" "relevant" -> relevant
    | sum "is" "not" "relevant" -> irrelevant
    | sum "has" (NAME | NUMBER) -> has_one
    | sum "has" "any" "of" list -> has_any
    | sum "has" "all" "of" list -> has_all
    | sum "has" "none" "of" list -> has_none
    | sum "has" "only" list -> has_only
?sum: product | sum SIGN product -> arithmetic
?product: factor | product MULDIV factor -> arithmetic
?factor: SIGN factor -> signed | fallback
?fallback: atom | atom "else" atom -> otherwise
?atom: NUMBER -> number
    | NUMBER unit -> number
    | DATE -> day
    | YES -> word
    | NO -> word
    | NONE -> word
    | "$" NAME -> parameter
    | path
    | call
    | "(" expr ")"
!unit: NAME | "%" | "€"
path: NAME ("[" NUMBER "]")? ("." NAME)*
call: func "(" expr ("," expr)* ")"
!func: "sum" | "count" | "kinds" | "min" | "max" | "any" | "all"
?set: list | range -> one_range
list: "[" item ("," item)* "]"
?item: bound | range | YES -> word | NO -> word | NONE -> word
range: bound ".." bound -> closed
    | bound ".." -> upward
    | ".." bound -> downward
?bound: NUMBER -> number
    | NUMBER unit -> number
    | SIGN NUMBER -> signed_number
    | SIGN NUMBER unit -> signed_number
    | DATE -> day
    | path
YES: "yes"
NO: "no"
NONE: "none"
CMP: /<=(?!>)|>=|==|!=|<>|≤|≥|≠|=(?!>)|<(?![=>])|>(?!=)/
SIGN: "+" | "-"
MULDIV: "*" | "/"
DATE.3: /\d{4}-\d{2}-\d{2}/
NUMBER: /\d+(\.\d+)?/
NAME: /[^\W\d]\w*(-\w+)*/
%ignore /[ \n]+/
"""

RESERVED = frozenset(
    ("and", "or", "not", "in", "is", "has", "of", "else", "relevant", "yes", "no", "none")
) | frozenset(
    ("today", "only", "any", "all", "sum", "count", "kinds", "min", "max", "lowest-total")
)
DEEPEST = 100
LONGEST = 200_000


@dataclass(slots=True)
class Word:
    """``yes``, ``no`` or ``none``."""

    at: int
    word: str
    depth: int = 1


@dataclass(slots=True)
class Number:
    """A number as written, and the unit beside it."""

    at: int
    text: str
    unit: str | None
    depth: int = 1


@dataclass(slots=True)
class Day:
    """A date as written."""

    at: int
    text: str
    depth: int = 1


@dataclass(slots=True)
class Parameter:
    """``$name``."""

    at: int
    name: str
    depth: int = 1


@dataclass(slots=True)
class Path:
    """``name``, ``name.part``, ``name[1].part``."""

    at: int
    names: tuple[str, ...]
    copy: str | None = None
    depth: int = 1


@dataclass(slots=True)
class Call:
    """``function(a, b)``."""

    at: int
    function: str
    arguments: tuple[Syntax, ...]
    depth: int = 1


@dataclass(slots=True)
class Negative:
    """``-a``."""

    at: int
    term: Syntax
    depth: int = 1


@dataclass(slots=True)
class Arithmetic:
    """``a + b`` and its like."""

    at: int
    operator: str
    left: Syntax
    right: Syntax
    depth: int = 1


@dataclass(slots=True)
class Else:
    """``a else b``."""

    at: int
    term: Syntax
    fallback: Syntax
    depth: int = 1


@dataclass(slots=True)
class Comparison:
    """``a <= b``; the operator in its one spelling."""

    at: int
    operator: str
    left: Syntax
    right: Syntax
    depth: int = 1


@dataclass(slots=True)
class Range:
    """``low..high``, open where ``None``."""

    at: int
    low: Syntax | None
    high: Syntax | None
    depth: int = 1


@dataclass(slots=True)
class Membership:
    """``a in [b, c..d]``."""

    at: int
    term: Syntax
    items: tuple[Syntax, ...]
    negated: bool
    depth: int = 1


@dataclass(slots=True)
class Relevant:
    """``a is relevant``."""

    at: int
    term: Syntax
    negated: bool
    depth: int = 1


@dataclass(slots=True)
class Has:
    """``a has any of [b, c]``."""

    at: int
    term: Syntax
    mode: str
    items: tuple[Syntax, ...]
    depth: int = 1


@dataclass(slots=True)
class Not:
    """``not a``."""

    at: int
    condition: Syntax
    depth: int = 1


@dataclass(slots=True)
class Joined:
    """``a and b``, ``a or b``, ``a => b``, ``a <=> b`` (``operator``)."""

    at: int
    operator: str
    parts: tuple[Syntax, ...]
    depth: int = 1


Syntax = (
    Word
    | Number
    | Day
    | Parameter
    | Path
    | Call
    | Negative
    | Arithmetic
    | Else
    | Comparison
    | Range
    | Membership
    | Relevant
    | Has
    | Not
    | Joined
)


class ExpressionError(Exception):
    """The text is not an expression: a key of the message catalogue and its arguments."""

    def __init__(self, key: str, at: int, **arguments: str) -> None:
        super().__init__(key)
        self.key = key
        self.at = at
        self.arguments = arguments


_SPELLING = {"==": "=", "<>": "!=", "≠": "!=", "≤": "<=", "≥": ">="}


def _depth(*parts: Syntax) -> int:
    depth = 1 + max(part.depth for part in parts)
    if depth > DEEPEST:
        raise ExpressionError("too-large/expression", parts[0].at)
    return depth


@v_args(inline=True)
class _Builder(Transformer[Token, Any]):
    """Turns what the parser recognises into the tree, while it parses."""

    def number(self, token: Token, unit: str | None = None) -> Number:
        return Number(token.start_pos or 0, str(token), unit)

    def signed_number(self, sign: Token, token: Token, unit: str | None = None) -> Syntax:
        number = Number(token.start_pos or 0, str(token), unit)
        return Negative(sign.start_pos or 0, number, 2) if sign == "-" else number

    def unit(self, token: Token) -> str:
        return str(token)

    def day(self, token: Token) -> Day:
        return Day(token.start_pos or 0, str(token))

    def word(self, token: Token) -> Word:
        return Word(token.start_pos or 0, str(token))

    def parameter(self, token: Token) -> Parameter:
        return Parameter(token.start_pos or 0, str(token))

    def path(self, *tokens: Token) -> Path:
        copy = next((str(each) for each in tokens if each.type == "NUMBER"), None)
        names = tuple(str(each) for each in tokens if each.type == "NAME")
        return Path(tokens[0].start_pos or 0, names, copy)

    def func(self, token: Token) -> Token:
        return token

    def call(self, function: Token, *arguments: Syntax) -> Call:
        return Call(function.start_pos or 0, str(function), arguments, _depth(*arguments))

    def signed(self, sign: Token, term: Syntax) -> Syntax:
        return Negative(sign.start_pos or 0, term, _depth(term)) if sign == "-" else term

    def arithmetic(self, left: Syntax, operator: Token, right: Syntax) -> Arithmetic:
        return Arithmetic(left.at, str(operator), left, right, _depth(left, right))

    def otherwise(self, term: Syntax, fallback: Syntax) -> Else:
        return Else(term.at, term, fallback, _depth(term, fallback))

    def comparison(self, left: Syntax, operator: Token, right: Syntax) -> Comparison:
        spelling = _SPELLING.get(operator, str(operator))
        return Comparison(left.at, spelling, left, right, _depth(left, right))

    def list(self, *items: Syntax) -> tuple[Syntax, ...]:
        return items

    def one_range(self, item: Range) -> tuple[Syntax, ...]:
        return (item,)

    def closed(self, low: Syntax, high: Syntax) -> Range:
        return Range(low.at, low, high)

    def upward(self, low: Syntax) -> Range:
        return Range(low.at, low, None)

    def downward(self, high: Syntax) -> Range:
        return Range(high.at, None, high)

    def inside(self, term: Syntax, items: tuple[Syntax, ...]) -> Membership:
        return Membership(term.at, term, items, False, _depth(term))

    def outside(self, term: Syntax, items: tuple[Syntax, ...]) -> Membership:
        return Membership(term.at, term, items, True, _depth(term))

    def relevant(self, term: Syntax) -> Relevant:
        return Relevant(term.at, term, False, _depth(term))

    def irrelevant(self, term: Syntax) -> Relevant:
        return Relevant(term.at, term, True, _depth(term))

    def has_one(self, term: Syntax, token: Token) -> Has:
        return Has(term.at, term, "all", (Path(token.start_pos or 0, (str(token),)),))

    def has_any(self, term: Syntax, items: tuple[Syntax, ...]) -> Has:
        return Has(term.at, term, "any", items, _depth(term))

    def has_all(self, term: Syntax, items: tuple[Syntax, ...]) -> Has:
        return Has(term.at, term, "all", items, _depth(term))

    def has_none(self, term: Syntax, items: tuple[Syntax, ...]) -> Has:
        return Has(term.at, term, "none", items, _depth(term))

    def has_only(self, term: Syntax, items: tuple[Syntax, ...]) -> Has:
        return Has(term.at, term, "only", items, _depth(term))

    def negation(self, condition: Syntax) -> Not:
        return Not(condition.at, condition, _depth(condition))

    def conj(self, *parts: Syntax) -> Joined:
        return Joined(parts[0].at, "and", parts, _depth(*parts))

    def disj(self, *parts: Syntax) -> Joined:
        return Joined(parts[0].at, "or", parts, _depth(*parts))

    def implies(self, left: Syntax, right: Syntax) -> Joined:
        return Joined(left.at, "=>", (left, right), _depth(left, right))

    def equivalence(self, left: Syntax, right: Syntax) -> Joined:
        return Joined(left.at, "<=>", (left, right), _depth(left, right))


@functools.cache
def _parser() -> Lark:
    return Lark(GRAMMAR, parser="lalr", lexer="basic", transformer=_Builder())


@dataclass(slots=True)
class Parser:
    """Parses expressions; equal texts are parsed once."""

    known: dict[str, Syntax] = field(default_factory=dict)

    def parse(self, text: str) -> Syntax:
        """The tree of an expression; raises ``ExpressionError`` with the first mistake."""
        tree = self.known.get(text)
        if tree is None:
            tree = self.known[text] = _parse(text)
        return tree


def _parse(text: str) -> Syntax:
    if len(text) > LONGEST:
        raise ExpressionError("too-large/expression", 0)
    try:
        tree = cast(Syntax, _parser().parse(text))
    except UnexpectedInput as error:
        raise _explain(text, error) from None
    return tree


_SIGNS = {"&": "and", "|": "or", "!": "not", "→": "=>", "×": "*", "·": "*", "÷": "/", "−": "-"}
SPANISH_WORDS = {
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


def _explain(text: str, error: UnexpectedInput) -> ExpressionError:
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
    for word in (str(token).lower(), _word_before(text, at)):
        if word in SPANISH_WORDS:
            return ExpressionError("syntax/write", at, found=word, write=SPANISH_WORDS[word])
    if token in ("(", ")", "[", "]"):
        return ExpressionError("syntax/unbalanced", at, sign=str(token))
    return ExpressionError("syntax/word", at, word=str(token))


def _word_before(text: str, at: int) -> str:
    words = text[:at].split()
    return words[-1].lower() if words else ""


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
                pieces += [_SPELLING.get(operator, operator), ""]
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

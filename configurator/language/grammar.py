"""The grammar of expressions, and the parser that turns text into a syntax tree."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any, cast

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedInput

from configurator.language.advice import explain
from configurator.language.syntax import (
    SPELLING,
    Arithmetic,
    Call,
    Comparison,
    Day,
    Else,
    ExpressionError,
    Has,
    Joined,
    Membership,
    Negative,
    Not,
    Number,
    Parameter,
    Path,
    Range,
    Relevant,
    Syntax,
    Word,
)

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
    | PARAMETER -> parameter
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
    | PARAMETER -> parameter
    | path
YES: "yes"
NO: "no"
NONE: "none"
CMP: /<=(?!>)|>=|==|!=|<>|≤|≥|≠|=(?!>)|<(?![=>])|>(?!=)/
SIGN: "+" | "-"
MULDIV: "*" | "/"
DATE.3: /\d{4}-\d{2}-\d{2}/
NUMBER: /\d+(\.\d+)?/
PARAMETER: /\$ *[^\W\d]\w*(-\w+)*/
NAME: /[^\W\d]\w*(-\w+)*/
%ignore /[ \n]+/
"""

DEEPEST = 100
LONGEST = 200_000


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
        return Parameter(token.start_pos or 0, str(token).lstrip("$ "))

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
        spelling = SPELLING.get(operator, str(operator))
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
        raise explain(text, error) from None
    return tree

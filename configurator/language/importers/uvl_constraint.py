"""A UVL constraint, from tokens to a formula.

Binding follows the grammar of UVL: ``!``, ``&``, ``|``, ``=>``, ``<=>`` from tightest to
loosest, each grouping to the left. Constructs above the Boolean level are refused by
name, never dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from configurator.language.importers.fault import Faults, ImportModelError, both, fault
from configurator.language.importers.formula import And, Formula, Iff, Implies, Is, Not, Or
from configurator.language.importers.uvl_lines import Token
from configurator.language.importers.uvl_tokens import Cursor
from configurator.model.diagnostic import Span
from configurator.model.text import Text

MOST_FORMULA_DEPTH = 60

_LEVELS = {"<=>": 0, "=>": 1, "|": 2, "&": 3}
_AGGREGATES = frozenset(("sum", "avg"))
_FUNCTIONS = frozenset(("floor", "ceil"))
_ARITHMETIC = frozenset(("==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/"))

Resolve = Callable[[tuple[str, ...], Span], int]
"""From a dotted name to the feature; raises ``ImportModelError`` where there is none."""


def beyond_boolean(tokens: Sequence[Token]) -> tuple[str, Token] | None:
    """The construct of a higher language level that a constraint uses, if it uses one.

    The most telling one comes first: ``sum(Price) < 5`` is an aggregate function, not
    just a comparison.
    """
    found: dict[str, Token] = {}
    for position, token in enumerate(tokens):
        following = tokens[position + 1] if position + 1 < len(tokens) else None
        called = following is not None and following.kind == "sign" and following.text == "("
        construct = ""
        if token.kind == "id" and called:
            if token.text in _AGGREGATES:
                construct = "aggregate-function"
            elif token.text == "len":
                construct = "string-constraint"
            elif token.text in _FUNCTIONS:
                construct = "numeric-function"
        elif token.kind == "text":
            construct = "string-constraint"
        elif token.kind == "number" or (token.kind == "sign" and token.text in _ARITHMETIC):
            construct = "arithmetic-constraint"
        if construct:
            found.setdefault(construct, token)
    for construct in (
        "aggregate-function",
        "numeric-function",
        "string-constraint",
        "arithmetic-constraint",
    ):
        if construct in found:
            return construct, found[construct]
    return None


def refuse(faults: Faults, cursor: Cursor, construct: str, token: Token) -> None:
    """Note that a construct is not taken over, and what to do instead."""
    es, en = _NAMES[construct]
    faults.add(
        construct,
        cursor.source.span(token.offset),
        both(f"{es}: aquí, «{token.text}».", f'{en}: here, "{token.text}".'),
        _RULE_OF_OURS,
    )


_NAMES = {
    "aggregate-function": (
        "Las funciones sobre todo el modelo (sum, avg) no se importan",
        "Aggregate functions (sum, avg) are not imported",
    ),
    "numeric-function": (
        "Las funciones numéricas (floor, ceil) no se importan",
        "Numeric functions (floor, ceil) are not imported",
    ),
    "string-constraint": (
        "Las condiciones sobre textos no se importan",
        "Constraints on strings are not imported",
    ),
    "arithmetic-constraint": (
        "Las condiciones con números y comparaciones no se importan",
        "Arithmetic constraints and comparisons are not imported",
    ),
}
_RULE_OF_OURS: Text = both(
    "Quita la línea del modelo, impórtalo y escríbela como regla: los atributos numéricos"
    " llegan como datos, por ejemplo «require: sum(weight) <= 10».",
    "Take the line out of the model, import it, and write it as a rule: number attributes"
    " arrive as facts, for example `require: sum(weight) <= 10`.",
)


class ConstraintParser:
    """Parses the tokens of one constraint; names are resolved by ``resolve``."""

    def __init__(self, cursor: Cursor, resolve: Resolve) -> None:
        self.cursor = cursor
        self.resolve = resolve

    def parse(self) -> Formula:
        """The formula; raises ``ImportModelError`` where the tokens are none."""
        formula = self._binary(0, 0)
        self.cursor.end_of_line()
        return formula

    def _binary(self, loosest: int, depth: int) -> Formula:
        left = self._unary(depth)
        chained = depth
        while (token := self.cursor.peek()) is not None and token.kind == "sign":
            level = _LEVELS.get(token.text, -1)
            if level < loosest:
                break
            if token.text in "&|":
                parts = [left]
                while self.cursor.takes(token.text):
                    parts.append(self._binary(level + 1, depth))
                left = And(tuple(parts)) if token.text == "&" else Or(tuple(parts))
                continue
            self.cursor.position += 1
            right = self._binary(level + 1, depth)
            left = Implies(left, right) if token.text == "=>" else Iff(left, right)
            chained = self._deeper(chained)
        return left

    def _unary(self, depth: int) -> Formula:
        negative = False
        while self.cursor.takes("!"):
            negative = not negative
        if self.cursor.takes("("):
            formula = self._binary(0, self._deeper(depth))
            self.cursor.expect(")")
        else:
            formula = self._feature()
        return Not(formula) if negative else formula

    def _feature(self) -> Formula:
        span = self.cursor.span()
        reference = self.cursor.reference()
        return Is(self.resolve(reference, span))

    def _deeper(self, depth: int) -> int:
        if depth >= MOST_FORMULA_DEPTH:
            message = both(
                "Esta condición anida demasiados paréntesis o flechas.",
                "This constraint nests too many brackets or arrows.",
            )
            cure = both("Pártela en varias.", "Split it into several.")
            raise ImportModelError([fault("too-deep", self.cursor.span(), message, cure)])
        return depth + 1

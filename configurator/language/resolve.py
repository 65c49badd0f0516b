"""Gives conditions their meaning, on top of terms; and reads the scalars that hold them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, TypeVar, cast

from configurator.language import syntax
from configurator.language.draft import Draft
from configurator.language.nodes import Scalar
from configurator.language.terms import (
    MONTHS,
    SORTS,
    WEEKDAYS,
    Role,
    TermResolver,
    Typed,
    UnresolvedError,
    plain,
)
from configurator.model import expression as model
from configurator.model.diagnostic import Span

_Result = TypeVar("_Result")


def read_condition(draft: Draft, node: Scalar | None, role: Role) -> model.Condition | None:
    """The condition a text says, or ``None`` after diagnostics."""
    return _read(draft, node, role, Resolver.condition)


def read_number(draft: Draft, node: Scalar | None, role: Role) -> Typed | None:
    """The number a text says, or ``None`` after diagnostics."""
    return _read(draft, node, role, Resolver.number)


def _read(
    draft: Draft,
    node: Scalar | None,
    role: Role,
    reading: Callable[[Resolver, syntax.Syntax], _Result],
) -> _Result | None:
    if node is None or node.cut:
        return None
    try:
        return reading(Resolver(draft, node, role), draft.parser.parse(node.text))
    except syntax.ExpressionError as error:
        draft.report.stop(error.key, node.at(error.at), **error.arguments)
    except UnresolvedError:
        pass
    return None


class Resolver(TermResolver):
    """Resolves one expression, condition or term."""

    __slots__ = ()

    # --- conditions -----------------------------------------------------------------

    def condition(self, tree: syntax.Syntax) -> model.Condition:
        """What a tree says as a condition; raises ``UnresolvedError`` after a diagnostic."""
        span = self._span(tree)
        match tree:
            case syntax.Joined(operator="=>", parts=(_, syntax.Number() as limit)):
                raise self._stop("syntax/implies", limit)
            case syntax.Joined(operator=operator, parts=parts):
                return self._joined(operator, self._all(parts), span)
            case syntax.Not(condition=inner):
                return model.Not(self.condition(inner), span)
            case syntax.Comparison():
                return self._comparison(tree, span)
            case syntax.Membership():
                return self._membership(tree, span)
            case syntax.Relevant(term=term, negated=negated):
                return model.Relevant(self._variable(term).id, negated, span)
            case syntax.Has():
                return self._has(tree, span)
            case syntax.Word(word=word) if word != "none":
                return model.Constant(word == "yes", span)
            case _:
                typed = self.term(tree)
                if typed.sort == "yes or no":
                    return model.Comparison("=", typed.term, model.YesNo(True, span), span)
                raise self._stop("type-mismatch/condition", tree, sort=SORTS[typed.sort])

    def _all(self, parts: Iterable[syntax.Syntax]) -> tuple[model.Condition, ...]:
        """Every part, so that one expression can show several mistakes at once."""
        found = []
        failed = False
        for part in parts:
            try:
                found.append(self.condition(part))
            except UnresolvedError:
                failed = True
        if failed:
            raise UnresolvedError
        return tuple(found)

    def _joined(
        self, operator: str, parts: tuple[model.Condition, ...], span: Span
    ) -> model.Condition:
        if operator == "and":
            return model.And(parts, span)
        if operator == "or":
            return model.Or(parts, span)
        left, right = parts
        forth = model.Or((model.Not(left, span), right), span)
        if operator == "=>":
            return forth
        return model.And((forth, model.Or((model.Not(right, span), left), span)), span)

    def _comparison(self, tree: syntax.Comparison, span: Span) -> model.Condition:
        operator = cast(Literal["=", "!=", "<", "<=", ">", ">="], tree.operator)
        left, right = self._pair(tree.left, tree.right)
        if operator in ("=", "!="):
            self._same_sort(tree, left, right)
        else:
            self._ordered(tree, left, right)
        self._same_unit(tree.right, left, right)
        if isinstance(left.term, model.LowestTotal) or isinstance(right.term, model.LowestTotal):
            flipped = isinstance(right.term, model.LowestTotal)
            if operator not in (("<", "<=") if flipped else (">", ">=")):
                raise self._stop("price-in-rule/lowest", tree)
        return model.Comparison(operator, left.term, right.term, span)

    def _pair(self, left: syntax.Syntax, right: syntax.Syntax) -> tuple[Typed, Typed]:
        """Both sides; a bare word may be a value of the other side."""
        first = self._beside_or_none(left, right)
        if first is not None:
            return first, self.term(right)
        typed = self.term(left)
        return typed, self.beside(right, typed)

    def _beside_or_none(self, tree: syntax.Syntax, other: syntax.Syntax) -> Typed | None:
        """``tree`` as a value of ``other``, where it cannot be anything else."""
        if not isinstance(tree, syntax.Path) or len(tree.names) > 1:
            return None
        word = tree.names[0]
        if word in self.draft.scope.names or self._special(word):
            return None
        if isinstance(other, syntax.Path) and other.names[0] in self.draft.scope.names:
            return self.beside(tree, self.term(other))
        return None

    def _ordered(self, tree: syntax.Comparison, left: Typed, right: Typed) -> None:
        if not self._comparable(left.sort, right.sort):
            if left.sort == "symbol" and left.declared is not None:
                raise self._stop("type-mismatch/order", tree, variable=left.declared.id)
            raise self._mismatch(tree, left, right)

    def _membership(self, tree: syntax.Membership, span: Span) -> model.Condition:
        subject = self.term(tree.term)
        if subject.sort == "several of":
            assert subject.declared is not None
            raise self._stop("type-mismatch/several", tree, variable=subject.declared.id)
        if subject.sort in ("text", "nothing"):
            raise self._stop("type-mismatch/words", tree)
        if isinstance(subject.term, model.LowestTotal):
            raise self._stop("price-in-rule/lowest", tree)
        items: list[model.Term | model.Range] = []
        failed = False
        for item in tree.items:
            try:
                items.append(self._item(item, subject))
            except UnresolvedError:
                failed = True
        if failed:
            raise UnresolvedError
        return model.Membership(subject.term, tuple(items), tree.negated, span)

    def _item(self, item: syntax.Syntax, subject: Typed) -> model.Term | model.Range:
        if not isinstance(item, syntax.Range):
            typed = self.beside(item, subject)
            same = syntax.Comparison(item.at, "=", item, item)
            self._same_sort(same, subject, typed)
            self._same_unit(item, subject, typed)
            return typed.term
        if subject.sort == "symbol" and subject.declared is not None:
            raise self._stop("type-mismatch/order", item, variable=subject.declared.id)
        ends: list[model.Term | None] = []
        for end in (item.low, item.high):
            if end is None:
                ends.append(None)
                continue
            typed = self.beside(end, subject)
            if not self._comparable(subject.sort, typed.sort):
                raise self._mismatch(end, subject, typed)
            self._same_unit(end, subject, typed)
            ends.append(typed.term)
        low, high = ends
        if isinstance(low, model.Number) and isinstance(high, model.Number):
            if low.value > high.value:
                calendar = {"weekday": WEEKDAYS, "month": MONTHS}.get(subject.sort)
                if calendar is not None:
                    named = {number: name for name, number in calendar.items()}
                    raise self._stop(
                        "type-mismatch/around",
                        item,
                        low=named.get(int(low.value), plain(low.value)),
                        high=named.get(int(high.value), plain(high.value)),
                        first=named[1],
                        last=named[len(named)],
                    )
                raise self._stop(
                    "type-mismatch/range", item, low=plain(low.value), high=plain(high.value)
                )
        elif isinstance(low, model.Day) and isinstance(high, model.Day) and low.value > high.value:
            raise self._stop("type-mismatch/range", item, low=str(low.value), high=str(high.value))
        return model.Range(low, high)

    def _has(self, tree: syntax.Has, span: Span) -> model.Condition:
        declared = self._variable(tree.term)
        if declared.kind != "several of":
            raise self._stop("type-mismatch/has", tree.term, variable=declared.id)
        values = []
        for item in tree.items:
            word = self._word(item)
            if word not in declared.values:
                if not declared.flawed:
                    self.draft.stop_unknown(
                        "unknown-value",
                        self._span(item),
                        word,
                        declared.values,
                        variable=declared.id,
                    )
                raise UnresolvedError
            values.append(word)
        mode = cast(Literal["any", "all", "none", "only"], tree.mode)
        return model.Has(declared.id, mode, tuple(values), span)

    def _word(self, item: syntax.Syntax) -> str:
        match item:
            case syntax.Path(names=(word,), copy=None):
                return word
            case syntax.Number(text=text, unit=None):
                return text
            case _:
                raise self._stop("type-mismatch/has-item", item)

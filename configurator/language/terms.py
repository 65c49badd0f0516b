"""Gives terms their meaning: names, types and units.

A syntax tree goes in, a term of ``model.expression`` comes out, or diagnostics. It
computes nothing, and it does not know where the term will be used beyond its ``Role``.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, cast

from configurator.language import syntax
from configurator.language.advice import meant
from configurator.language.draft import Draft, listed
from configurator.language.fields import OTHER_DAY, number_of
from configurator.language.fields import day as read_day
from configurator.language.nodes import Scalar
from configurator.language.report import Phrase
from configurator.language.scope import Declared
from configurator.model import expression as model
from configurator.model.diagnostic import Span

Role = Literal["rule", "guard", "price", "background"]

WEEKDAYS = {day: n for n, day in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), 1)}
MONTHS = {
    month: n
    for n, month in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}

TermSort = Literal[
    "number", "yes or no", "date", "symbol", "several of", "text", "nothing", "weekday", "month"
]


_NO_DAYS = frozenset(("hours", "week", "weeks", "month", "months", "year", "years")) | frozenset(
    ("horas", "semana", "semanas", "mes", "meses", "año", "años")
)
"""Units of time that are no days: a day plus 2 weeks would be 2 days later."""
_DAYS = ("days", "días")


@dataclass(slots=True)
class Typed:
    """A term, what it is worth, and the label of its unit (``None`` where it has none).
    ``days``: it is a date less a date."""

    term: model.Term
    sort: TermSort
    unit: str | None = None
    declared: Declared | None = None
    days: bool = False

    def unlike(self, unit: str | None) -> tuple[str | tuple[str, str], str] | None:
        """Its own unit and the other, where they do not fit."""
        if unit is None:
            return None
        if self.days and unit in _NO_DAYS:
            return _DAYS, unit
        return (self.unit, unit) if self.unit and self.unit != unit else None


class UnresolvedError(Exception):
    """This part has a mistake; it is in the report."""


SORTS: dict[str, tuple[str, str]] = {
    "number": ("a number", "un número"),
    "yes or no": ("a yes or no", "un sí o no"),
    "date": ("a date", "una fecha"),
    "symbol": ("one of several options", "una de varias opciones"),
    "several of": ("a several-of", "una selección de varios"),
    "text": ("a text", "un texto"),
    "nothing": ("none", "none"),
    "weekday": ("a day of the week", "un día de la semana"),
    "month": ("a month", "un mes"),
    "condition": ("a condition", "una condición"),
}
_NUMERIC = ("number", "yes or no", "weekday", "month")


class TermResolver:
    """Resolves one expression; ``source`` tells where its letters stand."""

    __slots__ = ("cell", "draft", "role", "source")

    def __init__(self, draft: Draft, source: Scalar, role: Role, *, cell: bool = False) -> None:
        """``cell``: a word beside a variable is always a value of it, as in tables."""
        self.draft = draft
        self.source = source
        self.role = role
        self.cell = cell

    # --- terms ----------------------------------------------------------------------

    def number(self, tree: syntax.Syntax) -> Typed:
        """What a tree says as a number; raises ``UnresolvedError`` after a diagnostic."""
        typed = self.term(tree)
        if typed.sort not in _NUMERIC:
            if typed.sort == "several of" and typed.declared:
                raise self._stop("type-mismatch/several", tree, variable=typed.declared.id)
            raise self._stop("type-mismatch/number-expected", tree, sort=SORTS[typed.sort])
        return typed

    def term(self, tree: syntax.Syntax) -> Typed:
        """What a tree says as a term; raises ``UnresolvedError`` after a diagnostic."""
        span = self._span(tree)
        match tree:
            case syntax.Number(text=text, unit=unit):
                value = number_of(self.draft, text, span)
                if value is None:
                    raise UnresolvedError
                if unit in self.draft.scope.names and not self._is_unit(unit):
                    raise self._stop("unit-mismatch/variable", tree, word=unit, number=text)
                return Typed(model.Number(value, span), "number", unit)
            case syntax.Day(text=text):
                found = read_day(self.draft, text, span)
                if found is None:
                    raise UnresolvedError
                return Typed(model.Day(found, span), "date")
            case syntax.Word(word="none"):
                return Typed(model.Nothing(span), "nothing")
            case syntax.Word(word=word):
                return Typed(model.YesNo(word == "yes", span), "yes or no")
            case syntax.Parameter():
                self.draft.report.later("parameters", span)
                raise UnresolvedError
            case syntax.Path():
                return self._path(tree, span)
            case syntax.Call():
                return self._call(tree, span)
            case syntax.Negative(term=inner):
                typed = self.number(inner)
                if isinstance(typed.term, model.Number):
                    return Typed(model.Number(-typed.term.value, span), "number", typed.unit)
                return Typed(model.Negative(typed.term, span), "number", typed.unit)
            case syntax.Arithmetic():
                return self._arithmetic(tree, span)
            case syntax.Else(term=inner, fallback=fallback):
                first, second = self.term(inner), self.term(fallback)
                dates = first.sort == second.sort == "date"
                if not dates and (first.sort not in _NUMERIC or second.sort not in _NUMERIC):
                    raise self._mismatch(tree, first, second)
                self._same_unit(fallback, first, second)
                sort: TermSort = "date" if dates else "number"
                unit = first.unit or second.unit
                days = first.days or second.days
                return Typed(model.Else(first.term, second.term, span), sort, unit, days=days)
            case _:
                raise self._stop("type-mismatch/condition-as-number", tree)

    def _is_unit(self, word: str) -> bool:
        """Whether something of the product has that unit."""
        scope = self.draft.scope
        units = [each.unit for each in scope.names.values()]
        return word in units or word in [each.unit for each in scope.facts.values()]

    def _arithmetic(self, tree: syntax.Arithmetic, span: Span) -> Typed:
        operator = cast(Literal["+", "-", "*", "/"], tree.operator)
        left, right = self.term(tree.left), self.term(tree.right)
        sort: TermSort = "number"
        if left.sort == "date" and operator == "-" and right.sort == "date":
            pass
        elif (left.sort == "date" and operator in "+-" and right.sort == "number") or (
            left.sort == "number" and operator == "+" and right.sort == "date"
        ):
            sort = "date"
        else:
            for side, typed in ((tree.left, left), (tree.right, right)):
                if typed.sort not in _NUMERIC:
                    if typed.sort == "several of" and typed.declared:
                        raise self._stop("type-mismatch/several", side, variable=typed.declared.id)
                    raise self._stop("type-mismatch/number-expected", side, sort=SORTS[typed.sort])
        unit, days = None, False
        for side, typed in ((tree.left, left), (tree.right, right)):
            if sort == "date" and typed.unit in _NO_DAYS:
                raise self._stop("unit-mismatch", side, left=_DAYS, right=typed.unit)
        if left.sort == "date" and sort == "number":
            days = True
        elif operator in "+-" and sort == "number":
            self._same_unit(tree.right, left, right)
            unit, days = left.unit or right.unit, left.days or right.days
        if any(isinstance(each.term, model.LowestTotal) for each in (left, right)):
            raise self._stop("price-in-rule/lowest", tree)
        term = model.Arithmetic(operator, left.term, right.term, span)
        return Typed(term, sort, unit, days=days)

    def _declared(self, tree: syntax.Path) -> Declared:
        word = tree.names[0]
        found = self.draft.scope.names.get(word)
        if found is not None:
            return found
        self._later_or_unknown(tree)
        raise UnresolvedError

    def _later_or_unknown(self, tree: syntax.Syntax) -> None:
        """Report a name nobody declared, unless it belongs to something not built yet."""
        if not isinstance(tree, syntax.Path):
            return
        word = tree.names[0]
        scope, span = self.draft.scope, self._span(tree)
        if word in scope.pending:
            raise UnresolvedError
        if tree.copy is not None:
            self.draft.report.later("parts", span)
            raise UnresolvedError
        if word in scope.names:
            return
        if word == "lowest-total" or word in scope.prices or word in ("total", "price", "prices"):
            raise self._stop("price-in-rule", tree, word=word)
        write = "yes" if word == "si" else meant(word)
        if write is not None:
            raise self._stop("syntax/write", tree, found=word, write=write)
        if self.draft.likenesses > 0:
            owner = next((each for each in scope.names.values() if word in each.values), None)
            if owner is not None:
                self.draft.likenesses -= 1
                sign = "has" if owner.kind == "several of" else "="
                raise self._stop(
                    "unknown-name/option", tree, word=word, variable=owner.id, sign=sign
                )
        key = "unknown-name"
        pieces = word.split("-")
        if len(pieces) > 1 and any(
            "-".join(pieces[:cut]) in scope.names
            and (pieces[cut].isdigit() or "-".join(pieces[cut:]) in scope.names)
            for cut in range(1, len(pieces))
        ):
            key = "unknown-name/minus"
        elif word in scope.facts:
            key = "unknown-name/fact"
        self.draft.stop_unknown(key, span, word, scope.names)
        raise UnresolvedError

    def _path(self, tree: syntax.Path, span: Span) -> Typed:
        word, *rest = tree.names
        if tree.copy is not None:
            self._later_or_unknown(tree)
        if word == "today" and word not in self.draft.scope.names:
            return self._date_part(tree, rest, Typed(model.Today(span), "date"), span)
        if word == "lowest-total" and self.role == "guard" and not rest:
            return Typed(model.LowestTotal(span), "number", "€")
        declared = self._declared(tree)
        if not rest:
            read = model.Read(declared.id, span)
            return Typed(read, declared.sort, declared.unit, declared)
        part = rest[0]
        if len(rest) > 1:
            raise self._stop("unknown-name/parts", tree, word=".".join(tree.names))
        if declared.sort == "date":
            base = Typed(model.Read(declared.id, span), "date", None, declared)
            return self._date_part(tree, rest, base, span)
        if declared.kind == "text":
            if part == "length":
                return Typed(model.TextLength(declared.id, span), "number")
            raise self._unknown_part(tree, part, ("length",))
        if declared.kind == "several of":
            if part in declared.values:
                return Typed(model.Quantity(declared.id, part, span), "number")
            if part in declared.facts:
                raise self._stop("type-mismatch/sum", tree, variable=declared.id, fact=part)
            raise self._unknown_part(tree, part, tuple(declared.values))
        if part == "price":
            raise self._stop("price-in-rule", tree, word=f"{word}.price")
        fact = self.draft.scope.facts.get(part)
        if fact is None or part not in declared.facts:
            raise self._unknown_part(tree, part, tuple(declared.facts))
        assert fact is not None
        if declared.facts[part] < len(declared.values) and not declared.flawed:
            lacking = [
                value.id for value in declared.values.values() if part not in dict(value.facts)
            ]
            raise self._stop("fact-missing", tree, variable=word, fact=part, values=listed(lacking))
        sort: TermSort = "yes or no" if fact.yes_or_no else "number"
        return Typed(model.Fact(declared.id, part, span), sort, fact.unit)

    def _date_part(self, tree: syntax.Path, rest: list[str], base: Typed, span: Span) -> Typed:
        if not rest:
            return base
        part = rest[0]
        if part not in ("weekday", "month", "year"):
            raise self._unknown_part(tree, part, ("weekday", "month", "year"))
        sort: TermSort = "number"
        if part != "year":
            sort = cast(TermSort, part)
        return Typed(
            model.DatePart(cast(Literal["weekday", "month", "year"], part), base.term, span), sort
        )

    def _unknown_part(
        self, tree: syntax.Path, part: str, offered: tuple[str, ...]
    ) -> UnresolvedError:
        declared = self.draft.scope.names.get(tree.names[0])
        if declared is None or not declared.flawed:
            at = self.source.at(tree.at + len(tree.names[0]) + 1)
            self.draft.stop_unknown("unknown-name/part", at, part, offered, owner=tree.names[0])
        return UnresolvedError()

    def _call(self, tree: syntax.Call, span: Span) -> Typed:
        function, arguments = tree.function, tree.arguments
        first = arguments[0]
        if function in ("min", "max"):
            typed = [self.term(each) for each in arguments]
            dates = all(each.sort == "date" for each in typed)
            for number, (argument, each) in enumerate(zip(arguments, typed, strict=True)):
                if not dates and each.sort not in _NUMERIC:
                    raise self._stop(
                        "type-mismatch/number-expected", argument, sort=SORTS[each.sort]
                    )
                for earlier in typed[:number]:
                    self._same_unit(argument, earlier, each)
            term = model.Extreme(
                cast(Literal["min", "max"], function), tuple(each.term for each in typed), span
            )
            unit = next((each.unit for each in typed if each.unit), None)
            days = any(each.days for each in typed)
            return Typed(term, "date" if dates else "number", unit, days=days)
        if function in ("any", "all") or len(arguments) > 1:
            if (
                len(arguments) == 2
                and isinstance(first, syntax.Path)
                and first.names[0] not in self.draft.scope.names
            ):
                if first.names[0] not in self.draft.scope.pending:
                    self.draft.report.later("parts", span)
                raise UnresolvedError
            raise self._stop("type-mismatch/call", tree, function=function)
        if not isinstance(first, syntax.Path):
            raise self._stop("type-mismatch/call", tree, function=function)
        assert isinstance(first, syntax.Path)
        if function == "sum":
            return self._sum(tree, first, span)
        declared = self._variable(first)
        if declared.kind != "several of":
            raise self._stop("type-mismatch/has", first, variable=declared.id)
        if function == "count":
            return Typed(model.Pieces(declared.id, span), "number")
        return Typed(model.Kinds(declared.id, span), "number")

    def _sum(self, tree: syntax.Call, path: syntax.Path, span: Span) -> Typed:
        scope = self.draft.scope
        if len(path.names) == 1:
            fact = scope.facts.get(path.names[0])
            if fact is None:
                if path.names[0] in scope.pending:
                    raise UnresolvedError
                self.draft.stop_unknown(
                    "unknown-name/sum", self._span(path), path.names[0], scope.facts
                )
                raise UnresolvedError
            return Typed(model.SumOfFact(None, fact.id, span), "number", fact.unit)
        declared = self._declared(path)
        name = path.names[1]
        if declared.kind != "several of":
            raise self._stop("type-mismatch/sum-one", tree, path=".".join(path.names))
        if name not in scope.facts or len(path.names) > 2:
            raise self._unknown_part(path, name, tuple(declared.facts))
        return Typed(model.SumOfFact(declared.id, name, span), "number", scope.facts[name].unit)

    # --- beside another term ---------------------------------------------------------

    def beside(self, tree: syntax.Syntax, other: Typed) -> Typed:
        """What ``tree`` is beside ``other``: a value of it where the words allow."""
        span = self._span(tree)
        declared = other.declared
        if isinstance(tree, syntax.Path) and len(tree.names) == 1 and tree.copy is None:
            word = tree.names[0]
            known = word in self.draft.scope.names or self._special(word)
            calendar = {"weekday": WEEKDAYS, "month": MONTHS}.get(other.sort, {})
            if word in calendar:
                return Typed(model.Number(Fraction(calendar[word]), span), other.sort)
            if calendar and not known:
                self.draft.stop_unknown("unknown-value", span, word, calendar, variable=other.sort)
                raise UnresolvedError
            if other.sort == "text" and not known:
                raise self._stop("type-mismatch/words", tree)
            if other.sort == "several of" and declared is not None and word in declared.values:
                raise self._stop("type-mismatch/several", tree, variable=declared.id)
            if other.sort == "symbol" and declared is not None:
                named = word in self.draft.scope.names
                if word in declared.values and named and not self.cell:
                    raise self._stop("ambiguous-name", tree, word=word, variable=declared.id)
                if word in declared.values:
                    return Typed(model.Symbol(declared.id, word, span), "symbol", None, declared)
                if self.cell or not known:
                    if declared.flawed:
                        raise UnresolvedError
                    self.draft.stop_unknown(
                        "unknown-value", span, word, declared.values, variable=declared.id
                    )
                    raise UnresolvedError
        if self.cell and isinstance(tree, syntax.Path):
            word = ".".join(tree.names)
            offered = declared.values if declared is not None else ()
            if not offered:
                flag = other.sort == "yes or no"
                key = "type-mismatch/yes" if flag else "unknown-value/cell-number"
                raise self._stop(key, tree, word=word)
            self.draft.stop_unknown("unknown-value/cell", span, word, offered)
            raise UnresolvedError
        return self.term(tree)

    def _special(self, word: str) -> bool:
        return word in ("today", "lowest-total") or word in self.draft.scope.pending

    def _same_sort(self, tree: syntax.Comparison, left: Typed, right: Typed) -> None:
        if "nothing" in (left.sort, right.sort):
            other = right if left.sort == "nothing" else left
            if other.sort == "several of" and other.declared is not None:
                raise self._stop("type-mismatch/several", tree, variable=other.declared.id)
            if other.declared is None or not isinstance(other.term, model.Read):
                raise self._stop("type-mismatch/none", tree)
            if not other.declared.optional:
                if other.declared.flawed:
                    raise UnresolvedError
                raise self._stop("unknown-value/none", tree, variable=other.declared.id)
            return
        if left.sort == right.sort == "symbol" and left.declared and right.declared:
            if not left.declared.values.keys() & right.declared.values.keys():
                raise self._stop(
                    "type-mismatch/no-common-value",
                    tree,
                    left=left.declared.id,
                    right=right.declared.id,
                )
        elif not self._comparable(left.sort, right.sort):
            raise self._mismatch(tree, left, right)
        self._check_offered(left, right)

    def _check_offered(self, left: Typed, right: Typed) -> None:
        """``depth = 650``, where depth offers 400, 500 and 600."""
        for one, other in ((left, right), (right, left)):
            declared, constant = one.declared, other.term
            if declared is None or not isinstance(one.term, model.Read):
                continue
            if isinstance(constant, model.Number):
                offered = offers_number(self.draft, declared, constant.value, constant.span)
            elif isinstance(constant, model.Day):
                offered = offers_day(self.draft, declared, constant.value, constant.span)
            else:
                continue
            if not offered:
                raise UnresolvedError

    def _comparable(self, left: TermSort, right: TermSort) -> bool:
        if left in _NUMERIC and right in _NUMERIC:
            return True
        return left == right and left == "date"

    def _mismatch(self, tree: syntax.Syntax, left: Typed, right: Typed) -> UnresolvedError:
        if "several of" in (left.sort, right.sort):
            several = left if left.sort == "several of" else right
            assert several.declared is not None
            return self._stop("type-mismatch/several", tree, variable=several.declared.id)
        if "text" in (left.sort, right.sort):
            return self._stop("type-mismatch/words", tree)
        other_day = OTHER_DAY.search(self.source.text)
        if "date" in (left.sort, right.sort) and other_day is not None:
            return self._stop("type-mismatch/date", tree, word=other_day[0])
        return self._stop(
            "type-mismatch/sides", tree, left=SORTS[left.sort], right=SORTS[right.sort]
        )

    def _same_unit(self, tree: syntax.Syntax, left: Typed, right: Typed) -> None:
        if found := left.unlike(right.unit):
            raise self._stop("unit-mismatch", tree, left=found[0], right=found[1])
        if found := right.unlike(left.unit):
            raise self._stop("unit-mismatch", tree, left=found[1], right=found[0])

    def _variable(self, tree: syntax.Syntax) -> Declared:
        """A path that must name a variable."""
        if not isinstance(tree, syntax.Path) or len(tree.names) != 1 or tree.copy:
            self._later_or_unknown(tree)
            raise self._stop("type-mismatch/variable", tree)
        return self._declared(tree)

    # --- mistakes -------------------------------------------------------------------

    def _span(self, tree: syntax.Syntax) -> Span:
        return self.source.at(tree.at)

    def _stop(self, key: str, tree: syntax.Syntax, /, **arguments: Phrase) -> UnresolvedError:
        self.draft.report.stop(key, self._span(tree), **arguments)
        return UnresolvedError()


def offers_number(draft: Draft, declared: Declared, value: Fraction, span: Span) -> bool:
    """Whether a number can be an answer to ``declared``; if not, it is reported."""
    limits, word = declared.number, plain(value)
    if declared.numbers and value not in declared.numbers:
        if not declared.flawed:
            offered = tuple(declared.numbers.values())
            draft.stop_unknown("unknown-value", span, word, offered, variable=declared.id)
        return False
    if limits is None:
        return True
    low = plain(limits.low)
    if not limits.low <= value <= limits.high:
        high = plain(limits.high)
        draft.report.stop(
            "unknown-value/range", span, word=word, variable=declared.id, low=low, high=high
        )
        return False
    if (value - limits.low) % limits.step:
        step = plain(limits.step)
        draft.report.stop(
            "unknown-value/step", span, word=word, variable=declared.id, low=low, step=step
        )
        return False
    return True


def offers_day(draft: Draft, declared: Declared, value: datetime.date, span: Span) -> bool:
    """Whether a date can be an answer to ``declared``; if not, it is reported. Ends that
    move with the day exclude nothing."""
    if declared.days is None:
        return True
    first, last = declared.days.first, declared.days.last
    early = isinstance(first, datetime.date) and value < first
    if early or (isinstance(last, datetime.date) and value > last):
        draft.report.stop(
            "unknown-value/range",
            span,
            word=str(value),
            variable=declared.id,
            low=str(first),
            high=str(last),
        )
        return False
    return True


def plain(value: Fraction) -> str:
    """A number with finitely many decimals as a plain decimal, ``0.5``; else ``1/3``."""
    if value.denominator == 1:
        return str(value.numerator)
    places = 0
    scaled = value
    while scaled.denominator != 1:
        scaled *= 10
        places += 1
        if places > 60:
            return f"{value.numerator}/{value.denominator}"
    digits = str(abs(scaled.numerator)).rjust(places + 1, "0")
    return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}"

"""Slots, answers, rules and guards in the words of a product, in one language.

Ids never reach a customer where the product has a name for them. Decides nothing: what
is possible comes from the view.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import cached_property
from typing import Any

from configurator.language.reads import reads
from configurator.model.choice import NO, NONE, YES
from configurator.model.expression import (
    And,
    Comparison,
    Condition,
    Has,
    Read,
    Symbol,
    YesNo,
)
from configurator.model.product import Product, Step, Value, Variable
from configurator.model.text import Text
from configurator.web.shop.amounts import (
    TOGETHER,
    day,
    difference,
    listed,
    measure,
    money,
    number,
    numbers_between,
    together,
)
from configurator.web.shop.texts import gettext

Json = dict[str, Any]
_PLACEHOLDER = re.compile(r"\{([a-z0-9][a-z0-9.-]*)\}")


class Wording:
    """The words of one product in one language.

    ``answers`` (slot → answer) fill the ``{width}`` placeholders of the product's texts.
    """

    def __init__(self, product: Product, locale: str, answers: Mapping[str, str]) -> None:
        self.product = product
        self.locale = locale
        self._answers = answers

    # --- the product's own texts -------------------------------------------------

    def say(self, text: Text | None, values: Mapping[str, str] | None = None) -> str:
        """A text of the product, its placeholders filled in; empty where there is none."""
        if text is None:
            return ""
        known = {**self._answers, **(values or {})}

        def fill(match: re.Match[str]) -> str:
            slot = match.group(1)
            variable = self._variable(slot)
            if variable is not None and variable.kind == "text" and slot in self._answers:
                return self.answer(slot, self._answers[slot])  # may have any sign in it
            if slot not in known or known[slot] == "…":
                return self.slot(slot) if variable else match.group()
            said = [self.answer(slot, each) for each in known[slot].split("|")]
            return self._once(slot, listed(said), sentence[match.end() :])

        sentence = together(text.in_language(self.locale))
        return _PLACEHOLDER.sub(fill, sentence)

    def _once(self, slot: str, said: str, rest: str) -> str:
        """The value without its unit where the sentence goes on with that unit."""
        variable = self._variable(slot)
        unit = variable.unit if variable is not None else None
        if unit and re.match(rf"\s?{re.escape(unit)}\b", rest):
            return said.removesuffix(unit).removesuffix(TOGETHER)
        return said

    # --- variables, slots, answers -----------------------------------------------

    def _variable(self, slot: str) -> Variable | None:
        try:
            return self.product.variable(slot.partition(".")[0])
        except KeyError:
            return None

    def value(self, variable: Variable, value_id: str) -> str:
        """The name of one option."""
        if value_id == NONE:
            return self.nothing(variable)
        known = variable.value(value_id)
        name = self.say(known.name) if known else value_id
        if name == value_id:
            if variable.kind == "yes or no":
                return {YES: gettext("Yes"), NO: gettext("No")}.get(value_id, value_id)
            if known is not None and known.number is not None:
                return self._measured(value_id, variable.unit)
        return name

    def nothing(self, variable: Variable) -> str:
        """What it is called to want nothing of an optional question."""
        if variable.kind in ("number", "date"):
            return gettext("Not given")
        return gettext("Nothing") if variable.kind == "text" else gettext("None of this")

    def slot(self, slot: str) -> str:
        """The name of a question, or of one kind of a several-of."""
        variable = self._variable(slot)
        if variable is None:
            return slot.replace("-", " ")
        _, _, value_id = slot.partition(".")
        return self.value(variable, value_id) if value_id else self.say(variable.name)

    def answer(self, slot: str, answer: str) -> str:
        """An answer as people say it: a name, a measure, a day, a quantity."""
        variable = self._variable(slot)
        if variable is None:
            return answer.replace("-", " ")
        if answer == NONE:
            return self.nothing(variable)
        if variable.kind == "several of":
            return gettext("Not taken") if answer == "0" else f"{answer}{TOGETHER}×"
        if variable.kind in ("number", "computed"):
            return self._measured(answer, variable.unit)
        if variable.kind == "date":
            return day(answer, self.locale, weekday=True)
        if variable.kind == "text":
            return quote(answer)
        return self.value(variable, answer)

    def taken(self, slot: str, quantity: str) -> str:
        """One kind of a several-of and how many of it, for a list: ``Bell``; ``Shelf × 2``."""
        name = self.slot(slot)
        return name if quantity == "1" else f"{name} ×{TOGETHER}{quantity}"

    def choice(self, slot: str, answer: str) -> str:
        """A question and its answer: ``Wheels: 29``; ``Extras: Rack, 2 ×``."""
        variable = self._variable(slot)
        if variable is not None and variable.kind == "several of":
            of = asked(self.say(variable.name), self.slot(slot))
            if answer == "0":
                return gettext("%(what)s, not taken", what=of)
            return of if answer == "1" else f"{of}, {self.answer(slot, answer)}"
        return asked(self.slot(slot), self.answer(slot, answer))

    def typed(self, slot: str, answer: str) -> str:
        """An answer as its text field holds it: a number without thousands signs and idle
        zeros, so that it reads back."""
        variable = self._variable(slot)
        if variable is None or variable.kind != "number":
            return answer
        plain = answer.rstrip("0").rstrip(".") if "." in answer else answer
        return plain.replace(".", ",") if self.locale == "es" else plain

    def quoted(self, slot: str, answer: str | None = None) -> str:
        """A question, or a question and its answer, as part of a sentence, which reads well
        whether the question's name is a noun or a question itself: ``“Wheels: 29”``."""
        if answer is None:
            return quote(self.slot(slot))
        variable = self._variable(slot)
        if variable is not None and variable.kind == "text" and answer != NONE:
            return quote(asked(self.slot(slot), answer))
        return quote(self.choice(slot, answer))

    def _measured(self, answer: str, unit: str | None) -> str:
        try:
            return measure(Decimal(answer), unit, self.locale)
        except InvalidOperation:
            return answer

    def facts(self, variable: Variable, value: Value) -> list[str]:
        """The named facts of an option: ``Weight 1,250 g``; "no" has none worth saying."""
        if variable.kind == "yes or no" and value.id == NO:
            return []
        return self._facts(value.facts)

    def about(self, variable: Variable, value: Value) -> tuple[str, ...]:
        """What is said of an option below its name: help and facts."""
        lines = (self.say(value.help), " · ".join(self.facts(variable, value)))
        return tuple(filter(None, lines))

    def doubts(self, variable: Variable, view: Json) -> tuple[tuple[str, str], ...]:
        """Questions that customers have about a question, with their answers, as far as a
        view shows them."""
        certain = view.get("doubts", {}).get(variable.id, ())
        return tuple(
            (self.say(doubt.ask), self.say(doubt.answer))
            for number, doubt in enumerate(variable.doubts, 1)
            if doubt.when is None or number in certain
        )

    def facts_each(self, variable: Variable) -> list[str]:
        """The named facts that a number has once per unit."""
        return [gettext("%(fact)s each", fact=fact) for fact in self._facts(variable.facts_each)]

    def _facts(self, facts: Iterable[tuple[str, Fraction]]) -> list[str]:
        types = {fact.id: fact for fact in self.product.facts}
        said = []
        for fact_id, amount in facts:
            fact = types.get(fact_id)
            if fact is None or fact.name is None:
                continue
            name = self.say(fact.name)
            if fact.yes_or_no:
                if amount:
                    said.append(name)
                continue
            decimal = Decimal(amount.numerator) / Decimal(amount.denominator)
            said.append(f"{name}: {measure(decimal, fact.unit, self.locale)}")
        return said

    def asked_if(self, variable: Variable) -> str:
        """When a question is asked: its condition where that reads well, else the
        questions it depends on."""
        told = self._conditions(variable.relevant_when)
        if told is not None:
            return gettext("Only asked if you choose %(choices)s", choices=", ".join(told))
        names = () if variable.relevant_when is None else reads(variable.relevant_when)
        said = [self.quoted(name) for name in names if self._variable(name) is not None]
        return gettext("Asked or not, depending on %(questions)s", questions=", ".join(said))

    def _conditions(self, condition: Condition | None) -> list[str] | None:
        """The answers a condition asks for, where it asks for nothing but answers."""
        if isinstance(condition, And):
            parts = [self._conditions(each) for each in condition.conditions]
            return None if None in parts else [one for part in parts for one in part or ()]
        if isinstance(condition, Has) and condition.mode in ("any", "all"):
            if len(condition.values) == 1 or condition.mode == "all":
                owner = self.slot(condition.variable)
                kinds = [self.slot(f"{condition.variable}.{each}") for each in condition.values]
                return [quote(asked(owner, ", ".join(kinds)))]
            return None
        if not isinstance(condition, Comparison) or condition.operator != "=":
            return None
        if not isinstance(condition.left, Read) or self._variable(condition.left.variable) is None:
            return None
        name, right = condition.left.variable, condition.right
        if isinstance(right, Symbol):
            return [self.quoted(name, right.value)]
        if isinstance(right, YesNo):
            return [self.quoted(name, YES if right.value else NO)]
        return None

    # --- steps -------------------------------------------------------------------

    @cached_property
    def _steps(self) -> dict[str, Step]:
        return {variable: step for step in self.product.steps for variable in step.ask}

    def step_of(self, slot: str) -> Step | None:
        """The step where a slot is asked."""
        return self._steps.get(slot.partition(".")[0])

    def step_name(self, slot: str) -> str:
        """The name of the step where a slot is asked."""
        step = self.step_of(slot)
        return self.say(step.name) if step else ""

    # --- rules -------------------------------------------------------------------

    def because(self, rule_id: str, values: Mapping[str, str] | None = None) -> str:
        """The reason a rule gives to a customer."""
        kind, _, name = rule_id.partition(":")
        if kind == "limits" and name:
            return self._limits(name)
        said = self.say(self.product.because(rule_id), values)
        if said:
            return said
        table_id = rule_id.partition("#")[0]
        for table in self.product.tables:
            if table.id == table_id:
                return self._together(table.columns)
        return self._unsaid()

    def _unsaid(self) -> str:
        return gettext("These do not go together in this model.")

    def _together(self, columns: tuple[str, ...]) -> str:
        names = [self.quoted(column) for column in columns if self._variable(column)]
        if not names:
            return self._unsaid()
        return gettext("Only some combinations are made: %(names)s.", names=", ".join(names))

    def _limits(self, slot: str) -> str:
        variable = self._variable(slot)
        if variable is None:
            return self._unsaid()
        name = self.quoted(variable.id)
        if variable.number is not None:
            low, high = (
                str(Decimal(end.numerator) / Decimal(end.denominator))
                for end in (variable.number.low, variable.number.high)
            )
            return gettext(
                "%(name)s goes from %(range)s.",
                name=name,
                range=numbers_between(low, high, variable.unit, self.locale),
            )
        if variable.several is not None and variable.several.pieces is not None:
            least, most = variable.several.pieces
            return gettext(
                "%(name)s: from %(least)s to %(most)s pieces in all.",
                name=name,
                least=number(least, self.locale),
                most=number(most, self.locale),
            )
        if variable.several is not None:
            least, most = variable.several.pick
            return gettext(
                "%(name)s: from %(least)s to %(most)s kinds.",
                name=name,
                least=number(least, self.locale),
                most=number(most, self.locale),
            )
        return gettext("%(name)s only has the options shown.", name=name)

    # --- money -------------------------------------------------------------------

    @property
    def currency(self) -> str:
        """The product's currency."""
        return self.product.prices.currency if self.product.prices else "EUR"

    def money(self, cents: int) -> str:
        """An amount in the product's currency."""
        return money(cents, self.currency, self.locale)

    def difference(self, cents: int) -> str:
        """A difference in the product's currency."""
        return difference(cents, self.currency, self.locale)

    def line(self, line_id: str) -> str:
        """The name of a line of the bill."""
        if line_id == "base":
            return gettext("Base model")
        if line_id == "minimum":
            return gettext("Up to the minimum order")
        for line in self.product.prices.lines if self.product.prices else ():
            if line.id == line_id:
                return self.say(line.name)
        return self.slot(line_id)


def quote(text: str) -> str:
    """A text as somebody else's words."""
    return gettext("“%(text)s”", text=text)


def asked(question: str, answer: str) -> str:
    """A question and its answer, with the sign between them that the question leaves."""
    return f"{question} {answer}" if question.endswith("?") else f"{question}: {answer}"

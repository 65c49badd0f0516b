"""The questions of one step as the page shows them: cards, amounts, days, several-of, texts.

Built from the product's words and the view's answers alone; which options are possible,
what they cost and what they would change is read from the view, never worked out here.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from markupsafe import Markup

from configurator.language.pictures import Picture
from configurator.model.choice import NONE
from configurator.model.product import NumberRange, Step, Value, Variable
from configurator.session import Session, difference_of, lowest_of
from configurator.web.shop.amounts import (
    TOGETHER,
    changes_in_words,
    days_between,
    number,
    numbers_between,
)
from configurator.web.shop.guards import SaidGuard
from configurator.web.shop.parts import Amount, Card, Kind, Question, TextEntry
from configurator.web.shop.ranges import entry, neighbours, plain, runs_of
from configurator.web.shop.texts import gettext
from configurator.web.shop.wording import Wording

Json = dict[str, Any]


class Questions:
    """The questions of one session, in words."""

    def __init__(
        self,
        session: Session,
        wording: Wording,
        guards: Sequence[SaidGuard],
        picture: Picture | None,
        drawn: dict[str, str],
    ) -> None:
        """``drawn`` are the answers the picture shows now (slot → answer)."""
        self._session = session
        self._words = wording
        self._guards = [guard for guard in guards if guard.at == "choice"]
        self._picture = picture
        self._drawn = drawn
        self._slots: Json = session.view["slots"]
        self._filled: dict[str, str] = session.view.get("filled", {})
        self._lowest_exact = not session.view.get("price", {}).get("at_least")

    def of_step(self, step: Step) -> tuple[Question, ...]:
        """The questions of a step that are asked now."""
        found = []
        for name in step.ask:
            variable = self._session.product.variable(name)
            question = self.question(variable)
            if question is not None:
                found.append(replace(question, asked_if=self._asked_if(variable)))
        return tuple(found)

    def _asked_if(self, variable: Variable) -> str:
        """When a question is asked that may yet not be; empty where it surely is."""
        slots = [variable.id, *(f"{variable.id}.{value.id}" for value in variable.values)]
        if not any(self._slots.get(slot, {}).get("maybe") for slot in slots):
            return ""
        return self._words.asked_if(variable)

    def question(self, variable: Variable) -> Question | None:
        """One question; ``None`` while it is not asked."""
        if variable.show == "never":
            return None
        if variable.kind == "several of":
            return self._several(variable)
        data = self._slots.get(variable.id)
        if data is None or data["state"] == "not asked":
            return None
        question = Question(
            id=variable.id,
            name=self._words.say(variable.name),
            help=self._words.say(variable.help),
            form="cards",
            state=data["state"],
            optional=variable.optional,
            irreversible=self._words.say(variable.irreversible),
            keep=self._filled.get(variable.id, ""),
            reason=self._origin(data),
            doubts=self._words.doubts(variable, self._session.view),
        )
        if variable.kind == "number":
            return self._number(question, variable, data)
        if variable.kind == "date":
            return self._date(question, variable, data)
        if variable.kind == "text":
            return self._text(question, variable, data)
        if variable.kind == "computed":
            shown = Card(
                variable.id, data.get("answer", ""), self._answer(variable.id, data), "implied"
            )
            return replace(question, cards=(shown,), reason=(gettext("It follows from the rest."),))
        return self._cards(question, variable, data)

    # --- one of, yes or no -------------------------------------------------------

    def _cards(self, question: Question, variable: Variable, data: Json) -> Question:
        cards = [self._value_card(variable, value, data) for value in variable.values]
        if variable.optional:
            cards.append(self._value_card(variable, None, data))
        shown = tuple(card for card in cards if card is not None)
        if len({card.lowest for card in shown}) == 1:
            # Nothing here changes the price; the total below says it once.
            shown = tuple(replace(card, lowest="") for card in shown)
        if len(shown) > 1 and len({card.thumb for card in shown}) == 1:
            # Pictures that are all alike tell nobody anything.
            shown = tuple(replace(card, thumb=None) for card in shown)
        if data["state"] != "implied":
            return replace(question, cards=shown)
        return replace(
            question,
            cards=tuple(card for card in shown if card.state == "implied"),
            others=tuple(card for card in shown if card.state != "implied"),
        )

    def _value_card(self, variable: Variable, value: Value | None, data: Json) -> Card | None:
        answer = value.id if value is not None else NONE
        option = data.get("options", {}).get(answer)
        if option is None:
            return None
        card = self._card(variable.id, answer, self._words.value(variable, answer), option, data)
        if value is None:
            return card
        return replace(
            card,
            say=self._words.about(variable, value),
            irreversible=self._words.say(value.irreversible),
        )

    def _card(self, slot: str, answer: str, title: str, option: Json, data: Json) -> Card:
        state = option["state"]
        view = self._session.view
        difference, exact = difference_of(view, option), not option.get("at_least")
        price = ""
        if difference is not None and exact and self._lowest_exact:
            price = self._words.difference(difference)
        said = ""
        if difference is not None:
            amount = self._words.money(lowest_of(view) + difference)
            said = (
                gettext("from %(amount)s", amount=amount)
                if exact
                else gettext("at least %(count)s", count=amount)
            )
        taken = state in ("chosen", "implied")
        return Card(
            slot=slot,
            answer=answer,
            title=title,
            state=state,
            price="" if taken else price,
            lowest=said,
            changes=changes_in_words(option["changes"]) if option.get("changes") else "",
            proposed=data.get("proposal") == answer and data["state"] in ("open", "undecided"),
            filled=self._filled.get(slot) == answer,
            thumb=self._thumb(slot, answer),
            guards=self._guards_below(slot) if data.get("answer") == answer else (),
        )

    def _thumb(self, slot: str, answer: str) -> Markup | None:
        if self._picture is None or not self._picture.shows(slot):
            return None
        return self._picture.draw({**self._drawn, slot: answer}, focus=slot)

    def _guards_below(self, slot: str) -> tuple[SaidGuard, ...]:
        return tuple(guard for guard in self._guards if guard.slot == slot)

    # --- numbers and days --------------------------------------------------------

    def _number(self, question: Question, variable: Variable, data: Json) -> Question:
        limits = variable.number
        assert limits is not None
        step = plain(limits.step.numerator, limits.step.denominator)
        low = plain(limits.low.numerator, limits.low.denominator)
        high = plain(limits.high.numerator, limits.high.denominator)
        runs = runs_of(data, lambda text: Decimal(text), Decimal(step))
        value, suggested = entry(data)
        here = value or suggested
        less, more = neighbours(runs, Decimal(here) if here else None, Decimal(step))
        unit = variable.unit or ""
        each = ""
        if variable.price_each:
            each = gettext("%(price)s each", price=self._words.money(variable.price_each))
        each = " · ".join(filter(None, [each, *self._words.facts_each(variable)]))
        amount = Amount(
            value=self._words.typed(variable.id, value),
            suggested=self._words.typed(variable.id, suggested),
            low=low,
            high=high,
            step=step,
            unit=unit,
            ranges=tuple(
                numbers_between(str(a), str(b), unit or None, self._words.locale) for a, b in runs
            ),
            narrowed=runs != [(Decimal(low), Decimal(high))],
            less="" if less is None else str(less),
            more="" if more is None else str(more),
            each=each,
            pace=self._pace(limits, unit),
        )
        return self._entered(replace(question, form="amount", amount=amount), variable, data)

    def _pace(self, limits: NumberRange, unit: str) -> str:
        if limits.step == Fraction(1, 10**limits.decimals):
            return ""
        return gettext(
            "In steps of %(number)s%(unit)s.",
            number=number(
                plain(limits.step.numerator, limits.step.denominator), self._words.locale
            ),
            unit=f"{TOGETHER}{unit}" if unit else "",
        )

    def _date(self, question: Question, variable: Variable, data: Json) -> Question:
        runs = runs_of(data, datetime.date.fromisoformat, datetime.timedelta(days=1))
        value, suggested = entry(data)
        assert variable.days is not None
        amount = Amount(
            value=value,
            suggested=suggested,
            low=self._day(variable.days.first),
            high=self._day(variable.days.last),
            step="1",
            unit="",
            ranges=tuple(
                days_between(a.isoformat(), b.isoformat(), self._words.locale) for a, b in runs
            ),
            narrowed=True,
        )
        return self._entered(replace(question, form="day", amount=amount), variable, data)

    def _day(self, end: int | datetime.date) -> str:
        """An end of a range of days, which may count from the session's day."""
        if isinstance(end, int):
            end = self._session.day + datetime.timedelta(days=end)
        return end.isoformat()

    def _text(self, question: Question, variable: Variable, data: Json) -> Question:
        limits = variable.text
        assert limits is not None
        value = data.get("answer", "")
        written = TextEntry(
            value="" if value == NONE else value,
            least=limits.length[0],
            most=limits.length[1],
            letters=limits.letters,
        )
        return self._entered(replace(question, form="text", text=written), variable, data)

    def _entered(self, question: Question, variable: Variable, data: Json) -> Question:
        """What every question answered in a field has: the way out of it, and guards."""
        none = None
        if variable.optional:
            option = data.get("options", {}).get(NONE, {"state": "possible"})
            if data.get("answer") == NONE:
                option = {**option, "state": data["state"]}
            none = self._card(variable.id, NONE, self._words.nothing(variable), option, data)
            none = replace(none, guards=(), thumb=None)
        return replace(question, none=none, guards=self._guards_below(variable.id))

    # --- several of --------------------------------------------------------------

    def _several(self, variable: Variable) -> Question | None:
        slots = [f"{variable.id}.{value.id}" for value in variable.values]
        known = [self._slots[slot] for slot in slots if slot in self._slots]
        if not known or all(data["state"] == "not asked" for data in known):
            return None
        kinds = tuple(
            kind for value in variable.values if (kind := self._kind(variable, value)) is not None
        )
        return Question(
            id=variable.id,
            name=self._words.say(variable.name),
            help=self._words.say(variable.help),
            form="several",
            state="open" if any(kind.open for kind in kinds) else "chosen",
            optional=False,
            irreversible=self._words.say(variable.irreversible),
            keep="all" if any(slot in self._filled for slot in slots) else "",
            kinds=kinds,
            limits=self._limits(variable),
            closed=not any(kind.open for kind in kinds),
            taken=any(kind.quantity for kind in kinds),
            doubts=self._words.doubts(variable, self._session.view),
        )

    def _kind(self, variable: Variable, value: Value) -> Kind | None:
        slot = f"{variable.id}.{value.id}"
        data = self._slots.get(slot)
        if data is None or data["state"] == "not asked":
            return None
        options: Json = data.get("options", {})
        quantities = sorted(int(answer) for answer in options)
        quantity = int(data.get("answer", 0))
        higher = [each for each in quantities if each > quantity]
        lower = [each for each in quantities if each < quantity]
        more = str(higher[0]) if higher else ""
        wanted = str(quantity) if quantity else more
        option = options.get(wanted, {"state": data["state"]})
        card = self._card(slot, wanted, self._words.value(variable, value.id), option, data)
        if wanted != "0" and card.thumb == self._thumb(slot, "0"):
            card = replace(card, thumb=None)
        say = [*self._words.about(variable, value)]
        state = option["state"]
        if quantity:
            state = data["state"]
            say.extend(self._origin(data))
        card = replace(
            card,
            say=tuple(say),
            state=state,
            irreversible=self._words.say(value.irreversible),
            guards=self._guards_below(slot),
        )
        changes = options.get(more, {}).get("changes")
        return Kind(
            card=card,
            quantity=quantity,
            single=max(quantities, default=1) <= 1,
            less=str(lower[-1]) if lower else "",
            more=more,
            more_changes=changes_in_words(changes) if changes and quantity else "",
            open=data["state"] in ("open", "undecided"),
        )

    def _limits(self, variable: Variable) -> str:
        limits = variable.several
        assert limits is not None
        said = []
        if limits.pick[1] < len(variable.values):
            said.append(
                gettext("Up to %(most)s kinds.", most=number(limits.pick[1], self._words.locale))
            )
        if limits.pieces is not None:
            said.append(
                gettext(
                    "Up to %(most)s pieces in all.",
                    most=number(limits.pieces[1], self._words.locale),
                )
            )
        return " ".join(said)

    # --- shared ------------------------------------------------------------------

    def _answer(self, slot: str, data: Json) -> str:
        answer = data.get("answer")
        return "—" if answer is None else self._words.answer(slot, answer)

    def _origin(self, data: Json) -> tuple[str, ...]:
        """Why an answer follows: the choices that bring it, else the model itself."""
        origin = data.get("origin")
        if data["state"] != "implied" or origin is None:
            return ()
        brought = [
            self._words.quoted(slot, self._slots[slot]["answer"])
            for slot in origin.get("choices", [])
            if "answer" in self._slots.get(slot, {})
        ]
        if not brought:
            first = gettext("This model always has it.")
        else:
            first = gettext("It comes with %(choices)s.", choices=", ".join(brought))
        reasons = [self._words.because(rule) for rule in origin.get("rules", [])]
        if origin.get("more"):
            reasons.append(gettext("More rules take part."))
        return (first, *dict.fromkeys(reasons))

"""What the customer saw at one step, in the customer's words, ready to draw read-only.

Built from the stored view and the pinned product alone; the words are those the shop
uses. What differs from the step before carries its difference in words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from configurator.model.choice import NONE
from configurator.model.product import Guard, Product, Step, Variable
from configurator.session import Refusal, difference_of, lowest_of
from configurator.web.desk.difference import Difference
from configurator.web.desk.fates import on_review
from configurator.web.shop.amounts import (
    changes_in_words,
    days_between,
    how_many,
    numbers_between,
)
from configurator.web.shop.conflict import ConflictPage, conflict_page
from configurator.web.shop.guards import filled_among
from configurator.web.shop.wording import Wording
from configurator.web.speech import gettext

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ScreenOption:
    """One option as it stood, with what was said of it; ``changed`` says what it was before,
    where it differed."""

    name: str
    about: tuple[str, ...]
    irreversible: str
    state: str
    words: str
    price: str
    changed: str


@dataclass(frozen=True, slots=True)
class ScreenQuestion:
    """One question as it stood, with what was said of it, and the ``doubts`` that were
    answered below it. ``because`` says where an automatic answer comes from,
    ``final`` that the customer confirmed that it cannot be changed later."""

    slot: str
    name: str
    about: tuple[str, ...]
    irreversible: str
    doubts: tuple[tuple[str, str], ...]
    state: str
    words: str
    answer: str
    proposal: str
    because: tuple[str, ...]
    options: tuple[ScreenOption, ...]
    ranges: tuple[str, ...]
    changed: str
    final: bool = False

    @property
    def differs(self) -> bool:
        """Whether anything about it changed at this step."""
        return bool(self.changed) or any(option.changed for option in self.options)


@dataclass(frozen=True, slots=True)
class ScreenStep:
    """One page of questions."""

    name: str
    progress: str
    questions: tuple[ScreenQuestion, ...]

    @property
    def differs(self) -> bool:
        """Whether anything on it changed at this step."""
        return any(question.differs for question in self.questions)


@dataclass(frozen=True, slots=True)
class ScreenGuard:
    """One guard as it was said; ``on_review`` where the review page alone says it."""

    level: str
    sentence: str
    evidence: str
    filled: tuple[str, ...]
    suggestions: tuple[str, ...]
    acknowledged: bool
    reason: str
    changed: str
    on_review: bool


@dataclass(frozen=True, slots=True)
class Screen:
    """The whole view, in words."""

    steps: tuple[ScreenStep, ...]
    guards: tuple[ScreenGuard, ...]
    results: tuple[tuple[str, str, str], ...]
    total: str
    total_changed: str
    proposed: str
    count: str
    complete: bool


class Painter:
    """Draws views of one product in one language (the request's, see ``force_locale``)."""

    def __init__(self, product: Product, language: str, view: Json) -> None:
        self.product = product
        self.language = language
        self.view = view
        answers = {
            name: slot["answer"] for name, slot in view.get("slots", {}).items() if "answer" in slot
        }
        self.words = Wording(product, language, {**answers, **view.get("results", {})})

    def screen(self, changes: Iterable[Difference]) -> Screen:
        """The view with what differs marked."""
        by_place: dict[tuple[str, str], list[Difference]] = defaultdict(list)
        for change in changes:
            by_place[change.aspect, change.name].append(change)
        price = by_place.get(("price", ""), [])
        return Screen(
            steps=tuple(self._step(step, by_place) for step in self.product.steps),
            guards=tuple(self._guards(by_place)),
            results=tuple(
                (
                    self.words.slot(name),
                    self.words.answer(name, answer),
                    self._was(by_place.get(("result", name), []), name),
                )
                for name, answer in self.view.get("results", {}).items()
            ),
            total=self.total(self.view.get("price", {})),
            total_changed=self._was_total(price),
            proposed=self._proposed(),
            count=self.count(self.view.get("count")),
            complete=bool(self.view.get("complete")),
        )

    # --- questions ---------------------------------------------------------------

    def asked(self) -> list[str]:
        """The slots that are asked, in the order of the page."""
        return [slot for step in self.product.steps for slot in self._asked_in(step)]

    def _asked_in(self, step: Step) -> list[str]:
        return [slot for each in step.ask for slot in self._slots_of(self.product.variable(each))]

    def _step(self, step: Step, by_place: dict[tuple[str, str], list[Difference]]) -> ScreenStep:
        progress = self.view["steps"].get(step.id, {"asked": 0, "answered": 0})
        questions = [self._question(slot, by_place) for slot in self._asked_in(step)]
        return ScreenStep(
            self.words.say(step.name),
            gettext(
                "%(answered)s of %(asked)s answered",
                answered=progress["answered"],
                asked=progress["asked"],
            ),
            tuple(questions),
        )

    def _slots_of(self, variable: Variable) -> list[str]:
        """The slots of a variable that were asked, in the order of the rule folder."""
        if variable.kind == "several of":
            names = [f"{variable.id}.{value.id}" for value in variable.values]
        else:
            names = [variable.id]
        slots = self.view["slots"]
        return [
            name for name in names if slots.get(name, {}).get("state", "not asked") != "not asked"
        ]

    def _question(
        self, slot: str, by_place: dict[tuple[str, str], list[Difference]]
    ) -> ScreenQuestion:
        data = self.view["slots"][slot]
        variable = self.product.variable(data["variable"])
        options = {change.option: change for change in by_place.get(("option", slot), [])}
        name = self.words.slot(slot)
        begins = slot == self._slots_of(variable)[0]  # what is said once of a several-of
        about = [self.words.say(variable.help)] if begins else []
        irreversible = self.words.say(variable.irreversible)
        value = variable.value(slot.partition(".")[2])
        if variable.kind == "several of" and value is not None:
            name = f"{self.words.say(variable.name)}: {name}"
            about += self.words.about(variable, value)
            irreversible = self.words.say(value.irreversible) or irreversible
        return ScreenQuestion(
            slot=slot,
            name=name,
            about=tuple(filter(None, about)),
            irreversible=irreversible,
            doubts=self.words.doubts(variable, self.view) if begins else (),
            state=data["state"],
            words=self.state(data["state"], slot in self.view.get("filled", {})),
            answer=self.words.answer(slot, data["answer"]) if "answer" in data else "",
            proposal=self.words.answer(slot, data["proposal"]) if "proposal" in data else "",
            because=self._because(data.get("origin", {})),
            options=tuple(
                self._option(variable, slot, answer, options.get(answer))
                for answer in self._in_order(variable, data.get("options", {}))
            ),
            ranges=tuple(self._range(variable, *ends) for ends in data.get("intervals", ())),
            changed=self._was(by_place.get(("answer", slot), []), slot)
            or self._ranges_were(variable, by_place.get(("ranges", slot), []))
            or (gettext("New at this step") if ("final", slot) in by_place else ""),
            final=slot in self.view.get("irreversible", {}),
        )

    def _because(self, origin: Json) -> tuple[str, ...]:
        slots = self.view["slots"]
        chosen = [
            gettext("You chose %(choice)s.", choice=self.words.choice(slot, slots[slot]["answer"]))
            for slot in origin.get("choices", ())
            if "answer" in slots.get(slot, {})
        ]
        more = (gettext("More rules take part."),) if origin.get("more") else ()
        return (*chosen, *(self.words.because(rule) for rule in origin.get("rules", ())), *more)

    def _option(
        self, variable: Variable, slot: str, answer: str, change: Difference | None
    ) -> ScreenOption:
        data: Json = self.view["slots"][slot]["options"][answer]
        value = None if variable.kind == "several of" else variable.value(answer)
        difference = difference_of(self.view, data)
        price = ""
        if difference is not None:
            price = self.words.difference(difference)
            if difference or data.get("at_least"):
                total = {**data, "lowest": lowest_of(self.view) + difference}
                price = f"{price} · {self.total(total)}"
        return ScreenOption(
            name=self.words.answer(slot, answer),
            about=() if value is None else self.words.about(variable, value),
            irreversible="" if value is None else self.words.say(value.irreversible),
            state=data["state"],
            words=self.option_state(data),
            price=price,
            changed=self._option_was(change),
        )

    def _in_order(self, variable: Variable, options: Json) -> list[str]:
        declared = {value.id: place for place, value in enumerate(variable.values)}

        def place(answer: str) -> tuple[int, Decimal | int, str]:
            if answer == NONE:
                return 2, 0, answer
            if variable.kind != "several of" and answer in declared:
                return 0, declared[answer], answer
            try:
                return 1, Decimal(answer), answer
            except InvalidOperation:
                return 1, 0, answer

        return sorted(options, key=place)

    def _range(self, variable: Variable, low: str, high: str) -> str:
        if variable.kind == "date":
            return days_between(low, high, self.language)
        return numbers_between(low, high, variable.unit, self.language)

    # --- words -------------------------------------------------------------------

    def state(self, state: str, filled: bool = False) -> str:
        """How a question stands, in words."""
        return {
            "chosen": gettext("We filled this in") if filled else gettext("Chosen"),
            "implied": gettext("Automatic"),
            "open": gettext("Open"),
            "undecided": gettext("Being worked out"),
        }.get(state, gettext("Not asked"))

    def option_state(self, data: Json) -> str:
        """How an option stands, in words."""
        if data["state"] == "needs changes" and "changes" in data:
            return gettext("Needs %(changes)s", changes=changes_in_words(data["changes"]))
        return {
            "chosen": gettext("Chosen"),
            "possible": gettext("Possible"),
            "implied": gettext("Automatic"),
            "needs changes": gettext("Needs changes"),
            "undecided": gettext("Being worked out"),
        }.get(data["state"], gettext("Never in this model"))

    def total(self, price: Json) -> str:
        """What is to pay: the total, or from which total on."""
        if "total" in price:
            return self.words.money(price["total"])
        if "lowest" not in price:
            return ""
        amount = self.words.money(price["lowest"])
        if price.get("at_least"):
            return gettext("at least %(amount)s", amount=amount)
        return gettext("from %(amount)s", amount=amount)

    def count(self, count: Json | None) -> str:
        """How many configurations are left."""
        if count is None:
            return ""
        return how_many(count["number"], bool(count.get("at_least")), self.language)

    def _proposed(self) -> str:
        proposed = self.view.get("price", {}).get("proposed")
        return "" if proposed is None else self.words.money(proposed)

    def standing(self, slot: str, data: Json | None) -> str:
        """How a slot stood, with its answer."""
        if data is None:
            return gettext("not asked")
        words = self.state(data["state"], "filled" in data)
        if "answer" in data:
            return f"{words}, {self.words.answer(slot, data['answer'])}"
        if "proposal" in data:
            proposal = self.words.answer(slot, data["proposal"])
            return gettext("%(state)s, proposed %(answer)s", state=words, answer=proposal)
        return words

    def _was(self, changes: Sequence[Difference], slot: str) -> str:
        if not changes:
            return ""
        before = changes[0].before
        if isinstance(before, str):
            return gettext("Before: %(state)s", state=self.words.answer(slot, before))
        return gettext("Before: %(state)s", state=self.standing(slot, before))

    def _ranges_were(self, variable: Variable, changes: Sequence[Difference]) -> str:
        if not changes:
            return ""
        before = changes[0].before or []
        words = ", ".join(self._range(variable, *ends) for ends in before) or gettext("not asked")
        return gettext("Before: %(state)s", state=words)

    def _option_was(self, change: Difference | None) -> str:
        if change is None:
            return ""
        if change.before is None:
            return gettext("Before: %(state)s", state=gettext("not asked"))
        words, difference = self.option_state(change.before), change.before.get("difference")
        price = "" if difference is None else self.words.difference(difference)
        return gettext("Before: %(state)s", state=f"{words}, {price}" if price else words)

    def _was_total(self, changes: Sequence[Difference]) -> str:
        if not changes:
            return ""
        words = self.total(changes[0].before or {}) or "—"
        return gettext("Before: %(state)s", state=words)

    # --- guards and refusals -----------------------------------------------------

    def guard(self, guard_id: str) -> Guard | None:
        """The guard of that id in the pinned release."""
        return next((each for each in self.product.guards if each.id == guard_id), None)

    def sentence(self, guard_id: str, reads: Json) -> str:
        """What a guard said when it read these answers."""
        guard = self.guard(guard_id)
        return guard_id if guard is None else self.words.say(guard.say, reads)

    def _evidence(self, guard_id: str) -> str:
        guard = self.guard(guard_id)
        return self.words.say(guard.evidence.text) if guard and guard.evidence else ""

    def _guards(self, by_place: dict[tuple[str, str], list[Difference]]) -> Iterable[ScreenGuard]:
        for guard_id, said in self.view.get("guards", {}).items():
            changes = by_place.get(("guard", guard_id), [])
            changed = ""
            if changes:
                changed = gettext("New at this step")
                if changes[0].before is not None:
                    changed = gettext("Changed at this step")
            yield ScreenGuard(
                level=said["level"],
                sentence=self.sentence(guard_id, said["reads"]),
                evidence=self._evidence(guard_id),
                filled=filled_among(said["reads"], self.view, self.words),
                suggestions=tuple(
                    self.words.choice(slot, suggestion["answer"])
                    for slot, suggestion in said.get("suggest", {}).items()
                ),
                acknowledged=bool(said.get("acknowledged")),
                reason=said.get("reason", ""),
                changed=changed,
                on_review=on_review(said),
            )

    def refusal(self, refusal: Refusal) -> ConflictPage:
        """A refusal with its reasons and repairs, as its page told it."""
        return conflict_page(self.product, self.view, refusal, self.words)

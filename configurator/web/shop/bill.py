"""The review and the finished configuration: every answer by step, and the bill."""

from __future__ import annotations

from dataclasses import dataclass

from configurator.model.product import Variable
from configurator.session import Session
from configurator.session.view import irreversible as final_answers
from configurator.web.shop.amounts import number
from configurator.web.shop.summary import shown_steps, step_path
from configurator.web.shop.texts import gettext
from configurator.web.shop.wording import Wording


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One answer: ``origin`` is ``chosen``, ``filled`` (in for the customer), ``automatic``
    or ``open``."""

    slot: str
    name: str
    answer: str
    origin: str


@dataclass(frozen=True, slots=True)
class StepRows:
    """The answers of one step."""

    name: str
    path: str
    rows: tuple[AnswerRow, ...]


@dataclass(frozen=True, slots=True)
class Irreversible:
    """Something that cannot be taken back once ordered; it is confirmed before (``known``:
    it has been)."""

    slot: str
    what: str
    sentence: str
    known: bool


@dataclass(frozen=True, slots=True)
class Bill:
    """The lines of the price, and what they come to. ``per_unit``: the lines are for one
    of several units. ``taxes`` are pairs of a rate and an amount."""

    lines: tuple[tuple[str, str], ...]
    net: str
    tax: str
    taxes: tuple[tuple[str, str], ...]
    tax_included: bool
    total: str
    per_unit: bool


def answers_by_step(session: Session, wording: Wording) -> tuple[StepRows, ...]:
    """Every answer of the steps that ask something, open ones too."""
    steps = []
    for step in shown_steps(session):
        rows = [
            row
            for variable in step.ask
            for row in _rows(session.product.variable(variable), session, wording)
        ]
        if rows:
            steps.append(StepRows(wording.say(step.name), step_path(step), tuple(rows)))
    return tuple(steps)


def bill(session: Session, wording: Wording) -> Bill | None:
    """The bill; ``None`` while questions are open or where there are no prices."""
    price = session.view.get("price", {})
    if "total" not in price:
        return None
    return Bill(
        lines=tuple((wording.line(line), wording.money(cents)) for line, cents in price["lines"]),
        net=wording.money(price["net"]),
        tax=wording.money(price["tax"]),
        taxes=tuple(
            (number(rate, wording.locale), wording.money(cents))
            for rate, cents in price.get("taxes", [[price["tax_rate"], price["tax"]]])
        ),
        tax_included=bool(price["tax_included"]),
        total=wording.money(price["total"]),
        per_unit=session.product.prices is not None and session.product.prices.times is not None,
    )


def irreversible(session: Session, wording: Wording) -> tuple[Irreversible, ...]:
    """What the present answers make irreversible, and whether the customer knows."""
    known = session.view.get("irreversible", {})
    found = []
    for slot, answer in final_answers(session.product, session.view["slots"]).items():
        variable = session.product.variable(slot.partition(".")[0])
        named = slot.partition(".")[2] or answer
        value = variable.value(named)
        text = (value.irreversible if value else None) or variable.irreversible
        found.append(
            Irreversible(slot, wording.choice(slot, answer), wording.say(text), slot in known)
        )
    return tuple(found)


def _rows(variable: Variable, session: Session, wording: Wording) -> list[AnswerRow]:
    slots = session.view["slots"]
    filled = session.view.get("filled", {})
    if variable.show == "never":
        return []
    name = wording.say(variable.name)
    if variable.kind != "several of":
        data = slots.get(variable.id)
        if data is None or data["state"] == "not asked":
            return []
        if "answer" not in data:
            return [AnswerRow(variable.id, name, gettext("still open"), "open")]
        origin = "chosen" if data["state"] == "chosen" else "automatic"
        if variable.id in filled:
            origin = "filled"
        return [AnswerRow(variable.id, name, wording.answer(variable.id, data["answer"]), origin)]
    kinds = {f"{variable.id}.{value.id}" for value in variable.values}
    known = {slot: data for slot, data in slots.items() if slot in kinds}
    if not known or all(data["state"] == "not asked" for data in known.values()):
        return []
    taken = [
        wording.taken(slot, known[slot]["answer"])
        for slot in (f"{variable.id}.{value.id}" for value in variable.values)
        if known.get(slot, {}).get("answer", "0") != "0"
    ]
    waiting = any(data["state"] in ("open", "undecided") for data in known.values())
    said = ", ".join(taken) or (gettext("still open") if waiting else gettext("None of this"))
    origin = "open" if waiting else "filled" if kinds & filled.keys() else "chosen"
    return [AnswerRow(variable.id, name, said, origin)]

"""What stands at the foot of every page: total, results, what is left, progress.

The large amount is the lowest total reachable with the choices made, so that the
differences on the options add up to it; the price with the proposals stands beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from configurator.model.choice import NONE
from configurator.model.product import Product, Step
from configurator.session import Session
from configurator.web.shop.amounts import how_many
from configurator.web.shop.texts import gettext
from configurator.web.shop.wording import Wording

Json = dict[str, Any]

TAKEN_PATHS = frozenset({"review", "why", "done"})
"""Addresses beside those of the steps; a step of that name gets another."""


@dataclass(frozen=True, slots=True)
class StepLink:
    """One step in the list of steps."""

    id: str
    path: str
    name: str
    number: int
    current: bool
    done: bool


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of a configuration as it stands, in words.

    ``prefix`` stands before the total ("from", "at least") until nothing is open.
    """

    total: str
    prefix: str
    tax: str
    proposed: str
    results: tuple[tuple[str, str], ...]
    left: str
    steps: tuple[StepLink, ...]
    done: int
    complete: bool
    saved: bool


def step_path(step: Step) -> str:
    """The step's part of an address."""
    return f"step-{step.id}" if step.id in TAKEN_PATHS else step.id


def step_at(product: Product, path: str) -> Step | None:
    """The step of an address."""
    return next((step for step in product.steps if step_path(step) == path), None)


def shown_steps(session: Session) -> tuple[Step, ...]:
    """The steps that ask something now, in order."""
    progress: Json = session.view.get("steps", {})
    asked = [s for s in session.product.steps if _asks(progress.get(s.id, {"asked": 1}))]
    return tuple(asked or session.product.steps)


def first_open_step(session: Session) -> Step | None:
    """The first step with a question still open; ``None`` where there is none."""
    progress: Json = session.view.get("steps", {})
    for step in shown_steps(session):
        counts = progress.get(step.id, {"asked": 1, "answered": 0})
        if counts["answered"] < counts["asked"]:
            return step
    if session.view.get("complete"):
        return None
    return next((s for s in shown_steps(session) if progress.get(s.id, {}).get("maybe")), None)


def summary(session: Session, wording: Wording, current: str = "") -> Summary:
    """The summary; ``current`` is the id of the step being shown."""
    price: Json = session.view.get("price", {})
    progress: Json = session.view.get("steps", {})
    total, prefix = _total(price, wording)
    steps = tuple(
        StepLink(
            id=step.id,
            path=step_path(step),
            name=wording.say(step.name),
            number=number,
            current=step.id == current,
            done=_done(progress.get(step.id, {})),
        )
        for number, step in enumerate(shown_steps(session), start=1)
    )
    proposed = price.get("proposed")
    count: Json = session.view.get("count", {})
    return Summary(
        total=total,
        prefix=prefix,
        tax=_tax(price),
        proposed=""
        if proposed is None or "total" in price
        else gettext("%(amount)s with what we propose", amount=wording.money(proposed)),
        results=tuple(results(session, wording)),
        left=how_many(count["number"], bool(count.get("at_least")), wording.locale)
        if count
        else "",
        steps=steps,
        done=sum(step.done for step in steps),
        complete=bool(session.view.get("complete")),
        saved=session.status == "open",
    )


def results(session: Session, wording: Wording) -> list[tuple[str, str]]:
    """What follows from the choices and is shown unasked: names and values."""
    found: Json = session.view.get("results", {})
    return [
        (wording.say(variable.name), wording.answer(variable.id, found[variable.id]))
        for variable in session.product.variables
        if variable.id in found
    ]


def standing_answers(view: Json) -> dict[str, str]:
    """What is chosen or follows in a view: slot → answer."""
    return {
        slot: data["answer"]
        for slot, data in view["slots"].items()
        if "answer" in data and data["state"] in ("chosen", "implied")
    }


def drawn_answers(view: Json) -> dict[str, str]:
    """What the picture shows: the standing answers, and proposals where there is none."""
    proposed = {
        slot: data["proposal"] for slot, data in view["slots"].items() if "proposal" in data
    }
    return {**proposed, **standing_answers(view)}


def described(session: Session, wording: Wording) -> str:
    """The picture in words: the product and the choices made so far."""
    made = [
        wording.answer(choice.slot, choice.answer)
        for choice in session.choices
        if choice.answer != NONE and "." not in choice.slot
    ]
    name = wording.say(session.product.name)
    if not made:
        return gettext("%(product)s, nothing chosen yet", product=name)
    return gettext(
        "%(product)s with your choices: %(choices)s", product=name, choices=", ".join(made[:8])
    )


def _total(price: Json, wording: Wording) -> tuple[str, str]:
    if "total" in price:
        return wording.money(price["total"]), ""
    if "lowest" not in price:
        return "", ""
    prefix = gettext("at least") if price.get("at_least") else gettext("from")
    return wording.money(price["lowest"]), prefix


def _tax(price: Json) -> str:
    """Totals are what is paid, also where the lines are net."""
    if not price or price.get("tax_rate") == "0":
        return ""
    return gettext("VAT included")


def _asks(counts: Json) -> bool:
    """Whether a step asks something, or may yet."""
    return bool(counts.get("asked") or counts.get("maybe"))


def _done(counts: Json) -> bool:
    return bool(counts) and counts["answered"] >= counts["asked"]

"""Scenarios: what a merchandiser expects, checked through the same engine customers get.

Every expectation that does not hold becomes one ``scenario-failed`` diagnostic at the
scenario's place, saying what was expected and what is so.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from configurator.engine import Engine, EngineError, UnknownChoiceError
from configurator.guidance import spoken_guards
from configurator.model.choice import Choice, Choices, without
from configurator.model.diagnostic import Diagnostic
from configurator.model.product import NOT_TODAY, Product, Scenario
from configurator.model.text import Text
from configurator.model.verdict import EngineView, SlotView

Engines = Callable[[datetime.date], Engine]


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """One scenario and what did not hold (nothing, where it passed)."""

    scenario: Scenario
    failures: tuple[Text, ...]


def run_scenarios(
    product: Product, engines: Engines, today: datetime.date
) -> tuple[ScenarioResult, ...]:
    """Check every scenario of a product; ``today`` is the day of those that name none."""
    return tuple(
        ScenarioResult(scenario, tuple(_failures(product, engines, scenario, today)))
        for scenario in product.scenarios
    )


def failed_scenarios(results: Iterable[ScenarioResult]) -> tuple[Diagnostic, ...]:
    """The diagnostics of what did not hold."""
    return tuple(
        Diagnostic("scenario-failed", "stop", result.scenario.span, _named(result, failure))
        for result in results
        for failure in result.failures
    )


def _named(result: ScenarioResult, failure: Text) -> Text:
    return Text.of(
        {
            "en": f"“{result.scenario.name}”: {failure.in_language('en')}",
            "es": f"«{result.scenario.name}»: {failure.in_language('es')}",
        }
    )


def _failures(
    product: Product, engines: Engines, scenario: Scenario, today: datetime.date
) -> Iterable[Text]:
    try:
        engine = engines(scenario.on or today)
        told = dict(scenario.context)
        context = tuple(
            Choice(each.id, told.get(each.id, each.if_missing)) for each in product.context
        )
        choices, refused = _choose(engine, scenario, context)
    except UnknownChoiceError as problem:
        yield problem.message
        return
    except EngineError as problem:
        yield problem.message
        return
    if refused is not None:
        yield from _judge_refusal(engine, scenario, choices, refused, context)
        if scenario.expect != "refused":
            return
    elif scenario.expect == "refused" or scenario.because is not None or scenario.repair:
        yield _text("all of it is possible", "todo es posible")
        return
    view = engine.view(choices, context)
    yield from _judge_view(product, scenario, view)
    yield from _judge_bill(scenario, view)
    if scenario.completes is not None:
        yield from _judge_completion(engine, scenario.completes, choices, context)
    if scenario.guards is not None:
        said = sorted(each.guard.id for each in spoken_guards(engine, view, choices, context))
        yield from _differ("guards", "avisos", sorted(scenario.guards), said)


def _choose(engine: Engine, scenario: Scenario, context: Choices) -> tuple[Choices, Choice | None]:
    """The choices made, and the first that is not possible with those before it, or not on
    offer where a refusal is expected. To take none of what is not on offer is no choice."""
    choices: Choices = ()
    for slot, answer in scenario.choose:
        choice = Choice(slot, answer)
        if not _offered_today(engine, choice):
            if "." in slot and answer == "0":
                continue
            if scenario.expect == "refused":
                return choices, choice
        choice = engine.check(choice)
        if not engine.is_possible(choices, choice, context):
            return choices, choice
        choices = (*without(choices, {slot}), choice)
    return choices, None


def _offered_today(engine: Engine, choice: Choice) -> bool:
    try:
        engine.check(choice)
    except UnknownChoiceError as problem:
        return problem.code != NOT_TODAY
    return True


def _judge_refusal(
    engine: Engine, scenario: Scenario, choices: Choices, refused: Choice, context: Choices
) -> Iterable[Text]:
    offered = _offered_today(engine, refused)
    rules = engine.conflict(choices, refused, context).rules if offered else (NOT_TODAY,)
    if scenario.expect != "refused":
        named = ", ".join(sorted(rule.partition("#")[0] for rule in rules))
        yield _text(
            f"{refused.slot} = {refused.answer} is refused because of {named}",
            f"{refused.slot} = {refused.answer} se rechaza por {named}",
        )
        return
    if scenario.because is not None:
        found = {rule if rule in scenario.because else rule.partition("#")[0] for rule in rules}
        yield from _differ("because", "motivos", sorted(scenario.because), sorted(found))
    if scenario.repair is not None:
        repairs = engine.repairs(choices, refused, context, 1) if offered else ()
        changes = [(each.slot, each.after) for each in repairs[0].changes] if repairs else []
        yield from _differ("repair", "arreglo", _answered(scenario.repair), _answered(changes))


def _answered(changes: Iterable[tuple[str, str | None]]) -> list[str]:
    return sorted(f"{slot} = {'open' if answer is None else answer}" for slot, answer in changes)


def _judge_completion(
    engine: Engine, expected: Iterable[tuple[str, str]], choices: Choices, context: Choices
) -> Iterable[Text]:
    """What "finish for me" gives: the proposals, and the cheapest of the rest."""
    completion = engine.complete(choices, context, prefer_proposals=True)
    found = {} if completion is None else {each.slot: each.answer for each in completion.answers}
    for slot, answer in expected:
        if found.get(slot) != answer:
            yield _differ_text(slot, answer, found.get(slot, "—"))


def _judge_view(product: Product, scenario: Scenario, view: EngineView) -> Iterable[Text]:
    slots = {slot.slot: slot for slot in view.slots}
    for name, expected in scenario.implies or ():
        slot = slots[name]
        if slot.state not in ("implied", "chosen") or slot.answer != expected:
            state_es = _STATES_ES.get(slot.state)
            yield _differ_text(name, expected, slot.answer or slot.state, slot.answer or state_es)
    for name, wanted in (*(scenario.offers or ()), *(scenario.removes or ())):
        offered = _offered(product, slots, name)
        if (name, wanted) in (scenario.offers or ()) and sorted(wanted) != sorted(offered):
            yield _differ_text(name, ", ".join(wanted), ", ".join(offered))
        if (name, wanted) in (scenario.removes or ()):
            left = [value for value in wanted if value in offered]
            if left:
                yield _text(
                    f"{name} still offers {', '.join(left)}",
                    f"{name} sigue ofreciendo {', '.join(left)}",
                )
    for name in scenario.not_relevant or ():
        states = {s.state for s in view.slots if s.variable == name}
        if states != {"not asked"}:
            yield _text(f"{name} is still asked", f"{name} se sigue preguntando")
    proposed = view.proposed
    for name, expected in scenario.proposes or ():
        if proposed.get(name) != expected:
            yield _differ_text(name, expected, proposed.get(name, "—"))
    if scenario.expect == "complete" and not view.complete:
        left = [slot.slot for slot in view.slots if slot.state in ("open", "undecided")]
        yield _text(f"still open: {', '.join(left)}", f"queda abierto: {', '.join(left)}")
    if scenario.count is not None and (scenario.count != view.count.number or not view.count.exact):
        yield _differ_text("count", str(scenario.count), str(view.count.number))


def _offered(product: Product, slots: dict[str, SlotView], name: str) -> list[str]:
    """The values of a variable that are possible now; of a several-of, those that can be
    taken."""
    variable = product.variable(name)
    if variable.kind != "several of":
        return _possible(slots[name])
    return [
        value.id
        for value in variable.values
        if f"{name}.{value.id}" in slots and set(_possible(slots[f"{name}.{value.id}"])) - {"0"}
    ]


def _possible(slot: SlotView) -> list[str]:
    return [option.answer for option in slot.options if option.state in _POSSIBLE]


_STATES_ES = {
    "open": "una pregunta abierta",
    "not asked": "una pregunta que no se hace",
    "undecided": "una pregunta sin decidir",
}
_POSSIBLE = ("possible", "chosen", "implied")


def _judge_bill(scenario: Scenario, view: EngineView) -> Iterable[Text]:
    if scenario.lowest is not None and view.lowest_total != scenario.lowest:
        bound = ("", "") if view.lowest_exact else ("at least ", "al menos ")
        yield _money("lowest", scenario.lowest, view.lowest_total, bound)
    expectations = (scenario.lines, scenario.no_lines, scenario.net, scenario.price)
    if all(each is None for each in expectations):
        return
    if view.bill is None:
        if scenario.no_lines is not None and all(
            each is None for each in expectations[:1] + expectations[2:]
        ):
            bill = view.proposed_bill
        else:
            bill = None
        if bill is None:
            yield _text(
                "not complete, so it has no price yet", "no está completa y aún no tiene precio"
            )
            return
    else:
        bill = view.bill
    lines = {line.id: line.amount for line in bill.lines}
    if scenario.lines is not None:
        for name, amount in scenario.lines:
            if lines.get(name) != amount:
                yield _money(name, amount, lines.get(name))
        for name in lines:
            if name not in dict(scenario.lines) and lines[name] != 0:
                yield _money(name, None, lines[name])
    for name in scenario.no_lines or ():
        if name in lines:
            yield _money(name, None, lines[name])
    if scenario.net is not None and bill.net != scenario.net:
        yield _money("net", scenario.net, bill.net)
    if scenario.price is not None and bill.total != scenario.price:
        yield _money("price", scenario.price, bill.total)


def _money(
    name: str, expected: int | None, found: int | None, bound: tuple[str, str] = ("", "")
) -> Text:
    def show(cents: int | None) -> str:
        return "—" if cents is None else f"{cents / 100:.2f}"

    en, es = (f"{least}{show(found)}" for least in bound)
    return _differ_text(name, show(expected), en, es)


def _differ(en: str, es: str, expected: list[str], found: list[str]) -> Iterable[Text]:
    if expected != found:
        wanted, got = ", ".join(expected) or "—", ", ".join(found) or "—"
        yield _text(
            f"{en}: expected {wanted}, found {got}", f"{es}: se esperaba {wanted}, hay {got}"
        )


def _differ_text(name: str, expected: str, found: str, found_es: str | None = None) -> Text:
    return _text(
        f"{name}: expected {expected}, found {found}",
        f"{name}: se esperaba {expected}, hay {found_es or found}",
    )


def _text(en: str, es: str) -> Text:
    return Text.of({"en": en, "es": es})

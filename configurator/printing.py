"""The terminal's words for views, refusals and replays."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from configurator.catalogue import CheckProgress, Telling
from configurator.engine.confirmation import Confirmation
from configurator.language.texts import PLACEHOLDER
from configurator.model.product import Product
from configurator.model.text import Text
from configurator.session.refusal import Refusal
from configurator.session.view import lowest_of
from configurator.trail import ReplayStep

Json = dict[str, Any]

WORDS = {
    "es": {
        "slot": "pregunta",
        "state": "estado",
        "answer": "respuesta",
        "options": "opciones",
        "chosen": "elegido",
        "implied": "automático",
        "open": "abierto",
        "not asked": "no se pregunta",
        "undecided": "comprobando",
        "from": "desde",
        "total": "total",
        "proposed": "propuesto",
        "with proposals": "total con las propuestas",
        "left": "configuraciones posibles",
        "at least": "al menos",
        "needs": "cambios",
        "guard": "aviso",
        "refused": "no va con",
        "yours": "elegiste",
        "rule": "la regla",
        "repair": "arreglo",
        "limits": "los límites de",
        "shop": "lo dice la tienda",
        "never": "Nunca se puede, elijas lo que elijas.",
        "compiling": "compilando",
        "confirming": "confirmando con otro motor",
        "scenarios": "probando los escenarios",
        "confirmed": "Confirmado por un segundo motor",
        "whole": "entero",
        "samples": "muestras",
        "one by one": "configuraciones una a una",
        "compiled form": "forma compilada:",
        "no compiled form": "sin forma compilada; responde",
        "hint": "consejo",
        "caution": "atención",
        "acknowledge": "pide confirmación",
        "scenarios hold": "Se cumplen {passed} de {all} escenarios.",
        "read": "{product}, versión {number}: esta versión del servicio la lee.",
        "not read": "{product}, versión {number}: esta versión del servicio no la lee.",
        "ready": "Se puede publicar.",
        "not ready": "No se puede publicar todavía.",
        "possible": "{slot} = {answer} se puede.",
        "live": "{product} está publicado: versión {release}",
        "imported": "{number} archivos escritos en {folder}. Ahora: configurator check {folder}",
    },
    "en": {
        "slot": "question",
        "state": "state",
        "answer": "answer",
        "options": "options",
        "chosen": "chosen",
        "implied": "automatic",
        "open": "open",
        "not asked": "not asked",
        "undecided": "checking",
        "from": "from",
        "total": "total",
        "proposed": "proposed",
        "with proposals": "total with the proposals",
        "left": "configurations possible",
        "at least": "at least",
        "needs": "changes",
        "guard": "notice",
        "refused": "does not go with",
        "yours": "you chose",
        "rule": "the rule",
        "repair": "repair",
        "limits": "the limits of",
        "shop": "told by the shop",
        "never": "Never possible, whatever else is chosen.",
        "compiling": "compiling",
        "confirming": "confirming with another engine",
        "scenarios": "trying the scenarios",
        "confirmed": "Confirmed by a second engine",
        "whole": "whole",
        "samples": "samples",
        "one by one": "configurations one by one",
        "compiled form": "compiled form:",
        "no compiled form": "no compiled form; answers come from",
        "hint": "hint",
        "caution": "caution",
        "acknowledge": "acknowledge",
        "scenarios hold": "{passed} of {all} scenarios hold.",
        "read": "{product}, release {number}: this version of the service reads it.",
        "not read": "{product}, release {number}: this version of the service does not read it.",
        "ready": "Ready to publish.",
        "not ready": "Not ready to publish.",
        "possible": "{slot} = {answer} is possible.",
        "live": "{product} is live: release {release}",
        "imported": "{number} files written to {folder}. Next: configurator check {folder}",
    },
}


@contextmanager
def shown_progress(language: str) -> Iterator[Telling]:
    """How far a check is, on the terminal's error output; nothing of it stays."""
    words = WORDS[language]
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    errors = Console(stderr=True)
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task("", total=None)

        def tell(now: CheckProgress) -> None:
            bar.update(
                task, description=words[now.stage], completed=now.done, total=now.total or None
            )

        yield tell


def confirmation_line(confirmation: Confirmation, language: str) -> str:
    """What was confirmed, in one line."""
    words = WORDS[language]
    extent = words["whole"]
    if not confirmation.whole:
        extent = f"{confirmation.sub_products} {words['samples']}"
    form = words["compiled form" if confirmation.engine == "diagram" else "no compiled form"]
    return (
        f"{words['confirmed']}: {extent}, {confirmation.configurations} {words['one by one']} "
        f"({confirmation.judge}, {confirmation.milliseconds / 1000:.1f} s). "
        f"{form[0].upper()}{form[1:]} {confirmation.engine} ({confirmation.digest[:12]})."
    )


def _because(product: Product, rule: str, language: str, answers: Mapping[str, str]) -> str:
    """The reason a named rule, table or table row gives, or its id where it gives none."""
    if rule.startswith("limits:"):
        name = product.variable(rule.removeprefix("limits:")).name.in_language(language)
        return f"{WORDS[language]['limits']} {name}"
    reason = product.because(rule)
    return rule if reason is None else _said(reason, language, answers)


def _said(text: Text, language: str, answers: Mapping[str, str]) -> str:
    """A text, with the answers it shows as rule files spell them."""

    def shown(name: re.Match[str]) -> str:
        return answers.get(name[1], name[0])

    return PLACEHOLDER.sub(shown, text.in_language(language))


def _money(cents: int) -> str:
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def print_view(console: Console, product: Product, view: Json, language: str) -> None:
    """A view as a table: one line per question that is asked."""
    words = WORDS[language]
    table = Table(words["slot"], words["state"], words["answer"], words["options"])
    for name, slot in view["slots"].items():
        if slot["state"] == "not asked":
            continue
        options = []
        for answer, option in slot.get("options", {}).items():
            text = answer
            if option["state"] == "impossible":
                continue
            if option.get("changes"):
                text += f" ({option['changes']} {words['needs']})"
            elif option["state"] == "needs changes":
                text += f" ({words['needs']})"
            elif "difference" in option:
                text += f" {words['from']} {_money(lowest_of(view) + option['difference'])}"
            options.append(text)
        options += [f"{low}..{high}" for low, high in slot.get("intervals", [])]
        origin = slot.get("origin")
        answer = slot.get("answer", "")
        if "proposal" in slot:
            answer = f"{slot['proposal']} ({words['proposed']})"
        if origin:
            more = ["…"] if origin.get("more") else []
            answer += f" ← {', '.join([*origin['choices'], *origin['rules'], *more])}"
        table.add_row(
            escape(name), words[slot["state"]], escape(answer), escape(" · ".join(options))
        )
    console.print(table)
    price = view.get("price", {})
    if "total" in price:
        for line, amount in price["lines"]:
            console.print(f"  {line:<24} {_money(amount):>12}")
        console.print(f"{words['total']}: {_money(price['total'])} {price['currency']}")
    elif "lowest" in price:
        console.print(f"{words['from']} {_money(price['lowest'])} {price['currency']}")
        if "proposed" in price:
            proposed = f"{_money(price['proposed'])} {price['currency']}"
            console.print(f"{words['with proposals']}: {proposed}")
    at_least = f"{words['at least']} " if view["count"].get("at_least") else ""
    console.print(f"{at_least}{view['count']['number']} {words['left']}")
    answers = {name: slot["answer"] for name, slot in view["slots"].items() if "answer" in slot}
    for guard_id, spoken in view["guards"].items():
        guard = next(each for each in product.guards if each.id == guard_id)
        said = _said(guard.say, language, {**answers, **spoken["reads"]})
        console.print(f"{words['guard']} ({words[guard.level]}): {escape(said)}")


def print_refusal(console: Console, product: Product, refusal: Refusal, language: str) -> None:
    """A refusal: what it does not go with, the rules, the repairs."""
    words = WORDS[language]
    wanted = f"{refusal.wanted.slot} = {refusal.wanted.answer}"
    if refusal.conflict.choices:
        console.print(f"{escape(wanted)} {words['refused']}:")
        for choice in refusal.conflict.choices:
            console.print(f"  {words['yours']} {escape(choice.slot)} = {escape(choice.answer)}")
    else:
        console.print(f"{escape(wanted)}: {words['never']}")
    for choice in refusal.conflict.context:
        console.print(f"  {words['shop']}: {escape(choice.slot)} = {escape(choice.answer)}")
    answers = {each.slot: each.answer for each in (*refusal.conflict.choices, refusal.wanted)}
    for rule in refusal.conflict.rules:
        reason = _because(product, rule, language, answers)
        console.print(f"  {words['rule']} {escape(rule)}: {escape(reason)}")
    for number, repair in enumerate(refusal.repairs, 1):
        changes = ", ".join(
            f"{c.slot}: {c.before or '—'} → {c.after or '—'}" for c in repair.changes
        )
        cost = ""
        if repair.difference is not None:
            cost = f"  ({'+' if repair.difference >= 0 else ''}{_money(repair.difference)})"
        console.print(f"  {words['repair']} {number}: {escape(changes)}{cost}")


def print_replay(console: Console, steps: Iterable[ReplayStep]) -> None:
    """A trail, one line per event, with what changed for the customer."""
    for step in steps:
        event = step.event
        wanted = event.payload.get("wanted", [])
        pairs = [wanted] if event.kind in ("ChoiceRefused", "ConsequencesShown") else wanted
        told = ", ".join(f"{slot}={answer}" for slot, answer in pairs)
        changed = ", ".join(sorted((event.change or {}).get("slots", {})))
        console.print(
            f"{event.seq:>4}  {event.server_time}  {event.actor:<12} {event.kind:<22} "
            f"{escape(told)}" + (f"  ≠ {escape(changed)}" if event.seq > 1 and changed else "")
        )

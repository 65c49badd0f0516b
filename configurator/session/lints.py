"""What a product says in vain, and where it warns of what it proposes itself, as diagnostics
at the places where it says so."""

from __future__ import annotations

from collections import defaultdict

from configurator.engine import Engine
from configurator.engine.audit import Finding, audit
from configurator.guidance import assumed_at_summary
from configurator.language.draft import listed
from configurator.language.report import Report
from configurator.model.choice import Choice, Choices
from configurator.model.diagnostic import Diagnostic, Span
from configurator.model.product import Product

TOLD = 20
"""Doubts of one kind that a file is told one by one; an imported model may have thousands."""

TRIED = 400
"""First choices after which proposals are looked at; what more there are is not."""

_KEYS = {
    "dead-value": ("dead-value", "dead-value/because", "dead-value/more"),
    "always-same": ("always-same", "always-same/because", "always-same/more"),
    "unasked": ("always-same/unasked", "always-same/unasked/because", "always-same/more"),
    "guard-never": ("guard-never", "guard-never/because", "guard-never/more"),
    "guard-always": ("guard-always", "", "guard-always/more"),
    "suggest-invalid": ("suggest-invalid", "suggest-invalid/because", "suggest-invalid/more"),
    "rule-never-fires": ("rule-never-fires", "", "rule-never-fires/more"),
    "rule-redundant": ("", "rule-redundant/because", "rule-redundant/more"),
}
"""What is said of each kind: without a reason, with one, and of the rest."""


def said_in_vain(product: Product, engine: Engine) -> tuple[Diagnostic, ...]:
    """The doubts of ``audit``, save those that ``accept`` silences."""
    report = Report(accepted=list(product.accepted))
    places = _Places(product)
    by_file: dict[tuple[str, str], list[tuple[Span, Finding]]] = defaultdict(list)
    for found in audit(engine):
        place = places.of(found)
        if not report.accepts(found.kind, place):
            by_file[found.kind, place.file].append((place, found))
    for (kind, _), doubts in by_file.items():
        doubts.sort(key=lambda each: (each[0], each[1].variable, each[1].answer))
        for place, found in doubts[:TOLD]:
            _tell(report, place, found, _what(product, found))
        if rest := doubts[TOLD:]:
            these = listed(_what(product, found) for _, found in rest)
            report.warn(_KEYS[kind][2], rest[0][0], these=these)
    return report.diagnostics()


class _Places:
    """Where the parts of a product are written."""

    def __init__(self, product: Product) -> None:
        self._variables = {each.id: each.span for each in product.variables}
        self._values = {
            (variable.id, value.id): value.span if value.span.file else variable.span
            for variable in product.variables
            for value in variable.values
        }
        self._guards = {each.id: each.span for each in product.guards}
        self._rules = {each.id: each.span for each in product.rules}

    def of(self, found: Finding) -> Span:
        """The place a doubt is about."""
        if found.kind == "dead-value":
            return self._values[found.about, found.answer]
        if found.kind == "always-same":
            return self._variables[found.about]
        parts = self._rules if found.kind.startswith("rule") else self._guards
        return parts[found.about]


def _tell(report: Report, place: Span, found: Finding, what: str) -> None:
    unasked = found.kind == "always-same" and not found.answer
    without, because, _ = _KEYS["unasked" if unasked else found.kind]
    rules = listed(each.removeprefix("limits:") for each in found.because)
    report.warn(because if found.because else without, place, what=what, rules=rules)


def _what(product: Product, found: Finding) -> str:
    """What it is about, as rules write it."""
    if not found.answer:
        return found.about
    if found.kind == "dead-value" and product.variable(found.about).kind == "several of":
        return f"{found.about}.{found.answer}"
    return f"{found.variable} = {found.answer}"


def warned_proposals(product: Product, engine: Engine) -> tuple[Diagnostic, ...]:
    """Guards, save hints, that are said because of what is proposed: before anything is
    chosen, or after a single choice. Each is told once, save those that ``accept`` silences.
    Not looked at where there is no compiled form: it takes hundreds of views."""
    if engine.too_wide or engine.pending:
        return ()
    report = Report(accepted=list(product.accepted))
    context = tuple(Choice(each.id, each.if_missing) for each in product.context)
    silent = [
        guard
        for guard in engine.guards
        if guard.level != "hint" and not engine.judge.reads_total(guard.when)
    ]
    for choices in _first_choices(engine, context) if silent else ():
        assumed = assumed_at_summary(engine, engine.view(choices, context), choices, context)
        before, after = engine.domains(choices, context), engine.domains(assumed, context)
        for guard in tuple(silent):
            if not engine.judge.truth(guard.when, after) or engine.judge.truth(guard.when, before):
                continue
            silent.remove(guard)
            read = engine.judge.slots(guard.when)
            proposed = (each for each in assumed if each not in choices and each.slot in read)
            report.warn(
                "default-warned/with" if choices else "default-warned",
                guard.span,
                proposed=listed(f"{each.slot} = {each.answer}" for each in proposed),
                choice=listed(f"{each.slot} = {each.answer}" for each in choices),
            )
    return report.diagnostics()


def _first_choices(engine: Engine, context: Choices) -> list[Choices]:
    """Nothing, and every single choice of an answer that is listed."""
    single: list[Choices] = [
        (Choice(slot.slot, option.answer),)
        for slot in engine.view((), context).slots
        if slot.state == "open" and engine.product.variable(slot.variable).kind != "computed"
        for option in slot.options
        if option.state == "possible"
    ]
    return [(), *single[:TRIED]]

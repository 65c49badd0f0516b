"""What the engine finds wrong with lookups, as diagnostics at their tables."""

from __future__ import annotations

from configurator.engine import Engine, EngineError, compile_product
from configurator.engine.gaps import days_to_check, find_gaps
from configurator.language.report import Report
from configurator.model.diagnostic import Diagnostic, Span
from configurator.model.product import Product


def lookup_gaps(product: Product, engine: Engine) -> tuple[Diagnostic, ...]:
    """Lookups and tables of prices without a row for an input that can be reached, or with
    two that disagree, from the engine's day on: each once per table, with an example."""
    report = Report()
    seen: set[tuple[str, str]] = set()
    for day in days_to_check(product, engine.day):
        try:
            now = engine if day == engine.day else compile_product(product, day, backend="sat")
        except EngineError:
            continue  # what begins on that day is said when it is published for it
        on_day = "" if day == engine.day else f" ({day.isoformat()})"
        for gap in find_gaps(now):
            if (gap.table, gap.kind) in seen:
                continue
            seen.add((gap.table, gap.kind))
            example = ", ".join(f"{slot} = {answer}" for slot, answer in gap.example) or "*"
            example += on_day
            place = Span(gap.first.span.file, 1, 1)
            if gap.kind == "gap":
                report.stop("lookup-gap", place, example=example)
            elif gap.kind == "undecided":
                report.warn("lookup-gap/undecided", place, table=gap.table)
            else:
                first, second = gap.rows
                lines = {"first": str(first.span.line), "second": str(second.span.line)}
                report.stop("lookup-overlap", second.span, example=example, **lines)
    return report.diagnostics()

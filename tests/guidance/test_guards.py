"""Guards at the summary are said as if all proposals were accepted, however that is found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from configurator.engine import Engine
from configurator.engine.judge import NAMED
from configurator.guidance import assumed_at_summary, spoken_guards
from configurator.model.choice import Choices
from configurator.model.expression import Comparison, LowestTotal
from configurator.model.product import Guard, Product
from tests.engine.products import guarded, number, proposing, text, walks

Said = tuple[str, tuple[tuple[str, str], ...]]
"""A guard, and what it reads."""


def at_both(product: Product) -> Product:
    """With guards at the choice and at the summary; some of these read the total."""
    dear = (
        Guard(f"dear-{limit}", "hint", Comparison(">", LowestTotal(), number(limit)), text("So."))
        for limit in (0, 20)
    )
    guards = (*guarded(product).guards, *dear)
    later = (replace(each, id=f"{each.id}-later", at="summary") for each in guards)
    return replace(product, guards=(*guards, *later))


def as_defined(engine: Engine, choices: Choices, context: Choices) -> Iterator[Said]:
    """The guards, each judged on all that is assumed where it is said."""
    view = engine.view(choices, context)
    for guard in engine.guards:
        told, lowest = choices, view.lowest_total
        if guard.at == "summary" and not view.complete:
            told = assumed_at_summary(engine, view, choices, context)
            lowest = engine.lowest_total(told, context)
        domains = engine.domains(told, context)
        if engine.judge.truth(guard.when, domains, lowest) is True:
            read = [(slot, domains[slot]) for slot in engine.judge.slots(guard.when)]
            few = [(s, "|".join(d.every()) if d.size() <= NAMED else "…") for s, d in read]
            yield guard.id, tuple(few)


@pytest.mark.parametrize("backend", ["diagram", "sat"])
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(proposing().map(at_both), st.data())
def test_guards_are_said_as_they_are_defined(
    backend: str, product: Product, data: st.DataObject
) -> None:
    for engine, anew, choices, context in walks(data, product, backend):
        spoken = spoken_guards(engine, engine.view(choices, context), choices, context)
        expected = list(as_defined(anew, choices, context))
        assert [(each.guard.id, each.reads) for each in spoken] == expected

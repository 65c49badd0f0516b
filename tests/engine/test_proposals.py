"""What is proposed is what asking default by default proposes, whatever was asked before."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from configurator.engine import Engine, UnknownChoiceError
from configurator.model.choice import Choice, Choices
from configurator.model.product import Default, Product, Variable
from tests.engine.products import proposing, walks


def default_by_default(engine: Engine, choices: Choices, context: Choices) -> dict[str, str]:
    """Of each question certainly asked the first row that applies, and is valid with the
    choices and all that was accepted before."""
    accepted: dict[str, str] = {}
    for variable in engine.product.variables:
        told = (*choices, *(Choice(*each) for each in accepted.items()))
        now = engine.domains(told, context)
        slots = [s for s in engine.slots() if s.partition(".")[0] == variable.id]
        left = [s for s in slots if s not in {c.slot for c in told}]
        left = [s for s in left if now[s].size() - now[s].skipped > 1]
        skippable = any(now[s].skipped for s in slots)
        if skippable and engine.judge.truth(variable.relevant_when, now) is not True:
            continue
        for row in filter(partial(_exists, engine, variable), variable.defaults):
            wanted = tuple(Choice(s, _wanted(row, s)) for s in left)
            fits = all(each.answer in now[each.slot].every() for each in wanted)
            applies = fits and engine.judge.truth(row.when, now) is True
            if wanted and applies and engine.holds((*told, *wanted), context):
                accepted |= {each.slot: each.answer for each in wanted}
                break
    return accepted


def _exists(engine: Engine, variable: Variable, row: Default) -> bool:
    """Whether all that a row names can be answered today."""
    named = [Choice(f"{variable.id}.{value}", quantity) for value, quantity in row.taken]
    if row.value:
        named = [Choice(variable.id, row.value)]
    try:
        for each in named:
            engine.check(each)
    except UnknownChoiceError:
        return False
    return True


def _wanted(row: Default, slot: str) -> str:
    _, _, value = slot.partition(".")
    return dict(row.taken).get(value, "0") if value else row.value


@pytest.mark.parametrize("backend", ["diagram", "sat"])
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(proposing(), st.data())
def test_proposals_are_those_of_asking_one_by_one(
    backend: str, product: Product, data: st.DataObject
) -> None:
    for engine, anew, choices, context in walks(data, product, backend):
        view = engine.view(choices, context)
        found = {slot.slot: slot.proposal for slot in view.slots if slot.proposal is not None}
        expected = default_by_default(anew, choices, context)
        then = anew.domains((*choices, *(Choice(*each) for each in expected.items())), context)
        # What earlier proposals leave nothing else for may be called proposed, too.
        implied = {slot: answer for slot, answer in found.items() if slot not in expected}
        assert found == expected | implied
        assert all([*then[slot].every()] == [answer] for slot, answer in implied.items())
        assert view == anew.view(choices, context)

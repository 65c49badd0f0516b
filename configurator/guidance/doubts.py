"""Questions beside a variable that are worth answering only in some cases."""

from __future__ import annotations

from configurator.engine import Engine
from configurator.model.choice import Choices
from configurator.model.verdict import EngineView


def certain_doubts(
    engine: Engine, view: EngineView, choices: Choices, context: Choices
) -> dict[str, tuple[int, ...]]:
    """By variable, the numbers (from 1) of the doubts whose condition is certainly true,
    judged as guards are. Those without a condition always stand and are not listed."""
    found: dict[str, tuple[int, ...]] = {}
    if not engine.doubted:
        return found
    domains = engine.domains(choices, context)
    for variable in engine.doubted:
        certain = tuple(
            number
            for number, doubt in enumerate(variable.doubts, 1)
            if doubt.when is not None
            and engine.judge.truth(doubt.when, domains, view.lowest_total) is True
        )
        if certain:
            found[variable.id] = certain
    return found

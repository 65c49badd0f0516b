"""Doubts with a condition are there when it is certainly true, and only then."""

from __future__ import annotations

import datetime

from configurator.engine import compile_product
from configurator.guidance import certain_doubts
from configurator.model.choice import Choice, Choices
from configurator.session.state import State
from configurator.session.view import view_of
from tests.language.folders import product

ASKED = product(
    "=== more.yaml\nvariables:\n  frame:\n    values: {small: {}, large: {}}\n    doubts:\n"
    "      - {ask: Always?, answer: Yes.}\n"
    "      - {ask: Carbon?, answer: Light., when: material = carbon}\n"
    "      - {ask: Discs?, answer: Firm., when: brakes = disc}\n"
    "rules:\n  - {id: r, when: material = carbon, require: brakes = disc, because: Heat.}\n"
)
ENGINE = compile_product(ASKED, datetime.date(2026, 11, 22))


def doubts(choices: Choices) -> dict[str, tuple[int, ...]]:
    return certain_doubts(ENGINE, ENGINE.view(choices), choices, ())


def test_what_is_open_is_not_asked_and_what_follows_is() -> None:
    assert doubts(()) == {}
    assert doubts((Choice("brakes", "disc"),)) == {"frame": (3,)}
    assert doubts((Choice("material", "carbon"),)) == {"frame": (2, 3)}


def test_the_view_names_them_and_is_silent_without_any() -> None:
    area = (Choice("area", "mainland"),)
    assert "doubts" not in view_of(ENGINE, State(context=area))
    carbon = State((Choice("material", "carbon"),), area)
    assert view_of(ENGINE, carbon)["doubts"] == {"frame": [2, 3]}

"""What a choice would do, before it is made, equals what it does."""

from __future__ import annotations

import datetime

import pytest

from configurator.engine import UnknownChoiceError, compile_product
from configurator.guidance import Consequences, consequences, consequences_json
from configurator.model.choice import Choice, Choices
from tests.language.folders import product

SHOP = product(
    "=== more.yaml\nvariables:\n"
    "  load: {type: number, range: 1..3, relevant when: extras has rack}\n"
    "  stand: {values: {none-of-it: {}, fold: {}}, relevant when: not (material = carbon)}\n"
    "rules:\n  - {id: heat, when: material = carbon, require: brakes = disc, because: Heat.}\n"
    "  - {id: deep, when: brakes = disc, require: depth >= 500 mm, because: Room.}\n"
    "guards:\n  - {id: light, level: hint, when: material = carbon, say: Handle with care.}\n"
    "  - {id: later, level: hint, at: summary, when: material = carbon, say: Sure?}\n"
    "prices: {base: 100}\n"
)
ENGINE = compile_product(SHOP, datetime.date(2026, 11, 22))


def would(slot: str, answer: str, *choices: Choice) -> Consequences | None:
    return consequences(ENGINE, choices, Choice(slot, answer))


def test_what_it_brings_closes_asks_costs_and_warns_of() -> None:
    found = would("material", "carbon")
    assert found is not None
    assert found.forces == (Choice("brakes", "disc"),)
    assert found.closes == (Choice("depth", "400"),)
    assert (found.asks, found.skips, found.guards) == ((), ("stand",), ("light",))
    assert (found.difference, found.exact) == (96000, True)
    assert consequences_json(found) == {
        "wanted": ["material", "carbon"],
        "closes": [["depth", "400"]],
        "forces": [["brakes", "disc"]],
        "skips": ["stand"],
        "guards": ["light"],
        "difference": 96000,
    }


def test_what_is_asked_for_sure_only_then() -> None:
    found = would("extras.rack", "1")
    assert found is not None
    assert found.asks == ("load",)
    none = would("extras.rack", "0")
    assert none is not None
    assert none.skips == ("load",)


def test_what_needs_changes_has_repairs_instead() -> None:
    chosen: Choices = (Choice("brakes", "rim"),)
    assert would("material", "carbon", *chosen) is None
    back = would("brakes", "disc", *chosen)
    assert back is not None
    assert back.closes == (Choice("depth", "400"),)
    with pytest.raises(UnknownChoiceError):
        would("material", "jelly")


def test_nothing_but_itself() -> None:
    assert would("bell", "yes") == Consequences(Choice("bell", "yes"), difference=0)


def test_what_follows_now_may_follow_with_another_answer() -> None:
    text = "=== more.yaml\nvariables:\n  hook: {values: {left: {}, right: {}}}\nrules:\n"
    for name, bell, hook in (("on", "yes", "left"), ("off", "no", "right")):
        text += f"  - {{id: {name}, when: bell = {bell}, require: hook = {hook}, because: So.}}\n"
    engine = compile_product(product(text), datetime.date(2026, 11, 22))
    chosen = (Choice("bell", "yes"),)
    found = consequences(engine, chosen, Choice("bell", "no"))
    assert found is not None
    assert found.forces == (Choice("hook", "right"),)
    again = consequences(engine, chosen, Choice("bell", "yes"))
    assert again is not None
    assert again.forces == ()

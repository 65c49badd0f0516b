"""Which answers cannot be taken back later."""

from __future__ import annotations

from configurator.model.product import Product, Value, Variable
from configurator.model.text import Text
from configurator.session.view import irreversible

SAID = Text.of({"en": "It stays.", "es": "Se queda."})


def product() -> Product:
    name = Text.of({"en": "x", "es": "x"})
    return Product(
        "lamp",
        name,
        "en",
        ("en", "es"),
        "Europe/Madrid",
        (
            Variable("mount", name, "one of", (Value("foot", name), Value("glue", name))),
            Variable(
                "arm", name, "one of", (Value("long", name),), optional=True, irreversible=SAID
            ),
            Variable(
                "holes",
                name,
                "several of",
                (Value("left", name, irreversible=SAID), Value("right", name)),
            ),
            Variable(
                "fix",
                name,
                "one of",
                (Value("screw", name), Value("weld", name, irreversible=SAID)),
            ),
        ),
        (),
    )


def view(**answers: str) -> dict[str, dict[str, str]]:
    return {slot.replace("_", "."): {"answer": answer} for slot, answer in answers.items()}


def test_an_irreversible_question_is_final_with_every_answer_but_none() -> None:
    assert irreversible(product(), view(arm="long", mount="glue")) == {"arm": "long"}
    assert irreversible(product(), view(arm="none")) == {}


def test_an_irreversible_option_is_final_alone() -> None:
    assert irreversible(product(), view(fix="weld")) == {"fix": "weld"}
    assert irreversible(product(), view(fix="screw")) == {}


def test_of_a_several_of_what_is_taken_is_final() -> None:
    assert irreversible(product(), view(holes_left="2", holes_right="1")) == {"holes.left": "2"}
    assert irreversible(product(), view(holes_left="0")) == {}


def test_what_has_no_answer_is_not_final() -> None:
    assert irreversible(product(), {"arm": {"state": "open"}}) == {}

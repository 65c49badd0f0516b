"""The demo pictures are safe to show and follow questions that exist."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring

from configurator.language.pictures import ATTRIBUTES, SHAPES, Picture
from configurator.model.product import Variable
from tests.products.conftest import PRODUCTS, RULES, TODAY, engine_of, product_of

SVG = "{http://www.w3.org/2000/svg}"

every_product = pytest.mark.parametrize("product_id", PRODUCTS)


def svg_of(product_id: str) -> bytes:
    product = product_of(product_id)
    assert product.picture
    return (RULES / product_id / product.picture).read_bytes()


def root_of(product_id: str) -> Element:
    root: Element = fromstring(svg_of(product_id), forbid_dtd=True)
    return root


@every_product
def test_nothing_of_the_picture_has_to_be_taken_out(product_id: str) -> None:
    root = root_of(product_id)
    for element in root.iter():
        assert element.tag.startswith(SVG)
        if element is root:
            assert set(element.attrib) <= {"viewBox", "data-focus"}
            continue
        assert element.tag.removeprefix(SVG) in SHAPES
        assert set(element.attrib) <= ATTRIBUTES
        for name, value in element.attrib.items():
            assert "var(" not in value
            if name == "href":
                assert value.startswith("#")


@every_product
def test_ids_are_unique_and_every_reference_is_drawn(product_id: str) -> None:
    root = root_of(product_id)
    ids = [each.attrib["id"] for each in root.iter() if "id" in each.attrib]
    assert len(ids) == len(set(ids))
    used = {each.attrib["href"][1:] for each in root.iter() if "href" in each.attrib}
    assert used <= set(ids)
    svg = svg_of(product_id).decode()
    for name in ids:
        assert f'href="#{name}"' in svg or f"url(#{name})" in svg, f"{name} is never used"


def answers_of(variable: Variable, value: str | None) -> Iterator[str]:
    """Every answer a slot can have: of a number, each step."""
    if variable.kind == "several of":
        assert variable.several is not None
        assert value in {each.id for each in variable.values}
        yield from (str(number) for number in range(variable.several.each[1] + 1))
    elif variable.number is not None:
        low, high, step = variable.number.low, variable.number.high, variable.number.step
        number = low
        while number <= high:
            yield str(number)
            number += step
    else:
        yield from (each.id for each in variable.values)
    if variable.optional:
        yield "none"


@every_product
def test_every_layer_follows_a_question_and_an_answer_that_exist(product_id: str) -> None:
    product = product_of(product_id)
    for element in root_of(product_id).iter():
        for test in element.get("data-when", "").split():
            slot, values = test.split("=")
            name, _, value = slot.partition(".")
            answers = set(answers_of(product.variable(name), value or None))
            assert set(values.split("|")) <= answers, test


@every_product
def test_every_focus_is_on_a_question(product_id: str) -> None:
    product = product_of(product_id)
    focus = root_of(product_id).attrib["data-focus"]
    for entry in focus.split(";"):
        product.variable(entry.partition(":")[0].strip())


@every_product
def test_the_picture_draws_with_nothing_and_with_the_cheapest_order(product_id: str) -> None:
    picture = Picture(svg_of(product_id), product_id)
    nothing = str(picture.draw({}))
    assert "<use" in nothing
    completion = engine_of(product_id, TODAY).complete(())
    assert completion is not None
    full = str(picture.draw({each.slot: each.answer for each in completion.answers}))
    assert full.count("<use") > nothing.count("<use")


@every_product
def test_a_picture_is_small_enough_for_a_phone(product_id: str) -> None:
    assert len(svg_of(product_id)) < 100_000

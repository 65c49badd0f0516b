"""A view is a function of the engine and the state, whatever it is made from."""

from __future__ import annotations

from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from configurator.engine import compile_product
from configurator.model.choice import Choice, without
from configurator.model.product import Product
from configurator.session.state import State
from configurator.session.view import Json, Pieces, view_of
from configurator.trail import canonical, encode_checked
from configurator.trail.canonical import Encoder
from tests.engine.products import DAY, guarded, one_of, product_of, proposing, walks


@pytest.mark.parametrize("backend", ["diagram", "sat"])
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(proposing().map(guarded), st.data())
def test_what_a_view_shares_with_those_before_does_not_show(
    backend: str, product: Product, data: st.DataObject
) -> None:
    """Made from the view just before, from any other, and from none; of the choices as they
    are, and with one of them taken back."""
    pieces, encoder = Pieces(), Encoder()
    before: list[Json] = [{}]
    for engine, anew, choices, context in walks(data, product, backend):
        rest = choices
        if choices:
            rest = without(choices, {data.draw(st.sampled_from(choices)).slot})
        for told in (choices, rest, choices):
            state = State(told, context, settled=True)
            expected = encode_checked(view_of(anew, state))
            other = data.draw(st.sampled_from(before))
            made = view_of(engine, state, pieces, other)
            assert encode_checked(made) == expected
            assert list(made["slots"]) == sorted(made["slots"])
            with mock.patch.object(canonical, "LARGE", 1):
                assert encoder.encode(made, data.draw(st.sampled_from(before))) == expected
            before.append(made)


def test_slots_that_stay_are_the_same_objects() -> None:
    """So that nobody need read them again."""
    product = product_of(one_of("frame", ("steel", "carbon")), one_of("colour", ("red", "blue")))
    engine, pieces = compile_product(product, DAY), Pieces()
    first = view_of(engine, State(), pieces)
    second = view_of(engine, State((Choice("frame", "steel"),)), pieces, first)
    assert second["slots"]["colour"] is first["slots"]["colour"]
    assert second["slots"]["frame"] != first["slots"]["frame"]
    assert first == view_of(engine, State())

"""The second opinion agrees with a right engine and catches a wrong one."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest

from configurator.engine import Engine, EngineError, compile_product
from configurator.engine.backend import Backend, Marginals, Pins
from configurator.engine.confirmation import confirm
from configurator.language import load_folder
from tests.conftest import LAMP, files_of


class Wrong:
    """A backend that forgets one value, or says a price too low."""

    name = "wrong"

    def __init__(self, right: Backend, fault: str) -> None:
        self._right = right
        self._fault = fault

    def marginals(
        self,
        pins: Pins,
        *,
        changes: bool = False,
        fixed: Pins = (),
        settle: bool = True,
        totals: bool = True,
    ) -> Marginals:
        found = self._right.marginals(pins, changes=changes, fixed=fixed)
        if self._fault == "value" and not pins:
            valid = found.valid.copy()
            valid[int(valid.argmax())] = False
            return replace(found, valid=valid)
        if self._fault == "price":
            return replace(found, lowest=found.lowest - found.valid)
        return found

    def count(self, pins: Pins) -> tuple[int, bool]:
        number, exact = self._right.count(pins)
        return number + (self._fault == "count"), exact

    def cheapest(self, pins: Pins) -> tuple[int, ...] | None:
        return self._right.cheapest(pins)


def lamp_engine() -> Engine:
    product = load_folder(files_of(LAMP)).product
    assert product is not None
    return compile_product(product, datetime.date(2026, 11, 22))


def test_a_right_engine_is_confirmed_whole() -> None:
    confirmation = confirm(lamp_engine())
    assert confirmation.whole
    # mounts and arms (3), colours (2), bulbs and dimmer (3), two extras of 0..3 (16), and
    # three runs of widths
    assert confirmation.configurations == 3 * 2 * 3 * 16 * 1


@pytest.mark.parametrize("fault", ["value", "price", "count"])
def test_a_wrong_engine_is_not_confirmed(fault: str) -> None:
    engine = lamp_engine()
    engine.backend = Wrong(engine.backend, fault)
    with pytest.raises(EngineError) as refused:
        confirm(engine)
    assert refused.value.code == "unconfirmed"

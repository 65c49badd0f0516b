from __future__ import annotations

import itertools
import random

import pytest

from configurator.trail.code import SYMBOLS, new_code, normalise
from configurator.trail.errors import BadCodeError


def some_codes(count: int) -> list[str]:
    source = random.Random(7)
    return [new_code(source.randrange) for _ in range(count)]


def test_codes_look_alike_and_come_back() -> None:
    for code in some_codes(200):
        assert len(code) == 9
        assert code[4] == "-"
        assert set(code) <= set(SYMBOLS + "-")
        assert normalise(code) == code


def test_codes_differ() -> None:
    assert len({new_code() for _ in range(2000)}) == 2000


def test_what_people_say_is_understood() -> None:
    for code in some_codes(50):
        plain = code.replace("-", "")
        assert normalise(plain.lower()) == code
        assert normalise(f"  {plain[:2]} {plain[2:4]}.{plain[4:]} ") == code
        assert normalise(code.replace("0", "o").replace("1", "l")) == code
        assert normalise(code.replace("0", "O").replace("1", "I")) == code
        assert normalise(code.replace("-", "–")) == code


def test_every_wrong_symbol_is_noticed() -> None:
    for code in some_codes(20):
        plain = code.replace("-", "")
        for place, symbol in itertools.product(range(8), SYMBOLS):
            if symbol != plain[place]:
                with pytest.raises(BadCodeError):
                    normalise(plain[:place] + symbol + plain[place + 1 :])


def test_every_swap_is_noticed() -> None:
    for code in some_codes(50):
        plain = list(code.replace("-", ""))
        for one, two in itertools.combinations(range(8), 2):
            if plain[one] != plain[two]:
                swapped = plain.copy()
                swapped[one], swapped[two] = plain[two], plain[one]
                with pytest.raises(BadCodeError):
                    normalise("".join(swapped))


@pytest.mark.parametrize("spoken", ["", "K7PM", "K7PM-3QX", "UUUU-UUUU", "K7PM-3QXA-9", "ñ" * 8])
def test_what_cannot_be_a_code_is_refused_with_a_way_out(spoken: str) -> None:
    with pytest.raises(BadCodeError) as refused:
        normalise(spoken)
    assert refused.value.help is not None
    assert set(refused.value.help.languages()) == {"es", "en"}

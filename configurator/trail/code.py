"""The short code a customer reads out: eight symbols that survive a telephone line.

Crockford's base 32 leaves out I, L, O and U. Seven symbols are random (35 bits), the
eighth is a check: a weighted sum over the field of 32 elements, whose weights are all
different, so every single wrong symbol and every swap of two symbols is noticed.
A code finds a configuration; it is no secret, and guessing is for the web to limit.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from configurator.trail.errors import BadCodeError

SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 8
_VALUES = {symbol: value for value, symbol in enumerate(SYMBOLS)} | {"O": 0, "I": 1, "L": 1}
_IGNORED = str.maketrans("", "", " -–—_.,\t\n\r")


def _doubled(element: int) -> int:
    """``element`` times x in the field of 32 elements, modulo x^5 + x^2 + 1."""
    element <<= 1
    return element ^ 0b100101 if element & 0b100000 else element


def _check(values: list[int]) -> int:
    """The last symbol's value: Horner's rule, so symbol ``i`` weighs x^(7 - i)."""
    total = 0
    for value in values:
        total = _doubled(total ^ value)
    return total


def new_code(random_below: Callable[[int], int] = secrets.randbelow) -> str:
    """A new code, ``K7PM-3QXA`` style; ``random_below(n)`` gives 0 to n - 1."""
    values = [random_below(32) for _ in range(LENGTH - 1)]
    symbols = "".join(SYMBOLS[value] for value in (*values, _check(values)))
    return f"{symbols[:4]}-{symbols[4:]}"


def normalise(spoken: str) -> str:
    """The code that was meant: any case, with or without dashes and spaces, O for 0 and
    I or L for 1. Raises ``BadCodeError`` for what cannot be one."""
    symbols = spoken.translate(_IGNORED).upper()
    if len(symbols) != LENGTH:
        raise BadCodeError(f"{len(symbols)} symbols instead of {LENGTH}")
    try:
        values = [_VALUES[symbol] for symbol in symbols]
    except KeyError as unknown:
        raise BadCodeError(f"{unknown.args[0]!r} is not used") from None
    if _check(values[:-1]) != values[-1]:
        raise BadCodeError("the last symbol does not fit the others")
    written = "".join(SYMBOLS[value] for value in values)
    return f"{written[:4]}-{written[4:]}"

"""Exact numbers: fractions to plain decimals and to cents, rounding once."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

Rounding = Literal["down", "up", "nearest"]


def plain(number: Fraction) -> str:
    """The shortest plain decimal of a number: ``1820``, ``2.3``.

    Raises ``ValueError`` where the decimals never end.
    """
    if number.denominator == 1:
        return str(number.numerator)
    digits, rest = 0, number.denominator
    for factor in (2, 5):
        power = 0
        while rest % factor == 0:
            rest //= factor
            power += 1
        digits = max(digits, power)
    if rest != 1:
        raise ValueError(f"{number} has no end of decimals")
    scaled = abs(number.numerator) * 10**digits // number.denominator
    text = str(scaled).rjust(digits + 1, "0")
    return f"{'-' if number < 0 else ''}{text[:-digits]}.{text[-digits:]}"


def half_away(number: Fraction | int) -> int:
    """The nearest whole number; halves go away from zero."""
    return half_away_of(number.numerator, number.denominator)


def half_away_of(numerator: int, denominator: int) -> int:
    """The same of a quotient, which need not be in lowest terms; ``denominator`` is above 0."""
    magnitude = (2 * abs(numerator) + denominator) // (2 * denominator)
    return magnitude if numerator >= 0 else -magnitude


def rounded(number: Fraction, rounding: Rounding | None, decimals: int) -> Fraction:
    """``number`` rounded once to ``decimals``; ``None`` leaves it as it is."""
    if rounding is None:
        return number
    scaled = number * 10**decimals
    if rounding == "down":
        whole = scaled.numerator // scaled.denominator
    elif rounding == "up":
        whole = -(-scaled.numerator // scaled.denominator)
    else:
        whole = half_away(scaled)
    return Fraction(whole, 10**decimals)

"""From the engine's sums to what is paid: minimum, order quantity, wide charges.

Backends minimise a plain sum of charges for one unit. This module knows how the total
follows from it, and where the result is only a lower bound.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from configurator.engine.backend import Marginals
from configurator.engine.exact import half_away
from configurator.engine.lowering.charges import WideCharge
from configurator.engine.lowering.held import Held
from configurator.engine.pricing import Pricing
from configurator.engine.viewing import PricedValues

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Units = Fraction | Sequence[Fraction]
"""How often the total is charged: the same for every value, or one by one."""

FAR = np.int64(1) << np.int64(60)

TRIED = 512
"""Combinations of open answers a wide charge is tried over."""


class Totals:
    """How totals of one product follow from sums."""

    def __init__(self, pricing: Pricing, wide: Sequence[WideCharge], held: dict[str, Held]) -> None:
        self._pricing = pricing
        self._wide = tuple(wide)
        self._held = held
        prices = pricing.prices
        parts = len(pricing.charges) + len(pricing.shares)
        self._slack = 0 if prices.tax_included else parts + 1
        self._told_by_sum = prices.tax_included or pricing.one_rate

    def correction(
        self, valid: Callable[[Held], list[int]], chosen: dict[str, str]
    ) -> tuple[int, bool]:
        """What every configuration adds at least to the network's sum, and whether that
        is all it adds."""
        added, exact = 0, True
        for charge in self._wide:
            answers = [self._answers(self._held[slot], valid, chosen) for slot in charge.slots]
            if any(each is None for each in answers):
                exact = False
                continue
            known = [each for each in answers if each is not None]
            if math.prod(len(each) for each in known) > TRIED:
                exact = False
                continue
            missing = [
                self._missing(charge, dict(zip(charge.slots, row, strict=True)))
                for row in itertools.product(*known)
            ]
            added += min(missing)
            exact = exact and min(missing) == max(missing)
        return added, exact

    def _answers(
        self, held: Held, valid: Callable[[Held], list[int]], chosen: dict[str, str]
    ) -> list[str] | None:
        if held.id in chosen:
            return [chosen[held.id]]
        values = valid(held)
        if not all(held.known[value] for value in values):
            return None
        return [held.answers[value] for value in values]

    def _missing(self, charge: WideCharge, answers: dict[str, str]) -> int:
        place = []
        for slot in charge.kept:
            held = self._held[slot]
            value = held.not_asked if answers[slot] == "" else held.value_of(answers[slot])
            assert value is not None
            place.append(value)
        return charge.paid(answers) - int(charge.bound[tuple(place)])

    def priced(self, marginals: Marginals, shift: int, sure: bool, units: Units) -> PricedValues:
        """Totals of every value: ``shift`` is added (all that is missing, where ``sure``),
        the minimum lifts, units multiply."""
        lowest, reached = self._lifted(marginals.lowest + shift)
        exact = marginals.lowest_exact & reached & sure
        raw = marginals.lowest if marginals.repaired_lowest is None else marginals.repaired_lowest
        repaired, again = self._lifted(raw + shift)
        known = marginals.repaired_exact
        if known is None:
            known = np.full(len(raw), bool(marginals.lowest_exact.all()))
        if isinstance(units, Fraction) and units == 1:
            return PricedValues(lowest, exact, repaired, known & again & sure)
        return PricedValues(
            _multiplied(lowest, units), exact, _multiplied(repaired, units), known & again & sure
        )

    def _lifted(self, sums: Ints) -> tuple[Ints, Bools]:
        minimum = self._pricing.prices.minimum
        if minimum is None:
            return sums, np.ones(len(sums), dtype=np.bool_)
        if not self._told_by_sum:  # what is paid does not tell whether the minimum lifts it
            return sums, np.zeros(len(sums), dtype=np.bool_)
        least = self._pricing.paid(minimum, self._pricing.prices.tax_rate)
        clear = sums >= least + self._slack
        lifted: Ints = np.where(clear, sums, np.maximum(sums, least - self._slack))
        return lifted, clear | (self._slack == 0)


def _multiplied(sums: Ints, units: Units) -> Ints:
    each = itertools.repeat(units) if isinstance(units, Fraction) else units
    return np.asarray(
        [half_away(int(paid) * by) for paid, by in zip(sums, each, strict=False)], dtype=np.int64
    )


def cheapest_of(several: Sequence[tuple[Marginals, PricedValues]]) -> PricedValues:
    """Of several cases (one per order quantity), the cheapest for each value."""
    first = several[0][1]
    lowest, exact = np.full(len(first.lowest), FAR), np.ones(len(first.exact), dtype=np.bool_)
    repaired, sure = lowest.copy(), exact.copy()
    for marginals, priced in several:
        _take_less(lowest, exact, priced.lowest, priced.exact, marginals.valid)
        if marginals.changes is not None:
            single = marginals.changes == 1
            _take_less(repaired, sure, priced.repaired, priced.repaired_exact, single)
    return PricedValues(lowest, exact, repaired, sure)


def _take_less(into: Ints, sure: Bools, more: Ints, known: Bools, where: Bools) -> None:
    less = where & (more < into)
    into[less] = more[less]
    sure[less] = known[less]

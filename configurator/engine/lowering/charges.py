"""Charges as functions of few network variables.

A charge whose variables are too many to tabulate is bounded from below, and remembered
as a ``WideCharge``, so that the engine can add what is missing once enough is answered.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from configurator.engine.errors import EngineError, said
from configurator.engine.exact import half_away
from configurator.engine.judge import Bounds, Domain, Domains, Judge
from configurator.engine.layout import NOT_ASKED
from configurator.engine.lowering.held import Held
from configurator.engine.lowering.survey import Survey
from configurator.engine.network import CostFunction
from configurator.engine.pricing import Amount, Charge, Pricing, Share
from configurator.engine.truth import Answers, Meaning
from configurator.model.product import AmountLine, Variable

TABULATED = 60_000
"""Combinations a charge may be tabulated over."""

LARGEST = 1 << 53
"""Cents that no total is further from 0 than: machine numbers hold them, and trails do."""

BOUNDED = 1_000
"""Combinations a bounded charge keeps apart."""

MERGED = 4_096
"""A charge joins a wider one of so few combinations, so that fewer remain."""

Costs = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class WideCharge:
    """A charge the network holds only a lower bound of.

    ``paid`` is what it truly adds for complete answers to ``slots``; ``bound`` is what
    the network counts, by the values of ``kept``.
    """

    line: str
    paid: Callable[[Answers], int]
    slots: tuple[str, ...]
    kept: tuple[str, ...]
    bound: Costs


@dataclass(frozen=True, slots=True)
class _Part:
    """A charge or a share: ``paid`` in cents over ``slots``."""

    line: str
    paid: Callable[[Answers], int]
    slots: tuple[str, ...]
    origin: Charge | Share


def lower_charges(
    meaning: Meaning, pricing: Pricing, survey: Survey, held: dict[str, Held]
) -> tuple[tuple[CostFunction, ...], tuple[WideCharge, ...]]:
    """The cost functions of a product, and the charges they only bound."""
    exact: dict[tuple[int, ...], tuple[list[str], Costs]] = {}
    bounded: list[CostFunction] = []
    wide: list[WideCharge] = []
    reach = _Reach(pricing, Judge(meaning, survey.reading), held)
    for part in _parts(meaning, pricing, survey, held):
        slots = sorted((slot for slot in part.slots), key=lambda s: held[s].index)
        sizes = tuple(held[slot].size for slot in slots)
        if math.prod(sizes) > TABULATED or any(survey.bounded(slot) for slot in slots):
            charge = _bound(meaning, pricing, survey, held, part, slots, reach)
            wide.append(charge)
            bounded.append(
                CostFunction(
                    tuple(held[slot].index for slot in charge.kept),
                    tuple(int(c) for c in charge.bound.ravel()),
                    part.line,
                    exact=False,
                )
            )
            continue
        paid = [
            part.paid(dict(zip(slots, row, strict=True)))
            for row in itertools.product(*(held[slot].answers for slot in slots))
        ]
        reach.add(part.line, paid)
        costs = np.array(paid, dtype=np.int64).reshape(sizes)
        scope, costs = _needed(tuple(held[slot].index for slot in slots), costs)
        if not costs.any():
            continue
        lines, total = exact.setdefault(scope, ([], np.zeros_like(costs)))
        total += costs
        lines.append(part.line)
    _merge(exact)
    functions = [
        CostFunction(scope, tuple(int(c) for c in costs.ravel()), "+".join(dict.fromkeys(lines)))
        for scope, (lines, costs) in sorted(exact.items())
    ]
    return (*functions, *bounded), tuple(wide)


class _Reach:
    """How far from 0 a total may be; raises ``EngineError`` ``too-large`` beyond ``LARGEST``."""

    def __init__(self, pricing: Pricing, judge: Judge, held: dict[str, Held]) -> None:
        prices = pricing.prices
        self._cents = abs(pricing.paid(prices.minimum or 0, prices.tax_rate))
        self._units = Fraction(1)
        if prices.times is not None:
            _, most = _exact(judge.bounds(prices.times, _domains(held)))
            self._units = max(most, self._units)

    def add(self, line: str, amounts: Iterable[int]) -> None:
        """One more charge or share, and what it may add to what is paid."""
        self._cents += max((abs(amount) for amount in amounts), default=0)
        if self._cents * self._units > LARGEST:
            raise EngineError(
                "too-large",
                said(
                    f"Con “{line}” los importes son demasiado grandes para sumarlos.",
                    f"With “{line}” amounts are too large to be added up.",
                ),
                said(
                    "Busca cifras de más en sus precios, números o porcentajes.",
                    "Look for digits too many in its prices, numbers or percentages.",
                ),
                (line,),
            )


def _needed(scope: tuple[int, ...], costs: Costs) -> tuple[tuple[int, ...], Costs]:
    """Without the variables the costs do not depend on."""
    for axis in reversed(range(len(scope))):
        first = costs.take([0], axis=axis)
        if (costs == first).all():
            costs = first.squeeze(axis)
            scope = scope[:axis] + scope[axis + 1 :]
    return scope, costs


def _merge(functions: dict[tuple[int, ...], tuple[list[str], Costs]]) -> None:
    """A function joins the first one whose variables include its own."""
    for scope in sorted(functions, key=lambda each: (len(each), each)):
        if not scope:
            continue
        for other in sorted(functions):
            if len(other) > len(scope) and set(scope) <= set(other):
                lines, costs = functions[other]
                if costs.size > MERGED:
                    continue
                own_lines, own = functions.pop(scope)
                shape = [
                    costs.shape[axis] if variable in scope else 1
                    for axis, variable in enumerate(other)
                ]
                costs += own.reshape(shape)
                lines.extend(own_lines)
                break


def _parts(
    meaning: Meaning, pricing: Pricing, survey: Survey, held: dict[str, Held]
) -> Iterable[_Part]:
    for part in pricing.parts:
        charge = part if isinstance(part, Charge) else part.charge
        split = _split(meaning, pricing, survey, held, part, charge)
        for each in split if split is not None else (part,):
            yield _part(pricing, survey, each)


def _part(pricing: Pricing, survey: Survey, part: Charge | Share) -> _Part:
    charge = part if isinstance(part, Charge) else part.charge
    expressions = charge.expressions if part is charge else (*charge.expressions, *part.expressions)
    slots = dict.fromkeys(charge.slots) | dict.fromkeys(survey.reading.slots(*expressions))

    def paid(answers: Answers) -> int:
        return pricing.paid(part.cents(answers), part.rate)

    return _Part(part.line, paid, tuple(slots), part)


def _split(
    meaning: Meaning,
    pricing: Pricing,
    survey: Survey,
    held: dict[str, Held],
    part: Charge | Share,
    charge: Charge,
) -> list[Charge | Share] | None:
    """A several-of's charge slot by slot, where nothing of it needs rounding."""
    if not isinstance(charge.source, Variable) or len(charge.slots) < 2:
        return None
    factor = Fraction(1) if isinstance(part, Charge) else part.percent / 100
    taxed = 1 if pricing.prices.tax_included else 1 + part.rate / 100
    singles: list[Charge | Share] = []
    for slot in charge.slots:
        alone = replace(charge, slots=(slot,))
        others = [other for other in charge.slots if other != slot]
        alone = replace(alone, amount=_without(charge.amount, others))
        slots = tuple(dict.fromkeys((slot, *survey.reading.slots(*charge.expressions))))
        if math.prod(held[each].size for each in slots) > TABULATED:
            return None
        for row in itertools.product(*(held[each].answers for each in slots)):
            amount = alone.amount(dict(zip(slots, row, strict=True)))
            if any((amount * each).denominator != 1 for each in (1, factor, factor * taxed)):
                return None
        singles.append(alone if isinstance(part, Charge) else replace(part, charge=alone))
    return singles


def _without(amount: Amount, slots: list[str]) -> Amount:
    gone = dict.fromkeys(slots, NOT_ASKED)
    return lambda answers: amount({**answers, **gone})


# --- charges too wide to tabulate -------------------------------------------------------


def _bound(
    meaning: Meaning,
    pricing: Pricing,
    survey: Survey,
    held: dict[str, Held],
    part: _Part,
    slots: list[str],
    reach: _Reach,
) -> WideCharge:
    """Keep the small variables apart, let the wide ones range over all they have."""
    kept: list[str] = []
    product = 1
    for slot in sorted(slots, key=lambda s: (held[s].size, held[s].index)):
        if survey.bounded(slot) or product * held[slot].size > BOUNDED:
            continue
        product *= held[slot].size
        kept.append(slot)
    kept.sort(key=lambda s: held[s].index)
    judge = Judge(meaning, survey.reading)
    domains = _domains(held)
    bounds: list[tuple[int, int]] = []
    for row in itertools.product(*(range(held[slot].size) for slot in kept)):
        fixed = {s: domain_of(held[s], (v,)) for s, v in zip(kept, row, strict=True)}
        bounds.append(_bounds_of(pricing, judge, part.origin, {**domains, **fixed}))
    reach.add(part.line, itertools.chain.from_iterable(bounds))
    shape = tuple(held[slot].size for slot in kept)
    return WideCharge(
        part.line,
        part.paid,
        tuple(slots),
        tuple(kept),
        np.asarray([low for low, _ in bounds], dtype=np.int64).reshape(shape),
    )


def _domains(held: dict[str, Held]) -> dict[str, Domain]:
    """All that every slot may be."""
    return {slot: domain_of(each, range(each.size)) for slot, each in held.items()}


def domain_of(held: Held, values: Iterable[int]) -> Domain:
    """The answers of some network values of a slot."""
    answers: list[str] = []
    runs: list[tuple[int, int]] = []
    skipped = False
    for value in values:
        if value == held.not_asked:
            skipped = True
        elif held.grid is not None and held.runs[value]:
            runs.extend(held.runs[value])
        else:
            answers.append(held.answers[value])
    runs.sort()
    return Domain(tuple(answers), held.grid if runs else None, tuple(runs), skipped)


def _bounds_of(
    pricing: Pricing, judge: Judge, origin: Charge | Share, domains: Domains
) -> tuple[int, int]:
    """What a charge or share can add to what is paid, from below and above."""
    charge = origin if isinstance(origin, Charge) else origin.charge
    low, high = _charge_bounds(pricing, judge, charge, domains)
    ends = [half_away(low), half_away(high)]
    if isinstance(origin, Share):
        ends = [half_away(end * origin.percent / 100) for end in ends]
        ends.append(0)  # it may not apply
    ends = [pricing.paid(end, origin.rate) for end in ends]
    return min(ends), max(ends)


def _charge_bounds(
    pricing: Pricing, judge: Judge, charge: Charge, domains: Domains
) -> tuple[Fraction, Fraction]:
    source = charge.source
    if source is None:
        amount = Fraction(charge.amount({}))
        return amount, amount
    if isinstance(source, AmountLine):
        return _line_bounds(pricing, judge, source, domains)
    ends = _variable_bounds(charge, source, domains)
    if source.times is not None:
        ends = _times(ends, judge.bounds(source.times, domains))
    return ends


def _variable_bounds(
    charge: Charge, source: Variable, domains: Domains
) -> tuple[Fraction, Fraction]:
    low = high = Fraction(0)
    prices = {value.id: Fraction(value.price or 0) for value in source.values}
    for slot in charge.slots:
        domain = domains[slot]
        if source.price_each is not None:
            ends = [Fraction(0)] if domain.skipped or domain.answers else []
            if domain.grid is not None:
                positions = [edge for run in domain.runs for edge in run]
                ends += [domain.grid.number(p) * source.price_each for p in positions]
            if domain.answers:
                ends += [Fraction(0)]
        elif source.kind == "several of":
            price = prices[slot.removeprefix(f"{source.id}.")]
            ends = [price * int(answer or 0) for answer in domain.every()]
        else:
            ends = [prices.get(answer, Fraction(0)) for answer in domain.every()]
        low += min(ends)
        high += max(ends)
    return low, high


def _line_bounds(
    pricing: Pricing, judge: Judge, line: AmountLine, domains: Domains
) -> tuple[Fraction, Fraction]:
    charged = judge.truth(line.when, domains)
    if charged is False:
        return Fraction(0), Fraction(0)
    sure = charged is True
    if line.amount is not None:
        bounds = judge.bounds(line.amount, domains)
        sure = sure and bounds.sure
        ends = _exact(bounds)
    else:
        prices = [row.price for row in pricing.live_rows(line)] or [Fraction(0)]
        ends = (min(prices), max(prices))
        sure = False
    if line.times is not None:
        times = judge.bounds(line.times, domains)
        sure = sure and times.sure
        ends = _times(ends, times)
    low, high = ends[0] * 100, ends[1] * 100
    if line.minimum is not None:
        low, high = max(low, Fraction(line.minimum)), max(high, Fraction(line.minimum))
    if not sure:
        low, high = min(low, Fraction(0)), max(high, Fraction(0))
    return low, high


def _exact(bounds: Bounds) -> tuple[Fraction, Fraction]:
    if isinstance(bounds.low, Fraction) and isinstance(bounds.high, Fraction):
        return bounds.low, bounds.high
    return (Fraction(0), Fraction(0)) if bounds.low is None else (_LEAST, -_LEAST)


_LEAST = Fraction(-(10**9))
"""A bound for amounts that cannot be bounded: ten million euro."""


def _times(ends: tuple[Fraction, Fraction], bounds: Bounds) -> tuple[Fraction, Fraction]:
    low, high = _exact(bounds)
    products = [a * b for a in ends for b in (low, high)]
    if not bounds.sure:
        products.append(Fraction(0))
    return min(products), max(products)

"""What a complete configuration costs, to the cent, and of which parts a price is made.

A *charge* is the base, one variable with prices, or one amount line. A *share* is one
percent line's part of one charge. Each rounds once, half away from zero; tax is rounded
for each charge and each share. See docs/engine.md, "Prices".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from configurator.engine.exact import half_away, half_away_of
from configurator.engine.truth import Answers, Meaning, NumberOf, TruthOf
from configurator.model.choice import NONE
from configurator.model.expression import Expression
from configurator.model.product import AmountLine, PercentLine, PriceRow, Prices, Variable
from configurator.model.verdict import Bill, PriceLine

Amount = Callable[[Answers], Fraction | int]
"""An amount in cents, not yet rounded; 0 where the line is not charged."""


@dataclass(frozen=True, slots=True)
class Charge:
    """One charge: ``amount`` reads ``slots`` besides what ``expressions`` read.

    ``source`` is what it was written as; ``None`` is the base. ``rate`` is its tax, in
    percent.
    """

    line: str
    amount: Amount
    rate: Fraction
    slots: tuple[str, ...] = ()
    expressions: tuple[Expression, ...] = ()
    source: Variable | AmountLine | None = None

    def cents(self, answers: Answers) -> int:
        """The charge, rounded once."""
        return half_away(self.amount(answers))


@dataclass(frozen=True, slots=True)
class Share:
    """``percent`` of one charge, where ``when`` holds and no line of ``before`` does.

    Percents apply to the rounded charge.
    """

    line: str
    charge: Charge
    percent: Fraction
    rate: Fraction
    applies: Callable[[Answers], bool]
    expressions: tuple[Expression, ...]

    def cents(self, answers: Answers) -> int:
        """The share, rounded once."""
        if not self.applies(answers):
            return 0
        return half_away(self.charge.cents(answers) * self.percent / 100)


class Pricing:
    """The charges and shares of a product on its day."""

    def __init__(self, meaning: Meaning) -> None:
        self._meaning = meaning
        prices = meaning.product.prices
        self.prices: Prices = prices or Prices()
        self.charged = prices is not None
        self.charges: tuple[Charge, ...] = tuple(self._charges()) if self.charged else ()
        self.shares: tuple[Share, ...] = tuple(self._shares()) if self.charged else ()
        self.parts: tuple[Charge | Share, ...] = (*self.charges, *self.shares)
        self.times: NumberOf | None = (
            None if self.prices.times is None else meaning.number(self.prices.times)
        )

    def tax(self, cents: int, rate: Fraction) -> int:
        """The tax in (or on) an amount, rounded once."""
        parts, whole = rate.numerator, 100 * rate.denominator
        if self.prices.tax_included:
            return cents - half_away_of(cents * whole, whole + parts)
        return half_away_of(cents * parts, whole)

    def paid(self, cents: int, rate: Fraction) -> int:
        """What a charge or share taxed at ``rate`` adds to what is paid."""
        return cents if self.prices.tax_included else cents + self.tax(cents, rate)

    @property
    def one_rate(self) -> bool:
        """Whether all is taxed alike."""
        return all(part.rate == self.prices.tax_rate for part in self.parts)

    def units(self, answers: Answers) -> Fraction:
        """How often the total is charged; once where nobody said, never less than not at
        all (fewer than none would make the dearest configuration the cheapest)."""
        number = None if self.times is None else self.times(answers)
        return Fraction(1) if number is None else max(number, Fraction(0))

    def bill(self, answers: Answers) -> Bill:
        """The price of a complete configuration; lines of 0 are left out.

        Lines are of one unit; ``net``, ``tax`` and ``total`` are multiplied by ``times``.
        """
        lines: dict[str, int] = {}
        taxes: dict[Fraction, int] = {}
        for part in self.parts:
            cents = part.cents(answers)
            if cents:
                lines[part.line] = lines.get(part.line, 0) + cents
                taxes[part.rate] = taxes.get(part.rate, 0) + self.tax(cents, part.rate)
        summed = sum(lines.values())
        minimum = self.prices.minimum
        if minimum is not None and summed < minimum:
            lines["minimum"] = minimum - summed
            rate, lift = self.prices.tax_rate, self.tax(minimum - summed, self.prices.tax_rate)
            taxes[rate] = taxes.get(rate, 0) + lift
            summed = minimum
        units = self.units(answers)
        net = summed - sum(taxes.values()) if self.prices.tax_included else summed
        total = charged = half_away(net * units)
        split: list[tuple[Fraction, int]] = []
        for rate, tax in sorted(taxes.items()):  # rounded together, so that they add up
            net += tax
            total, before = half_away(net * units), total
            split.append((rate, total - before))
        return Bill(
            tuple(PriceLine(line, amount) for line, amount in lines.items() if amount),
            charged,
            total - charged,
            total,
            tuple(split),
        )

    def plain_sum(self, answers: Answers) -> int:
        """What is paid for one unit before any minimum: the sum the engine minimises."""
        return sum(self.paid(part.cents(answers), part.rate) for part in self.parts)

    # --- charges ----------------------------------------------------------------------

    def _charges(self) -> list[Charge]:
        charges: list[Charge] = []
        if self.prices.base:
            base = self.prices.base
            charges.append(Charge("base", lambda answers: base, self.prices.tax_rate))
        for variable in self._meaning.product.variables:
            charge = self._of_variable(variable)
            if charge is not None:
                charges.append(charge)
        charges.extend(
            self._of_line(line)
            for line in self.prices.lines
            if isinstance(line, AmountLine) and line.period.covers(self._meaning.day)
        )
        return charges

    def _of_variable(self, variable: Variable) -> Charge | None:
        if not variable.period.covers(self._meaning.day):
            return None
        each = self._price_of(variable)
        if each is None:
            return None
        slots = tuple(slot.id for slot in self._meaning.layout.by_variable[variable.id])
        rate = self._rate(variable.tax)
        if variable.times is None:
            return Charge(variable.id, each, rate, slots, (), variable)
        times = self._meaning.number(variable.times)

        def multiplied(answers: Answers) -> Fraction:
            multiplier = times(answers)
            return Fraction(0) if multiplier is None else each(answers) * multiplier

        return Charge(variable.id, multiplied, rate, slots, (variable.times,), variable)

    def _rate(self, own: Fraction | None) -> Fraction:
        return self.prices.tax_rate if own is None else own

    def _price_of(self, variable: Variable) -> Amount | None:
        """The price of what was chosen, before ``times``."""
        if variable.price_each is not None and variable.kind != "computed":
            number, price_each = self._meaning.read(variable.id), variable.price_each

            def per_unit(answers: Answers) -> Fraction:
                worth = number(answers)
                return worth * price_each if isinstance(worth, Fraction) else Fraction(0)

            return per_unit
        prices = {value.id: value.price for value in variable.values if value.price}
        if not prices:
            return None
        slots = [
            (slot.id, slot.value.id if slot.value is not None else None)
            for slot in self._meaning.layout.by_variable[variable.id]
        ]

        def of_values(answers: Answers) -> int:
            total = 0
            for slot, value in slots:
                answer = answers.get(slot)
                if not answer or answer == NONE:
                    continue
                if value is None:
                    total += prices.get(answer, 0)
                else:
                    total += prices.get(value, 0) * int(answer)
            return total

        return of_values

    def _of_line(self, line: AmountLine) -> Charge:
        meaning = self._meaning
        when = meaning.condition(line.when)
        amount = self._amount(line)
        times = None if line.times is None else meaning.number(line.times)
        minimum = line.minimum
        nothing = Fraction(0)

        def charged(answers: Answers) -> Fraction:
            if when(answers) is not True:
                return nothing
            worth = amount(answers)
            if worth is None:
                return nothing
            if times is not None:
                multiplier = times(answers)
                if multiplier is None:
                    return nothing
                worth = worth * multiplier
            cents = worth * 100
            return cents if minimum is None else max(cents, Fraction(minimum))

        read = [each for each in (line.when, line.amount, line.times) if each is not None]
        cells = [cell for row in self.live_rows(line) for cell in row.conditions]
        return Charge(line.id, charged, self._rate(line.tax), (), (*read, *cells), line)

    def live_rows(self, line: AmountLine) -> tuple[PriceRow, ...]:
        """The rows of a price table that exist on the day."""
        return tuple(row for row in line.rows if row.period.covers(self._meaning.day))

    def _amount(self, line: AmountLine) -> NumberOf:
        if line.amount is not None:
            return self._meaning.number(line.amount)
        rows: list[tuple[tuple[TruthOf, ...], Fraction]] = [
            (tuple(self._meaning.condition(cell) for cell in row.conditions), row.price)
            for row in self.live_rows(line)
        ]

        def in_table(answers: Answers) -> Fraction | None:
            for cells, price in rows:
                truths = [cell(answers) for cell in cells]
                if False not in truths:
                    return price if None not in truths else None
            return None

        return in_table

    # --- shares -----------------------------------------------------------------------

    def _shares(self) -> list[Share]:
        shares: list[Share] = []
        groups: dict[str, list[PercentLine]] = {}
        for line in self.prices.lines:
            if not isinstance(line, PercentLine) or not line.period.covers(self._meaning.day):
                continue
            before = tuple(groups.get(line.group, ())) if line.group else ()
            applies = self._applies(line, before)
            read = tuple(each.when for each in (line, *before) if each.when is not None)
            shares.extend(
                Share(
                    line.id,
                    charge,
                    line.percent,
                    charge.rate if line.tax is None else line.tax,
                    applies,
                    read,
                )
                for charge in self.charges
                if not line.of or charge.line in line.of
            )
            if line.group:
                groups.setdefault(line.group, []).append(line)
        return shares

    def _applies(
        self, line: PercentLine, before: tuple[PercentLine, ...]
    ) -> Callable[[Answers], bool]:
        when = self._meaning.condition(line.when)
        others = [self._meaning.condition(each.when) for each in before]

        def applies(answers: Answers) -> bool:
            if when(answers) is not True:
                return False
            return not any(other(answers) is True for other in others)

        return applies

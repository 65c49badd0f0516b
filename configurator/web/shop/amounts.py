"""Money, numbers and days as people write them in Spain and in English.

Exact throughout: cents are integers, numbers are decimals. Knows nothing of products.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from babel.dates import format_date

from configurator.engine.exact import plain as exact
from configurator.web.shop.texts import gettext, ngettext, pgettext

TOGETHER = "\N{NO-BREAK SPACE}"
"""A no-break space: an amount and its unit stay on one line."""

_MEASURED = re.compile(
    r"(?<=[\d}]) (?=(?:mm|cm|m|km|m²|m³|g|kg|l|ml|W|kW|kWh|Wh|V|A|s|min|h|€|%|°|°C|×)(?![\w²³°]))"
)
"""The space between a number (or a placeholder of one) and its unit."""

MINUS = "−"

SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£"}

DATE_LOCALES = {"es": "es_ES", "en": "en_GB"}


def together(sentence: str) -> str:
    """A sentence in which no number is parted from its unit at the end of a line."""
    return _MEASURED.sub(TOGETHER, sentence)


def number(value: str | Decimal | int, locale: str) -> str:
    """A number with the thousands and decimal signs of ``locale``: 1.240,5 or 1,240.5."""
    decimal = Decimal(value)
    text = f"{abs(decimal):,f}"
    if locale == "es":
        text = text.translate(str.maketrans(",.", ".,"))
    return f"{MINUS}{text}" if decimal < 0 else text


def measure(value: str | Decimal | int, unit: str | None, locale: str) -> str:
    """A number and its unit: ``0,139 €`` and ``21 %`` in Spanish, ``€0.139`` and ``21%`` in
    English, which puts the sign of a currency first."""
    text = number(value, locale)
    if not unit:
        return text
    if locale != "es" and unit in SYMBOLS.values():
        sign = MINUS if text.startswith(MINUS) else ""
        return f"{sign}{unit}{text.removeprefix(MINUS)}"
    if locale != "es" and unit == "%":
        return f"{text}{unit}"
    return f"{text}{TOGETHER}{unit}"


def money(cents: int, currency: str, locale: str) -> str:
    """An amount of money: ``1.709,90 €`` in Spanish, ``€1,709.90`` in English."""
    return measure(Decimal(int(cents)).scaleb(-2), SYMBOLS.get(currency, currency), locale)


def difference(cents: int, currency: str, locale: str) -> str:
    """What an amount changes: ``+€75.00``, ``−€95.00``, or that it changes nothing."""
    if cents == 0:
        return gettext("Same price")
    text = money(cents, currency, locale)
    return f"+{text}" if cents > 0 else text


def day(iso: str, locale: str, *, weekday: bool = False) -> str:
    """A day in full: ``9 de diciembre de 2026``, ``Wednesday, 9 December 2026``. Where it is
    chosen or refused, its ``weekday`` often is the reason."""
    return format_date(
        datetime.date.fromisoformat(iso),
        "full" if weekday else "long",
        locale=DATE_LOCALES.get(locale, locale),
    )


def days_between(first: str, last: str, locale: str) -> str:
    """A run of days in words."""
    if first == last:
        return gettext("%(day)s", day=day(first, locale, weekday=True))
    ends = {"first": day(first, locale), "last": day(last, locale)}
    return pgettext("days", "%(first)s to %(last)s") % ends


def numbers_between(low: str, high: str, unit: str | None, locale: str) -> str:
    """A run of numbers in words."""
    if low == high:
        return measure(low, unit, locale)
    first, last = measure(low, unit, locale), measure(high, unit, locale)
    if unit and first.endswith(unit):
        first = number(low, locale)  # the unit is said once, after the last
    return gettext("%(first)s to %(last)s", first=first, last=last)


def listed(parts: Sequence[str]) -> str:
    """``a, b or c``."""
    if len(parts) < 2:
        return "".join(parts)
    return gettext("%(list)s or %(last)s", list=", ".join(parts[:-1]), last=parts[-1])


def named(parts: Sequence[str], most: int = 3) -> str:
    """``a, b, c and 4 more``."""
    said = ", ".join(parts[:most])
    if len(parts) <= most:
        return said
    return f"{said} {gettext('and %(num)s more', num=len(parts) - most)}"


def how_many(number_text: str, at_least: bool, locale: str) -> str:
    """How many configurations are left, in words a shopper can hold."""
    count = int(number_text)
    if count >= 10**12:
        return gettext("more than a trillion")
    if count >= 10**6:
        millions = number(count // 10**6, locale)
        return ngettext(
            "more than %(millions)s million",
            "more than %(millions)s million",
            count // 10**6,
            millions=millions,
        )
    text = number(count, locale)
    return gettext("at least %(count)s", count=text) if at_least else text


def changes_in_words(count: int) -> str:
    """``one change``, ``two changes``, ... in words up to ten."""
    words = {
        1: gettext("one change"),
        2: gettext("two changes"),
        3: gettext("three changes"),
        4: gettext("four changes"),
        5: gettext("five changes"),
        6: gettext("six changes"),
        7: gettext("seven changes"),
        8: gettext("eight changes"),
        9: gettext("nine changes"),
        10: gettext("ten changes"),
    }
    return words.get(count) or gettext("%(count)s changes", count=count)


_TYPED = re.compile(r"[+-]?[0-9][0-9.,]*|[+-]?[.,][0-9]+")

_SCALES: tuple[dict[str, int], ...] = (
    {"mm": 1, "cm": 10, "m": 1_000, "km": 1_000_000},
    {"g": 1, "kg": 1_000, "t": 1_000_000},
    {"w": 1, "kw": 1_000, "mw": 1_000_000},
    {"wh": 1, "kwh": 1_000, "mwh": 1_000_000},
)
"""Units that are converted, each with what it is of the smallest of its kind."""

_SPELLED: dict[str, str] = {
    **dict.fromkeys(("milímetro", "milimetro", "millimetre", "millimeter"), "mm"),
    **dict.fromkeys(("centímetro", "centimetro", "centimetre", "centimeter"), "cm"),
    **dict.fromkeys(("metro", "metre", "meter", "mt"), "m"),
    **dict.fromkeys(("gramo", "gram", "gr"), "g"),
    **dict.fromkeys(("kilo", "kilogramo", "kilogram", "kilogramme"), "kg"),
    **dict.fromkeys(("in", "pulgada"), "inch"),
    **dict.fromkeys(("ft", "pie", "feet"), "foot"),
    **dict.fromkeys(("lb", "libra"), "pound"),
    **dict.fromkeys(("oz", "onza"), "ounce"),
    **dict.fromkeys(("yd", "yarda"), "yard"),
    "st": "stone",
}
"""Units as people write them too, without their plural."""

_UNITS = frozenset({*(name for scale in _SCALES for name in scale), *_SPELLED.values()})


def typed_number(text: str, locale: str, decimals: int, unit: str | None = None) -> str:
    """What somebody typed as a number, as a plain decimal: ``1.820,5`` → ``1820.5``.

    One sign alone is read as the decimal sign, unless it stands before three last
    digits as the thousands sign of ``locale`` does and the question has fewer than
    three decimals. Where another unit than the question's stands behind it, it is
    converted: ``1,78 m`` is ``178`` where centimetres are asked for. What is no number, or
    in a unit that cannot be converted, comes back trimmed, for the engine to refuse with
    its reason.
    """
    bare = re.sub(r"\s", "", text).replace(MINUS, "-")
    match = _TYPED.match(bare)
    if match is None:
        return text.strip()
    digits = match.group()
    if any(letter.isdigit() for letter in bare[match.end() :]):
        return text.strip()
    thousands, point = (".", ",") if locale == "es" else (",", ".")
    if thousands in digits and point in digits:
        plain = digits.replace(thousands, "").replace(point, ".")
    elif thousands in digits:
        groups = digits.split(thousands)
        grouped = decimals < 3 or len(groups) > 2
        if grouped and all(len(group) == 3 for group in groups[1:]):
            plain = "".join(groups)
        else:
            plain = digits.replace(thousands, ".")
    else:
        plain = digits.replace(point, ".")
    if plain.count(".") > 1:
        return text.strip()
    factor = _factor(bare[match.end() :], unit)
    if factor is None:
        return text.strip()
    return plain.rstrip(".") if factor == 1 else exact(Fraction(plain) * factor)


def _factor(written: str, unit: str | None) -> Fraction | None:
    """What a number in a ``written`` unit is multiplied by to be one in ``unit``; 1 where no
    unit that is known here is written, ``None`` where there is no way."""
    name = written.lower().rstrip(".")
    if name not in _UNITS:
        name = name.removesuffix("s")
    name = _SPELLED.get(name, name)
    wanted = (unit or "").lower()
    if unit is None or name not in _UNITS or name == wanted:
        return Fraction(1)
    for scale in _SCALES:
        if name in scale and wanted in scale:
            return Fraction(scale[name], scale[wanted])
    return None

from __future__ import annotations

from decimal import Decimal

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from configurator.web.shop import amounts

NBSP = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("cents", "spanish", "english"),
    [
        (170990, f"1.709,90{NBSP}€", "€1,709.90"),
        (5, f"0,05{NBSP}€", "€0.05"),
        (0, f"0,00{NBSP}€", "€0.00"),
        (-9500, f"−95,00{NBSP}€", "−€95.00"),
        (123456789, f"1.234.567,89{NBSP}€", "€1,234,567.89"),
    ],
)
def test_money(cents: int, spanish: str, english: str) -> None:
    assert amounts.money(cents, "EUR", "es") == spanish
    assert amounts.money(cents, "EUR", "en") == english


def test_money_of_a_currency_without_a_sign() -> None:
    assert amounts.money(100, "CHF", "en") == f"1.00{NBSP}CHF"


def test_a_difference_of_nothing_is_said_in_words(app: Flask) -> None:
    with app.test_request_context("/?lang=es"):
        assert amounts.difference(0, "EUR", "es") == "Mismo precio"
        assert amounts.difference(30000, "EUR", "es") == f"+300,00{NBSP}€"
        assert amounts.difference(-9500, "EUR", "es") == f"−95,00{NBSP}€"
    with app.test_request_context("/?lang=en"):
        assert amounts.difference(0, "EUR", "en") == "Same price"
        assert amounts.difference(7500, "EUR", "en") == "+€75.00"


@pytest.mark.parametrize(
    ("value", "unit", "spanish", "english"),
    [
        ("0.139", "€", f"0,139{NBSP}€", "€0.139"),
        ("-5", "€", f"−5{NBSP}€", "−€5"),
        ("21", "%", f"21{NBSP}%", "21%"),
        ("2400", "mm", f"2.400{NBSP}mm", f"2,400{NBSP}mm"),
        ("3", None, "3", "3"),
    ],
)
def test_measures(value: str, unit: str | None, spanish: str, english: str) -> None:
    assert amounts.measure(value, unit, "es") == spanish
    assert amounts.measure(value, unit, "en") == english


@pytest.mark.parametrize(
    ("sentence", "kept"),
    [
        ("Un disco de 203 mm.", f"Un disco de 203{NBSP}mm."),
        ("Bis {width} cm, 3,45 kW (21 %)", f"Bis {{width}}{NBSP}cm, 3,45{NBSP}kW (21{NBSP}%)"),
        ("2 cars, 3 gears, 4 m²", f"2 cars, 3 gears, 4{NBSP}m²"),
    ],
)
def test_a_number_stays_with_its_unit(sentence: str, kept: str) -> None:
    assert amounts.together(sentence) == kept


def test_runs_say_their_unit_once_where_it_follows(app: Flask) -> None:
    with app.test_request_context("/?lang=es"):
        assert amounts.numbers_between("1", "2", "€", "es") == f"de 1 a 2{NBSP}€"
        days = amounts.days_between("2026-12-03", "2027-01-29", "es")
        assert days == "del 3 de diciembre de 2026 al 29 de enero de 2027"
    with app.test_request_context("/?lang=en"):
        assert amounts.numbers_between("1", "2", "€", "en") == "€1 to €2"
        assert amounts.numbers_between("1", "2", "cm", "en") == f"1 to 2{NBSP}cm"
        assert amounts.days_between("2026-12-03", "2027-01-29", "en") == (
            "3 December 2026 to 29 January 2027"
        )


def test_days() -> None:
    assert amounts.day("2026-12-09", "es") == "9 de diciembre de 2026"
    assert amounts.day("2026-12-09", "en") == "9 December 2026"
    assert amounts.day("2026-12-09", "es", weekday=True) == "miércoles, 9 de diciembre de 2026"
    assert amounts.day("2026-12-09", "en", weekday=True) == "Wednesday, 9 December 2026"


@pytest.mark.parametrize(
    ("count", "at_least", "spanish", "english"),
    [
        ("1240", False, "1.240", "1,240"),
        ("1240", True, "al menos 1.240", "at least 1,240"),
        ("1999999", False, "más de 1 millón", "more than 1 million"),
        ("410000000", True, "más de 410 millones", "more than 410 million"),
        ("9" * 40, False, "más de un billón", "more than a trillion"),
    ],
)
def test_how_many(app: Flask, count: str, at_least: bool, spanish: str, english: str) -> None:
    with app.test_request_context("/?lang=es"):
        assert amounts.how_many(count, at_least, "es") == spanish
    with app.test_request_context("/?lang=en"):
        assert amounts.how_many(count, at_least, "en") == english


def test_changes_are_counted_in_words(app: Flask) -> None:
    with app.test_request_context("/?lang=es"):
        assert amounts.changes_in_words(1) == "un cambio"
        assert amounts.changes_in_words(2) == "dos cambios"
        assert amounts.changes_in_words(11) == "11 cambios"


@pytest.mark.parametrize(
    ("typed", "locale", "decimals", "read"),
    [
        ("1820", "es", 0, "1820"),
        ("1.820", "es", 0, "1820"),
        ("1,820", "en", 0, "1820"),
        ("1 820 mm", "es", 0, "1820"),
        ("2,3", "es", 1, "2.3"),
        ("2.3", "es", 1, "2.3"),
        ("2,3", "en", 1, "2.3"),
        ("1.820,5", "es", 1, "1820.5"),
        ("1,820.5", "en", 1, "1820.5"),
        ("1.820", "es", 3, "1.820"),
        ("−3", "es", 0, "-3"),
        ("unos 20", "es", 0, "unos 20"),
        ("20 o 30", "es", 0, "20 o 30"),
        ("1.2.3", "en", 0, "1.2.3"),
        ("", "es", 0, ""),
    ],
)
def test_typed_numbers(typed: str, locale: str, decimals: int, read: str) -> None:
    assert amounts.typed_number(typed, locale, decimals) == read


@pytest.mark.parametrize(
    ("typed", "unit", "read"),
    [
        ("1,78 m", "cm", "178"),
        ("1.78m", "cm", "178"),
        ("2,4 metros", "mm", "2400"),
        ("240 cm", "mm", "2400"),
        ("1800 mm", "mm", "1800"),
        ("1800 mm.", "mm", "1800"),
        ("82 kilos", "kg", "82"),
        ("900 g", "kg", "0.9"),
        ("4.600 W", "kW", "4.6"),
        ("29 pulgadas", "inch", "29"),
        ("12 meses", "months", "12"),
        ("500 €", "€", "500"),
        ("29", None, "29"),
        ("29 cm", None, "29"),
        ("180 lb", "kg", "180 lb"),
        ("6 ft", "cm", "6 ft"),
        ("80 kg", "cm", "80 kg"),
    ],
)
def test_numbers_typed_in_another_unit(typed: str, unit: str | None, read: str) -> None:
    assert amounts.typed_number(typed, "es", 1, unit) == read


@given(
    st.decimals(min_value=-999999, max_value=999999, places=2, allow_nan=False),
    st.sampled_from(["es", "en"]),
)
def test_a_number_as_we_write_it_reads_back(value: Decimal, locale: str) -> None:
    read = amounts.typed_number(amounts.number(value, locale), locale, 2)
    assert Decimal(read) == value

"""Moments and days for staff, in their language; template filters for every staff page.

Moments are told on the clocks of where the product is sold, whose time zone is named.
"""

from __future__ import annotations

import datetime
import zoneinfo

from babel.dates import format_date, format_datetime
from flask import Blueprint
from flask_babel import get_locale

from configurator.web.shop.amounts import DATE_LOCALES


def _locale() -> str:
    language = str(get_locale())
    return DATE_LOCALES.get(language, language)


def moment_of(stored: str | datetime.datetime) -> datetime.datetime:
    """A stored moment, ISO 8601 with its zone or UTC, as a ``datetime``."""
    moment = (
        stored if isinstance(stored, datetime.datetime) else datetime.datetime.fromisoformat(stored)
    )
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=datetime.UTC)


def staff_time(stored: str | datetime.datetime, zone: str) -> str:
    """``22 Nov 2026, 17:30:05 (Europe/Madrid)``, in the time zone of that name."""
    return f"{_in_zone(stored, zone, 'd MMM y, HH:mm:ss')} ({zone})"


def staff_clock(stored: str | datetime.datetime, zone: str) -> str:
    """``17:30:05``, for places that name the time zone once for all of them."""
    return _in_zone(stored, zone, "HH:mm:ss")


def _in_zone(stored: str | datetime.datetime, zone: str, pattern: str) -> str:
    moment = moment_of(stored).astimezone(zoneinfo.ZoneInfo(zone))
    return format_datetime(moment, pattern, locale=_locale())


def staff_day(day: datetime.date) -> str:
    """``22 Nov 2026``."""
    return format_date(day, "d MMM y", locale=_locale())


def add_filters(blueprint: Blueprint) -> None:
    """Make the three known to the templates."""
    for name, function in (
        ("staff_time", staff_time),
        ("staff_clock", staff_clock),
        ("staff_day", staff_day),
    ):
        blueprint.add_app_template_filter(function, name)

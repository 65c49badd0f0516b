"""Everything staff read exists in Spanish and English."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
WEB = ROOT / "configurator" / "web"
SOURCES = (
    WEB / "access.py",
    *sorted((WEB / "desk").rglob("*.py")),
    *sorted((WEB / "workshop").rglob("*.py")),
)
TEMPLATES = (
    *sorted((ROOT / "templates" / "desk").rglob("*.html")),
    *sorted((ROOT / "templates" / "workshop").rglob("*.html")),
)
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}
PLACEHOLDER = re.compile(r"%\(\w+\)s")


def said() -> Iterator[tuple[str, str | tuple[str, ...]]]:
    """Every message that code and templates say, with the file that says it."""
    for files, method in ((SOURCES, "python"), (TEMPLATES, "jinja2.ext:babel_extract")):
        for path in files:
            for _, message, _, _ in extract_from_file(method, path, KEYWORDS):
                yield path.name, message


def catalogue(language: str, room: str = "staff") -> Catalog:
    path = ROOT / "configurator" / "translations" / room / language / "LC_MESSAGES"
    with (path / "messages.po").open("rb") as stream:
        return read_po(stream, locale=language)


@pytest.mark.parametrize("language", ["es", "en"])
def test_every_message_is_translated(language: str) -> None:
    known = catalogue(language)
    for name, message in said():
        key = message[0] if isinstance(message, tuple) else message
        entry = known.get(key)
        assert entry is not None, f"{name}: {key!r} is missing in {language}"
        assert not entry.fuzzy, f"{name}: {key!r} is fuzzy in {language}"
        forms = entry.string if isinstance(entry.string, tuple) else (entry.string,)
        assert len(forms) == (2 if isinstance(message, tuple) else 1), key
        assert all(forms), f"{name}: {key!r} is empty in {language}"
        wanted = set(PLACEHOLDER.findall(message[-1] if isinstance(message, tuple) else message))
        assert set(PLACEHOLDER.findall(forms[-1])) == wanted, f"{name}: {key!r} in {language}"


def test_no_translation_is_left_over() -> None:
    used = {message[0] if isinstance(message, tuple) else message for _, message in said()}
    for language in ("es", "en"):
        left = {
            entry.id[0] if isinstance(entry.id, tuple) else entry.id
            for entry in catalogue(language)
            if entry.id
        } - used
        assert not left, f"{language}: {sorted(left)}"


def test_staff_and_shop_say_the_same_words_alike() -> None:
    shop = catalogue("es", "shop")
    for entry in catalogue("es"):
        if entry.id:
            other = shop.get(entry.id[0] if isinstance(entry.id, tuple) else entry.id)
            assert other is None or other.string == entry.string, entry.id

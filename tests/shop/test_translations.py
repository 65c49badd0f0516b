"""Every sentence of the shop exists in Spanish, with the same values to fill in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from configurator.resources import resource_dir

ROOT = Path(__file__).resolve().parents[2]
METHODS = [
    ("configurator/web/shop/**.py", "python"),
    ("templates/shop/**.html", "jinja2"),
    ("templates/layout/**.html", "jinja2"),
]
VALUES = re.compile(r"%\((\w+)\)s")


Said = tuple[str | tuple[str, ...], str | None]


def said() -> set[Said]:
    """Every sentence in code and templates, with its context where it has one."""
    found = {
        (message, context)
        for _, _, message, _, context in extract_from_dir(ROOT, METHODS)
        if isinstance(message, str | tuple)
    }
    assert len(found) > 100, "the extraction finds too little to be true"
    return found


def catalogue(locale: str) -> Catalog:
    path = resource_dir("translations") / "shop" / locale / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as stream:
        return read_po(stream, locale=locale)


@pytest.mark.parametrize("locale", ["es", "en"])
def test_every_sentence_is_translated(locale: str) -> None:
    known = catalogue(locale)
    missing = []
    for message, context in said():
        entry = known.get(message if isinstance(message, str) else message[0], context)
        texts = [] if entry is None else _texts(entry.string)
        if not texts or not all(texts) or entry is None or entry.fuzzy:
            missing.append(message)
    assert not missing, f"without {locale}: {missing}"


def test_translations_fill_in_the_same_values() -> None:
    for message in catalogue("es"):
        wanted = set(VALUES.findall(_texts(message.id)[-1]))
        for text in _texts(message.string):
            if message.id:
                assert set(VALUES.findall(text)) == wanted, message.id


def test_the_staff_s_sentences_do_not_change_the_shop_s() -> None:
    path = resource_dir("translations") / "staff" / "es" / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as stream:
        staff = read_po(stream, locale="es")
    for message in catalogue("es"):
        other = staff.get(message.id, message.context) if message.id else None
        assert other is None or other.string == message.string, message.id


def test_english_is_the_sentence_itself() -> None:
    for message in catalogue("en"):
        if message.id:
            assert _texts(message.string) == _texts(message.id)


def test_nothing_translated_has_gone_from_the_pages() -> None:
    ids = {(_texts(message)[0], context) for message, context in said()}
    gone = [m.id for m in catalogue("es") if m.id and (_texts(m.id)[0], m.context) not in ids]
    assert not gone


def test_spanish_speaks_to_you_and_blames_nobody() -> None:
    for message in catalogue("es"):
        for text in _texts(message.string) if message.id else []:
            assert not re.search(
                r"\b(usted|su|inválid\w*|error\w*|restricci\w*)\b", text, re.IGNORECASE
            ), text


def _texts(entry: object) -> list[str]:
    if isinstance(entry, str):
        return [entry]
    assert isinstance(entry, tuple | list)
    return [str(each) for each in entry]

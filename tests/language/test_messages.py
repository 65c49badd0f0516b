"""The catalogue of messages: complete, in both languages, with the same gaps to fill."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

import configurator.language
import configurator.session.gaps
import configurator.session.lints
from configurator.language.messages import CATALOGUE, WARNINGS

SOURCES = "\n".join(
    file.read_text("utf-8")
    for file in sorted(Path(configurator.language.__file__).parent.glob("*.py"))
    if file.name != "messages.py"
)
SOURCES += Path(configurator.session.gaps.__file__).read_text("utf-8")
SOURCES += Path(configurator.session.lints.__file__).read_text("utf-8")


def gaps(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


@pytest.mark.parametrize("key", sorted(CATALOGUE))
def test_each_message_is_used_and_says_the_same_in_both_languages(key: str) -> None:
    english, spanish, help_english, help_spanish = CATALOGUE[key]
    assert f'"{key}"' in SOURCES
    assert gaps(english) == gaps(spanish)
    assert gaps(help_english) == gaps(help_spanish)
    assert english
    assert spanish
    assert help_english
    assert help_spanish


def test_every_key_reported_in_the_sources_is_in_the_catalogue() -> None:
    reported = set(re.findall(r'"((?:[a-z]+-)*[a-z]+/[a-z-]+)"', SOURCES))
    assert reported - {"a/b"} <= set(CATALOGUE)


def test_spanish_addresses_the_reader_as_tu() -> None:
    polite = re.compile(r"\b(usted|escriba|añada|quite|ponga|cambie|use|borre|elija|mire)\b", re.I)
    for key, (_, spanish, _, help_spanish) in CATALOGUE.items():
        assert not polite.search(f"{spanish} {help_spanish}"), key


def test_only_warnings_can_be_accepted() -> None:
    assert "text-stale" in WARNINGS
    assert not set(WARNINGS) & {"unknown-name", "circular", "void", "never-asked"}


def test_the_specification_lists_every_code() -> None:
    specification = Path(__file__).resolve().parents[2] / "docs" / "language.md"
    text = specification.read_text("utf-8")
    codes = {key.partition("/")[0] for key in CATALOGUE} | set(WARNINGS)
    assert [code for code in sorted(codes) if f"`{code}`" not in text] == []

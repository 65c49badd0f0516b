"""One broken folder per mistake: what was written, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.language.folders import BROKEN, diagnostics, said, split

CASES = sorted(BROKEN.glob("*.txt"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_every_mistake_is_named_at_its_place(case: Path) -> None:
    text = case.read_text("utf-8")
    expected = split(text)["expect"].splitlines()
    assert expected, "a broken folder says what is expected of it"
    assert said(diagnostics(text)) == expected


def test_each_case_is_named_after_the_code_it_shows() -> None:
    for case in CASES:
        if case.stem == "several-at-once":
            continue
        codes = {line.split()[1] for line in split(case.read_text("utf-8"))["expect"].splitlines()}
        assert any(case.stem.startswith(code) for code in codes), case.stem


def test_every_diagnostic_speaks_both_languages_and_helps() -> None:
    for case in CASES:
        for each in diagnostics(case.read_text("utf-8")):
            assert each.message.languages() == ("en", "es")
            assert each.help is not None
            assert each.help.languages() == ("en", "es")
            assert each.message.in_language("en") != each.message.in_language("es")

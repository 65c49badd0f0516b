"""Rendering of diagnostics, and reading folders from disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from configurator.language import digest_of, read_folder, render, to_json
from configurator.language.report import MOST, Report, from_json
from configurator.model.diagnostic import Span
from tests.language.folders import diagnostics

MISTAKE = "rules:\n  - id: a\n    when: material = carbn\n    require: bell\n"


def test_rendered_for_a_terminal_in_both_languages() -> None:
    found = diagnostics(MISTAKE)
    assert render(found, "en") == (
        'rules.yaml:3:22  unknown-value  "carbn" is not an option of material.\n'
        '   help: did you mean "carbon"? material offers aluminium, carbon.\n'
    )
    assert render(found, "es") == (
        "rules.yaml:3:22  unknown-value  «carbn» no es una opción de material.\n"
        "   ayuda: ¿querías decir «carbon»? material ofrece aluminium, carbon.\n"
    )
    assert render((), "es") == ""


def test_json_comes_back_the_same() -> None:
    found = diagnostics(MISTAKE)
    assert from_json(to_json(found)) == found
    assert json.loads(to_json(found))[0]["line"] == 3


def test_ordered_by_file_line_and_column() -> None:
    found = diagnostics(
        "=== z.yaml\nrules:\n  - {id: a, require: bel, when: bel}\n=== b.yaml\nrulez: 1\n"
    )
    assert [(each.span.file, each.span.column) for each in found] == [
        ("b.yaml", 1),
        ("z.yaml", 22),
        ("z.yaml", 33),
    ]


def test_control_characters_of_a_file_never_reach_a_terminal() -> None:
    report = Report()
    report.stop("unknown-key/when", Span("a", 1, 1), word="\x1b[31m\n" + "x" * 500)
    text = render(report.diagnostics(), "en")
    assert "\x1b" not in text
    assert text.count("\n") == 2
    assert len(text) < 500


def test_a_flood_of_mistakes_is_cut_and_counted() -> None:
    report = Report()
    for line in range(MOST + 7):
        report.stop("never-asked", Span("a", line, 1), variable="x")
    found = report.diagnostics()
    assert len(found) == MOST + 1
    assert found[-1].code == "too-many"
    assert "7 more" in found[-1].message.in_language("en")


def test_folders_are_read_by_relative_name(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    (tmp_path / "product.yaml").write_bytes(b"product: a")
    (tmp_path / "tables" / "t.csv").write_bytes(b"a,b")
    (tmp_path / ".hidden").write_bytes(b"x")
    (tmp_path / "link.yaml").symlink_to(tmp_path / "product.yaml")
    assert read_folder(tmp_path) == {"product.yaml": b"product: a", "tables/t.csv": b"a,b"}
    with pytest.raises(NotADirectoryError):
        read_folder(tmp_path / "nowhere")


def test_the_digest_tells_files_apart() -> None:
    one = digest_of({"a": b"bc", "d": b""})
    assert one == digest_of({"d": b"", "a": b"bc"})
    assert one != digest_of({"ab": b"c", "d": b""})
    assert one != digest_of({"a": b"bc"})

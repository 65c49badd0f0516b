"""Shared by the tests of importers: inline models, and where the published ones are."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path

import pytest

from configurator.language.importers import ImportModelError, import_model

MODELS = Path(
    os.environ.get("CONFIGURATOR_MODELS")
    or Path(__file__).resolve().parents[2].parent / "shared" / "models"
)


def model_file(name: str) -> Path:
    """A published model; the test is skipped, with the reason, where it is not there."""
    path = MODELS / name
    if not path.exists():
        pytest.skip(f"no model at {path}; set CONFIGURATOR_MODELS")
    return path


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
    return path


def imported(folder: Path, text: str, name: str = "model.uvl") -> dict[str, str]:
    files = import_model(written(folder, name, text))
    return {file: content.decode() for file, content in files.items()}


def refused(folder: Path, text: str, name: str = "model.uvl") -> list[tuple[str, int, int]]:
    """The code, line and column of everything that keeps a model out."""
    with pytest.raises(ImportModelError) as caught:
        import_model(written(folder, name, text))
    for diagnostic in caught.value.diagnostics:
        assert diagnostic.severity == "stop"
        assert diagnostic.span.file == name
        for text_ in (diagnostic.message, diagnostic.help):
            assert text_ is not None
            assert set(text_.languages()) == {"en", "es"}
    return [(each.code, each.span.line, each.span.column) for each in caught.value.diagnostics]


def rules_of(files: dict[str, str]) -> dict[str, list[str]]:
    """The conditions of each rule, by id: ``["when A", "require B"]``."""
    found: dict[str, list[str]] = {}
    rule = ""
    for line in files["rules.yaml"].splitlines():
        key, _, value = line.strip().removeprefix("- ").partition(": ")
        if key == "id":
            rule = value
            found[rule] = []
        elif key in ("when", "require", "forbid", "table", "kind"):
            found[rule].append(f"{key} {value}")
    return found

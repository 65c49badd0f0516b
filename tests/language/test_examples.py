"""Whole products: the demo products read without a doubt, the worked examples as far as
the language is built."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from configurator.language import load_folder, read_folder

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = Path(
    os.environ.get("CONFIGURATOR_EXAMPLES", ROOT.parent / "shared" / "language-examples")
)
MISSING = {
    "catering": ["needs", "lead time", "tiers", "migrations", "include", "preferences"],
    "energy": ["needs", "preferences"],
    "laptop": ["stock", "needs", "preferences", "lead time"],
    "trail-bike": ["needs", "lead time", "preferences"],
    "wardrobe": ["needs", "parts", "lead time", "preferences"],
}


@pytest.mark.parametrize("name", MISSING)
def test_examples_are_refused_only_by_what_is_not_built_yet(name: str) -> None:
    if not (EXAMPLES / name).is_dir():
        pytest.skip(f"no worked example at {EXAMPLES / name}")
    found = load_folder(read_folder(EXAMPLES / name)).diagnostics
    assert {each.code for each in found} == {"not-yet"}
    named = [each.message.in_language("en").split('"')[1] for each in found]
    assert named == MISSING[name]


@pytest.mark.parametrize(
    "path", sorted((ROOT / "rules").glob("*/product.yaml")), ids=lambda path: path.parent.name
)
def test_demo_products_are_read_without_a_doubt(path: Path) -> None:
    loaded = load_folder(read_folder(path.parent))
    assert loaded.diagnostics == ()
    assert loaded.product is not None
    assert loaded.product.id == path.parent.name

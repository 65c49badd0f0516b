"""Random feature trees as UVL: the imported product has exactly their configurations."""

from __future__ import annotations

import datetime
import itertools
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configurator.engine import EngineError, compile_product
from configurator.language import load_folder
from configurator.language.importers import import_model
from configurator.model.product import Product
from tests.importers.oracle import (
    RandomModel,
    as_uvl,
    configurations_of,
    ordered_of,
    random_models,
)

TODAY = datetime.date(2026, 11, 22)


def product_of(given_model: RandomModel) -> Product:
    return loaded_from("random.uvl", as_uvl(given_model))


def loaded_from(name: str, text: str) -> Product:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_text(text, encoding="utf-8")
        loaded = load_folder(import_model(path))
    assert loaded.product is not None, loaded.diagnostics
    return loaded.product


@given(random_models())
@settings(deadline=None, max_examples=80)
def test_a_product_has_the_configurations_of_its_feature_model(model: RandomModel) -> None:
    assert ordered_of(product_of(model)) == configurations_of(model)


@given(random_models(most=7))
@settings(deadline=None, max_examples=40)
def test_the_engine_offers_exactly_what_the_feature_model_allows(model: RandomModel) -> None:
    product = product_of(model)
    configurations = configurations_of(model)
    if not configurations:
        with pytest.raises(EngineError):
            compile_product(product, TODAY)
        return
    view = compile_product(product, TODAY).view(())
    assert view.count.exact
    assert view.count.number == len(configurations)
    names = {each.id: each.name.in_language("en") for each in product.variables}
    for slot in view.slots:
        open_ = {each.answer for each in slot.options if each.state in ("possible", "implied")}
        name = names[slot.slot]
        assert open_ == {"yes" if name in chosen else "no" for chosen in configurations}


@st.composite
def networks(draw: st.DrawFn) -> tuple[list[list[int]], list[tuple[bool, list[int], set[object]]]]:
    """Domains, and tables over some of them: supports or not, scope, tuples."""
    values = st.lists(st.integers(-2, 3), min_size=1, max_size=3, unique=True)
    domains = draw(st.lists(values, min_size=1, max_size=4))
    tables = []
    for _ in range(draw(st.integers(0, 3))):
        scope = draw(st.lists(st.integers(0, len(domains) - 1), min_size=1, unique=True))
        row = st.tuples(*(st.integers(-2, 3) for _ in scope))
        tables.append((draw(st.booleans()), scope, draw(st.sets(row, max_size=12))))
    return domains, tables


@given(networks())
@settings(deadline=None, max_examples=60)
def test_tables_allow_exactly_what_the_network_allows(
    network: tuple[list[list[int]], list[tuple[bool, list[int], set[tuple[int, ...]]]]],
) -> None:
    domains, tables = network
    parts = ["<instance><domains>"]
    for k, values in enumerate(domains):
        parts.append(f'<domain name="D{k}">{" ".join(map(str, values))}</domain>')
    parts.append("</domains><variables>")
    parts += [f'<variable name="v{k}" domain="D{k}"/>' for k in range(len(domains))]
    parts.append("</variables><relations>")
    for k, (supports, scope, rows) in enumerate(tables):
        semantics = "supports" if supports else "conflicts"
        tuples = "|".join(" ".join(map(str, row)) for row in sorted(rows))
        head = f'<relation name="R{k}" arity="{len(scope)}" semantics="{semantics}">'
        parts.append(f"{head}{tuples}</relation>")
    parts.append("</relations><constraints>")
    for k, (_, scope, _rows) in enumerate(tables):
        names = " ".join(f"v{each}" for each in scope)
        parts.append(f'<constraint name="c{k}" scope="{names}" reference="R{k}"/>')
    parts.append("</constraints></instance>")
    product = loaded_from("network.xml", "".join(parts))
    solutions = [
        row
        for row in itertools.product(*domains)
        if all(
            (tuple(row[v] for v in scope) in rows) == supports for supports, scope, rows in tables
        )
    ]
    if not solutions:
        with pytest.raises(EngineError):
            compile_product(product, TODAY)
        return
    view = compile_product(product, TODAY).view(())
    assert view.count.number == len(solutions)
    for place, slot in enumerate(view.slots):
        open_ = {each.answer for each in slot.options if each.state in ("possible", "implied")}
        assert open_ == {str(row[place]) for row in solutions}


def test_the_same_model_gives_the_same_bytes_under_any_hash_seed(tmp_path: Path) -> None:
    path = tmp_path / "model.uvl"
    names = [f"a_{k}" for k in range(30)] + [f"a-{k}" for k in range(30)]
    features = "".join(f'   "{name}" {{x {k}, y{k % 7} true}}\n' for k, name in enumerate(names))
    path.write_text(f'features\n R\n  [2..5]\n{features}constraints\n "a_1" => "a-2"\n')
    code = (
        "import sys; from pathlib import Path; from configurator.language import digest_of;"
        "from configurator.language.importers import import_model;"
        "print(digest_of(import_model(Path(sys.argv[1]))))"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code, str(path)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert len(digests) == 1

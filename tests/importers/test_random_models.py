"""Random feature trees as UVL: the imported product has exactly their configurations."""

from __future__ import annotations

import datetime
import tempfile
from pathlib import Path

from hypothesis import given, settings

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
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "random.uvl")
        path.write_text(as_uvl(given_model), encoding="utf-8")
        loaded = load_folder(import_model(path))
    assert loaded.product is not None, loaded.diagnostics
    return loaded.product


@given(random_models())
@settings(deadline=None, max_examples=150)
def test_a_product_has_the_configurations_of_its_feature_model(model: RandomModel) -> None:
    assert ordered_of(product_of(model)) == configurations_of(model)

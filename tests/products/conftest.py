"""The demo products and their engines, loaded once for all tests of this folder."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Callable
from pathlib import Path

from configurator.engine import Engine, compile_product
from configurator.language import Loaded, load_folder, read_folder
from configurator.model.product import Product

ROOT = Path(__file__).parents[2]
RULES = ROOT / "rules"
PRODUCTS = tuple(sorted(path.parent.name for path in RULES.glob("*/product.yaml")))
TODAY = datetime.date(2026, 11, 30)


@functools.cache
def loaded(product_id: str) -> Loaded:
    """A demo product's folder, read."""
    return load_folder(read_folder(RULES / product_id))


def product_of(product_id: str) -> Product:
    """A demo product; fails the test where it does not load."""
    product = loaded(product_id).product
    assert product is not None, [each.message for each in loaded(product_id).diagnostics]
    return product


@functools.cache
def engine_of(product_id: str, day: datetime.date) -> Engine:
    """The engine of a demo product on a day."""
    return compile_product(product_of(product_id), day)


def engines_of(product_id: str) -> Callable[[datetime.date], Engine]:
    """The engines of a demo product by day."""
    return functools.partial(engine_of, product_id)

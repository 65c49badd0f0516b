"""What is measured: a small product, and real models where they are at hand."""

from __future__ import annotations

import datetime
import os
import random
from dataclasses import replace
from pathlib import Path

from configurator.engine.lowering import lower
from configurator.engine.network import CostFunction, Network
from configurator.engine.truth import Meaning
from configurator.language import load_folder, read_folder
from configurator.language.importers import import_model
from configurator.model.product import Product

DAY = datetime.date(2026, 1, 15)

REAL = {
    "renault-medium": "renault-medium/medium.xml",
    "renault-megane": "renault-megane/megane111.json.gz",
    "busybox": "feature-models/busybox.uvl",
    "automotive01": "feature-models/automotive01.uvl",
    "automotive02": "feature-models/automotive02_01.uvl",
}


def models() -> Path | None:
    """Where the real models are, if they are here at all."""
    named = os.environ.get("CONFIGURATOR_MODELS")
    folder = Path(named) if named else Path(__file__).parents[2] / "shared" / "models"
    return folder if folder.is_dir() else None


def real(name: str) -> Path | None:
    """The file of a real model, where it is at hand."""
    folder = models()
    path = None if folder is None else folder / REAL[name]
    return path if path is not None and path.is_file() else None


def product_of(path: Path) -> Product:
    """The product of a rule folder or of a model to import."""
    loaded = load_folder(read_folder(path) if path.is_dir() else import_model(path))
    if loaded.product is None:
        raise SystemExit(f"{path}: {loaded.diagnostics[0]}")
    return loaded.product


def network_of(path: Path) -> Network:
    """The constraint network of a rule folder or of a model to import."""
    return lower(Meaning(product_of(path), DAY)).network


def priced_network_of(path: Path) -> Network:
    """The same with random prices, which real models do not bring along."""
    return priced(network_of(path), 1)


def priced(network: Network, seed: int) -> Network:
    """The network with a random price for each value of each variable it shows."""
    draw = random.Random(f"prices {seed}")
    costs = tuple(
        CostFunction(
            (index,),
            (0, *(100 * draw.randint(0, 400) for _ in range(variable.size - 1))),
            variable.name,
        )
        for index, variable in enumerate(network.variables)
        if not variable.hidden
    )
    return replace(network, costs=costs)


def names_of(path: Path) -> list[str]:
    """How the file itself calls what became each variable of the network."""
    product = product_of(path)
    named = {each.id: each.name.in_language("en") for each in product.variables}
    variables = lower(Meaning(product, DAY)).network.variables
    return [named.get(variable.name, "") for variable in variables]


def small() -> Network:
    """The network of the small product."""
    loaded = load_folder(small_product())
    assert loaded.product is not None, loaded.diagnostics[:3]
    return lower(Meaning(loaded.product, DAY)).network


def small_product(seed: int = 1) -> dict[str, bytes]:
    """A product of 12 questions with 5 options, 20 rules and one weight limit."""
    randomness = random.Random(seed)
    names = [f"q{number}" for number in range(12)]
    options = {
        name: ", ".join(
            f"{name}v{value}: {{name: V{value}, weight: {randomness.randint(1, 20)}, "
            f"price: {randomness.randint(0, 90)}.00}}"
            for value in range(5)
        )
        for name in names
    }
    variables = "\n".join(
        f"  {name}: {{name: {name}, values: {{{options[name]}}}}}" for name in names
    )
    rules = []
    for number in range(20):
        one, other = randomness.sample(names, 2)
        when = randomness.sample(range(5), 2)
        allowed = randomness.sample(range(5), 3)
        rules.append(
            f'  - {{id: r{number}, when: "{one} in [{one}v{when[0]}, {one}v{when[1]}]", '
            f'require: "{other} in [{", ".join(f"{other}v{v}" for v in allowed)}]", '
            "because: So it is.}"
        )
    text = (
        "product: small\nname: Small\nlanguage: en\nlanguages: [en]\n"
        "attributes:\n  weight: {unit: g}\n"
        f"variables:\n{variables}\nrules:\n" + "\n".join(rules) + "\n"
        "  - {id: weight, require: sum(weight) <= 130 g, because: It is too heavy.}\n"
        "prices: {currency: EUR, base: 100.00}\n"
    )
    return {"product.yaml": text.encode()}

"""What is on sale: a list, and each product with its questions and options."""

from __future__ import annotations

from typing import Any

from configurator.web.access import services
from configurator.web.api.documented import DocumentedBlueprint, address
from configurator.web.api.elsewhere import tell_methods
from configurator.web.api.problems import ProblemError, answer_with_problems
from configurator.web.api.render import product_json, summary_json
from configurator.web.api.schemas import ProductDetail, ProductList

Json = dict[str, Any]

blueprint = DocumentedBlueprint("products", __name__, description="What is on sale.")
answer_with_problems(blueprint)
blueprint.before_request(tell_methods)


@address(blueprint, "/products", ProductList)
def list_products() -> Json:
    """Every product on sale, each with its current release."""
    return {"products": [summary_json(release) for release in services().catalogue.products()]}


@address(blueprint, "/products/<product_id>", ProductDetail)
def show_product(product_id: str) -> Json:
    """A product's current release: steps, variables, options, guards, texts by language."""
    if not product_id.isprintable():
        raise ProblemError("unknown-product")
    catalogue = services().catalogue
    release = catalogue.current(product_id)
    return product_json(release, catalogue.product(release.digest))

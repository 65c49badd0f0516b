"""Checks over the whole product that stop: rings, questions nobody asks."""

from __future__ import annotations

from configurator.language.draft import Draft
from configurator.model.product import Product


def check(draft: Draft, product: Product) -> None:
    """Report what only shows once everything is read."""
    asked = {name for step in product.steps for name in step.ask}
    for variable in product.variables:
        if variable.kind != "computed" and variable.show == "ask" and variable.id not in asked:
            draft.report.stop("never-asked", variable.span, variable=variable.id)

"""The customer's pages: catalogue, configurator, why, review, done.

Renders views in a product's words; what is possible and what it costs is never worked
out here.
"""

from __future__ import annotations

from typing import Final

from flask import Blueprint

from configurator.web.shop import actions, errors, pages

blueprint: Final = Blueprint("shop", __name__)
pages.register(blueprint)
actions.register(blueprint)
errors.register(blueprint)

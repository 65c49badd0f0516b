"""What the application wired together, as the shop's pages reach it."""

from __future__ import annotations

import datetime
from functools import lru_cache

import structlog
from flask import current_app

from configurator.catalogue import Catalogue
from configurator.language.pictures import PICTURE, Picture, PictureError
from configurator.session import Sessions

log = structlog.get_logger(__name__)


def sessions() -> Sessions:
    """The use cases of a configuration."""
    found: Sessions = current_app.extensions["configurator"].sessions
    return found


def catalogue() -> Catalogue:
    """The releases on sale."""
    found: Catalogue = current_app.extensions["configurator"].catalogue
    return found


def now() -> datetime.datetime:
    """The present moment."""
    moment: datetime.datetime = current_app.extensions["configurator"].clock()
    return moment


def picture(release: str, product_id: str) -> Picture | None:
    """The picture of a release; ``None`` where it has none that can be shown."""
    return _picture(catalogue(), release, product_id)


@lru_cache(maxsize=64)
def _picture(shelf: Catalogue, release: str, product_id: str) -> Picture | None:
    files = shelf.files(release)
    svg = files.get(shelf.product(release).picture or PICTURE)
    if svg is None:
        return None
    try:
        return Picture(svg, product_id)
    except PictureError as problem:
        log.warning("picture left out", release=release, product=product_id, problem=str(problem))
        return None

"""Products as immutable releases: published, rolled back, compiled once.

Knows the language, the engine and the database; knows nothing of sessions or pages.
"""

from configurator.catalogue.catalogue import Catalogue, Published
from configurator.catalogue.errors import (
    CatalogueError,
    ReasonMissingError,
    UnknownProductError,
    UnknownReleaseError,
    UnreadableReleaseError,
)
from configurator.catalogue.releases import Publication, Release

__all__ = [
    "Catalogue",
    "CatalogueError",
    "Publication",
    "Published",
    "ReasonMissingError",
    "Release",
    "UnknownProductError",
    "UnknownReleaseError",
    "UnreadableReleaseError",
]

"""Products as immutable releases: published, rolled back, compiled once.

Knows the language, the engine and the database; knows nothing of sessions or pages.
"""

from configurator.catalogue.catalogue import (
    Catalogue,
    CheckProgress,
    Findings,
    Load,
    Published,
    Stage,
    Telling,
)
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
    "CheckProgress",
    "Findings",
    "Load",
    "Publication",
    "Published",
    "ReasonMissingError",
    "Release",
    "Stage",
    "Telling",
    "UnknownProductError",
    "UnknownReleaseError",
    "UnreadableReleaseError",
]

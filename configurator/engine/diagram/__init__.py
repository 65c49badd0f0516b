"""The compiled backend: an AND/OR multi-valued decision diagram of a network.

Compiled once at publish, frozen to flat arrays, swept up and down once per click (see
``docs/diagram.md``). Knows networks and the backend seam; nothing of products.
"""

from configurator.engine.diagram.backend import DiagramBackend
from configurator.engine.diagram.compiler import (
    CompileProgress,
    TooWideError,
    compile_diagram,
    load_diagram,
    network_digest,
)
from configurator.engine.diagram.storage import DiagramFileError

__all__ = [
    "CompileProgress",
    "DiagramBackend",
    "DiagramFileError",
    "TooWideError",
    "compile_diagram",
    "load_diagram",
    "network_digest",
]

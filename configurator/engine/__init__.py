"""The compiled product: valid domains, conflicts, repairs, completions, prices, counts.

Knows the model only. Third-party solvers stay in ``engine.sat`` and
``engine.constraint_backend``. See docs/engine.md.
"""

from configurator.engine.building import Limits, Progress
from configurator.engine.compile import compile_product
from configurator.engine.engine import Engine
from configurator.engine.errors import EngineError, TooWide, UnknownChoiceError

__all__ = [
    "Engine",
    "EngineError",
    "Limits",
    "Progress",
    "TooWide",
    "UnknownChoiceError",
    "compile_product",
]

"""From a product on one day to a constraint network, exactly, or not at all.

See docs/engine.md, "Lowering".
"""

from configurator.engine.lowering.lower import Lowered, lower

__all__ = ["Lowered", "lower"]

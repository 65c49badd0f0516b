"""The SAT backend. Only this package imports PySAT."""

from configurator.engine.sat.backend import SatBackend

__all__ = ["SatBackend"]

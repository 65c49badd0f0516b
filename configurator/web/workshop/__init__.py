"""The workshop: products and their releases; check, publish and roll back rule folders."""

from configurator.web.workshop.pages import blueprint

__all__ = ["blueprint"]

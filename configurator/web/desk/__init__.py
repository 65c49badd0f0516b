"""The desk: find a configuration by its code and replay it as the customer saw it."""

from configurator.web.desk.pages import blueprint

__all__ = ["blueprint"]

"""A product configurator: exact guidance, reasons, repairs and a decision trail."""

__version__ = "0.2.0"

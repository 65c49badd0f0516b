"""Rule folders as one text: ``=== name`` starts a file, ``=== expect`` what is said of it."""

from __future__ import annotations

from pathlib import Path

from configurator.language import load_folder
from configurator.model.diagnostic import Diagnostic
from configurator.model.product import Product

BROKEN = Path(__file__).parent / "broken"

BASE = """\
product: bike
name: Bike
language: en
attributes:
  weight: {unit: g}
  thickness: {unit: mm}
  textured: {type: yes or no}
context:
  area: {values: {mainland: {}, islands: {}}, if missing: mainland}
variables:
  material:
    values:
      aluminium: {thickness: 3, weight: 1900}
      carbon: {thickness: 2, weight: 1250, price: 900.00}
  brakes: {values: {rim: {weight: 600}, disc: {price: 60.00}}}
  width: {type: number, range: 600..3600, step: 10, unit: mm}
  depth: {values: {400: {}, 500: {}, 600: {}}, unit: mm}
  bell: {type: yes or no}
  extras: {type: several of, each: 0..3, values: {rack: {weight: 700}, mudguards: {}}}
  lights: {optional: yes, values: {front: {}, rear: {}}}
  plate: {type: text, optional: yes}
  start: {type: date, range: 1..60 days from today}
"""
"""The product every test adds to, unless it brings its own ``product.yaml``."""


def split(text: str) -> dict[str, str]:
    """The parts of a folder written as one text; without a heading it is ``rules.yaml``."""
    parts: dict[str, str] = {}
    name = "rules.yaml"
    for line in text.splitlines(keepends=True):
        if line.startswith("=== "):
            name = line[4:].strip()
            parts[name] = ""
        else:
            parts[name] = parts.get(name, "") + line
    return parts


def folder(text: str) -> dict[str, bytes]:
    """The files of ``text``, with the base product where it brings none."""
    parts = {"product.yaml": BASE, **split(text)}
    parts.pop("expect", None)
    return {name: content.encode("utf-8") for name, content in parts.items()}


def diagnostics(text: str) -> tuple[Diagnostic, ...]:
    """What is said of a folder."""
    return load_folder(folder(text)).diagnostics


def product(text: str) -> Product:
    """The product of a folder that must have no mistakes."""
    loaded = load_folder(folder(text))
    assert loaded.product is not None, loaded.diagnostics
    return loaded.product


def said(found: tuple[Diagnostic, ...]) -> list[str]:
    """Diagnostics as ``file:line:column code message``, in English."""
    return [
        f"{each.span.file}:{each.span.line}:{each.span.column} {each.code} "
        f"{each.message.in_language('en')}"
        for each in found
    ]

"""Build hook: brings in htmx from a pinned package and compiles the translations.

Runs when a wheel or an editable install is built, and never at run time. htmx is
taken out of the ``django-htmx`` package (which carries it unmodified), so that neither
Node nor a copy of it in this repository is needed; its digest is checked.
"""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HTMX_SHA256 = "71ea67185bfa8c98c39d31717c6fce5d852370fcdfd129db4543774d3145c0de"


def copy_htmx(root: Path) -> None:
    """Copy htmx into ``static/vendor``; raises ``RuntimeError`` if it is not the pinned one."""
    spec = importlib.util.find_spec("django_htmx")
    if spec is None or spec.origin is None:
        raise RuntimeError("django-htmx is missing: it carries htmx and is needed to build")
    source = Path(spec.origin).parent / "static" / "django_htmx" / "htmx-2.min.js"
    content = source.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != HTMX_SHA256:
        raise RuntimeError(f"htmx has digest {digest}, expected {HTMX_SHA256}")
    target = root / "static" / "vendor"
    target.mkdir(parents=True, exist_ok=True)
    (target / "htmx.min.js").write_bytes(content)
    (target / "htmx.LICENSE.txt").write_text(
        "htmx 2, https://htmx.org, Zero-Clause BSD\n"
        "Permission to use, copy, modify, and/or distribute this software for any purpose with\n"
        "or without fee is hereby granted.\n"
        'THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD\n'
        "TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS.\n",
        encoding="utf-8",
    )


def compile_translations(root: Path) -> None:
    """Compile every ``.po`` catalogue beside itself into a ``.mo``."""
    for source in sorted((root / "configurator" / "translations").rglob("*.po")):
        with source.open("rb") as stream:
            catalogue = read_po(stream, locale=source.parts[-3])
        with source.with_suffix(".mo").open("wb") as stream:
            write_mo(stream, catalogue)


class BuildAssets(BuildHookInterface):  # type: ignore[misc]
    """The hook hatchling calls before it packs."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the assets; ``build_data`` is left as it is."""
        root = Path(self.root)
        copy_htmx(root)
        compile_translations(root)

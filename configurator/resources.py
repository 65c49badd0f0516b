"""Finds the folders that ship with the code: templates, static, rules.

In a wheel they stand inside the package, in a checkout beside it.
"""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def resource_dir(name: str) -> Path:
    """The absolute path of a shipped folder; raises ``FileNotFoundError``."""
    for candidate in (PACKAGE / name, PACKAGE.parent / name):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"the folder {name!r} that ships with the configurator is missing")

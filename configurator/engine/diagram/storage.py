"""A diagram on disk: one ``.npy`` file per array, mapped read-only, and a small manifest.

Knows nothing of what the arrays mean. A folder is written beside its place and then moved
there, so a reader sees the whole or nothing. Loading checks the format version and the
digest of every file, so that a damaged or foreign folder is refused, never read wrongly.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

FORMAT = 3
MANIFEST = "manifest.json"

AnyArray = npt.NDArray[np.generic]


class DiagramFileError(Exception):
    """A stored diagram cannot be used; ``reason`` says why and what to do."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(f"the compiled diagram in {folder} cannot be used: {reason}")
        self.folder = folder
        self.reason = reason


def save_arrays(folder: Path, arrays: Mapping[str, AnyArray], about: dict[str, Any]) -> None:
    """Write the arrays and a manifest holding ``about``; replaces what was there."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        files = {}
        for name, array in arrays.items():
            path = fresh / f"{name}.npy"
            with path.open("wb") as file:
                np.save(file, array, allow_pickle=False)
                file.flush()
                os.fsync(file.fileno())
            files[name] = _digest(path)
        manifest = {"format": FORMAT, "about": about, "files": files}
        with (fresh / MANIFEST).open("w", encoding="utf-8") as text:
            json.dump(manifest, text, indent=1, sort_keys=True)
            text.flush()
            os.fsync(text.fileno())
        _move_into_place(fresh, folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _move_into_place(fresh: Path, folder: Path) -> None:
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
    try:
        while True:
            try:
                fresh.rename(folder)
            except OSError:
                if not folder.exists():
                    raise
            else:
                return
            try:
                folder.rename(old / folder.name)
            except FileNotFoundError:
                continue  # another writer moved it first; ours is tried again
    finally:
        shutil.rmtree(old, ignore_errors=True)


def load_arrays(
    folder: Path, several: tuple[tuple[str, ...], ...]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """All arrays, mapped read-only, and what was said about them.

    Their names must be one of ``several`` lists. Raises ``DiagramFileError``.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DiagramFileError(folder, "there is no manifest; compile again") from error
    except (OSError, ValueError) as error:
        raise DiagramFileError(folder, "its manifest cannot be read; compile again") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise DiagramFileError(folder, f"its format is not version {FORMAT}; compile again")
    files, about = manifest.get("files"), manifest.get("about")
    names = next(
        (each for each in several if isinstance(files, dict) and set(files) == set(each)), ()
    )
    if not isinstance(files, dict) or not isinstance(about, dict) or not names:
        raise DiagramFileError(folder, "its list of files is not complete; compile again")
    arrays: dict[str, Any] = {}
    for name in names:
        path = folder / f"{name}.npy"
        try:
            if _digest(path) != files[name]:
                raise DiagramFileError(folder, f"{path.name} is damaged; compile again")
            mapped = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            reason = f"{path.name} is missing or damaged; compile again"
            raise DiagramFileError(folder, reason) from error
        # A plain view of the mapped pages: loops compiled for arrays take it as it is.
        arrays[name] = np.asarray(mapped)
    return arrays, about


def facts_of(folder: Path, about: dict[str, Any], kinds: dict[str, type]) -> dict[str, Any]:
    """The entries of a manifest, each of the type it must have."""
    for name, kind in kinds.items():
        if type(about.get(name)) is not kind:
            raise DiagramFileError(folder, f"its manifest lacks {name}; compile again")
    return about


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

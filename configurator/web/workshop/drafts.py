"""Keeps the drafts that merchandisers sent in, by their digest, until they are published.

A draft is one zip written by us, named after the digest of its files and its owner, so
that what was checked is what is published. The oldest make room for the newest.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from configurator.language import digest_of

KEPT_EACH: Final = 20
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


class UnknownDraftError(LookupError):
    """There is no such draft of this person; it may have made room for newer ones."""


class DraftShelf:
    """Drafts in a folder, each member of staff's apart."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, owner: str, files: Mapping[str, bytes]) -> str:
        """Keep a draft; returns its digest. Raises ``OSError`` where there is no room, and
        leaves nothing of it then."""
        digest = digest_of(files)
        shelf = self._shelf(owner)
        shelf.mkdir(parents=True, exist_ok=True, mode=0o700)
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in sorted(files):
                archive.writestr(zipfile.ZipInfo(name, _EPOCH), files[name], zipfile.ZIP_DEFLATED)
        descriptor, temporary = tempfile.mkstemp(dir=shelf)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content.getvalue())
            Path(temporary).replace(shelf / f"{digest}.zip")
        except OSError:
            Path(temporary).unlink()
            raise
        kept = sorted(shelf.glob("*.zip"), key=lambda path: path.stat().st_mtime_ns)
        for old in kept[:-KEPT_EACH]:
            old.unlink(missing_ok=True)
        return digest

    def files(self, owner: str, digest: str) -> dict[str, bytes]:
        """The files of a draft; raises ``UnknownDraftError``."""
        if not _DIGEST.fullmatch(digest):
            raise UnknownDraftError(digest)
        try:
            content = (self._shelf(owner) / f"{digest}.zip").read_bytes()
        except FileNotFoundError as missing:
            raise UnknownDraftError(digest) from missing
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    def _shelf(self, owner: str) -> Path:
        return self._folder / hashlib.sha256(owner.encode()).hexdigest()[:32]

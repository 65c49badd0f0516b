"""Reading a model's file within limits: size, encoding, text without control letters.

Knows nothing of what the text means.
"""

from __future__ import annotations

import bisect
import gzip
import re
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from configurator.language.importers.fault import ImportModelError, both, fault
from configurator.model.diagnostic import Span

MOST_BYTES = 64 * 2**20
"""Larger than any published model by far; also the limit after decompression."""

_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]")


@dataclass(frozen=True)
class Source:
    """A model's text under the name that messages give it."""

    name: str
    text: str

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer(r"\r\n?|\n", self.text))]

    def span(self, offset: int) -> Span:
        """The place of a character, by its offset in ``text``."""
        line = bisect.bisect_right(self._line_starts, offset)
        return Span(self.name, line, offset - self._line_starts[line - 1] + 1)


def read_bytes(path: Path) -> bytes:
    """The file's bytes, unpacked if its name ends in ``.gz``.

    Raises ``ImportModelError`` where it cannot be read, is too large, or is no gzip.
    """
    place = Span(path.name, 1, 1)
    try:
        if path.suffix == ".gz":
            with gzip.open(path) as stream:
                data = stream.read(MOST_BYTES + 1)
        else:
            with path.open("rb") as stream:
                data = stream.read(MOST_BYTES + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        message = both(
            f"«{path.name}» está dañado: no se puede descomprimir.",
            f'"{path.name}" is damaged: it cannot be unpacked.',
        )
        cure = both("Vuelve a descargarlo.", "Download it again.")
        raise ImportModelError([fault("unreadable-file", place, message, cure)]) from None
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or "?"
        message = both(
            f"«{path.name}» no se puede leer ({reason}).",
            f'"{path.name}" cannot be read ({reason}).',
        )
        cure = both(
            "Comprueba la ruta y los permisos del archivo.",
            "Check the file's path and permissions.",
        )
        raise ImportModelError([fault("unreadable-file", place, message, cure)]) from None
    if len(data) > MOST_BYTES:
        message = both(
            f"«{path.name}» ocupa más de {MOST_BYTES >> 20} MB.",
            f'"{path.name}" is larger than {MOST_BYTES >> 20} MB.',
        )
        cure = both("Divide el modelo.", "Split the model.")
        raise ImportModelError([fault("too-large", place, message, cure)])
    return data


def decode(data: bytes, name: str) -> Source:
    """The text of a file; raises ``ImportModelError`` where it is no clean UTF-8."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        before = data[: problem.start]
        line = before.count(b"\n") + 1
        column = len(before) - (before.rfind(b"\n") + 1) + 1
        raise _not_text(Span(name, line, column)) from None
    source = Source(name, text)
    control = _CONTROL.search(text)
    if control is not None:
        raise _not_text(source.span(control.start()))
    return source


def _not_text(span: Span) -> ImportModelError:
    message = both("Aquí no hay texto en UTF-8.", "This is not UTF-8 text.")
    cure = both(
        "Guarda el modelo como texto en UTF-8.", "Save the model as text, encoded in UTF-8."
    )
    return ImportModelError([fault("not-text", span, message, cure)])

"""The files of a rule folder as bytes: reading, digest, and the checks before parsing.

Hostile bytes are refused here, cheaply, before any parser sees them.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path

from configurator.language.report import Report
from configurator.model.diagnostic import Span

MOST_YAML_BYTES = 16_000_000
MOST_TABLE_BYTES = 64_000_000
MOST_DIGITS = 4_000
DEPTH = 50

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff\ud800-\udfff]")
_ODD_INDENT = re.compile(r"^ *[\xa0\u2000-\u200b\u202f\u3000]", re.MULTILINE)
_DIGITS = re.compile(rf"\d{{{MOST_DIGITS + 1}}}")
_BRACKETS = re.compile(rf"(?:[\[{{][ \r\n]*){{{DEPTH + 1}}}")


def read_folder(path: Path) -> dict[str, bytes]:
    """The files of a rule folder by relative name; hidden files and links are left out.

    Raises ``OSError`` where the folder cannot be read.
    """
    if not path.is_dir():
        raise NotADirectoryError(f"{path} is not a folder")
    found = {}
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path)
        if any(part.startswith(".") for part in name.parts) or file.is_symlink():
            continue
        if file.is_file():
            found[name.as_posix()] = file.read_bytes()
    return found


def digest_of(files: Mapping[str, bytes]) -> str:
    """SHA-256, in hex, over names and contents; the order of the files is immaterial."""
    digest = hashlib.sha256()
    for name in sorted(files):
        encoded = name.encode("utf-8", "surrogatepass")
        for part in (encoded, files[name]):
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
    return digest.hexdigest()


def decode(report: Report, name: str, content: bytes, limit: int) -> str | None:
    """The text of a file, NFC, or ``None`` after a diagnostic where it is not fit to read."""
    if len(content) > limit:
        report.stop("too-large/file", Span(name, 1, 1), size=len(content), limit=limit)
        return None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as broken:
        line = content.count(b"\n", 0, broken.start) + 1
        column = broken.start - (content.rfind(b"\n", 0, broken.start) + 1) + 1
        report.stop("bad-file/encoding", Span(name, line, column))
        return None
    for key, pattern in (
        ("bad-file/control", _CONTROL),
        ("too-large/digits", _DIGITS),
    ):
        match = pattern.search(text)
        if match:
            report.stop(key, place(name, text, match.start()))
            return None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)


def decode_yaml(report: Report, name: str, content: bytes) -> str | None:
    """As ``decode``, with what the YAML subset refuses and can be seen without parsing."""
    text = decode(report, name, content, MOST_YAML_BYTES)
    if text is None:
        return None
    tab = text.find("\t")
    if tab >= 0:
        report.stop("yaml-feature/tab", place(name, text, tab))
        return None
    odd = _ODD_INDENT.search(text)
    if odd:
        report.stop("yaml-feature/space", place(name, text, odd.end() - 1))
        return None
    deep = _BRACKETS.search(text)
    if deep:
        report.stop("too-large/depth", place(name, text, deep.start()), depth=DEPTH)
        return None
    return text


def place(name: str, text: str, offset: int) -> Span:
    """The line and column of an offset in a text."""
    line_start = text.rfind("\n", 0, offset) + 1
    return Span(name, text.count("\n", 0, offset) + 1, offset - line_start + 1)

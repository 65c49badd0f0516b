"""Opens the zip of a rule folder, believing nothing it says about itself.

Sizes are counted while reading, names are checked before anything is read, and nothing
is written anywhere. What is not accepted comes back as a reason, never half a folder.
"""

from __future__ import annotations

import io
import stat
import unicodedata
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import Final

from configurator.model.text import Text

LARGEST_ZIP: Final = 5 * 1024 * 1024
LARGEST_FOLDER: Final = 20 * 1024 * 1024
MOST_FILES: Final = 400
MOST_ENTRIES: Final = 2000
DEEPEST: Final = 6
LONGEST_NAME: Final = 200
SUFFIXES: Final = (".yaml", ".yml", ".csv", ".xlsx", ".svg", ".md", ".txt")
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_CHUNK: Final = 64 * 1024
_CLUTTER: Final = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")


class UnpackError(Exception):
    """The zip is not accepted; ``reason`` says why and what to do."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason.in_language("en"))
        self.reason = reason


def _refuse(en: str, es: str) -> UnpackError:
    return UnpackError(Text.of({"en": en, "es": es}))


def unpack(content: bytes) -> dict[str, bytes]:
    """The files of a zipped rule folder: relative names to contents.

    A single folder around everything is taken off, and what file managers add is left
    out. Raises ``UnpackError``.
    """
    if len(content) > LARGEST_ZIP:
        raise _refuse(
            "The zip is larger than 5 MB. Send the rule folder alone.",
            "El zip pasa de 5 MB. Envía solo la carpeta de reglas.",
        )
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _without_wrapper(_read_all(archive))
    except UnpackError:
        raise
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        zlib.error,
        NotImplementedError,
        RuntimeError,
        ValueError,
        EOFError,
        OSError,
    ) as problem:
        raise _refuse(
            "This is no zip that can be opened. Zip the rule folder again and send that.",
            "Esto no es un zip que se pueda abrir. Vuelve a comprimir la carpeta y envíala.",
        ) from problem


def _read_all(archive: zipfile.ZipFile) -> dict[str, bytes]:
    entries = archive.infolist()
    if len(entries) > MOST_ENTRIES:
        raise _too_many()
    files: dict[str, bytes] = {}
    left = LARGEST_FOLDER
    for entry in entries:
        name = _checked_name(entry)
        if name is None:
            continue
        if name in files:
            raise _refuse(
                f"“{name}” is in the zip twice. Zip the folder again.",
                f"«{name}» está dos veces en el zip. Vuelve a comprimir la carpeta.",
            )
        if len(files) == MOST_FILES:
            raise _too_many()
        files[name] = _read_one(archive, entry, left)
        left -= len(files[name])
    if not files:
        raise _refuse(
            "The zip holds no files. Zip the rule folder with its product.yaml.",
            "El zip no contiene archivos. Comprime la carpeta con su product.yaml.",
        )
    return files


def _too_many() -> UnpackError:
    return _refuse(
        f"The zip holds more than {MOST_FILES} files. Send the rule folder alone.",
        f"El zip contiene más de {MOST_FILES} archivos. Envía solo la carpeta de reglas.",
    )


def _checked_name(entry: zipfile.ZipInfo) -> str | None:
    """The normalised name of an entry to read, ``None`` for one to leave out."""
    raw = entry.orig_filename
    shown = "".join(letter if letter.isprintable() else "�" for letter in raw)[:80]
    parts = PurePosixPath(raw).parts
    if (
        not raw
        or "\\" in raw
        or ":" in raw
        or raw.startswith("/")
        or ".." in raw.split("/")
        or not all(letter.isprintable() for letter in raw)
    ):
        raise _refuse(
            f"“{shown}” is not a name inside the folder. Zip the folder itself.",
            f"«{shown}» no es un nombre dentro de la carpeta. Comprime la carpeta misma.",
        )
    mode = entry.external_attr >> 16
    if mode and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) and stat.S_IFMT(mode):
        raise _refuse(
            f"“{shown}” is a link, not a file. Put the file itself in its place.",
            f"«{shown}» es un enlace, no un archivo. Pon el archivo en su lugar.",
        )
    if entry.flag_bits & 0x1:
        raise _refuse(
            "The zip asks for a password. Zip the folder without one.",
            "El zip pide contraseña. Comprime la carpeta sin ella.",
        )
    if entry.is_dir() or any(part in _CLUTTER or part.startswith("._") for part in parts):
        return None
    if len(parts) > DEEPEST or len(raw) > LONGEST_NAME:
        raise _refuse(
            f"“{shown}” lies too deep or has too long a name.",
            f"«{shown}» está demasiado hondo o su nombre es demasiado largo.",
        )
    if not raw.lower().endswith(SUFFIXES):
        raise _refuse(
            f"“{shown}” does not belong in a rule folder. It may hold {', '.join(SUFFIXES)}.",
            f"«{shown}» no es de una carpeta de reglas. Puede tener {', '.join(SUFFIXES)}.",
        )
    if entry.compress_type not in _METHODS:
        raise _refuse(
            f"“{shown}” is packed in an unusual way. Zip the folder with the usual settings.",
            f"«{shown}» está comprimido de forma poco común. Usa los ajustes habituales.",
        )
    return unicodedata.normalize("NFC", str(PurePosixPath(raw)))


def _read_one(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, left: int) -> bytes:
    """Read an entry, counting what comes out rather than believing what it declares."""
    read = bytearray()
    with archive.open(entry) as stream:
        while chunk := stream.read(_CHUNK):
            read += chunk
            if len(read) > left:
                raise _refuse(
                    "Unpacked, the folder is larger than 20 MB. Send the rule folder alone.",
                    "Descomprimida, la carpeta pasa de 20 MB. Envía solo la carpeta de reglas.",
                )
    return bytes(read)


def _without_wrapper(files: dict[str, bytes]) -> dict[str, bytes]:
    """Take off a single folder around everything."""
    tops = {name.split("/", 1)[0] for name in files}
    if len(tops) == 1 and all("/" in name for name in files):
        return {name.split("/", 1)[1]: content for name, content in files.items()}
    return files

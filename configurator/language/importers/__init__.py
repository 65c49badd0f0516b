"""Models of other worlds as rule folders: UVL, SXFM, XCSP 2.1, CLib.

What the rule language cannot say is refused by name, with its place and a way out; it
is never left out in silence. Importing knows nothing of the engine.
"""

from __future__ import annotations

from pathlib import Path

from configurator.language.importers.clib import read_clib
from configurator.language.importers.fault import ImportModelError, both, fault
from configurator.language.importers.source import Source, decode, read_bytes
from configurator.language.importers.sxfm import read_sxfm
from configurator.language.importers.uvl import read_uvl
from configurator.language.importers.write_features import feature_folder
from configurator.language.importers.write_tables import table_folder
from configurator.language.importers.xcsp import read_xcsp
from configurator.model.diagnostic import Span

__all__ = ["ImportModelError", "import_model", "import_to_folder"]


def import_model(path: Path) -> dict[str, bytes]:
    """The rule folder that says what the model in ``path`` says, by file name.

    The format follows from the name (``.uvl``, ``.sxfm``, ``.json``, ``.json.gz``) and,
    for ``.xml``, from what is inside. The same file gives the same bytes. Raises
    ``ImportModelError`` where the model is faulty or goes beyond the rule language.
    """
    name = path.name.removesuffix(".gz")
    source = decode(read_bytes(path), name)
    if name.endswith(".uvl"):
        return feature_folder(read_uvl(source, path.parent))
    if name.endswith(".json"):
        return table_folder(read_clib(source))
    if name.endswith(".sxfm") or (name.endswith(".xml") and "<feature_model" in source.text):
        return feature_folder(read_sxfm(source))
    if name.endswith((".xml", ".xcsp")):
        return table_folder(read_xcsp(source))
    raise _unknown_format(source)


def import_to_folder(path: Path, folder: Path) -> tuple[Path, ...]:
    """Import ``path`` and write the files below ``folder``; the files written, in order.

    Raises ``ImportModelError`` as ``import_model`` does, and where ``folder`` already
    holds something: an import never overwrites work.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        message = both(f"«{folder}» no está vacía.", f'"{folder}" is not empty.')
        cure = both("Elige una carpeta nueva con --to.", "Choose a new folder with --to.")
        raise ImportModelError([fault("folder-in-use", Span(path.name, 1, 1), message, cure)])
    files = import_model(path)
    written = []
    for name, content in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        written.append(target)
    return tuple(written)


def _unknown_format(source: Source) -> ImportModelError:
    message = both(
        f"El nombre «{source.name}» no dice qué formato es.",
        f'The name "{source.name}" does not tell its format.',
    )
    cure = both(
        "Se importan .uvl, .sxfm, .xml (SXFM o XCSP 2.1) y .json (CLib).",
        "What comes in: .uvl, .sxfm, .xml (SXFM or XCSP 2.1) and .json (CLib).",
    )
    return ImportModelError([fault("unknown-format", Span(source.name, 1, 1), message, cure)])

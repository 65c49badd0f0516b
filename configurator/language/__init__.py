"""Rule text to model: folders of rule files become products, or lists of mistakes.

The specification is ``docs/language.md``. Nothing here knows of engines or pages.
"""

from configurator.language.files import digest_of, read_folder
from configurator.language.folder import Loaded, load_folder
from configurator.language.report import help_line, render, to_json
from configurator.language.sandbox import load_safely, load_within

__all__ = [
    "Loaded",
    "digest_of",
    "help_line",
    "load_folder",
    "load_safely",
    "load_within",
    "read_folder",
    "render",
    "to_json",
]

"""Legal ids for names of other worlds: deterministic, readable, one for each.

NFC, words joined by ``-``, a letter first, never a reserved word. Two names that would
get the same id, or ids that differ in case only, are told apart by ``-2``, ``-3``, in
the order they are asked for; a name that is a legal id already keeps it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from configurator.language.syntax import RESERVED

LONGEST_ID = 80
_WORD = re.compile(r"[^\W_]+")


def as_id(name: str, letter: str) -> str:
    """The id that ``name`` would like; ``letter`` goes before what has no letter first."""
    words = _WORD.findall(unicodedata.normalize("NFC", name))
    joined = "-".join(words)[:LONGEST_ID].rstrip("-")
    if not joined or not joined[0].isalpha() or joined.casefold() in RESERVED:
        return f"{letter}-{joined}" if joined else letter
    return joined


def as_product_id(name: str) -> str:
    """A product's id: small ASCII letters and digits, for addresses on the web."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z0-9]+", plain.lower())
    joined = "-".join(words)[:LONGEST_ID].rstrip("-")
    return joined if joined[:1].isalpha() else f"model-{joined}".rstrip("-")


class Ids:
    """The ids given so far."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = {each.casefold() for each in taken}
        self._next: dict[str, int] = {}

    def give(self, name: str, letter: str) -> str:
        """An id for ``name`` that nothing else has."""
        wanted = given = as_id(name, letter)
        key = wanted.casefold()
        number = self._next.get(key, 1)
        while given.casefold() in self._taken:
            number += 1
            given = f"{wanted}-{number}"
        self._next[key] = number
        self._taken.add(given.casefold())
        return given

    def give_all(self, names: Sequence[str], letter: str) -> list[str]:
        """Ids for ``names``, in order; those that are legal as they stand go first."""
        given: dict[int, str] = {}
        for legal in (True, False):
            for position, name in enumerate(names):
                if (as_id(name, letter) == name) == legal:
                    given[position] = self.give(name, letter)
        return [given[position] for position in range(len(names))]

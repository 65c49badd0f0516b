"""The way through a draft from one diagnostic to the next, file after file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from configurator.model.diagnostic import Diagnostic

AddressOf = Callable[[str, str], str]
"""The address of an anchor on the page of a file."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a diagnostic is shown, and the addresses of those before and after it."""

    anchor: str
    address: str
    previous: str | None
    following: str | None


def walk(
    shown: Mapping[str, Sequence[Diagnostic]], here: str, address_of: AddressOf
) -> dict[Diagnostic, Place]:
    """Every diagnostic's place, as seen from the page of the file ``here``.

    ``shown`` are those of each file in the order of its page; those of ``""`` are about no
    file and stand on every page. ``address_of`` makes addresses on other pages.
    """
    found = []
    for file, diagnostics in shown.items():
        for number, each in enumerate(diagnostics, 1):
            anchor = f"d{number}" if file else f"all{number}"
            address = f"#{anchor}" if file in ("", here) else address_of(file, anchor)
            found.append((each, anchor, address))
    addresses = [None, *(address for _, _, address in found), None]
    return {
        each: Place(anchor, address, addresses[place], addresses[place + 2])
        for place, (each, anchor, address) in enumerate(found)
    }

"""What a customer decides.

A *slot* is the smallest thing decided on its own: a variable, or, for a several-of,
the quantity of one value (``extras.rack``). An *answer* is text, always:

========== ===================== =======================================
kind       slot                  answer
========== ===================== =======================================
one of     ``brakes``            value id, ``none`` where optional
yes or no  ``dropper``           ``yes``, ``no``
number     ``width``             plain decimal, ``1820``, ``2.3``
date       ``start-date``        ISO day, ``2026-11-22``
several of ``extras.rack``       quantity, ``0``, ``1``, ...
text       ``engraving``         the text itself, ``none`` where optional
computed   ``bay-width``         plain decimal; never chosen
========== ===================== =======================================

A question that is not asked has no answer. Closing a several-of ("that is all") is a
choice of ``0`` for each slot still open.
"""

from __future__ import annotations

from typing import NamedTuple

NONE = "none"
YES = "yes"
NO = "no"


class Choice(NamedTuple):
    """One decision of the customer."""

    slot: str
    answer: str


Choices = tuple[Choice, ...]
"""Decisions in the order they were made, oldest first; a slot occurs once."""


def without(choices: Choices, slots: frozenset[str] | set[str]) -> Choices:
    """The choices that are not about any of ``slots``, in the same order."""
    if slots.isdisjoint([choice.slot for choice in choices]):
        return choices
    return tuple(choice for choice in choices if choice.slot not in slots)

"""What the engine refuses, as values people can read; it knows nothing of pages."""

from __future__ import annotations

from dataclasses import dataclass

from configurator.model.text import Text


class EngineError(Exception):
    """A product that cannot be compiled: ``void``, ``too-wide`` or ``too-large``.

    ``owners`` are ids of rules, variables or price lines to look at first.
    """

    def __init__(self, code: str, message: Text, help: Text, owners: tuple[str, ...] = ()) -> None:
        super().__init__(f"{code}: {message.in_language('en')} {help.in_language('en')}")
        self.code = code
        self.message = message
        self.help = help
        self.owners = owners


@dataclass(frozen=True, slots=True)
class TooWide:
    """Why a network has no compiled form, so that SAT answers instead.

    ``reason``: the limit met (``nodes``, ``seconds``, ``memory``), a rule that alone has
    too many ``states``, amounts beyond the arithmetic (``charges``), no place to store it
    (``disk``), or ``died``: the compiling process ended without a word. ``owners`` are the
    rules that made it wide, the widest first; none where no rule can be blamed.
    """

    reason: str
    owners: tuple[str, ...] = ()


class UnknownChoiceError(ValueError):
    """An answer that is no answer to that slot, with what to write instead."""

    def __init__(self, code: str, message: Text, help: Text) -> None:
        super().__init__(f"{code}: {message.in_language('en')} {help.in_language('en')}")
        self.code = code
        self.message = message
        self.help = help


def said(es: str, en: str) -> Text:
    """A sentence in both languages of the service."""
    return Text((("en", en), ("es", es)))


def too_wide(subject: str, what: tuple[str, str], cure: tuple[str, str]) -> EngineError:
    """Something that cannot be compiled exactly within the budget; texts are (es, en)."""
    return EngineError("too-wide", said(*what), said(*cure), (subject,))

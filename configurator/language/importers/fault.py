"""Why a model cannot come in: diagnostics, collected, raised together.

Knows no file format. Every importer reports through ``Faults``, so that an engineer
sees all the constructs that are in the way at once, each at its place.
"""

from __future__ import annotations

from collections.abc import Sequence

from configurator.model.diagnostic import Diagnostic, Span
from configurator.model.text import Text

MOST_FAULTS = 100
"""Reading stops at this many: nobody mends more in one go, and memory stays small."""


class ImportModelError(ValueError):
    """A model is faulty, or says something the rule language does not have.

    ``diagnostics`` are ordered by file, line and column; each names the construct, and
    in ``help`` a way out.
    """

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(
            sorted(diagnostics, key=lambda each: (each.span, each.code, each.message.translations))
        )
        super().__init__("\n".join(_line(each) for each in self.diagnostics))


def _line(diagnostic: Diagnostic) -> str:
    span = diagnostic.span
    text = diagnostic.message.in_language("en")
    return f"{span.file}:{span.line}:{span.column}  {diagnostic.code}  {text}"


def both(es: str, en: str) -> Text:
    """A sentence in Spanish and English."""
    return Text((("en", en), ("es", es)))


def fault(code: str, span: Span, message: Text, help_text: Text) -> Diagnostic:
    """A diagnostic that keeps the model from coming in."""
    return Diagnostic(code, "stop", span, message, help_text)


class Faults:
    """Collects diagnostics; raises when there are too many to go on."""

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []

    def add(self, code: str, span: Span, message: Text, help_text: Text) -> None:
        """Note one more; raises ``ImportModelError`` at the hundredth."""
        self.note(fault(code, span, message, help_text))

    def note(self, *diagnostics: Diagnostic) -> None:
        """Note diagnostics built elsewhere; raises ``ImportModelError`` at the hundredth."""
        self.diagnostics.extend(diagnostics)
        if len(self.diagnostics) >= MOST_FAULTS:
            raise ImportModelError(self.diagnostics)

    def raise_if_any(self) -> None:
        """Raise ``ImportModelError`` with everything collected, if there is anything."""
        if self.diagnostics:
            raise ImportModelError(self.diagnostics)

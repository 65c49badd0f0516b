"""What is wrong with a rule file: a value, never an exception."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from configurator.model.text import Text


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A place in a rule folder. ``line`` and ``column`` count from 1."""

    file: str
    line: int
    column: int


NOWHERE = Span("", 0, 0)


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake or doubt about a rule folder.

    ``code`` is a stable name (see docs/language.md, diagnostics); a ``stop`` keeps
    the folder from being published, a ``warn`` does not. ``message`` says what is
    wrong, ``help`` what to do about it, both in every language of the service.
    """

    code: str
    severity: Literal["stop", "warn"]
    span: Span
    message: Text
    help: Text | None = None


@dataclass(frozen=True, slots=True)
class Acceptance:
    """``accept: {code: reason}`` and the lines it covers."""

    file: str
    first_line: int
    last_line: int
    codes: frozenset[str]

    def covers(self, code: str, about: Span) -> bool:
        """Whether this silences the doubt ``code`` about that place."""
        return (
            code in self.codes
            and about.file == self.file
            and self.first_line <= about.line <= self.last_line
        )

"""Collects what is wrong with a rule folder, and renders it.

One idea: a mistake is a value with a code, a place and two languages. It knows the
catalogue of messages and nothing of how the mistakes were found.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from configurator.language.messages import CATALOGUE
from configurator.model.diagnostic import Acceptance, Diagnostic, Span
from configurator.model.text import Text

MOST = 1000
"""A folder with more mistakes than this is not read to the end by anybody."""

Phrase = str | int | tuple[str, str]
"""An argument of a message: the same in every language, or ``(english, spanish)``."""


@dataclass(slots=True)
class Report:
    """The mistakes found so far."""

    found: list[Diagnostic] = field(default_factory=list)
    doubts: list[tuple[Diagnostic, Span]] = field(default_factory=list)
    """Warnings, each with the place in a rule file it is about."""
    accepted: list[Acceptance] = field(default_factory=list)
    not_yet: dict[str, Diagnostic] = field(default_factory=dict)
    dropped: int = 0

    def stop(self, key: str, span: Span, /, **arguments: Phrase) -> None:
        """Note a mistake that keeps the folder from being published."""
        if self._room():
            self.found.append(_diagnostic(key, "stop", span, arguments))

    def warn(self, key: str, span: Span, /, about: Span | None = None, **arguments: Phrase) -> None:
        """Note a doubt; ``about`` is the place where it may be accepted, if another."""
        if self._room():
            self.doubts.append((_diagnostic(key, "warn", span, arguments), about or span))

    def later(self, construct: str, span: Span) -> None:
        """Note, once per construct, that this part of the language is not built yet."""
        known = self.not_yet.get(construct)
        if known is None or span < known.span:
            self.not_yet[construct] = _diagnostic("not-yet", "stop", span, {"construct": construct})

    def accepts(self, code: str, about: Span) -> bool:
        """Whether the doubt ``code`` is accepted at that place."""
        return any(one.covers(code, about) for one in self.accepted)

    def _room(self) -> bool:
        full = len(self.found) + len(self.doubts) >= MOST
        self.dropped += full
        return not full

    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Everything found, by place, without repetitions and accepted doubts."""
        kept = [*self.found, *self.not_yet.values()]
        kept += [doubt for doubt, about in self.doubts if not self.accepts(doubt.code, about)]
        ordered = sorted(
            dict.fromkeys(kept), key=lambda each: (each.span, each.code, each.message.translations)
        )
        if self.dropped:
            last = ordered[-1].span
            ordered.append(_diagnostic("too-many", "stop", last, {"count": self.dropped}))
        return tuple(ordered)


def _diagnostic(
    key: str, severity: Literal["stop", "warn"], span: Span, arguments: dict[str, Phrase]
) -> Diagnostic:
    english, spanish, help_english, help_spanish = CATALOGUE[key]
    in_english = {name: _said(value, 0) for name, value in arguments.items()}
    in_spanish = {name: _said(value, 1) for name, value in arguments.items()}
    advice = None
    if help_english:
        advice = Text.of(
            {
                "en": help_english.format_map(in_english).strip(),
                "es": help_spanish.format_map(in_spanish).strip(),
            }
        )
    return Diagnostic(
        code=key.partition("/")[0],
        severity=severity,
        span=span,
        message=Text.of(
            {"en": english.format_map(in_english), "es": spanish.format_map(in_spanish)}
        ),
        help=advice,
    )


def _said(value: Phrase, language: int) -> str:
    words = value[language] if isinstance(value, tuple) else str(value)
    words = "".join(letter if letter.isprintable() else "·" for letter in words)
    return words if len(words) <= 240 else words[:239] + "…"


def render(diagnostics: Iterable[Diagnostic], language: str) -> str:
    """The diagnostics as lines for a terminal, in ``language`` (``en`` or ``es``)."""
    lines = []
    for each in diagnostics:
        place = f"{each.span.file}:{each.span.line}:{each.span.column}  " if each.span.file else ""
        lines.append(f"{place}{each.code}  {each.message.in_language(language)}")
        if each.help is not None:
            lines.append(help_line(each.help, language))
    return "\n".join(lines) + ("\n" if lines else "")


def help_line(help: Text, language: str) -> str:
    """What to do about something, as the terminal's line below it."""
    word = {"es": "ayuda"}.get(language, "help")
    return f"   {word}: {help.in_language(language)}"


def to_json(diagnostics: Iterable[Diagnostic]) -> str:
    """The diagnostics as a JSON list, for machines; ``from_json`` reads it back."""
    return json.dumps(
        [
            {
                "code": each.code,
                "severity": each.severity,
                "file": each.span.file,
                "line": each.span.line,
                "column": each.span.column,
                "message": dict(each.message.translations),
                "help": dict(each.help.translations) if each.help else None,
            }
            for each in diagnostics
        ],
        ensure_ascii=False,
    )


def from_json(document: str) -> tuple[Diagnostic, ...]:
    """The diagnostics of ``to_json``."""
    return tuple(
        Diagnostic(
            code=each["code"],
            severity=each["severity"],
            span=Span(each["file"], each["line"], each["column"]),
            message=Text.of(each["message"]),
            help=Text.of(each["help"]) if each["help"] else None,
        )
        for each in json.loads(document)
    )

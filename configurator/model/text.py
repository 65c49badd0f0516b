"""Sentences for people, in each language they were written in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence in one or more languages.

    ``translations`` holds ``(language, sentence)`` pairs; the first pair is the
    author's own language and serves every language that has no translation.
    """

    translations: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, sentences: Mapping[str, str]) -> Text:
        """Build a text from ``{language: sentence}``; the first one is the author's."""
        return cls(tuple(sentences.items()))

    def in_language(self, language: str) -> str:
        """The sentence in ``language``, or in the author's language where there is none."""
        for code, sentence in self.translations:
            if code == language:
                return sentence
        return self.translations[0][1] if self.translations else ""

    def languages(self) -> tuple[str, ...]:
        """The languages this sentence exists in."""
        return tuple(code for code, _ in self.translations)

"""What the readers of a rule folder share while they read it."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from configurator.language.grammar import Parser
from configurator.language.report import Phrase, Report
from configurator.language.scope import Scope
from configurator.language.spreadsheet import Sheet
from configurator.language.texts import Texts
from configurator.model.diagnostic import Span

if TYPE_CHECKING:
    from configurator.language.lookups import Lookup


@dataclass(slots=True)
class Draft:
    """A folder while it is read: its files, what was declared, what was found wrong."""

    report: Report
    files: Mapping[str, bytes]
    texts: Texts
    scope: Scope
    parser: Parser = field(default_factory=Parser)
    sheets: dict[str, Sheet | None] = field(default_factory=dict)
    lookups: list[Lookup] = field(default_factory=list)
    """Tables that set something, to be checked once all is read."""
    misspelt: set[str] = field(default_factory=set)
    """Variables that steps likely mean by names nobody declared."""
    likenesses: int = 60
    """How many more "did you mean" are looked for; each one compares all the names."""

    def stop_unknown(
        self,
        key: str,
        span: Span,
        word: str,
        offered: Collection[str],
        unlisted: Collection[str] = (),
        /,
        **arguments: Phrase,
    ) -> str | None:
        """Report an unknown word with the likeliest one, which is answered, and what is
        offered.

        ``unlisted`` words may be meant too, and are not listed.
        """
        like = self._likeliest(word, [*offered, *sorted(unlisted)])
        self.report.stop(
            key, span, word=word, hint=_hint(like), offered=listed(offered), **arguments
        )
        return like

    def _likeliest(self, word: str, offered: Sequence[str]) -> str | None:
        """Which of the words offered ``word`` may be meant for."""
        if self.likenesses <= 0 or word[:1].isdigit():
            return None
        self.likenesses -= 1
        like = difflib.get_close_matches(word[:80], offered, n=1, cutoff=0.6)
        if like:
            return like[0]
        return {each.casefold(): each for each in offered}.get(word.casefold())


def _hint(like: str | None) -> tuple[str, str]:
    """``did you mean "carbon"?`` in both languages, or nothing."""
    if like is None:
        return "", ""
    return f'did you mean "{like}"? ', f"¿querías decir «{like}»? "


def listed(words: Iterable[str]) -> Phrase:
    """``a, b, c``, cut after a dozen."""
    chosen = list(itertools.islice(words, 13))
    if not chosen:
        return "nothing", "nada"
    return ", ".join(chosen[:12]) + (", …" if len(chosen) > 12 else "")

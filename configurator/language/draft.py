"""What the readers of a rule folder share while they read it."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Collection, Iterable, Mapping
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
    ) -> None:
        """Report an unknown word with the likeliest one and what is offered.

        ``unlisted`` words may be meant too, and are not listed.
        """
        self.report.stop(
            key,
            span,
            word=word,
            hint=self.hint(word, offered, unlisted),
            offered=listed(offered),
            **arguments,
        )

    def hint(
        self, word: str, offered: Collection[str], unlisted: Collection[str] = ()
    ) -> tuple[str, str]:
        """``did you mean "carbon"?`` in both languages, or nothing."""
        if self.likenesses <= 0 or word[:1].isdigit():
            return "", ""
        self.likenesses -= 1
        offered = [*offered, *sorted(unlisted)]
        like = difflib.get_close_matches(word[:80], offered, n=1, cutoff=0.6)
        if not like:
            folded = {each.casefold(): each for each in offered}
            if word.casefold() not in folded:
                return "", ""
            like = [folded[word.casefold()]]
        return f'did you mean "{like[0]}"? ', f"¿querías decir «{like[0]}»? "


def listed(words: Iterable[str]) -> Phrase:
    """``a, b, c``, cut after a dozen."""
    chosen = list(itertools.islice(words, 13))
    if not chosen:
        return "nothing", "nada"
    return ", ".join(chosen[:12]) + (", …" if len(chosen) > 12 else "")

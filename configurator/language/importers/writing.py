"""Writing rule files by hand: YAML scalars, bilingual texts, lists of names.

Knows how the rule language looks on the page, nothing of what is written.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence

_PLAIN = re.compile(r"[^\W\d_](?:[\w .+/<>=()-]*[\w)])?")
_SENTENCE = re.compile(r"[\w“«(](?:[^\x00-\x1f\x7f-\xa0\ud800-\udfff:#\u2028\u2029\ufeff]*\S)?")
_LONGEST_NAMED = 4


def scalar(text: str) -> str:
    """``text`` as a YAML scalar that may stand anywhere, quoted only where it must be."""
    text = _without_placeholders(text)
    return text if _PLAIN.fullmatch(text) else _quoted(text)


def sentence(text: str) -> str:
    """``text`` as a YAML scalar on a line of its own, after a key: commas need no quotes."""
    text = _without_placeholders(text)
    return text if _SENTENCE.fullmatch(text) and text.isprintable() else _quoted(text)


def _without_placeholders(text: str) -> str:
    """NFC, with small braces for braces: ``{…}`` in a text would show a value."""
    return unicodedata.normalize("NFC", text).replace("{", "﹛").replace("}", "﹜")


def _quoted(text: str) -> str:
    return "".join(
        letter if letter.isprintable() else f"\\U{ord(letter):08x}"
        for letter in json.dumps(text, ensure_ascii=False)
    )


def in_both(key: str, es: str, en: str, indent: str) -> list[str]:
    """A text in both languages under ``key``, as lines."""
    return [
        f"{indent}{key}:",
        f"{indent}  en: {sentence(en)}",
        f"{indent}  es: {sentence(es)}",
    ]


def counted(number: int, one: str, many: str) -> str:
    """A number and its noun."""
    return f"{number} {one if number == 1 else many}"


def in_one_line(text: str) -> str:
    """``text`` without line breaks and without runs of blanks."""
    return " ".join(text.split())


def one_line(text: str, longest: int = 200) -> str:
    """``text`` on one line, cut where it is too long to read."""
    joined = in_one_line(text)
    return joined if len(joined) <= longest else f"{joined[: longest - 1]}…"


def names_es(names: Sequence[str], last: str = "y") -> str:
    """Names in quotes, joined as Spanish joins them; many are counted."""
    quoted = [f"«{one_line(name, 60)}»" for name in names]
    if len(quoted) > _LONGEST_NAMED + 1:
        return f"{', '.join(quoted[:_LONGEST_NAMED])} {last} {len(quoted) - _LONGEST_NAMED} más"
    return _joined(quoted, last)


def names_en(names: Sequence[str], last: str = "and") -> str:
    """Names in quotes, joined as English joins them; many are counted."""
    quoted = [f"“{one_line(name, 60)}”" for name in names]
    if len(quoted) > _LONGEST_NAMED + 1:
        return f"{', '.join(quoted[:_LONGEST_NAMED])} {last} {len(quoted) - _LONGEST_NAMED} more"
    return _joined(quoted, last)


def _joined(quoted: Sequence[str], last: str) -> str:
    if len(quoted) < 2:
        return "".join(quoted)
    return f"{', '.join(quoted[:-1])} {last} {quoted[-1]}"

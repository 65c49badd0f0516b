"""What the customer was shown of a choice before making it, in the product's words.

Reads what the trail keeps of the preview, so that the page, a reload and the replay say
the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from configurator.web.shop.wording import Wording

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Preview:
    """What one answer would do. ``typed`` is the answer as a field holds it; ``closes``
    pairs questions with the options that go; ``warns`` are the sentences of guards."""

    slot: str
    answer: str
    typed: str
    title: str
    difference: str
    at_least: bool
    forces: tuple[str, ...]
    closes: tuple[tuple[str, tuple[str, ...]], ...]
    asks: tuple[str, ...]
    skips: tuple[str, ...]
    warns: tuple[str, ...]

    @property
    def quiet(self) -> bool:
        """Whether nothing but the price could change."""
        return not (self.forces or self.closes or self.asks or self.skips or self.warns)


def preview_of(payload: Json, words: Wording) -> Preview:
    """A preview as the trail keeps it, in words."""
    slot, answer = payload["wanted"]
    closes: dict[str, list[str]] = {}
    for name, option in payload.get("closes", ()):
        variable = name.partition(".")[0]
        several = "." in name
        said = words.choice(name, option) if several else words.answer(name, option)
        closes.setdefault(words.quoted(variable), []).append(said)
    values = {slot: answer, **dict(payload.get("forces", ()))}
    guards = {guard.id: guard for guard in words.product.guards}
    return Preview(
        slot=slot,
        answer=answer,
        typed=words.typed(slot, answer),
        title=words.choice(slot, answer),
        difference=words.difference(payload["difference"]) if "difference" in payload else "",
        at_least=bool(payload.get("at_least")),
        forces=tuple(words.quoted(*pair) for pair in payload.get("forces", ())),
        closes=tuple((name, tuple(options)) for name, options in closes.items()),
        asks=tuple(words.quoted(variable) for variable in payload.get("asks", ())),
        skips=tuple(words.quoted(variable) for variable in payload.get("skips", ())),
        warns=tuple(
            words.say(guards[guard].say, values)
            for guard in payload.get("guards", ())
            if guard in guards
        ),
    )

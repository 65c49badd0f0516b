"""Keys and scalars: what may stand under which key, and text typed by its key."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping as Table
from fractions import Fraction

from configurator.language.draft import Draft, listed
from configurator.language.messages import WARNINGS
from configurator.language.nodes import Mapping, Node, Scalar, Sequence
from configurator.language.syntax import RESERVED
from configurator.model.diagnostic import Acceptance, Span
from configurator.model.product import Period

METADATA = frozenset(
    ("because", "why", "owner", "source", "review by", "from", "until", "status", "accept")
)
NAME = re.compile(r"[^\W\d]\w*(-\w+)*")
NUMBER = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?")
_COMMA = re.compile(r"[+-]?\d+,\d+")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}([.,]\d{3})+[.,]\d+|[+-]?\d{1,3}(,\d{3}){2,}")
MOST_MONEY = 10_000_000_000
"""The largest amount of money that is read, in units of the currency."""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
OTHER_DAY = re.compile(r"\d{1,2}[/.]\d{1,2}[/.]\d{2,4}")
"""A day as spreadsheets write it, ``01/12/2026``."""

SPANISH_KEYS = {
    "cuando": "when",
    "nombre": "name",
    "porque": "because",
    "precio": "price",
    "precios": "prices",
    "valor": "value",
    "valores": "values",
    "tipo": "type",
    "regla": "rules",
    "reglas": "rules",
    "requiere": "require",
    "exige": "require",
    "prohíbe": "forbid",
    "prohibe": "forbid",
    "defecto": "default",
    "por defecto": "default",
    "unidad": "unit",
    "rango": "range",
    "paso": "step",
    "pasos": "steps",
    "opcional": "optional",
    "desde": "from",
    "hasta": "until",
    "nivel": "level",
    "ayuda": "help",
    "líneas": "lines",
    "lineas": "lines",
    "guardas": "guards",
    "avisos": "guards",
    "escenarios": "scenarios",
    "elige": "choose",
    "espera": "expect",
    "atributos": "attributes",
    "contexto": "context",
    "producto": "product",
    "idioma": "language",
    "idiomas": "languages",
    "di": "say",
    "sugiere": "suggest",
    "tabla": "table",
    "clase": "kind",
    "moneda": "currency",
    "impuesto": "tax",
}


class Fields:
    """The entries of a mapping by key, each key checked; reading one marks nothing."""

    __slots__ = ("draft", "node", "of")

    def __init__(
        self,
        draft: Draft,
        node: Node,
        known: frozenset[str],
        later: Table[str, str] | None = None,
        facts: bool = False,
        each: bool = False,
    ) -> None:
        """Check ``node``'s keys against ``known``; ``later`` names constructs not built yet.

        ``facts`` may stand as ``fact:<id>``, and facts ``each`` unit as ``each:<id>``.
        """
        self.draft = draft
        self.node = node
        self.of: dict[str, Node] = {}
        if not isinstance(node, Mapping):
            if not (isinstance(node, Scalar) and node.empty):
                draft.report.stop("type-mismatch/mapping", node.span)
            return
        for key, value in node.entries:
            name = key.text
            if name not in known:
                if later and name in later:
                    draft.report.later(later[name], key.span)
                    continue
                if facts and name in draft.scope.facts:
                    self.of["fact:" + name] = value
                    continue
                per_unit = _per_unit(name) if each else None
                if per_unit in draft.scope.facts:
                    self.of[f"each:{per_unit}"] = value
                    continue
                spaced = name.replace("_", " ").replace("-", " ").lower()
                if later and spaced in later:
                    draft.report.later(later[spaced], key.span)
                    continue
                if spaced not in known or spaced in self.of:
                    self._unknown(key, value, known, facts)
                    continue
                name = spaced
            self.of[name] = value
        if "accept" in self.of:
            _accept(draft, self.of["accept"], node)

    def _unknown(self, key: Scalar, value: Node, known: frozenset[str], facts: bool) -> None:
        """Report a key, and read on as if what it is likely meant for were written."""
        meant = SPANISH_KEYS.get(key.text.lower())
        if meant == "when" and "when" in known:
            self.draft.report.stop("unknown-key/when", key.span, word=key.text)
        elif meant in known:
            self.draft.report.stop("unknown-key/write", key.span, word=key.text, write=meant)
        else:
            offered = sorted(known - METADATA)
            if facts:
                offered += self.draft.scope.facts
            meant = self.draft.stop_unknown("unknown-key", key.span, key.text, offered, METADATA)
        if meant is not None:
            self.of.setdefault(meant if meant in known else f"fact:{meant}", value)

    def __contains__(self, key: str) -> bool:
        return key in self.of

    def get(self, key: str) -> Node | None:
        """What stands under ``key``, or ``None``."""
        return self.of.get(key)

    def must(self, key: str, owner: str) -> Node | None:
        """What stands under ``key``; its absence is reported, naming ``owner``."""
        node = self.of.get(key)
        if node is None and (isinstance(self.node, Mapping) or self._empty()):
            self.draft.report.stop("missing-key", self.node.span, key=key, owner=owner)
        return node

    def _empty(self) -> bool:
        """Whether nothing at all was written (anything else is already reported)."""
        return isinstance(self.node, Scalar) and self.node.empty

    def scalar(self, key: str) -> Scalar | None:
        """The text under ``key``; a list or mapping there is reported."""
        return scalar(self.draft, self.of.get(key))

    def string(self, key: str) -> str | None:
        """The text under ``key``, on one line."""
        found = self.scalar(key)
        return " ".join(found.text.split()) if found is not None else None

    def number(self, key: str) -> Fraction | None:
        """The number under ``key``."""
        found = self.scalar(key)
        return number(self.draft, found) if found is not None else None

    def money(self, key: str) -> int | None:
        """The amount under ``key``, in cents."""
        found = self.scalar(key)
        return money(self.draft, found) if found is not None else None

    def day(self, key: str) -> datetime.date | None:
        """The date under ``key``."""
        found = self.scalar(key)
        return day(self.draft, found.text, found.span) if found is not None else None

    def yes(self, key: str) -> bool:
        """Whether ``key`` says ``yes``."""
        return self.word(key, ("yes", "no")) == "yes"

    def word(self, key: str, offered: tuple[str, ...]) -> str | None:
        """The word under ``key``, one of ``offered``."""
        found = self.scalar(key)
        if found is None or found.text in offered:
            return found.text if found is not None else None
        spaced = found.text.replace("-", " ").replace("_", " ").lower()
        if spaced in offered:
            return spaced
        if offered == ("yes", "no"):
            self.draft.report.stop("type-mismatch/yes", found.span, word=found.text)
        else:
            self.draft.stop_unknown("unknown-value/word", found.span, found.text, offered, key=key)
        return None

    def period(self) -> Period:
        """``from`` and ``until``."""
        if "from" not in self.of and "until" not in self.of:
            return Period()
        first, last = self.day("from"), self.day("until")
        if first and last and last < first:
            self.draft.report.stop(
                "type-mismatch/period", self.of["until"].span, first=str(first), last=str(last)
            )
        return Period(first, last)

    def active(self) -> bool:
        """Whether ``status`` is not ``draft``."""
        return self.word("status", ("draft", "active")) != "draft"

    def check_metadata(self) -> None:
        """Check the metadata nothing else reads."""
        self.day("review by")


def _per_unit(key: str) -> str | None:
    """The fact in ``weight each``, which a number has once per unit."""
    for sign in (" each", "-each", "_each"):
        if key.endswith(sign):
            return key.removesuffix(sign)
    return None


def scalar(draft: Draft, node: Node | None) -> Scalar | None:
    """``node`` as a text that is not empty; anything else is reported."""
    if node is None:
        return None
    if not isinstance(node, Scalar):
        draft.report.stop("type-mismatch/single", node.span)
        return None
    if node.empty:
        draft.report.stop("missing-key/empty", node.span)
        return None
    return node


def number(draft: Draft, node: Scalar) -> Fraction | None:
    """The exact number a text is; decimals with a point."""
    return number_of(draft, node.text, node.span)


def number_of(draft: Draft, text: str, span: Span) -> Fraction | None:
    """The exact number ``text`` is, or ``None`` after a diagnostic at ``span``."""
    text = text.strip()
    if NUMBER.fullmatch(text):
        return Fraction(text)
    if _THOUSANDS.fullmatch(text):
        draft.report.stop("thousands", span, cell=text)
    elif _COMMA.fullmatch(text):
        draft.report.stop("syntax/comma", span, write=text.replace(",", "."))
    else:
        draft.report.stop("type-mismatch/number", span, word=text)
    return None


def percent(draft: Draft, node: Node | None) -> Fraction | None:
    """``21 %`` or ``21`` as an exact number."""
    text = scalar(draft, node)
    if text is None:
        return None
    return number_of(draft, text.text.removesuffix("%").strip(), text.span)


def rate(draft: Draft, node: Node | None) -> Fraction | None:
    """The rate of a tax: a percentage that is not below 0."""
    found = percent(draft, node)
    if found is not None and found < 0:
        assert node is not None
        draft.report.stop("type-mismatch/rate", node.span)
        return None
    if found and found < 1 and isinstance(node, Scalar) and not node.text.endswith("%"):
        draft.report.warn("low-rate", node.span, rate=node.text)
    return found


def money(draft: Draft, node: Scalar) -> int | None:
    """An amount of money in cents."""
    found = money_of(draft, node.text, node.span)
    if found is None:
        return None
    cents = found * 100
    if cents.denominator != 1:
        draft.report.stop("type-mismatch/cents", node.span, word=node.text)
        return None
    return int(cents)


def money_of(draft: Draft, text: str, span: Span) -> Fraction | None:
    """The amount of money ``text`` is, exact also below a cent; not beyond ``MOST_MONEY``.

    ``12.00 €`` and ``12`` are both read."""
    found = number_of(draft, text.removesuffix("€"), span)
    if found is not None and abs(found) > MOST_MONEY:
        draft.report.stop("too-large/money", span, word=text.strip(), most=str(MOST_MONEY))
        return None
    return found


def day(draft: Draft, text: str, span: Span) -> datetime.date | None:
    """The ISO date ``text`` is, or ``None`` after a diagnostic at ``span``."""
    text = text.strip()
    if _DAY.fullmatch(text):
        try:
            return datetime.date.fromisoformat(text)
        except ValueError:
            pass
    draft.report.stop("type-mismatch/date", span, word=text)
    return None


def strings(draft: Draft, node: Node | None) -> list[Scalar]:
    """The texts of a list; a single text is a list of one."""
    if node is None:
        return []
    found = []
    for item in node.items if isinstance(node, Sequence) else [node]:
        text = scalar(draft, item)
        if text is not None:
            found.append(text)
    return found


def check_id(draft: Draft, node: Scalar) -> str | None:
    """An id: letter first, letters, digits and ``-``; reserved words are refused."""
    name = node.text
    if name in RESERVED:
        draft.report.stop("reserved-word", node.span, word=name)
        return None
    if NAME.fullmatch(name) is None:
        draft.report.stop("bad-id", node.span, word=name, write=_as_id(name))
        return None
    return name


def _as_id(name: str) -> str:
    words = re.findall(r"\w+", name)
    joined = "-".join(words) or "name"
    return joined if not joined[0].isdigit() else "n-" + joined


def mapping(draft: Draft, node: Node | None) -> list[tuple[Scalar, Node]]:
    """The entries of a mapping; anything else, save nothing at all, is reported."""
    if node is None or (isinstance(node, Scalar) and node.empty):
        return []
    if not isinstance(node, Mapping):
        draft.report.stop("type-mismatch/mapping", node.span)
        return []
    return node.entries


def sequence(draft: Draft, node: Node | None) -> list[Node]:
    """The items of a list; anything else, save nothing at all, is reported."""
    if node is None or (isinstance(node, Scalar) and node.empty):
        return []
    if not isinstance(node, Sequence):
        draft.report.stop("type-mismatch/list", node.span)
        return []
    return node.items


def _accept(draft: Draft, node: Node, owner: Mapping) -> None:
    codes = []
    for key, _ in mapping(draft, node):
        if key.text in WARNINGS:
            codes.append(key.text)
        else:
            draft.stop_unknown(
                "unknown-value/accept", key.span, key.text, WARNINGS, names=listed(WARNINGS)
            )
    draft.report.accepted.append(
        Acceptance(owner.file, owner.line, max(owner.last_line, owner.line), frozenset(codes))
    )

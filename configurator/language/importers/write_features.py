"""A feature model as a rule folder.

One yes-or-no variable per feature, under the feature's name. The tree becomes rules: a
selected child needs its parent, and each group counts its selected members where the
parent is selected. Clauses become ``when``/``require`` and ``forbid``. Configurations
are exactly those of the feature model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from configurator.language.importers.facts import Facts
from configurator.language.importers.feature_model import FeatureModel, Formulated, Group
from configurator.language.importers.feature_pages import pages
from configurator.language.importers.formula import (
    And,
    Formula,
    Is,
    Or,
    Reading,
    clauses,
    reading,
    render,
)
from configurator.language.importers.ids import Ids, as_product_id
from configurator.language.importers.writing import (
    counted,
    in_both,
    in_one_line,
    names_en,
    names_es,
    one_line,
    scalar,
    sentence,
)
from configurator.model.diagnostic import Span

_TERMS = 24
"""Terms written in one sum before brackets split it."""

_CHILDREN = 20
"""Children that one rule ties to their parent, or the parent to them."""


def feature_folder(model: FeatureModel) -> dict[str, bytes]:
    """The files of the rule folder, by name."""
    writer = _Writer(model)
    return {
        name: text.encode()
        for name, text in (
            ("options.yaml", writer.options()),
            ("product.yaml", writer.product()),
            ("rules.yaml", writer.rules()),
        )
    }


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule to be written: its conditions as text, its reason in both languages."""

    id: str
    es: str
    en: str
    span: Span
    when: str = ""
    require: str = ""
    forbid: str = ""


class _Writer:
    def __init__(self, model: FeatureModel) -> None:
        self.model = model
        self.names = [feature.name for feature in model.features]
        self.given = Ids()
        self.ids = self.given.give_all(self.names, "f")
        self.facts = Facts(model.features, self.given)

    # --- product.yaml -----------------------------------------------------------------

    def product(self) -> str:
        """Name, languages, facts and pages."""
        model = self.model
        count, formulas = len(model.features), len(model.formulas)
        es = (
            f"Importado de {model.file} ({model.notation}), con"
            f" {counted(count, 'característica', 'características')} y"
            f" {counted(formulas, 'condición', 'condiciones')}."
        )
        en = (
            f"Imported from {model.file} ({model.notation}), with"
            f" {counted(count, 'feature', 'features')} and"
            f" {counted(formulas, 'constraint', 'constraints')}."
        )
        lines = [
            f"product: {as_product_id(model.name)}",
            f"name: {scalar(one_line(model.name, 80))}",
            *in_both("description", es, en, ""),
            "language: en",
            "languages: [en, es]",
            "time zone: UTC",
            *self.facts.declarations(),
            "steps:",
        ]
        given = Ids()
        for page in pages(model):
            step = given.give(self.names[page.top], "step")
            name = one_line(self.names[page.top], 80)
            if page.part > 1:
                name = f"{name} ({page.part})"
            asked = ", ".join(self.ids[feature] for feature in page.features)
            lines += [f"  - id: {step}", f"    name: {scalar(name)}", f"    ask: [{asked}]"]
        return _file(lines)

    # --- options.yaml -----------------------------------------------------------------

    def options(self) -> str:
        """Every feature; its numbers as facts, its other attributes as remarks."""
        lines = ["variables:"]
        for index, feature in enumerate(self.model.features):
            for key, note in feature.notes:
                lines.append(f"  # {one_line(key, 60)}: {_remark(note)}")
            entries = []
            if feature.name != self.ids[index]:
                entries.append(f"name: {scalar(in_one_line(feature.name))}")
            entries.append("type: yes or no")
            if feature.help:
                entries.append(f"help: {scalar(one_line(feature.help, 500))}")
            entries += self.facts.entries(index)
            lines.append(f"  {self.ids[index]}: {{{', '.join(entries)}}}")
        return _file(lines)

    # --- rules.yaml -------------------------------------------------------------------

    def rules(self) -> str:
        """The root, the tree, the groups, then the constraints."""
        lines = ["rules:"]
        found = [self._root()]
        by_parent: dict[int, list[Group]] = {}
        for group in self.model.groups:
            by_parent.setdefault(group.parent, []).append(group)
        for parent, groups in by_parent.items():
            found += self._belonging(parent, [each for group in groups for each in group.members])
            for group in groups:
                found += self._group(group)
        for number, formulated in enumerate(self.model.formulas, start=1):
            for part in clauses(formulated.formula):
                found.append(self._formula(part, formulated, number))
        for rule in found:
            lines.append(f"  - id: {rule.id}")
            for key, condition in (
                ("when", rule.when),
                ("require", rule.require),
                ("forbid", rule.forbid),
            ):
                if condition:
                    lines.append(f"    {key}: {condition}")
            lines += in_both("because", rule.es, rule.en, "    ")
            lines.append(f"    source: {sentence(f'{rule.span.file}, line {rule.span.line}')}")
        return _file(lines)

    def _root(self) -> _Rule:
        name = one_line(self.names[0], 60)
        return _Rule(
            self.given.give(f"{self.ids[0]} always", "r"),
            f"«{name}» es el producto mismo.",
            f"“{name}” is the product itself.",
            self.model.features[0].span,
            require=self.ids[0],
        )

    def _belonging(self, parent: int, members: Sequence[int]) -> list[_Rule]:
        """Children need their parent; those of the root have it anyway."""
        if parent == 0:
            return []
        rules = []
        name = one_line(self.names[parent], 60)
        for start in range(0, len(members), _CHILDREN):
            some = members[start : start + _CHILDREN]
            words = [self.names[member] for member in some]
            several = len(some) > 1
            rules.append(
                _Rule(
                    self.given.give(f"{self.ids[parent]} parts", "r"),
                    f"{names_es(words)} {'necesitan' if several else 'necesita'} «{name}».",
                    f"{names_en(words)} {'need' if several else 'needs'} “{name}”.",
                    self.model.features[parent].span,
                    when=" or ".join(self.ids[member] for member in some),
                    require=self.ids[parent],
                )
            )
        return rules

    def _group(self, group: Group) -> list[_Rule]:
        size, low, high = len(group.members), group.low, group.high
        if low == 0 and high >= size:
            return []
        if low == size:
            some = [group.members[at : at + _CHILDREN] for at in range(0, size, _CHILDREN)]
            return [self._inclusion(group.parent, members) for members in some]
        ids = [self.ids[member] for member in group.members]
        words = [self.names[member] for member in group.members]
        parent = one_line(self.names[group.parent], 60)
        if (low, high) == (1, size):
            suffix, require = "one-or-more", " or ".join(ids)
            es = f"«{parent}» necesita al menos una de {names_es(words, 'o')}."
            en = f"“{parent}” needs at least one of {names_en(words, 'or')}."
        else:
            suffix, require, how_es, how_en = _counted(_total(ids), low, high, size)
            es = f"«{parent}» admite {how_es} de {names_es(words, 'o')}."
            en = f"“{parent}” takes {how_en} of {names_en(words, 'or')}."
        return [self._below(group.parent, suffix, es, en, require)]

    def _inclusion(self, parent: int, members: Sequence[int]) -> _Rule:
        words = [self.names[member] for member in members]
        name = one_line(self.names[parent], 60)
        es, en = f"«{name}» incluye {names_es(words)}.", f"“{name}” includes {names_en(words)}."
        require = " and ".join(self.ids[member] for member in members)
        return self._below(parent, "includes", es, en, require)

    def _below(self, parent: int, suffix: str, es: str, en: str, require: str) -> _Rule:
        """A requirement that holds where ``parent`` is selected; the root always is."""
        rule_id = self.given.give(f"{self.ids[parent]} {suffix}", "r")
        when = "" if parent == 0 else self.ids[parent]
        return _Rule(rule_id, es, en, self.model.features[parent].span, when=when, require=require)

    def _formula(self, formula: Formula, origin: Formulated, number: int) -> _Rule:
        read = reading(formula)
        when = render(read.when, self.ids) if read.when is not None else ""
        require = render(read.require, self.ids) if read.require is not None else ""
        label, es, en = self._wording(read) or (
            f"constraint {number}",
            f"El modelo dice {one_line(origin.text)}",
            f"The model says {one_line(origin.text)}",
        )
        rule_id = self.given.give(label, "r")
        if not require:
            return _Rule(rule_id, es, en, origin.span, forbid=when)
        return _Rule(rule_id, es, en, origin.span, when=when, require=require)

    def _wording(self, read: Reading) -> tuple[str, str, str] | None:
        """An id and a sentence for a rule that only names features; else ``None``."""
        given = _named(read.when, And)
        wanted = _named(read.require, Or)
        if wanted is None:
            wanted, alternative = _named(read.require, And), False
        else:
            alternative = True
        if given is None or wanted is None:
            return None
        left, right = [self.names[each] for each in given], [self.names[each] for each in wanted]
        word_es, word_en = ("o", "or") if alternative else ("y", "and")
        left_ids = " and ".join(self.ids[each] for each in given)
        right_ids = f" {word_en} ".join(self.ids[each] for each in wanted)
        if not wanted:
            if len(left) == 1:
                text = f"{names_es(left)} no se ofrece.", f"{names_en(left)} is not offered."
                return f"no {left_ids}", *text
            excludes = " excludes ".join(self.ids[each] for each in given)
            text = f"{names_es(left)} no van juntas.", f"{names_en(left)} do not go together."
            return excludes, *text
        if not given:
            several = len(right) > 1
            text = (
                f"Hace falta {'al menos una de ' if several else ''}{names_es(right, word_es)}.",
                f"{'One of ' if several else ''}{names_en(right, word_en)} is needed.",
            )
            return f"{right_ids} always", *text
        need = ("necesita", "needs") if len(left) == 1 else ("necesitan", "need")
        text = (
            f"{names_es(left)} {need[0]} {names_es(right, word_es)}.",
            f"{names_en(left)} {need[1]} {names_en(right, word_en)}.",
        )
        return f"{left_ids} {need[1]} {right_ids}", *text


def _named(formula: Formula | None, kind: type[And] | type[Or]) -> list[int] | None:
    """The features a formula joins, where it joins nothing else; none where there is none."""
    if formula is None:
        return []
    parts = formula.parts if isinstance(formula, kind) else (formula,)
    features = [part.feature for part in parts if isinstance(part, Is)]
    return features if len(features) == len(parts) else None


def _counted(total: str, low: int, high: int, size: int) -> tuple[str, str, str, str]:
    """The end of a rule's id, its requirement, and the number in words."""
    if low == high:
        number = ("exactly-one", "exactamente una", "exactly one")
        words = number if low == 1 else (f"exactly-{low}", f"exactamente {low}", f"exactly {low}")
        return words[0], f"{total} = {low}", words[1], words[2]
    if high >= size:
        return f"at-least-{low}", f"{total} >= {low}", f"al menos {low}", f"at least {low}"
    if low == 0:
        return f"at-most-{high}", f"{total} <= {high}", f"como mucho {high}", f"at most {high}"
    return (
        f"{low}-to-{high}",
        f"{total} in {low}..{high}",
        f"entre {low} y {high}",
        f"between {low} and {high}",
    )


def _total(terms: Sequence[str]) -> str:
    """The sum of many terms, in brackets of a few, so that it nests little."""
    while len(terms) > _TERMS:
        terms = [
            f"({' + '.join(terms[start : start + _TERMS])})"
            for start in range(0, len(terms), _TERMS)
        ]
    return " + ".join(terms)


def _remark(note: str) -> str:
    return one_line("".join(letter if letter.isprintable() else " " for letter in note))


def _file(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"

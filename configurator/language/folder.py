"""A rule folder from bytes to a product, or to the list of its mistakes.

It joins the sections of all files, declares names before it reads expressions, and
never raises for what a file says.
"""

from __future__ import annotations

from collections.abc import Mapping as Files
from dataclasses import dataclass, replace

from configurator.language import lints
from configurator.language.draft import Draft
from configurator.language.fields import SPANISH_KEYS
from configurator.language.files import decode_yaml, digest_of
from configurator.language.guards import read_guards
from configurator.language.header import (
    PRODUCT_KEYS,
    named,
    read_context,
    read_facts,
    read_header,
    read_steps,
)
from configurator.language.nodes import Mapping, Node, Scalar, Sequence, read_yaml
from configurator.language.prices import read_prices, read_section
from configurator.language.report import Report
from configurator.language.rules import read_rules
from configurator.language.scenarios import read_scenarios
from configurator.language.scope import Scope
from configurator.language.spreadsheet import read_csv
from configurator.language.tables import type_lookups
from configurator.language.texts import Texts
from configurator.language.variables import complete, declare
from configurator.model.diagnostic import Diagnostic, Span
from configurator.model.product import Product

_MAPPINGS = ("attributes", "context", "variables", "prices")
_LISTS = ("steps", "rules", "guards", "scenarios")
_LATER = {
    "needs": "needs",
    "parts": "parts",
    "preferences": "preferences",
    "resources": "resources",
    "lead time": "lead time",
    "migrations": "migrations",
    "include": "include",
    "parameters": "parameters",
    "when out of stock": "stock",
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of a folder: the product, ``None`` if anything stops, and all doubts."""

    product: Product | None
    diagnostics: tuple[Diagnostic, ...]


@dataclass(slots=True)
class Sections:
    """The sections of all files, joined by name."""

    product: dict[str, Node]
    mappings: dict[str, list[Mapping]]
    lists: dict[str, list[Sequence]]
    place: Span


def load_folder(files: Files[str, bytes]) -> Loaded:
    """Read a folder of rule files; never raises for their content."""
    report = Report()
    texts = Texts(report)
    draft = Draft(report, files, texts, Scope())
    sections = _sections(draft, files)
    product = _product(draft, sections, digest_of(files)) if sections is not None else None
    diagnostics = report.diagnostics()
    stopped = any(each.severity == "stop" for each in diagnostics)
    return Loaded(None if stopped else product, diagnostics)


def _sections(draft: Draft, files: Files[str, bytes]) -> Sections | None:
    names = [name for name in sorted(files) if name.endswith((".yaml", ".yml"))]
    names.sort(key=lambda name: name != "product.yaml")
    if not names:
        draft.report.stop("missing-key/files", Span("product.yaml", 1, 1))
        return None
    roots = []
    fit = True
    for name in names:
        text = decode_yaml(draft.report, name, files[name])
        root = read_yaml(draft.report, name, text) if text is not None else None
        if root is None:
            fit = False
        else:
            roots.append(root)
    place = Span("product.yaml" if "product.yaml" in files else names[0], 1, 1)
    sections = Sections({}, {}, {}, place)
    first: dict[str, Span] = {}
    for root in roots:
        for key, node in root.entries:
            _section(draft, sections, first, key, node)
    # Half a folder would only produce mistakes that follow from the file that is missing.
    return sections if fit else None


def _section(
    draft: Draft, sections: Sections, first: dict[str, Span], key: Scalar, node: Node
) -> None:
    report = draft.report
    name = key.text.replace("_", " ").replace("-", " ").lower()
    if name in _LATER:
        report.later(_LATER[name], key.span)
        _remember(draft, name, node)
    elif name in PRODUCT_KEYS:
        known = first.setdefault(name, key.span)
        if known is not key.span and known != key.span:
            report.stop("duplicate-id", key.span, id=name, file=known.file, line=known.line)
        else:
            sections.product[name] = node
    elif isinstance(node, Scalar) and node.empty and name in (*_MAPPINGS, *_LISTS):
        pass
    elif name in _MAPPINGS:
        if isinstance(node, Mapping):
            sections.mappings.setdefault(name, []).append(node)
        else:
            report.stop("type-mismatch/mapping", node.span)
    elif name in _LISTS:
        if isinstance(node, Sequence):
            sections.lists.setdefault(name, []).append(node)
        else:
            report.stop("type-mismatch/list", node.span)
    else:
        offered = sorted((*PRODUCT_KEYS, *_MAPPINGS, *_LISTS))
        meant = SPANISH_KEYS.get(name)
        if meant in offered:
            report.stop("unknown-key/write", key.span, word=key.text, write=meant)
        else:
            meant = draft.stop_unknown("unknown-key/section", key.span, key.text, offered)
        # Read on as if that were written, or all that is in it would be missed.
        if meant in PRODUCT_KEYS:
            sections.product.setdefault(meant, node)
        elif meant is not None and not isinstance(node, Scalar):
            _section(draft, sections, first, replace(key, text=meant), node)


def _remember(draft: Draft, section: str, node: Node) -> None:
    """Names of constructs not built yet, so that reading them is not a second mistake."""
    pending = draft.scope.pending
    if not isinstance(node, Mapping):
        return
    if section == "lead time":
        pending.update(
            value.text
            for key, value in node.entries
            if key.text == "name" and isinstance(value, Scalar)
        )
        return
    for key, value in node.entries:
        pending.add(key.text)
        if section != "parts" or not isinstance(value, Mapping):
            continue
        for inner, block in value.entries:
            if inner.text == "rules" and isinstance(block, Sequence):
                for rule in block.items:
                    for name, word in rule.entries if isinstance(rule, Mapping) else ():
                        if name.text == "id" and isinstance(word, Scalar):
                            pending.add(word.text)


def _items(draft: Draft, sections: Sections, name: str) -> list[Mapping]:
    found = []
    for section in sections.lists.get(name, ()):
        for item in section.items:
            if isinstance(item, Mapping):
                found.append(item)
            else:
                draft.report.stop("type-mismatch/mapping", item.span)
    return found


def _read_sheets(draft: Draft) -> None:
    texts = draft.texts
    for name in sorted(draft.files):
        folder, _, file = name.rpartition("/")
        language = file.removesuffix(".csv")
        if folder != "texts" or file == language:
            continue
        if language not in texts.languages:
            draft.report.stop(
                "unknown-value/sheet",
                Span(name, 1, 1),
                word=language,
                offered=", ".join(texts.languages),
            )
        elif language == texts.language:
            draft.report.warn("unknown-key/own-sheet", Span(name, 1, 1), language=language)
        else:
            sheet = read_csv(draft.report, name, draft.files[name])
            if sheet is not None:
                texts.add_sheet(language, sheet)
            else:
                texts.unread.add((language, ""))


def _product(draft: Draft, sections: Sections, digest: str) -> Product:
    header = read_header(draft, sections.product, sections.place)
    _read_sheets(draft)
    facts = read_facts(draft, sections.mappings.get("attributes", []))
    context = read_context(draft, sections.mappings.get("context", []))
    outlines = declare(draft, sections.mappings.get("variables", []))
    rule_items = _items(draft, sections, "rules")
    type_lookups(draft, rule_items)
    price_fields, lines = read_section(draft, sections.mappings.get("prices", []))
    variables = complete(draft, outlines)
    asked = tuple(each.id for each in variables if each.kind != "computed")
    steps = read_steps(draft, sections.lists.get("steps", []), asked, header.span)
    rules, tables, rule_ids = read_rules(draft, rule_items)
    guards, guard_ids = read_guards(draft, _items(draft, sections, "guards"))
    prices = read_prices(draft, price_fields, lines, variables)
    charges = {"base", "minimum", *draft.scope.prices, *(each.id for each in variables)}
    scenarios = read_scenarios(
        draft, _items(draft, sections, "scenarios"), {*rule_ids}, {*guard_ids}, charges
    )
    product = Product(
        id=header.id,
        name=named(draft, header.name, "name", header.id, header.span),
        language=draft.texts.language,
        languages=draft.texts.languages,
        time_zone=header.time_zone,
        variables=variables,
        steps=steps,
        owner=header.owner,
        description=draft.texts.read(header.description, "description"),
        facts=tuple(
            replace(fact, name=draft.texts.read(node, f"attributes.{fact.id}.name"))
            for fact, node in facts
        ),
        context=context,
        rules=rules,
        tables=tables,
        guards=guards,
        prices=prices,
        scenarios=scenarios,
        picture=header.picture,
        digest=digest,
        accepted=tuple(draft.report.accepted),
    )
    for word, span in draft.texts.shown:
        if word not in draft.scope.names and word not in draft.scope.pending:
            draft.stop_unknown("unknown-name/placeholder", span, word, draft.scope.names)
    draft.texts.report_unused(("needs.", "parts.", "include.", "preferences."))
    lints.check(draft, product, rule_ids)
    return product

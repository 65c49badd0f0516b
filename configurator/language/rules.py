"""The section ``rules``: what is possible."""

from __future__ import annotations

from configurator.language.draft import Draft
from configurator.language.fields import METADATA, Fields, check_id, scalar
from configurator.language.nodes import Mapping, Scalar
from configurator.language.resolve import read_condition
from configurator.language.tables import read_table
from configurator.model import expression as model
from configurator.model.diagnostic import Span
from configurator.model.product import Rule, Table

_KEYS = METADATA | {
    "id",
    "when",
    "require",
    "forbid",
    "table",
    "kind",
    "sets",
    "match",
    "empty",
}
_LATER = {"sheet": "Excel tables"}


def take_id(draft: Draft, fields: Fields, seen: dict[str, Span], section: str) -> Scalar | None:
    """The unique id of a rule, guard or line, or ``None`` after a diagnostic."""
    key = scalar(draft, fields.must("id", section))
    if key is None or check_id(draft, key) is None:
        return None
    first = seen.get(key.text)
    if first is not None:
        draft.report.stop("duplicate-id", key.span, id=key.text, file=first.file, line=first.line)
        return None
    seen[key.text] = key.span
    return key


def read_rules(
    draft: Draft, items: list[Mapping]
) -> tuple[tuple[Rule, ...], tuple[Table, ...], dict[str, Span]]:
    """Rules and tables in the order written, and where each id stands."""
    rules: list[Rule] = []
    tables: list[Table] = []
    seen: dict[str, Span] = {}
    for item in items:
        fields = Fields(draft, item, _KEYS, _LATER)
        key = take_id(draft, fields, seen, "rules")
        if key is None:
            continue
        active = fields.active()
        fields.check_metadata()
        ways = [way for way in ("require", "forbid", "table") if way in fields]
        if len(ways) != 1:
            draft.report.stop("missing-key/rule", key.span, rule=key.text)
        elif ways == ["table"]:
            if "when" in fields:
                draft.report.stop("unknown-key/table-when", fields.of["when"].span)
            table = read_table(draft, fields, key.text, key)
            if table is not None and active:
                tables.append(table)
        else:
            rule = _rule(draft, fields, key)
            if rule is not None and active:
                rules.append(rule)
    return tuple(rules), tuple(tables), seen


def _rule(draft: Draft, fields: Fields, key: Scalar) -> Rule | None:
    for name in ("kind", "sets", "match", "empty"):
        if name in fields:
            draft.report.stop("unknown-key/table-only", fields.of[name].span, word=name)
    when, require, forbid = (
        read_condition(draft, fields.scalar(name), "rule") for name in ("when", "require", "forbid")
    )
    because = draft.texts.read(fields.get("because"), f"rules.{key.text}.because", must="because")
    if ("when" in fields and when is None) or (require is None and forbid is None):
        return None
    if forbid is not None and when is not None:
        both: model.Condition = model.And((when, forbid), key.span)
        when, forbid = None, both
    return Rule(
        id=key.text,
        because=because,
        when=when,
        require=require,
        forbid=forbid,
        why=fields.string("why"),
        owner=fields.string("owner"),
        source=fields.string("source"),
        period=fields.period(),
        span=key.span,
    )

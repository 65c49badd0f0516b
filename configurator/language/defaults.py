"""What a variable's ``default`` proposes.

One answer, a set of a several-of (``[rack, lights]``, ``{rack: 2}``, ``none``), or rows with
conditions. Whether a proposal fits is the engine's business.
"""

from __future__ import annotations

from configurator.language.answers import answer_of, quantities_of
from configurator.language.draft import Draft
from configurator.language.fields import Fields, sequence
from configurator.language.nodes import Mapping, Node, Sequence
from configurator.language.resolve import read_condition
from configurator.language.scope import Declared
from configurator.model.diagnostic import Span
from configurator.model.expression import Condition
from configurator.model.product import Default


def read_defaults(draft: Draft, declared: Declared, node: Node | None) -> tuple[Default, ...]:
    """One proposal, or a list of rows ``{when, value}`` of which the first that fits counts."""
    if node is None:
        return ()
    if not isinstance(node, Sequence) or _is_set(declared, node):
        row = _default(draft, declared, node, None, node.span)
        return () if row is None else (row,)
    rows = []
    for item in sequence(draft, node):
        fields = Fields(draft, item, frozenset({"when", "value"}))
        value = fields.must("value", declared.id)
        when = fields.scalar("when")
        condition = read_condition(draft, when, "background")
        row = None if value is None else _default(draft, declared, value, condition, item.span)
        if row is not None and (condition is not None or when is None):
            rows.append(row)
    return tuple(rows)


def _is_set(declared: Declared, node: Sequence) -> bool:
    """``[rack, lights]`` is one proposal of a several-of; a list of rows holds mappings."""
    rows = any(isinstance(item, Mapping) for item in node.items)
    return declared.kind == "several of" and not rows


def _default(
    draft: Draft, declared: Declared, node: Node, when: Condition | None, span: Span
) -> Default | None:
    if declared.kind != "several of":
        answer = answer_of(draft, declared, node)
        return None if answer is None else Default(answer, when, span)
    slots = quantities_of(draft, declared, node, closed=True)
    if slots is None:
        return None
    taken = tuple(
        (slot.removeprefix(f"{declared.id}."), quantity)
        for slot, quantity in slots
        if quantity != "0"
    )
    return Default("", when, span, taken)

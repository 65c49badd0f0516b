"""Which slots an expression reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from configurator.engine.truth import Meaning
from configurator.model.expression import (
    And,
    Arithmetic,
    Comparison,
    Condition,
    DatePart,
    Else,
    Expression,
    Extreme,
    Fact,
    Has,
    Kinds,
    Membership,
    Negative,
    Not,
    Or,
    Pieces,
    Quantity,
    Range,
    Read,
    Relevant,
    SumOfFact,
    Term,
    TextLength,
)


class Reading:
    """Finds the slots (and told context) behind expressions.

    ``opened`` says which computed variables are looked through to their inputs; the
    others are slots of their own.
    """

    def __init__(self, meaning: Meaning, opened: Callable[[str], bool]) -> None:
        self._meaning = meaning
        self._opened = opened
        self._behind: dict[str, tuple[str, ...]] = {}

    def slots(self, *expressions: Expression | None) -> tuple[str, ...]:
        """The slots read, each once, in the order they are met."""
        found: dict[str, None] = {}
        for expression in expressions:
            if expression is not None:
                self._collect(expression, found)
        return tuple(found)

    def behind(self, computed: str) -> tuple[str, ...]:
        """The slots a computed variable follows from directly."""
        if computed not in self._behind:
            product = self._meaning.product
            variable = product.variable(computed)
            found: dict[str, None] = {}
            if variable.relevant_when is not None:
                self._collect(variable.relevant_when, found)
            source = variable.computed
            if source is not None and source.term is not None:
                self._collect(source.term, found)
            elif source is not None:
                for table in product.tables:
                    if table.id == source.lookup:
                        for row in self._meaning.live_rows(table):
                            for cell in row.conditions:
                                self._collect(cell, found)
            self._behind[computed] = tuple(found)
        return self._behind[computed]

    def _variable(self, variable_id: str, found: dict[str, None]) -> None:
        layout = self._meaning.layout
        if variable_id in layout.context:
            found[variable_id] = None
            return
        variable = layout.product.variable(variable_id)
        if variable.kind == "computed" and self._opened(variable_id):
            found.update(dict.fromkeys(self.behind(variable_id)))
            return
        for slot in layout.by_variable[variable_id]:
            found[slot.id] = None

    def _asked(self, variable_id: str, found: dict[str, None]) -> None:
        layout = self._meaning.layout
        if variable_id in layout.context:
            return
        variable = layout.product.variable(variable_id)
        slots = layout.by_variable[variable_id]
        if variable.kind == "computed":
            self._variable(variable_id, found)
        elif variable.relevant_when is not None and slots:
            found[slots[0].id] = None
        elif variable.relevant_when is not None:
            self._collect(variable.relevant_when, found)

    def _collect(self, node: Expression, found: dict[str, None]) -> None:
        if isinstance(node, Comparison):
            self._collect(node.left, found)
            self._collect(node.right, found)
        elif isinstance(node, And | Or):
            for each in node.conditions:
                self._collect(each, found)
        elif isinstance(node, Not):
            self._collect(node.condition, found)
        elif isinstance(node, Membership):
            self._collect(node.term, found)
            for term in _terms_of(node):
                self._collect(term, found)
        elif isinstance(node, Relevant):
            self._asked(node.variable, found)
        elif isinstance(node, Has):
            self._collect(self._meaning.has(node), found)
        elif isinstance(node, Quantity):
            slot = f"{node.variable}.{node.value}"
            if slot in self._meaning.layout.by_id:
                found[slot] = None
            else:
                self._asked(node.variable, found)
        elif isinstance(node, Pieces | Kinds):
            self._asked(node.variable, found)
            self._variable(node.variable, found)
        else:
            self._term(node, found)

    def _term(self, node: Expression, found: dict[str, None]) -> None:
        if isinstance(node, Read | TextLength):
            self._variable(node.variable, found)
        elif isinstance(node, Fact):
            self._fact(node.variable, node.fact, found)
        elif isinstance(node, SumOfFact):
            variables = self._meaning.product.variables
            names = [each.id for each in variables] if node.variable is None else [node.variable]
            for name in names:
                if self._meaning.has_fact(name, node.fact):
                    self._fact(name, node.fact, found)
        elif isinstance(node, DatePart):
            self._collect(node.date, found)
        elif isinstance(node, Negative):
            self._collect(node.term, found)
        elif isinstance(node, Arithmetic):
            self._collect(node.left, found)
            self._collect(node.right, found)
        elif isinstance(node, Else):
            self._collect(node.term, found)
            self._collect(node.fallback, found)
        elif isinstance(node, Extreme):
            for each in node.terms:
                self._collect(each, found)

    def _fact(self, variable_id: str, fact: str, found: dict[str, None]) -> None:
        layout = self._meaning.layout
        variable = layout.product.variable(variable_id)
        facts = self._meaning.facts_of(variable_id, fact)
        for slot in layout.by_variable[variable_id]:
            if slot.value is None or slot.value.id in facts:
                found[slot.id] = None
        if variable.times is not None and self._meaning.times(variable, fact) is not None:
            self._collect(variable.times, found)


def _terms_of(node: Membership) -> Iterable[Term]:
    for item in node.items:
        if not isinstance(item, Range):
            yield item
            continue
        for end in (item.low, item.high):
            if end is not None:
                yield end


def atoms_of(meaning: Meaning, condition: Condition | None) -> Iterable[Condition]:
    """The comparisons, memberships and relevance tests a condition is made of."""
    if condition is None:
        return
    if isinstance(condition, And | Or):
        for each in condition.conditions:
            yield from atoms_of(meaning, each)
    elif isinstance(condition, Not):
        yield from atoms_of(meaning, condition.condition)
    elif isinstance(condition, Has):
        yield from atoms_of(meaning, meaning.has(condition))
    else:
        yield condition

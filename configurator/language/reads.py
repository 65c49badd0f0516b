"""Which variables an expression reads."""

from __future__ import annotations

from configurator.model import expression as model

_NAMED = (
    model.Read,
    model.Fact,
    model.Quantity,
    model.Pieces,
    model.Kinds,
    model.TextLength,
    model.Relevant,
    model.Has,
)


def reads(expression: model.Expression) -> tuple[str, ...]:
    """The variables named in an expression, each once (not those of ``sum(weight)``)."""
    found: dict[str, None] = {}
    for each in model.parts_of(expression):
        if isinstance(each, _NAMED) or (
            isinstance(each, model.SumOfFact) and each.variable is not None
        ):
            assert each.variable is not None
            found[each.variable] = None
    return tuple(found)

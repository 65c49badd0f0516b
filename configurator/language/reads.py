"""Which variables an expression reads."""

from __future__ import annotations

from collections.abc import Iterator

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


def parts_of(expression: model.Expression) -> Iterator[model.Expression]:
    """The expression and everything inside it."""
    waiting: list[model.Expression] = [expression]
    while waiting:
        each = waiting.pop()
        yield each
        match each:
            case model.And(conditions=inside) | model.Or(conditions=inside):
                waiting.extend(inside)
            case model.Not(condition=condition):
                waiting.append(condition)
            case (
                model.Comparison(left=left, right=right) | model.Arithmetic(left=left, right=right)
            ):
                waiting += [left, right]
            case model.Membership(term=term, items=items):
                waiting.append(term)
                for item in items:
                    if isinstance(item, model.Range):
                        waiting += [end for end in (item.low, item.high) if end is not None]
                    else:
                        waiting.append(item)
            case model.Negative(term=term):
                waiting.append(term)
            case model.DatePart(date=term):
                waiting.append(term)
            case model.Else(term=term, fallback=fallback):
                waiting += [term, fallback]
            case model.Extreme(terms=terms):
                waiting.extend(terms)
            case _:
                pass


def reads(expression: model.Expression) -> tuple[str, ...]:
    """The variables named in an expression, each once (not those of ``sum(weight)``)."""
    found: dict[str, None] = {}
    for each in parts_of(expression):
        if isinstance(each, _NAMED) or (
            isinstance(each, model.SumOfFact) and each.variable is not None
        ):
            assert each.variable is not None
            found[each.variable] = None
    return tuple(found)

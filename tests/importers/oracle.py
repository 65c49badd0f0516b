"""Two slow, independent readings to compare with: of a feature tree, and of a product.

Neither shares code with the importers or the engine. A tree is nested tuples; a
configuration is the set of selected names.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from hypothesis import strategies as st

from configurator.model import expression as model
from configurator.model.product import Product


@dataclass(frozen=True)
class Branch:
    """A group below a feature: its UVL words, and how many members it takes."""

    words: str
    low: int
    high: int
    members: tuple[Tree, ...]


@dataclass(frozen=True)
class Tree:
    """A feature and its groups."""

    name: str
    branches: tuple[Branch, ...]


Formula = tuple[object, ...]
"""``("A",)``, or an operator of UVL before its one or two parts."""


@dataclass(frozen=True)
class RandomModel:
    """A tree and constraints over its names."""

    tree: Tree
    constraints: tuple[Formula, ...]


# --- making them --------------------------------------------------------------------


@st.composite
def random_models(draw: Callable[..., object], most: int = 9) -> RandomModel:
    """Feature models with at most ``most`` features."""
    names = iter((f"F{k}", f"part {k}", f"{k}°", f"F_{k}")[k % 4] for k in range(most))
    left = [most - 1]

    def tree(depth: int) -> Tree:
        name = next(names)
        branches = []
        while depth < 4 and left[0] > 0 and draw(st.booleans()):
            size = min(left[0], draw(st.integers(1, 3)))
            left[0] -= size
            kind = draw(st.sampled_from(["optional", "mandatory", "or", "alternative", "[]"]))
            low, high = {
                "optional": (0, size),
                "mandatory": (size, size),
                "or": (1, size),
                "alternative": (1, 1),
            }.get(kind, (0, 0))
            if kind == "[]":
                low = draw(st.integers(0, size))
                high = draw(st.integers(low, size))
                star = high == size and draw(st.booleans())
                kind = f"[{low}..{'*' if star else high}]"
            branches.append(Branch(kind, low, high, tuple(tree(depth + 1) for _ in range(size))))
        return Tree(name, tuple(branches))

    root = tree(0)
    name = st.sampled_from(names_of(root))
    formula = st.recursive(
        st.tuples(name),
        lambda inner: st.one_of(
            st.tuples(st.just("!"), inner),
            st.tuples(st.sampled_from(["&", "|", "=>", "<=>"]), inner, inner),
        ),
        max_leaves=5,
    )
    return RandomModel(root, tuple(draw(st.lists(formula, max_size=3))))


def names_of(tree: Tree) -> list[str]:
    below = (names_of(each) for branch in tree.branches for each in branch.members)
    return [tree.name, *itertools.chain.from_iterable(below)]


def as_uvl(given: RandomModel) -> str:
    lines = ["features"]

    def write(tree: Tree, depth: int) -> None:
        lines.append("\t" * depth + f'"{tree.name}"')
        for branch in tree.branches:
            lines.append("\t" * (depth + 1) + branch.words)
            for member in branch.members:
                write(member, depth + 2)

    write(given.tree, 1)
    lines.append("constraints")
    lines += [f"\t{_formula_as_uvl(each)}" for each in given.constraints]
    return "\n".join(lines) + "\n"


def _formula_as_uvl(formula: Formula) -> str:
    if len(formula) == 1:
        return f'"{formula[0]}"'
    if len(formula) == 2:
        return f"!({_formula_as_uvl(formula[1])})"
    return f"({_formula_as_uvl(formula[1])}) {formula[0]} ({_formula_as_uvl(formula[2])})"


# --- reading the tree -----------------------------------------------------------------


def configurations_of(given: RandomModel) -> set[frozenset[str]]:
    """Every configuration, from the tree downwards."""
    return {
        chosen
        for chosen in map(frozenset, _selections(given.tree))
        if all(_holds(each, chosen) for each in given.constraints)
    }


def _selections(tree: Tree) -> Iterator[tuple[str, ...]]:
    per_branch = []
    for branch in tree.branches:
        found = []
        for size in range(branch.low, branch.high + 1):
            for members in itertools.combinations(branch.members, size):
                for parts in itertools.product(*(list(_selections(each)) for each in members)):
                    found.append(tuple(itertools.chain.from_iterable(parts)))
        per_branch.append(found)
    for parts in itertools.product(*per_branch):
        yield (tree.name, *itertools.chain.from_iterable(parts))


def _holds(formula: Formula, chosen: frozenset[str]) -> bool:
    match formula:
        case (name,):
            return name in chosen
        case ("!", part):
            return not _holds(part, chosen)
        case ("&", left, right):
            return _holds(left, chosen) and _holds(right, chosen)
        case ("|", left, right):
            return _holds(left, chosen) or _holds(right, chosen)
        case ("=>", left, right):
            return not _holds(left, chosen) or _holds(right, chosen)
        case (_, left, right):
            return _holds(left, chosen) == _holds(right, chosen)
    raise AssertionError(formula)


# --- reading the product --------------------------------------------------------------


def ordered_of(product: Product) -> set[frozenset[str]]:
    """Every configuration of a product of yes-or-nos: the original names that say yes."""
    ids = [variable.id for variable in product.variables]
    names = {each.id: each.name.in_language("en") for each in product.variables}
    found = set()
    for answers in itertools.product((False, True), repeat=len(ids)):
        given = dict(zip(ids, answers, strict=True))
        if all(_kept(rule, given) for rule in product.rules):
            found.add(frozenset(names[each] for each, yes in given.items() if yes))
    return found


def _kept(rule: object, given: dict[str, bool]) -> bool:
    forbid, when, require = rule.forbid, rule.when, rule.require  # type: ignore[attr-defined]
    if forbid is not None:
        return not _true(forbid, given)
    return (when is not None and not _true(when, given)) or _true(require, given)


def _true(condition: model.Condition, given: dict[str, bool]) -> bool:
    match condition:
        case model.Constant(value):
            return value
        case model.Not(part):
            return not _true(part, given)
        case model.And(parts):
            return all(_true(part, given) for part in parts)
        case model.Or(parts):
            return any(_true(part, given) for part in parts)
        case model.Membership(term, items, negated):
            value = _worth(term, given)
            inside = any(
                _worth(item.low, given) <= value <= _worth(item.high, given) for item in items
            )
            return inside != negated
        case model.Comparison(operator, left, right):
            one, other = _worth(left, given), _worth(right, given)
            return {
                "=": one == other,
                "!=": one != other,
                "<=": one <= other,
                ">=": one >= other,
                "<": one < other,
                ">": one > other,
            }[operator]
    raise AssertionError(condition)


def _worth(term: object, given: dict[str, bool]) -> Fraction:
    match term:
        case model.Number(value):
            return value
        case model.YesNo(value):
            return Fraction(value)
        case model.Read(variable):
            return Fraction(given[variable])
        case model.Arithmetic("+", left, right):
            return _worth(left, given) + _worth(right, given)
    raise AssertionError(term)

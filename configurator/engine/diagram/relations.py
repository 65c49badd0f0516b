"""Rules and charges over blocks: what a state means to each of them, and nothing more.

Lifting translates a constraint over network variables into a relation over blocks. A
relation sees a state only as a *symbol* of its own small alphabet: states it cannot tell
apart share one. Nothing here knows trees, automata or diagrams.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from configurator.engine.diagram.placement import Placement
from configurator.engine.network import AllowedTuples, Clause, Constraint, CostFunction, LinearSum

Int64 = npt.NDArray[np.int64]

MANY = 16
"""Clauses over the same blocks that are written as one table."""

CELLS = 1 << 18
"""Combinations of states that such a table may have."""


@dataclass(frozen=True, slots=True)
class SomeOf:
    """At least one block shows the symbol 1 (the alphabets are 0 and 1)."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The symbols together are one of the rows (a row each, distinct)."""

    rows: Int64


@dataclass(frozen=True, slots=True)
class Bounded:
    """``low <= sum(weights[k][symbol k]) <= high``; ``None`` is unbounded."""

    weights: tuple[tuple[int, ...], ...]
    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class Charge:
    """A charge in cents for every combination of symbols (one axis per block)."""

    table: Int64


@dataclass(frozen=True, slots=True)
class Relation:
    """``body`` over ``scope`` (distinct blocks); ``codes[k]`` gives the symbol of every
    state of block ``scope[k]``, from 0 to ``symbols[k] - 1``."""

    scope: tuple[int, ...]
    codes: tuple[Int64, ...]
    symbols: tuple[int, ...]
    body: SomeOf | Rows | Bounded | Charge
    owner: int


class NeverSatisfiedError(Exception):
    """A constraint that no configuration satisfies."""


def lift(constraint: Constraint, placement: Placement) -> Relation | None:
    """The constraint over blocks; ``None`` where it always holds.

    Raises ``NeverSatisfiedError`` where it never does.
    """
    if isinstance(constraint, Clause):
        return _lift_clause(constraint, placement)
    if isinstance(constraint, AllowedTuples):
        return _lift_tuples(constraint, placement)
    return _lift_sum(constraint, placement)


def _lift_clause(clause: Clause, placement: Placement) -> Relation | None:
    masks: dict[int, npt.NDArray[np.bool_]] = {}
    for variable, allowed in clause.literals:
        home = int(placement.block[variable])
        mask = placement.mask_of(variable, allowed)
        masks[home] = masks[home] | mask if home in masks else mask
    if any(mask.all() for mask in masks.values()):
        return None
    scope = tuple(home for home, mask in sorted(masks.items()) if mask.any())
    if not scope:
        raise NeverSatisfiedError
    codes = tuple(masks[home].astype(np.int64) for home in scope)
    return Relation(scope, codes, (2,) * len(scope), SomeOf(), clause.owner)


@dataclass(frozen=True, slots=True)
class _Sight:
    """What a constraint sees of one block: its positions in the constraint's scope, the
    values they have for each symbol (a row each), and the symbol of every state."""

    block: int
    positions: tuple[int, ...]
    values: Int64
    code: Int64


def _sights(scope: tuple[int, ...], placement: Placement) -> tuple[_Sight, ...]:
    homes: dict[int, list[int]] = {}
    for position, variable in enumerate(scope):
        homes.setdefault(int(placement.block[variable]), []).append(position)
    sights = []
    for home, positions in sorted(homes.items()):
        seen = np.stack([placement.values_of(scope[p]) for p in positions], axis=1)
        if len(positions) == 1:
            alone, code = np.unique(seen[:, 0], return_inverse=True)
            values = alone[:, None]
        else:
            values, code = np.unique(seen, axis=0, return_inverse=True)
        sights.append(_Sight(home, tuple(positions), values, code.reshape(-1).astype(np.int64)))
    return tuple(sights)


def _symbols_of(rows: Int64, sight: _Sight) -> Int64:
    """The symbol of each row's values at a block, or -1 if no state has them."""
    if len(sight.positions) == 1:
        values = sight.values[:, 0]
        column = rows[:, sight.positions[0]]
        place = np.minimum(np.searchsorted(values, column), len(values) - 1)
        return np.where(values[place] == column, place, -1).astype(np.int64)
    known = {tuple(row): symbol for symbol, row in enumerate(sight.values.tolist())}
    wanted = rows[:, list(sight.positions)].tolist()
    return np.array([known.get(tuple(row), -1) for row in wanted], dtype=np.int64)


def _lift_tuples(table: AllowedTuples, placement: Placement) -> Relation | None:
    if not table.scope:
        if table.tuples:
            return None
        raise NeverSatisfiedError
    rows = table.rows()
    sights = _sights(table.scope, placement)
    if any(len(sight.values) == 0 for sight in sights):
        raise NeverSatisfiedError
    lifted = np.stack([_symbols_of(rows, sight) for sight in sights], axis=1)
    lifted = np.unique(lifted[(lifted >= 0).all(axis=1)], axis=0)
    if len(lifted) == 0:
        raise NeverSatisfiedError
    scope = tuple(sight.block for sight in sights)
    return _fewer_symbols(scope, tuple(sight.code for sight in sights), lifted, table.owner)


def _fewer_symbols(
    scope: tuple[int, ...], codes: tuple[Int64, ...], rows: Int64, owner: int
) -> Relation | None:
    """Give one symbol to values that stand in the same rows otherwise, and leave out the
    blocks whose value then makes no difference."""
    renamed: list[Int64] = []
    counts: list[int] = []
    for position, code in enumerate(codes):
        others = np.delete(rows, position, axis=1)
        order = np.lexsort((*others.T[::-1], rows[:, position]))
        rest = np.ascontiguousarray(others[order])
        size = int(code.max()) + 1
        bounds = np.searchsorted(rows[order, position], np.arange(size + 1))
        slices: dict[bytes, int] = {}
        symbol = np.zeros(size, dtype=np.int64)
        for value in range(size):
            key = rest[bounds[value] : bounds[value + 1]].tobytes()
            if rest.shape[1] == 0:
                key = bytes(int(bounds[value + 1] > bounds[value]))
            symbol[value] = slices.setdefault(key, len(slices))
        rows = rows.copy()
        rows[:, position] = symbol[rows[:, position]]
        rows = np.unique(rows, axis=0)
        renamed.append(symbol[code])
        counts.append(len(slices))
    keep = [position for position, count in enumerate(counts) if count > 1]
    rows = rows[:, keep]
    if len(rows) == math.prod(counts):
        return None
    return Relation(
        tuple(scope[position] for position in keep),
        tuple(renamed[position] for position in keep),
        tuple(counts[position] for position in keep),
        Rows(rows),
        owner,
    )


def joined(relations: Sequence[Relation], placement: Placement) -> list[Relation]:
    """The same, but many clauses over the same few blocks as one table.

    A table of forbidden rows is one clause a row; conjoined one by one they would take as
    many products of diagrams. Raises ``NeverSatisfiedError`` where a table has no row left.
    """
    clauses: dict[tuple[int, ...], list[Relation]] = {}
    for relation in relations:
        if isinstance(relation.body, SomeOf):
            clauses.setdefault(relation.scope, []).append(relation)
    sizes = np.diff(placement.block_start)
    together = {
        scope: _table_of(scope, same, tuple(int(sizes[block]) for block in scope))
        for scope, same in clauses.items()
        if len(same) >= MANY and math.prod(int(sizes[block]) for block in scope) <= CELLS
    }
    rest = [
        each for each in relations if not (isinstance(each.body, SomeOf) and each.scope in together)
    ]
    return [*rest, *(table for table in together.values() if table is not None)]


def _table_of(
    scope: tuple[int, ...], clauses: list[Relation], sizes: tuple[int, ...]
) -> Relation | None:
    allowed = np.ones(sizes, dtype=np.bool_)
    for clause in clauses:
        allowed[np.ix_(*(np.flatnonzero(code == 0) for code in clause.codes))] = False
    rows = np.argwhere(allowed).astype(np.int64)
    if len(rows) == 0:
        raise NeverSatisfiedError
    codes = tuple(np.arange(size, dtype=np.int64) for size in sizes)
    return _fewer_symbols(scope, codes, rows, clauses[0].owner)


def _lift_sum(total: LinearSum, placement: Placement) -> Relation | None:
    low, high = total.low, total.high
    added: dict[int, Int64] = {}
    for variable, weights in zip(total.scope, total.weights, strict=True):
        home = int(placement.block[variable])
        of_state = np.array(weights, dtype=np.int64)[placement.values_of(variable)]
        added[home] = added[home] + of_state if home in added else of_state
    least = most = 0
    scope: list[int] = []
    codes: list[Int64] = []
    alphabets: list[tuple[int, ...]] = []
    for home, of_state in sorted(added.items()):
        if len(of_state) == 0:
            raise NeverSatisfiedError
        values, code = np.unique(of_state, return_inverse=True)
        offset = int(values[0])
        low = None if low is None else low - offset
        high = None if high is None else high - offset
        if len(values) > 1:
            scope.append(home)
            codes.append(code.astype(np.int64))
            alphabets.append(tuple(int(value) - offset for value in values))
            most += int(values[-1]) - offset
    if (low is not None and most < low) or (high is not None and least > high):
        raise NeverSatisfiedError
    if (low is None or low <= least) and (high is None or most <= high):
        return None
    body = Bounded(tuple(alphabets), low, high)
    sizes = tuple(len(alphabet) for alphabet in alphabets)
    return Relation(tuple(scope), tuple(codes), sizes, body, total.owner)


def lift_charge(
    function: CostFunction, sizes: tuple[int, ...], placement: Placement, state_cost: Int64
) -> tuple[int, Relation | None]:
    """Split a charge into a constant, charges of single states and a joint remainder.

    ``sizes`` are those of the function's scope. The charges of single states are added to
    ``state_cost``; the remainder is ``None`` where nothing is left of it.
    """
    table = np.array(function.costs, dtype=np.int64).reshape(sizes)
    if len(sizes) == 1 and table.size:
        states = placement.states_of(int(placement.block[function.scope[0]]))
        state_cost[states] += table[placement.values_of(function.scope[0])]
        return 0, None
    sights = _sights(function.scope, placement)
    if table.size == 0:
        return 0, None
    index: list[Int64] = [np.zeros(0, dtype=np.int64)] * len(function.scope)
    for axis, sight in enumerate(sights):
        shape = [1] * len(sights)
        shape[axis] = len(sight.values)
        for column, position in enumerate(sight.positions):
            index[position] = sight.values[:, column].reshape(shape)
    joint = np.array(table[tuple(index)]).reshape([len(sight.values) for sight in sights])
    constant = int(joint.min())
    joint = joint - constant
    for axis, sight in enumerate(sights):
        others = tuple(other for other in range(len(sights)) if other != axis)
        alone = joint.min(axis=others, keepdims=True)
        joint = joint - alone
        state_cost[placement.states_of(sight.block)] += alone.reshape(-1)[sight.code]
    if not joint.any():
        return constant, None
    return constant, _charge_relation(sights, joint)


def _charge_relation(sights: tuple[_Sight, ...], joint: Int64) -> Relation:
    scope: list[int] = []
    codes: list[Int64] = []
    sizes: list[int] = []
    for axis, sight in enumerate(sights):
        slices = np.moveaxis(joint, axis, 0).reshape(joint.shape[axis], -1)
        _, first, symbol = np.unique(slices, axis=0, return_index=True, return_inverse=True)
        joint = np.take(joint, first, axis=axis)
        scope.append(sight.block)
        codes.append(symbol.reshape(-1)[sight.code].astype(np.int64))
        sizes.append(len(first))
    keep = [axis for axis, size in enumerate(sizes) if size > 1]
    return Relation(
        tuple(scope[axis] for axis in keep),
        tuple(codes[axis] for axis in keep),
        tuple(sizes[axis] for axis in keep),
        Charge(joint.reshape([sizes[axis] for axis in keep])),
        -1,
    )

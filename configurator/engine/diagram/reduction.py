"""From a network to what is compiled: blocks, relations over them, classes of states.

States that no relation tells apart form one *class*; the diagram branches on classes, and
the charges of single states are settled outside it. Nothing here knows diagrams.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from configurator.engine.diagram.blocks import find_blocks
from configurator.engine.diagram.placement import Placement, each_alone
from configurator.engine.diagram.relations import (
    Bounded,
    NeverSatisfiedError,
    Relation,
    Rows,
    SomeOf,
    joined,
    lift,
    lift_charge,
)
from configurator.engine.network import Network

Int64 = npt.NDArray[np.int64]
Int32 = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Reduction:
    """A network made ready to compile.

    ``state_cost`` and ``constant`` hold the charges that single states decide;
    ``class_of`` gives every state a class, numbered within its block from 0;
    ``living[b]`` are the classes of block ``b`` that may be taken at all.
    ``state_weight`` is how many configurations a state stands for. ``aside`` are sums that
    are not compiled; their symbols are those of states, not of classes.
    """

    placement: Placement
    relations: tuple[Relation, ...]
    charges: tuple[Relation, ...]
    constant: int
    state_cost: Int64
    state_weight: tuple[int, ...]
    class_of: Int64
    class_count: tuple[int, ...]
    living: tuple[Int32, ...]
    aside: tuple[Relation, ...] = ()


def reduce_network(network: Network, aside: frozenset[int] = frozenset()) -> Reduction:
    """Lift every constraint and charge, drop impossible states, find the classes.

    ``aside`` numbers constraints, sums all of them, that stay beside the diagram: they
    drop impossible states too but do not tell states apart.

    Raises ``NeverSatisfiedError`` where a constraint alone shows that there is no
    configuration.
    """
    placement = find_blocks(network)
    lifted = [lift(constraint, placement) for constraint in network.constraints]
    state_cost = np.zeros(int(placement.block_start[-1]), dtype=np.int64)
    constant = 0
    charges: list[Relation] = []
    for function in network.costs:
        sizes = tuple(network.variables[variable].size for variable in function.scope)
        part, joint = lift_charge(function, sizes, placement, state_cost)
        constant += part
        if joint is not None:
            charges.append(joint)
    living, open_relations = propagate(placement, lifted)
    relations: list[Relation] = []
    beside: list[Relation] = []
    for number, relation in enumerate(open_relations):
        if relation is not None:
            (beside if number in aside else relations).append(relation)
    relations = joined(relations, placement)
    reduced = _with_classes(network, placement, relations, charges, constant, state_cost, living)
    return replace(reduced, aside=tuple(beside))


def reduce_to_nothing(network: Network) -> Reduction:
    """What stands for a network of which it is known that it has no configuration."""
    placement = each_alone(network.variables)
    states = int(placement.block_start[-1])
    return Reduction(
        placement=placement,
        relations=(),
        charges=(),
        constant=0,
        state_cost=np.zeros(states, dtype=np.int64),
        state_weight=(1,) * states,
        class_of=np.zeros(states, dtype=np.int64),
        class_count=(1,) * placement.blocks,
        living=tuple(np.zeros(1, dtype=np.int32) for _ in range(placement.blocks)),
    )


def _state_weights(network: Network, placement: Placement) -> tuple[int, ...]:
    weights = [1] * int(placement.block_start[-1])
    for index, variable in enumerate(network.variables):
        if variable.hidden or all(count == 1 for count in variable.multiplicity):
            continue
        first = int(placement.block_start[placement.block[index]])
        for place, value in enumerate(placement.values_of(index).tolist()):
            weights[first + place] *= variable.multiplicity[value]
    return tuple(weights)


def _with_classes(
    network: Network,
    placement: Placement,
    relations: list[Relation],
    charges: list[Relation],
    constant: int,
    state_cost: Int64,
    living: list[npt.NDArray[np.bool_]],
) -> Reduction:
    codes: list[list[Int64]] = [[] for _ in range(placement.blocks)]
    for relation in (*relations, *charges):
        for block, code in zip(relation.scope, relation.codes, strict=True):
            codes[block].append(code)
    class_of = np.zeros(len(state_cost), dtype=np.int64)
    representatives: list[Int64] = []
    class_living: list[Int32] = []
    for block in range(placement.blocks):
        alive = living[block]
        if not codes[block] and alive.all():
            representatives.append(np.zeros(1, dtype=np.int64))
            class_living.append(np.zeros(1, dtype=np.int32))
            continue
        columns = np.stack([(~alive).astype(np.int64), *codes[block]], axis=1)
        columns[~alive, 1:] = 0
        _, first, number = np.unique(columns, axis=0, return_index=True, return_inverse=True)
        order = np.argsort(first)
        rename = np.empty(len(first), dtype=np.int64)
        rename[order] = np.arange(len(first))
        class_of[placement.states_of(block)] = rename[number.reshape(-1)]
        representatives.append(first[order])
        class_living.append(np.flatnonzero(alive[first[order]]).astype(np.int32))
    return Reduction(
        placement=placement,
        relations=tuple(_by_class(relation, representatives) for relation in relations),
        charges=tuple(_by_class(relation, representatives) for relation in charges),
        constant=constant,
        state_cost=state_cost,
        state_weight=_state_weights(network, placement),
        class_of=class_of,
        class_count=tuple(len(chosen) for chosen in representatives),
        living=tuple(class_living),
    )


def _by_class(relation: Relation, representatives: list[Int64]) -> Relation:
    codes = tuple(
        code[representatives[block]]
        for block, code in zip(relation.scope, relation.codes, strict=True)
    )
    return Relation(relation.scope, codes, relation.symbols, relation.body, relation.owner)


def propagate(
    placement: Placement, relations: list[Relation | None]
) -> tuple[list[npt.NDArray[np.bool_]], list[Relation | None]]:
    """The states that each relation alone still allows, to a fixed point, and the
    relations, ``None`` where they are thereby settled (generalised arc consistency; Mohr
    and Masini 1988). Raises ``NeverSatisfiedError`` where a block has no state left.
    """
    living = [np.ones(int(size), dtype=bool) for size in np.diff(placement.block_start).tolist()]
    if any(len(alive) == 0 for alive in living):
        raise NeverSatisfiedError
    reading: list[list[int]] = [[] for _ in living]
    for number, one in enumerate(relations):
        for block in () if one is None else one.scope:
            reading[block].append(number)
    kept = list(relations)
    queue = list(range(len(relations)))
    queued = [True] * len(relations)
    for number in queue:
        queued[number] = False
        relation = kept[number]
        if relation is None:
            continue
        possible = []
        for block, code, size in zip(relation.scope, relation.codes, relation.symbols, strict=True):
            seen = np.zeros(size, dtype=bool)
            seen[code[living[block]]] = True
            possible.append(seen)
        supported, settled = _supported(relation, possible)
        if settled or len(relation.scope) == 1:
            kept[number] = None
        for block, code, before, after in zip(
            relation.scope, relation.codes, possible, supported, strict=True
        ):
            if (before & ~after).any():
                living[block] &= after[code]
                if not living[block].any():
                    raise NeverSatisfiedError
                for other in reading[block]:
                    if not queued[other] and kept[other] is not None:
                        queued[other] = True
                        queue.append(other)
    return living, kept


Flags = npt.NDArray[np.bool_]


def _supported(relation: Relation, possible: list[Flags]) -> tuple[list[Flags], bool]:
    """The symbols that some combination of the possible ones allows, and whether every
    combination is allowed."""
    body = relation.body
    if isinstance(body, SomeOf):
        if any(not seen[0] for seen in possible):
            return possible, True
        able = [index for index, seen in enumerate(possible) if seen[1]]
        if not able:
            raise NeverSatisfiedError
        if len(able) > 1:
            return possible, False
        supported = list(possible)
        supported[able[0]] = np.array([False, True])
        return supported, True
    if isinstance(body, Rows):
        fits = np.ones(len(body.rows), dtype=bool)
        for column, seen in enumerate(possible):
            fits &= seen[body.rows[:, column]]
        rows = body.rows[fits]
        if len(rows) == 0:
            raise NeverSatisfiedError
        supported = []
        for column, seen in enumerate(possible):
            found = np.zeros(len(seen), dtype=bool)
            found[rows[:, column]] = True
            supported.append(found)
        combinations = math.prod(int(found.sum()) for found in supported)
        return supported, len(rows) == combinations
    if isinstance(body, Bounded):
        return _supported_by_sum(body, possible)
    return possible, False


def _supported_by_sum(body: Bounded, possible: list[Flags]) -> tuple[list[Flags], bool]:
    offered = [
        [weight for weight, seen in zip(weights, flags.tolist(), strict=True) if seen]
        for weights, flags in zip(body.weights, possible, strict=True)
    ]
    least = sum(min(weights) for weights in offered)
    most = sum(max(weights) for weights in offered)
    low = least if body.low is None else body.low
    high = most if body.high is None else body.high
    if most < low or least > high:
        raise NeverSatisfiedError
    supported = []
    for weights, flags, mine in zip(body.weights, possible, offered, strict=True):
        rest_least, rest_most = least - min(mine), most - max(mine)
        fits = [low - rest_most <= weight <= high - rest_least for weight in weights]
        supported.append(flags & np.array(fits))
    return supported, low <= least and most <= high

"""The finished diagram as flat read-only arrays, and how a growing one becomes it.

This is the whole of what a click reads and what is stored. Nothing here sweeps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from configurator.engine.diagram.conjunction import GrowingDiagram
from configurator.engine.diagram.graph import Graph
from configurator.engine.diagram.merging import merge_nodes
from configurator.engine.diagram.reduction import Reduction
from configurator.engine.diagram.sums import rows_of

Int64 = npt.NDArray[np.int64]
Int32 = npt.NDArray[np.int32]
UInt32 = npt.NDArray[np.uint32]
UInt8 = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class FrozenDiagram:
    """Nodes and edges (see ``kernels`` for the layout) and where the values went.

    A *slot* is a class of states together with the additional charge of an edge; without
    charges over several variables slots and classes are the same. ``offset[v]`` is where
    the values of network variable ``v`` start in an answer. ``sum_use[j, state]`` and
    ``sum_limit[j]`` are the sums that stay beside the diagram (``sums.rows_of``). The other
    arrays are those of ``Placement`` and ``Reduction``, classes numbered through over all
    blocks.
    """

    start: UInt32
    conjunction: UInt8
    slot: UInt32
    target: UInt32
    roots: UInt32
    slot_class: UInt32
    slot_extra: Int64
    class_of: UInt32
    state_cost: Int64
    state_weight: Int64
    block: Int32
    block_start: Int32
    state_start: Int32
    state_value: Int32
    odd_state: Int32
    odd_value: Int32
    common_value: Int32
    offset: Int32
    sum_use: Int64
    sum_limit: Int64

    @property
    def nodes(self) -> int:
        """Nodes, TRUE and conjunctions among them."""
        return len(self.start) - 1

    @property
    def edges(self) -> int:
        """Edges of all nodes."""
        return len(self.slot)

    @property
    def nbytes(self) -> int:
        """Size of all arrays together."""
        return sum(int(array.nbytes) for array in self.arrays().values())

    @property
    def graph(self) -> Graph:
        """Nodes and edges alone."""
        sizes = np.diff(self.start.astype(np.int64))
        choices = int(sizes[self.conjunction == 0].sum())
        slots = np.arange(len(self.slot_class), dtype=np.uint32)
        states = np.arange(len(self.class_of), dtype=np.uint32)
        for array in (slots, states):
            array.setflags(write=False)
        return Graph(
            self.start,
            self.conjunction,
            self.slot,
            self.target,
            self.roots,
            choices,
            slots,
            states,
        )

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """All arrays by name, in a fixed order."""
        return {name: getattr(self, name) for name in self.__slots__}


def freeze(grown: GrowingDiagram | None, reduced: Reduction, sizes: list[int]) -> FrozenDiagram:
    """Flatten: leaves first, conjunctions of several children shared.

    ``sizes`` are the numbers of values of the network's variables; ``None`` for ``grown``
    gives the diagram without a configuration: one root that cannot be taken.
    """
    class_start = np.concatenate(([0], np.cumsum(np.array(reduced.class_count, dtype=np.int64))))
    builder = _Flattener()
    if grown is None:
        roots = [builder.add(np.zeros(2, dtype=np.int64), _NONE, _NONE, None, False)]
    else:
        roots = _flatten(grown, class_start, builder)
    start, conjunction, classes, target, weight = builder.joined()
    real = classes >= 0
    slot_class = np.arange(class_start[-1], dtype=np.int64)
    slot_extra = np.zeros(len(slot_class), dtype=np.int64)
    slot = np.where(real, classes, 0)
    if weight.any():
        pair = np.stack((slot[real], weight[real]), axis=1)
        kinds, number = np.unique(pair, axis=0, return_inverse=True)
        slot = np.zeros(len(classes), dtype=np.int64)
        slot[real] = number.reshape(-1)
        slot_class, slot_extra = kinds[:, 0].copy(), kinds[:, 1].copy()
    placement = reduced.placement
    of_block = np.repeat(class_start[:-1], np.diff(placement.block_start))
    offset = np.concatenate(([0], np.cumsum(np.array(sizes, dtype=np.int64))))
    sum_use, sum_limit = rows_of(reduced.aside, placement)
    frozen = FrozenDiagram(
        start=start.astype(np.uint32),
        conjunction=conjunction.astype(np.uint8),
        slot=slot.astype(np.uint32),
        target=target.astype(np.uint32),
        roots=np.array(roots, dtype=np.uint32),
        slot_class=slot_class.astype(np.uint32),
        slot_extra=slot_extra,
        class_of=(reduced.class_of + of_block).astype(np.uint32),
        state_cost=reduced.state_cost,
        state_weight=np.array(reduced.state_weight, dtype=np.int64),
        block=placement.block.astype(np.int32),
        block_start=placement.block_start.astype(np.int32),
        state_start=placement.state_start.astype(np.int32),
        state_value=placement.state_value.astype(np.int32),
        odd_state=placement.odd_state.astype(np.int32),
        odd_value=placement.odd_value.astype(np.int32),
        common_value=placement.common_value.astype(np.int32),
        offset=offset.astype(np.int32),
        sum_use=sum_use,
        sum_limit=sum_limit,
    )
    for array in frozen.arrays().values():
        array.setflags(write=False)
    return frozen


def blocks_of_slots(diagram: FrozenDiagram) -> Int64:
    """The block whose state each slot fixes."""
    home = np.repeat(np.arange(len(diagram.block_start) - 1), np.diff(diagram.block_start))
    of_class = np.zeros(int(diagram.class_of.max(initial=0)) + 1, dtype=np.int64)
    of_class[diagram.class_of] = home
    return of_class[diagram.slot_class]


def alone_in(diagram: FrozenDiagram) -> tuple[Int32, Int32, Int32]:
    """Where an answer reads its values: for each value the one state that carries it, or -1;
    the variables with values that several states carry; the blocks in which one of those
    has an odd state."""
    sizes = np.diff(diagram.block_start).astype(np.int64)
    base = diagram.offset[:-1].astype(np.int64)
    first = diagram.block_start[diagram.block].astype(np.int64)
    of_block = sizes[diagram.block]
    alone = np.full(int(diagram.offset[-1]), -1, dtype=np.int32)
    carriers = np.zeros(len(alone), dtype=np.int64)
    odd = np.flatnonzero(diagram.odd_state >= 0)
    place, state = base[odd] + diagram.odd_value[odd], diagram.odd_state[odd]
    common = base[odd] + diagram.common_value[odd]
    other = first[odd] + (first[odd] + 1 - state)  # where the block has two states
    alone[common], carriers[common] = other, of_block[odd] - 1
    alone[place], carriers[place] = state, 1
    for variable in np.flatnonzero(diagram.odd_state < 0).tolist():
        states = np.arange(of_block[variable])
        places = base[variable] + diagram.state_value[diagram.state_start[variable] + states]
        alone[places] = first[variable] + states
        np.add.at(carriers, places, 1)
    alone[carriers != 1] = -1
    several = np.unique(np.repeat(np.arange(len(base)), np.diff(diagram.offset))[carriers > 1])
    with_odd = several[diagram.odd_state[several] >= 0]
    ranked = np.unique(diagram.block[with_odd])
    return alone, several.astype(np.int32), ranked.astype(np.int32)


_NONE = np.zeros(0, dtype=np.int64)


class _Flattener:
    """Collects nodes in order; node 0 is TRUE."""

    def __init__(self) -> None:
        self.nodes = 1
        self.edges = 0
        self.starts: list[Int64] = [np.zeros(2, dtype=np.int64)]
        self.kinds: list[Int64] = [np.zeros(1, dtype=np.int64)]
        self.classes: list[Int64] = []
        self.targets: list[Int64] = []
        self.weights: list[Int64] = []

    def add(
        self, start: Int64, classes: Int64, target: Int64, weight: Int64 | None, both: bool
    ) -> int:
        """Append nodes; answers the number of the first."""
        first = self.nodes
        count = len(start) - 1
        self.starts.append(start[1:] + self.edges)
        self.kinds.append(np.full(count, both, dtype=np.int64))
        self.classes.append(classes)
        self.targets.append(target)
        self.weights.append(np.zeros(len(target), dtype=np.int64) if weight is None else weight)
        self.nodes += count
        self.edges += len(target)
        return first

    def joined(self) -> tuple[Int64, Int64, Int64, Int64, Int64]:
        """Start, kind, class, target and weight of everything."""
        return (
            np.concatenate(self.starts),
            np.concatenate(self.kinds),
            np.concatenate([_NONE, *self.classes]),
            np.concatenate([_NONE, *self.targets]),
            np.concatenate([_NONE, *self.weights]),
        )


def _conjunctions(wide: Int64, builder: _Flattener) -> Int64:
    """One node for each distinct row of targets; answers the node of every row.

    Rows that agree in some columns only share nodes too, where that is smaller: the two
    columns with the fewest distinct values are joined first, as in a Huffman tree.
    """
    rows = np.arange(len(wide) + 1, dtype=np.int64)
    # A row of targets, seen as a node with that one edge, finds its equals.
    first, number = merge_nodes(rows, np.zeros(len(wide), dtype=np.int32), wide.astype(np.int32))
    flat = wide[first]
    values: list[Int64] = []
    columns: list[tuple[int, int, Int64]] = []
    for column in range(flat.shape[1]):
        known, place = np.unique(flat[:, column], return_inverse=True)
        values.append(known)
        columns.append((len(known), column, place.reshape(-1)))
    joins: list[tuple[int, int, Int64, Int64]] = []
    while len(columns) > 1:
        columns.sort(key=lambda column: column[:2])
        (_, one, left), (size, other, right) = columns[:2]
        pairs, place = np.unique(left * size + right, return_inverse=True)
        joins.append((one, other, pairs // size, pairs % size))
        columns[:2] = [(len(pairs), len(values) + len(joins) - 1, place.reshape(-1))]
    if sum(len(left) for _, _, left, _ in joins) * 4 >= flat.size + 2 * len(flat):
        return number + _add_conjunctions(flat, builder)
    for one, other, left, right in joins:
        both = np.stack((values[one][left], values[other][right]), axis=1)
        values.append(np.arange(len(both)) + _add_conjunctions(both, builder))
    return values[-1][columns[0][2]][number]


def _add_conjunctions(targets: Int64, builder: _Flattener) -> int:
    """A node for each row of targets; answers the number of the first."""
    count, width = targets.shape
    start = np.arange(count + 1, dtype=np.int64) * width
    flat = targets.reshape(-1)
    return builder.add(start, np.full(len(flat), -1, dtype=np.int64), flat, None, True)


def _flatten(grown: GrowingDiagram, class_start: Int64, builder: _Flattener) -> list[int]:
    tree = grown.tree
    base = [0] * len(grown.levels)
    for block in reversed(tree.order):
        level = grown.levels[block]
        below = tree.children[block]
        if not below:
            target = np.zeros(len(level.value), dtype=np.int64)
        elif len(below) == 1:
            target = level.child[:, 0].astype(np.int64) + base[below[0]]
        else:
            wide = level.child.astype(np.int64) + np.array([base[child] for child in below])
            target = _conjunctions(wide, builder)
        base[block] = builder.add(
            level.start, level.value + class_start[block], target, level.weight, False
        )
    return [base[block] for block in tree.order if tree.parent[block] < 0]

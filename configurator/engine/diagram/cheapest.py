"""The lexicographically smallest among the cheapest configurations.

Starting from the edges that lie on some cheapest whole, each variable in turn keeps its
smallest value; edges of the others are deleted, and with them whatever they alone
supported or reached (as in the MDD propagators of Perez and Régin 2014). Every edge is
deleted at most once, so the whole descent is linear. Knows nothing of pins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from configurator.engine.diagram.frozen import FrozenDiagram
from configurator.engine.diagram.graph import Graph
from configurator.engine.diagram.jit import kernel, undecorated

Int64 = npt.NDArray[np.int64]


@kernel
def _delete(
    first: int,
    stack: Any,
    alive: Any,
    source: Any,
    target: Any,
    slot: Any,
    conjunction: Any,
    leaving: Any,
    entering: Any,
    out_start: Any,
    in_start: Any,
    in_edge: Any,
    slot_edges: Any,
    slot_class: Any,
    class_slots: Any,
) -> None:
    """Delete the first ``first`` edges of ``stack`` and all that hangs on them."""
    top = first
    while top > 0:
        top -= 1
        edge = stack[top]
        upper = source[edge]
        lower = target[edge]
        leaving[upper] -= 1
        entering[lower] -= 1
        if not conjunction[upper]:
            slot_edges[slot[edge]] -= 1
            if slot_edges[slot[edge]] == 0:
                class_slots[slot_class[slot[edge]]] -= 1
        whole = out_start[upper + 1] - out_start[upper]
        broken = conjunction[upper] and leaving[upper] == whole - 1
        if leaving[upper] == 0:
            for place in range(in_start[upper], in_start[upper + 1]):
                other = in_edge[place]
                if alive[other]:
                    alive[other] = 0
                    stack[top] = other
                    top += 1
        if broken:
            for other in range(out_start[upper], out_start[upper + 1]):
                if alive[other]:
                    alive[other] = 0
                    stack[top] = other
                    top += 1
        if lower > 0 and entering[lower] == 0:
            for other in range(out_start[lower], out_start[lower + 1]):
                if alive[other]:
                    alive[other] = 0
                    stack[top] = other
                    top += 1


@kernel
def _descend(
    block: Any,
    block_start: Any,
    state_start: Any,
    state_value: Any,
    odd_state: Any,
    odd_value: Any,
    common_value: Any,
    class_of: Any,
    state_alive: Any,
    class_states: Any,
    class_slots: Any,
    class_slot_start: Any,
    slot_class: Any,
    slot_edges: Any,
    by_slot_start: Any,
    by_slot: Any,
    stack: Any,
    alive: Any,
    source: Any,
    target: Any,
    slot: Any,
    conjunction: Any,
    leaving: Any,
    entering: Any,
    out_start: Any,
    in_start: Any,
    in_edge: Any,
    answer: Any,
) -> None:
    for variable in range(len(block)):
        home = block[variable]
        first = block_start[home]
        odd = odd_state[variable]
        listed = state_start[variable]
        smallest = -1
        for round in range(2):
            for state in range(first, block_start[home + 1]):
                kind = class_of[state]
                if not state_alive[state] or class_slots[kind] == 0:
                    continue
                if odd < 0:
                    value = state_value[listed + state - first]
                elif state == odd:
                    value = odd_value[variable]
                else:
                    value = common_value[variable]
                if round == 0:
                    if smallest < 0 or value < smallest:
                        smallest = value
                elif value != smallest:
                    state_alive[state] = 0
                    class_states[kind] -= 1
                    if class_states[kind] == 0:
                        top = 0
                        for taken in range(class_slot_start[kind], class_slot_start[kind + 1]):
                            for place in range(by_slot_start[taken], by_slot_start[taken + 1]):
                                edge = by_slot[place]
                                if alive[edge]:
                                    alive[edge] = 0
                                    stack[top] = edge
                                    top += 1
                        _delete(
                            top,
                            stack,
                            alive,
                            source,
                            target,
                            slot,
                            conjunction,
                            leaving,
                            entering,
                            out_start,
                            in_start,
                            in_edge,
                            slot_edges,
                            slot_class,
                            class_slots,
                        )
        answer[variable] = smallest


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep left: per node, slot and state (see ``kernels``)."""

    total: int
    up: Int64
    down: Int64
    slot_cost: Int64
    state_lowest: Int64


def _grouped(key: Int64, size: int) -> tuple[Int64, Int64]:
    """Where the members of each group start, and the members."""
    start = np.zeros(size + 1, dtype=np.int64)
    np.cumsum(np.bincount(key, minlength=size), out=start[1:])
    return start, np.argsort(key, kind="stable")


def smallest_cheapest(
    diagram: FrozenDiagram, graph: Graph, swept: Swept, *, plain: bool
) -> tuple[int, ...]:
    """One value per network variable. ``graph`` is the part of the diagram that was swept;
    the sweep must have found a finite total."""
    nodes = graph.nodes
    start = np.asarray(graph.start, dtype=np.int64)
    source = np.repeat(np.arange(nodes), np.diff(start))
    target = np.asarray(graph.target, dtype=np.int64)
    slot = np.asarray(graph.slot, dtype=np.int64)
    both = np.asarray(graph.conjunction, dtype=bool)
    below = np.where(both[source], swept.up[source], swept.slot_cost[slot] + swept.up[target])
    on = np.flatnonzero(swept.down[source] + below == swept.total)
    source, target, slot = source[on], target[on], slot[on]
    choosing = ~both[source]
    out_start = np.zeros(nodes + 1, dtype=np.int64)
    np.cumsum(np.bincount(source, minlength=nodes), out=out_start[1:])
    in_start, in_edge = _grouped(target, nodes)
    by_slot_start, places = _grouped(slot[choosing], len(diagram.slot_class))
    by_slot = np.flatnonzero(choosing)[places]
    slot_class = diagram.slot_class.astype(np.int64)
    class_of = diagram.class_of.astype(np.int64)
    classes = int(slot_class[-1]) + 1 if len(slot_class) else 0
    classes = max(classes, int(class_of.max()) + 1 if len(class_of) else 0)
    entering = np.bincount(target, minlength=nodes)
    entering[np.asarray(graph.roots, dtype=np.int64)] += 1
    slot_edges = np.diff(by_slot_start)
    optimal = swept.state_lowest == swept.total
    answer = np.zeros(len(diagram.block), dtype=np.int64)
    run = undecorated(_descend) if plain else _descend
    run(
        diagram.block,
        diagram.block_start,
        diagram.state_start,
        diagram.state_value,
        diagram.odd_state,
        diagram.odd_value,
        diagram.common_value,
        class_of,
        optimal.astype(np.uint8),
        np.bincount(class_of[optimal], minlength=classes),
        np.bincount(slot_class[slot_edges > 0], minlength=classes),
        np.searchsorted(slot_class, np.arange(classes + 1)),
        slot_class,
        slot_edges,
        by_slot_start,
        by_slot,
        np.zeros(len(on), dtype=np.int64),
        np.ones(len(on), dtype=np.uint8),
        source,
        target,
        slot,
        both,
        np.bincount(source, minlength=nodes),
        entering,
        out_start,
        in_start,
        in_edge,
        answer,
    )
    return tuple(int(value) for value in answer)

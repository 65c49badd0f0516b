"""Which edges a product has to look at: a node's own, or the few that a rule still allows.

A large table allows few of a node's many values in each of its states. Where walking all
edges of all pairs would be much, they are found from the table's side. Knows nothing of
trees and merging.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from configurator.engine.diagram.automata import DEAD, Layer
from configurator.engine.diagram.merging import edges_of, starts_of

Int64 = npt.NDArray[np.int64]
Int32 = npt.NDArray[np.int32]

WORTHWHILE = 1 << 18
"""Up to so many edges a product simply walks all of them."""


def edges_to_try(
    start: Int64,
    value: Int32,
    nodes: Int64,
    readers: list[tuple[Layer, Int64]],
    most: int,
) -> tuple[Int64, Int64] | None:
    """For each of ``nodes`` (a row each) the edges that may survive every reader.

    ``start`` and ``value`` are a level's; ``readers`` are the layers read there with the
    state of each row. Rows ascend, edges ascend within a row. ``None`` if there are more
    than ``most``.
    """
    own = int((start[nodes + 1] - start[nodes]).sum())
    if own <= WORTHWHILE:
        return edges_of(start, nodes)
    options = [(own, -1)]
    for number, (layer, state) in enumerate(readers):
        if layer.weight is None:
            options.append((_pairs(layer, state, start, nodes), number))
    fewest, chosen = min(options)
    if fewest > most:
        return None
    if chosen < 0:
        return edges_of(start, nodes)
    layer, state = readers[chosen]
    return _from_the_rule(layer, state, start, value, nodes)


def _steps(layer: Layer) -> tuple[Int64, Int64]:
    """The steps of a layer that are not dead: where each state's start, and the symbols."""
    if layer.keys is None:
        row, symbol = np.nonzero(layer.next != DEAD)
        return starts_of(row, layer.states), symbol
    bounds = np.arange(layer.states + 1) * layer.symbols
    return np.searchsorted(layer.keys, bounds), layer.keys % layer.symbols


def _values_of_symbols(layer: Layer) -> tuple[Int64, Int64]:
    order = np.argsort(layer.code, kind="stable")
    return starts_of(layer.code[order], layer.symbols), order


def _pairs(layer: Layer, state: Int64, start: Int64, nodes: Int64) -> int:
    """How many pairs of row and value the rule allows; a row it is done with has all."""
    steps, symbol = _steps(layer)
    values, _ = _values_of_symbols(layer)
    width = np.diff(values)[symbol]
    per_state = np.concatenate(([0], np.cumsum(width)))[steps]
    per_state = np.diff(per_state)
    done = state < 0
    free = nodes[done]
    return int(per_state[state[~done]].sum() + (start[free + 1] - start[free]).sum())


def _from_the_rule(
    layer: Layer, state: Int64, start: Int64, value: Int32, nodes: Int64
) -> tuple[Int64, Int64]:
    done = np.flatnonzero(state < 0)
    under_way = np.flatnonzero(state >= 0)
    steps, symbol = _steps(layer)
    row, step = edges_of(steps, state[under_way])
    values, listed = _values_of_symbols(layer)
    pair, place = edges_of(values, symbol[step])
    row, wanted = under_way[row[pair]], listed[place]
    # An edge is found by its node and value; both ascend together in a level.
    reach = len(layer.code)
    keys = np.repeat(np.arange(len(start) - 1), np.diff(start)) * reach + value
    key = nodes[row] * reach + wanted
    edge = np.minimum(np.searchsorted(keys, key), len(keys) - 1)
    there = keys[edge] == key
    free_row, free_edge = edges_of(start, nodes[done])
    row = np.concatenate((row[there], done[free_row]))
    edge = np.concatenate((edge[there], free_edge))
    order = np.lexsort((edge, row))
    return row[order], edge[order]

"""Finding equals: rows, keys and nodes that are the same get the same number.

Knows nothing of what the numbers mean. Numbering is by first occurrence, so it depends on
the input's order alone. Open addressing with linear probing; a multiplicative hash in 63
bits, which gives the same in machine integers and in Python's.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from configurator.engine.diagram.jit import kernel

Int64 = npt.NDArray[np.int64]
Int32 = npt.NDArray[np.int32]

MULTIPLIER = 0x1E3779B97F4A7C15
POSITIVE = 0x7FFFFFFFFFFFFFFF
KEY_LIMIT = 1 << 62


@kernel
def _distinct_keys(key: Int64, table: Int64, inverse: Int64, first: Int64) -> int:
    mask = len(table) - 1
    found = 0
    for index in range(len(key)):
        value = int(key[index])
        mixed = (value * MULTIPLIER) & POSITIVE
        place = (mixed >> 20) & mask
        while True:
            known = int(table[place])
            if known < 0:
                table[place] = found
                first[found] = index
                inverse[index] = found
                found += 1
                break
            if key[first[known]] == value:
                inverse[index] = known
                break
            place = (place + 1) & mask
    return found


def _table_for(count: int) -> Int64:
    return np.full(1 << max(4, (2 * count).bit_length()), -1, dtype=np.int64)


def distinct_keys(key: Int64) -> tuple[Int64, Int64]:
    """Where each distinct key stands first, and the number of every key."""
    inverse = np.empty(len(key), dtype=np.int64)
    first = np.empty(len(key), dtype=np.int64)
    found = _distinct_keys(key, _table_for(len(key)), inverse, first)
    return first[:found].copy(), inverse


def pack_columns(columns: list[Int64], sizes: list[int]) -> Int64:
    """One key per row; column ``i`` holds numbers from 0 to ``sizes[i] - 1``."""
    key = columns[0].astype(np.int64)
    reach = sizes[0]
    for column, size in zip(columns[1:], sizes[1:], strict=True):
        if reach * size >= KEY_LIMIT:
            first, key = distinct_keys(key)
            reach = len(first) + 1
        key = key * size + column
        reach *= size
    return key


@kernel
def _merge_nodes(
    start: Int64,
    value: Int32,
    child: Int32,
    weight: Int64,
    table: Int64,
    inverse: Int64,
    first: Int64,
) -> int:
    mask = len(table) - 1
    width = child.shape[1]
    weighted = len(weight) > 0
    found = 0
    for node in range(len(start) - 1):
        low = int(start[node])
        high = int(start[node + 1])
        if low == high:
            inverse[node] = -1
            continue
        mixed = high - low
        for edge in range(low, high):
            mixed = ((mixed ^ int(value[edge])) * MULTIPLIER) & POSITIVE
            mixed ^= mixed >> 29
            for column in range(width):
                mixed = ((mixed ^ int(child[edge, column])) * MULTIPLIER) & POSITIVE
                mixed ^= mixed >> 29
            if weighted:
                mixed = ((mixed ^ int(weight[edge])) * MULTIPLIER) & POSITIVE
                mixed ^= mixed >> 29
        place = (mixed >> 8) & mask
        while True:
            known = int(table[place])
            if known < 0:
                table[place] = found
                first[found] = node
                inverse[node] = found
                found += 1
                break
            other = int(start[first[known]])
            same = int(start[first[known] + 1]) - other == high - low
            edge = 0
            while same and edge < high - low:
                if value[low + edge] != value[other + edge]:
                    same = False
                if weighted and weight[low + edge] != weight[other + edge]:
                    same = False
                for column in range(width):
                    if child[low + edge, column] != child[other + edge, column]:
                        same = False
                edge += 1
            if same:
                inverse[node] = known
                break
            place = (place + 1) & mask
    return found


def merge_nodes(
    start: Int64, value: Int32, child: Int32, weight: Int64 | None = None
) -> tuple[Int64, Int64]:
    """The first of every set of equal nodes, and the number of every node.

    A node's edges are ``start[x] .. start[x + 1] - 1``, in the order of their values;
    ``child`` has a row per edge. A node without edges gets the number -1.
    """
    count = len(start) - 1
    inverse = np.empty(count, dtype=np.int64)
    first = np.empty(count, dtype=np.int64)
    charges = np.empty(0, dtype=np.int64) if weight is None else weight
    found = _merge_nodes(start, value, child, charges, _table_for(count), inverse, first)
    return first[:found].copy(), inverse


def edges_of(start: Int64, nodes: Int64) -> tuple[Int64, Int64]:
    """The edges of ``nodes``, one after the other: the row each belongs to, and its number."""
    counts = start[nodes + 1] - start[nodes]
    row = np.repeat(np.arange(len(nodes)), counts)
    begins = np.cumsum(counts) - counts
    edge = np.arange(len(row)) + np.repeat(start[nodes] - begins, counts)
    return row, edge


def starts_of(row: Int64, count: int) -> Int64:
    """Where the edges of each of ``count`` rows start; ``row`` is sorted."""
    start = np.zeros(count + 1, dtype=np.int64)
    np.cumsum(np.bincount(row, minlength=count), out=start[1:])
    return start

"""Where the network's variables went: blocks, their states, and the values in each state.

A *block* is one variable of the compiled problem. It carries one or several variables of
the network; each *state* of a block fixes the values of all of them. Nothing here knows
rules or diagrams.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from configurator.engine.network import NetworkVariable

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Placement:
    """The values of every network variable in every state of its block.

    States are numbered through over all blocks; block ``b`` has the states
    ``block_start[b] .. block_start[b + 1] - 1``. A variable either lists its value for
    each state of its block, from ``state_start[v]`` in ``state_value`` (then
    ``odd_state[v]`` is -1), or has ``odd_value[v]`` in the state ``odd_state[v]`` and
    ``common_value[v]`` in all others.
    """

    block: Int64
    block_start: Int64
    state_start: Int64
    state_value: Int64
    odd_state: Int64
    odd_value: Int64
    common_value: Int64

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return len(self.block_start) - 1

    def states_of(self, block: int) -> slice:
        """The states of a block, as a slice of all states."""
        return slice(int(self.block_start[block]), int(self.block_start[block + 1]))

    def values_of(self, variable: int) -> Int64:
        """The value of ``variable`` in each state of its block."""
        states = self.states_of(int(self.block[variable]))
        odd = int(self.odd_state[variable])
        if odd < 0:
            first = int(self.state_start[variable])
            return self.state_value[first : first + states.stop - states.start]
        values = np.full(states.stop - states.start, self.common_value[variable], dtype=np.int64)
        values[odd - states.start] = self.odd_value[variable]
        return values

    def mask_of(self, variable: int, values: frozenset[int]) -> npt.NDArray[np.bool_]:
        """In which states of its block ``variable`` has one of ``values``."""
        states = self.states_of(int(self.block[variable]))
        odd = int(self.odd_state[variable])
        if odd >= 0:
            mask = np.full(states.stop - states.start, int(self.common_value[variable]) in values)
            mask[odd - states.start] = int(self.odd_value[variable]) in values
            return mask
        first = int(self.state_start[variable])
        listed = self.state_value[first : first + states.stop - states.start]
        return np.array([value in values for value in listed.tolist()], dtype=bool)


@dataclass(frozen=True, slots=True)
class Listed:
    """A variable's value in each state of ``block``."""

    block: int
    values: Int64


@dataclass(frozen=True, slots=True)
class Odd:
    """``odd_value`` in one state (counted within the block), ``common_value`` elsewhere."""

    block: int
    state: int
    odd_value: int
    common_value: int


def place(sizes: list[int], places: list[Listed | Odd]) -> Placement:
    """Lay out blocks of the given numbers of states and the variables in them."""
    count = len(places)
    block_start = np.concatenate(([0], np.cumsum(np.array(sizes, dtype=np.int64))))
    block = np.array([where.block for where in places], dtype=np.int64)
    state_start = np.zeros(count, dtype=np.int64)
    odd_state = np.full(count, -1, dtype=np.int64)
    odd_value = np.zeros(count, dtype=np.int64)
    common_value = np.zeros(count, dtype=np.int64)
    listed: list[Int64] = [np.zeros(0, dtype=np.int64)]
    length = 0
    for variable, where in enumerate(places):
        if isinstance(where, Listed):
            state_start[variable] = length
            listed.append(where.values.astype(np.int64))
            length += len(where.values)
        else:
            odd_state[variable] = int(block_start[where.block]) + where.state
            odd_value[variable] = where.odd_value
            common_value[variable] = where.common_value
    return Placement(
        block=block,
        block_start=block_start.astype(np.int64),
        state_start=state_start,
        state_value=np.concatenate(listed),
        odd_state=odd_state,
        odd_value=odd_value,
        common_value=common_value,
    )


def each_alone(variables: tuple[NetworkVariable, ...]) -> Placement:
    """Every variable in a block of its own, its values the states."""
    sizes = [variable.size for variable in variables]
    return place(sizes, [Listed(index, np.arange(size)) for index, size in enumerate(sizes)])

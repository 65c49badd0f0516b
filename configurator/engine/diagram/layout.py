"""Where the arrays of a click with sums stand in their arenas (``arena``).

``fixed`` are those of the diagram, laid out by ``backend`` and ``summed``; ``room`` are the
working ones, laid out by ``summed.Carried``. Knows nothing of what is done with them.
"""

from __future__ import annotations

from typing import Any

from configurator.engine.diagram.jit import kernel
from configurator.engine.diagram.kernels import Numbers


@kernel
def sums_of(
    fixed: Numbers, at: Numbers
) -> tuple[Numbers, Numbers, Numbers, Numbers, Numbers, Numbers]:
    """What stands beside a diagram (``summed.SummedDiagram``), after its arrays laid end to end:
    use (a line per state), packed use, fields (a line per row), limit, most, no extra charges."""
    limit = fixed[at[18] : at[19]]
    use = fixed[at[15] : at[16]]
    return (
        use.reshape(len(use) // len(limit), len(limit)),
        fixed[at[16] : at[17]],
        fixed[at[17] : at[18]].reshape(len(limit), 3),
        limit,
        fixed[at[19] : at[20]],
        fixed[at[20] : at[21]],
    )


@kernel
def tied_of(fixed: Numbers, at: Numbers) -> tuple[Numbers, Numbers]:
    """After those the charges of states and the extra ones of slots, with ties broken."""
    return fixed[at[23] : at[24]], fixed[at[24] : at[25]]


@kernel
def mixture_of(fixed: Numbers, at: Numbers) -> tuple[Numbers, Numbers]:
    """After those the multipliers that mix all sums alike, and the mixture of every state."""
    return fixed[at[21] : at[22]], fixed[at[22] : at[23]]


@kernel
def question_of(
    room: Numbers, at: Numbers
) -> tuple[Numbers, Numbers, Numbers, Numbers, Numbers, Numbers]:
    """Out of the working arrays laid end to end: cost of every state, whether it is allowed and
    proven; whether a row is active; ``room`` and ``guard`` (``carrying``)."""
    return (
        room[at[0] : at[1]],
        room[at[1] : at[2]],
        room[at[2] : at[3]],
        room[at[3] : at[4]],
        room[at[4] : at[5]],
        room[at[5] : at[6]],
    )


@kernel
def swept_of(room: Numbers, at: Numbers) -> tuple[Any, ...]:
    """Out of the same: what ``sweep_carrying`` works in, in its order."""
    return (
        room[at[6] : at[7]],
        room[at[7] : at[8]],
        room[at[8] : at[9]],
        room[at[9] : at[10]],
        room[at[10] : at[11]],
        room[at[11] : at[12]],
        room[at[12] : at[13]],
        room[at[13] : at[14]],
        room[at[14] : at[15]],
        room[at[15] : at[16]],
        room[at[16] : at[17]],
        room[at[17] : at[18]],
        room[at[18] : at[19]],
        room[at[19] : at[20]],
        room[at[20] : at[21]],
        room[at[21] : at[22]],
    )


@kernel
def ranked_of(room: Numbers, at: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Out of the same: what ``settle_values`` works in."""
    return room[at[22] : at[23]], room[at[23] : at[24]], room[at[24] : at[25]]


@kernel
def answers_of(room: Numbers, at: Numbers) -> tuple[Numbers, ...]:
    """Out of the same: lowest totals of all values, and those seen to keep within every limit;
    multipliers and heaviest uses of rows; the values that are open."""
    return (
        room[at[25] : at[26]],
        room[at[26] : at[27]],
        room[at[27] : at[28]],
        room[at[28] : at[29]],
        room[at[29] : at[30]],
    )


@kernel
def paired_of(room: Numbers, at: Numbers) -> tuple[Any, ...]:
    """Out of the same: what the mixture of a paired sweep works in."""
    return (
        room[at[30] : at[31]],
        room[at[31] : at[32]],
        room[at[32] : at[33]],
        room[at[33] : at[34]],
        room[at[34] : at[35]],
        room[at[35] : at[36]],
        room[at[36] : at[37]],
        room[at[37] : at[38]],
        room[at[38] : at[39]],
        room[at[39] : at[40]],
        room[at[40] : at[41]],
    )


@kernel
def open_of(room: Numbers, at: Numbers) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Out of the same: what a paired sweep's mixture says of states, and the slots and states
    that are open."""
    return (
        room[at[41] : at[42]],
        room[at[42] : at[43]],
        room[at[43] : at[44]],
        room[at[44] : at[45]],
    )

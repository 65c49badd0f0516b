"""Bits below every charge, so that hardly two configurations cost the same.

Which of several cheapest configurations a sweep meets depends on how nodes are shared. Knows
nothing of sweeps.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]

ROOM = 57
"""Bits that charges and broken ties may take together, two fewer than ``LIMIT`` has."""

SHARES = 12
"""Bits that tell shares of the sums apart."""

OWN, LEAST_OWN = 24, 12
"""Bits of a state's own number, at most and at least. Two configurations of equal charge and
share still tie once in some hundred thousand times; which of them is met may then decide
whether a total that is reached is told as such or as a bound."""

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""Multiples of it are spread evenly over 64 bits (Knuth, The Art of Computer Programming,
volume 3, section 6.4)."""


def broken_ties(even_use: Int64, heaviest: int, largest: int, blocks: int) -> tuple[int, Int64]:
    """How many bits, and for each state what to put there: its share of the sums, so that of
    equal charges those count that use less, and a number of its own. No bits where charges
    leave no room.

    ``even_use`` is what each state uses of all sums mixed alike, ``heaviest`` more than any
    configuration does; no total is further from 0 than ``largest``."""
    room = ROOM - max(largest, 1).bit_length()
    shares = max(SHARES, blocks.bit_length())
    own = min(room - shares - 1, OWN)
    if own < LEAST_OWN:
        return 0, np.zeros_like(even_use)
    share = np.floor(even_use * (2.0**shares / heaviest))
    numbers = np.arange(1, len(even_use) + 1, dtype=np.uint64) * GOLDEN >> np.uint64(64 - own)
    return shares + own + 1, (share.astype(np.int64) << own) + numbers.astype(np.int64)

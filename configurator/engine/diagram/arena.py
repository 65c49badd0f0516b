"""Many arrays of whole numbers laid end to end, so that loops take two arguments for them all.

Every call into compiled code unpacks its arrays one by one, which for sixty of them takes
longer than to sweep a thousand edges. Knows nothing of what the arrays mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]


class Arena:
    """``views[i]`` is ``numbers[at[i]:at[i + 1]]``; ``arguments`` are ``numbers`` and ``at``."""

    def __init__(self, numbers: Int64, sizes: Sequence[int]) -> None:
        at = np.zeros(len(sizes) + 1, dtype=np.int64)
        np.cumsum(sizes, out=at[1:])
        self.arguments: tuple[Int64, Int64] = numbers, at
        bounds = at.tolist()
        self.views: tuple[Int64, ...] = tuple(
            numbers[bounds[index] : bounds[index + 1]] for index in range(len(sizes))
        )

    @classmethod
    def of(cls, arrays: Sequence[npt.NDArray[Any]]) -> Arena:
        """A copy of some arrays, read-only; of more than one dimension, line by line."""
        empty = np.zeros(0, dtype=np.int64)
        flat = [np.asarray(array, dtype=np.int64).reshape(-1) for array in arrays]
        numbers = np.concatenate([empty, *flat])
        numbers.setflags(write=False)
        return cls(numbers, [len(array) for array in flat])

    @classmethod
    def room(cls, sizes: Sequence[int]) -> Arena:
        """Working arrays of some sizes."""
        return cls(np.empty(sum(sizes), dtype=np.int64), sizes)

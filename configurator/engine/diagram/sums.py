"""Sums that stay beside the diagram: what every state uses up of which limit, packed.

A weight or budget that couples dozens of questions does not fit into a diagram. It is
kept apart and decided by sweeps that carry the real sums (``carrying``, ``summed``).
Knows nothing of sweeps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from configurator.engine.diagram.placement import Placement
from configurator.engine.diagram.relations import Bounded, Relation

Int64 = npt.NDArray[np.int64]

WORD = 62
"""Bits of one packed integer that fields and guards may take."""


def rows_of(sums: Sequence[Relation], placement: Placement) -> tuple[Int64, Int64]:
    """``use[row, state]`` (never negative) and ``limit[row]``: every configuration's use of
    a row, one state per block, is at most its limit. A sum bounded from below becomes a row
    of what is missing from the most."""
    uses: list[Int64] = []
    limits: list[int] = []
    for relation in sums:
        body = relation.body
        assert isinstance(body, Bounded)
        negated = tuple(tuple(-weight for weight in weights) for weights in body.weights)
        for bound, weights in ((body.high, body.weights), (body.low, negated)):
            if bound is None:
                continue
            high = bound if weights is body.weights else -bound
            use, limit = _row(relation, weights, high, placement)
            most = sum(max(alphabet) - min(alphabet) for alphabet in weights)
            if most > limit:
                uses.append(use)
                limits.append(limit)
    states = int(placement.block_start[-1])
    stacked = np.stack(uses) if uses else np.zeros((0, states), dtype=np.int64)
    return stacked, np.array(limits, dtype=np.int64)


def _row(
    relation: Relation, weights: tuple[tuple[int, ...], ...], high: int, placement: Placement
) -> tuple[Int64, int]:
    use = np.zeros(int(placement.block_start[-1]), dtype=np.int64)
    for block, code, alphabet in zip(relation.scope, relation.codes, weights, strict=True):
        least = min(alphabet)
        use[placement.states_of(block)] = np.array(alphabet, dtype=np.int64)[code] - least
        high -= least
    return use, high


@dataclass(frozen=True)
class SideSums:
    """Rows of use per state and their limits, and how they are packed.

    ``word[j]`` and ``shift[j]`` say where row ``j`` stands; its field has ``bits[j]`` bits,
    the guard bit among them.
    """

    use: Int64
    limit: Int64
    most: Int64
    """What each row can come to at most, over all configurations of the diagram and more."""
    word: tuple[int, ...]
    shift: tuple[int, ...]
    bits: tuple[int, ...]

    @classmethod
    def packed(cls, use: Int64, limit: Int64, block_start: Int64) -> SideSums:
        """Lay the rows out. Raises ``OverflowError`` where a row does not fit a word."""
        most = np.maximum.reduceat(use, block_start[:-1].astype(np.int64), axis=1).sum(axis=1)
        words: list[int] = []
        shifts: list[int] = []
        widths: list[int] = []
        word, shift = 0, 0
        for largest, bound in zip(most.tolist(), limit.tolist(), strict=True):
            bits = max(largest, bound, 1).bit_length() + 1
            if bits > WORD:
                raise OverflowError("a sum beside the diagram is too large to pack")
            if shift + bits > WORD:
                word, shift = word + 1, 0
            words.append(word)
            shifts.append(shift)
            widths.append(bits)
            shift += bits
        return cls(use, limit, most, tuple(words), tuple(shifts), tuple(widths))

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.limit)

    @property
    def width(self) -> int:
        """Packed integers per configuration."""
        return self.word[-1] + 1 if self.word else 0

    @cached_property
    def used(self) -> Int64:
        """What every state uses, packed, flat: ``width`` integers per state."""
        packed = np.zeros((self.use.shape[1], self.width), dtype=np.int64)
        for row, (word, shift) in enumerate(zip(self.word, self.shift, strict=True)):
            packed[:, word] += self.use[row] << shift
        return packed.reshape(-1)

    @cached_property
    def words(self) -> tuple[int, ...]:
        """As many numbers as ``width`` (``carrying.Words``)."""
        return (0,) * self.width

    @cached_property
    def arrays(self) -> tuple[Int64, Int64, tuple[int, ...], Int64, Int64, Int64]:
        """As loops take them: use (a line per state), packed use, the words, word, shift and
        bits of every row (a line each), limit, most."""
        fields = np.array((self.word, self.shift, self.bits), dtype=np.int64).T.copy()
        return self.use.T.copy(), self.used, self.words, fields, self.limit, self.most

    def unpacked(self, packed: Int64, rows: Sequence[int]) -> Int64:
        """The sums of some rows (one line each) out of packed integers (flat)."""
        table = packed.reshape(-1, self.width)
        lines = [
            (table[:, self.word[row]] >> self.shift[row]) & ((1 << self.bits[row]) - 1)
            for row in rows
        ]
        return np.stack(lines) if lines else np.zeros((0, len(table)), dtype=np.int64)

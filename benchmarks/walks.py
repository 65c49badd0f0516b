"""Seeded walks: the same random customer for every engine that is measured."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from configurator.engine.backend import Pins, offsets_of
from configurator.engine.network import Network

Domains = Callable[[Pins], np.ndarray]
"""Packed valid values of every variable under some pins."""


@dataclass(slots=True)
class Walk:
    """What a walk measured: seconds per click, and a digest of every domain seen."""

    seconds: list[float] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)

    def milliseconds(self, percentile: float) -> float:
        """A percentile of the clicks, in milliseconds."""
        return float(np.percentile(self.seconds, percentile)) * 1000


def walk(network: Network, domains: Domains, seed: int, clicks: int, into: Walk) -> None:
    """Choose a random valid value of a random open variable until nothing is open."""
    randomness = random.Random(seed)
    offsets = offsets_of(tuple(variable.size for variable in network.variables))
    pins: dict[int, int] = {}
    valid = domains(())
    for _ in range(clicks):
        still_open = [
            index
            for index, variable in enumerate(network.variables)
            if not variable.hidden
            and index not in pins
            and valid[offsets[index] : offsets[index + 1]].sum() > 1
        ]
        if not still_open:
            return
        index = randomness.choice(still_open)
        options = np.flatnonzero(valid[offsets[index] : offsets[index + 1]])
        pins[index] = int(randomness.choice(options.tolist()))
        question = tuple(sorted(pins.items()))
        begin = time.perf_counter()
        valid = domains(question)
        into.seconds.append(time.perf_counter() - begin)
        into.digests.append(hashlib.sha256(np.packbits(valid).tobytes()).hexdigest())

"""What compiling costs and what a click on the diagram costs, model by model.

    python -m benchmarks.diagram_compile MODEL_OR_RULE_FOLDER ...

Imports each file (``.uvl``, ``.sxfm``, ``.xml``, ``.json.gz``) or reads each rule folder,
lowers it, compiles it and walks seeded random sessions. A click is one call of
``marginals`` with ``changes``: valid values, lowest total and least changes of every
value. Times in milliseconds unless said otherwise; the machine's noise is in them.
"""

from __future__ import annotations

import random
import resource
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.inputs import REAL, network_of, real
from configurator.engine.backend import Pins, offsets_of
from configurator.engine.diagram import DiagramBackend, TooWideError, compile_diagram
from configurator.engine.network import Network

WALKS = 8
STEPS = 40


def clicks(network: Network, backend: DiagramBackend) -> list[float]:
    """Seconds of every click of ``WALKS`` random sessions."""
    offsets = offsets_of(tuple(variable.size for variable in network.variables))
    shown = [v for v, variable in enumerate(network.variables) if not variable.hidden]
    taken: list[float] = []
    for seed in range(WALKS):
        choose = random.Random(seed)
        pins: Pins = ()
        valid = backend.marginals(()).valid
        for _ in range(STEPS):
            left = np.add.reduceat(valid, offsets[:-1])
            open_variables = [v for v in shown if left[v] > 1]
            if not open_variables:
                break
            variable = choose.choice(open_variables)
            first, last = int(offsets[variable]), int(offsets[variable + 1])
            value = choose.choice(np.flatnonzero(valid[first:last]).tolist())
            pins = tuple(sorted((*pins, (variable, value))))
            begun = time.perf_counter()
            valid = backend.marginals(pins, changes=True).valid
            taken.append(time.perf_counter() - begun)
    return taken


def milliseconds(seconds: float) -> str:
    """A time as text."""
    return f"{seconds * 1e3:.2f}"


def report(path: Path) -> None:
    """Print one line."""
    network = network_of(path)
    begun = time.perf_counter()
    try:
        backend = compile_diagram(network)
    except TooWideError as error:
        print(f"{path.name:24} {error}", flush=True)
        return
    compiled = time.perf_counter() - begun
    backend.warm()
    taken = clicks(network, backend)
    begun = time.perf_counter()
    number, _ = backend.count(())
    counted = time.perf_counter() - begun
    begun = time.perf_counter()
    backend.cheapest(())
    found = time.perf_counter() - begun
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    median = float(np.median(taken)) if taken else 0.0
    worst = float(np.percentile(taken, 99)) if taken else 0.0
    print(
        f"{path.name:24} variables {len(network.variables):6} "
        f"compile {compiled:6.2f} s  edges {backend.diagram.edges:8} "
        f"{backend.diagram.nbytes / 1e6:6.2f} MB  click {milliseconds(median)} / "
        f"{milliseconds(worst)} ({len(taken)})  count {milliseconds(counted)} "
        f"({len(str(number))} digits)  cheapest {milliseconds(found)}  process {memory} MB",
        flush=True,
    )


def main() -> None:
    """Report every model given, by its name or its path."""
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    for name in sys.argv[1:]:
        report((real(name) if name in REAL else None) or Path(name))


if __name__ == "__main__":
    main()

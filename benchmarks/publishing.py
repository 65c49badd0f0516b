"""What publishing costs: a model compiled and stored by a process of its own.

Its peak memory, its time and what it leaves on disk are measured there; the diagram is
then mapped here, as a server's workers do.
"""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from benchmarks.figures import megabytes
from configurator.engine.diagram import (
    DiagramBackend,
    TooWideError,
    compile_diagram,
    load_diagram,
)
from configurator.engine.network import Network
from configurator.engine.sat import SatBackend

LIMIT = 600.0
"""Seconds after which publishing is given up."""


@dataclass(frozen=True, slots=True)
class Published:
    """A stored model. ``seconds`` are those of reading, lowering, compiling and storing;
    ``refused`` says why there is no diagram."""

    name: str
    network: Network
    folder: Path
    seconds: float
    peak: int
    arrays: int
    edges: int
    refused: str | None = None

    @property
    def disk(self) -> int:
        """Bytes of the stored files."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())

    def load(self) -> DiagramBackend:
        """The diagram, mapped, its loops warm."""
        backend = load_diagram(self.folder, None, cache(partial(SatBackend, self.network)))
        backend.warm()
        return backend

    def line(self) -> str:
        """One line about it."""
        network = self.network
        known = (
            f"{self.name}: {len(network.variables):,} variables, "
            f"{sum(v.size for v in network.variables):,} values, "
            f"{len(network.constraints):,} constraints; published in {self.seconds:.1f} s "
            f"with at most {megabytes(self.peak)} resident"
        )
        if self.refused is not None:
            return f"{known}; NOT compiled: {self.refused}"
        return (
            f"{known}; {self.edges:,} edges, arrays {megabytes(self.arrays)}, "
            f"disk {megabytes(self.disk)}"
        )


def given(network: Network) -> Network:
    """A source for a network that is there already."""
    return network


def peak_memory() -> int:
    """The most bytes this process had resident at once.

    The kernel's ``VmHWM`` where there is one: ``ru_maxrss`` is inherited from the process
    that started this one.
    """
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return next(int(each.split()[1]) * 1024 for each in lines if each.startswith("VmHWM:"))


def _publish(source: Callable[[], Network], folder: Path, sending: Connection) -> None:
    begun = time.perf_counter()
    network = source()
    refused, arrays, edges = None, 0, 0
    try:
        compiled = compile_diagram(network)
    except TooWideError as error:
        refused = str(error)
    else:
        compiled.save(folder)
        arrays, edges = compiled.diagram.nbytes, compiled.diagram.edges
    taken = time.perf_counter() - begun
    sending.send((network, taken, peak_memory(), arrays, edges, refused))


def publish(name: str, source: Callable[[], Network], below: Path) -> Published:
    """Publish in a child process; the source must be picklable."""
    context: Any = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    folder = below / name.replace(" ", "-").replace(",", "")
    child = context.Process(target=_publish, args=(source, folder, sending), daemon=True)
    child.start()
    sending.close()
    try:
        if not receiving.poll(LIMIT):
            raise TimeoutError(f"{name}: not published in {LIMIT:.0f} s")
        network, taken, peak, arrays, edges, refused = receiving.recv()
    finally:
        child.kill()
        child.join()
    return Published(name, network, folder, taken, peak, arrays, edges, refused)

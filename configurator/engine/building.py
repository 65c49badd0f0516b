"""Compiling in a child process, within limits, and keeping what came of it.

Under a network's digest the cache folder holds the compiled arrays, or a note saying why
there are none. Both appear whole or not at all, whatever becomes of the child; readers
map the arrays read-only. One process at a time compiles a network, the others wait for
what it finds. Knows networks; nothing of products.
"""

from __future__ import annotations

import fcntl
import json
import os
import pickle
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from configurator import __version__
from configurator.engine.diagram import (
    CompileProgress,
    DiagramBackend,
    DiagramFileError,
    TooWideError,
    compile_diagram,
    load_diagram,
)
from configurator.engine.diagram.summed import Decider
from configurator.engine.errors import TooWide
from configurator.engine.network import AllowedTuples, Clause, Network

_ROOT = Path(__file__).resolve().parents[2]
_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from configurator.engine.building import child; child()"
)

SMALL_TERMS = 40_000
"""Values, literals and tuples up to which a network is first tried in this process."""

GRACE = 60.0
"""Seconds beyond its own limit after which a child is killed."""

Progress = Callable[[CompileProgress], None]
Search = Callable[[], Decider]
"""Who decides what sweeps leave open, made when first needed."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What compiling may take: nodes of the whole, edges of one level, seconds, memory."""

    nodes: int = 2_000_000
    edges: int = 4_000_000
    seconds: float = 240.0
    megabytes: int = 4096

    def within(self, other: Limits) -> bool:
        """Whether none of them is larger."""
        return (
            self.nodes <= other.nodes
            and self.edges <= other.edges
            and self.seconds <= other.seconds
            and self.megabytes <= other.megabytes
        )


IN_PASSING = Limits(nodes=40_000, edges=120_000, seconds=4.0)
"""What a small network may take in this process, before a child is started for it."""


def stored(
    folder: Path, digest: str, limits: Limits, search: Search
) -> DiagramBackend | TooWide | None:
    """What the cache holds of a network; ``None`` where it must be compiled (again)."""
    if (folder / digest).exists():
        try:
            return load_diagram(folder / digest, digest, search)
        except DiagramFileError:
            return None
    try:
        note = json.loads(_note(folder, digest).read_text(encoding="utf-8"))
        tried, wide = Limits(**note["limits"]), TooWide(note["reason"], tuple(note["owners"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return wide if note.get("version") == __version__ and limits.within(tried) else None


def build(
    network: Network,
    folder: Path,
    digest: str,
    limits: Limits,
    search: Search,
    progress: Progress | None = None,
    *,
    wait: bool = True,
) -> DiagramBackend | TooWide | None:
    """Compile a network into the cache folder, in a child where it is not small.

    Waits for the child, or for another process that is at the same network; with ``wait``
    off it does neither, and the answer is then ``None``. Where the folder cannot be written,
    what is small is kept nowhere, and the rest is too wide for the ``disk``.
    """
    try:
        return _build(network, folder, digest, limits, search, progress, wait=wait)
    except OSError:
        return in_passing(network, limits, search, progress) or TooWide("disk")


def _build(
    network: Network,
    folder: Path,
    digest: str,
    limits: Limits,
    search: Search,
    progress: Progress | None,
    *,
    wait: bool,
) -> DiagramBackend | TooWide | None:
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder / f"{digest}.lock", wait) as alone:
        if not alone:
            return None
        found = stored(folder, digest, limits, search)
        if found is None:
            for left_over in folder.glob(f".{digest}-*"):
                shutil.rmtree(left_over, ignore_errors=True)
            found = in_passing(network, limits, search, progress)
            if isinstance(found, DiagramBackend):
                found.save(folder / digest)
                found = stored(folder, digest, limits, search)
        if found is None and not wait:
            return None
        if found is None:
            found = _in_child(network, folder / digest, limits, progress)
            if found is None:
                found = stored(folder, digest, limits, search) or TooWide("died")
        if isinstance(found, TooWide) and found.reason not in ("died", "disk"):
            _write_note(_note(folder, digest), found, limits)
        return found


def small(network: Network) -> bool:
    """Whether a network is tried in this process first."""
    terms = sum(variable.size for variable in network.variables)
    for constraint in network.constraints:
        if isinstance(constraint, Clause):
            terms += sum(len(values) for _, values in constraint.literals)
        elif isinstance(constraint, AllowedTuples):
            terms += len(constraint.tuples) * len(constraint.scope)
        else:
            terms += sum(map(len, constraint.weights))
    return terms + sum(len(cost.costs) for cost in network.costs) <= SMALL_TERMS


def in_passing(
    network: Network, limits: Limits, search: Search, progress: Progress | None = None
) -> DiagramBackend | TooWide | None:
    """Compiled here and now, and kept nowhere; ``None`` where that would take too long."""
    if not small(network):
        return None
    nodes, edges = min(limits.nodes, IN_PASSING.nodes), min(limits.edges, IN_PASSING.edges)
    seconds = min(limits.seconds, IN_PASSING.seconds)
    try:
        return compile_diagram(
            network,
            max_nodes=nodes,
            max_edges=edges,
            seconds=seconds,
            progress=progress,
            decider=search,
        )
    except TooWideError as error:
        final = error.reason == "charges" or limits.within(IN_PASSING)
        return TooWide(error.reason, error.owners) if final else None


def _in_child(
    network: Network, folder: Path, limits: Limits, progress: Progress | None
) -> TooWide | None:
    """Compiled in a child process; ``None`` where it is now in the cache."""
    with tempfile.TemporaryFile() as given:
        pickle.dump((network, limits, folder), given)
        given.seek(0)
        with subprocess.Popen(  # noqa: S603 - our own interpreter and a constant program
            [sys.executable, "-I", "-c", _START, str(_ROOT)],
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            late = threading.Event()

            def stop() -> None:
                late.set()
                process.kill()

            timer = threading.Timer(limits.seconds + GRACE, stop)
            timer.daemon = True
            timer.start()
            said: TooWide | None = None
            saved = False
            try:
                assert process.stdout is not None
                for line in process.stdout:
                    told = json.loads(line)
                    if "wide" in told:
                        said = TooWide(told["wide"], tuple(told["owners"]))
                    elif "saved" in told:
                        saved = True
                    elif progress is not None:
                        progress(CompileProgress(**told))
            except ValueError:
                pass  # cut off in the middle of a line
            finally:
                timer.cancel()
                process.kill()
    if saved:
        return None
    return said or TooWide("seconds" if late.is_set() else "died")


def child() -> None:
    """What the child process does: limit itself, compile, save, say what came of it."""
    network, limits, folder = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our parent
    _limit_itself(limits.megabytes * 1024 * 1024)

    def tell(**told: object) -> None:
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()

    def progress(now: CompileProgress) -> None:
        tell(**asdict(now))

    try:
        compile_diagram(
            network,
            max_nodes=limits.nodes,
            max_edges=limits.edges,
            seconds=limits.seconds,
            progress=progress,
        ).save(folder)
    except TooWideError as error:
        tell(wide=error.reason, owners=error.owners)
    except MemoryError:
        tell(wide="memory", owners=())
    except OSError:
        tell(wide="disk", owners=())
    else:
        tell(saved=True)


def _limit_itself(most: int) -> None:
    """Memory that is written to is limited, not what is only mapped (shared libraries);
    where the system runs out of it all the same, this process is to go first, and it
    leaves the processors to those that answer customers."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    with suppress(OSError):  # not everywhere
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    os.nice(5)


@contextmanager
def _alone(lock: Path, wait: bool) -> Iterator[bool]:
    """Holds the lock file, waiting for whoever else does; or says that it is held."""
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True


def _note(folder: Path, digest: str) -> Path:
    return folder / f"{digest}.wide.json"


def _write_note(path: Path, wide: TooWide, limits: Limits) -> None:
    note = {**asdict(wide), "limits": asdict(limits), "version": __version__}
    descriptor, fresh = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(note, file)
    Path(fresh).replace(path)

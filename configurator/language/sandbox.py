"""Reads folders that may be hostile within limits of time and memory.

A service reads them in a child process, which answers with diagnostics as JSON and nothing
else; a folder it could read within the limits is read again here, so nothing it sends is
ever executed. A command, whose process is its own, limits itself while it reads, once.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from configurator.language.folder import Loaded, load_folder
from configurator.language.report import Report, from_json, to_json
from configurator.model.diagnostic import Span

_ROOT = Path(__file__).resolve().parents[2]
_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from configurator.language.sandbox import child; child()"
)
_STATM = Path("/proc/self/statm")
MOST_BYTES = 128_000_000


def load_safely(files: Mapping[str, bytes], *, seconds: int = 5, megabytes: int = 512) -> Loaded:
    """As ``load_folder``, within ``seconds`` of processor time and ``megabytes`` of memory.

    A folder that needs more is refused with ``too-large``.
    """
    oversized = _oversized(files)
    if oversized is not None:
        return oversized
    answer = _ask(files, seconds, megabytes)
    if answer is None:
        return _refused("too-large/child", _biggest(files), seconds=seconds, megabytes=megabytes)
    diagnostics = from_json(answer)
    if any(each.severity == "stop" for each in diagnostics):
        return Loaded(None, diagnostics)
    return load_folder(files)


def load_within(files: Mapping[str, bytes], *, seconds: int = 60, megabytes: int = 512) -> Loaded:
    """As ``load_safely``, in this process: for the main thread of a command, which takes no
    more than that on top of what it has taken before."""
    oversized = _oversized(files)
    if oversized is not None:
        return oversized
    try:
        with _limited(seconds, megabytes * 1024 * 1024):
            return load_folder(files)
    except (MemoryError, _OutOfTimeError):
        return _refused("too-large/child", _biggest(files), seconds=seconds, megabytes=megabytes)


class _OutOfTimeError(Exception):
    """The processor time that was allowed is used up."""


@contextmanager
def _limited(seconds: int, size: int) -> Iterator[None]:
    """Limits for a while, counted from what this process takes now."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise _OutOfTimeError

    before = resource.getrlimit(resource.RLIMIT_AS)
    handler = signal.signal(signal.SIGPROF, stop)
    try:
        # Not RLIMIT_CPU, which is of the whole process: what the kernel holds against it may be
        # seconds off what it says is spent.
        signal.setitimer(signal.ITIMER_PROF, seconds, 1)
        if _STATM.exists():  # elsewhere nobody tells how much address space there is already
            pages = int(_STATM.read_text(encoding="ascii").split()[0])
            limit, hard = pages * resource.getpagesize() + size, before[1]
            if hard != resource.RLIM_INFINITY:
                limit = min(limit, hard)
            resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, handler)
        resource.setrlimit(resource.RLIMIT_AS, before)


def _oversized(files: Mapping[str, bytes]) -> Loaded | None:
    """The refusal of a folder too large to be read at all; ``None`` where it is not."""
    size = sum(map(len, files.values()))
    if size <= MOST_BYTES:
        return None
    return _refused("too-large/file", Span(min(files), 1, 1), size=size, limit=MOST_BYTES)


def _refused(code: str, place: Span, **figures: int) -> Loaded:
    report = Report()
    report.stop(code, place, **figures)
    return Loaded(None, report.diagnostics())


def _biggest(files: Mapping[str, bytes]) -> Span:
    name = max(sorted(files), key=lambda each: len(files[each]), default="product.yaml")
    return Span(name, 1, 1)


def _ask(files: Mapping[str, bytes], seconds: int, megabytes: int) -> str | None:
    """The child's JSON, or ``None`` where it did not finish within its limits."""
    names = list(files)
    header = json.dumps(
        {
            "seconds": seconds,
            "megabytes": megabytes,
            "files": [[name, len(files[name])] for name in names],
        }
    ).encode("ascii")
    message = b"".join([header, b"\n", *(files[name] for name in names)])
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and a constant program
            [sys.executable, "-I", "-c", _START, str(_ROOT)],
            input=message,
            capture_output=True,
            timeout=seconds * 4,
            check=False,
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
        )
    except subprocess.TimeoutExpired:
        return None
    return done.stdout.decode("utf-8") if done.returncode == 0 else None


def child() -> None:
    """What the child process does: limit itself, read, answer, end."""
    header = json.loads(sys.stdin.buffer.readline())
    seconds, size = header["seconds"], header["megabytes"] * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # One second is left for starting, answering and dying, so that the caller waits no longer.
    resource.setrlimit(resource.RLIMIT_CPU, (max(seconds - 1, 1), seconds))
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    files = {name: sys.stdin.buffer.read(length) for name, length in header["files"]}
    try:
        answer = to_json(load_folder(files).diagnostics)
    except MemoryError:
        os._exit(1)
    sys.stdout.buffer.write(answer.encode("utf-8", "replace"))
    sys.stdout.buffer.flush()

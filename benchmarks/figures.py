"""What a benchmark found: rows of a table, each with its target; and where it ran."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the summary; ``met`` is ``None`` where nothing could be measured."""

    name: str
    target: str
    measured: str
    met: bool | None

    @property
    def verdict(self) -> str:
        """The last column."""
        return {True: "met", False: "NOT met", None: "not measured"}[self.met]


def at_least(name: str, ratio: float, target: float, more: str = "") -> Row:
    """A row for a ratio that should be at least ``target``."""
    return Row(name, f">= {target:,g}x", f"{times(ratio)}{more}", ratio >= target)


def at_most(name: str, ratio: float, target: float, more: str = "") -> Row:
    """A row for a ratio that should be at most ``target``."""
    return Row(name, f"<= {target:,g}x", f"{times(ratio)}{more}", ratio <= target)


def times(ratio: float) -> str:
    """A ratio as text, two or three digits of it."""
    return f"{ratio:,.0f}x" if ratio >= 100 else f"{ratio:.3g}x"


def milliseconds(seconds: float) -> str:
    """A duration as text in milliseconds."""
    taken = seconds * 1000
    return f"{taken:,.0f}" if taken >= 100 else f"{taken:.3g}"


def megabytes(size: float) -> str:
    """A size as text in megabytes."""
    return f"{size / 1e6:,.0f} MB" if size >= 1e8 else f"{size / 1e6:.3g} MB"


def summary(rows: Iterable[Row]) -> str:
    """All rows as one table."""
    head = ("row", "target", "measured", "")
    return table([head, *((row.name, row.target, row.measured, row.verdict) for row in rows)])


def table(lines: Sequence[Sequence[str]]) -> str:
    """Lines of cells as a Markdown table, the first line being its head."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    rule = tuple("-" * width for width in widths)
    return "\n".join(
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) + " |"
        for line in (lines[0], rule, *lines[1:])
    )


def environment() -> str:
    """Where this runs: what a reader needs to judge the figures."""
    packages = ("numpy", "numba", "python-sat", "ortools", "python-constraint2")
    tools = ", ".join(f"{name} {version(name)}" for name in packages)
    load = " ".join(f"{each:.1f}" for each in os.getloadavg())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{_processor()}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GB, "
        f"{platform.system()}, load {load}\n"
        f"Python {platform.python_version()}, {tools}\n"
        f"commit {_commit()}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def _commit() -> str:
    here = Path(__file__).parent

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=here, capture_output=True, text=True)
        return done.stdout.strip()

    changed = " with uncommitted changes" if git("status", "--porcelain") else ""
    return (git("rev-parse", "--short", "HEAD") or "unknown") + changed

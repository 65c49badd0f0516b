"""How the cost of a click grows with the product: feature models from 10 to 20,000.

Set ``CONFIGURATOR_PLOT`` to the path of an SVG file to have the plot drawn again.
"""

from __future__ import annotations

import os
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks import generated
from benchmarks.baselines import SatLoop
from benchmarks.figures import Row, megabytes, milliseconds, table
from benchmarks.plot import Series, plot
from benchmarks.publishing import Published, given, publish
from benchmarks.walks import Walk, again, follow, lead

SIZES = (10, 30, 100, 300, 1_000, 3_000, 10_000, 20_000)
SEED = 1
SAT_SECONDS = 20.0
"""What SAT gets for each size; a size at which it makes no click is left out."""

HEAD = (
    "features",
    "rules",
    "publish s",
    "peak memory",
    "edges",
    "arrays",
    "click median / p99 ms",
    "with least changes ms",
    "SAT click median / p99 ms",
    "ratio of medians",
)


def run() -> list[Row]:
    """Measure every size; print the table, and draw the plot where one is wanted."""
    lines: list[tuple[str, ...]] = [HEAD]
    ours, changing, sat = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            network = generated.feature_model(size, SEED)
            published = publish(f"{size} features", partial(given, network), Path(folder))
            print(published.line(), flush=True)
            if published.refused is not None:
                continue
            mine, changes = clicks(published)
            taken = follow("incremental SAT", SatLoop, network, mine, SAT_SECONDS)
            ours.append((size, mine.median() * 1000))
            changing.append((size, changes.median() * 1000))
            if taken.digests:
                sat.append((size, taken.median() * 1000))
            lines.append(row(published, mine, changes, taken))
    print("\n" + table(lines), flush=True)
    series = (
        Series("valid, lowest totals", tuple(ours)),
        Series("least changes as well", tuple(changing)),
        Series("incremental SAT, valid only", tuple(sat)),
    )
    drawn = os.environ.get("CONFIGURATOR_PLOT")
    if drawn:
        title = "A click by the size of a feature model"
        text = plot(title, "features", "milliseconds, median", series)
        Path(drawn).write_text(text, encoding="utf-8")
        print(f"drawn: {drawn}")
    return summed_up(ours)


def clicks(published: Published) -> tuple[Walk, Walk]:
    """Our walks, and the same questions with least changes."""
    backend = published.load()
    mine = lead(published.network, lambda pins: backend.marginals(pins).valid, range(10), 40)
    changes = again(mine.questions, lambda pins: backend.marginals(pins, changes=True).valid, 15.0)
    return mine, changes


def row(published: Published, mine: Walk, changes: Walk, sat: Walk) -> tuple[str, ...]:
    """One line of the table."""
    theirs = ratio = f"none in {SAT_SECONDS:.0f} s"
    if sat.digests:
        theirs = f"{milliseconds(sat.median())} / {milliseconds(sat.p99())}"
        ratio = f"{sat.median() / mine.only(range(len(sat.digests))).median():,.0f}"
    return (
        f"{len(published.network.variables):,}",
        f"{len(published.network.constraints):,}",
        f"{published.seconds:.1f}",
        megabytes(published.peak),
        f"{published.edges:,}",
        megabytes(published.arrays),
        f"{milliseconds(mine.median())} / {milliseconds(mine.p99())}",
        milliseconds(changes.median()),
        theirs,
        ratio,
    )


def summed_up(ours: list[tuple[int, float]]) -> list[Row]:
    """Whether every size compiled, and how steep the line is at its end."""
    title = f"growth, {SIZES[0]} to {SIZES[-1]:,} features"
    if len(ours) < len(SIZES):
        missing = ", ".join(f"{size:,}" for size in SIZES if size not in dict(ours))
        return [Row(title, "every size compiles", f"not compiled: {missing}", False)]
    sizes, taken = np.log([size for size, _ in ours[-4:]]), np.log([y for _, y in ours[-4:]])
    slope = float(np.polyfit(sizes, taken, 1)[0])
    measured = f"{ours[-1][1]:.3g} ms at the largest; grows with the power {slope:.2f}"
    return [Row(title, "every size compiles", measured, True)]

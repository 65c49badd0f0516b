"""``make bench``: every measurement, each against its baseline in the same run.

python -m benchmarks [PART ...]
"""

from __future__ import annotations

import sys
import time
from importlib import import_module

from benchmarks import figures

PARTS = ("engine", "reasons", "growth", "parallel", "choice", "http")
"""Modules whose ``run`` measures, prints and gives rows; imported only where wanted."""


def main() -> None:
    """Run the parts that are named, or all of them, and print the summary."""
    wanted = sys.argv[1:] or PARTS
    unknown = [name for name in wanted if name not in PARTS]
    if unknown:
        raise SystemExit(f"no part {', '.join(unknown)}; there is {', '.join(PARTS)}")
    print(figures.environment())
    begun = time.perf_counter()
    rows: list[figures.Row] = []
    for name in wanted:
        print(f"\n== {name}\n", flush=True)
        rows += import_module(f"benchmarks.{name}").run()
    print(f"\n== summary, after {(time.perf_counter() - begun) / 60:.1f} minutes\n")
    print(figures.summary(rows))


if __name__ == "__main__":
    main()

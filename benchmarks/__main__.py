"""``make bench``: every measurement, each against its baseline in the same run.

python -m benchmarks [PART ...]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from benchmarks import figures

RULES = Path(__file__).parents[1] / "rules"

ON_RULES = ("choice", "http")
"""Parts that are run on a demo product."""


def _part(name: str) -> Callable[[], list[figures.Row]]:
    """The part's ``run``, imported only where it is wanted."""

    def run() -> list[figures.Row]:
        module = import_module(f"benchmarks.{name}")
        return (module.run(RULES) if name in ON_RULES else module.run()) or []

    return run


PARTS = {
    name: _part(name)
    for name in ("engine", "reasons", "growth", "parallel", "choice", "http")
    if find_spec(f"benchmarks.{name}") is not None
}


def main() -> None:
    """Run the parts that are named, or all of them, and print the summary."""
    wanted = sys.argv[1:] or list(PARTS)
    unknown = [name for name in wanted if name not in PARTS]
    if unknown:
        raise SystemExit(f"no part {', '.join(unknown)}; there is {', '.join(PARTS)}")
    print(figures.environment())
    begun = time.perf_counter()
    rows: list[figures.Row] = []
    for name in wanted:
        print(f"\n== {name}\n", flush=True)
        rows += PARTS[name]()
    print(f"\n== summary, after {(time.perf_counter() - begun) / 60:.1f} minutes\n")
    print(figures.summary(rows))


if __name__ == "__main__":
    main()

"""``make bench``: every measurement, each against its baseline in the same run."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks import engine, http

if __name__ == "__main__":
    wanted = sys.argv[1:] or ["engine", "http"]
    if "engine" in wanted:
        engine.run()
    if "http" in wanted:
        http.run(Path(__file__).parents[1] / "rules")

"""Compiled loops kept on disk are those of the sources that are there."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import configurator

SCRIPT = """
import numpy as np
from configurator.engine.diagram.graph import hash_pins
hashes = np.empty(2, dtype=np.int64)
key, _ = hash_pins(np.array([3, 1, 4, 1]), 0, hashes)
print(key, sum(hash_pins.stats.cache_hits.values()))
"""


def hashed(root: Path) -> list[int]:
    """What a loop of the package below ``root`` answers, and how often it was on disk."""
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=root, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return [int(number) for number in run.stdout.split()]


def test_a_loop_is_compiled_anew_where_another_file_with_loops_changes(tmp_path: Path) -> None:
    package = tmp_path / "configurator"
    shutil.copytree(
        Path(configurator.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__")
    )
    first, hits = hashed(tmp_path)
    assert not hits
    assert hashed(tmp_path) == [first, 1]

    kernels = package / "engine" / "diagram" / "kernels.py"
    source = kernels.read_text(encoding="utf-8")
    changed = source.replace("PRIME = (1 << 61) - 1", "PRIME = (1 << 31) - 1")
    assert changed != source
    kernels.write_text(changed, encoding="utf-8")
    other, hits = hashed(tmp_path)
    assert other != first
    assert not hits

"""Compiled loops kept on disk are those of the sources that are there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import configurator

SCRIPT = """
import numpy as np
from configurator.engine.diagram.graph import hash_pins
hashes = np.empty(2, dtype=np.int64)
key, _ = hash_pins(np.array([3, 1, 4, 1]), 0, hashes)
print(key, sum(hash_pins.stats.cache_hits.values()))
"""


def hashed(root: Path, before: str = "", **environment: str) -> list[int]:
    """What a loop of the package below ``root`` answers, and how often it was on disk."""
    run = subprocess.run(
        [sys.executable, "-c", before + SCRIPT],
        cwd=root,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return [int(number) for number in run.stdout.split()]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The package's files, without any loops on disk."""
    copy = tmp_path / "configurator"
    shutil.copytree(
        Path(configurator.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__")
    )
    return copy


def test_loops_run_where_no_folder_takes_them(tmp_path: Path, package: Path) -> None:
    nowhere = tmp_path / "nowhere"
    nowhere.touch()  # a file, in which nobody makes a folder
    (package / "engine" / "diagram" / "__pycache__").touch()
    first, hits = hashed(tmp_path, XDG_CACHE_HOME=str(nowhere), HOME=str(nowhere))
    assert not hits
    assert hashed(tmp_path, XDG_CACHE_HOME=str(nowhere), HOME=str(nowhere)) == [first, 0]


def test_loops_run_where_the_disk_is_full(tmp_path: Path, package: Path) -> None:
    full = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    full += "resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))\n"
    first, hits = hashed(tmp_path, full, PYTHONDONTWRITEBYTECODE="1")
    assert not hits
    assert hashed(tmp_path)[0] == first


def test_a_torn_file_of_loops_is_made_anew(tmp_path: Path, package: Path) -> None:
    first, _ = hashed(tmp_path)
    for ending in ("nbi", "nbc"):
        for torn in package.rglob(f"*.{ending}"):
            torn.write_bytes(torn.read_bytes()[:9])
        assert hashed(tmp_path)[0] == first
        assert hashed(tmp_path) == [first, 1]


def test_a_loop_is_compiled_anew_where_another_file_with_loops_changes(
    tmp_path: Path, package: Path
) -> None:
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

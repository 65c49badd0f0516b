"""The rooms keep apart: who may import whom."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "configurator"

MAY_IMPORT = {
    "model": set(),
    "language": {"model"},
    "engine": {"model", "memory"},
    "trail": {"model", "memory"},
    "guidance": {"model", "engine"},
    "catalogue": {"model", "language", "engine", "trail"},
    "session": {"model", "memory", "language", "engine", "trail", "guidance", "catalogue"},
    "service": {"model", "language", "engine", "trail", "guidance", "catalogue", "session"},
    "web": {
        "model",
        "language",
        "engine",
        "trail",
        "guidance",
        "catalogue",
        "session",
        "service",
        "resources",
    },
}

HOMES = {
    "flask": {"web", "app"},
    "jinja2": {"web", "app"},
    "marshmallow": {"web"},
    "sqlalchemy": {"trail", "catalogue", "service"},
    "constraint": {"engine"},
    "pysat": {"engine"},
    "ortools": {"engine"},
    "numba": {"engine"},
    "lark": {"language"},
    "ruamel": {"language"},
}


def imports_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def modules(room: str) -> list[Path]:
    return sorted((PACKAGE / room).rglob("*.py"))


@pytest.mark.parametrize("room", sorted(MAY_IMPORT))
def test_a_room_imports_only_what_it_may(room: str) -> None:
    assert modules(room), f"the room {room} is empty"
    for path in modules(room):
        ours = {
            name.split(".")[1]
            for name in imports_of(path)
            if name.startswith("configurator.") and len(name.split(".")) > 1
        } - {room, "__version__"}
        assert ours <= MAY_IMPORT[room], f"{path.name} imports {sorted(ours - MAY_IMPORT[room])}"


@pytest.mark.parametrize("package", sorted(HOMES))
def test_a_package_has_one_home(package: str) -> None:
    for path in sorted(PACKAGE.rglob("*.py")):
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        used = any(name == package or name.startswith(f"{package}.") for name in imports_of(path))
        assert not used or room in HOMES[package], f"{path} imports {package}"


def test_only_settings_reads_the_environment() -> None:
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.name != "settings.py":
            source = path.read_text(encoding="utf-8")
            assert "os.environ" not in source, path
            assert "getenv" not in source, path

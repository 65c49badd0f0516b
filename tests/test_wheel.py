"""The wheel carries all it needs: it serves from a folder that knows no checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.conftest import Server

CHECKOUT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built and unpacked; what it depends on is already in the environment."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(folder)]
    subprocess.run([*build, str(CHECKOUT)], check=True, cwd=folder, timeout=300)
    (wheel,) = folder.glob("*.whl")
    target = folder / "installed"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
    subprocess.run([*install, str(target), str(wheel)], check=True, cwd=folder, timeout=300)
    return target


def run(installed: Path, *arguments: str) -> str:
    """A command of the installed package, started outside the checkout."""
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    finished = subprocess.run(
        [sys.executable, "-P", "-m", "configurator.cli", *arguments],
        env=environment,
        cwd=installed.parent,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def test_the_wheel_has_products_pages_and_translations(installed: Path) -> None:
    package = installed / "configurator"
    for shipped in (
        "templates/shop/step.html",
        "static/css/tokens.css",
        "static/vendor/htmx.min.js",
        "rules/trail-bike/product.yaml",
        "translations/shop/es/LC_MESSAGES/messages.mo",
        "trail/migrations/__init__.py",
    ):
        assert (package / shipped).is_file(), shipped


def test_the_installed_package_checks_its_own_product(installed: Path) -> None:
    rules = installed / "configurator" / "rules" / "home-energy"
    assert "Ready to publish." in run(installed, "check", str(rules))


def test_the_installed_package_serves(
    installed: Path, tmp_path: Path, lamp_rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(installed))
    monkeypatch.setenv("PYTHONSAFEPATH", "1")
    monkeypatch.chdir(tmp_path)
    server = Server(tmp_path, lamp_rules)
    server.start()
    try:
        request = urllib.request.Request(f"{server.url}/", headers={"Accept-Language": "es"})
        with urllib.request.urlopen(request, timeout=10) as page:
            assert "Lámpara de mesa" in page.read().decode()
        with urllib.request.urlopen(f"{server.url}/static/vendor/htmx.min.js") as script:
            assert script.status == 200
    finally:
        server.kill()

"""What tests of several rooms share: a small product, a service over it, a real server."""

from __future__ import annotations

import datetime
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import hypothesis
import pytest

from configurator.settings import Settings

if TYPE_CHECKING:
    from configurator.app import Services

# The same examples in every run, so that a change is judged by what it changes; to search
# further: HYPOTHESIS_PROFILE=search make test
hypothesis.settings.register_profile("same", derandomize=True, deadline=None)
hypothesis.settings.register_profile("search", deadline=None, max_examples=500)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
SMALLEST = {"width": 320, "height": 640}

LAMP = {
    "product.yaml": """
        product: lamp
        name: {en: Desk lamp, es: Lámpara de mesa}
        language: en
        languages: [en, es]
        owner: lamps@example.org
        time zone: Europe/Madrid
        attributes:
          watts: {unit: W}
        steps:
          - {id: body, name: {en: Body, es: Cuerpo}, ask: [mount, arm, colour]}
          - {id: light, name: {en: Light, es: Luz}, ask: [bulb, dimmer, extras, width]}
        variables:
          mount:
            name: {en: Mount, es: Sujeción}
            values:
              clamp: {name: {en: Clamp, es: Pinza}}
              foot: {name: {en: Foot, es: Pie}, price: 12.00}
          arm:
            name: {en: Arm, es: Brazo}
            values:
              short: {name: {en: Short, es: Corto}}
              long: {name: {en: Long, es: Largo}, price: 20.00}
            default: short
          colour:
            name: {en: Colour, es: Color}
            values:
              black: {name: {en: Black, es: Negro}}
              red: {name: {en: Red, es: Rojo}, price: 5.00}
            default: black
          bulb:
            name: {en: Bulb, es: Bombilla}
            values:
              small: {name: {en: Small, es: Pequeña}, watts: 4, price: 3.00}
              large: {name: {en: Large, es: Grande}, watts: 11, price: 8.50}
          dimmer: {name: {en: Dimmer, es: Regulador}, type: yes or no, price: 15.00, default: no}
          extras:
            name: {en: Extras, es: Extras}
            type: several of
            pick: 0..2
            each: 1..3
            values:
              hook: {name: {en: Hook, es: Gancho}, price: 2.00}
              cable: {name: {en: Long cable, es: Cable largo}, price: 4.00}
          light:
            name: {en: Light, es: Luz}
            compute: bulb.watts * 80
            show: result
          width:
            name: {en: Width of the desk, es: Ancho de la mesa}
            type: number
            range: 60..240
            unit: cm
            default: 120
        rules:
          - id: long-needs-foot
            when: arm = long
            require: mount = foot
            because: {en: A long arm tips a clamp over., es: Un brazo largo vence una pinza.}
          - id: dimmer-needs-large
            when: dimmer
            require: bulb = large
            because: {en: The small bulb cannot be dimmed., es: La bombilla pequeña no se regula.}
        guards:
          - id: short-on-wide-desk
            level: acknowledge
            when: arm = short and width >= 180
            say:
              en: A short arm does not reach the middle of a desk this wide.
              es: Un brazo corto no llega al centro de una mesa tan ancha.
            suggest: {arm: long}
            reasons: [{en: It stands in the middle, es: Está en el centro}]
        prices:
          currency: EUR
          tax: {rate: 21 %, included: yes}
          base: 30.00
    """,
    "scenarios.yaml": """
        scenarios:
          - name: A long arm on a clamp is refused
            choose: {arm: long, mount: clamp}
            expect: refused
            because: [long-needs-foot]
          - name: A dimmer takes the large bulb
            choose: {dimmer: yes}
            implies: {bulb: large}
          - name: A whole lamp
            choose: {mount: foot, arm: long, colour: red, bulb: large, dimmer: yes,
                     extras: {hook: 2}, width: 200}
            expect: complete
            price: 94.50
            guards: []
          - name: A short arm on a wide desk is asked about
            choose: {arm: short, width: 200}
            guards: [short-on-wide-desk]
    """,
}


NEARLY_OCTOBER = datetime.datetime(2026, 9, 30, 22, 30, tzinfo=datetime.UTC)
"""Half past midnight on the first of October in Madrid."""


def october_lamp(price: str) -> dict[str, bytes]:
    """The small product, 10 % cheaper from October on, with one scenario of its lowest
    price today."""
    texts = {
        "product.yaml": textwrap.dedent(LAMP["product.yaml"])
        + "  lines:\n    - {id: autumn, percent: -10, of: all, from: 2026-10-01}\n",
        "scenarios.yaml": f"scenarios: [{{name: Today, choose: {{}}, lowest: {price}}}]\n",
    }
    return files_of(texts)


def files_of(texts: dict[str, str]) -> dict[str, bytes]:
    """A rule folder written in a test, as the bytes of its files."""
    return {name: textwrap.dedent(text).lstrip("\n").encode() for name, text in texts.items()}


def lacking(reason: str) -> NoReturn:
    """Fail in CI and skip elsewhere, with the reason."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def not_endless(seconds: int = 120) -> Iterator[None]:
    """Fails what takes so much processor time that it would not end; no measure of speed."""

    def stop(_signal: int, _frame: object) -> NoReturn:
        pytest.fail(f"not done after {seconds} s of processor time")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A real Chromium. A missing one fails in CI and skips with its reason elsewhere."""
    if not Path(CHROMIUM).exists():
        lacking(f"no Chromium at {CHROMIUM}: install it (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def lamp() -> dict[str, bytes]:
    """The rule folder of a small product."""
    return files_of(LAMP)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a service that lives in the test's own folder."""
    return Settings(
        folder=tmp_path,
        database_url=f"sqlite:///{tmp_path}/configurator.db",
        secret_key="for tests only",
        testing=True,
    )


@pytest.fixture
def services(settings: Settings, lamp: dict[str, bytes]) -> Services:
    """A service with the small product published."""
    from configurator.app import create_services

    made = create_services(settings)
    published = made.catalogue.publish(lamp, by="tests")
    assert published.release is not None, published.diagnostics
    return made


class Server:
    """The real server in a process group of its own."""

    def __init__(self, folder: Path, rules: Path, port: int = 0) -> None:
        self.folder = folder
        self.rules = rules
        self.port = port or free_port()
        self.output = ""
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """Where it answers, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers; raises ``AssertionError`` after two minutes."""
        environment = {
            **os.environ,
            "CONFIGURATOR_FOLDER": str(self.folder),
            "CONFIGURATOR_RULES": str(self.rules),
            "PORT": str(self.port),
        }
        log = (self.folder / "server.log").open("a", encoding="utf-8")
        with log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "configurator.cli", "serve"],
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.url}/api/v1/products", timeout=2):
                    break
            except OSError:
                assert self._process.poll() is None, self.log()
                time.sleep(0.05)
        else:
            raise AssertionError(f"the server does not answer\n{self.log()}")

    def log(self) -> str:
        """What it has printed so far."""
        return (self.folder / "server.log").read_text(encoding="utf-8")

    def account(self, role: str) -> tuple[str, str]:
        """Name and password of the demo account of a role."""
        found = re.search(rf"Demo account: (\S+) / (\S+) \({role}\)", self.log())
        assert found, self.log()
        return found.group(1), found.group(2)

    def kill(self) -> None:
        """SIGKILL the whole process group."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def lamp_rules(tmp_path: Path, lamp: dict[str, bytes]) -> Path:
    """A folder of rule folders that holds the small product only."""
    folder = tmp_path / "rules" / "lamp"
    folder.mkdir(parents=True)
    for name, content in lamp.items():
        (folder / name).write_bytes(content)
    return folder.parent


@pytest.fixture
def server(tmp_path: Path, lamp_rules: Path) -> Iterator[Server]:
    """A running server with the small product."""
    (tmp_path / "var").mkdir()
    running = Server(tmp_path / "var", lamp_rules)
    running.start()
    yield running
    running.kill()

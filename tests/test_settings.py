"""Settings that cannot be used stop the start with a sentence that names them."""

from __future__ import annotations

import os
import secrets
import stat
import threading
from pathlib import Path

import pytest

import configurator.settings
from configurator.cli import _check_free
from configurator.settings import Settings, SettingsError


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"CONFIGURATOR_FOLDER": str(tmp_path / "var")}


@pytest.mark.parametrize("name", ["CONFIGURATOR_SECURE_COOKIES", "CONFIGURATOR_PROVE"])
@pytest.mark.parametrize("text", ["true", "YES", "1", "on", ""])
def test_a_yes_that_is_none_is_not_taken_for_a_no(
    name: str, text: str, environment: dict[str, str]
) -> None:
    with pytest.raises(SettingsError, match=f"{name}: '{text}' is neither yes nor no"):
        Settings.from_environment({**environment, name: text})


def test_yes_and_no_are_understood(environment: dict[str, str]) -> None:
    for text, meant in (("yes", True), ("no", False)):
        given = {**environment, "CONFIGURATOR_SECURE_COOKIES": text}
        assert Settings.from_environment(given).secure_cookies is meant


def test_rules_that_are_nowhere_are_said_by_name(environment: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="CONFIGURATOR_RULES: there is no folder /no/where"):
        Settings.from_environment({**environment, "CONFIGURATOR_RULES": "/no/where"})


def test_an_address_that_is_none_is_said_by_name() -> None:
    with pytest.raises(SettingsError, match="CONFIGURATOR_HOST: 'no such host' is no address"):
        _check_free("no such host", 0)


def test_the_secret_is_made_once_for_its_owner_alone(environment: dict[str, str]) -> None:
    made = Settings.from_environment(environment)
    assert len(made.secret_key) == 64
    assert Settings.from_environment(environment).secret_key == made.secret_key
    (kept,) = made.folder.iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_processes_that_start_at_once_have_one_secret(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    both = threading.Barrier(2, timeout=10)
    drawn = secrets.token_hex

    def together(size: int) -> str:
        both.wait()
        return drawn(size)

    monkeypatch.setattr(secrets, "token_hex", together)
    found: list[str] = []

    def one() -> None:
        found.append(Settings.from_environment(environment).secret_key)

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    assert len(set(found)) == 1


def test_a_full_disk_leaves_no_half_secret(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_size: int) -> str:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(secrets, "token_hex", full)
        with pytest.raises(SettingsError, match=r"secret cannot be kept \(No space left"):
            Settings.from_environment(environment)
    assert not list(Path(environment["CONFIGURATOR_FOLDER"]).iterdir())
    assert Settings.from_environment(environment).secret_key


def test_an_empty_secret_signs_nothing(environment: dict[str, str]) -> None:
    folder = Path(environment["CONFIGURATOR_FOLDER"])
    folder.mkdir()
    (folder / "secret").touch()
    with pytest.raises(SettingsError, match="secret is empty; delete it"):
        Settings.from_environment(environment)


def test_a_folder_that_takes_nothing_is_said_by_name(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr(configurator.settings, "NamedTemporaryFile", refuse)
    with pytest.raises(SettingsError, match=r"CONFIGURATOR_FOLDER: .* or give CONFIGURATOR_SECRET"):
        Settings.from_environment(environment)

"""What a new installation starts with, also where its start is cut short."""

from __future__ import annotations

import json
import secrets
import stat
import threading
from pathlib import Path

import pytest

from configurator.app import Services
from configurator.service.demo import ROLES, DemoAccount, prepare_demo
from configurator.service.staff import Staff


@pytest.fixture
def nothing(tmp_path: Path) -> Path:
    """A folder without products to publish."""
    folder = tmp_path / "nothing"
    folder.mkdir()
    return folder


def begin(services: Services, rules: Path) -> tuple[DemoAccount, ...]:
    return prepare_demo(services.catalogue, services.staff, rules, rules.parent).accounts


def can_sign_in(services: Services, accounts: tuple[DemoAccount, ...]) -> None:
    assert [account.role for account in accounts] == list(ROLES)
    for account in accounts:
        assert services.staff.check(account.name, account.password) is not None


def test_accounts_are_made_once_and_told_again(services: Services, nothing: Path) -> None:
    accounts = begin(services, nothing)
    can_sign_in(services, accounts)
    assert begin(services, nothing) == accounts
    services.staff.set_disabled("demo-admin", True)
    assert begin(services, nothing) == accounts[:-1]
    kept = nothing.parent / "demo-accounts.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


@pytest.mark.parametrize("made", range(3))
def test_a_start_that_was_killed_is_made_up_for(
    made: int, services: Services, nothing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add, left = Staff.add, iter(range(made))

    def killed(staff: Staff, *account: str) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        add(staff, *account)

    with monkeypatch.context() as patched:
        patched.setattr(Staff, "add", killed)
        with pytest.raises(KeyboardInterrupt):
            begin(services, nothing)
    can_sign_in(services, begin(services, nothing))


def test_a_full_disk_leaves_no_half_file(
    services: Services, nothing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    before = set(nothing.parent.iterdir())
    with monkeypatch.context() as patched:
        patched.setattr(json, "dump", full)
        with pytest.raises(OSError, match="No space left"):
            begin(services, nothing)
    assert set(nothing.parent.iterdir()) == before
    can_sign_in(services, begin(services, nothing))


def test_processes_that_start_at_once_make_the_same_accounts(
    services: Services, nothing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both, drawn = threading.Barrier(2, timeout=10), secrets.token_urlsafe
    waited = threading.local()

    def together(size: int) -> str:
        if not hasattr(waited, "done"):
            both.wait()
            waited.done = True
        return drawn(size)

    monkeypatch.setattr(secrets, "token_urlsafe", together)
    found: list[tuple[DemoAccount, ...]] = []
    threads = [
        threading.Thread(target=lambda: found.append(begin(services, nothing))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    assert found[0] == found[1]
    can_sign_in(services, found[0])


def test_who_has_staff_gets_no_demo_accounts(services: Services, nothing: Path) -> None:
    services.staff.add("ana", "four plain random words", "admin")
    assert begin(services, nothing) == ()
    account = {"name": "demo-admin", "password": "left over from elsewhere", "role": "admin"}
    (nothing.parent / "demo-accounts.json").write_text(json.dumps([account]))
    assert begin(services, nothing) == ()
    assert [member.name for member in services.staff.list()] == ["ana"]

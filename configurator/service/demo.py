"""What a new installation starts with: the shipped products and one account per role."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from configurator.catalogue import Catalogue, Telling
from configurator.language import read_folder, render
from configurator.service.staff import NameTakenError, Role, Staff

ROLES: tuple[Role, ...] = ("merchandiser", "support", "admin")


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """A demo account, with its password in clear: for trying the software out only."""

    name: str
    password: str
    role: Role


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was made ready; ``refused`` holds the diagnostics of products not published."""

    accounts: tuple[DemoAccount, ...]
    refused: tuple[str, ...]


def prepare_demo(
    catalogue: Catalogue, staff: Staff, rules: Path, folder: Path, tell: Telling | None = None
) -> Prepared:
    """Publish the shipped products that were never published, and make demo accounts
    where there are no others. A second call changes nothing. ``tell`` hears how far
    it is."""
    refused = []
    known = {release.product_id for release in catalogue.products()}
    for product_folder in sorted(path for path in rules.iterdir() if path.is_dir()):
        if product_folder.name in known:
            continue
        published = catalogue.publish(read_folder(product_folder), by="installation", tell=tell)
        if published.release is None:
            refused.append(render(published.diagnostics, "en"))
    return Prepared(_demo_accounts(staff, folder / "demo-accounts.json"), tuple(refused))


def _demo_accounts(staff: Staff, kept: Path) -> tuple[DemoAccount, ...]:
    there = {member.name for member in staff.list()}
    if not kept.exists():
        if there:
            return ()
        _write_accounts(kept)
    accounts = tuple(DemoAccount(**each) for each in json.loads(kept.read_text(encoding="utf-8")))
    if there <= {account.name for account in accounts}:  # else somebody has staff of their own
        for account in accounts:
            with suppress(NameTakenError):  # made before, or by a process that starts with us
                staff.add(account.name, account.password, account.role)
    return tuple(account for account in accounts if staff.get(account.name) is not None)


def _write_accounts(kept: Path) -> None:
    """Draw the accounts and write them whole before the file gets its name: whoever starts
    next, also after a kill or a full disk, finds all of them or none."""
    made = [DemoAccount(f"demo-{role}", secrets.token_urlsafe(12), role) for role in ROLES]
    descriptor, passing = tempfile.mkstemp(dir=kept.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump([asdict(account) for account in made], stream)
        with suppress(FileExistsError):  # another process was faster
            os.link(passing, kept)
    finally:
        Path(passing).unlink()

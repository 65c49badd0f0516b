"""What a new installation starts with: the shipped products and one account per role."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from configurator.catalogue import Catalogue, Telling
from configurator.language import read_folder, render
from configurator.service.staff import Role, Staff

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
    where there are no staff at all. A second call changes nothing. ``tell`` hears how far
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
    if kept.exists():
        accounts = json.loads(kept.read_text(encoding="utf-8"))
        return tuple(DemoAccount(**account) for account in accounts)
    if staff.list():
        return ()
    made = tuple(DemoAccount(f"demo-{role}", secrets.token_urlsafe(12), role) for role in ROLES)
    descriptor = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump([{"name": a.name, "password": a.password, "role": a.role} for a in made], stream)
    for account in made:
        staff.add(account.name, account.password, account.role)
    return made

"""The settings of one running service: the only reader of the environment."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from limits.errors import ConfigurationError
from limits.storage import storage_from_string

if TYPE_CHECKING:
    from configurator.engine import Limits


SHORTEST_SECRET = 16


class SettingsError(ValueError):
    """A setting that cannot be used; the message names it and the cure."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator decides. Every field has a default that works on one machine.

    ``folder`` holds what the service writes (database, compiled products, secret);
    ``rules`` the rule folders published at the first start (``None``: the shipped ones).
    ``compile_seconds`` and ``compile_megabytes`` are what compiling one product may take;
    ``prove``: whether OR-Tools, an extra, proves lowest totals that search leaves open.
    ``starts_per_minute`` is how many configurations one address may begin, and
    ``acts_per_minute`` how often the API may act on one.
    ``proxies`` is how many trusted proxies stand in front and set ``X-Forwarded-*``.
    """

    folder: Path
    database_url: str
    secret_key: str
    rules: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    threads: int = 8
    limits_storage: str = "memory://"
    compile_seconds: int = 240
    compile_megabytes: int = 4096
    prove: bool = False
    starts_per_minute: int = 600
    acts_per_minute: int = 12_000
    proxies: int = 0
    secure_cookies: bool = False
    testing: bool = False

    @property
    def compiled(self) -> Path:
        """The folder of compiled products."""
        return self.folder / "compiled"

    @property
    def limits(self) -> Limits:
        """What compiling one product may take."""
        from configurator.engine import Limits  # heavy; most commands do without

        return Limits(seconds=self.compile_seconds, megabytes=self.compile_megabytes)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read ``CONFIGURATOR_*`` and ``PORT``; raises ``SettingsError``."""
        env = os.environ if environment is None else environment
        folder = Path(env.get("CONFIGURATOR_FOLDER", "var")).absolute()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise SettingsError(
                f"CONFIGURATOR_FOLDER: {folder} cannot be made ({problem.strerror}); "
                "name a folder the service may write to"
            ) from problem
        return cls(
            folder=folder,
            database_url=env.get("CONFIGURATOR_DATABASE", f"sqlite:///{folder}/configurator.db"),
            secret_key=_secret(env.get("CONFIGURATOR_SECRET")) or _kept_secret(folder / "secret"),
            rules=_rules(env.get("CONFIGURATOR_RULES", "")),
            host=env.get("CONFIGURATOR_HOST", "127.0.0.1"),
            port=_whole(env, "PORT", 8000, 0, 65535),
            threads=_whole(env, "CONFIGURATOR_THREADS", 8, 1, 256),
            limits_storage=_counting(env.get("CONFIGURATOR_LIMITS", "memory://")),
            compile_seconds=_whole(env, "CONFIGURATOR_COMPILE_SECONDS", 240, 1, 86_400),
            compile_megabytes=_whole(env, "CONFIGURATOR_COMPILE_MEGABYTES", 4096, 128, 1_000_000),
            prove=_proving(_yes(env, "CONFIGURATOR_PROVE")),
            starts_per_minute=_whole(env, "CONFIGURATOR_STARTS_PER_MINUTE", 600, 1, 1_000_000),
            acts_per_minute=_whole(env, "CONFIGURATOR_ACTS_PER_MINUTE", 12_000, 1, 1_000_000),
            proxies=_whole(env, "CONFIGURATOR_PROXIES", 0, 0, 10),
            secure_cookies=_yes(env, "CONFIGURATOR_SECURE_COOKIES"),
        )


def _whole(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = env.get(name, str(default))
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise SettingsError(f"{name}: {text!r} is not a whole number from {low} to {high}")
    return int(text)


def _counting(text: str) -> str:
    try:
        storage_from_string(text)
    except ConfigurationError as problem:
        scheme = text.partition(":")[0]  # what follows may hold a password
        raise SettingsError(
            f"CONFIGURATOR_LIMITS: limits cannot be counted in {scheme!r} here; "
            "use redis://host:6379 (pip install 'product-configurator[redis]'), or leave it out"
        ) from problem
    return text


def _yes(env: Mapping[str, str], name: str) -> bool:
    text = env.get(name, "no")
    if text not in ("yes", "no"):
        raise SettingsError(f"{name}: {text!r} is neither yes nor no")
    return text == "yes"


def _rules(text: str) -> Path | None:
    folder = Path(text).absolute()
    if text and not folder.is_dir():
        raise SettingsError(f"CONFIGURATOR_RULES: there is no folder {folder}")
    return folder if text else None


def _proving(wanted: bool) -> bool:
    if wanted and find_spec("ortools") is None:
        raise SettingsError(
            "CONFIGURATOR_PROVE: OR-Tools is not installed; "
            "pip install 'product-configurator[ortools]', or leave the setting out"
        )
    return wanted


def _secret(text: str | None) -> str | None:
    if text and len(text) < SHORTEST_SECRET:
        raise SettingsError(
            f"CONFIGURATOR_SECRET: it has fewer than {SHORTEST_SECRET} characters; take some 64 "
            "random ones, or leave the setting out and they are made and kept"
        )
    return text


def _kept_secret(path: Path) -> str:
    """The secret of this folder, made once, readable by its owner only. It gets its name
    when it is whole: several processes may start at once, and have the same."""
    try:
        if not path.exists():
            with NamedTemporaryFile("w", dir=path.parent, encoding="ascii") as draft:
                draft.write(secrets.token_hex(32))
                draft.flush()
                with suppress(FileExistsError):
                    os.link(draft.name, path)
        secret = path.read_text(encoding="ascii")
    except OSError as problem:
        raise SettingsError(
            f"CONFIGURATOR_FOLDER: {path} cannot be kept ({problem.strerror}); "
            "name a folder the service may write to, or give CONFIGURATOR_SECRET"
        ) from problem
    if not secret:
        raise SettingsError(f"CONFIGURATOR_FOLDER: {path} is empty; delete it and start again")
    return secret

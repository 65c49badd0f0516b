"""Fresh, migrated databases for tests: a SQLite file, or a PostgreSQL database of its own.

A template is migrated once and copied for each test. Where PostgreSQL cannot be reached,
its tests are skipped with the reason, except in continuous integration, where they fail.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event, make_url, text
from sqlalchemy.engine import URL, Engine
from sqlalchemy.exc import OperationalError

from configurator.trail import connect, migrate

POSTGRESQL = "postgresql+psycopg://postgres@127.0.0.1/test"


class PostgresqlServer:
    """A server on which test databases are made and dropped."""

    def __init__(self, url: URL) -> None:
        self._url = url
        self._admin = create_engine(url, isolation_level="AUTOCOMMIT")
        self._made: list[str] = []
        self._template: str | None = None

    def check(self) -> None:
        with self._admin.connect():
            pass

    def empty(self) -> str:
        return self._make("")

    def migrated(self) -> str:
        if self._template is None:
            url = self.empty()
            engine = connect(url)
            migrate(engine)
            engine.dispose()
            self._template = make_url(url).database
        return self._make(f"TEMPLATE {self._template}")

    def _make(self, clause: str) -> str:
        name = f"configurator_test_{secrets.token_hex(6)}"
        with self._admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} {clause}"))
        self._made.append(name)
        return self._url.set(database=name).render_as_string(hide_password=False)

    def close(self) -> None:
        with self._admin.connect() as connection:
            for name in self._made:
                connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        self._admin.dispose()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    url = os.environ.get("CONFIGURATOR_TEST_POSTGRESQL", POSTGRESQL)
    server = PostgresqlServer(make_url(url))
    try:
        server.check()
    except OperationalError as problem:
        reason = f"no PostgreSQL at {url} ({problem.orig}); set CONFIGURATOR_TEST_POSTGRESQL"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    yield server
    server.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "trail.db"
    engine = connect(f"sqlite:///{file}")
    migrate(engine)
    engine.dispose()
    return file


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'trail.db')}"


@pytest.fixture
def postgresql_url(postgresql_server: PostgresqlServer) -> str:
    return postgresql_server.migrated()


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """An engine on ``url``, which each class of tests names."""
    made = connect(url)
    yield made
    made.dispose()


class OnSqlite:
    """Mix in to run a contract on SQLite."""

    @pytest.fixture
    def url(self, sqlite_url: str) -> str:
        return sqlite_url


class OnPostgresql:
    """Mix in to run a contract on PostgreSQL."""

    @pytest.fixture
    def url(self, postgresql_url: str) -> str:
        return postgresql_url


def allow_changes(engine: Engine, table: str) -> None:
    """Take the guards of an append-only table away, as an intruder would."""
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            for act in ("update", "delete"):
                connection.execute(text(f"DROP TRIGGER {table}_no_{act}"))
        else:
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))


def limit_pages(engine: Engine, pages: int) -> None:
    """Let a SQLite file grow by ``pages`` only, as a full disk would."""

    @event.listens_for(engine, "connect")
    def limit(connection: object, _record: object) -> None:
        count = connection.execute("PRAGMA page_count").fetchone()[0]  # type: ignore[attr-defined]
        connection.execute(f"PRAGMA max_page_count = {count + pages}")  # type: ignore[attr-defined]

"""Fresh, migrated databases for tests: a SQLite file, or a PostgreSQL schema of its own.

A SQLite file is migrated once and copied for each test. Where PostgreSQL cannot be reached,
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
from sqlalchemy.pool import NullPool

from configurator.trail import connect, migrate
from tests.conftest import lacking

POSTGRESQL = "postgresql+psycopg://postgres@127.0.0.1/test"


class PostgresqlServer:
    """A database of this test run on a server; each test has a schema of its own in it.

    One database, because dropping one makes the server write everything to disk.
    """

    def __init__(self, url: URL) -> None:
        self._admin = create_engine(url, isolation_level="AUTOCOMMIT")
        self._name = f"configurator_test_{secrets.token_hex(6)}"
        self._url = url.set(database=self._name)
        with self._admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {self._name}"))
        # Some tests end every connection to the database, so none is kept here.
        self._maker = create_engine(self._url, poolclass=NullPool)
        self._steps: list[str] = []

    def empty(self) -> str:
        schema = f"test_{secrets.token_hex(6)}"
        with self._maker.begin() as connection:
            connection.execute(text(f"CREATE SCHEMA {schema}"))
        return self._of(schema)

    def migrated(self) -> str:
        if not self._steps:
            engine = connect(self.empty())

            @event.listens_for(engine, "after_cursor_execute")
            def note(_c: object, _cursor: object, sql: str, *_more: object) -> None:
                if sql.lstrip().startswith(("CREATE", "ALTER", "INSERT")):
                    self._steps.append(sql)

            migrate(engine)
            engine.dispose()
        schema = f"test_{secrets.token_hex(6)}"
        with self._maker.begin() as connection:
            steps = (f"CREATE SCHEMA {schema}", f"SET search_path = {schema}", *self._steps)
            connection.exec_driver_sql("; ".join(steps))
        return self._of(schema)

    def _of(self, schema: str) -> str:
        url = self._url.update_query_dict({"options": f"-c search_path={schema}"})
        return url.render_as_string(hide_password=False)

    def close(self) -> None:
        with self._admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {self._name} WITH (FORCE)"))
        self._admin.dispose()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    url = os.environ.get("CONFIGURATOR_TEST_POSTGRESQL", POSTGRESQL)
    try:
        server = PostgresqlServer(make_url(url))
    except OperationalError as problem:
        lacking(f"no PostgreSQL at {url} ({problem.orig}); set CONFIGURATOR_TEST_POSTGRESQL")
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

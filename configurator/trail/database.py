"""How the service reaches its database, and what it insists on there.

SQLite: write-ahead log, full synchronisation, foreign keys; writers queue up, and only the
file that has the name is written to. PostgreSQL:
psycopg 3, read committed, synchronous commits. ``autocommit``, ``snapshot``, ``writing``
and ``driving`` are the only ways in, and the only place where a database's troubles become
``TrailUnavailableError``. Other rooms put their tables on the same ``metadata``.
"""

from __future__ import annotations

import math
import os
import re
import time
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, MetaData, create_engine, event, exc, make_url
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql.dml import UpdateBase

from configurator.trail.errors import TrailUnavailableError
from configurator.trail.queue import WriterQueue

metadata = MetaData()

_TROUBLES = (exc.OperationalError, exc.InterfaceError, exc.InternalError, exc.TimeoutError)
_PATIENCE = 10
"""Seconds a statement waits for another program's lock."""

_ENGINE_OPTIONS: dict[str, Any] = {
    "pool_size": 16,
    "max_overflow": 16,
    "pool_timeout": _PATIENCE,
    "hide_parameters": True,
}
"""Values stay out of what errors say: they may be a customer's words."""

_FRESH = 1.0
"""Seconds a PostgreSQL connection may rest in the pool without being asked again."""

_PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": 2,
    "foreign_keys": 1,
    "recursive_triggers": 1,
}
"""What every SQLite connection must report. Recursive triggers let ``INSERT OR REPLACE``
run into the triggers that refuse to delete."""

_SERVER_OPTIONS = (
    "-c lock_timeout=10s -c statement_timeout=60s -c idle_in_transaction_session_timeout=60s"
    " -c default_transaction_isolation=read\\ committed -c synchronous_commit=on -c TimeZone=UTC"
)

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")

_queues: weakref.WeakKeyDictionary[Engine, WriterQueue] = weakref.WeakKeyDictionary()
_engines: weakref.WeakSet[Engine] = weakref.WeakSet()


def connect(url: str) -> Engine:
    """An engine for ``sqlite:///file`` or ``postgresql://...`` (there, ``options`` as
    libpq takes them, such as a search path, may be given in the query).

    Raises ``ValueError`` for another database or SQLite without a file; each connection
    raises ``TrailUnavailableError`` where the database does not keep what it must.
    """
    try:
        address = make_url(url)
    except exc.ArgumentError as problem:
        raise ValueError("this is no address of a database, as sqlite:///file is") from problem
    backend = address.get_backend_name()
    if backend == "sqlite":
        if not address.database or address.database == ":memory:":
            raise ValueError("SQLite needs a file: the trail outlives the process")
        engine = _sqlite(url, Path(address.database).absolute())
    elif backend == "postgresql":
        engine = _postgresql(address)
    else:
        raise ValueError(f"{backend} is not supported; use sqlite or postgresql")
    _engines.add(engine)
    return engine


def _sqlite(url: str, file: Path) -> Engine:
    engine = create_engine(url, **_ENGINE_OPTIONS, connect_args={"timeout": 10})
    queue = WriterQueue(file.with_name(f"{file.name}-writers"))
    _queues[engine] = queue
    opened = False

    @event.listens_for(engine, "do_connect")
    def find(*_: object) -> None:
        # SQLite would make another, empty one, and the first for everybody to read.
        if opened and not file.exists():
            raise TrailUnavailableError("the file of the database is gone")
        with suppress(OSError):  # there already; or connecting says what is wrong
            os.close(os.open(file, os.O_CREAT | os.O_EXCL, 0o600))

    @event.listens_for(engine, "checkout")
    def see(_connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        # Where the file was taken away or another put in its place, a connection goes on
        # writing to the one it has opened, which nobody finds again.
        if _identity(file) != record.info["file"]:
            raise exc.DisconnectionError("another file")

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: ConnectionPoolEntry) -> None:
        nonlocal opened
        # The driver must not open transactions by itself: ``begin`` below says which.
        connection.isolation_level = None
        if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            with queue:
                connection.execute("PRAGMA journal_mode = WAL")
        for name, wanted in _PRAGMAS.items():
            if name != "journal_mode":
                connection.execute(f"PRAGMA {name} = {wanted}")
            found = connection.execute(f"PRAGMA {name}").fetchone()[0]
            if found != wanted:
                raise TrailUnavailableError(f"SQLite keeps {name} at {found}, not at {wanted}")
        record.info["file"] = _identity(file)
        opened = True

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        mode = connection.get_execution_options().get("configurator_mode")
        if mode == "write":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        elif mode != "read":
            connection.exec_driver_sql("BEGIN")

    return engine


def _identity(file: Path) -> tuple[int, int] | None:
    """Which file has this name now; ``None`` where none has."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _postgresql(address: URL) -> Engine:
    given = address.query.get("options", ())
    options = " ".join((_SERVER_OPTIONS, *((given,) if isinstance(given, str) else given)))
    engine = create_engine(
        address.difference_update_query(["options"]),
        **_ENGINE_OPTIONS,
        connect_args={"connect_timeout": 5, "options": options},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        for name, wanted in (("fsync", "on"), ("server_encoding", "UTF8")):
            found = connection.execute(f"SHOW {name}").fetchone()[0]
            if found != wanted:
                raise TrailUnavailableError(f"PostgreSQL has {name} = {found}, not {wanted}")
        connection.rollback()

    @event.listens_for(engine, "checkin")
    def rest(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info["resting since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def wake(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        # Asking each time whether the server is still there would cost as much as a read.
        if time.monotonic() - record.info.get("resting since", math.inf) > _FRESH:
            try:
                engine.dialect.do_ping(connection)
            except connection.Error as problem:
                raise exc.DisconnectionError from problem

    return engine


def storable(text: str) -> bool:
    """Whether a text from outside can be a key or an id in every database: no NUL, no
    half of a surrogate pair. What is not storable is not stored, so need not be asked."""
    return _UNSTORABLE.search(text) is None


@contextmanager
def autocommit(engine: Engine) -> Iterator[Connection]:
    """A connection on which each statement is a transaction of its own: for reading, and
    on PostgreSQL for what one statement can write. Raises ``TrailUnavailableError``."""
    with _translated(), engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            yield connection.execution_options(configurator_mode="read")
        else:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A connection for reading whose statements all see the same moment. Raises
    ``TrailUnavailableError``."""
    with _translated(), engine.connect() as connection:
        if engine.dialect.name != "sqlite":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A connection inside one write transaction, committed at the end or not at all.

    On SQLite it is the only writer from the first statement on, so one must not be opened
    inside another. Raises
    ``TrailUnavailableError`` where the database fails; then nothing was stored, unless
    the connection broke during the commit itself: ask again to know.
    """
    queue = _queues.get(engine) or nullcontext()
    with _translated(), queue, engine.connect() as connection:
        connection.execution_options(configurator_mode="write")
        with connection.begin():
            yield connection


class Prepared:
    """A statement that the database's driver runs by itself: what SQLAlchemy does around a
    statement takes longer than the statement."""

    def __init__(self, statement: UpdateBase) -> None:
        self._statement = statement
        self._written: dict[str, tuple[str, list[str] | None]] = {}

    def run(self, engine: Engine, connection: Any, values: Mapping[str, Any]) -> int:
        """Run it on a connection of ``driving``; how many rows that concerned."""
        sql, names = self._written.get(engine.dialect.name) or self._write(engine)
        given = values if names is None else [values[name] for name in names]
        rows: int = connection.execute(sql, given).rowcount
        return rows

    def _write(self, engine: Engine) -> tuple[str, list[str] | None]:
        compiled: Any = self._statement.compile(dialect=engine.dialect)
        written = (str(compiled), compiled.positiontup)
        self._written[engine.dialect.name] = written
        return written


@contextmanager
def driving(engine: Engine) -> Iterator[Any]:
    """A connection of the driver itself, for ``Prepared`` statements that write: inside one
    write transaction on SQLite, as ``writing``; on PostgreSQL each is one of its own, as
    with ``autocommit``. Raises what they raise, too."""
    queue = _queues.get(engine)
    driver: Any = engine.dialect.loaded_dbapi
    with _translated(), queue or nullcontext():
        try:
            pooled = engine.raw_connection()
            try:
                yield from _driven(pooled.dbapi_connection, immediate=queue is not None)
            except driver.Error as problem:
                if engine.dialect.is_disconnect(problem, pooled.driver_connection, None):
                    pooled.invalidate(problem)
                    engine.dispose()  # the others are as broken
                raise
            finally:
                pooled.close()  # what is not committed is rolled back
        except driver.Error as problem:
            raise exc.DBAPIError.instance(
                None, None, problem, driver.Error, dialect=engine.dialect
            ) from problem


def _driven(connection: Any, immediate: bool) -> Iterator[Any]:
    if immediate:
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.commit()
        return
    connection.autocommit = True
    try:
        yield connection
    finally:
        if not connection.closed:
            connection.autocommit = False


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except _TROUBLES as problem:
        raise TrailUnavailableError(_first_line(problem)) from problem
    except exc.DatabaseError as problem:
        # Its subclasses say what the caller did wrong; itself says the file is damaged.
        if type(problem) is not exc.DatabaseError:
            raise
        raise TrailUnavailableError(_first_line(problem)) from problem


def _first_line(problem: Exception) -> str:
    return str(getattr(problem, "orig", None) or problem).partition("\n")[0]


def _after_fork() -> None:
    """A forked child opens its own connections and its own lock."""
    for engine in list(_engines):
        engine.dispose(close=False)
    for queue in list(_queues.values()):
        queue.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

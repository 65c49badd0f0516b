"""The steps that bring a database up to date; run by ``migrate``, never by hand."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from configurator.trail.database import autocommit, writing

_FOLDER = Path(__file__).parent
_LOCK = 7_236_150_918_331_002
"""PostgreSQL's number for "somebody is migrating this database"."""


def migrate(engine: Engine) -> None:
    """Bring the database up to date; nothing happens where it is.

    All or nothing, and safe when several processes start at once: the first one works,
    the others wait and find it done. Raises ``TrailUnavailableError``.
    """
    # Alembic takes its time to load, and only this function needs it.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    newest = ScriptDirectory.from_config(config).get_current_head()
    with autocommit(engine) as connection:
        if _revision(connection) == newest:
            return
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            # Waiting for another process, and a step over a large table, take their time.
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _LOCK})
        if _revision(connection) != newest:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return None if revision is None else str(revision)

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

import configurator.catalogue.tables
import configurator.service.staff
from configurator.trail import Trail, connect, migrate
from configurator.trail.database import metadata
from tests.trail.sessions import Clock, a_session, choose, start
from tests.trail.stores import PostgresqlServer

ROOT = Path(__file__).parents[2]
ROOMS = (configurator.catalogue.tables, configurator.service.staff)
"""Imported so that their tables are part of the metadata."""


class MigrationsContract:
    def test_an_empty_database_comes_up_as_the_tables_are_declared(self, empty: str) -> None:
        engine = connect(empty)
        migrate(engine)
        with engine.connect() as connection:
            found = compare_metadata(MigrationContext.configure(connection), metadata)
        assert found == []
        assert set(metadata.tables) | {"alembic_version"} == set(inspect(engine).get_table_names())
        engine.dispose()

    def test_migrating_again_changes_nothing(self, empty: str) -> None:
        engine = connect(empty)
        migrate(engine)
        trail = Trail(engine, Clock())
        session_id = a_session(trail, 5)
        before = trail.verify(session_id)
        migrate(engine)
        migrate(engine)
        assert trail.verify(session_id) == before
        assert before.ok
        engine.dispose()

    def test_processes_that_start_at_once_all_find_it_done(self, empty: str) -> None:
        program = (
            "import sys; from configurator.trail import connect, migrate; "
            "engine = connect(sys.argv[1]); sys.stdin.read(1); migrate(engine)"
        )
        starting = [
            subprocess.Popen(
                [sys.executable, "-c", program, empty],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(3)
        ]
        for process in starting:
            assert process.stdin is not None
            process.stdin.write("g")
            process.stdin.flush()
        for process in starting:
            _, complaints = process.communicate(timeout=60)
            assert process.returncode == 0, complaints
        engine = connect(empty)
        assert Trail(engine, Clock()).sessions() == ()
        engine.dispose()

    def test_heads_that_hold_a_view_lose_it_and_nothing_else(self, empty: str) -> None:
        engine = connect(empty)
        migrate(engine)
        trail = Trail(engine, Clock())
        session_id = start(trail)
        choose(trail, session_id, "bell", "ñu", "k1")
        stood = trail.head(session_id)
        kind = "bytea" if engine.dialect.name == "postgresql" else "blob"
        with engine.begin() as connection:  # as before revision 3
            added = f"ALTER TABLE session_head ADD COLUMN view {kind} NOT NULL DEFAULT ''"
            connection.execute(text(added))
            connection.execute(text("UPDATE alembic_version SET version_num = '0002'"))
        engine.dispose()
        engine = connect(empty)
        migrate(engine)
        trail = Trail(engine, Clock())
        assert "view" not in {each["name"] for each in inspect(engine).get_columns("session_head")}
        assert trail.head(session_id) == stood
        choose(trail, session_id, "frame", "alu", "k2")
        assert trail.verify(session_id).ok
        with pytest.raises(DBAPIError), engine.begin() as connection:
            connection.execute(text("DELETE FROM event"))
        engine.dispose()

    def test_a_migration_that_breaks_leaves_nothing(
        self, empty: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        engine = connect(empty)

        def break_off(table: str) -> None:
            raise RuntimeError(table)

        with monkeypatch.context() as broken:
            broken.setattr("configurator.trail.migrations.append_only.refuse_changes", break_off)
            with pytest.raises(RuntimeError):
                migrate(engine)
        assert inspect(engine).get_table_names() == []
        migrate(engine)
        assert "event" in inspect(engine).get_table_names()
        engine.dispose()


class TestMigrationsOnSqlite(MigrationsContract):
    @pytest.fixture
    def empty(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path / 'a folder with 100%' / 'empty.db'}"

    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path) -> None:
        (tmp_path / "a folder with 100%").mkdir()

    def test_every_event_and_release_table_takes_new_rows_only(self, empty: str) -> None:
        engine = connect(empty)
        migrate(engine)
        with engine.connect() as connection:
            found = connection.execute(
                text("SELECT DISTINCT tbl_name FROM sqlite_master WHERE type = 'trigger'")
            )
            guarded = {name for (name,) in found}
        assert guarded == {"event", "blob", "product_release", "release_file", "publication"}
        engine.dispose()


class TestMigrationsOnPostgresql(MigrationsContract):
    @pytest.fixture
    def empty(self, postgresql_server: PostgresqlServer) -> str:
        return postgresql_server.empty()

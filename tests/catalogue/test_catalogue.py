from __future__ import annotations

import datetime
import hashlib
import json
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from configurator.catalogue import (
    Catalogue,
    Findings,
    ReasonMissingError,
    Telling,
    UnknownProductError,
    UnknownReleaseError,
    UnreadableReleaseError,
)
from configurator.engine import EngineError, Limits, TooWide
from configurator.engine.confirmation import Confirmation
from configurator.language import Loaded
from configurator.model.diagnostic import NOWHERE, Diagnostic
from configurator.model.product import Product
from configurator.model.text import Text
from configurator.trail import TrailUnavailableError
from tests.trail.sessions import NOW, Clock
from tests.trail.stores import OnPostgresql, OnSqlite, allow_changes

DAY = datetime.date(2026, 11, 22)


def folder(product: str, version: int = 1, **more: str) -> dict[str, bytes]:
    """A rule folder of a made-up language: JSON with the product's id."""
    written = {"product": product, "version": version, **more}
    return {
        "product.yaml": json.dumps(written).encode(),
        "texts/es.csv": f"hola,{product}\r\n".encode(),
        "blob.bin": bytes(range(256)),
    }


def load(files: Mapping[str, bytes]) -> Loaded:
    content = json.loads(files["product.yaml"])
    complaint = Diagnostic("odd", content.get("odd", "warn"), NOWHERE, Text.of({"en": "Odd."}))
    complaints = (complaint,) if "odd" in content else ()
    if content.get("odd") == "stop":
        return Loaded(None, complaints)
    digest = hashlib.sha256()
    for name, data in sorted(files.items()):
        digest.update(name.encode() + b"\0" + hashlib.sha256(data).digest())
    product = Product(
        id=content["product"],
        name=Text.of({"es": f"Señor {content['product']}", "en": "Mr"}),
        language="es",
        languages=("es", "en"),
        time_zone=content.get("zone", "Europe/Madrid"),
        variables=(),
        steps=(),
        digest=digest.hexdigest(),
    )
    return Loaded(product, complaints)


class Workshop:
    """A catalogue over fakes of the language and the engine, and what they were asked."""

    def __init__(self, database: Database, compiled: Path) -> None:
        self.clock = Clock()
        self.compiled: list[tuple[str, datetime.date, Path]] = []
        self.checked: list[datetime.date] = []
        self.read: list[str] = []
        self.warmed: list[str] = []
        self.void = False
        self.stops: tuple[Diagnostic, ...] = ()
        self.confirmation: Confirmation | None = None
        self.pending = False
        self.catalogue = Catalogue(
            database,
            compiled,
            self.clock,
            checks=self._check,
            load=load,
            read=self._read,
            compile_=self._compile,
        )

    def _check(self, product: Product, day: datetime.date, tell: Telling | None) -> Findings:
        self.checked.append(day)
        return Findings(self.stops, self.confirmation)

    def _read(self, files: Mapping[str, bytes]) -> Loaded:
        loaded = load(files)
        assert loaded.product is not None
        self.read.append(loaded.product.digest)
        return loaded

    def _compile(
        self,
        product: Product,
        day: datetime.date,
        *,
        cache: Path,
        limits: Limits,
        wait: bool,
        prove: bool,
    ) -> Any:
        assert cache.is_dir()
        assert limits.megabytes
        assert not prove
        self.compiled.append((product.digest, day, cache))
        if self.void:
            nothing = Text.of({"en": "Nothing can be ordered."})
            raise EngineError("void", nothing, nothing)
        return SimpleNamespace(
            pending=self.pending and not wait,
            too_wide=None,
            backend_name="diagram",
            warm=lambda: self.warmed.append(product.id),
        )

    def publish(self, files: dict[str, bytes], by: str = "ana", note: str = "") -> Any:
        published = self.catalogue.publish(files, by=by, note=note)
        assert published.release is not None
        return published.release


class CatalogueContract:
    @pytest.fixture
    def workshop(self, engine: Database, tmp_path: Path) -> Workshop:
        return Workshop(engine, tmp_path / "compiled")

    def test_a_published_folder_is_the_current_release(self, workshop: Workshop) -> None:
        files = folder("bike")
        release = workshop.publish(files, by="ana", note="first")
        catalogue = workshop.catalogue
        assert catalogue.current("bike") == release
        assert catalogue.release(release.digest) == release
        assert catalogue.releases("bike") == (release,)
        assert catalogue.products() == (release,)
        assert catalogue.files(release.digest) == files
        assert (release.number, release.published_by, release.note) == (1, "ana", "first")
        assert release.published_at == "2026-11-22T09:30:00.000000Z"
        assert release.name.in_language("es") == "Señor bike"
        assert release.engine_version

    def test_releases_are_counted_and_the_last_published_is_current(
        self, workshop: Workshop
    ) -> None:
        first = workshop.publish(folder("bike", 1))
        boat = workshop.publish(folder("boat"))
        second = workshop.publish(folder("bike", 2))
        catalogue = workshop.catalogue
        assert [release.number for release in catalogue.releases("bike")] == [1, 2]
        assert catalogue.current("bike") == second
        assert catalogue.products() == (second, boat)
        assert catalogue.release(first.digest) == first
        assert catalogue.files(first.digest) == folder("bike", 1)

    def test_the_same_files_are_the_same_release(self, workshop: Workshop) -> None:
        first = workshop.publish(folder("bike"), by="ana")
        assert workshop.publish(folder("bike"), by="eva", note="again") == first
        assert len(workshop.catalogue.history("bike")) == 1

    def test_what_the_language_stops_is_not_published(self, workshop: Workshop) -> None:
        published = workshop.catalogue.publish(folder("bike", odd="stop"), by="ana")
        assert published.release is None
        assert [each.code for each in published.diagnostics] == ["odd"]
        assert workshop.catalogue.products() == ()

    def test_doubts_are_told_and_published(self, workshop: Workshop) -> None:
        published = workshop.catalogue.publish(folder("bike", odd="warn"), by="ana")
        assert published.release is not None
        assert [each.severity for each in published.diagnostics] == ["warn"]

    def test_what_fails_its_checks_is_not_published(self, workshop: Workshop) -> None:
        before = workshop.publish(folder("bike", 1))
        workshop.stops = (Diagnostic("scenario", "stop", NOWHERE, Text.of({"en": "No."})),)
        published = workshop.catalogue.publish(folder("bike", 2), by="ana")
        assert published.release is None
        assert published.diagnostics == workshop.stops
        assert workshop.catalogue.current("bike") == before
        assert workshop.catalogue.releases("bike") == (before,)

    def test_what_cannot_be_compiled_is_not_published(self, workshop: Workshop) -> None:
        workshop.void = True
        published = workshop.catalogue.publish(folder("bike"), by="ana")
        assert published.release is None
        assert [(each.code, each.severity) for each in published.diagnostics] == [("void", "stop")]
        workshop.void = False
        assert workshop.publish(folder("bike")).number == 1

    @pytest.mark.parametrize("wide", [None, TooWide("nodes", ("weight", "señal"))])
    def test_a_release_keeps_what_was_confirmed_of_it(
        self, workshop: Workshop, wide: TooWide | None
    ) -> None:
        engine = "diagram" if wide is None else "sat"
        workshop.confirmation = Confirmation(
            False, 12, 5004, 84, engine, "python-constraint", "f" * 64, 1234, wide
        )
        release = workshop.publish(folder("bike"))
        assert release.confirmation == workshop.confirmation
        assert workshop.catalogue.current("bike") == release
        workshop.confirmation = None
        assert workshop.publish(folder("boat")).confirmation is None

    def test_what_is_not_compiled_yet_is_answered_and_compiled_behind(
        self, workshop: Workshop
    ) -> None:
        release = workshop.publish(folder("bike"))
        workshop.pending = True
        day = DAY + datetime.timedelta(days=1)
        with workshop.catalogue._catching_up:  # nothing compiles before we have looked
            assert workshop.catalogue.engine(release.digest, day).pending
            assert workshop.catalogue.engine(release.digest, day).pending
        for _ in range(1000):
            if not workshop.catalogue.engine(release.digest, day).pending:
                break
            time.sleep(0.01)
        assert not workshop.catalogue.engine(release.digest, day).pending
        assert [each[1] for each in workshop.compiled] == [DAY, day, day]

    def test_going_back_makes_an_earlier_release_current(self, workshop: Workshop) -> None:
        first = workshop.publish(folder("bike", 1), by="ana")
        second = workshop.publish(folder("bike", 2), by="eva", note="new wheels")
        catalogue = workshop.catalogue
        workshop.clock.now += datetime.timedelta(hours=1)
        assert catalogue.roll_back("bike", first.digest, by="eva", reason="wheels late") == first
        assert catalogue.current("bike") == first
        assert catalogue.releases("bike") == (first, second)
        assert workshop.publish(folder("bike", 2), by="ana") == second
        assert catalogue.current("bike") == second
        told = [(p.seq, p.act, p.number, p.by, p.reason) for p in catalogue.history("bike")]
        assert told == [
            (4, "published", 2, "ana", ""),
            (3, "rolled back", 1, "eva", "wheels late"),
            (2, "published", 2, "eva", "new wheels"),
            (1, "published", 1, "ana", ""),
        ]
        assert catalogue.history("bike")[1].at == "2026-11-22T10:30:00.000000Z"

    def test_going_back_to_the_current_release_changes_nothing(self, workshop: Workshop) -> None:
        release = workshop.publish(folder("bike"))
        assert workshop.catalogue.roll_back("bike", release.digest, "eva", "why not") == release
        assert len(workshop.catalogue.history("bike")) == 1

    def test_going_back_needs_a_release_of_the_product_and_a_reason(
        self, workshop: Workshop
    ) -> None:
        bike, boat = workshop.publish(folder("bike")), workshop.publish(folder("boat"))
        for digest in ("f" * 64, boat.digest):
            with pytest.raises(UnknownReleaseError):
                workshop.catalogue.roll_back("bike", digest, by="eva", reason="because")
        with pytest.raises(ReasonMissingError):
            workshop.catalogue.roll_back("bike", bike.digest, by="eva", reason="  ")
        assert workshop.catalogue.current("bike") == bike

    def test_what_is_not_there_is_said(self, workshop: Workshop) -> None:
        catalogue = workshop.catalogue
        for ask in (catalogue.current, catalogue.releases):
            for product_id in ("bike", "", "a\0b", "\ud800"):
                with pytest.raises(UnknownProductError):
                    ask(product_id)
        for look in (catalogue.release, catalogue.files, catalogue.product):
            for digest in ("f" * 64, "", "a\0b", "\ud800"):
                with pytest.raises(UnknownReleaseError):
                    look(digest)
        with pytest.raises(UnknownReleaseError):
            catalogue.engine("f" * 64, DAY)
        assert catalogue.history("bike") == ()
        assert catalogue.products() == ()

    def test_files_are_stored_once_by_content(self, workshop: Workshop, engine: Database) -> None:
        workshop.publish(folder("bike", 1))
        workshop.publish(folder("bike", 2))
        with engine.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM release_file")).scalar() == 6
            assert connection.execute(text("SELECT count(*) FROM blob")).scalar() == 4

    def test_releases_take_new_rows_only(self, workshop: Workshop, engine: Database) -> None:
        workshop.publish(folder("bike"))
        for table in ("product_release", "release_file", "blob", "publication"):
            with pytest.raises(DBAPIError, match="new rows only"), engine.begin() as connection:
                connection.execute(text(f"DELETE FROM {table}"))

    def test_a_release_whose_files_were_altered_is_not_used(
        self, workshop: Workshop, engine: Database
    ) -> None:
        release = workshop.publish(folder("bike"))
        allow_changes(engine, "blob")
        with engine.begin() as connection:
            change = text("UPDATE blob SET content = :c WHERE content = :o")
            other = folder("bike", 9)["product.yaml"]
            connection.execute(change, {"c": other, "o": folder("bike")["product.yaml"]})
        with pytest.raises(UnreadableReleaseError):
            workshop.catalogue.product(release.digest)

    def test_products_and_engines_are_made_once(
        self, workshop: Workshop, engine: Database, tmp_path: Path
    ) -> None:
        release = workshop.publish(folder("bike"))
        fresh = Workshop(engine, tmp_path / "elsewhere")
        with ThreadPoolExecutor(8) as pool:
            engines = [pool.submit(fresh.catalogue.engine, release.digest, DAY) for _ in range(16)]
            assert len({id(each.result()) for each in engines}) == 1
        assert fresh.compiled == [(release.digest, DAY, tmp_path / "elsewhere")]
        assert fresh.read == [release.digest]
        tomorrow = DAY + datetime.timedelta(days=1)
        assert fresh.catalogue.engine(release.digest, tomorrow) is not engines[0].result()
        assert fresh.catalogue.product(release.digest).id == "bike"
        assert fresh.read == [release.digest]

    def test_the_engine_compiled_to_publish_is_the_first_one_used(self, workshop: Workshop) -> None:
        release = workshop.publish(folder("bike"))
        workshop.catalogue.engine(release.digest, DAY)
        assert len(workshop.compiled) == 1

    def test_current_releases_are_opened_before_anyone_asks(
        self, workshop: Workshop, engine: Database, tmp_path: Path
    ) -> None:
        for files in (folder("bike"), folder("bike", 2), folder("shed")):
            workshop.publish(files)
        started = Workshop(engine, tmp_path / "compiled")
        started.catalogue.open_current()
        assert sorted(started.warmed) == ["bike", "shed"]
        assert len(started.compiled) == 2
        started.catalogue.engine(started.catalogue.current("bike").digest, DAY)
        assert len(started.compiled) == 2

    def test_what_cannot_be_opened_stops_nothing(self, workshop: Workshop) -> None:
        workshop.publish(folder("bike"))
        workshop.clock.now += datetime.timedelta(days=1)
        workshop.void = True
        workshop.catalogue.open_current()
        assert workshop.warmed == []

    @pytest.mark.parametrize("away", ["products", "files"])
    def test_a_database_that_is_away_is_logged(
        self, workshop: Workshop, engine: Database, tmp_path: Path, away: str
    ) -> None:
        workshop.publish(folder("bike"))
        started = Workshop(engine, tmp_path / "compiled").catalogue

        def refuse(*_: object) -> None:
            raise TrailUnavailableError("away")

        setattr(started._store, away, refuse)
        with capture_logs() as logged:
            started.open_current()
        (line,) = logged
        assert (line["event"], line["log_level"]) == ("not opened", "warning")
        assert "away" in line["problem"]
        digest = workshop.catalogue.current("bike").digest
        started._store.files = refuse  # type: ignore[method-assign, assignment]
        with capture_logs() as logged:
            started._catch_up(digest, DAY)
        assert [line["event"] for line in logged] == ["not compiled in the background"]

    def test_the_day_is_that_of_the_product_s_place(self, workshop: Workshop) -> None:
        workshop.clock.now = NOW.replace(hour=23, minute=30)
        workshop.publish(folder("bike", zone="Europe/Madrid"))
        workshop.publish(folder("boat", zone="America/Lima"))
        assert [day.day for _, day, _ in workshop.compiled] == [23, 22]
        assert [day.day for day in workshop.checked] == [23, 22]

    def test_publishing_at_once_gives_every_folder_a_number_of_its_own(
        self, workshop: Workshop
    ) -> None:
        barrier = threading.Barrier(5, timeout=20)

        def publish(version: int) -> Any:
            barrier.wait()
            return workshop.publish(folder("bike", version))

        with ThreadPoolExecutor(5) as pool:
            releases = list(pool.map(publish, range(5)))
        assert sorted(release.number for release in releases) == [1, 2, 3, 4, 5]
        assert len(workshop.catalogue.history("bike")) == 5
        assert workshop.catalogue.current("bike").number == 5

    @pytest.mark.parametrize(
        "statement", ["product_release", "blob", "release_file", "publication"]
    )
    def test_a_publication_that_breaks_leaves_the_old_release(
        self, workshop: Workshop, engine: Database, statement: str
    ) -> None:
        before = workshop.publish(folder("bike", 1))
        broken = True

        def break_off(_c: Any, _cursor: Any, sql: str, *_more: Any) -> None:
            if broken and sql.startswith(f"INSERT INTO {statement}"):
                raise TrailUnavailableError("pulled the plug")

        event.listen(engine, "before_cursor_execute", break_off)
        with pytest.raises(TrailUnavailableError):
            workshop.catalogue.publish(folder("bike", 2), by="ana")
        assert workshop.catalogue.current("bike") == before
        assert workshop.catalogue.releases("bike") == (before,)
        broken = False
        assert workshop.publish(folder("bike", 2)).number == 2


class TestCatalogueOnSqlite(OnSqlite, CatalogueContract):
    pass


class TestCatalogueOnPostgresql(OnPostgresql, CatalogueContract):
    pass

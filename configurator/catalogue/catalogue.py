"""Products as releases: published whole or not at all, and compiled once.

A folder goes live only after it was read in a limited child process, passed the checks
and was compiled. Sessions keep the release they started on, so every release stays
readable for ever.
"""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import structlog
from sqlalchemy import Engine as Database

from configurator import __version__
from configurator.catalogue.cache import LatestUsed
from configurator.catalogue.errors import (
    CatalogueError,
    ReasonMissingError,
    UnreadableReleaseError,
)
from configurator.catalogue.releases import Publication, Release, ReleaseStore
from configurator.engine import Engine, EngineError, Limits, compile_product
from configurator.engine.confirmation import Confirmation
from configurator.language import Loaded, digest_of, load_folder, load_safely
from configurator.model.diagnostic import NOWHERE, Diagnostic
from configurator.model.product import Product
from configurator.trail import TrailUnavailableError

log = structlog.get_logger(__name__)

Stage = Literal["compiling", "confirming", "scenarios"]

PRODUCTS_KEPT = 64
ENGINES_KEPT = 32
SEARCHED_KEPT = 4
"""How many products and compiled engines (one per release and day) stay in memory."""


@dataclass(frozen=True, slots=True)
class Published:
    """What became of a folder: its release, or ``None`` and what stops it. Doubts
    (``warn``) are told in both cases."""

    release: Release | None
    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """What the checks say of a product, and what a second engine confirmed of it."""

    diagnostics: tuple[Diagnostic, ...]
    confirmation: Confirmation | None


@dataclass(frozen=True, slots=True)
class CheckProgress:
    """How far a check is: in ``stage``, ``done`` of ``total`` (0 where nobody knows)."""

    stage: Stage
    done: int = 0
    total: int = 0


Telling = Callable[[CheckProgress], None]
Checks = Callable[[Product, datetime.date, Telling | None], Findings]
Load = Callable[[Mapping[str, bytes]], Loaded]


def no_checks(product: Product, day: datetime.date, tell: Telling | None = None) -> Findings:
    """For a catalogue that trusts its folders."""
    return Findings((), None)


class Catalogue:
    """The releases of all products; safe to use from several threads."""

    def __init__(
        self,
        database: Database,
        folder: Path,
        clock: Callable[[], datetime.datetime],
        *,
        checks: Checks = no_checks,
        load: Load = load_safely,
        read: Callable[[Mapping[str, bytes]], Loaded] = load_folder,
        compile_: Callable[..., Engine] = compile_product,
        limits: Limits | None = None,
        prove: bool = False,
    ) -> None:
        """``folder`` keeps compiled products; it can be deleted at any time. ``clock``
        gives the present moment with its time zone. ``checks`` says what else a product
        must pass before it goes live, on the day it is for the product. ``load`` reads
        folders nobody vouches for, ``read`` those of releases. ``limits`` are what compiling
        may take; with ``prove`` OR-Tools proves lowest totals that search leaves open."""
        self._store = ReleaseStore(database)
        self._folder = folder
        self._clock = clock
        self._checks = checks
        self._load = load
        self._read = read
        self._compile = compile_
        self._prove = prove
        self._searched: LatestUsed[tuple[str, datetime.date, str], Engine] = LatestUsed(
            SEARCHED_KEPT
        )
        self._limits = limits or Limits()
        self._catching_up = threading.Lock()
        self._products: LatestUsed[str, Product] = LatestUsed(PRODUCTS_KEPT)
        self._engines: LatestUsed[tuple[str, datetime.date], Engine] = LatestUsed(ENGINES_KEPT)

    # --- finding -----------------------------------------------------------------

    def products(self) -> tuple[Release, ...]:
        """The current release of every product, by product id."""
        return self._store.products()

    def current(self, product_id: str) -> Release:
        """The current release of a product; raises ``UnknownProductError``."""
        return self._store.current(product_id)

    def releases(self, product_id: str) -> tuple[Release, ...]:
        """All releases of a product, oldest first; raises ``UnknownProductError``."""
        return self._store.releases(product_id)

    def release(self, digest: str) -> Release:
        """The release of a digest; raises ``UnknownReleaseError``."""
        return self._store.release(digest)

    def history(self, product_id: str) -> tuple[Publication, ...]:
        """Every change of a product's current release, newest first."""
        return self._store.history(product_id)

    def files(self, digest: str) -> dict[str, bytes]:
        """The files of a release by their names; raises ``UnknownReleaseError``."""
        return self._store.files(digest)

    def product(self, digest: str) -> Product:
        """What a release says; raises ``UnknownReleaseError`` and, where the stored
        files do not give it any more, ``UnreadableReleaseError``."""
        return self._products.get(digest, lambda: self._product(digest))

    def engine(self, digest: str, day: datetime.date, *, backend: str = "auto") -> Engine:
        """A release compiled for a day; raises as ``product`` does, and the engine's
        ``EngineError``. Where compiling takes long, the slower engine answers until it
        is done in the background. ``backend`` asks for a certain one, compiled or
        not (see ``compile_product``)."""
        if backend != "auto":
            return self._searched.get(
                (digest, day, backend),
                lambda: self._compile(self.product(digest), day, backend=backend),
            )
        return self._engines.get((digest, day), lambda: self._served(digest, day))

    def open_current(self) -> None:
        """Open what customers will ask for today, each with a first question, so that none
        of them waits for it. A release that cannot be opened is left to whoever asks for it,
        and so are all of them where the database is away."""
        try:
            for release in self.products()[:ENGINES_KEPT]:
                self._open(release)
        except TrailUnavailableError as problem:
            log.warning("not opened", problem=str(problem))

    def _open(self, release: Release) -> None:
        try:
            today = self.product(release.digest).day_at(self._clock())
            self.engine(release.digest, today).warm()
        except (EngineError, CatalogueError) as problem:
            log.warning("not opened", product=release.product_id, problem=str(problem))

    # --- publishing --------------------------------------------------------------

    def publish(
        self,
        files: Mapping[str, bytes],
        *,
        by: str,
        note: str = "",
        tell: Telling | None = None,
    ) -> Published:
        """Make a rule folder the current release of its product.

        The same files give the same release again. Nothing changes where a diagnostic
        says ``stop``. ``tell`` hears how far it is. Raises ``TrailUnavailableError``.
        """
        loaded = self._load(files)
        diagnostics, product = loaded.diagnostics, loaded.product
        if product is None:
            return Published(None, diagnostics)
        today = product.day_at(self._clock())
        findings = self._checks(product, today, tell)
        diagnostics += findings.diagnostics
        if any(each.severity == "stop" for each in diagnostics):
            return Published(None, diagnostics)
        try:
            self._engines.get((product.digest, today), lambda: self._compiled(product, today))
        except EngineError as problem:
            stop = Diagnostic(problem.code, "stop", NOWHERE, problem.message, problem.help)
            return Published(None, (*diagnostics, stop))
        draft = Release(
            product_id=product.id,
            digest=product.digest,
            number=0,
            published_at=self._now(),
            published_by=by,
            note=note,
            engine_version=__version__,
            name=product.name,
            confirmation=findings.confirmation,
        )
        return Published(self._store.publish(draft, files), diagnostics)

    def roll_back(self, product_id: str, digest: str, by: str, reason: str) -> Release:
        """Make an earlier release current again; nothing happens where it is.

        Raises ``UnknownReleaseError`` (also for another product's) and
        ``ReasonMissingError``. Sessions stay on their release.
        """
        if not reason.strip():
            raise ReasonMissingError(product_id)
        return self._store.roll_back(product_id, digest, self._now(), by, reason)

    # --- making ------------------------------------------------------------------

    def _product(self, digest: str) -> Product:
        product = self._read(self._store.files(digest)).product
        if product is None or product.digest != digest:
            raise UnreadableReleaseError(digest)
        return product

    def complaints(self, digest: str) -> tuple[Diagnostic, ...]:
        """Why this version does not read what another published; nothing where it does.
        Raises ``UnreadableReleaseError`` where the files are not those that were published."""
        files = self._store.files(digest)
        if digest_of(files) != digest:
            raise UnreadableReleaseError(digest)
        return tuple(each for each in self._read(files).diagnostics if each.severity == "stop")

    def _compiled(self, product: Product, day: datetime.date, *, wait: bool = True) -> Engine:
        with suppress(OSError):  # compiling says so
            self._folder.mkdir(parents=True, exist_ok=True)
        return self._compile(
            product,
            day,
            cache=self._folder,
            limits=self._limits,
            wait=wait,
            prove=self._prove,
        )

    def _served(self, digest: str, day: datetime.date) -> Engine:
        engine = self._compiled(self.product(digest), day, wait=False)
        if engine.pending:
            threading.Thread(target=self._catch_up, args=(digest, day), daemon=True).start()
        return engine

    def _catch_up(self, digest: str, day: datetime.date) -> None:
        """Compile what could not be waited for, one after the other, and let the compiled
        form answer from then on."""
        with self._catching_up:
            try:
                engine = self._compiled(self.product(digest), day)
            except (OSError, EngineError, CatalogueError, TrailUnavailableError):
                log.exception("not compiled in the background", release=digest)
                return
        if engine.too_wide is None:
            log.info("compiled in the background", release=digest, engine=engine.backend_name)
            self._engines.put((digest, day), engine)
        else:
            reason = engine.too_wide.reason
            log.warning("not compiled in the background", release=digest, reason=reason)

    def _now(self) -> str:
        moment = self._clock().astimezone(datetime.UTC)
        return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")

"""Releases as they are stored: immutable, found by digest, published one at a time.

Knows rows and files; knows nothing of what the files say.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeVar

import structlog
from sqlalchemy import Connection, Engine, Row, func, select, text

from configurator.catalogue.errors import (
    UnknownProductError,
    UnknownReleaseError,
    UnreadableReleaseError,
)
from configurator.catalogue.tables import blob, product_release, publication, release_file
from configurator.engine import TooWide
from configurator.engine.confirmation import Confirmation
from configurator.model.text import Text
from configurator.trail import canonical_json
from configurator.trail.database import autocommit, snapshot, storable, writing

log = structlog.get_logger(__name__)

Act = Literal["published", "rolled back"]
Kept = TypeVar("Kept")

_LOCK = 7_236_150_918_331_003
"""PostgreSQL's number for "somebody is publishing"."""


@dataclass(frozen=True, slots=True)
class Release:
    """One published version of a product's rule folder.

    ``digest`` is the SHA-256 of its files; ``number`` counts the product's releases
    from 1; ``published_at`` (ISO 8601, UTC), ``published_by`` and ``note`` are of the
    first time it was published. ``confirmation`` is what a second engine confirmed then;
    ``None`` for releases older than this record.
    """

    product_id: str
    digest: str
    number: int
    published_at: str
    published_by: str
    note: str
    engine_version: str
    name: Text
    confirmation: Confirmation | None = None


@dataclass(frozen=True, slots=True)
class Publication:
    """One change of a product's current release; ``at`` is ISO 8601 in UTC."""

    product_id: str
    seq: int
    act: Act
    digest: str
    number: int
    at: str
    by: str
    reason: str


_LAST = (
    select(publication.c.product_id, func.max(publication.c.seq).label("seq"))
    .group_by(publication.c.product_id)
    .subquery()
)
_CURRENT = (
    select(product_release)
    .join(publication, publication.c.digest == product_release.c.digest)
    .join(
        _LAST,
        (_LAST.c.product_id == publication.c.product_id) & (_LAST.c.seq == publication.c.seq),
    )
    .order_by(product_release.c.product_id)
)


class ReleaseStore:
    """The rows and files of all releases in one database."""

    def __init__(self, database: Engine) -> None:
        self._database = database

    def products(self) -> tuple[Release, ...]:
        """The current release of every product, by product id. Rows that cannot be read are
        left out here and in ``releases`` and ``history``, and logged."""
        with autocommit(self._database) as connection:
            return _readable(_release, connection.execute(_CURRENT))

    def current(self, product_id: str) -> Release:
        """The current release of a product; raises ``UnknownProductError`` and
        ``UnreadableReleaseError``."""
        found = None
        if storable(product_id):
            with autocommit(self._database) as connection:
                found = _current(connection, product_id)
        if found is None:
            raise UnknownProductError(product_id)
        return found

    def releases(self, product_id: str) -> tuple[Release, ...]:
        """All releases of a product, oldest first; raises ``UnknownProductError``."""
        query = (
            select(product_release)
            .where(product_release.c.product_id == product_id)
            .order_by(product_release.c.number)
        )
        if not storable(product_id):
            raise UnknownProductError
        with autocommit(self._database) as connection:
            found = _readable(_release, connection.execute(query))
        if not found:
            raise UnknownProductError(product_id)
        return found

    def release(self, digest: str) -> Release:
        """The release of a digest; raises ``UnknownReleaseError`` and
        ``UnreadableReleaseError``."""
        with autocommit(self._database) as connection:
            return _by_digest(connection, digest)

    def history(self, product_id: str) -> tuple[Publication, ...]:
        """Every change of a product's current release, newest first."""
        query = (
            select(publication, product_release.c.number)
            .join(product_release, product_release.c.digest == publication.c.digest)
            .where(publication.c.product_id == product_id)
            .order_by(publication.c.seq.desc())
        )
        with autocommit(self._database) as connection:
            return _readable(_publication, connection.execute(query))

    def files(self, digest: str) -> dict[str, bytes]:
        """The files of a release by their names; raises ``UnknownReleaseError``, and
        ``UnreadableReleaseError`` where one is no bytes."""
        query = (
            select(release_file.c.path, blob.c.content)
            .join(blob, blob.c.sha256 == release_file.c.sha256)
            .where(release_file.c.digest == digest)
            .order_by(release_file.c.path)
        )
        with snapshot(self._database) as connection:
            _by_digest(connection, digest)
            found = {row.path: row.content for row in connection.execute(query)}
        try:
            return {path: bytes(content) for path, content in found.items()}
        except TypeError as altered:
            raise UnreadableReleaseError(digest) from altered

    def publish(self, release: Release, files: Mapping[str, bytes]) -> Release:
        """Make a release current, storing it where it is new; its ``number`` is given
        here. One transaction: the old one stays current, or this one is."""
        with _publishing(self._database) as connection:
            known = _known(connection, release.digest)
            if known is None:
                known = _add(connection, release, files)
            stamp = (release.published_at, release.published_by, release.note)
            _make_current(connection, known, "published", *stamp)
        return known

    def roll_back(self, product_id: str, digest: str, at: str, by: str, reason: str) -> Release:
        """Make an earlier release current again; raises ``UnknownReleaseError``."""
        with _publishing(self._database) as connection:
            release = _by_digest(connection, digest)
            if release.product_id != product_id:
                raise UnknownReleaseError(digest)
            _make_current(connection, release, "rolled back", at, by, reason)
        return release


@contextmanager
def _publishing(database: Engine) -> Iterator[Connection]:
    """A write transaction in which nobody else publishes."""
    with writing(database) as connection:
        if database.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _LOCK})
        yield connection


def _add(connection: Connection, release: Release, files: Mapping[str, bytes]) -> Release:
    latest = select(func.max(product_release.c.number)).where(
        product_release.c.product_id == release.product_id
    )
    number = (connection.scalar(latest) or 0) + 1
    row = {
        "digest": release.digest,
        "product_id": release.product_id,
        "number": number,
        "name": canonical_json([list(pair) for pair in release.name.translations]).decode(),
        "engine_version": release.engine_version,
        "published_at": release.published_at,
        "published_by": release.published_by,
        "note": release.note,
        "confirmation": _confirmation_text(release.confirmation),
    }
    connection.execute(product_release.insert(), row)
    contents = {hashlib.sha256(content).hexdigest(): content for content in files.values()}
    there = select(blob.c.sha256).where(blob.c.sha256.in_(contents))
    stored = set(connection.execute(there).scalars())
    for sha256, content in contents.items():
        if sha256 not in stored:
            connection.execute(blob.insert(), {"sha256": sha256, "content": content})
    for path, content in files.items():
        sha256 = hashlib.sha256(content).hexdigest()
        file = {"digest": release.digest, "path": path, "sha256": sha256}
        connection.execute(release_file.insert(), file)
    return _by_digest(connection, release.digest)


def _make_current(
    connection: Connection, release: Release, act: Act, at: str, by: str, reason: str
) -> None:
    """Add the publication, unless the release is the current one already."""
    query = (
        select(publication.c.seq, publication.c.digest)
        .where(publication.c.product_id == release.product_id)
        .order_by(publication.c.seq.desc())
        .limit(1)
    )
    last = connection.execute(query).one_or_none()
    if last is not None and last.digest == release.digest:
        return
    row = {
        "product_id": release.product_id,
        "seq": 1 if last is None else last.seq + 1,
        "act": act,
        "digest": release.digest,
        "at": at,
        "by": by,
        "reason": reason,
    }
    connection.execute(publication.insert(), row)


def _current(connection: Connection, product_id: str) -> Release | None:
    query = (
        select(product_release)
        .join(publication, publication.c.digest == product_release.c.digest)
        .where(publication.c.product_id == product_id)
        .order_by(publication.c.seq.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _release(row)


def _known(connection: Connection, digest: str) -> Release | None:
    if not storable(digest):
        return None
    query = select(product_release).where(product_release.c.digest == digest)
    row = connection.execute(query).one_or_none()
    return None if row is None else _release(row)


def _by_digest(connection: Connection, digest: str) -> Release:
    found = _known(connection, digest)
    if found is None:
        raise UnknownReleaseError(digest)
    return found


def _readable(read: Callable[[Row[Any]], Kept], rows: Iterable[Row[Any]]) -> tuple[Kept, ...]:
    found = []
    for row in rows:
        try:
            found.append(read(row))
        except UnreadableReleaseError as problem:
            log.error("damaged", problem=str(problem))
    return tuple(found)


def _release(row: Row[Any]) -> Release:
    """The release of a row; raises ``UnreadableReleaseError`` where nobody wrote it so."""
    columns = dict(row._mapping)
    try:
        name = [(str(code), str(said)) for code, said in json.loads(columns["name"])]
        confirmation = _confirmation_of(columns["confirmation"])
        datetime.datetime.fromisoformat(columns["published_at"])
        number = operator.index(columns["number"])
    except (ValueError, TypeError, LookupError, AttributeError) as problem:
        raise UnreadableReleaseError(str(row.digest)) from problem
    return Release(
        **columns | {"name": Text(tuple(name)), "confirmation": confirmation, "number": number}
    )


def _publication(row: Row[Any]) -> Publication:
    """The same for a publication."""
    try:
        datetime.datetime.fromisoformat(row.at)
        operator.index(row.number)
    except (ValueError, TypeError) as problem:
        raise UnreadableReleaseError(str(row.digest)) from problem
    return Publication(**row._mapping)


def _confirmation_text(confirmation: Confirmation | None) -> str | None:
    """As canonical JSON; what is not there is left out."""
    if confirmation is None:
        return None
    told = asdict(confirmation)
    wide = told.pop("too_wide")
    if wide is not None:
        told["too_wide"] = {"reason": wide["reason"], "owners": list(wide["owners"])}
    return canonical_json(told).decode()


def _confirmation_of(stored: str | None) -> Confirmation | None:
    if stored is None:
        return None
    told = json.loads(stored)
    wide = told.pop("too_wide", None)
    too_wide = None if wide is None else TooWide(wide["reason"], tuple(wide["owners"]))
    return Confirmation(**told, too_wide=too_wide)

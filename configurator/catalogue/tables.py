"""Releases, their files, and what was published when. All take new rows only.

Files are stored once by content (``blob``), however many releases share them. The last
row of ``publication`` is the current release of its product.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, Table, Text, UniqueConstraint

from configurator.trail.database import metadata

blob = Table(
    "blob",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

product_release = Table(
    "product_release",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("product_id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("engine_version", Text, nullable=False),
    Column("published_at", Text, nullable=False),
    Column("published_by", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("confirmation", Text),
    UniqueConstraint("product_id", "number"),
)

release_file = Table(
    "release_file",
    metadata,
    Column("digest", Text, ForeignKey("product_release.digest"), primary_key=True),
    Column("path", Text, primary_key=True),
    Column("sha256", Text, ForeignKey("blob.sha256"), nullable=False),
)

publication = Table(
    "publication",
    metadata,
    Column("product_id", Text, primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("act", Text, nullable=False),
    Column("digest", Text, ForeignKey("product_release.digest"), nullable=False),
    Column("at", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

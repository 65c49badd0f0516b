from tests.trail.stores import (
    engine,
    postgresql_server,
    postgresql_url,
    sqlite_template,
    sqlite_url,
)

__all__ = ["engine", "postgresql_server", "postgresql_url", "sqlite_template", "sqlite_url"]

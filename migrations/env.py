"""Alembic's environment: one transaction for the whole upgrade, one migrator at a time, guards made again after."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, text

from foundation.database import Database
from foundation.guards import install, live_guards, weakened
from migrations.schema import GUARDS, METADATA

_LOCK = 37032320
"""PostgreSQL advisory lock of migrations; SQLite's BEGIN IMMEDIATE keeps a second migrator out by itself."""


def _expected(connection: Connection) -> set[str]:
    sqlite = connection.dialect.name == "sqlite"
    return {guard.name for guard in GUARDS if not (sqlite and "TRUNCATE" in guard.when)}


def _run() -> None:
    database = Database(context.config.attributes["url"])
    try:
        with database.engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            context.configure(connection=connection, target_metadata=METADATA, transactional_ddl=True)
            before = context.get_context().get_current_revision()
            context.run_migrations()
            after = context.get_context().get_current_revision()
            if after is not None and (
                before != after
                or live_guards(connection).keys() != _expected(connection)
                or weakened(connection, GUARDS)
            ):
                install(connection, GUARDS)
            connection.commit()
    finally:
        database.close()


_run()

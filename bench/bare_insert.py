"""The bare way to store rows: the driver's fastest insert of rows that are made already, one transaction.

Into the same tables with the same guards and indices, over a connection with the settings of `foundation.database`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import psycopg
import pysqlite3.dbapi2 as sqlite3

from foundation.database import Base

Stored = dict[str, tuple[tuple[str, ...], list[tuple[Any, ...]]]]
"""Per table, in the order of inserting, its columns and its rows as the driver takes them."""


def bare(engine: str) -> tuple[Callable[[str], Any], Callable[[Any, Stored], None]]:
    """How one connects to an engine, `SQLite` or `PostgreSQL`, and inserts."""
    return (_sqlite, _executemany) if engine == "SQLite" else (_postgres, _copy_in)


def rows_of(connection: Any, models: Sequence[type[Base]]) -> Stored:
    """All rows of some tables as the driver gives them out, in the order in which they were put in."""
    found: Stored = {}
    for model in models:
        table = model.__tablename__
        names = tuple(column.name for column in model.__table__.columns if column.identity is None)
        place = "rowid" if isinstance(connection, sqlite3.Connection) else "ctid"
        cursor = connection.cursor()
        cursor.execute(f"SELECT {', '.join(names)} FROM {table} ORDER BY {place}")
        found[table] = (names, [tuple(row) for row in cursor.fetchall()])
    connection.close()
    return found


def since(before: Stored, after: Stored) -> Stored:
    """What was put in after a first look."""
    return {table: (names, rows[len(before[table][1]) :]) for table, (names, rows) in after.items()}


def _sqlite(url: str) -> Any:
    """A connection with the settings of `foundation.database`."""
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "recursive_triggers=ON"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _postgres(url: str) -> Any:
    return psycopg.connect(url.replace("postgresql+psycopg", "postgresql"), options="-c timezone=UTC")


def _executemany(connection: Any, stored: Stored) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for table, (names, rows) in stored.items():
        marks = ", ".join("?" * len(names))
        connection.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", rows)
    connection.execute("COMMIT")
    connection.close()


def _copy_in(connection: Any, stored: Stored) -> None:
    cursor = connection.cursor()
    for table, (names, rows) in stored.items():
        with cursor.copy(f"COPY {table} ({', '.join(names)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    connection.commit()
    connection.close()

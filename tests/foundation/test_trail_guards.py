"""The trail is append-only by the database itself, on both engines, as long as its guards are there; T3 included."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pysqlite3.dbapi2 as sqlite3
import pytest
from sqlalchemy import UniqueConstraint, text
from sqlalchemy.exc import DBAPIError

from foundation.database import Base, Database, is_sqlite
from foundation.errors import ConfigurationError
from foundation.guards import refused
from foundation.trail.anchors import Anchor, last_anchor, read_anchors
from foundation.trail.events import Change, record
from foundation.trail.sealing import seal
from foundation.trail.verdict import Verdict
from foundation.trail.verifying import record_check, verify
from migrations.schema import GUARDS
from tests.foundation.attacker import AT, OFFICER, Attacker

TABLES = ["event", "trail_leaf", "trail_block", "trail_check"]


def filled(url: str) -> Database:
    """A database with rows in each of the trail's tables, and its guards."""
    database = Database(url)
    with database.transaction() as session:
        record(session, OFFICER, AT, [Change("x.done", "x", f"{number}") for number in range(20)])
    seal(database, AT, "sha256", None)
    with database.transaction() as session:
        record_check(session, OFFICER, AT, Verdict(1, 1, 0, "ab" * 32, ()))
    return database


@pytest.fixture
def guarded(migrated_url: str) -> Iterator[Database]:
    opened = filled(migrated_url)
    yield opened
    opened.close()


@pytest.mark.parametrize("table", TABLES)
def test_rows_are_never_changed_deleted_or_replaced(guarded: Database, table: str) -> None:
    column = list(Base.metadata.tables[table].columns)[-1].name
    statements = [f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"]
    with guarded.reading() as session:
        sqlite = is_sqlite(session)
    if sqlite:
        statements += [
            f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} LIMIT 1",
            f"REPLACE INTO {table} SELECT * FROM {table} LIMIT 1",
            f"UPDATE OR REPLACE {table} SET {column} = {column}",
        ]
    else:
        statements += [f"TRUNCATE {table} CASCADE"]
    for statement in statements:
        with pytest.raises(DBAPIError) as caught, guarded.transaction() as session:
            session.execute(text(statement))
        error = refused(caught.value)
        assert error is not None and table in error.en, statement


@pytest.mark.parametrize("table", TABLES)
def test_insert_or_replace_is_refused_without_recursive_triggers(
    migrated_sqlite_url: str, table: str
) -> None:
    """T3: then SQLite deletes the row in the way without asking the guard of deletions. By every unique key."""
    filled(migrated_sqlite_url).close()
    described = Base.metadata.tables[table]
    keys = {column.name for column in described.primary_key}
    for constraint in described.constraints:
        if isinstance(constraint, UniqueConstraint):
            keys |= {column.name for column in constraint.columns}
    columns = [column.name for column in described.columns]
    connection = sqlite3.connect(migrated_sqlite_url.removeprefix("sqlite:///"))
    connection.execute("PRAGMA recursive_triggers = OFF")
    connection.execute("PRAGMA foreign_keys = OFF")
    before = connection.execute(f"SELECT * FROM {table}").fetchall()
    assert before and keys
    for key in keys:
        values = ", ".join(name if name == key or name not in keys else "90001" for name in columns)
        with pytest.raises(sqlite3.IntegrityError, match="fangpin guard"):
            connection.execute(
                f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table} LIMIT 1"
            )
    assert connection.execute(f"SELECT * FROM {table}").fetchall() == before
    connection.close()


def test_text_that_is_no_text_is_named_too(migrated_sqlite_url: str) -> None:
    """SQLite takes any bytes for text, and its driver raises when it reads them as such."""
    database, attacker = filled(migrated_sqlite_url), Attacker(migrated_sqlite_url)
    attacker.run("UPDATE event SET body = CAST(x'ff00fe' AS TEXT) WHERE id = 7")
    attacker.run("UPDATE event SET action = CAST(x'ff' AS TEXT) WHERE id = 8")
    with database.reading() as session:
        faults = verify(session).faults
    assert [(fault.kind, fault.leaf) for fault in faults] == [("event_changed", 7), ("event_columns", 8)]
    attacker.close()
    database.close()


# The anchor file


def test_a_damaged_anchor_file_is_named_with_its_line(tmp_path: Path) -> None:
    anchors = tmp_path / "fangpin.anchors"
    assert (read_anchors(anchors), last_anchor(anchors)) == ([], None)
    lines = [
        Anchor(number, number * 10, "ab" * 32, "cd" * 32, "2020-12-31T04:00:00.000000+00:00").line()
        for number in (1, 2, 3)
    ]
    anchors.write_text("".join(lines))
    assert [anchor.block for anchor in read_anchors(anchors)] == [1, 2, 3]
    assert last_anchor(anchors) == read_anchors(anchors)[-1]
    for damaged in (lines[1].upper(), lines[0], "\n", lines[1].replace(" ", "  "), "x" * 1000 + "\n"):
        anchors.write_text(lines[0] + damaged + lines[2])
        with pytest.raises(ConfigurationError, match=r"line 2 of the anchor file fangpin\.anchors"):
            read_anchors(anchors)
    anchors.write_bytes(b"\xff\xfe\n")
    for read in (read_anchors, last_anchor):
        with pytest.raises(ConfigurationError, match="is damaged"):
            read(anchors)


def test_an_anchor_that_was_being_written_when_the_machine_stopped_is_written_again(
    migrated_sqlite_url: str, tmp_path: Path
) -> None:
    database, anchors = filled(migrated_sqlite_url), tmp_path / "fangpin.anchors"
    anchors.touch()
    seal(database, AT, "sha256", anchors)
    whole = anchors.read_text()
    first, second = whole.splitlines(keepends=True)
    anchors.write_text(first + second[:50])
    assert [anchor.block for anchor in read_anchors(anchors)] == [1]
    seal(database, AT, "sha256", anchors)
    assert anchors.read_text() == whole
    database.close()


KEPT = ["upkeep", "disclosure", "export", "legal_hold", "impact_assessment", *TABLES]


@pytest.mark.parametrize("name", KEPT)
def test_every_unique_key_of_a_kept_table_has_a_guard_against_replacing(name: str) -> None:
    """SQLite's INSERT OR REPLACE deletes the row that holds any of them, with no trigger told of it."""
    table = Base.metadata.tables[name]
    keys = {tuple(column.name for column in table.primary_key)}
    keys |= {
        tuple(column.name for column in constraint.columns)
        for constraint in table.constraints
        if isinstance(constraint, UniqueConstraint)
    }
    guards = {guard.name for guard in GUARDS if guard.table == name}
    assert {f"{name}_no_replace_{'_'.join(key)}" for key in keys} <= guards

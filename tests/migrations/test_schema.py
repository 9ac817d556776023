"""The migrated schema is the one that the code means, guards included, on both engines."""

from __future__ import annotations

import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from foundation.database import Database, migrate
from foundation.guards import live_guards
from migrations.schema import GUARDS, METADATA


@pytest.fixture
def database(migrated_url: str) -> object:
    opened = Database(migrated_url)
    yield opened
    opened.close()


def test_there_is_one_head() -> None:
    assert len(ScriptDirectory("migrations").get_heads()) == 1


def test_the_tables_are_those_of_the_code(database: Database) -> None:
    with database.engine.connect() as connection:
        assert (
            compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), METADATA)
            == []
        )


def test_every_guard_is_live_and_no_other_trigger(database: Database) -> None:
    with database.engine.connect() as connection:
        sqlite = connection.dialect.name == "sqlite"
        wanted = {guard.name: guard.table for guard in GUARDS if not (sqlite and "TRUNCATE" in guard.when)}
        assert live_guards(connection) == wanted


def test_a_lost_guard_is_made_again(database: Database, migrated_url: str) -> None:
    with database.engine.begin() as connection:
        tail = "" if connection.dialect.name == "sqlite" else " ON event"
        connection.execute(text(f"DROP TRIGGER event_no_update{tail}"))
    migrate(migrated_url)
    with database.engine.connect() as connection:
        assert "event_no_update" in live_guards(connection)


def test_every_sqlite_table_is_strict(migrated_sqlite_url: str) -> None:
    database = Database(migrated_sqlite_url)
    with database.engine.connect() as connection:
        loose = connection.execute(
            text("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND strict = 0")
        ).scalars()
        assert set(loose) - {"alembic_version", "sqlite_schema"} == set()
    database.close()


def test_two_migrators_at_once_end_in_one_schema(database_url: str) -> None:
    command = [
        sys.executable,
        "-c",
        "import sys; from foundation.database import migrate; migrate(sys.argv[1])",
        database_url,
    ]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(2)]
    assert [process.communicate(timeout=120)[1].decode() for process in both] == ["", ""]
    assert [process.returncode for process in both] == [0, 0]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET body = 'x'",
        "DELETE FROM event",
        "INSERT OR REPLACE INTO event (id, at, action, subject, subject_id, body) VALUES (1, '2020', 'a', 'b', 'c', 'd')",
        "INSERT INTO event (id, at, action, subject, subject_id, body) VALUES (1, '2020', 'a', 'b', 'c', 'd')",
    ],
)
def test_the_trail_cannot_be_changed_even_by_replace(migrated_sqlite_url: str, statement: str) -> None:
    database = Database(migrated_sqlite_url)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA recursive_triggers=OFF")
        connection.exec_driver_sql(
            "INSERT INTO event (at, action, subject, subject_id, body) VALUES ('2020', 'a', 'b', 'c', 'kept')"
        )
    with pytest.raises(DBAPIError), database.engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA recursive_triggers=OFF")
        connection.exec_driver_sql(statement)
    with database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT body FROM event").scalars().all() == ["kept"]
    database.close()


@pytest.mark.parametrize(
    "statement", ["UPDATE event SET body = 'x'", "DELETE FROM event", "TRUNCATE event CASCADE"]
)
def test_the_trail_cannot_be_changed_on_postgresql(migrated_postgres_url: str, statement: str) -> None:
    database = Database(migrated_postgres_url)
    with database.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO event (at, action, subject, subject_id, body) VALUES (now(), 'a', 'b', 'c', 'kept')"
        )
    with pytest.raises(DBAPIError, match="fangpin guard"), database.engine.begin() as connection:
        connection.exec_driver_sql(statement)
    database.close()

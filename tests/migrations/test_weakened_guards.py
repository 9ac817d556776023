"""A guard counts only as the program makes it: one of the same name that refuses nothing is found, and made again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from foundation.database import Database, migrate
from foundation.guards import weakened
from migrations.schema import GUARDS

_FUNCTION = "CREATE OR REPLACE FUNCTION event_no_update() RETURNS trigger LANGUAGE plpgsql AS"
_REFUSES = "BEGIN SELECT RAISE(ABORT, 'fangpin guard: event_no_update'); END"
SQLITE = [
    f"CREATE TRIGGER event_no_update BEFORE UPDATE ON event WHEN 0 {_REFUSES}",
    "CREATE TRIGGER event_no_update BEFORE UPDATE ON event WHEN TRUE BEGIN SELECT 1; END",
    f"CREATE TRIGGER event_no_update BEFORE UPDATE ON trail_leaf WHEN TRUE {_REFUSES}",
    f"CREATE TRIGGER event_no_update BEFORE UPDATE OF id ON event WHEN TRUE {_REFUSES}",
]
_MADE = "EXECUTE FUNCTION event_no_update()"
_GONE = "DROP TRIGGER event_no_update ON event;"
POSTGRES = [
    f"{_FUNCTION} 'BEGIN RETURN NEW; END'",
    "ALTER TABLE event DISABLE TRIGGER event_no_update",
    "ALTER TABLE event ENABLE REPLICA TRIGGER event_no_update",
    "ALTER FUNCTION event_no_update() SET search_path = elsewhere",
    f"{_GONE} CREATE TRIGGER event_no_update BEFORE UPDATE ON event FOR EACH ROW WHEN (FALSE) {_MADE}",
    f"{_GONE} CREATE TRIGGER event_no_update AFTER UPDATE ON event FOR EACH ROW {_MADE}",
    f"{_GONE} CREATE TRIGGER event_no_update BEFORE UPDATE ON trail_leaf FOR EACH ROW {_MADE}",
    f"{_GONE} CREATE TRIGGER event_no_update BEFORE UPDATE ON event FOR EACH ROW EXECUTE FUNCTION event_no_delete()",
]


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    opened = Database(migrated_url)
    yield opened
    opened.close()


def found(database: Database) -> list[str]:
    with database.engine.connect() as connection:
        return weakened(connection, GUARDS)


def attacked(database: Database, statement: str) -> None:
    with database.engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("DROP TRIGGER event_no_update")
        connection.exec_driver_sql(statement)


def test_the_guards_of_a_new_schema_are_as_they_are_made(database: Database) -> None:
    assert found(database) == []


def test_a_lost_guard_is_no_weakened_one(database: Database) -> None:
    with database.engine.begin() as connection:
        tail = "" if connection.dialect.name == "sqlite" else " ON event"
        connection.exec_driver_sql(f"DROP TRIGGER event_no_update{tail}")
    assert found(database) == []


@pytest.mark.parametrize("statement", SQLITE)
def test_a_weakened_guard_of_sqlite_is_named_and_made_again(migrated_sqlite_url: str, statement: str) -> None:
    database = Database(migrated_sqlite_url)
    attacked(database, statement)
    assert found(database) == ["event_no_update"]
    migrate(migrated_sqlite_url)
    assert found(database) == []
    database.close()


@pytest.mark.parametrize("statement", POSTGRES)
def test_a_weakened_guard_of_postgresql_is_named_and_made_again(
    migrated_postgres_url: str, statement: str
) -> None:
    database = Database(migrated_postgres_url)
    attacked(database, statement)
    assert found(database) == ["event_no_update"]
    migrate(migrated_postgres_url)
    assert found(database) == []
    database.close()


def test_where_triggers_are_switched_off_every_guard_is_weakened(migrated_postgres_url: str) -> None:
    database = Database(migrated_postgres_url)
    with database.engine.begin() as connection:
        name = database.engine.url.database
        connection.exec_driver_sql(f'ALTER DATABASE "{name}" SET session_replication_role = replica')
    database.engine.dispose()
    assert set(found(database)) == {guard.name for guard in GUARDS}
    database.close()

"""The database on both engines: traps that were really hit, closed (a cap used twice, floats for money, late BEGIN)."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone

import pysqlite3.dbapi2 as sqlite3
import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError

from foundation.counters import Counter, take_numbers
from foundation.database import LEAST_SQLITE, Database, bulk_insert, table_of
from foundation.errors import ConfigurationError
from foundation.files import load, store
from foundation.jobs import Job
from foundation.keyfile import make_key_file, open_sealer, read_key_file


def test_the_sqlite_in_use_has_no_wal_reset_fault() -> None:
    assert sqlite3.sqlite_version_info >= LEAST_SQLITE


def test_sqlite_runs_in_wal_mode_with_foreign_keys(migrated_sqlite_url: str) -> None:
    database = Database(migrated_sqlite_url)
    with database.reading() as session:
        assert session.scalar(text("PRAGMA journal_mode")) == "wal"
        assert session.scalar(text("PRAGMA foreign_keys")) == 1
    database.close()


@pytest.mark.parametrize("value", ["'abc'", "1e30", "1.5"])
def test_a_whole_number_column_takes_nothing_else_on_sqlite(migrated_sqlite_url: str, value: str) -> None:
    database = Database(migrated_sqlite_url)
    with pytest.raises(DBAPIError), database.transaction() as session:
        session.execute(text(f"INSERT INTO counter (name, last) VALUES ('x', {value})"))
    database.close()


def test_ninety_trillion_yuan_come_back_to_the_fen(migrated_url: str) -> None:
    database = Database(migrated_url)
    with database.transaction() as session:
        session.execute(insert(Counter).values(name="x", last=9007199254740993))
    with database.reading() as session:
        assert session.scalar(select(Counter.last)) == 9007199254740993
    database.close()


def test_numbers_are_gap_free_under_contention_and_given_back_on_rollback(migrated_url: str) -> None:
    database = Database(migrated_url)
    taken: list[int] = []
    failures: list[Exception] = []

    def work(seed: int) -> None:
        for turn in range(10):
            try:
                with database.transaction() as session:
                    numbers = take_numbers(session, "series", 2)
                    if (seed + turn) % 3 == 0:
                        raise KeyError
                    taken.extend(numbers)
            except KeyError:
                continue
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(taken) == list(range(1, len(taken) + 1))
    assert len(taken) == 80
    database.close()


def test_two_writers_do_not_use_one_cap_twice(migrated_url: str) -> None:
    """Sum what is used, then add: with the driver's late BEGIN both would read the same rest."""
    database = Database(migrated_url)
    with database.transaction() as session:
        session.execute(insert(Counter).values(name="cap", last=0))
    won: list[bool] = []

    def work() -> None:
        statement = text("UPDATE counter SET last = last + 60 WHERE name = 'cap' AND last + 60 <= 100")
        with database.transaction() as session:
            won.append(session.execute(statement).rowcount == 1)  # type: ignore[attr-defined]

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(won) == 1
    database.close()


def test_nothing_written_in_a_reading_stays(migrated_sqlite_url: str) -> None:
    database = Database(migrated_sqlite_url)
    with database.reading() as session:
        session.execute(insert(Counter).values(name="x", last=1))
    with database.reading() as session:
        assert session.scalar(select(Counter.last)) is None
    database.close()


def test_a_reading_cannot_write_on_postgresql(migrated_postgres_url: str) -> None:
    database = Database(migrated_postgres_url)
    with pytest.raises(DBAPIError), database.reading() as session:
        session.execute(insert(Counter).values(name="x", last=1))
    database.close()


def test_an_instant_keeps_its_moment_and_sorts(migrated_url: str) -> None:
    database = Database(migrated_url)
    shanghai = datetime(2020, 12, 31, 12, 0, 0, 5, tzinfo=timezone(timedelta(hours=8)))
    rows = [
        {
            "id": str(n),
            "kind": "k",
            "subject_id": str(n),
            "state": "done",
            "attempts": 0,
            "changed_at": at,
            "error_code": None,
        }
        for n, at in enumerate(
            [shanghai, datetime(2020, 12, 31, 4, tzinfo=UTC), datetime(2019, 1, 1, tzinfo=UTC)]
        )
    ]
    with database.transaction() as session:
        bulk_insert(session, table_of(Job), rows)
    with database.reading() as session:
        found = session.execute(select(Job.id, Job.changed_at).order_by(Job.changed_at)).all()
        assert [row.id for row in found] == ["2", "1", "0"]
        assert found[-1].changed_at == shanghai
        assert found[-1].changed_at.utcoffset() == timedelta(0)
    database.close()


def test_a_key_file_is_its_owners_only_and_never_replaced(tmp_path: object) -> None:
    from pathlib import Path

    path = Path(str(tmp_path)) / "deep" / "key"
    ring = make_key_file(path)
    assert path.stat().st_mode & 0o077 == 0
    assert read_key_file(path) == ring
    with pytest.raises(FileExistsError):
        make_key_file(path)
    assert read_key_file(path) == ring
    path.write_text("{}")
    with pytest.raises(ConfigurationError):
        read_key_file(path)


def test_a_stored_file_comes_back_and_a_changed_one_does_not(migrated_url: str, tmp_path: object) -> None:
    from pathlib import Path

    database = Database(migrated_url)
    with database.transaction() as session:
        sealer = open_sealer(session, Path(str(tmp_path)) / "key")
        kept = store(session, sealer, "张三,370323197001010013".encode(), "text/csv")
        assert load(session, sealer, kept.id).decode() == "张三,370323197001010013"
        assert session.scalar(text("SELECT content FROM stored_file")).find(b"370323197001010013") == -1
    database.close()

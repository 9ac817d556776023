"""Counts of access: a limit holds under many at once, and starts anew with the next window."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from foundation.database import Database
from webapp.services import access

AT = datetime(2026, 11, 24, 2, 7, 30, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    opened = Database(migrated_url)
    yield opened
    opened.close()


def allowed(
    database: Database, *, kind: str = "search", whose: str = "one", at: datetime = AT, most: int = 3
) -> bool:
    with database.transaction() as session:
        return access.allow(session, kind, whose, at, most, QUARTER)


def test_the_limit_is_allowed_and_not_one_more(database: Database) -> None:
    assert [allowed(database) for _ in range(5)] == [True, True, True, False, False]


def test_others_and_other_things_count_for_themselves(database: Database) -> None:
    assert [allowed(database) for _ in range(4)][-1] is False
    assert allowed(database, whose="two")
    assert allowed(database, kind="reveal")


def test_a_new_window_starts_from_nothing(database: Database) -> None:
    for _ in range(3):
        allowed(database)
    assert not allowed(database, at=AT + timedelta(minutes=7, seconds=29))
    assert allowed(database, at=AT + timedelta(minutes=7, seconds=30))


def test_what_is_given_back_can_be_used_again(database: Database) -> None:
    for _ in range(3):
        allowed(database)
    with database.transaction() as session:
        access.give_back(session, "search", "one", AT, QUARTER)
    assert [allowed(database) for _ in range(2)] == [True, False]


def test_giving_back_the_only_one_leaves_no_count(database: Database) -> None:
    allowed(database, most=1)
    with database.transaction() as session:
        access.give_back(session, "search", "one", AT, QUARTER)
    assert [allowed(database, most=1) for _ in range(2)] == [True, False]


def test_many_at_once_never_get_more_than_the_limit(database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: allowed(database, most=10), range(40)))
    assert answers.count(True) == 10


def test_many_who_count_and_give_back_at_once_leave_the_limit_whole(database: Database) -> None:
    def there_and_back(_: int) -> bool:
        counted = allowed(database, most=8)
        with database.transaction() as session:
            access.give_back(session, "search", "one", AT, QUARTER)
        return counted

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(there_and_back, range(80)))
    assert [allowed(database, most=8) for _ in range(9)] == [True] * 8 + [False]


def test_a_window_begins_on_the_full_quarter_and_says_how_long_it_lasts() -> None:
    assert access.window_start(AT, QUARTER) == datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
    assert access.seconds_left(AT, QUARTER) == 7 * 60 + 30
    assert access.seconds_left(AT + timedelta(minutes=7, seconds=29.9), QUARTER) == 1

"""Deliveries of feeds: what is new, what is taken back, what is the same; rows are known from when until when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from foundation.actors import Actor, Role
from foundation.database import Database
from foundation.errors import ConflictError
from foundation.jobs import Job
from foundation.keyfile import open_sealer
from foundation.sealing import ERASED, Sealer
from households.feeds import DepositRow, Feeds
from households.layouts import layouts
from households.models.feeds import DEPARTMENT, FeedDelivery, FeedRow
from households.queries.feed_rows import feeds_of
from households.queries.views import View
from households.services.deliveries import ADDITION, FULL, Delivered, Delivery, take_in_delivery
from tests.households.people import id_number

ACTOR = Actor("person-1", "account-1", Role.CENTER_CERTIFIER, "370323", "王芳")
FIRST = datetime(2020, 7, 1, 1, tzinfo=UTC)
POLICY = "FPB-1"
PEOPLE = [id_number(sequence) for sequence in range(5)]
DAY = date(2020, 6, 30)


def deposit(person: int, fen: int) -> tuple[str, int, date]:
    return PEOPLE[person], fen, DAY


class Desk:
    """Takes one delivery of deposits after the other, an hour apart."""

    def __init__(self, url: str, key: Path) -> None:
        self.database = Database(url)
        with self.database.transaction() as session:
            self.sealer: Sealer = open_sealer(session, key)
        self.at = FIRST

    def deliver(
        self,
        rows: Sequence[tuple[Any, ...]],
        digest: str,
        mode: str = FULL,
        as_of: date | None = None,
        scope: str = DEPARTMENT,
    ) -> Delivered:
        self.at += timedelta(hours=1)
        delivery = Delivery(layouts()["deposits"], scope, mode, as_of, digest)
        with self.database.transaction() as session:
            return take_in_delivery(session, self.sealer, ACTOR, self.at, delivery, rows)

    def feeds(self, known_at: datetime | None = None, *, pack_only: bool = False) -> Feeds:
        with self.database.reading() as session:
            return feeds_of(session, self.sealer, View(POLICY, pack_only, known_at), PEOPLE, ())

    def deposits(self, known_at: datetime | None = None) -> list[tuple[Any, ...]]:
        found: list[DepositRow] = self.feeds(known_at).deposits or []
        return sorted((row.id_number, row.amount_fen, row.as_of) for row in found)


@pytest.fixture
def desk(migrated_url: str, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(migrated_url, tmp_path / "key")
    yield made
    made.database.close()


def test_a_feed_that_nobody_has_sent_is_no_data_and_an_empty_one_is_data(desk: Desk) -> None:
    assert desk.feeds().deposits is None and "deposits" in desk.feeds().absent()
    before = desk.at
    desk.deliver([], "a")
    assert desk.feeds().deposits == []
    assert desk.feeds(before).deposits is None, "what was known then stays so"


def test_the_same_file_twice_changes_nothing(desk: Desk) -> None:
    first = desk.deliver([deposit(0, 100), deposit(1, 200), deposit(0, 100)], "a")
    assert (first.rows, first.added, first.retired) == (3, 2, 0)
    again = desk.deliver([deposit(0, 100), deposit(1, 200), deposit(0, 100)], "a")
    assert again.unchanged and again.delivery_id == first.delivery_id
    with desk.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(FeedDelivery)) == 1
        assert session.scalar(select(func.count()).select_from(FeedRow)) == 2
        assert session.scalar(select(func.count()).where(Job.subject_id == first.delivery_id)) == 2


def test_a_full_list_takes_back_what_it_lacks_and_an_addition_does_not(desk: Desk) -> None:
    desk.deliver([deposit(0, 100), deposit(1, 200)], "a")
    first = desk.at
    second = desk.deliver([deposit(1, 200), deposit(2, 300)], "b")
    assert (second.added, second.retired) == (1, 1)
    assert desk.deposits() == sorted([deposit(1, 200), deposit(2, 300)])
    assert desk.deposits(first) == sorted([deposit(0, 100), deposit(1, 200)])
    third = desk.deliver([deposit(3, 400)], "c", ADDITION)
    assert (third.added, third.retired) == (1, 0)
    assert desk.deposits() == sorted([deposit(1, 200), deposit(2, 300), deposit(3, 400)])


def test_a_row_that_comes_back_is_known_anew(desk: Desk) -> None:
    desk.deliver([deposit(0, 100)], "a")
    desk.deliver([], "b")
    between = desk.at
    desk.deliver([deposit(0, 100)], "a")
    assert desk.deposits(between) == [] and desk.deposits() == [deposit(0, 100)]


def test_a_full_list_of_an_earlier_day_is_refused(desk: Desk) -> None:
    desk.deliver([deposit(0, 100)], "a", as_of=date(2020, 6, 30))
    with pytest.raises(ConflictError, match="2020-06-30"):
        desk.deliver([], "b", as_of=date(2020, 5, 31))
    assert desk.deposits() == [deposit(0, 100)]
    desk.deliver([deposit(1, 1)], "c", ADDITION, as_of=date(2020, 5, 31))


def test_a_department_s_own_rows_come_before_a_pack_s_copy(desk: Desk) -> None:
    desk.deliver([deposit(0, 100)], "a", scope=POLICY)
    assert desk.deposits() == [deposit(0, 100)]
    desk.deliver([deposit(1, 200)], "b")
    assert desk.deposits() == [deposit(1, 200)]
    pack = desk.feeds(pack_only=True).deposits or []
    assert [(row.id_number, row.amount_fen, row.as_of) for row in pack] == [deposit(0, 100)]


def test_a_delivery_that_fails_half_way_leaves_nothing(desk: Desk) -> None:
    def rows() -> Iterator[tuple[Any, ...]]:
        yield from (deposit(number % 5, number + 1) for number in range(5000))
        raise RuntimeError("the file ends here")

    with pytest.raises(RuntimeError):
        desk.deliver(rows(), "a")  # type: ignore[arg-type]
    with desk.database.reading() as session:
        for table in ("feed_row", "feed_delivery", "event", "job"):
            assert session.scalar(text(f"SELECT count(*) FROM {table}")) == 0


def test_what_was_erased_comes_back_with_the_same_file(desk: Desk) -> None:
    desk.deliver([deposit(0, 100)], "a")
    with desk.database.engine.begin() as connection:
        tail = "" if connection.dialect.name == "sqlite" else " ON feed_row"
        for guard in ("feed_row_sealed_kept", "feed_row_sealed_erased"):
            connection.execute(text(f"DROP TRIGGER {guard}{tail}"))
        connection.execute(text(f"UPDATE feed_row SET sealed = '{ERASED}', id_lookup = 'erased:' || id"))
    assert desk.deposits() == []
    assert desk.deliver([deposit(0, 100)], "a").added == 1
    assert desk.deposits() == [deposit(0, 100)]


@pytest.mark.parametrize(
    "change",
    ["UPDATE feed_row SET amount_fen = 0", "DELETE FROM feed_row", "UPDATE feed_delivery SET rows = 0"],
)
def test_no_row_is_edited_or_deleted(desk: Desk, change: str) -> None:
    desk.deliver([deposit(0, 100)], "a")
    with pytest.raises(DBAPIError), desk.database.engine.begin() as connection:
        connection.exec_driver_sql(change)


LISTS = st.lists(
    st.tuples(
        st.sampled_from([FULL, ADDITION]),
        st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2)), max_size=6),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=15, deadline=None)
@given(LISTS)
def test_any_sequence_of_deliveries_is_what_a_plain_set_says_at_every_moment(
    migrated_sqlite_file: Path, tmp_path_factory: pytest.TempPathFactory, deliveries: list[Any]
) -> None:
    folder = tmp_path_factory.mktemp("feeds")
    (folder / "fangpin.db").write_bytes(migrated_sqlite_file.read_bytes())
    desk = Desk(f"sqlite:///{folder}/fangpin.db", folder / "key")
    model: set[tuple[Any, ...]] = set()
    history = []
    for number, (mode, rows) in enumerate(deliveries):
        wanted = [deposit(person, fen) for person, fen in rows]
        desk.deliver(wanted, str(number), mode)
        model = set(wanted) if mode == FULL else model | set(wanted)
        history.append((desk.at, sorted(model)))
    assert [desk.deposits(at) for at, _ in history] == [known for _, known in history]
    desk.database.close()

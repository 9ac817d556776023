"""Keyset paging on both engines: every row once, whichever way and whatever changes meanwhile; bad cursors refused."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import Column, Date, Integer, MetaData, String, Table, func, select
from sqlalchemy.orm import Session

from foundation.database import Database
from foundation.errors import BadRequest
from foundation.web.paging import Page, keyset

DAY = date(2026, 1, 1)
LETTERS = Table(
    "letters",
    MetaData(),
    Column("id", String, primary_key=True),
    Column("day", Date),
    Column("town", String),
    Column("pages", Integer),
)
ROWS = [
    {"id": f"r{n:03d}", "day": DAY + timedelta(n % 5), "town": "张店" if n % 3 else "周村", "pages": n % 7}
    for n in range(47)
]
BY_DAY = (LETTERS.c.day,)
BY_TOWN_AND_PAGES = (LETTERS.c.town, LETTERS.c.pages)


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    database = Database(database_url)
    with database.transaction() as session:
        LETTERS.metadata.create_all(session.connection())
        session.execute(LETTERS.insert(), ROWS)
        yield session
    database.close()


def page(session: Session, cursor: str | None = None, size: int = 10, **options: object) -> Page[str]:
    columns = options.pop("columns", BY_DAY)
    return keyset(session, select(LETTERS.c.id), columns, LETTERS.c.id, cursor, size, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("columns", [BY_DAY, BY_TOWN_AND_PAGES], ids=["one column", "two columns"])
@pytest.mark.parametrize("size", [1, 7, 47, 100])
def test_every_row_comes_once_down_the_list_and_back_up(
    session: Session, columns: tuple[Column[object], ...], size: int, descending: bool
) -> None:
    order = [*columns, LETTERS.c.id]
    expected = list(
        session.scalars(select(LETTERS.c.id).order_by(*(c.desc() if descending else c.asc() for c in order)))
    )
    pages = [page(session, None, size, columns=columns, descending=descending)]
    while pages[-1].older:
        pages.append(page(session, pages[-1].older, size, columns=columns, descending=descending))
    assert [row for one in pages for row in one.rows] == expected
    assert pages[0].newer is None

    back = [pages[-1]]
    while back[0].newer:
        back.insert(0, page(session, back[0].newer, size, columns=columns, descending=descending))
    assert [row for one in back for row in one.rows] == expected
    assert [one.rows for one in back] == [one.rows for one in pages]


def test_a_row_that_comes_in_above_shifts_nothing(session: Session) -> None:
    first = page(session)
    session.execute(LETTERS.insert(), [{"id": "new", "day": DAY - timedelta(1), "town": "高青", "pages": 1}])
    second = page(session, first.older)
    assert not set(first.rows) & set(second.rows)
    assert page(session, second.newer).rows == first.rows


def test_the_total_is_counted_only_when_asked_for(session: Session) -> None:
    assert page(session).total is None
    assert page(session, count=True).total == len(ROWS)
    filtered = keyset(
        session, select(LETTERS.c.id).where(LETTERS.c.pages == 3), BY_DAY, LETTERS.c.id, None, 2, count=True
    )
    assert filtered.total == len([row for row in ROWS if row["pages"] == 3])


def test_rows_of_several_columns_keep_their_names(session: Session) -> None:
    query = select(LETTERS.c.id, LETTERS.c.day, func.upper(LETTERS.c.id).label("loud"))
    found = keyset(session, query, BY_DAY, LETTERS.c.id, None, 3).rows
    assert [(row.id, row.day, row.loud) for row in found] == [
        ("r000", DAY, "R000"),
        ("r005", DAY, "R005"),
        ("r010", DAY, "R010"),
    ]
    assert [tuple(row) for row in found] == [
        ("r000", DAY, "R000"),
        ("r005", DAY, "R005"),
        ("r010", DAY, "R010"),
    ]


def test_no_page_is_longer_than_a_hundred_rows_attack_83(session: Session) -> None:
    more = [{"id": f"x{n:03d}", "day": DAY, "town": "桓台", "pages": 1} for n in range(150)]
    session.execute(LETTERS.insert(), more)
    assert len(page(session, None, 100_000).rows) == 100
    assert len(page(session, None, 0).rows) == len(page(session, None, -1).rows) == 1


def _encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "１２",
        "=",
        "AAAA",
        "-1",
        "a" * 100_000,
        _encoded([]),
        _encoded({"o": 1}),
        _encoded(None),
        _encoded(["o"]),
        _encoded(["z", ["d", "2026-01-01"], ["s", "r000"]]),
        _encoded(["o", ["d", "2026-01-01"]]),
        _encoded(["o", ["d", "2026-01-01"], ["s", "r000"], ["s", "more"]]),
        _encoded(["o", ["s", "2026-01-01"], ["s", "r000"]]),
        _encoded(["o", ["d", "2026-02-30"], ["s", "r000"]]),
        _encoded(["o", ["d", 20260101], ["s", "r000"]]),
        _encoded(["o", ["d", "2026-01-01"], ["i", 1]]),
        _encoded(["o", ["t", "2026-01-01T00:00:00+00:00"], ["s", "r000"]]),
        _encoded(["o", ["d", "2026-01-01"], ["s", {"$gt": 0}]]),
        _encoded(["o", ["d", "2026-01-01"], ["s", "a\0b"]]),
        _encoded(["o", ["d", "2026-01-01"], ["s", "\ud800"]]),
        _encoded(["o", "d2", "s1"]),
        _encoded([["o"], ["d", "2026-01-01"], ["s", "r000"]]),
        base64.urlsafe_b64encode(b"[" * 400).decode(),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    ],
)
def test_a_cursor_that_is_none_of_this_list_is_refused(session: Session, cursor: str) -> None:
    with pytest.raises(BadRequest):
        page(session, cursor)


def test_a_number_too_large_for_the_database_is_no_cursor(session: Session) -> None:
    cursor = _encoded(["o", ["s", "周村"], ["i", 2**63], ["s", "r000"]])
    with pytest.raises(BadRequest):
        page(session, cursor, columns=BY_TOWN_AND_PAGES)

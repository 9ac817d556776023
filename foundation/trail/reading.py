"""The trail's rows as they lie in the database, some thousands at a time, in order: for checking and exporting.

Raw on purpose. Text comes as the very bytes that are stored, so that whatever an attacker put there can be read and
named; the types of the models would refuse it. Memory stays flat, however long the trail is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from foundation.database import is_sqlite

_ROWS_AT_ONCE = 5000

LeafRow = tuple[Any, Any, Any, Any, Any, Any, Any, Any, Any]
"""Number, event id, hash of the leaf; then of the event: id (None: there is no such event), instant, action, subject,
subject id, body. Numbers are int, all others bytes, unless an attacker has rebuilt the table."""


class BlockRow(NamedTuple):
    """A block as it is stored; `sealed_at` is ISO text."""

    number: int
    events: int
    last_event_id: int
    root: str
    previous: str
    digest: str
    hash_name: str
    sealed_at: str
    frontier: str


def leaf_rows(session: Session) -> Iterator[list[LeafRow]]:
    """The leaves with their events, in leaf order, in lists of some thousands."""
    sqlite = is_sqlite(session)
    columns = ", ".join(
        [
            "l.number",
            "l.event_id",
            _bytes("l.hash", sqlite),
            "e.id",
            _instant("e.at", sqlite),
            *(_bytes(f"e.{name}", sqlite) for name in ("action", "subject", "subject_id", "body")),
        ]
    )
    source = "trail_leaf AS l LEFT JOIN event AS e ON e.id = l.event_id"
    return _in_lists(session, columns, source, "l.number", 0)


def block_rows(session: Session) -> Iterator[BlockRow]:
    """The blocks in their order."""
    sqlite = is_sqlite(session)
    texts = [_bytes(name, sqlite) for name in ("root", "previous", "digest", "hash_name")]
    columns = ", ".join(
        [
            "number",
            "events",
            "last_event_id",
            *texts,
            _instant("sealed_at", sqlite),
            _bytes("frontier", sqlite),
        ]
    )
    for rows in _in_lists(session, columns, "trail_block", "number", 0):
        for row in rows:
            yield BlockRow(row[0], row[1], row[2], *map(_readable, row[3:]))


def event_rows(session: Session, after: int) -> Iterator[list[tuple[int, bytes]]]:
    """(id, body) of the events with ids above `after`, in lists of some thousands."""
    return _in_lists(session, f"id, {_bytes('body', is_sqlite(session))}", "event", "id", after)


def leaf_hashes(session: Session, first: int, after: int) -> Iterator[bytes]:
    """The stored leaf hashes of a part of the tree: from leaf `first` (from 0) to the one before `after`."""
    hashes = _bytes("hash", is_sqlite(session))
    for rows in _in_lists(session, f"number, {hashes}", "trail_leaf", "number", first):
        for number, stored in rows:
            if number > after:
                return
            yield bytes.fromhex(bytes(stored).decode("ascii"))


def events_without_leaf(
    session: Session, up_to: int, with_leaf: int, most: int
) -> list[tuple[int, int, bytes]]:
    """(number of the leaf before it, id, body) of the first events up to an id that no leaf is for, if there are any.

    `with_leaf` is how many events up to that id a leaf was found for: when that is all, nothing else is looked at.
    """
    if session.scalar(text("SELECT count(*) FROM event WHERE id <= :last"), {"last": up_to}) == with_leaf:
        return []
    body = _bytes("e.body", is_sqlite(session))
    query = (
        "SELECT coalesce((SELECT max(number) FROM trail_leaf WHERE event_id < e.id), 0), "  # noqa: S608  # our names
        f"e.id, {body} FROM event AS e LEFT JOIN trail_leaf AS l ON l.event_id = e.id "
        "WHERE e.id <= :last AND l.event_id IS NULL ORDER BY e.id LIMIT :most"
    )
    return [
        (row[0], row[1], bytes(row[2])) for row in session.execute(text(query), {"last": up_to, "most": most})
    ]


def _in_lists(session: Session, columns: str, source: str, key: str, after: int) -> Iterator[list[Any]]:
    """Rows in the order of a whole-number key, list by list; each list begins where the last one ended."""
    connection = session.connection()
    sqlite = connection.dialect.name == "sqlite"
    mark = "?" if sqlite else "%s"
    query = f"SELECT {columns} FROM {source} WHERE {key} > {mark} ORDER BY {key} LIMIT {_ROWS_AT_ONCE}"  # noqa: S608
    driver = connection.connection
    if not sqlite:  # to start helpers for each list takes longer than to read it
        session.execute(text("SET LOCAL max_parallel_workers_per_gather = 0"))
    while True:
        # psycopg gives bytes as they are in its binary form only.
        cursor = driver.cursor() if sqlite else driver.cursor(binary=True)
        cursor.execute(query, (after,))
        rows = list(cursor.fetchall())
        cursor.close()
        if not rows:
            return
        yield rows
        after = rows[-1][0]


def _bytes(column: str, sqlite: bool) -> str:
    return f"CAST({column} AS BLOB)" if sqlite else f"convert_to({column}, 'UTF8')"


def _instant(column: str, sqlite: bool) -> str:
    """An instant as `foundation.database.instant_text` writes it; on SQLite it is stored so."""
    if sqlite:
        return f"CAST({column} AS BLOB)"
    shown = f"to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US') || '+00:00'"
    return f"convert_to({shown}, 'UTF8')"


def _readable(stored: bytes | None) -> str:
    return "" if stored is None else bytes(stored).decode("utf-8", "replace")

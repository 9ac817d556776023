"""Comparing people with the departments' rows in the database: the feeds are probed by the people, block by block.

Each person's digest is looked up in the index of the rows, never the other way round, so that the work grows with the
people and hardly with the feeds; and memory holds one block.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from typing import Any

import orjson
from sqlalchemy import Select, Text, any_, bindparam, case, column, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from foundation.collecting import without_cycle_search
from foundation.database import is_sqlite, table_of
from foundation.sealing import ERASED, Sealer
from households.comparing import WORDED, Candidate, Comparer, Hit, Relative, Row, Rules
from households.models.feeds import FeedRow

_BLOCK = 2000
"""People in one statement."""


@dataclass(slots=True)
class Compared:
    """How many people were compared, and the hits."""

    people: int = 0
    hits: list[Hit] = field(default_factory=list)


@without_cycle_search()
def compared(session: Session, sealer: Sealer, rules: Rules, people: Iterable[Candidate]) -> Compared:
    """Every check of each person. No person twice."""
    done = Compared()
    comparer = Comparer(rules, lambda row: _opened(sealer, row))
    for block in _blocks(people):
        by_lookup = {person.id_lookup: person for person in block}
        rows = _rows(session, sorted(by_lookup))
        done.people += len(block)
        done.hits += comparer.hits(by_lookup, rows)
        kin: dict[str, list[tuple[Candidate, Relative]]] = defaultdict(list)
        for lookup, relative in comparer.relatives(rows):
            kin[sealer.lookup("id_number", relative.id_number)].append((by_lookup[lookup], relative))
        for part in _blocks(kin):
            done.hits += comparer.hits_through(kin, _rows(session, part, "payroll"))
    return done


def _blocks(values: Iterable[Any]) -> Iterator[list[Any]]:
    stream = iter(values)
    while block := list(islice(stream, _BLOCK)):
        yield block


def _rows(session: Session, lookups: Sequence[str], feed: str | None = None) -> list[Row]:
    """The rows that departments stand by now about some people, by their digests; `feed` None is all feeds."""
    sqlite = is_sqlite(session)
    given = orjson.dumps(lookups).decode() if sqlite else list(lookups)
    values = {"lookups": given} | ({} if feed is None else {"feed": feed})
    return list(map(Row._make, session.execute(_probe(sqlite, feed is not None), values).all()))


@cache
def _probe(sqlite: bool, one_feed: bool) -> Select[Any]:  # one statement each, made once
    """The statement: SQLite goes through a JSON list of digests in the order given, PostgreSQL takes an array."""
    row = table_of(FeedRow).c
    columns = (
        row.id,
        row.feed,
        row.scope,
        row.id_lookup,
        row.on_day,
        row.amount_fen,
        case((row.feed.in_(sorted(WORDED)), row.sealed)),
    )
    if sqlite:
        given = func.json_each(bindparam("lookups")).table_valued(column("value", Text))
        query = select(*columns).select_from(given).join(row.id.table, row.id_lookup == given.c.value)
    else:
        array = bindparam("lookups", type_=ARRAY(Text))
        query = select(*columns).where(row.id_lookup == any_(array))
    query = query.where(row.retired_at.is_(None), row.sealed != ERASED)
    return query.where(row.feed == bindparam("feed")) if one_feed else query


def _opened(sealer: Sealer, row: Row) -> Sequence[Any]:
    values: list[Any] = orjson.loads(sealer.reveal("feed_row", "sealed", row.id, row.sealed or ""))
    return values

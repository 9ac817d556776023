"""What taking in a department's file would change, looked up before anything is written; memory stays flat.

Rows are compared by their keyed digests. Which ones a file holds is noted in a temporary table of the connection.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import BigInteger, Column, MetaData, String, Table, func, select
from sqlalchemy.orm import Session

from foundation.database import Database, bulk_insert
from foundation.privacy.erasing import parts
from foundation.sealing import Sealer
from households.layouts import Layout
from households.models.feeds import DEPARTMENT, FeedRow
from households.models.people import Person
from households.queries.feed_digests import rows_there

_LOOKED_AT = Table(
    "feed_looked_at",
    MetaData(),
    Column("digest", String),
    Column("known", BigInteger),
    prefixes=["TEMPORARY"],
)


@dataclass(frozen=True, slots=True)
class Compared:
    """Different rows of a file that are new, and that are there; and those that are there and not in the file."""

    new: int
    same: int
    lacking: int


@contextmanager
def comparing(database: Database, sealer: Sealer, layout: Layout) -> Iterator[Comparison]:
    """A comparison of one file with what a department has sent. It writes nothing that stays, and holds nobody up."""
    # PostgreSQL makes no temporary table in a view that only reads; there a writing one locks nothing that is read.
    reads = database.engine.dialect.name == "sqlite"
    with database.reading() if reads else database.transaction() as session:
        _LOOKED_AT.create(session.connection())
        yield Comparison(session, sealer, layout)
        _LOOKED_AT.drop(session.connection())


class Comparison:
    """Takes the rows of a file block by block; `counted` says at the end what they come to."""

    def __init__(self, session: Session, sealer: Sealer, layout: Layout) -> None:
        self._session, self._sealer, self._layout = session, sealer, layout
        self.about_known = 0

    def look_at(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Some rows, values in the order of the layout's columns."""
        digests = {self._sealer.digest(self._layout.feed, orjson.dumps(values)) for values in rows}
        known = rows_there(self._session, self._layout.feed, DEPARTMENT, digests)
        noted = [{"digest": digest, "known": int(digest in known)} for digest in sorted(digests)]
        bulk_insert(self._session, _LOOKED_AT, noted)
        self.about_known += self._about_known(rows)

    def _about_known(self, rows: Sequence[tuple[Any, ...]]) -> int:
        lookups = [self._sealer.lookup("id_number", values[self._layout.person]) for values in rows]
        known: set[str] = set()
        for part in parts(sorted(set(lookups))):
            known.update(self._session.scalars(select(Person.id_lookup).where(Person.id_lookup.in_(part))))
        return sum(lookup in known for lookup in lookups)

    def counted(self) -> Compared:
        """What all rows come to."""
        query = select(_LOOKED_AT.c.known, func.count(func.distinct(_LOOKED_AT.c.digest)))
        counts: dict[int, int] = dict(self._session.execute(query.group_by(_LOOKED_AT.c.known)).all())
        there = self._session.scalar(select(func.count()).select_from(FeedRow).where(_there(self._layout)))
        same = counts.get(1, 0)
        return Compared(counts.get(0, 0), same, (there or 0) - same)


def _there(layout: Layout) -> Any:
    mine = (FeedRow.feed == layout.feed) & (FeedRow.scope == DEPARTMENT)
    return mine & FeedRow.retired_at.is_(None)

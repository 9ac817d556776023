"""Which rows of a feed are there, by the keyed digests of their values: one probe of the index for each."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Any

import orjson
from sqlalchemy import ARRAY, Select, Text, bindparam, column, func, select
from sqlalchemy.orm import Session

from foundation.database import is_sqlite, table_of
from households.models.feeds import FeedRow


def rows_there(session: Session, feed: str, scope: str, digests: Collection[str]) -> dict[str, str]:
    """Digest → id of those rows that a department stands by now."""
    sqlite = is_sqlite(session)
    wanted = list(digests)
    values = {"feed": feed, "scope": scope, "wanted": orjson.dumps(wanted).decode() if sqlite else wanted}
    return {
        digest: row_id for digest, row_id in session.execute(_probe(sqlite), values) if row_id is not None
    }


@cache
def _probe(sqlite: bool) -> Select[Any]:  # one statement for each engine, made once
    """A look-up for each digest, written as a subquery of its own.

    Joined, or as a list after IN, PostgreSQL takes it for one search by feed and scope while it has no statistics of
    rows that this very transaction puts in, and goes through all of them each time.
    """
    if sqlite:
        digest = func.json_each(bindparam("wanted")).table_valued(column("value", Text)).c.value
    else:
        digest = func.unnest(bindparam("wanted", type_=ARRAY(Text))).column_valued("wanted")
    row = table_of(FeedRow).c
    there = (row.feed == bindparam("feed")) & (row.scope == bindparam("scope")) & (row.digest == digest)
    return select(digest, select(row.id).where(there, row.retired_at.is_(None)).scalar_subquery())

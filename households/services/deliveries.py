"""Taking in a delivery of a feed: what is new is added, what a full list has no more is retired, the same stays.

Rows come one by one and go in blocks, so that memory is flat whatever the size. It all happens in the caller's
transaction: a delivery is in wholly or not at all.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any

import orjson
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.collecting import without_cycle_search
from foundation.database import bulk_insert, one_at_a_time, table_of
from foundation.errors import ConflictError
from foundation.sealing import ERASED, Sealer
from foundation.trail.events import Change, record
from households.feeds import FEEDS, Feeds, file_of
from households.layouts import Layout, layouts
from households.models.feeds import Clearance, FeedDelivery, FeedRow
from households.queries.feed_digests import rows_there
from households.services.arrivals import delivery_arrived
from households.terms import MATTER_KEYS

FULL, ADDITION, ABSENT = "full", "addition", "absent"

_BLOCK = 2000


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a delivery changed. `unchanged`: it is the newest one of its feed again, and nothing was written."""

    delivery_id: str
    rows: int
    added: int
    retired: int
    unchanged: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a file is: whose, of which day, and the SHA-256 of its bytes. `scope` as in `FeedRow`."""

    layout: Layout
    scope: str
    mode: str
    as_of: date | None
    digest: str
    refused_cells: int = 0


@without_cycle_search()
def take_in_delivery(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    delivery: Delivery,
    rows: Iterable[Sequence[Any]],
) -> Delivered:
    """Takes in the rows of one file, values in the order of the layout's columns; the file again changes nothing.

    Raises ConflictError for a full list that is of an earlier day than the newest one: it would undo what came after.
    """
    feed, scope = delivery.layout.feed, delivery.scope
    one_at_a_time(session, f"feed:{feed}:{scope}")
    last = newest_delivery(session, feed, scope)
    erased = _retire_erased(session, feed, scope, at)
    if last is not None and is_same_file(last, delivery) and not erased:
        return Delivered(last.id, last.rows, 0, 0, unchanged=True)
    _refuse_older(session, delivery)
    work = _Intake(session, sealer, at, delivery, secrets.token_hex(16))
    for block in _blocks(rows):
        work.block(block)
    retired = work.retire_unseen() if delivery.mode != ADDITION else 0
    # Deliveries of different feeds go side by side, but are numbered one after the other.
    one_at_a_time(session, "feed_delivery")
    row = FeedDelivery(
        id=work.delivery_id,
        sequence=(session.scalar(select(func.max(FeedDelivery.sequence))) or 0) + 1,
        feed=feed,
        scope=scope,
        mode=delivery.mode,
        as_of=delivery.as_of,
        digest=delivery.digest,
        rows=work.rows,
        added=work.added,
        retired=retired,
        refused_cells=delivery.refused_cells,
        taken_in_at=at,
    )
    session.add(row)
    session.flush()
    change = Change("feed.taken_in", "feed_delivery", row.id, after=delivery.digest or None, reason=feed)
    record(session, actor, at, [change])
    delivery_arrived(session, at, row.id)
    return Delivered(row.id, work.rows, work.added, retired)


def is_same_file(last: FeedDelivery, delivery: Delivery) -> bool:
    """Whether a file is the one that was taken in last. As of another day it is news: that it still holds."""
    return (last.digest, last.mode, last.as_of) == (delivery.digest, delivery.mode, delivery.as_of)


def newest_delivery(session: Session, feed: str, scope: str) -> FeedDelivery | None:
    """The delivery of a feed that was taken in last."""
    mine = (FeedDelivery.feed == feed) & (FeedDelivery.scope == scope)
    return session.scalar(select(FeedDelivery).where(mine).order_by(FeedDelivery.sequence.desc()).limit(1))


def _retire_erased(session: Session, feed: str, scope: str, at: datetime) -> bool:
    """Retires the rows whose content was taken out at the end of its term; whether there were any.

    A file that comes again afterwards brings them anew.
    """
    mine = (FeedRow.feed == feed) & (FeedRow.scope == scope) & FeedRow.retired_at.is_(None)
    erased = table_of(FeedRow).update().where(mine & (FeedRow.sealed == ERASED)).values(retired_at=at)
    return bool(session.execute(erased).rowcount)  # type: ignore[attr-defined]  # an UPDATE's result has it


def _refuse_older(session: Session, delivery: Delivery) -> None:
    if delivery.as_of is None or delivery.mode != FULL:
        return
    mine = (FeedDelivery.feed == delivery.layout.feed) & (FeedDelivery.scope == delivery.scope)
    newest = session.scalar(select(func.max(FeedDelivery.as_of)).where(mine))
    if newest is not None and newest > delivery.as_of:
        raise ConflictError(
            f"已有截至 {newest} 的数据,不能再用截至 {delivery.as_of} 的全量数据覆盖;如为补报,请选择“增量”",
            f"there is data as of {newest}: a full list as of {delivery.as_of} would undo it; send it as an addition",
        )


def take_in_pack_feeds(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    policy_number: str,
    feeds: Feeds,
    digests: dict[str, str],
) -> None:
    """The feeds and clearances of a county pack, under the policy's number. A feed that it lacks is noted as absent."""
    for feed in FEEDS:
        rows = getattr(feeds, feed)
        layout = layouts()[feed]
        if rows is None:
            last = newest_delivery(session, feed, policy_number)
            if last is not None and last.mode != ABSENT:
                absent = Delivery(layout, policy_number, ABSENT, None, "")
                take_in_delivery(session, sealer, actor, at, absent, ())
            continue
        delivery = Delivery(layout, policy_number, FULL, None, digests[file_of(feed)])
        take_in_delivery(session, sealer, actor, at, delivery, map(_values, rows))
    _take_in_clearances(session, at, policy_number, feeds)


def _values(row: Any) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in row.__slots__)


def _take_in_clearances(session: Session, at: datetime, policy_number: str, feeds: Feeds) -> None:
    """The answers that came with a pack: those that it has no more are retired, the new ones added."""
    there = (Clearance.scope == policy_number) & Clearance.retired_at.is_(None)
    known = {
        (row.household_no, row.matter, row.cleared_on, row.passed): row
        for row in session.scalars(select(Clearance).where(there))
    }
    wanted = {
        (household, MATTER_KEYS[matter], on, passed)
        for household, matter, on, passed in map(astuple, feeds.clearances)
    }
    for key, row in known.items():
        if key not in wanted:
            row.retired_at = at
    session.flush()
    rows = [
        {
            "id": secrets.token_hex(16),
            "scope": policy_number,
            "household_no": household,
            "matter": matter,
            "cleared_on": on,
            "passed": passed,
            "evidence": None,
            "asked_by": None,
            "decided_by": None,
            "known_at": at,
            "retired_at": None,
        }
        for household, matter, on, passed in sorted(wanted - known.keys())
    ]
    bulk_insert(session, table_of(Clearance), rows)


class _Intake:
    """The rows of one delivery on their way in. Which rows it has is noted in a temporary table, not in memory."""

    def __init__(
        self, session: Session, sealer: Sealer, at: datetime, delivery: Delivery, delivery_id: str
    ) -> None:
        self._session, self._sealer, self._at = session, sealer, at
        self._layout, self._scope = delivery.layout, delivery.scope
        self.delivery_id = delivery_id
        self.rows = self.added = 0
        session.execute(text("CREATE TEMPORARY TABLE IF NOT EXISTS feed_seen (id TEXT PRIMARY KEY)"))
        session.execute(text("DELETE FROM feed_seen"))

    def block(self, rows: Sequence[Sequence[Any]]) -> None:
        """Some rows: those that are there are noted as seen, the others added."""
        layout = self._layout
        by_digest: dict[str, tuple[bytes, Sequence[Any]]] = {}
        for values in rows:
            content = orjson.dumps(values)
            by_digest[self._sealer.digest(layout.feed, content)] = content, values
        self.rows += len(rows)
        known = rows_there(self._session, layout.feed, self._scope, by_digest)
        fresh = [
            self._row(digest, content, values)
            for digest, (content, values) in by_digest.items()
            if digest not in known
        ]
        self.added += len(fresh)
        bulk_insert(self._session, table_of(FeedRow), fresh)
        if known:
            seen = "INSERT INTO feed_seen VALUES (:id) ON CONFLICT DO NOTHING"
            self._session.execute(text(seen), [{"id": identity} for identity in known.values()])

    def _row(self, digest: str, content: bytes, values: Sequence[Any]) -> dict[str, Any]:
        identity, layout = secrets.token_hex(16), self._layout
        return {
            "id": identity,
            "feed": layout.feed,
            "scope": self._scope,
            "delivery_id": self.delivery_id,
            "id_lookup": self._sealer.lookup("id_number", values[layout.person]),
            "on_day": values[layout.day] if layout.day >= 0 else None,
            "amount_fen": values[layout.amount] if layout.amount >= 0 else None,
            "sealed": self._sealer.seal("feed_row", "sealed", identity, content),
            "digest": digest,
            "known_at": self._at,
            "retired_at": None,
        }

    def retire_unseen(self) -> int:
        """Retires the rows that the feed had and this list lacks; how many."""
        there = (
            (FeedRow.feed == self._layout.feed)
            & (FeedRow.scope == self._scope)
            & FeedRow.retired_at.is_(None)
            & (FeedRow.delivery_id != self.delivery_id)
            & text("NOT EXISTS (SELECT 1 FROM feed_seen WHERE feed_seen.id = feed_row.id)")
        )
        retired = self._session.execute(table_of(FeedRow).update().where(there).values(retired_at=self._at))
        return int(retired.rowcount)  # type: ignore[attr-defined]  # an UPDATE's result has it


def _blocks(rows: Iterable[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    stream = iter(rows)
    while block := list(islice(stream, _BLOCK)):
        yield block

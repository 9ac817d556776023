"""The trail: one append-only table of events, written in the transaction of the change that they record.

An event says who (person, account, role, place, and how surely that was known), when, what, on what, why, and the
thing's digest before and after. The digests are keyed, so that nobody can guess a person's data from them. Blocks seal
the events in their order (`foundation.trail.sealing`); while a transaction has written events and is open, it holds the
trail's lock together with all others that have.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import BigInteger, Identity, Index, String, Text, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from foundation.actors import Actor
from foundation.database import Base, Instant, bulk_insert, instant_text, is_sqlite, strict, table_of


class Event(Base):
    """One event. `body` is the canonical JSON that is hashed; the other columns are for finding it."""

    __tablename__ = "event"
    __table_args__ = strict(Index(None, "subject_id"))
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    action: Mapped[str] = mapped_column(String)
    subject: Mapped[str] = mapped_column(String)
    subject_id: Mapped[str] = mapped_column(String)
    body: Mapped[str] = mapped_column(Text)


LOCK = 37032321
"""PostgreSQL advisory lock of the trail: shared by whoever has written events, for a moment alone to the sealer."""


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to one thing: `action` such as `claim.determined`, the table and row, digests before and after."""

    action: str
    subject: str
    subject_id: str
    after: str | None = None
    before: str | None = None
    reason: str | None = None


def record(session: Session, actor: Actor, at: datetime, changes: Iterable[Change]) -> int:
    """Writes one event for each change, by one actor at one instant; returns how many. The one audit writer."""
    who = {
        "account": actor.account,
        "assurance": actor.assurance,
        "person": actor.person,
        "place": actor.place,
        "role": actor.role,
    }
    acting, moment = orjson.dumps(who).decode(), instant_text(at)
    rows = [
        {
            "at": at,
            "action": change.action,
            "subject": change.subject,
            "subject_id": change.subject_id,
            "body": _body(change, acting, moment),
        }
        for change in changes
    ]
    if rows and not is_sqlite(session):  # SQLite has one writer at a time
        session.execute(text("SELECT pg_advisory_xact_lock_shared(:lock)"), {"lock": LOCK})
    bulk_insert(session, table_of(Event), rows)
    return len(rows)


def _body(change: Change, acting: str, moment: str) -> str:
    """Canonical JSON: keys in order, no spaces. Put together by hand, since a bulk run makes one for every row."""
    return (
        f'{{"action":{_quoted(change.action)},"actor":{acting}'
        f',"after":{_quoted(change.after)},"at":"{moment}","before":{_quoted(change.before)}'
        f',"reason":{orjson.dumps(change.reason).decode()}'
        f',"subject":{_quoted(change.subject)},"subject_id":{_quoted(change.subject_id)}}}'
    )


def _quoted(word: str | None) -> str:
    # Actions, tables, row ids and digests: words of the program's own, nothing to escape.
    return "null" if word is None else f'"{word}"'


def events_of(session: Session, subject_ids: Sequence[str]) -> list[Event]:
    """The events of some things, in order."""
    return list(session.scalars(select(Event).where(Event.subject_id.in_(subject_ids)).order_by(Event.id)))

"""The trail: one append-only table of events, written in the transaction of the change that they record.

An event says who (person, account, role, place, and how surely that was known), when, what, on what, why, and the
thing's digest before and after. The digests are keyed, so that nobody can guess a person's data from them. The head is
the Merkle root of RFC 6962 over all events in their order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import BigInteger, Identity, Index, String, Text, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from foundation.actors import Actor
from foundation.database import Base, Instant, bulk_insert, instant_text, strict, table_of


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


# --- RFC 6962 --------------------------------------------------------------------------------------------------------


def leaf_hash(data: bytes) -> bytes:
    """Hash of a leaf: SHA-256 of 0x00 and the data (RFC 6962 §2.1)."""
    return hashlib.sha256(b"\x00" + data).digest()


def root_of(leaves: Iterable[bytes]) -> str:
    """Merkle tree hash (RFC 6962 §2.1) of leaf hashes in order, hex; of none, the SHA-256 of nothing. Flat memory."""
    stack: list[tuple[int, bytes]] = []
    for leaf in leaves:
        size, node = 1, leaf
        while stack and stack[-1][0] == size:
            _, left = stack.pop()
            node = hashlib.sha256(b"\x01" + left + node).digest()
            size *= 2
        stack.append((size, node))
    if not stack:
        return hashlib.sha256(b"").hexdigest()
    _, node = stack.pop()
    while stack:
        _, left = stack.pop()
        node = hashlib.sha256(b"\x01" + left + node).digest()
    return node.hex()


@dataclass(frozen=True, slots=True)
class Head:
    """The head of the trail: how many events, and the root over all of them."""

    events: int
    root: str


def head(session: Session) -> Head:
    """The head over all events in their order."""
    count = session.scalar(select(func.count()).select_from(Event)) or 0
    return Head(count, root_of(leaf_hash(body.encode()) for body in _bodies(session)))


def _bodies(session: Session) -> Iterator[str]:
    rows = session.execute(select(Event.body).order_by(Event.id).execution_options(yield_per=10_000))
    for part in rows.partitions():
        yield from (row[0] for row in part)


def events_of(session: Session, subject_ids: Sequence[str]) -> list[Event]:
    """The events of some things, in order."""
    return list(session.scalars(select(Event).where(Event.subject_id.in_(subject_ids)).order_by(Event.id)))

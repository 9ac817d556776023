"""What can be asked of the trail for its pages and its API: its head, its events by filter, its blocks, its checks.

Events are found newest first by their id. A search reads a bounded number of events and says how far it came, so that
something rare in a trail of millions takes one more click and never a minute.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from claims.models import ClaimRow
from foundation.clock import SHANGHAI
from foundation.database import is_sqlite
from foundation.errors import ConfigurationError
from foundation.staff.models import Account, StaffMember
from foundation.trail.anchors import Anchor, last_anchor
from foundation.trail.checks import Checked, newest_checks
from foundation.trail.events import Event
from foundation.trail.models import TrailBlock, TrailLeaf
from foundation.trail.sealing import anchor_of, unsealed
from foundation.web.paging import Page, keyset
from webapp.trail_words import PROGRAM

LOOKED_AT = 1_000_000
"""Events that a search by day or action looks at, at most."""
OPENED = 250_000
"""Events whose text is searched for a person or a role, at most: that takes four times as long."""
_MOST_PERSONS = 50
_LONGEST_ID = 100


@dataclass(frozen=True, slots=True)
class Line:
    """One event, opened. `actor` has account, assurance, person, place and role; `block` is None until it is sealed."""

    id: int
    at: datetime
    action: str
    subject: str
    subject_id: str
    actor: Mapping[str, str]
    reason: str | None
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a search is narrowed to; None leaves a thing open. Days are business days, both included."""

    action: str | None = None
    subject_ids: tuple[str, ...] | None = None
    persons: tuple[str, ...] | None = None
    role: str | None = None
    day_from: date | None = None
    day_to: date | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One page of a search. `older` and `newer` are the ids to go on from (None: there is no more that way).

    `went_to` is the id down to which an unfinished search has looked, None when it has seen all that it wanted.
    """

    rows: list[Line]
    newer: int | None
    older: int | None
    went_to: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """The trail as it stands: its last block, what no block holds yet and since when, and its last verification."""

    block: TrailBlock | None
    unsealed: int
    unsealed_since: datetime | None
    checked: Checked | None


def standing(session: Session) -> Standing:
    """The trail as it stands."""
    block = session.scalars(select(TrailBlock).order_by(TrailBlock.number.desc()).limit(1)).first()
    after = 0 if block is None else block.last_event_id
    since = session.scalar(select(Event.at).where(Event.id > after).order_by(Event.id).limit(1))
    waiting = 0 if since is None else unsealed(session)
    return Standing(block, waiting, since, last_check(session))


@dataclass(frozen=True, slots=True)
class Anchored:
    """What the anchor file says: `state` is none, damaged, differs or agrees; `behind` counts blocks not in it yet."""

    state: str
    last: Anchor | None = None
    behind: int = 0


def anchored(session: Session, file: Path) -> Anchored:
    """Compares the last anchor with the block that the database has in its place."""
    try:
        last = last_anchor(file)
    except ConfigurationError:
        return Anchored("damaged")
    newest = session.scalar(select(func.max(TrailBlock.number))) or 0
    if last is None:
        return Anchored("none", None, newest)
    block = session.get(TrailBlock, last.block)
    state = "agrees" if block is not None and anchor_of(block) == last else "differs"
    return Anchored(state, last, max(newest - last.block, 0))


def last_check(session: Session) -> Checked | None:
    """The newest verification of the whole trail."""
    return next(iter(newest_checks(session, 1)), None)


def block_by_number(session: Session, number: int) -> TrailBlock | None:
    """A sealed block."""
    return session.get(TrailBlock, number)


def blocks(session: Session, cursor: str | None, size: int) -> Page[TrailBlock]:
    """The sealed blocks, newest first."""
    return keyset(session, select(TrailBlock), [], TrailBlock.number, cursor, size, descending=True)


def search(session: Session, wanted: Wanted, older: int | None, newer: int | None, size: int) -> Found:
    """Events newest first: those below `older`, or those above `newer`, at most `size` of them."""
    if wanted.persons == ():
        return Found([], None, None, None)  # nobody is called so
    return _above(session, wanted, newer, size) if newer is not None else _below(session, wanted, older, size)


def _above(session: Session, wanted: Wanted, newer: int, size: int) -> Found:
    query = _narrowed(session, select(Event), wanted).where(Event.id > newer)
    span = _span(wanted)
    end = None if span is None else newer + span
    if end is not None:
        query = query.where(Event.id <= end)
    rows = list(session.scalars(query.order_by(Event.id).limit(size + 1)))
    shown = [opened(event) for event in reversed(rows[:size])]
    above = shown[0].id if len(rows) > size else None
    if above is None and end is not None and end < _last_id(session):
        above = end
    return Found(shown, above, shown[-1].id if shown else newer + 1, None)


def _below(session: Session, wanted: Wanted, older: int | None, size: int) -> Found:
    top = _last_id(session) + 1 if older is None else older
    span = _span(wanted)
    if span is not None and (wanted.day_from or wanted.day_to):
        # Straight to the newest event of those days, whatever lies above it.
        days = _narrowed(session, select(Event), Wanted(day_from=wanted.day_from, day_to=wanted.day_to))
        newest = days.with_only_columns(Event.id).where(Event.id < top, Event.id >= top - LOOKED_AT)
        first = session.scalar(newest.order_by(Event.id.desc()).limit(1))
        if first is None:
            below = max(top - LOOKED_AT, 1)
            return Found([], older and older - 1, below if below > 1 else None, below if below > 1 else None)
        top = first + 1
    query = _narrowed(session, select(Event), wanted).where(Event.id < top)
    bottom = 1 if span is None else max(top - span, 1)
    if span is not None:
        query = query.where(Event.id >= bottom)
    rows = list(session.scalars(query.order_by(Event.id.desc()).limit(size + 1)))
    shown = [opened(event) for event in rows[:size]]
    more = len(rows) > size
    went_to = bottom if not more and bottom > 1 else None
    above = None if older is None else shown[0].id if shown else older - 1
    return Found(shown, above, shown[-1].id if more else went_to, went_to)


def _span(wanted: Wanted) -> int | None:
    """How many events a search may look at; None where an index leads straight to them."""
    if wanted.subject_ids is not None:
        return None
    return LOOKED_AT if wanted.persons is None and wanted.role is None else OPENED


def _last_id(session: Session) -> int:
    return session.scalar(select(func.max(Event.id))) or 0


def _narrowed(session: Session, query: Select[Event], wanted: Wanted) -> Select[Event]:
    if wanted.action is not None:
        query = query.where(Event.action == wanted.action)
    if wanted.subject_ids is not None:
        query = query.where(Event.subject_id.in_(wanted.subject_ids))
    if wanted.persons is not None:
        query = query.where(_said(session, "person").in_(wanted.persons))
    if wanted.role is not None:
        query = query.where(_said(session, "role") == wanted.role)
    if wanted.day_from is not None:
        query = query.where(Event.at >= _begin(wanted.day_from))
    if wanted.day_to is not None:
        query = query.where(Event.at < _begin(wanted.day_to + timedelta(days=1)))
    return query


def _said(session: Session, name: str) -> ColumnElement[str]:
    """The value of a name in an event's JSON, cut out as text, which is quicker than reading the JSON.

    The actor stands before the reason, and its values are ids and words: the first place is the right one.
    """
    place = func.instr if is_sqlite(session) else func.strpos
    mark = f'"{name}":"'
    rest = func.substr(Event.body, place(Event.body, mark) + len(mark), _LONGEST_ID)
    value: ColumnElement[str] = func.substr(rest, 1, place(rest, '"') - 1)
    return value


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), SHANGHAI)


def opened(event: Event) -> Line:
    """An event with what its JSON says."""
    body: dict[str, Any] = orjson.loads(event.body)
    return Line(
        event.id,
        event.at,
        event.action,
        event.subject,
        event.subject_id,
        body["actor"],
        body["reason"],
        body["before"],
        body["after"],
    )


def event_by_id(session: Session, event_id: int) -> Event | None:
    """One event."""
    return session.get(Event, event_id)


def leaf_of(session: Session, event_id: int) -> tuple[TrailLeaf, TrailBlock] | None:
    """The leaf of a sealed event and the block that holds it; None while it is not sealed."""
    leaf = session.scalars(select(TrailLeaf).where(TrailLeaf.event_id == event_id)).first()
    if leaf is None:
        return None
    query = select(TrailBlock).where(TrailBlock.events >= leaf.number).order_by(TrailBlock.events).limit(1)
    block = session.scalars(query).first()
    return None if block is None else (leaf, block)


def persons_named(session: Session, text: str) -> tuple[str, ...]:
    """Persons by part of their name or of a login, and what acts without being one (系统); at most fifty."""
    lower = text.lower()
    found = [
        who for who, pair in PROGRAM.items() if text in pair[0] or lower in pair[1].lower() or lower == who
    ]
    logins = select(Account.staff_id).where(Account.login.contains(lower, autoescape=True))
    query = (
        select(StaffMember.id)
        .where(
            or_(
                StaffMember.name.contains(text, autoescape=True),
                StaffMember.id == text,
                StaffMember.id.in_(logins),
            )
        )
        .order_by(StaffMember.id)
        .limit(_MOST_PERSONS)
    )
    return (*found, *session.scalars(query))


def claims_numbered(session: Session, claim_no: str) -> Sequence[str]:
    """Ids of the claims with a claim number; more than one where several policies have it."""
    return session.scalars(select(ClaimRow.id).where(ClaimRow.claim_no == claim_no)).all()

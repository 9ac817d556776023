"""From the departments' rows to their cases: what a delivery brought and took back, and what is there about a person.

A delivery is worked through in blocks of people, each in a transaction of its own, so that memory is flat; all of it
can be done twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from foundation import jobs
from foundation.actors import Actor
from foundation.clock import Clock
from foundation.database import Database
from foundation.errors import ConflictError, NotFound
from foundation.privacy.erasing import parts
from foundation.sealing import ERASED, Sealer
from households.layouts import layouts
from households.models.feeds import DEPARTMENT as BY_THEMSELVES
from households.models.feeds import FeedDelivery, FeedRow
from households.models.people import Cover, Person, PersonCategory
from households.models.two_times import believed
from households.models.warnings import WarningCase, WarningReport
from households.queries.warning_contents import DEPARTMENT, OWED
from households.services.deliveries import FULL
from households.services.warning_filing import Arrival, file_reports, wait_for_turn
from households.services.warning_withdrawals import note_withdrawn
from households.thresholds import thresholds
from households.warning_rules import Alert, SeenRow, Who, alert_of_row, alerts
from policies.queries import periods

LINK = "warning.link"
"""Kind of the job that marks cases whose event has a claim; an upper package carries it out."""
_BLOCK = 500
"""People whose rows are looked at in one transaction."""


def warn_of_delivery(
    database: Database, sealer: Sealer, actor: Actor, clock: Clock, delivery_id: str, job_id: str
) -> None:
    """Opens and fills cases from what a delivery brought, and notes on cases what it took back. Can run twice."""
    with database.reading() as session:
        delivery = session.get_one(FeedDelivery, delivery_id)
        feed, retired = delivery.feed, delivery.retired
    if feed in thresholds().by_feed and feed in layouts():
        for person_ids in _people_of(database, delivery_id):
            with database.transaction() as session:
                wait_for_turn(session)
                found = arrivals_of(session, sealer, person_ids, [feed])
                file_reports(session, sealer, actor, clock.now(), found)
        if retired:
            for row_ids in _taken_back(database, delivery_id):
                with database.transaction() as session:
                    wait_for_turn(session)
                    note_withdrawn(session, sealer, actor, clock.now(), row_ids)
                    found = arrivals_of(session, sealer, _people_of_rows(session, row_ids), [feed])
                    file_reports(session, sealer, actor, clock.now(), found)
    with database.transaction() as session:
        jobs.ask_for(session, LINK, [delivery_id], clock.now())
        jobs.finish(session, job_id, clock.now())


def _people_of(database: Database, delivery_id: str) -> Iterator[list[str]]:
    """People of the register whom a delivery's rows are about, in blocks; somebody may come more than once."""
    query = (
        select(func.coalesce(Person.same_as, Person.id))
        .join(FeedRow, FeedRow.id_lookup == Person.id_lookup)
        .where(FeedRow.delivery_id == delivery_id)
        .execution_options(yield_per=2 * _BLOCK)
    )
    with database.reading() as session:
        block: dict[str, None] = {}
        for person_id in session.scalars(query):
            block[person_id] = None
            if len(block) == _BLOCK:
                yield list(block)
                block.clear()
        if block:
            yield list(block)


def _taken_back(database: Database, delivery_id: str) -> Iterator[Sequence[str]]:
    """Rows on cases that a delivery retired, in blocks."""
    with database.reading() as session:
        delivery = session.get_one(FeedDelivery, delivery_id)
        query = (
            select(FeedRow.id)
            .join(WarningReport, WarningReport.feed_row_id == FeedRow.id)
            .where(
                FeedRow.feed == delivery.feed,
                FeedRow.scope == delivery.scope,
                FeedRow.retired_at == delivery.taken_in_at,
            )
        )
        found = sorted(session.scalars(query))
    yield from parts(found)


def _people_of_rows(session: Session, row_ids: Sequence[str]) -> set[str]:
    query = (
        select(WarningCase.person_id)
        .join(WarningReport, WarningReport.case_id == WarningCase.id)
        .where(WarningReport.feed_row_id.in_(row_ids))
    )
    return set(session.scalars(query))


# --- what is there about people --------------------------------------------------------------------------


def arrivals_of(
    session: Session, sealer: Sealer, person_ids: Collection[str], feeds: Collection[str] | None = None
) -> list[Arrival]:
    """The reports that the departments' rows about some people make, by person; of some feeds or of all.

    Rows that a case has already are among them: filing passes them over.
    """
    known = layouts()
    wanted = [feed for feed in thresholds().by_feed if feed in known and (feeds is None or feed in feeds)]
    rows = _rows(session, sealer, person_ids, wanted)
    who = _whoever(session, person_ids)
    found: list[Arrival] = []
    for person_id in sorted(rows):
        for feed, seen in sorted(rows[person_id].items()):
            for alert in alerts(feed, seen, who[person_id], thresholds()):
                found += _arrivals(person_id, feed, alert)
    return found


def _arrivals(person_id: str, feed: str, alert: Alert) -> list[Arrival]:
    """The reports of an alert, one for each of its rows."""
    return [
        Arrival(
            person_id=person_id,
            event=alert.event,
            event_on=alert.event_on,
            on=row.on,
            channel=DEPARTMENT,
            reported_at=row.known_at,
            content={"feed": feed, "rule": alert.rule, "thing": row.thing, "amount_fen": row.amount_fen},
            opens=alert.due,
            department=layouts()[feed].department,
            feed_row_id=row.row_id,
        )
        for row in alert.rows
    ]


def who_is(session: Session, person_id: str) -> Who:
    """One person with their categories and the years of their policies."""
    return _whoever(session, [person_id])[person_id]


def open_for_row(
    session: Session, sealer: Sealer, actor: Actor, at: datetime, person_id: str, feed_row_id: str
) -> str:
    """The case of a department's row that somebody found owed and not claimed 应赔未赔, opened where there is none.

    Raises NotFound for a row that is not the person's, ConflictError for one that tells of no event.
    """
    wait_for_turn(session)
    there = session.scalar(select(WarningReport.case_id).where(WarningReport.feed_row_id == feed_row_id))
    if there is not None:
        return there
    row = session.get(FeedRow, feed_row_id)
    if row is None or person_id not in _whose(session, [row.id_lookup]).values():
        raise NotFound
    alert = None
    if row.feed in layouts() and row.sealed != ERASED:
        alert = alert_of_row(row.feed, _seen(sealer, row), who_is(session, person_id), thresholds())
    found = [] if alert is None else _arrivals(person_id, row.feed, alert)
    told = [replace(one, channel=OWED, reported_at=at, reported_by=actor.person) for one in found]
    filed = file_reports(session, sealer, actor, at, told)
    if not filed.case_of:
        raise ConflictError(
            "这条部门数据不能立案:不属预警事件,或本人不在任何户内",
            "this row makes no case: it tells of no event of early warning, or the person is in no household",
        )
    return next(iter(filed.case_of.values()))


def _rows(
    session: Session, sealer: Sealer, person_ids: Collection[str], feeds: Sequence[str]
) -> dict[str, dict[str, list[SeenRow]]]:
    """Person → feed → the rows about them that count: each content once, whichever delivery brought it first."""
    superseded = _superseded(session, feeds)
    found: dict[str, dict[str, dict[str, SeenRow]]] = defaultdict(lambda: defaultdict(dict))
    lookups = _lookups(session, person_ids)
    for some in parts(sorted(lookups)):
        query = (
            select(FeedRow)
            .join(FeedDelivery, FeedDelivery.id == FeedRow.delivery_id)
            .where(
                FeedRow.id_lookup.in_(some),
                FeedRow.feed.in_(feeds),
                FeedRow.retired_at.is_(None),
                FeedRow.sealed != ERASED,
            )
            .order_by(FeedDelivery.sequence, FeedRow.id)
        )
        for row in session.scalars(query):
            if row.scope != BY_THEMSELVES and row.feed in superseded:
                continue
            found[lookups[row.id_lookup]][row.feed].setdefault(row.digest, _seen(sealer, row))
    return {
        person_id: {feed: list(rows.values()) for feed, rows in by_feed.items()}
        for person_id, by_feed in found.items()
    }


def _seen(sealer: Sealer, row: FeedRow) -> SeenRow:
    layout = layouts()[row.feed]
    values = layout.from_stored(orjson.loads(sealer.reveal("feed_row", "sealed", row.id, row.sealed)))
    named: dict[str, Any] = {
        column.field: value for column, value in zip(layout.columns, values, strict=True)
    }
    return SeenRow(row.id, row.known_at, row.on_day, named)


def _superseded(session: Session, feeds: Sequence[str]) -> set[str]:
    """Feeds whose department has sent its whole list: a pack's copy of that feed says nothing any more."""
    query = select(FeedDelivery.feed).where(
        FeedDelivery.scope == BY_THEMSELVES, FeedDelivery.mode == FULL, FeedDelivery.feed.in_(feeds)
    )
    return set(session.scalars(query.distinct()))


def _lookups(session: Session, person_ids: Collection[str]) -> dict[str, str]:
    """Keyed digest of an ID number → the person; a record that was found to be the person's, too, counts."""
    found: dict[str, str] = {}
    owner = func.coalesce(Person.same_as, Person.id)
    for some in parts(sorted(person_ids)):
        found.update(dict(session.execute(select(Person.id_lookup, owner).where(owner.in_(some))).all()))
    return found


def _whose(session: Session, lookups: Sequence[str]) -> dict[str, str]:
    owner = func.coalesce(Person.same_as, Person.id)
    query = select(Person.id_lookup, owner).where(Person.id_lookup.in_(lookups))
    return dict(session.execute(query).all())


def _whoever(session: Session, person_ids: Collection[str]) -> dict[str, Who]:
    """The people with their categories and the years of their policies."""
    years = periods(session)
    categories: dict[str, set[str]] = defaultdict(set)
    spans: dict[str, set[tuple[date, date]]] = defaultdict(set)
    for some in parts(sorted(person_ids)):
        covers = select(Cover.person_id, Cover.policy_number, Cover.category)
        for person_id, number, category in session.execute(
            covers.where(Cover.person_id.in_(some), believed(Cover))
        ):
            categories[person_id].add(category)
            if number in years:
                spans[person_id].add(years[number])
        kept = select(PersonCategory.person_id, PersonCategory.category).where(
            PersonCategory.person_id.in_(some),
            believed(PersonCategory),
            PersonCategory.valid_to.is_(None),
        )
        by_hand: dict[str, set[str]] = defaultdict(set)
        for person_id, category in session.execute(kept):
            by_hand[person_id].add(category)
        categories |= by_hand  # The register's word comes first.
    return {
        person_id: Who(person_id, frozenset(categories[person_id]), tuple(sorted(spans[person_id])))
        for person_id in person_ids
    }

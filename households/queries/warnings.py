"""Cases of early warning: the list of a place, counts of the home page and by town, lags, a household's time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import date
from statistics import median_low
from typing import Any

from flask import url_for
from sqlalchemy import ColumnElement, case, exists, func, select
from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.clock import business_day
from foundation.masking import Audience, id_number_for
from foundation.places import TOWN_DIGITS, within
from foundation.sealing import Sealer
from foundation.web.paging import Page, keyset
from households.models.people import HouseholdRow, Person
from households.models.warnings import WarningCase, WarningReport
from households.queries.covering import Insured, last_day_of_notice, policies_covering
from households.queries.people import identity
from households.terms import CASE_OUTCOMES, WARNING_CHANNELS, WARNING_LINES
from households.timeline import Item

PAGE = 50
"""Cases on a page."""
_OPEN_FIRST = case((WarningCase.state == "open", 0), else_=1)


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list is narrowed to; None leaves a thing open. `place` is a town's or a village's code."""

    line: str | None = None
    place: str | None = None
    state: str | None = None
    source: str | None = None
    """A channel of `households.terms.WARNING_CHANNELS` that has reported."""

    def chosen(self) -> dict[str, str]:
        """Those that are set, as they stand in an address."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class ListedCase:
    """A case as the list shows it. Name and number (masked) are None once they were erased.

    `notify_by` is the last day of notice under the policy that covers the person on the event's day, None without one.
    """

    id: str
    number: str
    state: str
    line: str
    event_on: date
    amount_fen: int | None
    opened_on: date
    household_id: str
    household_no: str
    town: str
    village: str
    name: str | None
    id_number: str | None
    channels: tuple[str, ...]
    notify_by: date | None
    claim_no: str | None
    outcome: str | None

    def days_since(self, today: date) -> int:
        """Days from the event until a day."""
        return max(0, (today - self.event_on).days)

    def days_left(self, today: date) -> int | None:
        """Days left to notify the insurer; negative once they are over; None where no policy says."""
        return None if self.notify_by is None else (self.notify_by - today).days


def page_of_cases(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    filters: Filters,
    cursor: str | None,
    size: int = PAGE,
) -> Page[ListedCase]:
    """Cases within the actor's place: the open ones first, of them the earliest event first, whose time runs out first.

    Raises BadRequest for a cursor of another list.
    """
    query = select(WarningCase).where(within(WarningCase.village_code, actor.place), *_narrowed(filters))
    page = keyset(session, query, [_OPEN_FIRST, WarningCase.event_on], WarningCase.id, cursor, size)
    return Page(listed(session, sealer, page.rows), page.newer, page.older)


def _narrowed(filters: Filters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for column, value in ((WarningCase.line, filters.line), (WarningCase.state, filters.state)):
        if value is not None:
            found.append(column == value)
    if filters.place is not None:
        found.append(within(WarningCase.village_code, filters.place))
    if filters.source is not None:
        reported = (WarningReport.case_id == WarningCase.id) & (WarningReport.channel == filters.source)
        found.append(exists().where(reported))
    return found


def listed(session: Session, sealer: Sealer, cases: Sequence[WarningCase]) -> list[ListedCase]:
    """Some cases as a list shows them, in their order: a fixed number of statements."""
    homes = _by_id(session, HouseholdRow, {row.household_id for row in cases})
    people = _by_id(session, Person, {row.person_id for row in cases})
    channels: dict[str, set[str]] = defaultdict(set)
    query = select(WarningReport.case_id, WarningReport.channel)
    for case_id, channel in session.execute(
        query.where(WarningReport.case_id.in_([row.id for row in cases]))
    ):
        channels[case_id].add(channel)
    asked = {row.id: Insured(row.person_id, row.event_on) for row in cases}
    policies = policies_covering(session, asked.values())
    found = []
    for row in cases:
        number, name = identity(sealer, people[row.person_id])
        home, policy = homes[row.household_id], policies.get(asked[row.id])
        found.append(
            ListedCase(
                id=row.id,
                number=row.number,
                state=row.state,
                line=row.line,
                event_on=row.event_on,
                amount_fen=row.amount_fen,
                opened_on=business_day(row.opened_at),
                household_id=row.household_id,
                household_no=home.household_no,
                town=home.town,
                village=home.village,
                name=name,
                id_number=None if number is None else id_number_for(Audience.OFFICER, number),
                channels=tuple(channel for channel in WARNING_CHANNELS if channel in channels[row.id]),
                notify_by=None if policy is None else last_day_of_notice(policy, row.event_on),
                claim_no=row.claim_no,
                outcome=row.outcome,
            )
        )
    return found


def _by_id(session: Session, model: Any, ids: Collection[str]) -> dict[str, Any]:
    return {row.id: row for row in session.scalars(select(model).where(model.id.in_(ids)))}


# --- counts --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenCases:
    """Open cases within a place: how many, what is borne in them in fen, and how many only people have told of."""

    count: int
    amount_fen: int
    told_by_people: int


def open_cases(session: Session, place: str) -> OpenCases:
    """The open cases of a place."""
    mine = (WarningCase.state == "open") & within(WarningCase.village_code, place)
    count, amount = session.execute(select(func.count(), func.sum(WarningCase.amount_fen)).where(mine)).one()
    by_row = exists().where(WarningReport.case_id == WarningCase.id, WarningReport.feed_row_id.is_not(None))
    told = session.scalar(select(func.count()).select_from(WarningCase).where(mine, ~by_row))
    return OpenCases(count, int(amount or 0), told or 0)


@dataclass(frozen=True, slots=True)
class TownCases:
    """Open cases of a town by line, for the dashboard."""

    town_code: str
    town: str
    by_line: dict[str, int]

    @property
    def count(self) -> int:
        """All its open cases."""
        return sum(self.by_line.values())


def open_cases_by_town(session: Session, place: str) -> list[TownCases]:
    """The open cases of each town of a place by line, by the town's code."""
    code = func.substr(WarningCase.village_code, 1, TOWN_DIGITS)
    query = (
        select(code, func.min(HouseholdRow.town), WarningCase.line, func.count())
        .join(HouseholdRow, HouseholdRow.id == WarningCase.household_id)
        .where(WarningCase.state == "open", within(WarningCase.village_code, place))
        .group_by(code, WarningCase.line)
    )
    found: dict[str, TownCases] = {}
    for town_code, town, line, count in session.execute(query.order_by(code)):
        there = found.setdefault(town_code, TownCases(town_code, town, dict.fromkeys(WARNING_LINES, 0)))
        there.by_line[line] += count
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Lag:
    """How many days passed from an event to its first report: the median of the cases of a channel and a month."""

    month: str
    """Of the report: `2020-12`."""
    channel: str
    cases: int
    median_days: int


def lags(session: Session, place: str, since: date) -> list[Lag]:
    """The lags of the cases whose first report came since a day, by month and channel."""
    first = (
        select(WarningReport.case_id, func.min(WarningReport.reported_at).label("at"))
        .group_by(WarningReport.case_id)
        .subquery()
    )
    query = (
        select(
            WarningReport.case_id, WarningReport.reported_at, WarningReport.channel, WarningReport.lag_days
        )
        .join(first, (first.c.case_id == WarningReport.case_id) & (first.c.at == WarningReport.reported_at))
        .join(WarningCase, WarningCase.id == WarningReport.case_id)
        .where(within(WarningCase.village_code, place))
        .order_by(WarningReport.case_id, WarningReport.lag_days)
    )
    days: dict[tuple[str, str], list[int]] = defaultdict(list)
    seen: set[str] = set()
    for case_id, at, channel, lag in session.execute(query):
        reported_on = business_day(at)
        if case_id not in seen and reported_on >= since:
            days[f"{reported_on:%Y-%m}", channel].append(lag)
        seen.add(case_id)
    return [
        Lag(month, channel, len(found), median_low(found)) for (month, channel), found in sorted(days.items())
    ]


# --- a household's time --------------------------------------------------------------------------------


def timeline_of(session: Session, sealer: Sealer, household_id: str) -> list[Item]:  # noqa: ARG001  # as every subject's
    """What early warning has to say of a household's time: each case when it was opened, and how it ended."""
    rows = session.scalars(
        select(WarningCase).where(WarningCase.household_id == household_id).order_by(WarningCase.number)
    )
    found: list[Item] = []
    for row in rows:
        url = url_for("warnings.shown", case_id=row.id)
        zh, en = WARNING_LINES[row.line]
        about = (f"{row.number} · 事件日 {row.event_on}", f"{row.number} · event of {row.event_on}")
        opened = (f"{zh}预警", f"Warning: {en}")
        found.append(Item(business_day(row.opened_at), "warning", opened, about, url))
        if row.closed_at is not None:
            found.append(Item(business_day(row.closed_at), "warning", _ended(row), about, url))
    return found


def _ended(row: WarningCase) -> tuple[str, str]:
    if row.state == "claimed":
        return f"预警已报案:{row.claim_no}", f"Warning became claim {row.claim_no}"
    zh, en = CASE_OUTCOMES[row.outcome or ""]
    return f"预警结束:{zh}", f"Warning ended: {en}"

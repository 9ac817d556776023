"""Cases of early warning 预警案件: every report of an event finds its one open case, by whichever road it comes.

Reports come as `Arrival`s. One transaction at a time files them, and the database holds that there is one open case for
a household and event. What was filed once is passed over, so that the same work can run twice.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.clock import business_day
from foundation.counters import take_numbers
from foundation.database import bulk_insert, one_at_a_time, table_of
from foundation.errors import ConflictError, InvalidInput, NotFound
from foundation.places import within
from foundation.privacy.erasing import parts
from foundation.sealing import ERASED, Sealer
from foundation.trail.events import Change, record
from households.models.feeds import FeedRow
from households.models.people import HouseholdRow, Membership
from households.models.two_times import believed
from households.models.warnings import WarningCase, WarningReport
from households.terms import DISMISSALS, TRANSFERS
from households.thresholds import thresholds
from households.warning_rules import Event, Sum, what_is_borne

_WORK = "warnings"
DEPARTMENT, OWED = "department", "owed"
_BY_ROW = (DEPARTMENT, OWED)
"""Channels whose reports rest on a department's row."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A report on its way to its case. `event_on` is the event's day, `on` the day that this report speaks of.

    `content` is what was written down and is sealed: amount_fen (or None), feed and thing of a row, what and note of a
    person. `opens` False: it joins an open case and never opens one.
    """

    person_id: str
    event: Event
    event_on: date
    on: date
    channel: str
    reported_at: datetime
    content: Mapping[str, Any]
    opens: bool = True
    department: str | None = None
    feed_row_id: str | None = None
    reported_by: str | None = None
    report_id: str = field(default_factory=lambda: secrets.token_hex(16))


@dataclass(frozen=True, slots=True)
class Filed:
    """What came of some arrivals: cases opened and reports filed, each report's case by the report's id."""

    opened: tuple[str, ...]
    case_of: Mapping[str, str]


def event_key(sealer: Sealer, event: Event) -> str:
    """The keyed digest of what makes an event the same."""
    content = orjson.dumps([event.line, event.kind, *event.parts])
    return sealer.digest("warning_event", content)


def file_reports(
    session: Session, sealer: Sealer, actor: Actor, at: datetime, arrivals: Sequence[Arrival]
) -> Filed:
    """Files reports with their cases, opening those that there are not yet. People without a household are left out."""
    if not arrivals:
        return Filed((), {})
    one_at_a_time(session, _WORK)
    return _Filing(session, sealer, actor, at, arrivals).run()


@dataclass(frozen=True, slots=True)
class Home:
    """The household that a person belongs to, and where it is."""

    household_id: str
    village_code: str


def homes_of(session: Session, person_ids: Collection[str]) -> dict[str, list[tuple[Membership, Home]]]:
    """Person → their memberships with the households, by first day."""
    found: dict[str, list[tuple[Membership, Home]]] = defaultdict(list)
    for some in parts(sorted(person_ids)):
        query = (
            select(Membership, HouseholdRow.id, HouseholdRow.village_code)
            .join(HouseholdRow, HouseholdRow.id == Membership.household_id)
            .where(Membership.person_id.in_(some), believed(Membership))
        )
        for member, household_id, code in session.execute(query):
            found[member.person_id].append((member, Home(household_id, code)))
    for rows in found.values():
        rows.sort(key=lambda row: (row[0].valid_from or date.min, row[0].id))
    return found


def home_on(memberships: Sequence[tuple[Membership, Home]], day: date) -> Home | None:
    """The household on a day: of somebody who has none then, the last one before it, else the first one after."""
    if not memberships:
        return None
    begun = [home for member, home in memberships if (member.valid_from or date.min) <= day]
    return begun[-1] if begun else memberships[0][1]


@dataclass(slots=True)
class _Case:
    """A case as far as filing looks at it. `own_keys` are the keys by which departments named its event themselves."""

    row: dict[str, Any]
    own_keys: set[str] = field(default_factory=set)
    sums: list[Sum] = field(default_factory=list)


class _Filing:
    """Finds or opens the case of each arrival, in their order, and writes all at the end."""

    def __init__(
        self,
        session: Session,
        sealer: Sealer,
        actor: Actor,
        at: datetime,
        arrivals: Sequence[Arrival],
    ) -> None:
        self._session, self._sealer, self._actor, self._at = session, sealer, actor, at
        self._homes = homes_of(session, {arrival.person_id for arrival in arrivals})
        self._filed_rows = filed_rows(session, [a.feed_row_id for a in arrivals if a.feed_row_id])
        self._arrivals = [a for a in arrivals if a.feed_row_id is None or a.feed_row_id not in self._filed_rows]
        self._cases = self._open_cases()
        self._opened: list[_Case] = []
        self._touched: dict[str, _Case] = {}
        self._reports: list[dict[str, Any]] = []
        self._changes: list[Change] = []

    def run(self) -> Filed:
        case_of: dict[str, str] = {}
        seen: set[str] = set()
        for arrival in self._arrivals:
            if arrival.feed_row_id is not None and arrival.feed_row_id in seen:
                continue
            case = self._case_of(arrival)
            if case is None:
                continue
            if arrival.feed_row_id is not None:
                seen.add(arrival.feed_row_id)
            case_of[arrival.report_id] = case.row["id"]
            self._add(case, arrival)
        self._write()
        return Filed(tuple(case.row["id"] for case in self._opened), case_of)

    # --- finding ---------------------------------------------------------------------------------------

    def _open_cases(self) -> list[_Case]:
        """The open cases of the people at hand and of their households, with what departments say in them."""
        people = {arrival.person_id for arrival in self._arrivals}
        households = {home.household_id for person in people for _m, home in self._homes.get(person, ())}
        cases: dict[str, _Case] = {}
        for column, ids in ((WarningCase.person_id, people), (WarningCase.household_id, households)):
            for some in parts(sorted(ids)):
                open_ones = (WarningCase.state == "open") & column.in_(some)
                for row in self._session.execute(select(table_of(WarningCase)).where(open_ones)):
                    cases.setdefault(row.id, _Case(dict(row._mapping)))
        for some in parts(sorted(cases)):
            query = (
                select(WarningReport, FeedRow.retired_at)
                .outerjoin(FeedRow, FeedRow.id == WarningReport.feed_row_id)
                .where(WarningReport.case_id.in_(some), WarningReport.sealed != ERASED)
            )
            for report, retired_at in self._session.execute(query):
                content = open_report(self._sealer, report.id, report.sealed)
                self._note(cases[report.case_id], report.channel, content, report.reported_at, retired_at)
        return sorted(cases.values(), key=lambda case: (case.row["event_on"], case.row["number"]))

    def _note(
        self,
        case: _Case,
        channel: str,
        content: Mapping[str, Any],
        reported_at: datetime,
        retired_at: datetime | None = None,
    ) -> None:
        if retired_at is not None:
            return
        if channel in _BY_ROW:
            case.own_keys.add(event_key(self._sealer, event_from(content["event"])))
        sum_ = sum_of(channel, content, reported_at)
        if sum_ is not None:
            case.sums.append(sum_)

    def _case_of(self, arrival: Arrival) -> _Case | None:
        """The open case of an arrival's event; a new one where there is none and it opens one."""
        home = home_on(self._homes.get(arrival.person_id, ()), arrival.event_on)
        if home is None:
            return None
        key = event_key(self._sealer, arrival.event)
        mine = [case for case in self._cases if self._same_subject(case, arrival, home)]
        same = [case for case in mine if case.row["event_key"] == key or key in case.own_keys]
        if not same and arrival.event.kind == "accident":
            same = self._near(mine, arrival)
        if same:
            return same[0]
        return self._new(arrival, home, key) if arrival.opens else None

    def _same_subject(self, case: _Case, arrival: Arrival, home: Home) -> bool:
        if arrival.event.of_household:
            return bool(case.row["household_id"] == home.household_id)
        return bool(case.row["person_id"] == arrival.person_id)

    def _near(self, cases: Iterable[_Case], arrival: Arrival) -> list[_Case]:
        """Cases of an accident some days apart that may be this one, the nearest first.

        Two that departments gave different numbers are two.
        """
        most = thresholds().accident_days_apart
        numbered = arrival.channel in _BY_ROW
        found = [
            (abs((case.row["event_on"] - arrival.on).days), case)
            for case in cases
            if case.row["line"] == "accident" and case.row["kind_is_accident"] and not (numbered and case.own_keys)
        ]
        found.sort(key=lambda item: item[0])
        return [case for days, case in found if days <= most]

    # --- adding ----------------------------------------------------------------------------------------

    def _new(self, arrival: Arrival, home: Home, key: str) -> _Case:
        year = business_day(self._at).year
        (number,) = take_numbers(self._session, f"warning:{year}")
        case = _Case(
            {
                "id": secrets.token_hex(16),
                "number": f"YJ{year}{number:06d}",
                "household_id": home.household_id,
                "person_id": arrival.person_id,
                "village_code": home.village_code,
                "line": arrival.event.line,
                "event_key": key,
                "event_on": arrival.event_on,
                "amount_fen": None,
                "state": "open",
                "opened_at": self._at,
                "closed_at": None,
                "closed_by": None,
                "outcome": None,
                "claim_no": None,
                "changed_at": self._at,
            }
        )
        self._cases.append(case)
        self._opened.append(case)
        return case

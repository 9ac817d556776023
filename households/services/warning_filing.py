"""Filing reports of early warning: each finds its event's one open case, by whichever road it comes, or opens it.

One transaction at a time files reports, and the database holds that a household has one open case for an event. A
department's row that was filed once is passed over, so that the same work can run twice.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.clock import business_day
from foundation.counters import take_numbers
from foundation.database import bulk_insert, one_at_a_time, table_of
from foundation.privacy.erasing import parts
from foundation.sealing import ERASED, Sealer
from foundation.trail.events import Change, record
from households.models.feeds import FeedRow
from households.models.warnings import WarningCase, WarningReport
from households.queries.warning_contents import (
    BY_ROW,
    Home,
    content_of,
    event_in,
    event_key,
    home_on,
    homes_of,
    sum_in,
)
from households.thresholds import thresholds
from households.warning_rules import Event, Sum, what_is_borne

WORK = "warnings"
"""What one transaction at a time does."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A report on its way to its case. `event_on` is the event's day, `on` the day that this report speaks of.

    `content` is sealed: `amount_fen` (or None), of a department's row `feed`, `thing` and `rule`, of a person `what`
    and `note`. `opens` False: it joins an open case and opens none.
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
    """What came of some arrivals: ids of the cases that were opened, and each filed report's case by its id."""

    opened: tuple[str, ...]
    case_of: Mapping[str, str]


def file_reports(
    session: Session, sealer: Sealer, actor: Actor, at: datetime, arrivals: Sequence[Arrival]
) -> Filed:
    """Files reports with their cases, opening those that there are not yet; who is in no household is left out.

    The transaction is the only one of its kind until it ends (`wait_for_turn`).
    """
    if not arrivals:
        return Filed((), {})
    wait_for_turn(session)
    return _Filing(session, sealer, actor, at, arrivals).run()


def wait_for_turn(session: Session) -> None:
    """Lets one transaction at a time look for cases and open them."""
    one_at_a_time(session, WORK)


# --- filing --------------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class _Case:
    """An open case as far as filing looks at it.

    `numbered` are the keys of its event as the departments in it name it themselves.
    """

    row: dict[str, Any]
    kind: str = ""
    numbered: set[str] = field(default_factory=set)
    sums: list[Sum] = field(default_factory=list)


class _Filing:
    """Finds or opens the case of each arrival, in their order, and writes all at the end."""

    def __init__(
        self, session: Session, sealer: Sealer, actor: Actor, at: datetime, arrivals: Sequence[Arrival]
    ) -> None:
        self._session, self._sealer, self._actor, self._at = session, sealer, actor, at
        filed = _filed_rows(session, [one.feed_row_id for one in arrivals if one.feed_row_id is not None])
        self._arrivals = [one for one in arrivals if one.feed_row_id is None or one.feed_row_id not in filed]
        self._homes = homes_of(session, {one.person_id for one in self._arrivals})
        self._of_person: dict[str, list[_Case]] = defaultdict(list)
        self._of_household: dict[str, list[_Case]] = defaultdict(list)
        self._opened: list[_Case] = []
        self._touched: list[_Case] = []
        self._reports: dict[str, dict[str, Any]] = {}
        self._changes: list[Change] = []

    def run(self) -> Filed:
        """Files all; a row that comes twice is filed once."""
        self._find_open_cases()
        seen: set[str] = set()
        for arrival in self._arrivals:
            if arrival.feed_row_id in seen:
                continue
            case = self._case_of(arrival)
            if case is not None:
                self._add(case, arrival)
                if arrival.feed_row_id is not None:
                    seen.add(arrival.feed_row_id)
        self._write()
        return Filed(
            tuple(case.row["id"] for case in self._opened),
            {identity: row["case_id"] for identity, row in self._reports.items()},
        )

    def _find_open_cases(self) -> None:
        """The open cases of the people at hand and of their households, with what is said in them."""
        people = list(self._homes)
        households = [home.household_id for homes in self._homes.values() for home in homes]
        cases: dict[str, _Case] = {}
        for column, ids in ((WarningCase.person_id, people), (WarningCase.household_id, households)):
            for some in parts(sorted(set(ids))):
                query = select(table_of(WarningCase)).where(WarningCase.state == "open", column.in_(some))
                for row in self._session.execute(query).mappings():
                    cases.setdefault(row["id"], _Case(dict(row)))
        for some in parts(sorted(cases)):
            query = (
                select(WarningReport, FeedRow.retired_at)
                .outerjoin(FeedRow, FeedRow.id == WarningReport.feed_row_id)
                .where(WarningReport.case_id.in_(some), WarningReport.sealed != ERASED)
            )
            for report, retired_at in self._session.execute(query):
                content = content_of(self._sealer, report.id, report.sealed)
                self._note(cases[report.case_id], report.channel, content, report.reported_at, retired_at)
        for case in sorted(cases.values(), key=lambda case: (case.row["event_on"], case.row["number"])):
            self._index(case)

    def _index(self, case: _Case) -> None:
        self._of_person[case.row["person_id"]].append(case)
        self._of_household[case.row["household_id"]].append(case)

    def _note(
        self,
        case: _Case,
        channel: str,
        content: Mapping[str, Any],
        reported_at: datetime,
        retired_at: datetime | None = None,
    ) -> None:
        """What a report tells of its case. A row that its department stands by no more gives no sum."""
        event = event_in(content)
        case.kind = case.kind or event.kind
        if channel in BY_ROW:
            case.numbered.add(event_key(self._sealer, event))
        found = None if retired_at is not None else sum_in(channel, content, reported_at)
        if found is not None:
            case.sums.append(found)

    def _case_of(self, arrival: Arrival) -> _Case | None:
        """The open case of an arrival's event; a new one where there is none and it opens one."""
        home = home_on(self._homes.get(arrival.person_id, ()), arrival.event_on)
        if home is None:
            return None
        key = event_key(self._sealer, arrival.event)
        mine = (
            self._of_household[home.household_id]
            if arrival.event.of_household
            else self._of_person[arrival.person_id]
        )
        same = [case for case in mine if case.row["event_key"] == key or key in case.numbered]
        if not same and arrival.event.kind == "accident":
            same = _near(mine, arrival)
        if same:
            return same[0]
        return self._new(arrival, home, key) if arrival.opens else None

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
        self._index(case)
        self._opened.append(case)
        self._changes.append(Change("warning.opened", "warning_case", case.row["id"], after=key))
        return case

    def _add(self, case: _Case, arrival: Arrival) -> None:
        """A report of the case, with its event in the trail."""
        event = arrival.event
        content = {"amount_fen": None, **arrival.content, "on": arrival.on.isoformat()}
        content["event"] = [event.line, event.kind, *event.parts]
        text = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
        digest = self._sealer.digest("warning_report", text)
        self._reports[arrival.report_id] = {
            "id": arrival.report_id,
            "case_id": case.row["id"],
            "channel": arrival.channel,
            "department": arrival.department,
            "feed_row_id": arrival.feed_row_id,
            "reported_at": arrival.reported_at,
            "reported_by": arrival.reported_by,
            "lag_days": max(0, (business_day(arrival.reported_at) - arrival.on).days),
            "sealed": self._sealer.seal("warning_report", "sealed", arrival.report_id, text),
            "digest": digest,
        }
        self._note(case, arrival.channel, content, arrival.reported_at)
        self._touched.append(case)
        self._changes.append(
            Change("warning.reported", "warning_case", case.row["id"], after=digest, reason=arrival.channel)
        )

    # --- writing ---------------------------------------------------------------------------------------

    def _write(self) -> None:
        for case in self._touched:
            case.row |= {"amount_fen": what_is_borne(case.sums), "changed_at": self._at}
        fresh = [case.row for case in self._opened]
        bulk_insert(self._session, table_of(WarningCase), fresh)
        new = {row["id"] for row in fresh}
        joined = {case.row["id"]: case.row for case in self._touched if case.row["id"] not in new}
        if joined:
            table = table_of(WarningCase)
            statement = update(table).where(table.c.id == bindparam("row_id"))
            values = {"amount_fen": bindparam("amount"), "changed_at": self._at}
            rows = [{"row_id": row["id"], "amount": row["amount_fen"]} for row in joined.values()]
            self._session.connection().execute(statement.values(values), rows)
        bulk_insert(self._session, table_of(WarningReport), list(self._reports.values()))
        record(self._session, self._actor, self._at, self._changes)


def _near(cases: Iterable[_Case], arrival: Arrival) -> list[_Case]:
    """Open cases of an accident a few days off that may be this one, the nearest first.

    Two that departments gave different numbers are two.
    """
    most = thresholds().accident_days_apart
    by_row = arrival.channel in BY_ROW
    found = [
        (abs((case.row["event_on"] - arrival.on).days), case)
        for case in cases
        if case.kind == "accident" and not (by_row and case.numbered)
    ]
    found.sort(key=lambda item: item[0])
    return [case for days, case in found if days <= most]


def _filed_rows(session: Session, row_ids: Collection[str]) -> set[str]:
    """Those of some rows that a case, open or closed, has as a report."""
    found: set[str] = set()
    for some in parts(sorted(set(row_ids))):
        query = select(WarningReport.feed_row_id).where(WarningReport.feed_row_id.in_(some))
        found.update(row for row in session.scalars(query) if row is not None)
    return found

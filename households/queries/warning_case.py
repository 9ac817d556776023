"""One case of early warning with all that was reported, as its page shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.errors import NotFound
from foundation.places import within
from foundation.sealing import ERASED, Sealer
from households.layouts import layouts
from households.models.feeds import FeedRow
from households.models.warnings import WarningCase, WarningReport
from households.queries.warning_contents import content_of, event_in
from households.queries.warnings import ListedCase, listed
from households.thresholds import thresholds
from households.warning_details import Detail, details
from households.warning_rules import Event


@dataclass(frozen=True, slots=True)
class ReportLine:
    """A report of a case. `rule`, `feed`, `details` and `withdrawn_at` are of a department's row; `what`, `note` and
    `photo` (whether there is one) of a person's; what was erased is None.
    """

    id: str
    channel: str
    department: str | None
    reported_at: datetime
    reported_by: str | None
    lag_days: int
    on: date | None
    amount_fen: int | None
    feed: str | None
    feed_row_id: str | None
    rule: str | None
    details: tuple[Detail, ...]
    withdrawn_at: datetime | None
    what: str | None
    note: str | None
    photo: bool


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case with everything around it. `event` is None where its reports were erased."""

    case: ListedCase
    person_id: str
    village_code: str
    event: Event | None
    reports: tuple[ReportLine, ...]
    """By moment."""
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    changed_at: datetime

    @property
    def refer(self) -> bool:
        """Whether every report is of a kind that no insurance answers: it is to be transferred."""
        rules = thresholds().by_key
        said = [report.rule is not None and rules[report.rule].refer for report in self.reports]
        return bool(said) and all(said)

    @property
    def feed_rows(self) -> tuple[str, ...]:
        """The feeds whose rows it rests on, in order."""
        return tuple(dict.fromkeys(report.feed for report in self.reports if report.feed is not None))


def case_by_id(session: Session, sealer: Sealer, actor: Actor, case_id: str) -> CaseView:
    """A case within the actor's place. Raises NotFound where there is none, or it lies elsewhere."""
    row = _case_row(session, actor, case_id)
    reports, event = _reports(session, sealer, case_id)
    (shown,) = listed(session, sealer, [row])
    return CaseView(
        case=shown,
        person_id=row.person_id,
        village_code=row.village_code,
        event=event,
        reports=tuple(reports),
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        closed_by=row.closed_by,
        changed_at=row.changed_at,
    )


def photo_of(session: Session, sealer: Sealer, actor: Actor, case_id: str, report_id: str) -> tuple[str, str]:
    """(stored file, media type) of the picture of a report. Raises NotFound where there is none."""
    _case_row(session, actor, case_id)
    report = session.get(WarningReport, report_id)
    if report is None or report.case_id != case_id or report.sealed == ERASED:
        raise NotFound
    photo = content_of(sealer, report.id, report.sealed).get("photo")
    if photo is None:
        raise NotFound
    return report.id, photo["media_type"]


def _case_row(session: Session, actor: Actor, case_id: str) -> WarningCase:
    mine = (WarningCase.id == case_id) & within(WarningCase.village_code, actor.place)
    row = session.scalar(select(WarningCase).where(mine))
    if row is None:
        raise NotFound
    return row


def _reports(session: Session, sealer: Sealer, case_id: str) -> tuple[list[ReportLine], Event | None]:
    query = (
        select(WarningReport, FeedRow)
        .outerjoin(FeedRow, FeedRow.id == WarningReport.feed_row_id)
        .where(WarningReport.case_id == case_id)
        .order_by(WarningReport.reported_at, WarningReport.id)
    )
    lines: list[ReportLine] = []
    event: Event | None = None
    for report, row in session.execute(query):
        content: Mapping[str, Any] = {}
        if report.sealed != ERASED:
            content = content_of(sealer, report.id, report.sealed)
            event = event or event_in(content)
        lines.append(_line(sealer, report, row, content))
    return lines, event


def _line(
    sealer: Sealer, report: WarningReport, row: FeedRow | None, content: Mapping[str, Any]
) -> ReportLine:
    on = content.get("on")
    return ReportLine(
        id=report.id,
        channel=report.channel,
        department=report.department,
        reported_at=report.reported_at,
        reported_by=report.reported_by,
        lag_days=report.lag_days,
        on=None if on is None else date.fromisoformat(on),
        amount_fen=content.get("amount_fen"),
        feed=None if row is None else row.feed,
        feed_row_id=report.feed_row_id,
        rule=content.get("rule"),
        details=tuple(_details(sealer, row)),
        withdrawn_at=None if row is None else row.retired_at,
        what=content.get("what"),
        note=content.get("note"),
        photo="photo" in content,
    )


def _details(sealer: Sealer, row: FeedRow | None) -> Sequence[Detail]:
    if row is None or row.sealed == ERASED or row.feed not in layouts():
        return ()
    return details(row.feed, orjson.loads(sealer.reveal("feed_row", "sealed", row.id, row.sealed)))

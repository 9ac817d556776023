"""What a department takes back: noted on the cases that rest on it, whose sums are then worked out anew."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import orjson
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.privacy.erasing import parts
from foundation.sealing import ERASED, Sealer
from foundation.trail.events import Change, record
from foundation.trail.events import Event as TrailEvent
from households.models.feeds import FeedRow
from households.models.warnings import WarningCase, WarningReport
from households.queries.warning_contents import content_of, sum_in
from households.warning_rules import Sum, what_is_borne


def note_withdrawn(
    session: Session, sealer: Sealer, actor: Actor, at: datetime, row_ids: Collection[str]
) -> None:
    """Notes on their cases the rows that a department stands by no more, once each; open cases are summed up anew."""
    for some in parts(sorted(row_ids)):
        query = select(WarningReport.case_id, WarningReport.feed_row_id)
        rows = session.execute(query.where(WarningReport.feed_row_id.in_(some))).all()
        noted = _noted(session, [case_id for case_id, _row in rows])
        fresh = [(case_id, row_id) for case_id, row_id in rows if (case_id, row_id) not in noted]
        changes = [
            Change("warning.row_withdrawn", "warning_case", case_id, reason=row_id)
            for case_id, row_id in fresh
        ]
        record(session, actor, at, changes)
        sum_up(session, sealer, at, {case_id for case_id, _row in fresh})


def _noted(session: Session, case_ids: Sequence[str]) -> set[tuple[str, str]]:
    query = select(TrailEvent.subject_id, TrailEvent.body).where(
        TrailEvent.subject_id.in_(sorted(set(case_ids))), TrailEvent.action == "warning.row_withdrawn"
    )
    return {(case_id, orjson.loads(body)["reason"]) for case_id, body in session.execute(query)}


def sum_up(session: Session, sealer: Sealer, at: datetime, case_ids: Collection[str]) -> None:
    """Works out anew what is borne in open cases, from the rows that departments still stand by."""
    sums: dict[str, list[Sum]] = {case_id: [] for case_id in case_ids}
    query = (
        select(WarningReport)
        .outerjoin(FeedRow, FeedRow.id == WarningReport.feed_row_id)
        .where(WarningReport.case_id.in_(sorted(sums)), FeedRow.retired_at.is_(None))
        .where(WarningReport.sealed != ERASED)
    )
    for report in session.scalars(query):
        content = content_of(sealer, report.id, report.sealed)
        found = sum_in(report.channel, content, report.reported_at)
        if found is not None:
            sums[report.case_id].append(found)
    for case_id, found_sums in sums.items():
        still = (WarningCase.id == case_id) & (WarningCase.state == "open")
        values = {"amount_fen": what_is_borne(found_sums), "changed_at": at}
        session.execute(update(WarningCase).where(still).values(values))

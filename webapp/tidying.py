"""Removing what is past its use: logs and kept answers after their term, and files that nothing needs."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

import claims.queries.uploads
import households.feed_erasing
from foundation.clock import SHANGHAI, business_day
from foundation.privacy.retention import Group, shipped
from foundation.runtime import Runtime, stored_files
from foundation.trail.events import Change, record
from foundation.web.models import KeptAnswer
from webapp.demo_actors import SYSTEM
from webapp.services import access, sessions

KEEP_ORPHANS = timedelta(days=1)
"""A stored file that nothing names is kept this long: its upload may still be under way."""


def forget_logs(session: Session, at: datetime) -> None:
    """Deletes sign-ins, counts of access and kept answers whose term is over by the table of terms."""
    table = shipped()
    logs = _cut(table.group("access_log"), at)
    sessions.forget(session, at, before=logs)
    counts = access.forget(session, before=logs)
    over = KeptAnswer.begun_at < _cut(table.group("kept_answer"), at)
    answers = session.execute(delete(KeptAnswer).where(over)).rowcount  # type: ignore[attr-defined]  # a DELETE's
    gone = {"access_count": counts, "kept_answer": answers}
    changes = [
        Change("log.forgotten", kind, "-", reason=f"count={count}") for kind, count in gone.items() if count
    ]
    record(session, SYSTEM, at, changes)


def _cut(group: Group, at: datetime) -> datetime:
    """The first instant that is kept: of the terms of a group the longest counts."""
    day = min(rule.over_before(business_day(at)) for rule in group.rules)
    return datetime.combine(day, time(), SHANGHAI)


def sweep_uploads(runtime: Runtime) -> int:
    """Removes the files that nothing needs any more: thrown away, erased, or left over. How many."""
    with runtime.database.reading() as session:
        in_use = claims.queries.uploads.blobs_in_use(session) | households.feed_erasing.blobs_in_use(session)
    return stored_files(runtime).sweep(in_use, before=runtime.clock.now() - KEEP_ORPHANS)

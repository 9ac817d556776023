"""The job table: what is to be done in the background. The row is the truth, a broker only rings the bell.

A job names a kind and the id of the thing it is about, nothing personal. Every job can run twice: it reads the state
again and does what is still missing. `sweep` gives the jobs that nobody has finished, so that a lost message costs
a delay and no work.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, CheckConstraint, String, UniqueConstraint, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from foundation.database import Base, Instant, bulk_insert, strict, table_of

LOST_AFTER = timedelta(minutes=15)
"""A job running for longer than this has lost its worker and is rung again."""


class Job(Base):
    """One piece of background work on one subject; asked for again, it is the same row."""

    __tablename__ = "job"
    __table_args__ = strict(
        UniqueConstraint("kind", "subject_id"),
        CheckConstraint("state IN ('waiting', 'running', 'done', 'failed')", name="state"),
        CheckConstraint("attempts >= 0", name="attempts"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    kind: Mapped[str] = mapped_column(String)
    subject_id: Mapped[str] = mapped_column(String)
    state: Mapped[str] = mapped_column(String)
    attempts: Mapped[int] = mapped_column(BigInteger)
    changed_at: Mapped[datetime] = mapped_column(Instant)
    error_code: Mapped[str | None] = mapped_column(String)


def ask_for(session: Session, kind: str, subject_ids: Iterable[str], at: datetime) -> list[str]:
    """Makes a waiting job for each subject that has none of this kind yet; returns all their ids in order."""
    wanted = list(dict.fromkeys(subject_ids))
    rows = session.execute(select(Job.subject_id, Job.id).where(Job.kind == kind, Job.subject_id.in_(wanted)))
    known = {row[0]: row[1] for row in rows}
    new = [
        {
            "id": secrets.token_hex(16),
            "kind": kind,
            "subject_id": subject,
            "state": "waiting",
            "attempts": 0,
            "changed_at": at,
            "error_code": None,
        }
        for subject in wanted
        if subject not in known
    ]
    bulk_insert(session, table_of(Job), new)
    known |= {str(row["subject_id"]): str(row["id"]) for row in new}
    return [known[subject] for subject in wanted]


def start(session: Session, job_id: str, at: datetime) -> Job | None:
    """Takes a job to run it, or None when it is done or another worker has it. Commit before the work begins."""
    taken = session.execute(
        update(Job)
        .where(Job.id == job_id, or_(Job.state.in_(("waiting", "failed")), _lost(at)))
        .values(state="running", attempts=Job.attempts + 1, changed_at=at, error_code=None)
    )
    if taken.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result has it
        return None
    return session.get(Job, job_id, populate_existing=True)


def _lost(at: datetime):  # type: ignore[no-untyped-def]  # SQLAlchemy's boolean expression
    return (Job.state == "running") & (Job.changed_at < at - LOST_AFTER)


def take_over(session: Session, job_ids: Iterable[str], at: datetime) -> None:
    """Puts jobs that seem to run back to waiting: for a caller who carries them out now, whoever had them.

    A run that was killed left them running; and every job can be done twice.
    """
    for job_id in job_ids:
        running = (Job.id == job_id) & (Job.state == "running")
        session.execute(update(Job).where(running).values(state="waiting", changed_at=at))


def finish(session: Session, job_id: str, at: datetime, error_code: str | None = None) -> None:
    """Marks a job done, or failed with a code, in the transaction of its effect."""
    state = "failed" if error_code else "done"
    session.execute(
        update(Job).where(Job.id == job_id).values(state=state, changed_at=at, error_code=error_code)
    )


def sweep(session: Session, at: datetime, most: int = 1000) -> list[tuple[str, str]]:
    """(kind, id) of jobs that wait, failed fewer than five times, or lost their worker: to be rung again."""
    waiting = (Job.state == "waiting") | ((Job.state == "failed") & (Job.attempts < 5)) | _lost(at)
    rows = session.execute(
        select(Job.kind, Job.id).where(waiting).order_by(Job.changed_at, Job.id).limit(most)
    )
    return [(kind, identity) for kind, identity in rows]

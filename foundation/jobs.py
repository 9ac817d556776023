"""The job table: what is to be done in the background. The row is the truth, a broker only rings the bell.

A job names a kind and the id of the thing it is about, nothing personal. Every job can run twice: it reads the state
again and does what is still missing. Whoever works on one holds a lease and renews it every few seconds; a job whose
worker fell silent is handed out again, and one that failed is tried again later each time. `sweep` gives the jobs that
are due, so that a lost message costs a delay and no work.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    Index,
    String,
    UniqueConstraint,
    and_,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from foundation.actors import Actor
from foundation.database import Base, Instant, bulk_insert, strict, table_of
from foundation.errors import ConflictError
from foundation.trail.events import Change, record

RENEW_SECONDS = 5
"""How often a worker renews the leases of the jobs that it carries out."""
LOST_AFTER = timedelta(seconds=45)
"""A running job whose lease was not renewed for this long has lost its worker."""
DELAYS = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=8), timedelta(minutes=30))
"""How long a job waits after its first, second … failure; after one more it is left to a person."""
MOST_ATTEMPTS = len(DELAYS) + 1
WORKER_LOST = "worker_lost"
"""The code of a job that lost its worker in every attempt."""


class Job(Base):
    """One piece of background work on one subject; asked for again, it is the same row."""

    __tablename__ = "job"
    __table_args__ = strict(
        UniqueConstraint("kind", "subject_id"),
        CheckConstraint("state IN ('waiting', 'running', 'done', 'failed')", name="state"),
        CheckConstraint("attempts >= 0", name="attempts"),
        Index(None, "state", "changed_at"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    kind: Mapped[str] = mapped_column(String)
    subject_id: Mapped[str] = mapped_column(String)
    state: Mapped[str] = mapped_column(String)
    attempts: Mapped[int] = mapped_column(BigInteger)
    changed_at: Mapped[datetime] = mapped_column(Instant)
    """Of a running job: when its lease was last renewed."""
    error_code: Mapped[str | None] = mapped_column(String)
    asked_at: Mapped[datetime | None] = mapped_column(Instant)
    progress_done: Mapped[int | None] = mapped_column(BigInteger)
    progress_total: Mapped[int | None] = mapped_column(BigInteger)


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
            "asked_at": at,
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
        .values(
            state="running",
            attempts=Job.attempts + 1,
            changed_at=at,
            error_code=None,
            progress_done=None,
            progress_total=None,
        )
    )
    if taken.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result has it
        return None
    return session.get(Job, job_id, populate_existing=True)


def _lost(at: datetime) -> ColumnElement[bool]:
    return and_(Job.state == "running", Job.changed_at < at - LOST_AFTER)


def renew(session: Session, job_ids: Iterable[str], at: datetime) -> None:
    """Renews the leases of jobs that run."""
    running = (Job.id.in_(list(job_ids))) & (Job.state == "running")
    session.execute(update(Job).where(running).values(changed_at=at))


def report(session: Session, job_id: str, at: datetime, done: int, total: int) -> None:
    """Says how far a running job is, and renews its lease."""
    running = (Job.id == job_id) & (Job.state == "running")
    values = {"changed_at": at, "progress_done": done, "progress_total": total}
    session.execute(update(Job).where(running).values(values))


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


def note_failure(session: Session, job_ids: Iterable[str], at: datetime, error_code: str) -> None:
    """Marks as failed whichever of these jobs an error left open. One that never came to run has used an attempt."""
    for job_id in job_ids:
        for state, used in (("running", 0), ("waiting", 1)):
            left = (Job.id == job_id) & (Job.state == state)
            values = {
                "state": "failed",
                "attempts": Job.attempts + used,
                "changed_at": at,
                "error_code": error_code,
            }
            if session.execute(update(Job).where(left).values(values)).rowcount:  # type: ignore[attr-defined]
                break


def reopen(session: Session, job_ids: Iterable[str], at: datetime) -> None:
    """Lets jobs that are done or have failed wait again, with all their attempts before them."""
    ended = Job.id.in_(list(job_ids)) & Job.state.in_(("done", "failed"))
    values = {"state": "waiting", "attempts": 0, "changed_at": at, "asked_at": at, "error_code": None}
    session.execute(update(Job).where(ended).values(values))


def ask_again(session: Session, actor: Actor, at: datetime, job_id: str) -> None:
    """A person asks for a failed job again. Raises ConflictError when it has not failed (any more)."""
    failed = (Job.id == job_id) & (Job.state == "failed")
    values = {"state": "waiting", "attempts": 0, "changed_at": at, "error_code": None}
    asked = session.execute(update(Job).where(failed).values(values))
    if asked.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result has it
        raise ConflictError(
            "这项任务已不是“失败”状态,无需重试,请刷新查看",
            "this job is not failed any more and need not be asked for again; look at it again",
        )
    record(session, actor, at, [Change("job.asked_again", "job", job_id)])


def sweep(session: Session, at: datetime, most: int = 1000) -> list[tuple[str, str]]:
    """(kind, id) of jobs that are due: waiting, failed and their delay over, or without their worker."""
    tries = [
        and_(Job.state == "failed", Job.attempts == number, Job.changed_at < at - delay)
        for number, delay in enumerate(DELAYS, start=1)
    ]
    due = or_(Job.state == "waiting", *tries, and_(_lost(at), Job.attempts < MOST_ATTEMPTS))
    rows = session.execute(select(Job.kind, Job.id).where(due).order_by(Job.changed_at, Job.id).limit(most))
    return [(kind, identity) for kind, identity in rows]


def give_up_lost(session: Session, at: datetime) -> None:
    """Marks as failed the jobs that lost their worker in every attempt: what kills each worker must not go on."""
    ended = and_(_lost(at), Job.attempts >= MOST_ATTEMPTS)
    session.execute(update(Job).where(ended).values(state="failed", changed_at=at, error_code=WORKER_LOST))

"""Carrying out background work in process: a job row for each subject, committed first, then its task."""

from __future__ import annotations

import time
from collections.abc import Sequence

from sqlalchemy import func, select

from foundation.clock import Clock
from foundation.database import Database
from foundation.jobs import LOST_AFTER, Job, ask_for, take_over
from webapp.celery_app import carry_out_here


def carry_out(database: Database, clock: Clock, kind: str, subject_ids: Sequence[str]) -> None:
    """Asks for a job on each subject and carries it out in this process; all are done when this returns.

    A worker that serves the same database may have been quicker with some: those are waited for.
    """
    with database.transaction() as session:
        job_ids = ask_for(session, kind, subject_ids, clock.now())
        take_over(session, job_ids, clock.now())
    carry_out_here(kind, job_ids)
    give_up = time.monotonic() + LOST_AFTER.total_seconds()
    while _running(database, job_ids) and time.monotonic() < give_up:
        time.sleep(0.2)


def _running(database: Database, job_ids: Sequence[str]) -> int:
    query = select(func.count()).select_from(Job).where(Job.id.in_(job_ids), Job.state == "running")
    with database.reading() as session:
        return session.scalar(query) or 0

"""Carrying out background work in process: a job row for each subject, committed first, then its task."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence

from kombu.exceptions import OperationalError
from sqlalchemy import func, select

from foundation.clock import Clock
from foundation.database import Database
from foundation.jobs import LOST_AFTER, Job, ask_for, take_over
from webapp.celery_app import carry_out_here, log_failure, ring


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


def ring_soon(kind: str, subject_id: str, database: Database) -> None:
    """Rings for a job that was just asked for, where there is a broker: a worker then need not wait for the sweeper.

    Not in the caller's time: a broker that is away holds nobody up, and the sweeper rings again.
    """
    if not os.environ.get("FANGPIN_BROKER"):
        return
    with database.reading() as session:
        job_ids = list(session.scalars(select(Job.id).where(Job.kind == kind, Job.subject_id == subject_id)))

    def ring_now() -> None:
        try:
            ring(kind, job_ids)
        except OperationalError as error:
            log_failure("ring", error)

    threading.Thread(target=ring_now, daemon=True, name="bell").start()

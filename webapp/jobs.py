"""Carrying out background work: a job row for each subject, committed first, then the bell."""

from __future__ import annotations

from collections.abc import Sequence

from foundation.clock import Clock
from foundation.database import Database
from foundation.jobs import ask_for
from webapp.celery_app import ring


def carry_out(database: Database, clock: Clock, kind: str, subject_ids: Sequence[str]) -> None:
    """Asks for a job on each subject and rings; without a broker the jobs are done when this returns."""
    with database.transaction() as session:
        job_ids = ask_for(session, kind, subject_ids, clock.now())
    ring(kind, job_ids)

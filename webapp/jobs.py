"""Carrying out background work in process: a job row for each subject, committed first, then its task."""

from __future__ import annotations

from collections.abc import Sequence

from foundation.clock import Clock
from foundation.database import Database
from foundation.jobs import ask_for, take_over
from webapp.celery_app import carry_out_here


def carry_out(database: Database, clock: Clock, kind: str, subject_ids: Sequence[str]) -> None:
    """Asks for a job on each subject and carries it out in this process; all are done when this returns."""
    with database.transaction() as session:
        job_ids = ask_for(session, kind, subject_ids, clock.now())
        take_over(session, job_ids, clock.now())
    carry_out_here(kind, job_ids)

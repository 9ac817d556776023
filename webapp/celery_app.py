"""The Celery application. The broker is a doorbell: the job table is the truth, and every task can run twice.

Without FANGPIN_BROKER the tasks are carried out in process by whoever rings (the embedded default).
"""

from __future__ import annotations

import os

from celery import Celery

from foundation.runtime import current
from foundation.jobs import sweep

TASK_OF_KIND = {
    "bank_files": "payments.export",
    "letter": "reports.letter",
    "calculation_sheet": "reports.letter",
}


def make_celery() -> Celery:
    """The application with its tasks registered."""
    broker = os.environ.get("FANGPIN_BROKER", "")
    app = Celery("fangpin", broker=broker or "memory://", include=["payments.tasks", "reports.tasks"])
    app.conf.update(
        task_always_eager=not broker,
        task_eager_propagates=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
    )
    app.loader.import_default_modules()
    app.set_default()
    return app


celery = make_celery()


def ring(kind: str, job_ids: list[str]) -> None:
    """Rings the bell for some jobs of a kind; in process, this carries them out."""
    task = celery.tasks[TASK_OF_KIND[kind]]
    for job_id in job_ids:
        task.apply_async(args=[job_id])


def ring_waiting() -> int:
    """Rings again for every job that nobody has finished; how many."""
    runtime = current()
    with runtime.database.reading() as session:
        waiting = sweep(session, runtime.clock.now())
    for kind, job_id in waiting:
        ring(kind, [job_id])
    return len(waiting)

"""The Celery application. The broker is a doorbell: the job table is the truth, and every task can run twice.

`fangpin run` carries its own jobs out in process; `fangpin worker` takes what others ask for.
"""

from __future__ import annotations

import os

from celery import Celery

from foundation.jobs import sweep
from foundation.runtime import current

TASK_OF_KIND = {
    "bank_files": "payments.export",
    "letter": "reports.letter",
    "calculation_sheet": "reports.letter",
}


SWEEP_SECONDS = int(os.environ.get("FANGPIN_SWEEP_SECONDS", "30"))


def make_celery() -> Celery:
    """The application with its tasks registered."""
    broker = os.environ.get("FANGPIN_BROKER", "")
    app = Celery("fangpin", broker=broker or "memory://", include=["payments.tasks", "reports.tasks"])
    app.conf.update(
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        broker_connection_retry_on_startup=True,
        beat_schedule={"sweep": {"task": "webapp.sweep", "schedule": SWEEP_SECONDS}},
        # Redis hands a lost worker's message out again only after these; the sweeper is quicker.
        broker_transport_options={"visibility_timeout": 3600},
    )
    app.loader.import_default_modules()
    app.set_default()
    return app


celery = make_celery()


def ring(kind: str, job_ids: list[str]) -> None:
    """Rings the bell for some jobs of a kind: a worker carries them out."""
    task = celery.tasks[TASK_OF_KIND[kind]]
    for job_id in job_ids:
        task.apply_async(args=[job_id])


def carry_out_here(kind: str, job_ids: list[str]) -> None:
    """Carries jobs out in this process, all in one go: many documents at once print faster than one by one."""
    if job_ids:
        celery.tasks[TASK_OF_KIND[kind]].apply(args=job_ids, throw=True)


@celery.task(name="webapp.sweep")  # type: ignore[untyped-decorator]  # Celery's decorator has no types
def sweep_jobs() -> int:
    """Rings again for every job that nobody has finished; how many. A lost message costs a delay and no work."""
    runtime = current()
    with runtime.database.reading() as session:
        waiting = sweep(session, runtime.clock.now())
    for kind, job_id in waiting:
        ring(kind, [job_id])
    return len(waiting)

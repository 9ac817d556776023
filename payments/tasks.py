"""Background work of payments: exporting a released batch. Takes a job's id, and can run twice."""

from __future__ import annotations

from celery import shared_task

from foundation import jobs
from foundation.runtime import current
from payments.services import export_batch
from payments.settings import paying_account


@shared_task(name="payments.export")  # type: ignore[untyped-decorator]  # Celery's decorator has no types
def export(job_id: str) -> None:
    """Writes the bank files of the batch that the job names, once (`payments.services.export_batch`)."""
    runtime = current()
    at = runtime.clock.now()
    with runtime.database.transaction() as session:
        job = jobs.start(session, job_id, at)
        subject = None if job is None else job.subject_id
    if subject is None:
        return
    with runtime.database.transaction() as session:
        export_batch(session, runtime.sealer, runtime.actor, at, subject, paying_account())
        jobs.finish(session, job_id, at)

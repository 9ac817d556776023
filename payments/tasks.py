"""Background work of payments: exporting a released batch. Takes ids of jobs, and can run twice."""

from __future__ import annotations

from celery import shared_task

from foundation import jobs
from foundation.runtime import current
from payments.services.export import export_batch
from payments.settings import paying_account


@shared_task(name="payments.export")
def export(*job_ids: str) -> None:
    """Writes the bank files of the batches that the jobs name, once (`payments.services.export.export_batch`)."""
    runtime = current()
    at = runtime.clock.now()
    for job_id in job_ids:
        # One transaction: a worker that dies in it leaves the job waiting, not running.
        with runtime.database.transaction() as session:
            job = jobs.start(session, job_id, at)
            if job is not None:
                export_batch(session, runtime.sealer, runtime.actor, at, job.subject_id, paying_account())
                jobs.finish(session, job_id, at)

"""Background work of the households. Takes ids of jobs, and can run twice."""

from __future__ import annotations

from collections.abc import Callable

from celery import shared_task

from foundation import jobs
from foundation.runtime import current, stored_files
from households.services import comparison
from households.services.feed_checking import check_upload, take_in_upload
from households.services.warning_rows import warn_of_delivery


@shared_task(name="households.check_feed")
def check_feed(*job_ids: str) -> None:
    """Checks the uploads that the jobs name (`households.services.feed_checking.check_upload`)."""
    _each_file(check_upload, job_ids)


@shared_task(name="households.take_in_feed")
def take_in_feed(*job_ids: str) -> None:
    """Takes in the uploads that the jobs name (`households.services.feed_checking.take_in_upload`)."""
    _each_file(take_in_upload, job_ids)


@shared_task(name="households.warn")
def warn(*job_ids: str) -> None:
    """Opens warnings from the deliveries that the jobs name (`households.services.warning_rows.warn_of_delivery`)."""
    runtime = current()
    for job_id in job_ids:
        with runtime.database.transaction() as session:
            job = jobs.start(session, job_id, runtime.clock.now())
        if job is not None:
            delivery_id = job.subject_id
            warn_of_delivery(
                runtime.database, runtime.sealer, runtime.actor, runtime.clock, delivery_id, job_id
            )


@shared_task(name="households.compare")
def compare(*job_ids: str) -> None:
    """Compares everyone of the places that the jobs name (`households.services.comparison.carry_out`)."""
    runtime = current()
    for job_id in job_ids:
        with runtime.database.transaction() as session:
            job = jobs.start(session, job_id, runtime.clock.now())
        if job is not None:
            comparison.carry_out(runtime.database, runtime.sealer, runtime.clock, runtime.actor, job)


def _each_file(work: Callable[..., None], job_ids: tuple[str, ...]) -> None:
    """Starts each job and commits that, so that it is seen to run and its attempts are counted, then does the work."""
    runtime = current()
    for job_id in job_ids:
        with runtime.database.transaction() as session:
            job = jobs.start(session, job_id, runtime.clock.now())
        if job is None:
            continue

        def report(done: int, total: int, job_id: str = job_id) -> None:
            with runtime.database.transaction() as session:
                jobs.report(session, job_id, runtime.clock.now(), done, total)

        files = stored_files(runtime)
        work(runtime.database, runtime.sealer, files, runtime.clock, job.subject_id, job.id, report)

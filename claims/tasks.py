"""Background work of claims: checking an uploaded pack, and taking it in. Takes ids of jobs, and can run twice."""

from __future__ import annotations

from collections.abc import Callable

from celery import shared_task

from claims.services.uploads import check_upload, take_in_upload
from claims.services.warning_links import link_open_cases
from foundation import jobs
from foundation.runtime import current, stored_files


@shared_task(name="claims.check_pack")
def check_pack(*job_ids: str) -> None:
    """Checks the uploads that the jobs name (`claims.services.uploads.check_upload`)."""
    _each(check_upload, job_ids)


@shared_task(name="claims.take_in_pack")
def take_in_pack(*job_ids: str) -> None:
    """Takes in the uploads that the jobs name (`claims.services.uploads.take_in_upload`)."""
    _each(take_in_upload, job_ids)


@shared_task(name="claims.link_warnings")
def link_warnings(*job_ids: str) -> None:
    """Closes early warnings whose event has a claim (`claims.services.warning_links`), whatever the jobs are about."""
    runtime = current()
    for job_id in job_ids:
        with runtime.database.transaction() as session:
            job = jobs.start(session, job_id, runtime.clock.now())
        if job is not None:
            with runtime.database.transaction() as session:
                at = runtime.clock.now()
                link_open_cases(session, runtime.sealer, runtime.actor, at)
                jobs.finish(session, job_id, at)


def _each(work: Callable[..., None], job_ids: tuple[str, ...]) -> None:
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

"""Background work of claims: uploaded packs, looking again at what was decided, the nightly list of what is owed.

Takes ids of jobs, and can run twice.
"""

from __future__ import annotations

from collections.abc import Callable

from celery import shared_task

from claims.services.owed import work_out
from claims.services.recheck import recheck_delivery, recheck_household
from claims.services.uploads import check_upload, take_in_upload
from claims.services.warning_links import link_open_cases
from foundation import jobs
from foundation.jobs import Job
from foundation.runtime import Runtime, current, stored_files

Report = Callable[[int, int], None]
"""Called with how far a job is, and how far it has to go."""


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


@shared_task(name="claims.recheck_delivery")
def recheck_after_delivery(*job_ids: str) -> None:
    """Looks again at the claims that departments' deliveries are about (`claims.services.recheck`)."""

    def work(runtime: Runtime, job: Job, report: Report) -> None:
        recheck_delivery(
            runtime.database, runtime.sealer, runtime.actor, runtime.clock, job.subject_id, report
        )

    _to_the_end(work, job_ids)


@shared_task(name="claims.recheck_household")
def recheck_after_change(*job_ids: str) -> None:
    """Looks again at the claims of households of which the register says something else now."""

    def work(runtime: Runtime, job: Job, report: Report) -> None:  # noqa: ARG001  # one household is done at once
        recheck_household(runtime.database, runtime.sealer, runtime.actor, runtime.clock, job.subject_id)

    _to_the_end(work, job_ids)


@shared_task(name="claims.owed")
def work_out_owed(*job_ids: str) -> None:
    """Works out what is owed and not claimed (`claims.services.owed`)."""

    def work(runtime: Runtime, job: Job, report: Report) -> None:  # noqa: ARG001  # there is one list
        work_out(runtime.database, runtime.sealer, runtime.actor, runtime.clock, report)

    _to_the_end(work, job_ids)


def _to_the_end(work: Callable[[Runtime, Job, Report], None], job_ids: tuple[str, ...]) -> None:
    """Starts each job and commits that, does the work, which commits by itself, and ends the job."""
    runtime = current()
    for job_id in job_ids:
        with runtime.database.transaction() as session:
            job = jobs.start(session, job_id, runtime.clock.now())
        if job is None:
            continue

        def report(done: int, total: int, job_id: str = job_id) -> None:
            with runtime.database.transaction() as session:
                jobs.report(session, job_id, runtime.clock.now(), done, total)

        work(runtime, job, report)
        with runtime.database.transaction() as session:
            jobs.finish(session, job_id, runtime.clock.now())


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

"""Background work of reports: letters, calculation sheets, village notices, certificates of cover.

Takes ids of jobs, and can run twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from celery import shared_task
from sqlalchemy.orm import Session

from foundation import jobs
from foundation.errors import FangpinError
from foundation.runtime import current
from foundation.staff.queries import names
from foundation.trail.sealing import BEFORE_A_REPORT, seal_trail
from reports import issuing
from reports.certificates import certificates_asked, covered_households

ISSUE = {"letter": issuing.issue_letters, "calculation_sheet": issuing.issue_calculation_sheets}
"""What each kind of job asks for; its subject is a determination."""


@shared_task(name="reports.letter")
def letter(*job_ids: str) -> None:
    """Issues the documents that the jobs ask for, once each: many at once print faster than one by one.

    A job that is done, or that another worker has, is passed over. A job whose document cannot be made is marked with
    the error's code, and the error goes on.
    """
    runtime = current()
    at = runtime.clock.now()
    with runtime.database.reading() as session:
        staff = {**runtime.names, **names(session)}
    with runtime.database.transaction() as session:
        taken = [job for job in (jobs.start(session, job_id, at) for job_id in job_ids) if job is not None]
    for kind, issue in ISSUE.items():
        job_of = {job.subject_id: job.id for job in taken if job.kind == kind}
        open_jobs = dict(job_of)

        def finish(session: Session, subjects: Sequence[str], still_open: dict[str, str] = open_jobs) -> None:
            for subject in subjects:
                jobs.finish(session, still_open.pop(subject), at)

        try:
            issue(runtime.database, runtime.sealer, runtime.actor, at, list(job_of), staff, filed=finish)
        except FangpinError as error:
            with runtime.database.transaction() as session:
                for job_id in open_jobs.values():
                    jobs.finish(session, job_id, at, error.code)
            raise


@shared_task(name="reports.village_notice")
def village_notice(*job_ids: str) -> None:
    """Issues the village notices that the jobs ask for, each with the head of the trail sealed just before."""
    runtime = current()
    for job_id in job_ids:
        at = runtime.clock.now()
        with runtime.database.transaction() as session:
            job = jobs.start(session, job_id, at)
        if job is None:
            continue

        def finish(
            session: Session, _subjects: Sequence[str], job_id: str = job_id, at: datetime = at
        ) -> None:
            jobs.finish(session, job_id, at)

        head = seal_trail(runtime, BEFORE_A_REPORT)
        place = (runtime.database, runtime.sealer, runtime.actor, at)
        issuing.issue_village_notice(*place, job.subject_id, head, filed=finish)


@shared_task(name="reports.cover_certificates")
def cover_certificates(*job_ids: str) -> None:
    """Issues the certificates of cover that the jobs ask for: of a household, or of every household of a village."""
    runtime = current()
    for job_id in job_ids:
        at = runtime.clock.now()
        with runtime.database.transaction() as session:
            job = jobs.start(session, job_id, at)
        if job is None:
            continue
        asked = certificates_asked(job.subject_id)
        with runtime.database.reading() as session:
            households = covered_households(session, asked)
        place = (runtime.database, runtime.sealer, runtime.actor, at)
        issuing.issue_cover_certificates(*place, asked.policy_number, households)
        with runtime.database.transaction() as session:
            jobs.finish(session, job_id, at)


@shared_task(name="reports.claim_form")
def claim_form(*job_ids: str) -> None:
    """Issues the pre-filled claim forms that the jobs ask for, each of a case of early warning."""
    runtime = current()
    for job_id in job_ids:
        at = runtime.clock.now()
        with runtime.database.transaction() as session:
            job = jobs.start(session, job_id, at)
        if job is None:
            continue

        def finish(
            session: Session, _subjects: Sequence[str], job_id: str = job_id, at: datetime = at
        ) -> None:
            jobs.finish(session, job_id, at)

        place = (runtime.database, runtime.sealer, runtime.actor, at)
        issuing.issue_claim_form(*place, job.subject_id, filed=finish)

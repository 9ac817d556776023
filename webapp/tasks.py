"""Background work of the shell: rotating keys, erasing what is due, verifying the trail.

Takes ids of jobs, and can run twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from celery import shared_task

from foundation import jobs
from foundation.database import clear_residue
from foundation.errors import ConfigurationError
from foundation.jobs import Job
from foundation.rotation import carry_on
from foundation.runtime import Runtime, current, stored_files
from foundation.trail.anchors import Anchor, read_anchors
from foundation.trail.verdict import Verdict, trail_fault
from foundation.trail.verifying import record_check, verify
from webapp.keys import vault_of
from webapp.services import erasures
from webapp.services.verification import asked_by
from webapp.tidying import sweep_uploads

Report = Callable[[int, int], None]
"""Called with how far a job is, and how far it has to go."""


@shared_task(name="webapp.rotate_keys")
def rotate_keys(*job_ids: str) -> None:
    """Carries on the rotations that the jobs name, to their end (`foundation.rotation.carry_on`)."""

    def work(runtime: Runtime, job: Job, report: Report) -> None:
        vault = vault_of(runtime.database, runtime.sealer, stored_files(runtime))
        carry_on(vault, runtime.actor, runtime.clock, job.subject_id, report)

    _each(work, job_ids)


@shared_task(name="webapp.erase")
def erase(*job_ids: str) -> None:
    """Carries out the approved erasures that the jobs name, or the rest of them (`webapp.services.erasures`)."""

    def work(runtime: Runtime, job: Job, report: Report) -> None:
        erasures.carry_out(runtime, job.subject_id, report)
        sweep_uploads(runtime)
        clear_residue(runtime.database)

    _each(work, job_ids)


@shared_task(name="webapp.verify_trail")
def verify_trail(*job_ids: str) -> None:
    """Checks the whole trail, and the anchor file against it, and keeps what was found."""
    runtime = current()
    for job_id in job_ids:
        with runtime.database.transaction() as session:
            job = jobs.start(session, job_id, runtime.clock.now())
            if job is None:
                continue
            actor = asked_by(session, job, runtime.actor)
        verdict = _verdict(runtime)
        with runtime.database.transaction() as session:
            at = runtime.clock.now()
            record_check(session, actor, at, verdict)
            jobs.finish(session, job_id, at)


def _verdict(runtime: Runtime) -> Verdict:
    """An anchor file that cannot be read is a fault like any other: somebody may have meant it so."""
    anchors: list[Anchor] = []
    unreadable: list[ConfigurationError] = []
    if runtime.anchors is not None:
        try:
            anchors = read_anchors(runtime.anchors)
        except ConfigurationError as error:
            unreadable.append(error)
    with runtime.database.reading() as session:
        verdict = verify(session, anchors)
    faults = [trail_fault("anchor_file", verdict.events, error.zh, error.en) for error in unreadable]
    if runtime.anchors is not None and verdict.blocks and not anchors and not unreadable:
        zh, en = (
            "锚定文件遗失:整体改写和截尾无从发现",
            "the anchor file is missing: a rewritten trail would pass",
        )
        faults.append(trail_fault("anchor_file", verdict.events, zh, en))
    return replace(verdict, faults=(*verdict.faults, *faults))


def _each(work: Callable[[Runtime, Job, Report], None], job_ids: tuple[str, ...]) -> None:
    """Starts each job and commits that, so that it is seen to run and its attempts are counted; does it; ends it."""
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

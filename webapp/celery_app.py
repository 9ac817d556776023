"""The Celery application. The broker is a doorbell: the job table is the truth, and every task can run twice.

`fangpin run` carries its own jobs out in process, the embedded worker those that others ask for (`webapp.worker`); with
a broker, Celery's own worker does. Whoever does it, a task renews the leases of its jobs while it works, and marks them
as failed when it ends in an error.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import structlog
from celery import Celery, Task
from sqlalchemy.exc import DBAPIError

from foundation import jobs
from foundation.errors import FangpinError
from foundation.runtime import current
from foundation.trail.sealing import seal_trail
from webapp.logs import place_of

TASK_OF_KIND = {
    "bank_files": "payments.export",
    "letter": "reports.letter",
    "calculation_sheet": "reports.letter",
    "village_notice": "reports.village_notice",
    "cover_certificate": "reports.cover_certificates",
    "pack.check": "claims.check_pack",
    "pack.take_in": "claims.take_in_pack",
    "feed.check": "households.check_feed",
    "feed.take_in": "households.take_in_feed",
    "feed.warn": "households.warn",
    "warning.link": "claims.link_warnings",
    "feed.recheck": "claims.recheck_delivery",
    "household.recheck": "claims.recheck_household",
    "claims.owed": "claims.owed",
    "claim_form": "reports.claim_form",
    "comparison.run": "households.compare",
    "trail.verify": "webapp.verify_trail",
    "keys.rotate": "webapp.rotate_keys",
    "retention.erase": "webapp.erase",
}


SWEEP_SECONDS = int(os.environ.get("FANGPIN_SWEEP_SECONDS", "30"))


class JobTask(Task):  # type: ignore[misc]  # Celery has no types
    """A task on jobs: its arguments are their ids and nothing else."""

    abstract = True

    def __call__(self, *job_ids: str) -> Any:
        """Runs the task; what it leaves open in an error is marked as failed.

        The error goes on to whoever called in this process. A broker's worker is only told of it in the log, since
        Celery would write down its message, which may hold somebody's data.
        """
        try:
            with _leases(job_ids):
                return super().__call__(*job_ids)
        except Exception as error:
            _note_failure(job_ids, error)
            if self.request.is_eager:
                raise
            log_failure(str(self.name), error)
            return None
        finally:
            seal_now()


@contextmanager
def _leases(job_ids: Sequence[str]) -> Iterator[None]:
    """Renews the leases of jobs every few seconds, for the length of a block."""
    if not job_ids:
        yield
        return
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(jobs.RENEW_SECONDS):
            runtime = current()
            # While the task itself writes, on SQLite nobody else can: nor can anybody then take its jobs.
            with suppress(DBAPIError), runtime.database.transaction() as session:
                jobs.renew(session, job_ids, runtime.clock.now())

    renewing = threading.Thread(target=renew, daemon=True, name="leases")
    renewing.start()
    try:
        yield
    finally:
        ended.set()
        renewing.join(timeout=1)


def _note_failure(job_ids: Sequence[str], error: Exception) -> None:
    code = "database" if isinstance(error, DBAPIError) else "fault"
    if isinstance(error, FangpinError):
        code = error.code
    runtime = current()
    # A database that is away cannot be told; the lease runs out, and the job comes again.
    with suppress(DBAPIError), runtime.database.transaction() as session:
        jobs.note_failure(session, job_ids, runtime.clock.now(), code)


def log_failure(what: str, error: Exception) -> None:
    """One line in the log: what failed, the kind of error and its place in the code, never its message."""
    structlog.get_logger().error("job failed", what=what, error=type(error).__name__, place=place_of(error))


def seal_now() -> None:
    """Seals the trail as far as it is written. A database that is away is sealed later; a broken trail is logged."""
    try:
        seal_trail(current())
    except (DBAPIError, FangpinError, OSError) as error:
        log_failure("trail", error)


def make_celery() -> Celery:
    """The application with its tasks registered."""
    broker = os.environ.get("FANGPIN_BROKER", "")
    tasks = ["households.tasks", "claims.tasks", "payments.tasks", "reports.tasks", "webapp.tasks"]
    app = Celery("fangpin", broker=broker or "memory://", include=tasks, task_cls=JobTask)
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


def carry_out_here(kind: str, job_ids: Sequence[str]) -> None:
    """Carries jobs out in this process, all in one go: many documents at once print faster than one by one."""
    if job_ids:
        celery.tasks[TASK_OF_KIND[kind]].apply(args=list(job_ids), throw=True)


def due_jobs() -> list[tuple[str, str]]:
    """(kind, id) of the jobs that are due, of the kinds that this version knows."""
    runtime = current()
    with runtime.database.reading() as session:
        return [
            (kind, job_id)
            for kind, job_id in jobs.sweep(session, runtime.clock.now())
            if kind in TASK_OF_KIND
        ]


def give_up_lost() -> None:
    """Marks jobs as failed that cost every worker its life."""
    runtime = current()
    with runtime.database.transaction() as session:
        jobs.give_up_lost(session, runtime.clock.now())


@celery.task(name="webapp.sweep")  # type: ignore[untyped-decorator]  # Celery's decorator has no types
def sweep_jobs() -> int:
    """Rings again for every job that nobody has finished; how many. A lost message costs a delay and no work."""
    give_up_lost()
    due = due_jobs()
    for kind, job_id in due:
        ring(kind, [job_id])
    return len(due)

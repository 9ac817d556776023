"""`fangpin worker`: background work, with a broker by Celery's worker, without one by looking at the job table."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import structlog
from sqlalchemy.exc import DBAPIError

from claims.queries.uploads import blobs_in_use
from foundation.runtime import Runtime, stored_files
from webapp.api import idempotency
from webapp.celery_app import (
    SEAL_SECONDS,
    carry_out_here,
    celery,
    due_jobs,
    give_up_lost,
    log_failure,
    seal_now,
)
from webapp.opening import open_installation
from webapp.services import access
from webapp.settings import named_database

LOOK_SECONDS = 0.5
"""How often the embedded worker looks for work."""
TIDY_SECONDS = 3600
KEEP_ORPHANS = timedelta(days=1)
"""A stored file that no upload names is kept this long: its upload may still be under way."""
LAST_SECONDS = 10
"""How long a worker that is told to stop has for the job at hand; another one then does it again from its start."""

_AT_ONCE = {"letter": 50, "calculation_sheet": 50}
"""How many jobs of a kind are carried out in one go, where that is quicker than one by one."""

_log = structlog.get_logger()


def work(database_url: str | None, key_file: Path | None, *, migrated: bool = False) -> None:
    """Works until it is stopped. Raises ConfigurationError when the database is not named or cannot be used."""
    runtime = open_installation(named_database(database_url), key_file, migrated=migrated)
    try:
        tidy(runtime)
        if os.environ.get("FANGPIN_BROKER"):
            _with_broker()
        else:
            _embedded(runtime)
    finally:
        runtime.database.close()


def _with_broker() -> None:
    # One process, one task at a time: the work is short, and more workers are more processes.
    quiet = ["--loglevel=WARNING", "--without-gossip", "--without-mingle"]
    schedule = os.environ.get("FANGPIN_BEAT_FILE", "/dev/null")
    celery.worker_main(["worker", "--pool=solo", "--beat", "--schedule", schedule, *quiet])


def _embedded(runtime: Runtime) -> None:
    stop = threading.Event()

    def end(_signal: int, _frame: object) -> None:
        stop.set()
        signal.alarm(LAST_SECONDS)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    look_for_work(runtime, stop)
    signal.alarm(0)


def look_for_work(runtime: Runtime, stop: threading.Event) -> None:
    """Carries out what is due in the job table, again and again, until it is stopped."""
    tidied = sealed = time.monotonic()
    while not stop.is_set():
        try:
            carry_out_due(stop)
            if time.monotonic() - sealed > SEAL_SECONDS:
                sealed = time.monotonic()
                seal_now()
            if time.monotonic() - tidied > TIDY_SECONDS:
                tidied = time.monotonic()
                tidy(runtime)
        except DBAPIError as error:
            # The database is away or busy: its return is waited for, and no work is lost meanwhile.
            _log.error("no database", error=type(error).__name__)
            stop.wait(10 * LOOK_SECONDS)
        stop.wait(LOOK_SECONDS)


def carry_out_due(stop: threading.Event | None = None) -> int:
    """Carries out the jobs that are due, in this process; how many. One that fails does not keep the others back."""
    due = due_jobs()
    for kind, job_ids in _portions(due):
        if stop is not None and stop.is_set():
            break
        try:
            carry_out_here(kind, job_ids)
        except DBAPIError:
            raise
        except Exception as error:  # noqa: BLE001  # its task has marked the job
            log_failure(kind, error)
    return len(due)


def _portions(due: Sequence[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    """The jobs in their order, those of a kind that are quicker together in one portion."""
    portions: list[tuple[str, list[str]]] = []
    for kind, found in groupby(due, key=itemgetter(0)):
        job_ids = [job_id for _, job_id in found]
        size = _AT_ONCE.get(kind, 1)
        portions += [(kind, job_ids[start : start + size]) for start in range(0, len(job_ids), size)]
    return portions


KEEP_COUNTS = timedelta(days=184)
"""Counts of access are kept as long as logs have to be (网络安全法 21: six months)."""
KEEP_ANSWERS = timedelta(days=30)
"""A program that asks again after that is told that its key is new."""


def tidy(runtime: Runtime) -> None:
    """Removes what nobody needs: plain copies of killed workers, stored files without an upload, hopeless jobs."""
    at = runtime.clock.now()
    with runtime.database.transaction() as session:
        access.forget(session, before=at - KEEP_COUNTS)
        idempotency.forget(session, before=at - KEEP_ANSWERS)
    files = stored_files(runtime)
    files.clear_left_behind()
    with runtime.database.reading() as session:
        in_use = blobs_in_use(session)
    files.sweep(in_use, before=runtime.clock.now() - KEEP_ORPHANS)
    give_up_lost()

"""`fangpin worker`: background work, with a broker by Celery's worker, without one by looking at the job table."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import structlog
from sqlalchemy.exc import DBAPIError

from claims.services import owed
from foundation.errors import FangpinError
from foundation.privacy.exports import lapse
from foundation.runtime import Runtime, stored_files
from households.services import comparison
from webapp.celery_app import (
    carry_out_here,
    celery,
    due_jobs,
    give_up_lost,
    log_failure,
    seal_now,
)
from webapp.demo_actors import SYSTEM
from webapp.opening import open_installation
from webapp.services import verification
from webapp.settings import named_database
from webapp.tidying import forget_logs, sweep_uploads

LOOK_SECONDS = 0.5
"""How often the embedded worker looks for work."""
SEAL_SECONDS = 60
"""How often the trail is sealed, besides after each job and before each report."""
TIDY_SECONDS = 3600
LAST_SECONDS = 10
"""How long a worker that is told to stop has for the job at hand; another one then does it again from its start."""

_AT_ONCE = {"letter": 50, "calculation_sheet": 50}
"""How many jobs of a kind are carried out in one go, where that is quicker than one by one."""

_log = structlog.get_logger()


def work(database_url: str | None, key_file: Path | None, *, migrated: bool = False) -> None:
    """Works until it is stopped. Raises ConfigurationError when the database is not named or cannot be used."""
    comparison.nightly_days()  # a setting that is no number stops the start, not the first tidying
    runtime = open_installation(named_database(database_url), key_file, migrated=migrated)
    ended = threading.Event()
    clockwork = threading.Thread(target=_every_so_often, args=(runtime, ended), daemon=True, name="clockwork")
    try:
        clockwork.start()
        if os.environ.get("FANGPIN_BROKER"):
            _with_broker()
        else:
            _embedded()
    finally:
        ended.set()
        clockwork.join(timeout=LAST_SECONDS)
        runtime.database.close()


def _every_so_often(runtime: Runtime, ended: threading.Event) -> None:
    """Seals the trail each minute and tidies each hour, beside the jobs: a long one must hold up neither."""
    tidied = None
    while not ended.is_set():
        if tidied is None or time.monotonic() - tidied > TIDY_SECONDS:
            tidied = time.monotonic()
            try:
                tidy(runtime)
            except (DBAPIError, FangpinError, OSError) as error:
                log_failure("tidying", error)
        seal_now()
        ended.wait(SEAL_SECONDS)


def _with_broker() -> None:
    # One process, one task at a time: the work is short, and more workers are more processes.
    quiet = ["--loglevel=WARNING", "--without-gossip", "--without-mingle"]
    # The schedule stays in memory: what is due is in the job table, and a file of Celery's own would be one more thing
    # to lose (given /dev/null for it, root's Celery deletes the device).
    scheduler = "--scheduler=celery.beat:Scheduler"
    celery.worker_main(["worker", "--pool=solo", "--beat", scheduler, *quiet])


def _embedded() -> None:
    stop = threading.Event()

    def end(_signal: int, _frame: object) -> None:
        stop.set()
        signal.alarm(LAST_SECONDS)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    look_for_work(stop)
    signal.alarm(0)


def look_for_work(stop: threading.Event) -> None:
    """Carries out what is due in the job table, again and again, until it is stopped."""
    while not stop.is_set():
        try:
            carry_out_due(stop)
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


def tidy(runtime: Runtime) -> None:
    """Removes what nobody needs: plain copies of killed workers, stored files without an upload, hopeless jobs.

    Asks for the day's verification of the trail and for the night's comparison and list of what is owed besides, and
    ends approvals of exports that nobody used.
    """
    at = runtime.clock.now()
    with runtime.database.transaction() as session:
        forget_logs(session, at)
        verification.ask_nightly(session, at)
        comparison.ask_nightly(session, at)
        owed.ask_nightly(session, at)
        lapse(session, SYSTEM, at)
    stored_files(runtime).clear_left_behind()
    sweep_uploads(runtime)
    give_up_lost()

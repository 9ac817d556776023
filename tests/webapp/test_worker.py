"""Background work on a real broker: the worker does a job once, however often the bell rings."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

from sqlalchemy import func, select, update

from claims.services.determination import determine
from foundation.clock import as_of
from foundation.database import Database
from foundation.jobs import Job, ask_for
from foundation.keyfile import open_sealer
from foundation.money import Money
from payments.models import BankFile, Batch
from payments.services.batches import check_batch, make_batch, release_batch
from payments.services.owing import owe, record_contribution
from webapp import demo_actors as actors
from webapp.run import Options, run_pack

DAY = date(2020, 12, 31)


def test_a_lost_message_and_ten_rings_give_one_export(
    small_pack: Path, tmp_path: Path, database_url: str, broker_url: str
) -> None:
    key = tmp_path / "key"
    run_pack(
        Options(small_pack, tmp_path / "out", database_url, as_of=DAY, decide_only=True, key_file=key),
        lambda *_: None,
    )
    database = Database(database_url)
    at = as_of(DAY).now()
    with database.transaction() as session:
        sealer = open_sealer(session, key)
        determine(session, sealer, actors.RECOMMENDER, actors.DETERMINER, at, "FPB-370323-2020-S")
        owe(session, sealer, actors.SYSTEM, at)
        record_contribution(session, actors.MAKER, at, "test", "county", Money(10**10))
        batch = make_batch(session, sealer, actors.MAKER, at, "FPB-370323-2020-S")
        assert batch is not None
        check_batch(session, sealer, actors.CHECKER, at, batch.id)
        release_batch(session, actors.RELEASER, at, batch.id)
        # The job is asked for and nobody rings: only the sweeper can find it.
        (job_id,) = ask_for(session, "bank_files", [batch.id], at)
    environment = os.environ | {
        "FANGPIN_BROKER": broker_url,
        "FANGPIN_SWEEP_SECONDS": "1",
    }
    command = [
        sys.executable,
        "-c",
        "from webapp.cli import main; main()",
        "worker",
        "--database",
        database_url,
    ]
    root = Path(__file__).parents[2]
    worker = subprocess.Popen(
        [*command, "--key-file", str(key)],
        cwd=root,
        env=environment,
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(database, job_id)
        ring = "import sys; from webapp.celery_app import ring; ring('bank_files', [sys.argv[1]] * 10)"
        subprocess.run([sys.executable, "-c", ring, job_id], cwd=root, env=environment, check=True)
        time.sleep(2)
    finally:
        os.killpg(worker.pid, signal.SIGTERM)
        worker.wait(timeout=30)
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(BankFile)) == 2
        assert session.scalars(select(Batch.state)).one() == "exported"
        assert session.get_one(Job, job_id).attempts == 1
    database.close()


def _wait_for(database: Database, job_id: str) -> None:
    for _ in range(120):
        with database.reading() as session:
            if session.scalar(select(Job.state).where(Job.id == job_id)) == "done":
                return
        time.sleep(0.5)
    raise AssertionError("the sweeper found no job within a minute")


def test_a_job_whose_worker_died_is_found_again(migrated_url: str) -> None:
    from foundation.jobs import LOST_AFTER, start, sweep

    database = Database(migrated_url)
    at = as_of(DAY).now()
    with database.transaction() as session:
        (job_id,) = ask_for(session, "bank_files", ["x"], at)
        assert ask_for(session, "bank_files", ["x"], at) == [job_id]
        assert start(session, job_id, at) is not None
        assert start(session, job_id, at) is None, "another worker has it"
        assert sweep(session, at) == []
        later = at + LOST_AFTER + LOST_AFTER
        assert sweep(session, later) == [("bank_files", job_id)]
        assert start(session, job_id, later) is not None
        session.execute(update(Job).values(state="failed", attempts=5))
        assert sweep(session, later) == []
    database.close()

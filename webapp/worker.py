"""`fangpin worker`: a Celery worker with its sweeper, on a broker."""

from __future__ import annotations

import os
from pathlib import Path

from foundation.clock import SystemClock
from foundation.database import Database, migrate
from foundation.errors import ConfigurationError
from foundation.keyfile import open_sealer
from foundation.runtime import Runtime, set_current
from webapp.celery_app import celery
from webapp.demo_actors import NAMES, SYSTEM
from webapp.settings import default_key_file


def work(database_url: str | None, key_file: Path | None) -> None:
    """Works until it is stopped. Raises ConfigurationError when the broker or the database is not named."""
    url = database_url or os.environ.get("FANGPIN_DATABASE")
    if not os.environ.get("FANGPIN_BROKER") or not url:
        raise ConfigurationError(
            "请设置 FANGPIN_BROKER,并用 --database 或 FANGPIN_DATABASE 指定数据库",
            "set FANGPIN_BROKER, and name the database with --database or FANGPIN_DATABASE",
        )
    migrate(url)
    database = Database(url)
    with database.transaction() as session:
        sealer = open_sealer(session, key_file or default_key_file(url))
    set_current(Runtime(database, sealer, SystemClock(), SYSTEM, NAMES))
    # One process, one task at a time: the work is short, and more workers are more processes.
    quiet = ["--loglevel=WARNING", "--without-gossip", "--without-mingle"]
    schedule = os.environ.get("FANGPIN_BEAT_FILE", "/dev/null")
    celery.worker_main(["worker", "--pool=solo", "--beat", "--schedule", schedule, *quiet])

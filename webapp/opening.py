"""Opens an installation: its database brought to the newest schema, its keys, its stored files, and the runtime."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from claims.services.search_keys import fill_search_keys
from foundation.blobs import BlobStore
from foundation.clock import Clock, SystemClock
from foundation.database import Database, migrate, sqlite_file
from foundation.errors import ConfigurationError
from foundation.keyfile import open_sealer
from foundation.runtime import Runtime, set_current
from webapp.demo_actors import NAMES, SYSTEM
from webapp.settings import anchor_file, default_key_file, files_folder


def open_installation(
    url: str, key_file: Path | None, clock: Clock | None = None, *, migrated: bool = False
) -> Runtime:
    """The runtime on a database, made the one of this process. Close its database at the end.

    `migrated` leaves the schema alone: for a child of a process that has seen to it. Raises ConfigurationError when the
    database or its key file cannot be used.
    """
    if not migrated:
        migrate(url)
    database = Database(url)
    try:
        with database.transaction() as session:
            sealer = open_sealer(session, key_file or default_key_file(url))
            if not migrated:
                fill_search_keys(session, sealer)
    except BaseException:
        database.close()
        raise
    files = BlobStore(files_folder(url), sealer)
    runtime = Runtime(database, sealer, clock or SystemClock(), SYSTEM, NAMES, files, anchor_file(url))
    set_current(runtime)
    return runtime


def refuse_absent(url: str) -> None:
    """Raises ConfigurationError for a SQLite file that is not there: SQLite would make it."""
    path = sqlite_file(url)
    if path is not None and not path.exists():
        raise ConfigurationError(f"没有数据库文件 {path.name}", f"there is no database file {path.name}")


@contextmanager
def opened(url: str, key_file: Path | None, clock: Clock | None = None) -> Iterator[Runtime]:
    """The same for the length of a block."""
    runtime = open_installation(url, key_file, clock)
    try:
        yield runtime
    finally:
        runtime.database.close()

"""Fixtures of all tests: databases on both engines, a broker, the packs, and a network that ends here."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import hypothesis
import pysqlite3.dbapi2 as sqlite3
import pytest
import redis

from foundation.database import migrate
from tests.servers import Postgres, running_postgres, running_redis

ROOT = Path(__file__).resolve().parent.parent
ENGINES = ("sqlite", "postgresql")
PROOF = os.environ.get("FANGPIN_PROOF") == "1"

# The usual run is the same every time; `make proof` searches further, from another start each time.
hypothesis.settings.register_profile("usual", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.register_profile("proof", deadline=None, max_examples=2000, print_blob=True)
hypothesis.settings.load_profile("proof" if PROOF else "usual")


@pytest.fixture(scope="session")
def proof() -> bool:
    """Whether this is `make proof`: a test with rounds of its own may then take a hundred times as many."""
    return PROOF


# Packs


@pytest.fixture(scope="session")
def small_pack() -> Path:
    """The small pack with every kind of row, good and bad; the right answers lie in its `expected`."""
    return ROOT / "tests" / "packs" / "small"


@pytest.fixture(scope="session")
def demo_pack() -> Path:
    """The demo's pack: a whole county in a whole year."""
    return ROOT / "demo" / "pack"


# Databases. Every test that touches one runs on both engines: ask for `migrated_url`, or for `database_url`.


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """This test process's PostgreSQL server."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """An empty PostgreSQL database of the test's own."""
    name = postgres.create()
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A SQLite database of the test's own; its file is not there yet."""
    return f"sqlite:///{tmp_path}/fangpin.db"


@pytest.fixture(params=["sqlite_url", "postgres_url"], ids=ENGINES)
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty database, once on each engine."""
    return str(request.getfixturevalue(request.param))


@pytest.fixture(params=["migrated_sqlite_url", "migrated_postgres_url"], ids=ENGINES)
def migrated_url(request: pytest.FixtureRequest) -> str:
    """A database with the whole schema and nothing in it, once on each engine."""
    return str(request.getfixturevalue(request.param))


@pytest.fixture
def migrated_sqlite_url(sqlite_url: str, migrated_sqlite_file: Path) -> str:
    """The same on SQLite alone, for what only SQLite does."""
    shutil.copyfile(migrated_sqlite_file, sqlite_url.removeprefix("sqlite:///"))
    return sqlite_url


@pytest.fixture
def migrated_postgres_url(postgres: Postgres, migrated_postgres_template: str) -> Iterator[str]:
    """The same on PostgreSQL alone, for what only PostgreSQL does."""
    name = postgres.create(migrated_postgres_template)
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture(scope="session")
def migrated_sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy. Tests never open it."""
    file = tmp_path_factory.mktemp("migrated") / "template.db"
    migrate(f"sqlite:///{file}")
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return file


@pytest.fixture(scope="session")
def migrated_postgres_template(postgres: Postgres) -> str:
    """A migrated PostgreSQL database to copy, by name. Tests never connect to it: that would bar copying."""
    name = postgres.create()
    migrate(postgres.url(name))
    return name


# The broker


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """This test process's Redis server."""
    with running_redis() as url:
        yield url


@pytest.fixture
def broker_url(redis_server: str) -> str:
    """An empty broker."""
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
    return redis_server


# The network


class NetworkForbidden(Exception):
    """A test tried to reach another machine. Nothing in Fangpin does so by itself."""


@pytest.fixture(scope="session", autouse=True)
def network_ends_here() -> Iterator[None]:
    """Lets this process connect to this machine only. Programs that a test starts are not held by it."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, _local_only(getattr(socket.socket, name)))
        yield


def _local_only(connect: Any) -> Any:
    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family != socket.AF_UNIX and not _is_here(str(address[0])):
            raise NetworkForbidden(f"a test tried to connect to {address!r}")
        return connect(self, address)

    return guarded


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

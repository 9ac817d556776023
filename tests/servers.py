"""Private servers for the tests: a PostgreSQL cluster and a Redis, on free loopback ports, in their own folders.

Each test process starts its own when a test first asks for it, and stops it by its process at the end. A server
whose test process is killed is ended by the kernel (the parent-death signal), so that nothing is left running.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis

LOOPBACK = "127.0.0.1"
PATIENCE = 60
"""Seconds to wait for a server; a slow machine needs a few, and only a broken one needs all."""

MEMORY = Path("/dev/shm")
MEMORY_NEEDED = 2 << 30
"""A few test processes, each with a few databases of some 10 MiB and a log of changes of at most 128 MiB."""

_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)
_LIBC = ctypes.CDLL(None)


class ServerMissing(Exception):
    """A server program is not installed, or does not start. The tests fail: they never pass over it."""


@dataclass(frozen=True)
class Postgres:
    """A running PostgreSQL server."""

    port: int
    user: str

    def url(self, name: str) -> str:
        """The address of one of its databases."""
        return f"postgresql+psycopg://{self.user}@{LOOPBACK}:{self.port}/{name}"

    def create(self, template: str = "template1") -> str:
        """Makes a database, empty or as a copy of a template that nobody is connected to; gives its name."""
        name = f"fangpin_{secrets.token_hex(6)}"
        with self._connect() as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
        return name

    def drop(self, name: str) -> None:
        """Drops a database and ends whatever is still connected to it."""
        with self._connect() as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host=LOOPBACK,
            port=self.port,
            user=self.user,
            dbname="postgres",
            autocommit=True,
            connect_timeout=10,
        )

    def answers(self) -> bool:
        """Whether it takes connections already."""
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A PostgreSQL server from initdb to shutdown. It refuses root, so root runs it as the user postgres."""
    programs = _postgres_programs()
    owner = _server_user()
    with _folder("fangpin-postgres-", owner) as folder:
        data = folder / "data"
        _initdb(programs, data, owner)
        options = {
            "listen_addresses": LOOPBACK,
            "unix_socket_directories": "",
            "shared_buffers": "32MB",
            "max_connections": "40",
            "max_wal_size": "128MB",
            "min_wal_size": "32MB",
            # The tests' databases need not outlive a power cut.
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
        }

        def command(port: int) -> list[str]:
            settings = [f"--{name}={value}" for name, value in options.items()]
            return [str(programs / "postgres"), "-D", str(data), "-p", str(port), *settings]

        user = owner or pwd.getpwuid(os.getuid()).pw_name
        # SIGINT is its fast shutdown: it ends open sessions instead of waiting for them.
        with _running(
            command, lambda port: Postgres(port, user).answers(), folder, signal.SIGINT, owner
        ) as port:
            yield Postgres(port, user)


@contextmanager
def running_redis() -> Iterator[str]:
    """A Redis server that keeps nothing on the disk; gives its address."""
    program = shutil.which("redis-server")
    if program is None:
        raise ServerMissing("redis-server is not installed; `make test` installs it")
    with _folder("fangpin-redis-", None) as folder:

        def command(port: int) -> list[str]:
            settings = ["--bind", LOOPBACK, "--save", "", "--appendonly", "no", "--dir", str(folder)]
            return [program, "--port", str(port), *settings]

        with _running(command, _redis_answers, folder, signal.SIGTERM, None) as port:
            yield f"redis://{LOOPBACK}:{port}/0"


def _redis_answers(port: int) -> bool:
    try:
        with redis.Redis(host=LOOPBACK, port=port, socket_timeout=5) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def _postgres_programs() -> Path:
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3])
    )
    if installed:
        return installed[-1].parent
    on_path = shutil.which("initdb")
    if on_path is None:
        raise ServerMissing("PostgreSQL's server (initdb) is not installed; `make test` installs it")
    return Path(on_path).resolve().parent


def _server_user() -> str | None:
    """The account that the server runs under, when it is not our own."""
    if os.getuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        raise ServerMissing(
            "the account postgres is missing; Debian's package postgresql-common makes it"
        ) from None


def _initdb(programs: Path, data: Path, owner: str | None) -> None:
    command = [str(programs / "initdb"), "-D", str(data), "-A", "trust", "--no-sync"]
    command += ["--encoding=UTF8", "--locale=C.UTF-8"]
    usage = subprocess.run([command[0], "--help"], capture_output=True, text=True, check=True).stdout
    if "--icu-locale" in usage:
        # A county's server sorts text as Chinese does, not by bytes: nothing may depend on that order.
        command += ["--locale-provider=icu", "--icu-locale=zh-CN"]
    made = subprocess.run(
        command, capture_output=True, text=True, cwd="/", user=owner, group=_group(owner), check=False
    )
    if made.returncode:
        raise ServerMissing(f"initdb failed: {made.stderr.strip()}")


def _group(user: str | None) -> int | None:
    return None if user is None else pwd.getpwnam(user).pw_gid


@contextmanager
def _folder(prefix: str, owner: str | None) -> Iterator[Path]:
    # Not below pytest's own folders: those are closed to every other account, the server's among them.
    # In memory where there is room: copying a database for each test is ten times as fast there.
    in_memory = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_NEEDED
    parent = MEMORY if in_memory else Path(tempfile.gettempdir())
    _remove_left_behind(parent, prefix)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    with (folder / "in-use").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if owner is not None:
            shutil.chown(folder, owner, _group(owner))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_left_behind(parent: Path, prefix: str) -> None:
    """Removes the folders of test processes that were killed: nobody holds their lock any more."""
    for lock_file in parent.glob(f"{prefix}*/in-use"):
        with suppress(OSError), lock_file.open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock_file.parent, ignore_errors=True)


@contextmanager
def _running(
    command: Callable[[int], Sequence[str]],
    answers: Callable[[int], bool],
    folder: Path,
    stop: signal.Signals,
    owner: str | None,
) -> Iterator[int]:
    """Starts a server on a free port, waits until it answers, and stops it at the end; gives the port."""
    log = folder / "server.log"
    for _ in range(
        5
    ):  # another program may take the port between our choosing it and the server's opening it
        port = free_port()
        with log.open("wb") as output:
            server = subprocess.Popen(
                command(port),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                user=owner,
                group=_group(owner),
                start_new_session=True,  # Ctrl-C at the terminal stops the tests, and those stop the server
                preexec_fn=lambda: _LIBC.prctl(_SET_PARENT_DEATH_SIGNAL, stop),
            )
        try:
            if _wait(server, port, answers):
                yield port
                return
        finally:
            _stop(server, stop)
        if not re.search(r"address already in use", log.read_text("utf-8", "replace"), re.IGNORECASE):
            break
    raise ServerMissing(f"the server does not start: {log.read_text('utf-8', 'replace')[-2000:]}")


def _wait(server: subprocess.Popen[bytes], port: int, answers: Callable[[int], bool]) -> bool:
    give_up = time.monotonic() + PATIENCE
    while server.poll() is None and time.monotonic() < give_up:
        if answers(port):
            return True
        time.sleep(0.02)
    return False


def _stop(server: subprocess.Popen[bytes], stop: signal.Signals) -> None:
    if server.poll() is None:
        server.send_signal(stop)
    try:
        server.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def free_port() -> int:
    """A port of the loopback interface that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])

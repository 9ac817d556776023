"""`fangpin serve` as a county starts it: it answers, works, ends cleanly, and leaves nothing behind whatever is killed."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from sqlalchemy import func, select, update

from claims.models import ClaimRow, PackIntake
from claims.queries.uploads import upload_by_id
from claims.services import uploads
from claims.uploaded_files import sort_files
from foundation.blobs import BlobStore
from foundation.clock import SystemClock
from foundation.database import Database, migrate
from foundation.jobs import LOST_AFTER, Job
from foundation.keyfile import open_sealer
from foundation.trail.events import Event
from tests.claims.test_uploads import OFFICER, contents
from tests.servers import free_port

ROOT = Path(__file__).parents[2]
PATIENCE = 60


@dataclass
class Served:
    """A running `fangpin serve`."""

    process: subprocess.Popen[str]
    port: int

    def status(self, path: str = "/healthz", **headers: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path, headers=headers)
            return connection.getresponse().status
        finally:
            connection.close()

    def said_until(self, words: str) -> str:
        """What it has printed up to some words; it answers a moment before it says so."""
        said = ""
        while words not in said:
            line = self.process.stdout.readline() if self.process.stdout else ""
            assert line, f"it ended without {words}: {said}"
            said += line
        return said

    def family(self) -> list[psutil.Process]:
        return list(psutil.Process(self.process.pid).children(recursive=True))

    def child(self, name: str) -> psutil.Process:
        """The child `web` or `worker` itself, not what it started."""
        direct = psutil.Process(self.process.pid).children()
        return next(child for child in direct if child.cmdline()[-1] == name)


@contextmanager
def serving(url: str, tmp_path: Path, *arguments: str, **environment: str) -> Iterator[Served]:
    port = free_port()
    command = [sys.executable, "-c", "from webapp.cli import main; main()", "serve", "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--database", url, "--key-file", str(tmp_path / "key"), *arguments],
        cwd=ROOT,
        env=os.environ
        | {"FANGPIN_FILES": str(tmp_path / "files"), "FANGPIN_LOG": str(tmp_path / "log"), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        served = Served(process, port)
        wait_for(lambda: process.poll() is not None or answers(served), "no answer")
        assert process.poll() is None, process.communicate()[0]
        yield served
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=PATIENCE)


def answers(served: Served) -> bool:
    try:
        return served.status() == 200
    except OSError:
        return False


def wait_for(condition: object, what: str, seconds: float = PATIENCE) -> None:
    give_up = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < give_up, what
        time.sleep(0.1)


def gone(processes: list[psutil.Process]) -> bool:
    return not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)


def test_it_serves_works_and_ends_with_0_leaving_nothing(database_url: str, tmp_path: Path) -> None:
    with serving(database_url, tmp_path, "--demo") as served:
        assert served.status("/readyz") == 200
        assert served.status("/") == 303, "nobody is signed in"
        assert served.status("/", Host="evil.example") == 400
        family = served.family()
        assert len(family) >= 3
        command_lines = " ".join(" ".join(process.cmdline()) for process in family)
        assert "fangpin.db" not in command_lines and "postgresql" not in command_lines, (
            "an address may hold a password"
        )
        printed = served.said_until(f"http://127.0.0.1:{served.port}")
        served.process.send_signal(signal.SIGTERM)
        served.process.communicate(timeout=PATIENCE)
        assert served.process.returncode == 0
        assert gone(family)
    for word in ("demo-officer", "理赔员", "fangpin-demo-2020", "fangpin users code"):
        assert word in printed
    assert not re.search("Traceback|Error", (tmp_path / "log").read_text())


def test_a_taken_port_is_said_and_nothing_is_started(sqlite_url: str, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-c", "from webapp.cli import main; main()", "serve", "--port", port]
        done = subprocess.run(
            [*command, "--database", sqlite_url], cwd=ROOT, capture_output=True, text=True, check=False
        )
    assert done.returncode == 3
    assert port in done.stderr and "已被占用" in done.stderr and "is taken" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_demo_is_served_to_this_machine_only(sqlite_url: str, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-c",
        "from webapp.cli import main; main()",
        "serve",
        "--demo",
        "--host",
        "0.0.0.0",
    ]
    done = subprocess.run(
        [*command, "--port", "0", "--database", sqlite_url],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "127.0.0.1" in done.stderr


@pytest.mark.parametrize("victim", ["parent", "web", "worker"])
def test_whoever_is_killed_with_9_leaves_no_child_and_what_is_needed_comes_back(
    sqlite_url: str, tmp_path: Path, victim: str
) -> None:
    with serving(sqlite_url, tmp_path) as served:
        before = served.family()
        if victim == "parent":
            served.process.kill()
            served.process.communicate()
            wait_for(lambda: gone(before), "a child outlived its parent", 20)
            return
        killed = served.child(victim)
        own = [killed, *killed.children(recursive=True)]
        killed.kill()
        wait_for(lambda: gone(own), "a child outlived its parent", 20)
        wait_for(lambda: len(served.family()) >= len(before), "it was not started again")
        wait_for(lambda: answers(served), "no answer")
        assert served.process.poll() is None
    assert served.process.returncode == 0


def test_a_worker_that_is_killed_in_the_midst_of_its_work_does_it_once_in_the_end(
    small_pack: Path, database_url: str, tmp_path: Path
) -> None:
    """The pack is taken in once, as whoever asked for it; no plain copy of it stays behind."""
    migrate(database_url)
    database = Database(database_url)
    with database.transaction() as session:
        sealer = open_sealer(session, tmp_path / "key")
    store = BlobStore(tmp_path / "files", sealer)

    def state_of(upload_id: str) -> str:
        with database.reading() as session:
            return upload_by_id(session, upload_id).state

    def job_state(kind: str) -> str:
        with database.reading() as session:
            return str(session.scalars(select(Job.state).where(Job.kind == kind)).one_or_none())

    def kill_at_work(served: Served, kind: str) -> None:
        wait_for(lambda: job_state(kind) == "running", f"{kind} was not begun")
        served.child("worker").kill()
        # As if the lease had run out: a test need not wait for it.
        with database.transaction() as session:
            late = SystemClock().now() - 2 * LOST_AFTER
            session.execute(
                update(Job).where(Job.kind == kind, Job.state == "running").values(changed_at=late)
            )

    received = uploads.receive(store, sort_files(contents(small_pack)))
    with serving(database_url, tmp_path) as served:
        with database.transaction() as session:
            upload_id = uploads.record_upload(
                session, sealer, OFFICER, SystemClock().now(), received, "2019-10"
            )
        kill_at_work(served, "pack.check")
        wait_for(lambda: state_of(upload_id) == "ready", "it was not checked in the end")
        with database.transaction() as session:
            uploads.ask_take_in(session, OFFICER, SystemClock().now(), upload_id)
        kill_at_work(served, "pack.take_in")
        wait_for(lambda: state_of(upload_id) == "taken_in", "it was not taken in in the end")
        wait_for(lambda: job_state("pack.take_in") == "done", "its job is not done")
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(PackIntake)) == 1
        assert session.scalar(select(func.count()).select_from(ClaimRow)) == 300
        taken = session.scalars(select(Event).where(Event.action == "pack.taken_in")).one()
        assert '"person":"person-1"' in taken.body
    database.close()
    assert list((tmp_path / "files" / "work").iterdir()) == []


def test_the_worker_alone_does_the_work_without_a_broker(
    small_pack: Path, database_url: str, tmp_path: Path
) -> None:
    migrate(database_url)
    database = Database(database_url)
    with database.transaction() as session:
        sealer = open_sealer(session, tmp_path / "key")
    received = uploads.receive(BlobStore(tmp_path / "files", sealer), sort_files(contents(small_pack)))
    with database.transaction() as session:
        upload_id = uploads.record_upload(session, sealer, OFFICER, SystemClock().now(), received, "2019-10")
    command = [
        sys.executable,
        "-c",
        "from webapp.cli import main; main()",
        "worker",
        "--database",
        database_url,
    ]
    environment = {name: value for name, value in os.environ.items() if name != "FANGPIN_BROKER"}
    worker = subprocess.Popen(
        [*command, "--key-file", str(tmp_path / "key")],
        cwd=ROOT,
        env=environment | {"FANGPIN_FILES": str(tmp_path / "files")},
        stderr=subprocess.PIPE,
        text=True,
    )

    def ready() -> bool:
        with database.reading() as session:
            return upload_by_id(session, upload_id).state == "ready"

    try:
        wait_for(ready, "the worker found no work")
    finally:
        worker.terminate()
        _, said = worker.communicate(timeout=PATIENCE)
        database.close()
    assert (worker.returncode, said) == (0, "")

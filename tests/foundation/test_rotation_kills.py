"""A rotation that is killed with -9 at random moments, while another process reads and writes: nothing is lost."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select, text

from foundation import rotation
from foundation.actors import Actor, Role
from foundation.clock import SystemClock
from foundation.keyfile import read_key_file
from foundation.rotation import rotate
from foundation.upkeep import Upkeep
from foundation.vault import Vault
from tests.vaults import Contents, another, contents, full_vault, hold, under_others

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Actor("command-line", "command-line", Role.SYSTEM, "370323", "命令行")
LASTS = 1.2
"""About how many seconds an undisturbed rotation takes here."""
_CHILD = """
import sys
from pathlib import Path
from foundation import rotation, vault as vaults
from foundation.clock import SystemClock
from foundation.database import Database
from foundation.blobs import BlobStore
from foundation.keyfile import open_sealer
from tests.foundation.test_rotation_kills import PROGRAM
from webapp.keys import vault_of
vaults.MOST_CELLS, rotation.NOTICED_SECONDS = 3, 0.3
database = Database(sys.argv[1])
with database.transaction() as session:
    sealer = open_sealer(session, Path(sys.argv[2]))
print("ready", flush=True)
rotation.rotate(vault_of(database, sealer, BlobStore(Path(sys.argv[3]), sealer)), PROGRAM, SystemClock())
"""


class Web:
    """Another process's view: it reads everything and changes something, again and again, by a sealer of its own."""

    def __init__(self, vault: Vault) -> None:
        self.vault = vault
        self.expected: Contents = contents(vault)
        self.rounds = 0
        self.errors: list[BaseException] = []
        self._stop = threading.Event()

    def work(self) -> None:
        try:
            while not self._stop.wait(0.02):
                self.rounds += 1
                self._change(f"Stand {self.rounds}")
                assert contents(self.vault) == self.expected
        except BaseException as error:
            self.errors.append(error)

    def _change(self, words: str) -> None:
        sealer = self.vault.sealer
        with self.vault.database.transaction() as session:
            fresh = sealer.seal("pack_upload", "preview", "u1", words)
            session.execute(text("UPDATE pack_upload SET preview = :fresh WHERE id = 'u1'"), {"fresh": fresh})
            if self.rounds % 5 == 0:
                hold(session, sealer, f"web-{self.rounds}", words)
        self.expected["pack_upload.preview", "u1"] = words
        if self.rounds % 5 == 0:
            self.expected["legal_hold.reason", f"web-{self.rounds}"] = words

    @contextmanager
    def at_work(self) -> Iterator[None]:
        thread = threading.Thread(target=self.work)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()


def started(vault: Vault, key_file: Path) -> subprocess.Popen[str]:
    """A process that rotates, once it has opened the installation."""
    command = [sys.executable, "-c", _CHILD, vault.database.url, str(key_file), str(vault.files.folder)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    if process.stdout.readline() != "ready\n":
        raise AssertionError(process.communicate()[1])
    return process


@pytest.mark.timeout(3600)
def test_killed_at_random_moments_it_ends_whole_and_everything_opens_all_the_time(
    migrated_url: str, tmp_path: Path, proof: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_file = tmp_path / "own.key"
    vault = full_vault(migrated_url, key_file, tmp_path / "files")
    with vault.database.transaction() as session:
        for number in range(60):
            hold(session, vault.sealer, f"hold-{number}", f"诉讼 {number}")
    web = Web(another(vault, key_file))
    chance = random.Random(None if proof else 20201231)
    kills = 0
    with web.at_work():
        while kills < (100 if proof else 5):
            process = started(vault, key_file)
            try:
                _, said = process.communicate(timeout=chance.uniform(0, LASTS))
                assert (process.returncode, said) == (0, "")
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                kills += 1
            assert not web.errors
        monkeypatch.setattr(rotation, "NOTICED_SECONDS", 2.5)
        done = rotate(vault, PROGRAM, SystemClock())
    assert web.errors == [] and web.rounds > kills
    assert contents(vault) == contents(web.vault) == web.expected
    current = read_key_file(key_file).current
    assert done.state == "finished" and done.key_id == current
    assert under_others(vault, current) == 0
    with vault.database.reading() as session:
        upkeeps = session.scalars(select(Upkeep)).all()
    assert {upkeep.state for upkeep in upkeeps} == {"finished"}
    made = {upkeep.key_id for upkeep in upkeeps}
    assert len(made) == len(read_key_file(key_file).keys) - 1, "a kill never makes a second new key"
    web.vault.database.close()
    vault.database.close()

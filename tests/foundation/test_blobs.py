"""Sealed files on disk: stored once, opened only by their key, found whole or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from foundation.blobs import BlobStore
from foundation.errors import ConfigurationError
from foundation.sealing import KeyRing, Sealer, SealingKey

SEALER = Sealer(KeyRing.of_one(SealingKey("k1", bytes(32)), bytes(range(32))))
SECRET = "张三 370323194809155975".encode()
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
NEXT_YEAR = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "files", SEALER)


def files_of(store: BlobStore) -> list[Path]:
    return sorted(path for path in store.folder.glob("??/*") if path.is_file())


def test_what_is_stored_comes_back_and_lies_sealed_for_its_owner_only(store: BlobStore) -> None:
    address = store.put(SECRET)
    assert store.get(address) == SECRET
    (file,) = files_of(store)
    assert SECRET not in file.read_bytes()
    assert file.parent.name + file.name == address
    assert file.stat().st_mode & 0o777 == 0o600
    assert store.folder.stat().st_mode & 0o777 == 0o700


def test_the_same_content_twice_is_one_file(store: BlobStore) -> None:
    assert store.put(SECRET) == store.put(SECRET)
    assert store.put(SECRET + b".") != store.put(SECRET)
    assert len(files_of(store)) == 2


def test_an_address_says_nothing_without_the_key(tmp_path: Path) -> None:
    other = Sealer(KeyRing.of_one(SealingKey("k1", bytes(32)), bytes(32)))
    assert BlobStore(tmp_path / "a", SEALER).put(SECRET) != BlobStore(tmp_path / "b", other).put(SECRET)


def test_a_changed_moved_or_missing_file_is_refused(store: BlobStore) -> None:
    address, other = store.put(SECRET), store.put(b"other")
    first, second = store._path(address), store._path(other)
    kept = first.read_bytes()
    first.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    with pytest.raises(ConfigurationError):
        store.get(address)
    first.write_bytes(second.read_bytes())
    with pytest.raises(ConfigurationError):
        store.get(address)
    first.unlink()
    with pytest.raises(ConfigurationError, match="missing"):
        store.get(address)


@pytest.mark.parametrize("address", ["", "../../etc/passwd", "a" * 63, "A" * 64, "/" * 64])
def test_nothing_but_an_address_is_opened(store: BlobStore, address: str) -> None:
    with pytest.raises(ValueError, match="no address"):
        store.get(address)


def test_a_write_that_fails_leaves_nothing(store: BlobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    store.put(b"there")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            store.put(SECRET)
    assert len(files_of(store)) == 1
    assert store.get(store.put(SECRET)) == SECRET


def test_sweeping_removes_what_is_old_and_not_in_use(store: BlobStore) -> None:
    used, orphan = store.put(b"used"), store.put(b"orphan")
    assert store.sweep({used}, before=LONG_AGO) == 0
    assert store.sweep({used}, before=NEXT_YEAR) == 1
    assert store.get(used) == b"used"
    with pytest.raises(ConfigurationError):
        store.get(orphan)


def test_content_that_is_stored_again_counts_as_new(store: BlobStore) -> None:
    address = store.put(SECRET)
    os.utime(store._path(address), (0, 0))
    store.put(SECRET)
    yesterday = datetime.fromtimestamp(time.time(), UTC) - timedelta(days=1)
    assert store.sweep((), before=yesterday) == 0


def test_a_working_folder_is_closed_to_others_and_gone_at_the_end(store: BlobStore) -> None:
    with pytest.raises(RuntimeError), store.working_folder() as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "plain.csv").write_bytes(SECRET)
        assert store.clear_left_behind() == 0, "somebody works in it"
        raise RuntimeError
    assert list((store.folder / "work").iterdir()) == []


def test_what_a_killed_process_left_is_cleared(store: BlobStore) -> None:
    program = (
        "import sys, time; from pathlib import Path; from foundation.blobs import BlobStore\n"
        "from foundation.sealing import KeyRing, Sealer, SealingKey\n"
        "store = BlobStore(Path(sys.argv[1]), Sealer(KeyRing.of_one(SealingKey('k1', bytes(32)), bytes(range(32)))))\n"
        "with store.working_folder() as folder:\n"
        "    (folder / 'plain').write_text('secret'); print('ready', flush=True); time.sleep(60)\n"
    )
    worker = subprocess.Popen(
        [sys.executable, "-c", program, str(store.folder)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert worker.stdout is not None and worker.stdout.readline() == b"ready\n"
    assert store.clear_left_behind() == 0
    worker.send_signal(signal.SIGKILL)
    worker.communicate()
    assert store.clear_left_behind() == 1
    assert list((store.folder / "work").iterdir()) == []

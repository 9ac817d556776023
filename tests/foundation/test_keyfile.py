"""The key file: made once, changed whole, and whatever is wrong with it stops everything with a sentence."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from foundation import keyfile
from foundation.database import Database
from foundation.errors import ConfigurationError
from foundation.keyfile import (
    file_of,
    former_keys,
    make_key,
    make_key_file,
    open_sealer,
    read_key_file,
    replace_key_file,
    waiting_keys,
    watching_sealer,
    with_current,
    with_key,
    without_former,
)
from foundation.sealing import CipherName, KeyRing, Sealer, SealingKey
from foundation.upkeep import Upkeep

AT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
Change = Callable[[dict[str, Any]], Any]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A key file."""
    make_key_file(tmp_path / "county.key")
    return tmp_path / "county.key"


@pytest.fixture(autouse=True)
def looks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sealer looks before every sealing instead of once a second."""
    monkeypatch.setattr("foundation.sealing.LOOK_AGAIN_SECONDS", -1.0)


def opened(url: str, path: Path) -> Sealer:
    """The sealer of a database, opened anew."""
    database = Database(url)
    try:
        with database.transaction() as session:
            return open_sealer(session, path)
    finally:
        database.close()


def edit(path: Path, change: Change) -> None:
    data = json.loads(path.read_text("ascii"))
    change(data)
    path.write_text(json.dumps(data), "ascii")


def seals(sealer: Sealer) -> str:
    return sealer.seal("claim", "sealed", "1", "张三")


def opens(sealer: Sealer, sealed: str) -> str:
    return sealer.reveal("claim", "sealed", "1", sealed)


# --- one file -------------------------------------------------------------------------------------------------------


def test_a_ring_comes_back_from_its_file_and_the_file_is_its_owners_only(path: Path) -> None:
    ring = with_current(with_key(read_key_file(path), make_key()), read_key_file(path).current)
    replace_key_file(path, ring)
    assert read_key_file(path) == ring
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["county.key"], "nothing is left beside it"


def test_keys_stand_in_the_order_in_which_they_were_made(path: Path) -> None:
    first = read_key_file(path)
    key = make_key()
    waiting = with_key(first, key)
    assert (former_keys(waiting), waiting_keys(waiting)) == ([], [key.key_id])
    rotated = with_current(waiting, key.key_id)
    assert (former_keys(rotated), waiting_keys(rotated)) == ([first.current], [])
    alone = without_former(rotated)
    assert list(alone.keys) == [key.key_id]
    assert first.version < waiting.version < rotated.version < alone.version
    assert alone.lookup_key == first.lookup_key


DAMAGES: dict[str, Change] = {
    "no current key": lambda data: data.pop("current"),
    "an unknown current key": lambda data: data.update(current="k00000000"),
    "no keys": lambda data: data.update(keys={}),
    "keys that are a list": lambda data: data.update(keys=[]),
    "a short secret": lambda data: next(iter(data["keys"].values())).update(secret="AAAA"),
    "a secret that is no base64": lambda data: next(iter(data["keys"].values())).update(secret="*"),
    "an unknown cipher": lambda data: next(iter(data["keys"].values())).update(cipher="DES"),
    "an unknown hash": lambda data: data.update(hash="md5"),
    "a short look-up key": lambda data: data.update(lookup="AAAA"),
    "no look-up key": lambda data: data.pop("lookup"),
    "no version": lambda data: data.pop("version"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_refused_by_name(path: Path, damage: Change) -> None:
    edit(path, damage)
    with pytest.raises(ConfigurationError, match=r"county\.key.*damaged"):
        read_key_file(path)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b"null", "{密}".encode()])
def test_what_is_no_key_file_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="damaged"):
        read_key_file(path)


def test_a_file_that_is_missing_a_folder_or_unreadable_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="missing"):
        read_key_file(tmp_path / "none")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_key_file(tmp_path)


def test_no_message_holds_anything_of_a_key(path: Path) -> None:
    secret = json.loads(path.read_text())["lookup"]
    edit(path, lambda data: data.update(hash=secret))
    with pytest.raises(ConfigurationError) as refusal:
        read_key_file(path)
    assert secret not in str(refusal.value) + repr(refusal.value.__cause__)


def test_a_replacement_that_fails_leaves_the_file_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = path.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(ConfigurationError, match="No space left"):
            replace_key_file(path, with_key(read_key_file(path), make_key()))
    assert path.read_bytes() == before


def test_what_a_killed_process_left_beside_it_goes_with_the_next_change(path: Path) -> None:
    left, other = path.with_name(".county.key.0123abcd"), path.with_name(".county.key.backup")
    for file in (left, other):
        file.write_bytes(path.read_bytes())
    replace_key_file(path, with_key(read_key_file(path), make_key()))
    assert not left.exists() and other.exists()


# --- at the start ---------------------------------------------------------------------------------------------------


def test_a_new_database_gets_a_key_file_and_one_that_was_sealed_never_does(
    migrated_url: str, tmp_path: Path
) -> None:
    path = tmp_path / "new.key"
    sealed = seals(opened(migrated_url, path))
    assert opens(opened(migrated_url, path), sealed) == "张三"
    path.rename(tmp_path / "moved")
    with pytest.raises(ConfigurationError, match=r"new\.key is missing"):
        opened(migrated_url, path)
    assert not path.exists()
    (tmp_path / "moved").rename(path)
    assert opens(opened(migrated_url, path), sealed) == "张三"


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_database_does_not_open_with_a_damaged_file(
    migrated_sqlite_url: str, path: Path, damage: Change
) -> None:
    opened(migrated_sqlite_url, path)
    edit(path, damage)
    with pytest.raises(ConfigurationError):
        opened(migrated_sqlite_url, path)


def test_a_foreign_file_is_refused(migrated_url: str, path: Path, tmp_path: Path) -> None:
    opened(migrated_url, path)
    make_key_file(tmp_path / "foreign")
    with pytest.raises(ConfigurationError, match="not this database's"):
        opened(migrated_url, tmp_path / "foreign")


def test_a_key_or_a_look_up_key_or_a_hash_that_was_changed_is_refused(migrated_url: str, path: Path) -> None:
    opened(migrated_url, path)
    ring = read_key_file(path)
    kept = path.read_bytes()
    wrong = SealingKey(ring.current, bytes(32), ring.keys[ring.current].cipher)
    for changed in (
        KeyRing(ring.current, {ring.current: wrong}, ring.lookup_key),
        KeyRing(ring.current, ring.keys, bytes(32)),
        KeyRing(ring.current, ring.keys, ring.lookup_key, "sm3"),
    ):
        replace_key_file(path, changed)
        with pytest.raises(ConfigurationError):
            opened(migrated_url, path)
    path.write_bytes(kept)
    opened(migrated_url, path)


def add_rotation(url: str, key_id: str, state: str) -> None:
    """A row that says that a rotation to this key runs or has ended."""
    database = Database(url)
    with database.transaction() as session:
        row = Upkeep(
            id="rotation", kind="rotation", state="running", key_id=key_id, plan="{}", asked_by="x", asked_at=AT, done=0
        )  # fmt: skip
        session.add(row)
        session.flush()
        if state == "finished":
            row.state, row.ended_at = "finished", AT
    database.close()


@pytest.mark.parametrize("state", ["running", "finished"])
def test_a_file_from_before_the_newest_rotation_is_refused(migrated_url: str, path: Path, state: str) -> None:
    opened(migrated_url, path)
    before = read_key_file(path)
    key = make_key()
    waiting = with_key(before, key)
    rotated = with_current(waiting, key.key_id)
    replace_key_file(path, rotated)
    opened(migrated_url, path)
    add_rotation(migrated_url, key.key_id, state)
    assert opened(migrated_url, path).keys.current == key.key_id
    replace_key_file(path, before)
    with pytest.raises(ConfigurationError, match="from before the last rotation"):
        opened(migrated_url, path)
    replace_key_file(path, waiting)  # the new key can be read, but would not seal
    if state == "finished":
        with pytest.raises(ConfigurationError, match="from before the last rotation"):
            opened(migrated_url, path)
    else:
        opened(migrated_url, path)


def test_a_database_from_before_a_rotation_opens_with_todays_file(migrated_url: str, path: Path) -> None:
    """Restored from its backup: the former key opens what is in it, the new one seals, again and again."""
    sealed = seals(opened(migrated_url, path))
    key = make_key()
    replace_key_file(path, with_current(with_key(read_key_file(path), key), key.key_id))
    for _ in range(2):
        sealer = opened(migrated_url, path)
        assert opens(sealer, sealed) == "张三"
        assert seals(sealer).startswith(key.key_id)


def test_eight_at_once_make_one_key_file(migrated_url: str, tmp_path: Path) -> None:
    path = tmp_path / "new.key"
    found: list[str] = []
    workers = [
        threading.Thread(target=lambda: found.append(opened(migrated_url, path).keys.current))
        for _ in range(8)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(found) == 8 and len(set(found)) == 1


# --- while it runs --------------------------------------------------------------------------------------------------


def test_a_sealer_takes_over_a_replaced_file_and_opens_what_both_keys_sealed(path: Path) -> None:
    sealer, other = watching_sealer(path), watching_sealer(path)
    old = seals(sealer)
    key = make_key()
    replace_key_file(path, with_current(with_key(read_key_file(path), key), key.key_id))
    new = seals(other)
    assert new.startswith(key.key_id)
    assert opens(sealer, new) == opens(sealer, old) == opens(other, old) == "张三", "read before it sealed"
    assert seals(sealer).startswith(key.key_id)


def test_without_its_file_nothing_is_sealed_and_what_is_sealed_opens_until_it_comes_back(path: Path) -> None:
    sealer = watching_sealer(path)
    sealed = seals(sealer)
    path.rename(path.with_name("away"))
    for _ in range(3):
        with pytest.raises(ConfigurationError, match="missing"):
            seals(sealer)
        assert opens(sealer, sealed) == "张三"
    path.with_name("away").rename(path)
    assert opens(sealer, seals(sealer)) == "张三"


def test_a_look_that_failed_is_repeated_before_the_second_is_over(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("foundation.sealing.stopwatch", lambda: clock[0])
    monkeypatch.setattr("foundation.sealing.LOOK_AGAIN_SECONDS", 1.0)
    sealer = watching_sealer(path)
    path.unlink()
    seals(sealer)  # not a second old yet
    clock[0] = 1.1
    for clock[0] in (1.1, 1.2, 1.3):
        with pytest.raises(ConfigurationError):
            seals(sealer)


def test_a_file_that_is_damaged_or_replaced_by_a_wrong_one_stops_the_sealing_until_it_is_right(
    path: Path, tmp_path: Path
) -> None:
    sealer = watching_sealer(path)
    sealed = seals(sealer)
    ring = read_key_file(path)
    kept = path.read_bytes()
    foreign = read_key_file_of_another(tmp_path)
    key = make_key()
    replace_key_file(path, with_current(with_key(ring, key), key.key_id))
    seals(sealer)
    newest = path.read_bytes()
    wrong = SealingKey(ring.current, bytes(32))
    for content in (
        b"",
        kept,  # from before the rotation
        foreign,
        keyfile._text(KeyRing(ring.current, {ring.current: wrong}, ring.lookup_key, version=9)).encode(),
        keyfile._text(KeyRing(key.key_id, {key.key_id: key}, bytes(32), version=9)).encode(),
        keyfile._text(KeyRing(key.key_id, {key.key_id: key}, ring.lookup_key, "sm3", 9)).encode(),
    ):
        path.write_bytes(content)
        for _ in range(2):
            with pytest.raises(ConfigurationError):
                seals(sealer)
            assert opens(sealer, sealed) == "张三"
        path.write_bytes(newest)
        assert opens(sealer, seals(sealer)) == "张三"


def read_key_file_of_another(tmp_path: Path) -> bytes:
    make_key_file(tmp_path / "foreign")
    return (tmp_path / "foreign").read_bytes()


def test_threads_that_share_a_sealer_never_seal_with_one_key_under_the_name_of_another(path: Path) -> None:
    """Every value that was sealed while keys changed opens: a value under the wrong name would be lost."""
    sealer = watching_sealer(path)
    stop = threading.Event()
    sealed: list[list[str]] = [[] for _ in range(4)]
    errors: list[BaseException] = []

    def seal_on(mine: list[str]) -> None:
        try:
            while not stop.is_set():
                mine.append(seals(sealer))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=seal_on, args=(mine,)) for mine in sealed]
    for thread in threads:
        thread.start()
    for _ in range(60):
        key = make_key()
        ring = with_key(read_key_file(path), key)
        replace_key_file(path, ring)
        replace_key_file(path, with_current(ring, key.key_id))
    stop.set()
    for thread in threads:
        thread.join()
    assert not errors
    everything = [value for mine in sealed for value in mine]
    assert len({value.partition(":")[0] for value in everything}) > 20
    assert all(opens(sealer, value) == "张三" for value in everything)


def test_the_file_of_a_sealer_is_known_and_a_sealer_without_one_says_so(path: Path) -> None:
    assert file_of(watching_sealer(path)) == path
    with pytest.raises(ConfigurationError):
        file_of(Sealer(read_key_file(path)))


# --- settings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("named", "cipher"),
    [("", "AES-256-GCM"), ("AES-256-GCM", "AES-256-GCM"), ("sm4-gcm", "SM4-GCM"), ("SM4-GCM", "SM4-GCM")],
)
def test_new_keys_seal_as_the_setting_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str, cipher: str
) -> None:
    monkeypatch.setenv("FANGPIN_CIPHER", named)
    ring = make_key_file(tmp_path / "key")
    assert ring.keys[ring.current].cipher == CipherName(cipher)
    sealer = watching_sealer(tmp_path / "key")
    assert opens(sealer, seals(sealer)) == "张三"
    with pytest.raises(ConfigurationError):
        sealer.reveal("claim", "sealed", "2", seals(sealer))


@pytest.mark.parametrize(("named", "hash_name"), [("", "sha256"), ("SHA-256", "sha256"), ("SM3", "sm3")])
def test_a_new_installation_hashes_as_the_setting_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str, hash_name: str
) -> None:
    monkeypatch.setenv("FANGPIN_HASH", named)
    assert make_key_file(tmp_path / "key").hash_name == hash_name


@pytest.mark.parametrize("setting", ["FANGPIN_CIPHER", "FANGPIN_HASH"])
@pytest.mark.parametrize("value", ["DES", "AES", "sha1", "none", "AES-256-GCM;"])
def test_an_unknown_setting_is_refused_with_what_there_is(
    migrated_sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str, value: str
) -> None:
    known = opened(migrated_sqlite_url, tmp_path / "key")
    monkeypatch.setenv(setting, value)
    for path in (tmp_path / "key", tmp_path / "new"):
        with pytest.raises(ConfigurationError, match=f"{setting} must be") as refusal:
            opened(migrated_sqlite_url, path)
        assert ("SM4-GCM" if setting == "FANGPIN_CIPHER" else "sm3") in str(refusal.value)
    monkeypatch.delenv(setting)
    assert opened(migrated_sqlite_url, tmp_path / "key").keys == known.keys

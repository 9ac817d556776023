"""The key file: where an installation's keys lie, outside the database.

A new one is made only for a database that has never been sealed. Missing or wrong, everything stops with a message. The
cipher of new keys and the hash of a new installation come from the settings FANGPIN_CIPHER and FANGPIN_HASH.

The keys stand in it in the order in which they were made: those before the current one sealed formerly, one behind it
is readable and waits for a rotation to make it the current one (`foundation.rotation`).
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from foundation.database import Base, SealedText, one_at_a_time, strict
from foundation.errors import ConfigurationError
from foundation.guards import append_only
from foundation.hashing import HASH_NAMES, HashName
from foundation.sealing import KEY_BYTES, CipherName, KeyRing, Sealer, SealingKey
from foundation.upkeep import ROTATION, Upkeep

_PROOF = "fangpin"
_LOCK = "key file"


class KeyCheck(Base):
    """One sealed word for each key that ever sealed here: it tells a right key from a wrong one at the start.

    The word is a digest under the look-up key, so that this one is told apart too.
    """

    __tablename__ = "key_check"
    __table_args__ = strict()
    key_id: Mapped[str] = mapped_column(String, primary_key=True)
    proof: Mapped[str] = mapped_column(SealedText)


GUARDS = append_only("key_check", "key_id")


def read_key_file(path: Path) -> KeyRing:
    """The keys of a file. Raises ConfigurationError when it is missing, cannot be read, or is damaged."""
    try:
        return _ring(json.loads(path.read_text(encoding="ascii")))
    except FileNotFoundError:
        raise ConfigurationError(
            f"缺少密钥文件 {path.name};请从备份恢复,没有它数据无法解开",
            f"the key file {path.name} is missing; restore it from its backup, nothing opens without it",
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise ConfigurationError(
            f"密钥文件 {path.name} 无法读取或已损坏", f"the key file {path.name} cannot be read or is damaged"
        ) from error


def _ring(data: dict[str, Any]) -> KeyRing:
    keys = {
        key_id: SealingKey(
            key_id, base64.b64decode(entry["secret"], validate=True), CipherName(entry["cipher"])
        )
        for key_id, entry in data["keys"].items()
    }
    if data["hash"] not in HASH_NAMES:
        raise ValueError("an unknown hash")
    lookup = base64.b64decode(data["lookup"], validate=True)
    return KeyRing(data["current"], keys, lookup, data["hash"], int(data["version"]))


def _text(ring: KeyRing) -> str:
    keys = {
        key.key_id: {"cipher": str(key.cipher), "secret": base64.b64encode(key.secret).decode()}
        for key in ring.keys.values()
    }
    lookup = base64.b64encode(ring.lookup_key).decode()
    content = {
        "version": ring.version,
        "current": ring.current,
        "hash": ring.hash_name,
        "keys": keys,
        "lookup": lookup,
    }
    return json.dumps(content, indent=1)


def make_key() -> SealingKey:
    """A new random key that seals as FANGPIN_CIPHER says. Raises ConfigurationError for an unknown cipher."""
    cipher = cipher_setting()
    return SealingKey(f"k{secrets.token_hex(4)}", secrets.token_bytes(KEY_BYTES[cipher]), cipher)


def cipher_setting() -> CipherName:
    """How new keys seal: FANGPIN_CIPHER, else AES-256-GCM. Raises ConfigurationError for an unknown cipher."""
    named = os.environ.get("FANGPIN_CIPHER") or CipherName.AES
    try:
        return CipherName(named.upper())
    except ValueError:
        raise ConfigurationError(
            f"FANGPIN_CIPHER 应为 {' 或 '.join(CipherName)}",
            f"FANGPIN_CIPHER must be {' or '.join(CipherName)}",
        ) from None


def hash_setting() -> HashName:
    """The hash of a new installation: FANGPIN_HASH, else sha256. Raises ConfigurationError for an unknown one."""
    named = (os.environ.get("FANGPIN_HASH") or "sha256").lower().replace("-", "")
    if named not in HASH_NAMES:
        raise ConfigurationError("FANGPIN_HASH 应为 sha256 或 sm3", "FANGPIN_HASH must be sha256 or sm3")
    return named


def make_key_file(path: Path) -> KeyRing:
    """A new key file, readable by its owner only, safely on the disk before this returns.

    An existing file is never replaced: raises FileExistsError.
    """
    ring = KeyRing.of_one(make_key(), secrets.token_bytes(32), hash_setting())
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = _written_beside(path, ring)
    try:
        os.link(partial, path)  # whole or not at all, and never over another one
    finally:
        partial.unlink()
    _sync(path.parent)
    return read_key_file(path)


def replace_key_file(path: Path, ring: KeyRing) -> None:
    """Puts another ring into an existing key file: whole or not at all, and safely on the disk when this returns.

    What a killed process left beside it, with keys in it, goes. Raises ConfigurationError when it cannot be written.
    """
    try:
        for left in path.parent.glob(f".{path.name}.{'[0-9a-f]' * 8}"):
            left.unlink(missing_ok=True)
        partial = _written_beside(path, ring)
        try:
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        _sync(path.parent)
    except OSError as error:
        raise ConfigurationError(
            f"密钥文件 {path.name} 无法写入({error.strerror})",
            f"the key file {path.name} cannot be written ({error.strerror})",
        ) from error


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def with_key(ring: KeyRing, key: SealingKey) -> KeyRing:
    """The ring with one more key to read; which one seals stays."""
    return replace(ring, keys={**ring.keys, key.key_id: key}, version=ring.version + 1)


def with_current(ring: KeyRing, key_id: str) -> KeyRing:
    """The ring with another one of its keys to seal with from now on."""
    return replace(ring, current=key_id, version=ring.version + 1)


def without_former(ring: KeyRing) -> KeyRing:
    """The ring without the keys that sealed formerly."""
    gone = former_keys(ring)
    kept = {key_id: key for key_id, key in ring.keys.items() if key_id not in gone}
    return replace(ring, keys=kept, version=ring.version + 1)


def keep_copy(path: Path, ring: KeyRing) -> Path:
    """A copy of the key file beside it, as it is before a key is taken out: `NAME.before-KEY`. Its path.

    Another machine whose key file was forgotten may have sealed with that key until now: `with_keys_of` brings it back.
    """
    copy = path.with_name(f"{path.name}.before-{ring.current}")
    _written_beside(path, ring).replace(copy)
    return copy


def with_keys_of(ring: KeyRing, other: KeyRing) -> KeyRing:
    """The ring with those keys of another one that it lacks, as former ones, to be read."""
    lacking = {key_id: key for key_id, key in other.keys.items() if key_id not in ring.keys}
    return replace(ring, keys={**lacking, **ring.keys}, version=ring.version + 1)


def former_keys(ring: KeyRing) -> list[str]:
    """Ids of the keys that sealed before the current one, oldest first."""
    ids = list(ring.keys)
    return ids[: ids.index(ring.current)]


def waiting_keys(ring: KeyRing) -> list[str]:
    """Ids of the keys that were put into the file and have never sealed: an interrupted rotation leaves one."""
    ids = list(ring.keys)
    return ids[ids.index(ring.current) + 1 :]


def _written_beside(path: Path, ring: KeyRing) -> Path:
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(_text(ring))
        file.flush()
        os.fsync(file.fileno())
    return partial


class KeyFile:
    """A key file as the source of a sealer's keys: read again when it was changed or replaced."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen = self._stamp()

    def _stamp(self) -> tuple[int, ...]:
        try:
            found = self.path.stat()
        except OSError:
            return ()
        return found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_size

    def newer(self, present: KeyRing) -> KeyRing | None:
        """See `foundation.sealing.KeySource`."""
        stamp = self._stamp()
        if stamp == self._seen:
            return None
        ring = read_key_file(self.path)
        _refuse_other(present, ring)
        self._seen = stamp
        return ring


def _refuse_other(present: KeyRing, ring: KeyRing) -> None:
    """A ring that follows the present one has the same look-up key and hash, and is no older one."""
    ours = ring.lookup_key == present.lookup_key and ring.hash_name == present.hash_name
    both = present.keys.keys() & ring.keys.keys()
    if not ours or any(present.keys[key_id] != ring.keys[key_id] for key_id in both):
        raise ConfigurationError(
            "密钥文件被换成了别的密钥文件,已停止加密;请放回原来的",
            "the key file was replaced by another one; nothing is sealed until the right one is back",
        )
    if ring.version < present.version:
        raise ConfigurationError(
            "密钥文件被换成了轮换以前的旧文件,已停止加密;请放回最新的",
            "the key file was replaced by one from before a rotation; nothing is sealed until the newest is back",
        )


def watching_sealer(path: Path) -> Sealer:
    """A sealer by a key file, which takes over a newer ring by itself when the file is replaced."""
    source = KeyFile(path)
    return Sealer(read_key_file(path), source)


def file_of(sealer: Sealer) -> Path:
    """The key file that a sealer watches. Raises ConfigurationError for a sealer without one."""
    if not isinstance(sealer.source, KeyFile):
        raise ConfigurationError("密钥不在文件里", "the keys are in no file")
    return sealer.source.path


def hold_key_file(session: Session, sealer: Sealer) -> None:
    """Lets nobody else change the key file until the transaction ends; the sealer then has the newest ring."""
    one_at_a_time(session, _LOCK)
    sealer.look_again()


def open_sealer(session: Session, path: Path) -> Sealer:
    """The sealer for this database. Call it in a writing transaction: a new database gets its key check here.

    Raises ConfigurationError when the key file is missing, damaged, another database's or from before a rotation, and
    when FANGPIN_CIPHER or FANGPIN_HASH says what there is not.
    """
    cipher_setting()
    hash_setting()
    one_at_a_time(session, _LOCK)
    known = set(session.scalars(select(KeyCheck.key_id)))
    if not known and not path.exists():
        make_key_file(path)
    sealer = watching_sealer(path)
    if known:
        check_keys(session, sealer)
    if sealer.keys.current not in known:  # a new database, or one restored from before a rotation
        add_check(session, sealer)
    return sealer


def add_check(session: Session, sealer: Sealer) -> None:
    """Adds the key check of the key that seals now."""
    key_id = sealer.keys.current
    proof = sealer.seal("key_check", "proof", key_id, sealer.lookup("key_check", _PROOF))
    session.add(KeyCheck(key_id=key_id, proof=proof))
    session.flush()


def check_keys(session: Session, sealer: Sealer) -> None:
    """Raises ConfigurationError unless the ring is this database's.

    It holds a key that has sealed here, each such key is the right one, and so is the look-up key; and it is not from
    before the newest rotation. A key that was retired has a check and is in no file any more.
    """
    ring = sealer.keys
    proofs = {check.key_id: check.proof for check in session.scalars(select(KeyCheck))}
    known = ring.keys.keys() & proofs.keys()
    if not known:
        raise ConfigurationError(
            "密钥文件不是本数据库的:其中没有任何在此使用过的密钥",
            "the key file is not this database's: none of its keys was ever used here",
        )
    for key_id in known:
        word = sealer.reveal("key_check", "proof", key_id, proofs[key_id])
        if word != sealer.lookup("key_check", _PROOF):
            raise ConfigurationError(
                "密钥文件不是本数据库的:检索密钥不对",
                "the key file is not this database's: its look-up key differs",
            )
    rotation = session.scalars(
        select(Upkeep).where(Upkeep.kind == ROTATION).order_by(Upkeep.asked_at.desc(), Upkeep.id).limit(1)
    ).first()
    if rotation is None:
        return
    older = rotation.state == "finished" and rotation.key_id in waiting_keys(ring)
    if rotation.key_id not in ring.keys or older:
        raise ConfigurationError(
            "密钥文件是最近一次轮换以前的旧文件,请换成最新的密钥文件",
            "the key file is from before the last rotation of keys; put the newest one in its place",
        )

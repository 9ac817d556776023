"""The key file: where an installation's keys lie, outside the database.

A new one is made only for a database that has never been sealed. Missing or wrong, everything stops with a message. The
ciphers of new keys and the hash of a new installation come from the settings FANGPIN_CIPHER and FANGPIN_HASH.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
from collections.abc import Iterable
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

_PROOF = "fangpin"


class KeyCheck(Base):
    """One sealed word for each key that ever sealed here: it tells a right key from a wrong one at the start."""

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
    return KeyRing(data["current"], keys, base64.b64decode(data["lookup"], validate=True), data["hash"])


def _text(ring: KeyRing) -> str:
    keys = {
        key.key_id: {"cipher": str(key.cipher), "secret": base64.b64encode(key.secret).decode()}
        for key in ring.keys.values()
    }
    lookup = base64.b64encode(ring.lookup_key).decode()
    return json.dumps(
        {"current": ring.current, "hash": ring.hash_name, "keys": keys, "lookup": lookup}, indent=1
    )


def make_key() -> SealingKey:
    """A new random key that seals as FANGPIN_CIPHER says. Raises ConfigurationError for an unknown cipher."""
    named = os.environ.get("FANGPIN_CIPHER") or CipherName.AES
    try:
        cipher = CipherName(named.upper())
    except ValueError:
        raise ConfigurationError(
            f"FANGPIN_CIPHER 应为 {'、'.join(CipherName)}",
            f"FANGPIN_CIPHER must be one of {', '.join(CipherName)}",
        ) from None
    return SealingKey(f"k{secrets.token_hex(4)}", secrets.token_bytes(KEY_BYTES[cipher]), cipher)


def _hash_setting() -> HashName:
    named = (os.environ.get("FANGPIN_HASH") or "sha256").lower().replace("-", "")
    if named not in HASH_NAMES:
        raise ConfigurationError("FANGPIN_HASH 应为 sha256 或 sm3", "FANGPIN_HASH must be sha256 or sm3")
    return named


def make_key_file(path: Path) -> KeyRing:
    """A new key file, readable by its owner only, safely on the disk before this returns.

    An existing file is never replaced: raises FileExistsError.
    """
    ring = KeyRing.of_one(make_key(), secrets.token_bytes(32), _hash_setting())
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = _written_beside(path, ring)
    try:
        os.link(partial, path)  # whole or not at all, and never over another one
    finally:
        partial.unlink()
    return read_key_file(path)


def replace_key_file(path: Path, ring: KeyRing) -> None:
    """Puts another ring into an existing key file: whole or not at all, and safely on the disk when this returns."""
    partial = _written_beside(path, ring)
    try:
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def with_key(ring: KeyRing, key: SealingKey) -> KeyRing:
    """The ring with one more key to read; which one seals stays."""
    return replace(ring, keys={**ring.keys, key.key_id: key})


def _written_beside(path: Path, ring: KeyRing) -> Path:
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(_text(ring))
        file.flush()
        os.fsync(file.fileno())
    return partial


class _Watched:
    """Reads the key file again when it was replaced."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = self._stamp()

    def _stamp(self) -> tuple[int, int]:
        try:
            found = self._path.stat()
        except OSError:
            return (0, 0)
        return found.st_mtime_ns, found.st_ino

    def newer(self) -> KeyRing | None:
        stamp = self._stamp()
        if stamp == self._seen:
            return None
        ring = read_key_file(self._path)
        self._seen = stamp
        return ring


def watching_sealer(path: Path) -> Sealer:
    """A sealer by a key file, which takes over a newer ring by itself when the file is replaced."""
    watched = _Watched(path)
    return Sealer(read_key_file(path), watched.newer)


def open_sealer(session: Session, path: Path) -> Sealer:
    """The sealer for this database. Call it in a writing transaction: a new database gets its key check here."""
    one_at_a_time(session, "key file")
    checks = session.scalars(select(KeyCheck)).all()
    if not checks:
        if not path.exists():
            make_key_file(path)
        sealer = watching_sealer(path)
        add_check(session, sealer)
        return sealer
    sealer = watching_sealer(path)
    check_keys(sealer, checks)
    if sealer.keys.current not in {check.key_id for check in checks}:
        add_check(session, sealer)  # a database restored from before a rotation
    return sealer


def add_check(session: Session, sealer: Sealer) -> None:
    """Adds the key check of the key that seals now."""
    key_id = sealer.keys.current
    session.add(KeyCheck(key_id=key_id, proof=sealer.seal("key_check", "proof", key_id, _PROOF)))
    session.flush()


def check_keys(sealer: Sealer, checks: Iterable[KeyCheck]) -> None:
    """Raises ConfigurationError unless the file holds a key that has sealed here, and each such key is the right one.

    A key that was retired has a check and is in no file any more.
    """
    proofs = {check.key_id: check.proof for check in checks}
    known = sealer.keys.keys.keys() & proofs.keys()
    if not known:
        raise ConfigurationError(
            "密钥文件不是本数据库的:其中没有任何在此使用过的密钥",
            "the key file is not this database's: none of its keys was ever used here",
        )
    for key_id in known:
        sealer.reveal("key_check", "proof", key_id, proofs[key_id])

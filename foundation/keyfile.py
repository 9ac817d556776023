"""The key file: where an installation's keys lie, outside the database.

A new one is made only for a database that has never been sealed. Missing or wrong, everything stops with a message.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
from pathlib import Path

from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from foundation.database import Base, one_at_a_time, strict
from foundation.errors import ConfigurationError
from foundation.sealing import KeyRing, Sealer

_PROOF = "fangpin"


class KeyCheck(Base):
    """One sealed word that tells a right key from a wrong one before anything is read or written with it."""

    __tablename__ = "key_check"
    __table_args__ = strict()
    key_id: Mapped[str] = mapped_column(String, primary_key=True)
    proof: Mapped[str] = mapped_column(String)


def read_key_file(path: Path) -> KeyRing:
    """The keys of a file. Raises ConfigurationError when it is missing, readable by others, or damaged."""
    try:
        data = json.loads(path.read_text(encoding="ascii"))
        ring = KeyRing(data["key_id"], base64.b64decode(data["sealing"]), base64.b64decode(data["lookup"]))
        if len(ring.sealing_key) != 32 or len(ring.lookup_key) != 32:
            raise ValueError("wrong length")
    except FileNotFoundError:
        raise ConfigurationError(
            f"缺少密钥文件 {path.name};请从备份恢复,没有它数据无法解开",
            f"the key file {path.name} is missing; restore it from its backup, nothing opens without it",
        ) from None
    except (OSError, ValueError, KeyError, TypeError, binascii.Error) as error:
        raise ConfigurationError(
            f"密钥文件 {path.name} 无法读取或已损坏", f"the key file {path.name} cannot be read or is damaged"
        ) from error
    return ring


def make_key_file(path: Path) -> KeyRing:
    """A new key file, readable by its owner only, safely on the disk before this returns.

    An existing file is never replaced: raises FileExistsError.
    """
    body = {
        "key_id": f"k{secrets.token_hex(4)}",
        "sealing": base64.b64encode(secrets.token_bytes(32)).decode(),
        "lookup": base64.b64encode(secrets.token_bytes(32)).decode(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        json.dump(body, file)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(partial, path)  # whole or not at all, and never over another one
    finally:
        partial.unlink()
    return read_key_file(path)


def open_sealer(session: Session, path: Path) -> Sealer:
    """The sealer for this database. Call it in a writing transaction: a new database gets its key check here."""
    one_at_a_time(session, "key file")
    check = session.scalars(select(KeyCheck)).first()
    if check is None:
        ring = read_key_file(path) if path.exists() else make_key_file(path)
        sealer = Sealer(ring)
        proof = sealer.seal("key_check", "proof", ring.key_id, _PROOF)
        session.add(KeyCheck(key_id=ring.key_id, proof=proof))
        session.flush()
        return sealer
    ring = read_key_file(path)
    sealer = Sealer(ring)
    sealer.reveal("key_check", "proof", check.key_id, check.proof)
    return sealer

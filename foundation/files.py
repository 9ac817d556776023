"""Stored files: bank files, letters and reports, sealed in the database with the SHA-256 of their plain bytes.

What lies on a disk is a copy that can be made again with `write_copy`. A stored file never changes.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import BigInteger, CheckConstraint, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from foundation.database import Base, SealedBytes, strict
from foundation.guards import append_only_sealed
from foundation.sealing import Sealer


class StoredFile(Base):
    """The sealed bytes of one file."""

    __tablename__ = "stored_file"
    __table_args__ = strict(
        CheckConstraint("size >= 0", name="size"), CheckConstraint("length(sha256) = 64", name="sha256")
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    media_type: Mapped[str] = mapped_column(String)
    sha256: Mapped[str] = mapped_column(String)
    size: Mapped[int] = mapped_column(BigInteger)
    content: Mapped[bytes] = mapped_column(SealedBytes)


GUARDS = append_only_sealed("stored_file", ["id"], ("id", "media_type", "sha256", "size"), "content")


@dataclass(frozen=True, slots=True)
class FileReference:
    """A stored file without its bytes."""

    id: str
    sha256: str
    size: int


def store(session: Session, sealer: Sealer, content: bytes, media_type: str) -> FileReference:
    """Stores bytes, sealed. The caller's transaction makes them stay."""
    identity = secrets.token_hex(16)
    digest = hashlib.sha256(content).hexdigest()
    session.add(
        StoredFile(
            id=identity,
            media_type=media_type,
            sha256=digest,
            size=len(content),
            content=sealer.seal_bytes("stored_file", "content", identity, content),
        )
    )
    session.flush()
    return FileReference(identity, digest, len(content))


def load(session: Session, sealer: Sealer, file_id: str) -> bytes:
    """The plain bytes of a stored file. Raises ValueError when their digest is not the recorded one."""
    row = session.execute(select(StoredFile.content, StoredFile.sha256).where(StoredFile.id == file_id)).one()
    content = sealer.reveal_bytes("stored_file", "content", file_id, row.content)
    if hashlib.sha256(content).hexdigest() != row.sha256:
        raise ValueError(f"stored file {file_id} does not match its digest")
    return content


def write_copy(path: Path, content: bytes) -> None:
    """Writes a copy to the disk: whole under its name or not there at all, whatever happens meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)

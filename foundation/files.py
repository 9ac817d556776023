"""Stored files: bank files, letters and reports, sealed in the database with the SHA-256 of their plain bytes.

What lies on a disk is a copy that can be made again with `write_copy`. A stored file never changes.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import BinaryIO

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


def store(
    session: Session, sealer: Sealer, content: bytes, media_type: str, identity: str | None = None
) -> FileReference:
    """Stores bytes, sealed, under a random id or one that the caller has for it. The caller's transaction makes them
    stay.
    """
    identity = identity or secrets.token_hex(16)
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
    with whole_or_not(path) as file:
        file.write(content)


@contextmanager
def whole_or_not(path: Path) -> Iterator[BinaryIO]:
    """A file to write; it gets its name at the end of the block, unless the block raised.

    What writers that were killed left beside it goes first: nobody holds its lock any more. A writer locks its file
    before any other may look for such files, and until the file has its name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    with _only_one_in(path.parent):
        for other in path.parent.glob(f".{escape(path.name)}.*.part"):
            _remove_if_abandoned(other)
        file = partial.open("xb")
        fcntl.flock(file, fcntl.LOCK_EX)
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def _only_one_in(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _remove_if_abandoned(partial: Path) -> None:
    with suppress(FileNotFoundError, BlockingIOError), partial.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        partial.unlink()

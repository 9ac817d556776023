"""Tables that seal the trail: the number and hash of each event, the blocks, and what each verification found."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from foundation.database import Base, Instant, strict
from foundation.guards import append_only


class TrailLeaf(Base):
    """An event's place in the sealed trail: leaf `number - 1` of the Merkle tree, and its leaf hash."""

    __tablename__ = "trail_leaf"
    __table_args__ = strict(
        UniqueConstraint("event_id"),
        CheckConstraint("number > 0", name="number"),
        CheckConstraint("length(hash) = 64", name="hash"),
    )
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """From 1, without gaps."""
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"))
    hash: Mapped[str] = mapped_column(String)


class TrailBlock(Base):
    """A sealed block. Its root is over every event of the trail up to its last one, so that a later block proves it."""

    __tablename__ = "trail_block"
    __table_args__ = strict(
        UniqueConstraint("events"),
        UniqueConstraint("last_event_id"),
        CheckConstraint("number > 0", name="number"),
        CheckConstraint("events >= number", name="events"),
        CheckConstraint("hash_name IN ('sha256', 'sm3')", name="hash_name"),
        CheckConstraint(
            "length(root) = 64 AND length(previous) = 64 AND length(digest) = 64", name="digests"
        ),
    )
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """From 1, without gaps."""
    events: Mapped[int] = mapped_column(BigInteger)
    """How many events the trail has up to the end of this block: the size of the tree."""
    last_event_id: Mapped[int] = mapped_column(ForeignKey("event.id"))
    root: Mapped[str] = mapped_column(String)
    """RFC 6962 Merkle tree hash over the first `events` leaves."""
    previous: Mapped[str] = mapped_column(String)
    """Digest of the block before; zeros for the first."""
    digest: Mapped[str] = mapped_column(String)
    """Hash of the block's canonical JSON (`foundation.trail.sealing.header`)."""
    hash_name: Mapped[str] = mapped_column(String)
    sealed_at: Mapped[datetime] = mapped_column(Instant)
    frontier: Mapped[str] = mapped_column(Text)
    """The roots of the tree's complete parts, largest first, space-separated: the next block is worked out from them.

    Not part of the header: it follows from the leaves, and a verification works it out again.
    """


class TrailCheck(Base):
    """What one verification of the whole trail found."""

    __tablename__ = "trail_check"
    __table_args__ = strict(CheckConstraint("(fault IS NULL) = well", name="fault"))
    id: Mapped[str] = mapped_column(String, primary_key=True)
    asked_by: Mapped[str] = mapped_column(String)
    """Person, or `system`."""
    checked_at: Mapped[datetime] = mapped_column(Instant)
    events: Mapped[int] = mapped_column(BigInteger)
    blocks: Mapped[int] = mapped_column(BigInteger)
    unsealed: Mapped[int] = mapped_column(BigInteger)
    """Events that no block holds yet."""
    root: Mapped[str] = mapped_column(String)
    well: Mapped[bool] = mapped_column(Boolean)
    fault: Mapped[str | None] = mapped_column(Text)
    """JSON of the first fault: its place, and a sentence in both languages."""


GUARDS = [
    *append_only("event", "id"),
    *append_only("trail_leaf", "number", "event_id"),
    *append_only("trail_block", "number", "events", "last_event_id"),
    *append_only("trail_check", "id"),
]

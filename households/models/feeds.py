"""Tables of what the departments sent: deliveries, their rows, and answers to hits of the comparison.

A row is known from the delivery that brought it until the one that has it no more. It names a person by the keyed
digest of the ID number; what else it says is sealed, but for its day and its sum, which comparisons filter by.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from foundation.cells import MOST_CAPITAL_FEN
from foundation.database import Base, Instant, SealedText, strict
from foundation.guards import (
    Guard,
    append_only,
    erased_for_good,
    frozen,
    only_moves,
    sealed_only_anew,
    set_once,
)

DEPARTMENT = ""
"""`scope` of what departments sent by themselves; a pack's copy has the number of the pack's policy instead."""

UPLOAD_MOVES = {
    "checking": frozenset({"ready", "unusable", "discarded"}),
    "ready": frozenset({"taking_in", "discarded"}),
    "taking_in": frozenset({"taken_in", "ready"}),
    "unusable": frozenset({"discarded"}),
    "taken_in": frozenset(),
    "discarded": frozenset(),
}

_NOW = text("retired_at IS NULL")


class FeedDelivery(Base):
    """One file of one feed that was taken in, or the news that a pack has no such file (`mode` absent)."""

    __tablename__ = "feed_delivery"
    __table_args__ = strict(
        UniqueConstraint("sequence"),
        CheckConstraint("mode IN ('full', 'addition', 'absent')", name="mode"),
        CheckConstraint("rows >= 0 AND added >= 0 AND retired >= 0 AND refused_cells >= 0", name="counts"),
        Index(None, "feed", "scope", "sequence"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger)
    feed: Mapped[str] = mapped_column(String)
    scope: Mapped[str] = mapped_column(String)
    """DEPARTMENT, or the number of the policy whose pack it came with."""
    mode: Mapped[str] = mapped_column(String)
    """full: the whole list as of a day, rows that it lacks are retired; addition: more rows."""
    as_of: Mapped[date | None] = mapped_column(Date)
    """The day that the department's data is of; None for a pack, which does not say."""
    digest: Mapped[str] = mapped_column(String)
    """SHA-256 of the file."""
    rows: Mapped[int] = mapped_column(BigInteger)
    added: Mapped[int] = mapped_column(BigInteger)
    retired: Mapped[int] = mapped_column(BigInteger)
    refused_cells: Mapped[int] = mapped_column(BigInteger)
    taken_in_at: Mapped[datetime] = mapped_column(Instant)


class FeedRow(Base):
    """One row of a feed, for as long as the department stands by it."""

    __tablename__ = "feed_row"
    __table_args__ = strict(
        CheckConstraint(
            f"amount_fen IS NULL OR (amount_fen >= 0 AND amount_fen <= {MOST_CAPITAL_FEN})", name="amount_fen"
        ),
        Index(
            "uq_feed_row_now",
            "feed",
            "scope",
            "digest",
            unique=True,
            sqlite_where=_NOW,
            postgresql_where=_NOW,
        ),
        Index(None, "id_lookup", "feed"),
        Index(None, "delivery_id"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    feed: Mapped[str] = mapped_column(String)
    scope: Mapped[str] = mapped_column(String)
    delivery_id: Mapped[str] = mapped_column(
        ForeignKey("feed_delivery.id", deferrable=True, initially="DEFERRED")
    )
    """Deferred: a delivery knows its counts, and is written, once all its rows are in."""
    id_lookup: Mapped[str] = mapped_column(String)
    """Keyed digest of the ID number of whom it is about (of officials: the relative)."""
    on_day: Mapped[date | None] = mapped_column(Date)
    amount_fen: Mapped[int | None] = mapped_column(BigInteger)
    sealed: Mapped[str] = mapped_column(SealedText)
    """JSON of the row's values in the order of its layout's columns."""
    digest: Mapped[str] = mapped_column(String)
    """Keyed digest of the values: the same row again is this one."""
    known_at: Mapped[datetime] = mapped_column(Instant)
    retired_at: Mapped[datetime | None] = mapped_column(Instant)


class Clearance(Base):
    """核查澄清: the answer to a hit of the comparison. One given here needs evidence and two persons."""

    __tablename__ = "clearance"
    __table_args__ = strict(
        CheckConstraint(
            "scope <> '' OR (asked_by IS NOT NULL AND decided_by IS NOT NULL AND asked_by <> decided_by "
            "AND evidence IS NOT NULL)",
            name="two_persons",
        ),
        Index(None, "household_no", "matter"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    scope: Mapped[str] = mapped_column(String)
    """DEPARTMENT for one given here, or the number of the policy whose pack it came with."""
    household_no: Mapped[str] = mapped_column(String)
    matter: Mapped[str] = mapped_column(String)
    """A key of `policies.policy.REVERSE_STANDARDS`."""
    cleared_on: Mapped[date] = mapped_column(Date)
    passed: Mapped[bool] = mapped_column(Boolean)
    evidence: Mapped[str | None] = mapped_column(Text)
    """JSON [{name, size, blob}] of the papers, which lie sealed on disk."""
    asked_by: Mapped[str | None] = mapped_column(String)
    decided_by: Mapped[str | None] = mapped_column(String)
    known_at: Mapped[datetime] = mapped_column(Instant)
    retired_at: Mapped[datetime | None] = mapped_column(Instant)


class FeedUpload(Base):
    """A department's file as uploaded: looked at in the background, shown to its uploader, taken in or thrown away."""

    __tablename__ = "feed_upload"
    __table_args__ = strict(
        CheckConstraint(
            "state IN ('checking', 'ready', 'unusable', 'taking_in', 'taken_in', 'discarded')", name="state"
        ),
        CheckConstraint("mode IN ('full', 'addition')", name="mode"),
        CheckConstraint("(state = 'taken_in') = (delivery_id IS NOT NULL)", name="delivery_id"),
        Index(None, "feed", "uploaded_at"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    feed: Mapped[str] = mapped_column(String)
    mode: Mapped[str] = mapped_column(String)
    as_of: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String)
    file: Mapped[str] = mapped_column(Text)
    """JSON {name, size, blob}: its cleaned name, and its address among the sealed files on disk."""
    uploaded_at: Mapped[datetime] = mapped_column(Instant)
    uploaded_by: Mapped[str] = mapped_column(Text)
    """JSON of the acting person."""
    asked_by: Mapped[str | None] = mapped_column(Text)
    preview: Mapped[str | None] = mapped_column(SealedText)
    """Sealed JSON: counts, first rows, refused cells, faults."""
    delivery_id: Mapped[str | None] = mapped_column(ForeignKey("feed_delivery.id"))
    changed_at: Mapped[datetime] = mapped_column(Instant)


GUARDS = [
    *append_only("feed_delivery", "id", "sequence"),
    *frozen("feed_row", ("id", "feed", "scope", "delivery_id", "on_day", "amount_fen", "digest", "known_at")),
    set_once("feed_row", ("retired_at",)),
    *sealed_only_anew("feed_row", "sealed"),
    Guard(
        "feed_row_same_person",
        "feed_row",
        "BEFORE UPDATE",
        "OLD.id_lookup <> NEW.id_lookup AND NEW.sealed <> 'erased'",
    ),
    *frozen(
        "clearance",
        (
            "id",
            "scope",
            "household_no",
            "matter",
            "cleared_on",
            "passed",
            "asked_by",
            "decided_by",
            "known_at",
        ),
    ),
    set_once("clearance", ("retired_at",)),
    *frozen("feed_upload", ("id", "feed", "mode", "as_of", "file", "uploaded_at", "uploaded_by")),
    only_moves("feed_upload", UPLOAD_MOVES),
    *erased_for_good("feed_upload", "preview"),
]

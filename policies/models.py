"""Tables of the policies: master policies by their canonical content, and the county's standards of each year."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Date, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from foundation.database import Base, Instant, strict
from foundation.guards import append_only, frozen, only_moves, set_once


class MasterPolicy(Base):
    """One version of a master policy. A corrected file is a new row with another fingerprint."""

    __tablename__ = "policy"
    __table_args__ = strict(UniqueConstraint("fingerprint"))
    id: Mapped[str] = mapped_column(String, primary_key=True)
    number: Mapped[str] = mapped_column(String, index=True)
    title: Mapped[str] = mapped_column(String)
    fingerprint: Mapped[str] = mapped_column(String)
    canonical: Mapped[str] = mapped_column(Text)
    period_from: Mapped[date] = mapped_column(Date)
    period_to: Mapped[date] = mapped_column(Date)
    taken_in_at: Mapped[datetime] = mapped_column(Instant)


STANDARD_MOVES = {
    "proposed": frozenset({"active", "refused"}),
    "active": frozenset({"replaced"}),
    "refused": frozenset(),
    "replaced": frozenset(),
}
"""One standard of a year is in force; a corrected one replaces it, and the old one stays to be read."""


class Standard(Base):
    """The county's standards of one year 标准确定科学化: proposed by one person, approved by another one."""

    __tablename__ = "standard"
    __table_args__ = strict(
        CheckConstraint("state IN ('proposed', 'active', 'refused', 'replaced')", name="state"),
        CheckConstraint("year BETWEEN 2000 AND 2999", name="year"),
        CheckConstraint("line_fen > 0", name="line_fen"),
        CheckConstraint("decided_by IS NULL OR decided_by <> proposed_by", name="two_persons"),
        CheckConstraint("(state = 'proposed') = (decided_by IS NULL)", name="decided"),
        CheckConstraint("(decided_by IS NULL) = (decided_at IS NULL)", name="decided_at"),
        Index(
            "uq_standard_active",
            "year",
            unique=True,
            sqlite_where=text("state = 'active'"),
            postgresql_where=text("state = 'active'"),
        ),
        Index(
            "uq_standard_proposed",
            "year",
            unique=True,
            sqlite_where=text("state = 'proposed'"),
            postgresql_where=text("state = 'proposed'"),
        ),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    year: Mapped[int] = mapped_column(BigInteger)
    line_fen: Mapped[int] = mapped_column(BigInteger)
    """The quantitative line, as `canonical` works it out."""
    canonical: Mapped[str] = mapped_column(Text)
    """JSON of `policies.standard.Standards`: base, ratio, rounding, source; reverse standards; qualitative reasons."""
    fingerprint: Mapped[str] = mapped_column(String)
    state: Mapped[str] = mapped_column(String)
    proposed_by: Mapped[str] = mapped_column(String)
    proposed_at: Mapped[datetime] = mapped_column(Instant)
    decided_by: Mapped[str | None] = mapped_column(String)
    decided_at: Mapped[datetime | None] = mapped_column(Instant)


GUARDS = [
    *append_only("policy", "id", "fingerprint"),
    *frozen("standard", ("id", "year", "line_fen", "canonical", "fingerprint", "proposed_by", "proposed_at")),
    only_moves("standard", STANDARD_MOVES),
    set_once("standard", ("decided_by", "decided_at")),
]

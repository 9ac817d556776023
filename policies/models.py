"""Tables of the policies: a master policy by its canonical content, which never changes once it has been used."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from foundation.database import Base, Instant, strict
from foundation.guards import append_only


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


GUARDS = append_only("policy", "id", "fingerprint")

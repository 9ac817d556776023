"""Tables of people, households and cover. Names, ID numbers, accounts and incomes are sealed from the first row on."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Date, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from foundation.database import Base, Instant, SealedText, strict
from foundation.guards import ERASING, Guard, erased_for_good


class HouseholdRow(Base):
    """A household. `version` counts its determinations: they go one by one (compare-and-set)."""

    __tablename__ = "household"
    __table_args__ = strict(UniqueConstraint("household_no"), CheckConstraint("version >= 0", name="version"))
    id: Mapped[str] = mapped_column(String, primary_key=True)
    household_no: Mapped[str] = mapped_column(String)
    town: Mapped[str] = mapped_column(String)
    village: Mapped[str] = mapped_column(String)
    village_code: Mapped[str] = mapped_column(String, index=True)
    sealed: Mapped[str] = mapped_column(SealedText)
    """JSON {income_per_head_fen, account_no, account_name, bank_code}."""
    digest: Mapped[str] = mapped_column(String)
    account_lookup: Mapped[str | None] = mapped_column(String, index=True)
    version: Mapped[int] = mapped_column(BigInteger)
    changed_at: Mapped[datetime] = mapped_column(Instant)


class Person(Base):
    """A natural person, found by the keyed digest of the ID number."""

    __tablename__ = "person"
    __table_args__ = strict(UniqueConstraint("id_lookup"))
    id: Mapped[str] = mapped_column(String, primary_key=True)
    id_lookup: Mapped[str] = mapped_column(String)
    sealed: Mapped[str] = mapped_column(SealedText)
    """JSON {id_number, name}."""
    digest: Mapped[str] = mapped_column(String)
    changed_at: Mapped[datetime] = mapped_column(Instant)


class Cover(Base):
    """A person's cover under a master policy number, as a member of a household."""

    __tablename__ = "cover"
    __table_args__ = strict(
        UniqueConstraint("policy_number", "person_id"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    policy_number: Mapped[str] = mapped_column(String)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    household_id: Mapped[str] = mapped_column(ForeignKey("household.id"), index=True)
    relation: Mapped[str] = mapped_column(String)
    category: Mapped[str] = mapped_column(String)
    village_code: Mapped[str] = mapped_column(String)
    cover_from: Mapped[date] = mapped_column(Date)
    cover_to: Mapped[date] = mapped_column(Date)
    renewal: Mapped[bool] = mapped_column(Boolean)
    digest: Mapped[str] = mapped_column(String)
    changed_at: Mapped[datetime] = mapped_column(Instant)


GUARDS = [
    Guard(
        "household_version", "household", "BEFORE UPDATE", "NEW.version NOT IN (OLD.version, OLD.version + 1)"
    ),
    *(
        Guard(f"{table}_no_delete", table, "BEFORE DELETE", "TRUE")
        for table in ("household", "person", "cover")
    ),
    Guard(
        "person_same",
        "person",
        "BEFORE UPDATE",
        f"OLD.id_lookup <> NEW.id_lookup AND NOT (NEW.sealed = 'erased' AND {ERASING})",
    ),
    *erased_for_good("person", "sealed"),
    *erased_for_good("household", "sealed", returns=True),
]

"""Tables of the comparison 一站式比对: each run with the state of every feed then, and its hits.

CLEAR and NO DATA are not stored row by row: who was compared and which feeds there were says both.
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
)
from sqlalchemy.orm import Mapped, mapped_column

from foundation.database import Base, Instant, SealedText, strict
from foundation.guards import append_only, append_only_sealed

SCOPES = ("household", "list", "everyone")


class ComparisonRun(Base):
    """One run over some people and all feeds."""

    __tablename__ = "comparison_run"
    __table_args__ = strict(
        UniqueConstraint("number"),
        CheckConstraint(f"scope IN ({', '.join(map(repr, SCOPES))})", name="scope"),
        CheckConstraint("people >= 0 AND hits >= 0", name="counts"),
        Index(None, "place", "run_at"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    number: Mapped[str] = mapped_column(String)
    scope: Mapped[str] = mapped_column(String)
    place: Mapped[str] = mapped_column(String)
    household_id: Mapped[str | None] = mapped_column(ForeignKey("household.id"))
    on_day: Mapped[date] = mapped_column(Date)
    feeds: Mapped[str] = mapped_column(Text)
    """JSON of `households.comparison_setting.Setting`: the standards, the checks, and each feed that was there then; a
    feed that is not among them is NO DATA."""
    people: Mapped[int] = mapped_column(BigInteger)
    hits: Mapped[int] = mapped_column(BigInteger)
    asked_by: Mapped[str] = mapped_column(String)
    run_at: Mapped[datetime] = mapped_column(Instant)
    scheduled: Mapped[bool] = mapped_column(Boolean)
    previous_id: Mapped[str | None] = mapped_column(ForeignKey("comparison_run.id"))


class ComparisonHit(Base):
    """A hit: a person, the check, and the department's row."""

    __tablename__ = "comparison_hit"
    __table_args__ = strict(
        Index(None, "run_id", "village_code"),
        Index(None, "person_id"),
        Index(None, "household_id"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("comparison_run.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    household_id: Mapped[str | None] = mapped_column(ForeignKey("household.id"))
    village_code: Mapped[str | None] = mapped_column(String)
    matter: Mapped[str] = mapped_column(String)
    """A key of `households.checks.CHECKS`."""
    feed_row_id: Mapped[str] = mapped_column(ForeignKey("feed_row.id"))
    through: Mapped[str | None] = mapped_column(SealedText)
    """The relative through whom it hits, where it is not the person's own row."""


class ComparisonPerson(Base):
    """A person of a list that was compared; of one household or of everyone the register says who."""

    __tablename__ = "comparison_person"
    __table_args__ = strict()
    run_id: Mapped[str] = mapped_column(ForeignKey("comparison_run.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)


GUARDS = [
    *append_only("comparison_run", "id", "number"),
    *append_only_sealed(
        "comparison_hit",
        ["id"],
        ("id", "run_id", "person_id", "household_id", "village_code", "matter", "feed_row_id"),
        "through",
    ),
    *append_only("comparison_person"),
]

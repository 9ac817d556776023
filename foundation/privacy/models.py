"""Tables of privacy: who saw what in full and why, what was exported, what is held back, what was assessed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Date, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from foundation.database import Base, Instant, SealedText, strict
from foundation.guards import (
    Guard,
    append_only,
    append_only_sealed,
    frozen,
    no_replace,
    only_moves,
    sealed_only_anew,
    set_once,
)

EXPORT_MOVES: Mapping[str, frozenset[str]] = {
    "asked": frozenset({"approved", "refused"}),
    "approved": frozenset({"taken", "lapsed"}),
    "taken": frozenset(),
    "refused": frozenset(),
    "lapsed": frozenset(),
}


class Disclosure(Base):
    """One full view: who saw which data of which thing unmasked, for what purpose."""

    __tablename__ = "disclosure"
    __table_args__ = strict(Index(None, "person", "seen_on"), Index(None, "subject_id"), Index(None, "at"))
    id: Mapped[str] = mapped_column(String, primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    seen_on: Mapped[date] = mapped_column(Date)
    """Business day of `at`: the limit is by day."""
    person: Mapped[str] = mapped_column(String)
    account: Mapped[str] = mapped_column(String)
    role: Mapped[str] = mapped_column(String)
    place: Mapped[str] = mapped_column(String)
    subject: Mapped[str] = mapped_column(String)
    """Table of the thing: `claim`, `payment`."""
    subject_id: Mapped[str] = mapped_column(String)
    fields: Mapped[str] = mapped_column(String)
    """Kinds of data that were shown, comma-separated: `id_number,account`."""
    purpose: Mapped[str] = mapped_column(String)
    """A code of `foundation.privacy.purposes`."""
    note: Mapped[str | None] = mapped_column(SealedText)
    """What the person wrote beside it; sealed, since it may name somebody."""


class Export(Base):
    """One export of data about people: the export register 导出登记.

    Up to 50 people it is taken at once; up to 5,000 with a purpose; above that a second person approves it first.
    """

    __tablename__ = "export"
    __table_args__ = strict(
        UniqueConstraint("number"),
        CheckConstraint("state IN ('asked', 'approved', 'taken', 'refused', 'lapsed')", name="state"),
        CheckConstraint("people >= 0", name="people"),
        CheckConstraint("people <= 50 OR purpose IS NOT NULL", name="purpose"),
        CheckConstraint("(decided_by IS NULL) = (decided_at IS NULL)", name="decided"),
        CheckConstraint("decided_by IS NULL OR decided_by <> person", name="two_persons"),
        CheckConstraint("people <= 5000 OR state = 'asked' OR decided_by IS NOT NULL", name="second_person"),
        CheckConstraint("(state = 'taken') = (sha256 IS NOT NULL)", name="sha256"),
        CheckConstraint("(state = 'taken') = (taken_at IS NOT NULL)", name="taken_at"),
        CheckConstraint("(sha256 IS NULL) = (size IS NULL)", name="size"),
        Index(None, "state"),
        Index(None, "asked_at"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    """Gap-free; stands on the watermark."""
    kind: Mapped[str] = mapped_column(String)
    """`claims_workbook`, `bank_file`, `document`, `trail` …"""
    subject_id: Mapped[str | None] = mapped_column(String)
    """Of a stored file: which one."""
    arguments: Mapped[str] = mapped_column(Text)
    """JSON of what it was narrowed to, nothing personal."""
    state: Mapped[str] = mapped_column(String)
    purpose: Mapped[str | None] = mapped_column(String)
    note: Mapped[str | None] = mapped_column(SealedText)
    people: Mapped[int] = mapped_column(BigInteger)
    """How many people it is about: when it was asked for, then as taken."""
    person: Mapped[str] = mapped_column(String)
    account: Mapped[str] = mapped_column(String)
    role: Mapped[str] = mapped_column(String)
    place: Mapped[str] = mapped_column(String)
    asked_at: Mapped[datetime] = mapped_column(Instant)
    decided_by: Mapped[str | None] = mapped_column(String)
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    taken_at: Mapped[datetime | None] = mapped_column(Instant)
    sha256: Mapped[str | None] = mapped_column(String)
    """Of the bytes that were handed out."""
    size: Mapped[int | None] = mapped_column(BigInteger)


class LegalHold(Base):
    """What must not be erased although its term is over: a case in court, an audit under way."""

    __tablename__ = "legal_hold"
    __table_args__ = strict(
        CheckConstraint("subject IN ('claim', 'household', 'policy')", name="subject"),
        CheckConstraint("(lifted_by IS NULL) = (lifted_at IS NULL)", name="lifted"),
        CheckConstraint("lifted_by IS NULL OR lifted_by <> set_by", name="two_persons"),
        Index(None, "subject", "subject_id"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    subject: Mapped[str] = mapped_column(String)
    subject_id: Mapped[str] = mapped_column(String)
    """A claim's or household's id, or a policy number."""
    reason: Mapped[str] = mapped_column(SealedText)
    set_by: Mapped[str] = mapped_column(String)
    set_at: Mapped[datetime] = mapped_column(Instant)
    lifted_by: Mapped[str | None] = mapped_column(String)
    """Another person than the one who set it."""
    lifted_at: Mapped[datetime | None] = mapped_column(Instant)


class ImpactAssessment(Base):
    """A personal-information impact assessment 个人信息保护影响评估 (PIPL 55, 56), kept for three years at least."""

    __tablename__ = "impact_assessment"
    __table_args__ = strict(
        UniqueConstraint("subject", "version"),
        CheckConstraint("version > 0", name="version"),
        CheckConstraint(
            "conclusion IN ('acceptable', 'acceptable_with_measures', 'not_acceptable')", name="conclusion"
        ),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    subject: Mapped[str] = mapped_column(String)
    """What was assessed: a code of `foundation.privacy.assessments`."""
    version: Mapped[int] = mapped_column(BigInteger)
    """From 1 by subject; an assessment is never edited, the next one is a new version."""
    assessed_on: Mapped[date] = mapped_column(Date)
    next_due_on: Mapped[date] = mapped_column(Date)
    purpose: Mapped[str] = mapped_column(Text)
    """Why and how the data is processed, and that this is lawful, justified and necessary (PIPL 56 no. 1)."""
    risks: Mapped[str] = mapped_column(Text)
    """What it does to the people and how likely (no. 2)."""
    measures: Mapped[str] = mapped_column(Text)
    """What protects them, and that it fits the risk (no. 3)."""
    conclusion: Mapped[str] = mapped_column(String)
    recorded_by: Mapped[str] = mapped_column(String)
    recorded_at: Mapped[datetime] = mapped_column(Instant)


GUARDS = [
    *append_only_sealed(
        "disclosure",
        ["id"],
        (
            "id",
            "at",
            "seen_on",
            "person",
            "account",
            "role",
            "place",
            "subject",
            "subject_id",
            "fields",
            "purpose",
        ),
        "note",
    ),
    *frozen(
        "export",
        (
            "id",
            "number",
            "kind",
            "subject_id",
            "arguments",
            "purpose",
            "person",
            "account",
            "role",
            "place",
            "asked_at",
        ),
    ),
    set_once("export", ("decided_by", "decided_at", "taken_at", "sha256", "size")),
    *sealed_only_anew("export", "note"),
    Guard(
        "export_people_kept",
        "export",
        "BEFORE UPDATE",
        "OLD.people <> NEW.people AND NOT (OLD.state = 'approved' AND NEW.state = 'taken')",
    ),
    only_moves("export", EXPORT_MOVES),
    no_replace("export", "id"),
    no_replace("export", "number"),
    *frozen("legal_hold", ("id", "subject", "subject_id", "set_by", "set_at")),
    set_once("legal_hold", ("lifted_by", "lifted_at")),
    *sealed_only_anew("legal_hold", "reason"),
    no_replace("legal_hold", "id"),
    *append_only("impact_assessment", "id"),
    no_replace("impact_assessment", "subject", "version"),
]

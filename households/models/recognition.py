"""Tables of recognition 识别认定, half-yearly review, measures 帮扶 and exit 退出."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
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

from foundation.database import Base, Instant, SealedText, strict
from foundation.guards import (
    Guard,
    append_only,
    append_only_sealed,
    erased_for_good,
    frozen,
    only_moves,
    sealed_only_anew,
    set_once,
)

RECOGNITION_MOVES = {
    "proposed": frozenset({"active", "refused"}),
    "active": frozenset({"exited"}),
    "refused": frozenset(),
    "exited": frozenset(),
}


class Recognition(Base):
    """A household's spell as relatively poor: surveyed, appraised, published, recognised, reviewed, exited.

    Proposed by one person and decided by another one. A spell that follows an exit within three months names it.
    """

    __tablename__ = "recognition"
    __table_args__ = strict(
        UniqueConstraint("number"),
        CheckConstraint("state IN ('proposed', 'active', 'refused', 'exited')", name="state"),
        CheckConstraint("basis IN ('quantitative', 'qualitative')", name="basis"),
        CheckConstraint("appraised_on >= surveyed_on AND notice_from >= appraised_on", name="steps"),
        CheckConstraint("notice_to >= notice_from", name="notice"),
        CheckConstraint("(state IN ('active', 'exited')) = (started_on IS NOT NULL)", name="started_on"),
        CheckConstraint("(state = 'exited') = (exited_on IS NOT NULL)", name="exited_on"),
        CheckConstraint("(exited_on IS NULL) = (exit_meeting IS NULL)", name="exit_meeting"),
        CheckConstraint("started_on IS NULL OR started_on >= notice_to", name="after_notice"),
        CheckConstraint("exited_on IS NULL OR exited_on >= started_on", name="exit_after_start"),
        CheckConstraint("decided_by IS NULL OR decided_by <> proposed_by", name="two_persons"),
        CheckConstraint("(state = 'proposed') = (decided_by IS NULL)", name="decided"),
        Index(
            "uq_recognition_open",
            "household_id",
            unique=True,
            sqlite_where=text("state IN ('proposed', 'active')"),
            postgresql_where=text("state IN ('proposed', 'active')"),
        ),
        Index(None, "household_id"),
        Index(None, "state", "review_due"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    number: Mapped[str] = mapped_column(String)
    household_id: Mapped[str] = mapped_column(ForeignKey("household.id"))
    state: Mapped[str] = mapped_column(String)
    basis: Mapped[str] = mapped_column(String)
    reasons: Mapped[str] = mapped_column(String)
    """Keys of the qualitative reasons that hold, sorted, joined by `;`; empty for the quantitative line."""
    cause: Mapped[str] = mapped_column(String)
    """A key of `households.terms.CAUSES`."""
    track: Mapped[str] = mapped_column(String)
    """A key of `households.terms.TRACKS`: 脱贫 or 解困."""
    standard_year: Mapped[int | None] = mapped_column(BigInteger)
    surveyed_on: Mapped[date] = mapped_column(Date)
    surveyors: Mapped[str] = mapped_column(String)
    """The two who surveyed, as they sign."""
    appraised_on: Mapped[date] = mapped_column(Date)
    appraisal: Mapped[str] = mapped_column(String)
    """Present and in favour, as `present/in favour`."""
    notice_from: Mapped[date] = mapped_column(Date)
    notice_to: Mapped[date] = mapped_column(Date)
    evidence: Mapped[str | None] = mapped_column(Text)
    """JSON [{name, size, blob}]: survey form, attendance list, photos of the notice; later the minute of the exit.

    The names are the program's own: the step, a number, the kind of file.
    """
    sealed: Mapped[str] = mapped_column(SealedText)
    """JSON of the survey: members, incomes by source, the items of the form that hold."""
    digest: Mapped[str] = mapped_column(String)
    follows: Mapped[str | None] = mapped_column(ForeignKey("recognition.id"))
    proposed_by: Mapped[str] = mapped_column(String)
    proposed_at: Mapped[datetime] = mapped_column(Instant)
    decided_by: Mapped[str | None] = mapped_column(String)
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    decision: Mapped[str | None] = mapped_column(SealedText)
    """JSON {note, hits}: why it was refused, or recognised in spite of hits of the comparison, and which those were."""
    started_on: Mapped[date | None] = mapped_column(Date)
    review_due: Mapped[date | None] = mapped_column(Date)
    exited_on: Mapped[date | None] = mapped_column(Date)
    exit_meeting: Mapped[str | None] = mapped_column(String)
    """Number of the minute of the villagers' representative meeting."""
    follow_up_until: Mapped[date | None] = mapped_column(Date)
    changed_at: Mapped[datetime] = mapped_column(Instant)


class RecognitionReview(Base):
    """A half-yearly review 动态核实 of a recognised household."""

    __tablename__ = "recognition_review"
    __table_args__ = strict(
        CheckConstraint("finding IN ('stays', 'changed', 'may_exit')", name="finding"),
        Index(None, "recognition_id"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    recognition_id: Mapped[str] = mapped_column(ForeignKey("recognition.id"))
    reviewed_on: Mapped[date] = mapped_column(Date)
    reviewed_by: Mapped[str] = mapped_column(String)
    finding: Mapped[str] = mapped_column(String)
    sealed: Mapped[str] = mapped_column(SealedText)
    """JSON {per_head_fen, note}."""
    digest: Mapped[str] = mapped_column(String)
    recorded_at: Mapped[datetime] = mapped_column(Instant)


class Measure(Base):
    """A measure 帮扶措施 for a household: the safety net, insurance, or one of the N."""

    __tablename__ = "measure"
    __table_args__ = strict(Index(None, "household_id"))
    id: Mapped[str] = mapped_column(String, primary_key=True)
    household_id: Mapped[str] = mapped_column(ForeignKey("household.id"))
    recognition_id: Mapped[str | None] = mapped_column(ForeignKey("recognition.id"))
    kind: Mapped[str] = mapped_column(String)
    """A key of `households.terms.MEASURES`."""
    begun_on: Mapped[date] = mapped_column(Date)
    organisation: Mapped[str] = mapped_column(String)
    note: Mapped[str | None] = mapped_column(String)
    recorded_by: Mapped[str] = mapped_column(String)
    recorded_at: Mapped[datetime] = mapped_column(Instant)


GUARDS = [
    *frozen(
        "recognition",
        (
            "id",
            "number",
            "household_id",
            "basis",
            "reasons",
            "standard_year",
            "surveyed_on",
            "surveyors",
            "appraised_on",
            "appraisal",
            "notice_from",
            "notice_to",
            "digest",
            "follows",
            "proposed_by",
            "proposed_at",
        ),
    ),
    only_moves("recognition", RECOGNITION_MOVES),
    set_once(
        "recognition",
        ("decided_by", "decided_at", "started_on", "exited_on", "exit_meeting", "follow_up_until"),
    ),
    *sealed_only_anew("recognition", "sealed"),
    Guard(
        "recognition_decision_kept",
        "recognition",
        "BEFORE UPDATE",
        "OLD.decision IS NOT NULL AND OLD.decision IS DISTINCT FROM NEW.decision "
        "AND NOT EXISTS (SELECT 1 FROM upkeep WHERE upkeep.state = 'running')",
    ),
    *erased_for_good("recognition", "decision"),
    Guard(
        "recognition_evidence",
        "recognition",
        "BEFORE UPDATE",
        "OLD.evidence IS DISTINCT FROM NEW.evidence AND NEW.evidence IS NOT NULL "
        "AND NOT (OLD.state = 'active' AND NEW.state = 'exited')",
    ),
    *append_only_sealed(
        "recognition_review",
        ["id"],
        ("id", "recognition_id", "reviewed_on", "reviewed_by", "finding", "digest", "recorded_at"),
        "sealed",
    ),
    *append_only("measure", "id"),
]

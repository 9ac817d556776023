"""Tables of early warning 一上一下: one open case per household and event, and everything that reported it."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from foundation.database import Base, Instant, SealedText, strict
from foundation.guards import append_only_sealed, frozen, only_moves, set_once

LINES = ("illness", "education", "accident", "income")
CHANNELS = ("department", "village", "town_window", "county_window", "owed")
"""How a report came: a department's feed, a village officer, a window, or found by 应赔未赔."""
CASE_MOVES = {
    "open": frozenset({"claimed", "dismissed", "transferred"}),
    "claimed": frozenset(),
    "dismissed": frozenset({"open"}),
    "transferred": frozenset(),
}
"""claimed: a claim was made of it; dismissed: no need, with the reason; transferred: another measure helps."""

_IN = ", ".join


class WarningCase(Base):
    """A household that an event may push into poverty. While it is open there is no second one for the same event."""

    __tablename__ = "warning_case"
    __table_args__ = strict(
        UniqueConstraint("number"),
        CheckConstraint(f"line IN ({_IN(map(repr, LINES))})", name="line"),
        CheckConstraint("state IN ('open', 'claimed', 'dismissed', 'transferred')", name="state"),
        CheckConstraint("(state = 'open') = (closed_at IS NULL)", name="closed_at"),
        CheckConstraint("amount_fen IS NULL OR amount_fen >= 0", name="amount_fen"),
        Index(
            "uq_warning_case_open",
            "household_id",
            "event_key",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
        Index(None, "village_code", "state"),
        Index(None, "person_id"),
        Index(None, "opened_at"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    number: Mapped[str] = mapped_column(String)
    household_id: Mapped[str] = mapped_column(ForeignKey("household.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    village_code: Mapped[str] = mapped_column(String)
    line: Mapped[str] = mapped_column(String)
    event_key: Mapped[str] = mapped_column(String)
    """What makes two reports one event, by keyed digest: the line, and the stay, school year, accident or month."""
    event_on: Mapped[date] = mapped_column(Date)
    amount_fen: Mapped[int | None] = mapped_column(BigInteger)
    """What the family bears, as far as it is known."""
    state: Mapped[str] = mapped_column(String)
    opened_at: Mapped[datetime] = mapped_column(Instant)
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    closed_by: Mapped[str | None] = mapped_column(String)
    outcome: Mapped[str | None] = mapped_column(String)
    """Why it was dismissed or where it was transferred: a key of `households.terms.CASE_OUTCOMES`."""
    claim_no: Mapped[str | None] = mapped_column(String)
    """The claim that was made of it."""
    changed_at: Mapped[datetime] = mapped_column(Instant)


class WarningReport(Base):
    """One report of a case: a department's row, or what a village officer or a window wrote down."""

    __tablename__ = "warning_report"
    __table_args__ = strict(
        CheckConstraint(f"channel IN ({_IN(map(repr, CHANNELS))})", name="channel"),
        CheckConstraint(
            "(channel IN ('department', 'owed')) = (feed_row_id IS NOT NULL)", name="feed_row_id"
        ),
        UniqueConstraint("case_id", "feed_row_id"),
        Index(None, "feed_row_id"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("warning_case.id"), index=True)
    channel: Mapped[str] = mapped_column(String)
    department: Mapped[str | None] = mapped_column(String)
    """A key of the departments in `households.layouts`."""
    feed_row_id: Mapped[str | None] = mapped_column(ForeignKey("feed_row.id"))
    reported_at: Mapped[datetime] = mapped_column(Instant)
    reported_by: Mapped[str | None] = mapped_column(String)
    lag_days: Mapped[int] = mapped_column(BigInteger)
    """From the event to this report."""
    sealed: Mapped[str] = mapped_column(SealedText)
    """JSON: cause, amount and what else was written down."""
    digest: Mapped[str] = mapped_column(String)


GUARDS = [
    *frozen("warning_case", ("id", "number", "person_id", "line", "event_key", "opened_at")),
    only_moves("warning_case", CASE_MOVES),
    set_once("warning_case", ("claim_no",)),
    *append_only_sealed(
        "warning_report",
        ["id"],
        (
            "id",
            "case_id",
            "channel",
            "department",
            "feed_row_id",
            "reported_at",
            "reported_by",
            "lag_days",
            "digest",
        ),
        "sealed",
    ),
]

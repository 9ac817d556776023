"""Gap-free numbers for people: a row counted up in the transaction that uses the number.

A database sequence leaves gaps when a transaction is rolled back, and an auditor reads a gap as a missing document.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, String, insert, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from foundation.database import Base, one_at_a_time, strict
from foundation.guards import Guard


class Counter(Base):
    """The last number given out of a series."""

    __tablename__ = "counter"
    __table_args__ = strict(CheckConstraint("last >= 0", name="last"))
    name: Mapped[str] = mapped_column(String, primary_key=True)
    last: Mapped[int] = mapped_column(BigInteger)


GUARDS = [
    Guard("counter_forward", "counter", "BEFORE UPDATE", "NEW.last < OLD.last OR NEW.name <> OLD.name"),
    Guard("counter_no_delete", "counter", "BEFORE DELETE", "TRUE"),
    Guard(
        "counter_no_replace",
        "counter",
        "BEFORE INSERT",
        "EXISTS (SELECT 1 FROM counter AS there WHERE there.name = NEW.name)",
    ),
]


def take_numbers(session: Session, series: str, count: int = 1) -> range:
    """The next `count` numbers of a series, from 1, without gaps: given back when the transaction is rolled back."""
    if not _count_up(session, series, count):
        # The series begins here. Two first users at once: the second one waits, and then finds the row.
        one_at_a_time(session, f"counter {series}")
        if not _count_up(session, series, count):
            session.execute(insert(Counter).values(name=series, last=count))
    last = session.scalar(select(Counter.last).where(Counter.name == series)) or 0
    return range(last - count + 1, last + 1)


def _count_up(session: Session, series: str, count: int) -> bool:
    taken = session.execute(update(Counter).where(Counter.name == series).values(last=Counter.last + count))
    return bool(taken.rowcount == 1)  # type: ignore[attr-defined]  # an UPDATE's result has it

"""Two times on every fact: the days that it is true of, and the moments between which we believed it.

A fact is never edited. What turns out to be otherwise is retired, and what is believed instead is a new row; so what
was known at any moment can be read again, and a decision be made again from it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ColumnElement, Date, String, or_
from sqlalchemy.orm import Mapped, mapped_column

from foundation.database import Instant
from foundation.guards import Guard, frozen, sealed_only_anew, set_once

ROSTER, REGISTER = "roster", "register"
"""Where a fact comes from: a policy's roster as the county handed it in, or the register that people keep by hand.

A roster is replaced by the policy's next roster only, and is what its pack is decided from; the register's word comes
first wherever it says something.
"""


class Known:
    """A fact that is believed from one moment on, until another; `retired_at` None is now."""

    source: Mapped[str] = mapped_column(String)
    known_at: Mapped[datetime] = mapped_column(Instant)
    retired_at: Mapped[datetime | None] = mapped_column(Instant)


class Dated(Known):
    """A fact that is true of the days from `valid_from` to `valid_to`, both included; None is without end."""

    valid_from: Mapped[date | None] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)


def checks(*, dated: bool = True) -> tuple[CheckConstraint, ...]:
    """The constraints of a table of facts."""
    known = (
        CheckConstraint(f"source IN ('{ROSTER}', '{REGISTER}')", name="source"),
        CheckConstraint("retired_at IS NULL OR retired_at >= known_at", name="known"),
    )
    days = CheckConstraint("valid_from IS NULL OR valid_to IS NULL OR valid_to >= valid_from", name="days")
    return (*known, days) if dated else known


def guards(table: str, plain: Iterable[str], *sealed: str, dated: bool = True) -> list[Guard]:
    """Facts stay as they were written and are retired once; sealed ones are sealed anew or erased by an upkeep."""
    days = ("valid_from", "valid_to") if dated else ()
    kept = sealed_only_anew(table, *sealed) if sealed else []
    return [
        *frozen(table, ("id", *plain, *days, "source", "known_at")),
        set_once(table, ("retired_at",)),
        *kept,
    ]


def overlap(table: str, *same: str) -> Guard:
    """No two facts that are believed at once may share a day for the same `same` columns."""
    first, last = "'0001-01-01'", "'9999-12-31'"
    equal = " AND ".join(f"there.{column} = NEW.{column}" for column in same)
    condition = (
        f"NEW.retired_at IS NULL AND EXISTS (SELECT 1 FROM {table} AS there WHERE {equal} "  # noqa: S608
        "AND there.retired_at IS NULL AND there.id <> NEW.id "
        f"AND COALESCE(there.valid_from, {first}) <= COALESCE(NEW.valid_to, {last}) "
        f"AND COALESCE(NEW.valid_from, {first}) <= COALESCE(there.valid_to, {last}))"
    )
    return Guard(f"{table}_overlap", table, "BEFORE INSERT", condition)


def believed(model: type[Known], at: datetime | None = None) -> ColumnElement[bool]:
    """Facts that were believed at a moment; None is now."""
    if at is None:
        return model.retired_at.is_(None)
    return (model.known_at <= at) & or_(model.retired_at.is_(None), model.retired_at > at)


def true_on(model: type[Dated], day: date) -> ColumnElement[bool]:
    """Facts that are true of a day."""
    begun = or_(model.valid_from.is_(None), model.valid_from <= day)
    return begun & or_(model.valid_to.is_(None), model.valid_to >= day)

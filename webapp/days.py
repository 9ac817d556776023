"""Days of a filter as instants: a business day begins at midnight in Shanghai."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement

from foundation.clock import SHANGHAI


def begins(day: date) -> datetime:
    """The instant at which a business day begins."""
    return datetime.combine(day, time(), SHANGHAI)


def between(column: Any, first: date | None, last: date | None) -> list[ColumnElement[bool]]:
    """Conditions that a column of instants lies within some business days, both included; None leaves an end open."""
    conditions: list[ColumnElement[bool]] = []
    if first is not None:
        conditions.append(column >= begins(first))
    if last is not None:
        conditions.append(column < begins(last + timedelta(days=1)))
    return conditions

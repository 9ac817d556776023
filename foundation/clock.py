"""What time it is.

The only file that asks the machine. Everybody else is handed a `Clock`, so that a job can run for a past day; what is
measured in seconds, and stands nowhere, goes by `stopwatch`.
Events are instants in UTC. Business days are dates in Asia/Shanghai.
"""

from __future__ import annotations

import time as machine
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Protocol

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
"""A fixed offset: China has kept UTC+8 all year since summer time ended in 1991, and no instant of ours is
older. So the time-zone database, which a bare machine may lack, is not needed."""


class Clock(Protocol):
    """Gives the present instant, aware and in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class FixedClock:
    """A clock that stands still at an instant. Raises ValueError for an instant without a time zone."""

    instant: datetime

    def __post_init__(self) -> None:
        _refuse_naive(self.instant)

    def now(self) -> datetime:
        return self.instant.astimezone(UTC)


def stopwatch() -> float:
    """Seconds since some moment, never running back: for waiting and for pauses, never for a date."""
    return machine.monotonic()


def business_day(instant: datetime) -> date:
    """The day in Asia/Shanghai on which an instant falls. Raises ValueError for one without a time zone."""
    _refuse_naive(instant)
    return instant.astimezone(SHANGHAI).date()


def as_of(day: date) -> FixedClock:
    """A clock that stands at noon in Shanghai of a day: for replays and for "as of" reports."""
    return FixedClock(datetime.combine(day, time(12), SHANGHAI))


def _refuse_naive(instant: datetime) -> None:
    if instant.utcoffset() is None:
        raise ValueError("an instant needs a time zone")

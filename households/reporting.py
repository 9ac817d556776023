"""The reporting calendar of a feed: which period a department has sent, when the next one is due, and how late it is.

Pure. A file as of a day covers every period that ends by then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from foundation.calendar import MissingCalendarYear, WorkingDays

_MONTHS = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}
EVERY = ("week", *_MONTHS)
COUNTED = ("calendar", "working")


@dataclass(frozen=True, slots=True)
class Calendar:
    """How often a feed is sent: for each week (Monday to Sunday), month, quarter, half year or year.

    `due` days after the period's end, calendar days or working days. Raises ValueError for anything else.
    """

    every: str
    due: int
    counted: str

    def __post_init__(self) -> None:
        if self.every not in EVERY or self.counted not in COUNTED or self.due < 0:
            raise ValueError("no such calendar")

    def end_of(self, day: date) -> date:
        """The last day of the period that a day falls in."""
        if self.every == "week":
            return day + timedelta(6 - day.weekday())
        months = _MONTHS[self.every]
        last = (day.month - 1) // months * months + months
        return date(day.year + last // 12, last % 12 + 1, 1) - timedelta(1)

    def last_end_by(self, day: date) -> date:
        """The end of the newest period that is over on a day: the day itself if it is a period's last."""
        end = self.end_of(day)
        if end == day:
            return end
        if self.every == "week":
            return end - timedelta(7)
        months = _MONTHS[self.every]
        first = (day.month - 1) // months * months + 1
        return date(day.year, first, 1) - timedelta(1)

    def due_on(self, end: date) -> date:
        """The last day on which the period that ends on a day is sent in time.

        Raises MissingCalendarYear where working days are counted in a year whose holidays are not known.
        """
        if self.counted == "working":
            return WorkingDays.load().add_working_days(end, self.due)
        return end + timedelta(self.due)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a feed stands on a day: the oldest period that nobody has sent, by its last day, and when it is (was) due.

    `late_days` is 0 while it is not late. `due_on` is None where the holidays of `missing_year` are not known.
    """

    period_end: date
    due_on: date | None
    late_days: int
    missing_year: int | None = None


def standing(calendar: Calendar, sent_as_of: date | None, day: date) -> Standing:
    """How a feed stands on a day; `sent_as_of` is the newest day that a file of it was of, None if there is none.

    Of a feed that nobody ever sent, the newest period that is due counts: no older one was ever agreed on.
    """
    try:
        end = _never_sent(calendar, day) if sent_as_of is None else _next_after(calendar, sent_as_of)
        due_on = calendar.due_on(end)
    except MissingCalendarYear as missing:
        return Standing(calendar.last_end_by(day), None, 0, missing.year)
    return Standing(end, due_on, max(0, (day - due_on).days))


def _next_after(calendar: Calendar, sent_as_of: date) -> date:
    """The end of the first period that a file as of a day does not cover."""
    end = calendar.end_of(sent_as_of)
    return end if sent_as_of < end else calendar.end_of(end + timedelta(1))


def _never_sent(calendar: Calendar, day: date) -> date:
    end = calendar.last_end_by(day)
    while calendar.due_on(end) >= day:
        end = calendar.last_end_by(end - timedelta(1))
    return end

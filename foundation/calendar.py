"""Working days, deadlines, and comparisons of dates by years.

Pure but for `WorkingDays.load`, which reads the table beside this file. The holidays and make-up working days
are data (holidays.toml), taken from the yearly notices of the State Council's General Office. A year that is
not there is an error: its holidays cannot be reckoned in advance, and a guessed deadline is worse than none.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from foundation.errors import FangpinError, Fault, UnusableInput

_TABLE = Path(__file__).with_name("holidays.toml")
_SATURDAY = 5


class MissingCalendarYear(FangpinError):
    """A working day or deadline was asked for in a year, `year`, whose holidays are not in the table."""

    code = "missing_calendar_year"

    def __init__(self, year: int) -> None:
        super().__init__(
            f"工作日历中没有{year}年的节假日,无法推算该年的工作日和期限。"
            f"请按《国务院办公厅关于{year}年部分节假日安排的通知》"
            f"在 foundation/holidays.toml 中补充{year}年。",
            f"The working-day calendar has no holidays for {year}, so no working day or deadline in it can "
            f"be reckoned. Add {year} to foundation/holidays.toml from the State Council's notice on it.",
        )
        self.year = year


@dataclass(frozen=True)
class WorkingDays:
    """The working-day calendar of some years.

    `holidays` are the days off of the notices, `make_up_days` the Saturdays and Sundays worked instead.
    Every function raises MissingCalendarYear when its answer rests on a day of a year that is not in `years`.
    """

    years: frozenset[int]
    holidays: frozenset[date]
    make_up_days: frozenset[date]

    @classmethod
    def load(cls) -> WorkingDays:
        """The calendar that comes with the program. Raises UnusableInput when holidays.toml is at fault."""
        return _shipped()

    @classmethod
    def from_toml(cls, text: str) -> WorkingDays:
        """The calendar in a text laid out like holidays.toml. Raises UnusableInput with every fault found."""
        return _parsed(text)

    def is_working_day(self, day: date) -> bool:
        """Whether offices work on a day: a make-up day, or a weekday that is no holiday."""
        if day.year not in self.years:
            raise MissingCalendarYear(day.year)
        if day in self.make_up_days:
            return True
        return day.weekday() < _SATURDAY and day not in self.holidays

    def is_rest_day(self, day: date) -> bool:
        """Whether a day is a rest day 法定休假日: a holiday, or a weekend day that is not worked."""
        return not self.is_working_day(day)

    def next_working_day_on_or_after(self, day: date) -> date:
        """The day itself if it is a working day, else the first one after it."""
        while self.is_rest_day(day):
            day = _days_after(day, 1)
        return day

    def add_working_days(self, day: date, count: int) -> date:
        """The count-th working day after a day: day 1 is the next working day, and 0 gives the day itself.

        Raises ValueError for a negative count.
        """
        if count < 0:
            raise ValueError("working days are counted forward only")
        for _ in range(count):
            day = self.next_working_day_on_or_after(_days_after(day, 1))
        return day

    def due_date(self, t0: date, days: int, deducted: int = 0) -> date:
        """The last day of a period of calendar days that begins on t0 (《民法典》第二百零一条、第二百零三条).

        t0 itself is not counted. Added are the days `deducted`, for which the clock stood still
        (《保险法》司法解释(二)第十五条). A period that would end on a rest day ends on the next working day.
        Raises ValueError for a negative number of days.
        """
        if days < 0 or deducted < 0:
            raise ValueError("a period has no negative days")
        return self.next_working_day_on_or_after(_days_after(t0, days + deducted))


def days_between(first: date, last: date) -> int:
    """Days from one date to another, one end counted: 0 for the same day, negative if `last` is earlier."""
    return last.toordinal() - first.toordinal()


def later_than_years_after(day: date, start: date, years: int) -> bool:
    """Whether day > start + years, where 29 February becomes 28 February in a year that has none."""
    return _parts(day) > _years_on(start, years)


def earlier_than_years_before(day: date, end: date, years: int) -> bool:
    """Whether day < end - years, where 29 February becomes 28 February in a year that has none."""
    return _parts(day) < _years_on(end, -years)


def before_birthday(day: date, birth: date, years: int) -> bool:
    """Whether a day lies before the birthday at which that many years are full.

    Somebody born on 29 February has it on the 28th in a year without.
    """
    return _parts(day) < _years_on(birth, years)


_Parts = tuple[int, int, int]


def _parts(day: date) -> _Parts:
    return day.year, day.month, day.day


def _years_on(day: date, years: int) -> _Parts:
    """A date moved by whole years, as (year, month, day): a `date` ends at the years 1 and 9999."""
    year = day.year + years
    if (day.month, day.day) == (2, 29) and not _is_leap(year):
        return year, 2, 28
    return year, day.month, day.day


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _days_after(day: date, days: int) -> date:
    try:
        return day + timedelta(days)
    except OverflowError:
        raise MissingCalendarYear(date.max.year + 1) from None


@cache
def _shipped() -> WorkingDays:
    return _parsed(_TABLE.read_text(encoding="utf-8"))


def _parsed(text: str) -> WorkingDays:
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        fault = Fault("holidays.toml", f"不是有效的 TOML 文件:{error}", f"not valid TOML: {error}")
        raise UnusableInput([fault]) from None
    faults: list[Fault] = []
    years: set[int] = set()
    holidays: set[date] = set()
    make_up_days: set[date] = set()
    for name, table in tables.items():
        place = f"holidays.toml › {name}"
        if len(name) != 4 or not (name.isascii() and name.isdigit()):
            faults.append(
                Fault(place, "应为四位年份,例如 [2026]", "must be a year of four digits such as [2026]")
            )
        elif not isinstance(table, dict) or set(table) != {"notices", "holidays", "make_up_days"}:
            zh = "应有且仅有 notices、holidays、make_up_days 三项"
            faults.append(Fault(place, zh, "must have notices, holidays and make_up_days, and nothing else"))
        else:
            year = int(name)
            years.add(year)
            _check_notices(place, table["notices"], faults)
            off = _holidays(place, year, table["holidays"], faults)
            holidays |= off
            make_up_days |= _make_up_days(place, year, table["make_up_days"], off, faults)
    if faults:
        raise UnusableInput(faults)
    return WorkingDays(frozenset(years), frozenset(holidays), frozenset(make_up_days))


def _check_notices(place: str, notices: Any, faults: list[Fault]) -> None:
    named = (
        isinstance(notices, list)
        and notices
        and all(isinstance(notice, str) and notice for notice in notices)
    )
    if not named:
        faults.append(
            Fault(f"{place} › notices", "应列出所依据的通知", "must name the notices it is taken from")
        )


def _holidays(place: str, year: int, entries: Any, faults: list[Fault]) -> set[date]:
    """The days off of one year's table; what is wrong with them is added to the faults."""
    place = f"{place} › holidays"
    if not isinstance(entries, list) or not entries:
        # None at all would make every weekday of the year a working day without anybody having said so.
        faults.append(Fault(place, "应列出节假日", "must list the holidays"))
        return set()
    off: set[date] = set()
    for number, entry in enumerate(entries, 1):
        days = _days_of_holiday(year, entry)
        if days is None:
            zh = f"第{number}项应为 {{ name, from, to }},均在本年内,且 from 不晚于 to"
            en = f"entry {number} must be {{ name, from, to }} within the year, with from no later than to"
            faults.append(Fault(place, zh, en))
        elif off & days:
            faults.append(
                Fault(place, f"第{number}项日期重复", f"entry {number} has days that stand already")
            )
        else:
            off |= days
    return off


def _days_of_holiday(year: int, entry: Any) -> set[date] | None:
    """The days of one holiday, or None when the entry is at fault."""
    if not isinstance(entry, dict) or set(entry) != {"name", "from", "to"}:
        return None
    first, last = _day_in(year, entry["from"]), _day_in(year, entry["to"])
    if first is None or last is None or first > last:
        return None
    return {date.fromordinal(number) for number in range(first.toordinal(), last.toordinal() + 1)}


def _make_up_days(place: str, year: int, values: Any, off: set[date], faults: list[Fault]) -> set[date]:
    """The worked weekend days of one year's table; what is wrong with them is added to the faults."""
    worked: set[date] = set()
    for value in values if isinstance(values, list) else [values]:
        day = _day_in(year, value) if isinstance(values, list) else None
        if day is None or day.weekday() < _SATURDAY or day in off or day in worked:
            zh = f"应为本年的周六或周日,不重复,且不是节假日:{value}"
            en = f"must be Saturdays or Sundays of the year, each once and no holiday: {value}"
            faults.append(Fault(f"{place} › make_up_days", zh, en))
        else:
            worked.add(day)
    return worked


def _day_in(year: int, value: Any) -> date | None:
    """The value if it is a day of the year (a datetime is none), else None."""
    return value if type(value) is date and value.year == year else None

"""Working days of the State Council's notices, deadlines, and comparisons by years that never run over."""

from __future__ import annotations

import calendar as calendar_of_python
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.calendar import (
    MissingCalendarYear,
    WorkingDays,
    before_birthday,
    days_between,
    earlier_than_years_before,
    later_than_years_after,
)
from foundation.errors import FangpinError, UnusableInput

FIRST, LAST = date(2019, 1, 1), date(2026, 12, 31)
IN_TABLE = st.dates(FIRST, LAST)
EARLY_ENOUGH = st.dates(FIRST, date(2026, 9, 30))


@pytest.fixture
def working_days() -> WorkingDays:
    return WorkingDays.load()


def the(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("year", "working"),
    # Days made up for do not change the sum: it is the Mondays to Fridays of the year less the days that the
    # regulation on public holidays gives (11, from 2025 on 13). 2020 lost two more when its Spring Festival
    # was lengthened by 31 January, a Friday, and 1 February, a Saturday that was to be worked.
    [(2019, 250), (2020, 249), (2021, 250), (2022, 249), (2023, 249), (2024, 251), (2025, 248), (2026, 248)],
)
def test_every_year_has_as_many_working_days_as_its_notices_leave(
    working_days: WorkingDays, year: int, working: int
) -> None:
    days = [
        date(year, 1, 1) + timedelta(number)
        for number in range(366 if calendar_of_python.isleap(year) else 365)
    ]
    assert sum(working_days.is_working_day(day) for day in days) == working


@pytest.mark.parametrize(
    "day",
    [
        "2019-05-01",
        "2019-05-02",
        "2019-05-04",
        "2020-01-24",
        "2020-01-31",
        "2020-02-01",
        "2020-02-02",
        "2020-10-08",
        "2022-12-31",
        "2023-04-05",
        "2024-01-01",
        "2025-01-28",
        "2026-02-23",
        "2026-11-21",
    ],
)
def test_holidays_and_free_weekends_are_rest_days(working_days: WorkingDays, day: str) -> None:
    assert working_days.is_rest_day(the(day))


@pytest.mark.parametrize(
    "day",
    [
        "2019-04-28",
        "2019-05-05",
        "2019-05-06",
        "2019-12-31",
        "2020-01-19",
        "2020-01-23",
        "2020-02-03",
        "2020-04-26",
        "2023-10-08",
        "2024-02-09",
        "2025-09-28",
        "2026-01-04",
        "2026-02-28",
    ],
)
def test_weekdays_and_made_up_weekend_days_are_working_days(working_days: WorkingDays, day: str) -> None:
    assert working_days.is_working_day(the(day))


@pytest.mark.parametrize("year", [1, 2018, 2027, 9999])
def test_a_year_without_a_table_is_an_error_that_names_the_year_and_the_remedy(
    working_days: WorkingDays, year: int
) -> None:
    with pytest.raises(MissingCalendarYear) as caught:
        working_days.is_working_day(date(year, 6, 1))
    assert isinstance(caught.value, FangpinError)
    assert caught.value.year == year
    assert caught.value.code == "missing_calendar_year"
    for sentence in (caught.value.zh, caught.value.en):
        assert str(year) in sentence
        assert "holidays.toml" in sentence


def test_a_deadline_that_reaches_into_a_missing_year_is_not_guessed(working_days: WorkingDays) -> None:
    with pytest.raises(MissingCalendarYear, match="2027"):
        working_days.due_date(the("2026-12-15"), 30)
    with pytest.raises(MissingCalendarYear, match="2027"):
        working_days.add_working_days(the("2026-12-31"), 1)
    with pytest.raises(MissingCalendarYear):
        working_days.add_working_days(date.max, 1)
    with pytest.raises(MissingCalendarYear):
        working_days.due_date(the("2026-12-15"), 10**12)


def test_a_deadline_may_begin_before_the_table_does(working_days: WorkingDays) -> None:
    assert working_days.due_date(the("2018-12-10"), 30) == the("2019-01-09")


@pytest.mark.parametrize(
    ("t0", "days", "deducted", "due"),
    [
        ("2020-03-02", 30, 0, "2020-04-01"),
        ("2020-03-02", 30, 7, "2020-04-08"),
        ("2020-03-05", 30, 0, "2020-04-07"),  # 4 April, the first of three days off
        ("2020-01-01", 30, 0, "2020-02-03"),  # 31 January, inside the lengthened Spring Festival
        ("2020-03-27", 30, 0, "2020-04-26"),  # a Sunday that is made up
        ("2020-03-02", 10, 0, "2020-03-12"),
        ("2020-03-02", 60, 0, "2020-05-06"),  # 1 May
        ("2020-03-06", 3, 0, "2020-03-09"),
        ("2020-03-07", 0, 0, "2020-03-09"),  # a Saturday
    ],
)
def test_a_deadline_leaves_out_the_first_day_and_ends_on_no_rest_day(
    working_days: WorkingDays, t0: str, days: int, deducted: int, due: str
) -> None:
    assert working_days.due_date(the(t0), days, deducted) == the(due)


@pytest.mark.parametrize(
    ("day", "count", "expected"),
    [
        ("2020-03-02", 0, "2020-03-02"),
        ("2020-03-07", 0, "2020-03-07"),
        ("2020-03-02", 1, "2020-03-03"),
        ("2020-03-06", 1, "2020-03-09"),
        ("2020-03-07", 1, "2020-03-09"),
        ("2020-01-17", 2, "2020-01-20"),  # by way of the made-up Sunday, 19 January
        ("2020-01-23", 1, "2020-02-03"),
        ("2020-04-30", 5, "2020-05-11"),  # 6, 7, 8, 9 (made up), 11 May
    ],
)
def test_working_days_are_counted_from_the_next_one(
    working_days: WorkingDays, day: str, count: int, expected: str
) -> None:
    assert working_days.add_working_days(the(day), count) == the(expected)


def test_periods_are_not_counted_backward(working_days: WorkingDays) -> None:
    with pytest.raises(ValueError, match="forward"):
        working_days.add_working_days(FIRST, -1)
    with pytest.raises(ValueError, match="negative"):
        working_days.due_date(FIRST, -1)
    with pytest.raises(ValueError, match="negative"):
        working_days.due_date(FIRST, 1, deducted=-1)


@given(EARLY_ENOUGH, st.integers(0, 40))
def test_between_a_day_and_the_nth_working_day_after_it_lie_n_working_days(day: date, count: int) -> None:
    working_days = WorkingDays.load()
    end = working_days.add_working_days(day, count)
    passed = [date.fromordinal(number) for number in range(day.toordinal() + 1, end.toordinal() + 1)]
    assert sum(map(working_days.is_working_day, passed)) == count
    assert count == 0 or working_days.is_working_day(end)


@given(EARLY_ENOUGH, st.integers(0, 40), st.integers(0, 30))
def test_a_deadline_is_a_working_day_and_moves_over_rest_days_only(
    t0: date, days: int, deducted: int
) -> None:
    working_days = WorkingDays.load()
    due = working_days.due_date(t0, days, deducted)
    plain = t0 + timedelta(days + deducted)
    assert working_days.is_working_day(due)
    assert due >= plain
    assert all(
        working_days.is_rest_day(date.fromordinal(n)) for n in range(plain.toordinal(), due.toordinal())
    )


@given(IN_TABLE)
def test_a_day_is_a_working_day_or_a_rest_day(day: date) -> None:
    working_days = WorkingDays.load()
    assert working_days.is_working_day(day) is not working_days.is_rest_day(day)


GOOD = """
[2030]
notices = ["国务院办公厅关于2030年部分节假日安排的通知"]
holidays = [{ name = "元旦", from = 2030-01-01, to = 2030-01-02 }]
make_up_days = [2030-01-05]
"""


def test_a_year_can_be_added_in_the_table() -> None:
    working_days = WorkingDays.from_toml(GOOD)
    assert working_days.years == {2030}
    assert working_days.add_working_days(the("2030-01-01"), 3) == the("2030-01-05")


@pytest.mark.parametrize(
    ("right", "wrong", "place"),
    [
        ("[2030]", "[30]", "30"),
        ("[2030]", "[２０３０]", "holidays.toml"),
        ("[2030]", '["２０３０"]', "２０３０"),
        ("[2030]", "2030 = 1\n[2031]", "2030"),
        ("[2030]", "[next]", "next"),
        ("[2030]", "[2030", "holidays.toml"),
        ("make_up_days = [2030-01-05]", "", "2030"),
        ("make_up_days", "more = 1\nmake_up_days", "2030"),
        ('["国务院办公厅关于2030年部分节假日安排的通知"]', "[]", "notices"),
        ('["国务院办公厅关于2030年部分节假日安排的通知"]', '[""]', "notices"),
        ('[{ name = "元旦", from = 2030-01-01, to = 2030-01-02 }]', "[]", "holidays"),
        ("from = 2030-01-01", "from = 2029-12-31", "holidays"),
        ("from = 2030-01-01", "from = 2030-01-01T00:00:00", "holidays"),
        ("from = 2030-01-01", 'from = "2030-01-01"', "holidays"),
        ("to = 2030-01-02", "to = 2029-01-02", "holidays"),
        ("from = 2030-01-01, to", "from = 2030-01-03, to", "holidays"),
        (
            '{ name = "元旦",',
            '{ name = "元旦", from = 2030-01-02, to = 2030-01-02 }, { name = "元旦",',
            "holidays",
        ),
        (", to = 2030-01-02 }", " }", "holidays"),
        ("[2030-01-05]", "[2030-01-04]", "make_up_days"),
        ("[2030-01-05]", "[2030-01-05, 2030-01-05]", "make_up_days"),
        ("[2030-01-05]", "[2029-12-29]", "make_up_days"),
        ("[2030-01-05]", "2030-01-05", "make_up_days"),
        ("to = 2030-01-02", "to = 2030-01-05", "make_up_days"),
    ],
)
def test_a_faulty_table_is_refused_with_the_place_of_the_fault(right: str, wrong: str, place: str) -> None:
    assert right in GOOD
    with pytest.raises(UnusableInput) as caught:
        WorkingDays.from_toml(GOOD.replace(right, wrong))
    assert caught.value.faults[0].place.endswith(place)


def test_all_faults_of_a_table_are_reported_at_once() -> None:
    with pytest.raises(UnusableInput) as caught:
        WorkingDays.from_toml(GOOD.replace("2030-01-05", "2030-01-04") + "\n[2031]\nnotices = []\n")
    places = [fault.place for fault in caught.value.faults]
    assert places == ["holidays.toml › 2030 › make_up_days", "holidays.toml › 2031"]


LATER = [
    ("2022-03-05", "2020-03-05", 2, False),
    ("2022-03-06", "2020-03-05", 2, True),
    ("2022-02-28", "2020-02-29", 2, False),
    ("2022-03-01", "2020-02-29", 2, True),
    ("2024-02-29", "2020-02-29", 4, False),
    ("2024-03-01", "2020-02-29", 4, True),
    ("2000-02-29", "1996-02-29", 4, False),
    ("1900-03-01", "1896-02-29", 4, True),
    ("1900-02-28", "1896-02-29", 4, False),
    ("2020-03-06", "2020-03-05", 0, True),
    ("2020-03-05", "2020-03-05", 0, False),
    ("9999-12-31", "9999-01-01", 2, False),
    ("9999-12-31", "0001-01-01", 9998, True),
    ("9999-12-31", "0001-01-01", 10**9, False),
]


@pytest.mark.parametrize(("day", "start", "years", "later"), LATER)
def test_a_day_is_later_than_years_after_another(day: str, start: str, years: int, later: bool) -> None:
    assert later_than_years_after(the(day), the(start), years) is later


EARLIER = [
    ("2015-03-04", "2020-03-05", 5, True),
    ("2015-03-05", "2020-03-05", 5, False),
    ("2019-02-27", "2020-02-29", 1, True),
    ("2019-02-28", "2020-02-29", 1, False),
    ("2016-02-28", "2020-02-29", 4, True),
    ("2016-02-29", "2020-02-29", 4, False),
    ("0001-01-01", "0003-06-01", 2, True),
    ("0001-01-01", "0001-01-01", 5, False),
    ("0001-01-01", "9999-12-31", 10**9, False),
]


@pytest.mark.parametrize(("day", "end", "years", "earlier"), EARLIER)
def test_a_day_is_earlier_than_years_before_another(day: str, end: str, years: int, earlier: bool) -> None:
    assert earlier_than_years_before(the(day), the(end), years) is earlier


@pytest.mark.parametrize(
    ("day", "birth", "before"),
    [
        ("2020-05-03", "2012-05-04", True),
        ("2020-05-04", "2012-05-04", False),
        ("2020-02-28", "2012-02-29", True),
        ("2020-02-29", "2012-02-29", False),
        ("2004-02-28", "1996-02-29", True),
        ("9999-12-31", "9998-01-01", True),
        ("0001-01-01", "0001-01-01", True),
    ],
)
def test_a_day_lies_before_the_eighth_birthday(day: str, birth: str, before: bool) -> None:
    assert before_birthday(the(day), the(birth), 8) is before


def test_a_birthday_of_29_february_is_the_28th_in_a_year_without() -> None:
    assert before_birthday(the("2014-02-27"), the("2008-02-29"), 6)
    assert not before_birthday(the("2014-02-28"), the("2008-02-29"), 6)


@given(st.dates(), st.dates(), st.integers(0, 10_000))
def test_comparisons_by_years_never_run_over_and_fit_together(day: date, other: date, years: int) -> None:
    later = later_than_years_after(day, other, years)
    assert before_birthday(day, other, years) is (not later and not _is_anniversary(day, other, years))
    assert earlier_than_years_before(day, other, 0) is (day < other)
    if years:
        # A year more makes it harder to lie beyond.
        assert later <= later_than_years_after(day, other, years - 1)
        assert earlier_than_years_before(day, other, years) <= earlier_than_years_before(
            day, other, years - 1
        )


def _is_anniversary(day: date, other: date, years: int) -> bool:
    if day.year != other.year + years:
        return False
    if (other.month, other.day) == (2, 29) and not calendar_of_python.isleap(day.year):
        return (day.month, day.day) == (2, 28)
    return (day.month, day.day) == (other.month, other.day)


@given(st.dates(), st.dates())
def test_days_between_two_dates_lead_from_one_to_the_other(first: date, last: date) -> None:
    assert first + timedelta(days_between(first, last)) == last


def test_a_supplement_that_came_a_week_after_the_notice_deducts_seven_days() -> None:
    assert days_between(the("2020-03-05"), the("2020-03-12")) == 7

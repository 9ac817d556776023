"""Layouts and departments as data, and the reporting calendar against a plain model that looks at one day at a time."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.calendar import WorkingDays
from foundation.cells import CellError
from households.departments import departments
from households.feed_preview import masked
from households.feed_words import calendar_words, column_words, template_note
from households.feeds import COLUMNS
from households.layouts import IN_PACK, layouts, uploaded_layouts
from households.reporting import COUNTED, EVERY, Calendar, Standing, standing
from households.terms import COLUMN_TYPES
from tests.staffing import id_number_of

TWELVE = (
    "CIVIL", "EDU", "MEDINS", "HEALTH", "HOUSING", "TRAFFIC", "HR", "DPF", "FINANCE", "REALESTATE", "AGRI", "EMERG",
)  # fmt: skip


def test_all_twelve_departments_and_the_other_sources_of_a_pack_send_something() -> None:
    assert tuple(departments())[:12] == TWELVE
    assert set(departments()) == {*TWELVE, "MARKET", "BANKS", "POLICE", "DISCIPLINE", "CENTRE"}
    senders = {layout.department for layout in uploaded_layouts().values()}
    assert senders == set(departments()) - {"CENTRE"}


def test_the_feeds_of_a_pack_are_there_and_those_of_departments_alone_have_no_file_in_it() -> None:
    assert tuple(layouts())[: len(IN_PACK)] == IN_PACK and set(IN_PACK) == set(COLUMNS)
    alone = {feed for feed, layout in layouts().items() if layout.file is None}
    assert alone == set(layouts()) - set(IN_PACK)
    assert {"assistance", "serious_illness", "dilapidated", "house_contracts", "unemployment", "disability",
            "farm_losses", "disasters", "school_costs"} <= alone  # fmt: skip


@pytest.mark.parametrize("feed", uploaded_layouts())
def test_every_layout_names_a_person_by_id_number_and_says_all_in_words(feed: str) -> None:
    layout = uploaded_layouts()[feed]
    assert layout.types[layout.person] == "id_number"
    assert layout.day == -1 or layout.types[layout.day] == "date"
    assert layout.amount == -1 or layout.types[layout.amount] in ("amount", "capital")
    assert len({column.name for column in layout.columns}) == len(layout.columns)
    assert set(layout.types) <= set(COLUMN_TYPES)
    for place in range(len(layout.columns)):
        assert all(column_words(layout, place))
    assert all(calendar_words(layout)) and all(template_note(layout))


def test_a_diagnosis_a_plate_and_a_kind_of_disability_are_never_shown() -> None:
    for feed, field in (("serious_illness", "diagnosis"), ("vehicles", "plate"), ("disability", "kind")):
        layout = layouts()[feed]
        assert layout.types[layout.place(field)] == "private"
    number = id_number_of("某人")
    row = masked(layouts()["serious_illness"], (number, "李四", "尿毒症", date(2021, 1, 5)))
    assert row == (f"{number[:6]}********{number[14:]}", "李某某", "****", "2021-01-05")


def test_a_digit_that_a_spreadsheet_made_a_number_is_one_of_the_words() -> None:
    layout = layouts()["disability"]
    parse = layout.columns[layout.place("grade")].parse
    assert (parse(1.0), parse("2"), parse(None)) == ("1", "2", None)
    for wrong in (5, 1.5, "一级", True):
        with pytest.raises(CellError, match="choice"):
            parse(wrong)


# --- the calendar ------------------------------------------------------------------------------------

_ENDS_IN = {"month": range(1, 13), "quarter": (3, 6, 9, 12), "half_year": (6, 12), "year": (12,)}


def is_end(every: str, day: date) -> bool:
    """Whether a period ends on a day, by looking at the next one."""
    if every == "week":
        return day.weekday() == 6
    return (day + timedelta(1)).day == 1 and day.month in _ENDS_IN[every]


def plain_due(calendar: Calendar, end: date) -> date:
    """Day by day from the end of the period."""
    left, day = calendar.due, end
    while left:
        day += timedelta(1)
        left -= calendar.counted == "calendar" or WorkingDays.load().is_working_day(day)
    return day


def plain_standing(calendar: Calendar, sent: date | None, day: date) -> tuple[date, date, int]:
    """The oldest end that is not covered, looked for day by day; of a feed never sent, the newest that is due."""
    if sent is not None:
        end = sent + timedelta(1)
        while not is_end(calendar.every, end):
            end += timedelta(1)
    else:
        end = day
        while not is_end(calendar.every, end) or plain_due(calendar, end) >= day:
            end -= timedelta(1)
    due = plain_due(calendar, end)
    late = sum(1 for number in range(3000) if due + timedelta(number + 1) <= day)
    return end, due, late


calendars = st.builds(Calendar, st.sampled_from(EVERY), st.integers(0, 70), st.sampled_from(COUNTED))
known_days = st.dates(date(2021, 1, 1), date(2025, 6, 30))


@given(calendar=calendars, day=known_days, before=st.none() | st.integers(-40, 500))
def test_a_feed_stands_as_the_plain_model_says(calendar: Calendar, day: date, before: int | None) -> None:
    sent = None if before is None else day - timedelta(before)
    found = standing(calendar, sent, day)
    assert (found.period_end, found.due_on, found.late_days) == plain_standing(calendar, sent, day)


@given(calendar=calendars, day=known_days)
def test_what_is_sent_as_of_its_period_s_last_day_is_never_late_for_it(calendar: Calendar, day: date) -> None:
    end = calendar.end_of(day)
    assert is_end(calendar.every, end) and end >= day
    assert calendar.last_end_by(end) == end and calendar.last_end_by(day) <= day
    assert standing(calendar, end, calendar.due_on(end)).late_days == 0
    assert standing(calendar, end - timedelta(1), calendar.due_on(end)).late_days == 0
    assert standing(calendar, end - timedelta(1), calendar.due_on(end) + timedelta(1)).late_days == 1


def test_a_year_without_a_holiday_calendar_is_named_and_nothing_is_guessed() -> None:
    calendar = Calendar("month", 5, "working")
    assert standing(calendar, date(2040, 1, 31), date(2040, 3, 20)) == Standing(
        date(2040, 2, 29), None, 0, 2040
    )
    assert standing(Calendar("month", 5, "calendar"), date(2040, 1, 31), date(2040, 3, 20)).late_days == 15


@pytest.mark.parametrize("wrong", [("day", 1, "calendar"), ("month", -1, "calendar"), ("month", 1, "moon")])
def test_a_calendar_that_there_is_not_is_refused(wrong: tuple[str, int, str]) -> None:
    with pytest.raises(ValueError, match="calendar"):
        Calendar(*wrong)

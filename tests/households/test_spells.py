"""Days of a spell against a plain model that walks the calendar; steps, extension, exit and standing."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from households import spells
from households.spells import (
    ACTIVE,
    DUE,
    EXITED,
    FOLLOW_UP,
    OVERDUE,
    PROPOSED,
    Steps,
    basis_of,
    exit_faults,
    first_review,
    followed_until,
    months_after,
    needs_extension,
    next_review,
    standing,
    step_faults,
    terms,
    was_extended,
    year_ends,
)

DAYS = st.dates(date(2000, 1, 1), date(2090, 12, 31))
MONTHS = st.integers(0, 60)


def walked(day: date, months: int) -> date:
    """Month by month to the first of the month; then day by day on, as long as the month lasts."""
    first = day.replace(day=1)
    for _ in range(months):
        first = (first + timedelta(31)).replace(day=1)
    found = first
    while found.day < day.day and (found + timedelta(1)).month == first.month:
        found += timedelta(1)
    return found


@given(DAYS, MONTHS)
def test_months_are_counted_as_by_walking_through_the_calendar(day: date, months: int) -> None:
    assert months_after(day, months) == walked(day, months)


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2020, 8, 31), 6, date(2021, 2, 28)),
        (date(2019, 8, 31), 6, date(2020, 2, 29)),
        (date(2020, 2, 29), 12, date(2021, 2, 28)),
        (date(2020, 12, 31), 6, date(2021, 6, 30)),
        (date(2020, 1, 15), 12, date(2021, 1, 15)),
    ],
)
def test_a_month_without_the_day_ends_on_its_last(day: date, months: int, later: date) -> None:
    assert months_after(day, months) == later


@given(DAYS, st.lists(st.tuples(st.integers(0, 400), st.booleans()), max_size=8))
def test_support_goes_beyond_its_year_by_extensions_alone(
    start: date, reviews: list[tuple[int, bool]]
) -> None:
    """A plain model: the last day that anybody has allowed."""
    due, allowed = first_review(start), year_ends(start)
    day = start
    for days, extended in reviews:
        day += timedelta(days)
        if needs_extension(start, day) and not extended:
            continue  # the service refuses it
        due = next_review(start, day, extended=extended)
        if extended:
            allowed = max(allowed, walked(day, 6))
        assert due <= allowed
        assert was_extended(start, due) == (due > walked(start, 12))
        assert due <= walked(day, 6)


@given(DAYS, st.integers(-400, 400))
def test_a_spell_stands_where_its_days_say(review_due: date, ahead: int) -> None:
    today = review_due - timedelta(ahead)
    found = standing(ACTIVE, review_due, None, today)
    if ahead < 0:
        assert found == OVERDUE
    else:
        assert found == (DUE if ahead <= terms().remind_days else ACTIVE)


@given(DAYS)
def test_the_follow_up_lasts_three_months_and_both_its_days_count(exited: date) -> None:
    until = followed_until(exited)
    assert until == walked(exited, 3)
    assert standing(EXITED, None, until, until) == FOLLOW_UP
    assert standing(EXITED, None, until, until + timedelta(1)) == EXITED


def test_what_is_only_proposed_is_neither_due_nor_followed() -> None:
    assert standing(PROPOSED, None, None, date(2020, 1, 1)) == PROPOSED


# --- the steps -----------------------------------------------------------------------------------------

TODAY = date(2020, 6, 30)
SOUND = Steps(
    surveyed_on=date(2020, 6, 1),
    surveyors=("王敏", "李强"),
    appraised_on=date(2020, 6, 3),
    present=21,
    in_favour=18,
    notice_from=date(2020, 6, 4),
    notice_to=date(2020, 6, 10),
)


def test_sound_steps_have_no_fault() -> None:
    assert step_faults(SOUND, TODAY) == {}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"surveyed_on": date(2020, 7, 1)}, "surveyed_on"),
        ({"surveyors": ("王敏", "王敏")}, "surveyor_2"),
        ({"appraised_on": date(2020, 5, 31)}, "appraised_on"),
        ({"appraised_on": date(2020, 7, 1)}, "appraised_on"),
        ({"present": 17}, "in_favour"),
        ({"in_favour": 10}, "in_favour"),
        ({"present": 0, "in_favour": 0}, "in_favour"),
        ({"notice_from": date(2020, 6, 2)}, "notice_from"),
        ({"notice_from": date(2020, 7, 1), "notice_to": date(2020, 7, 9)}, "notice_from"),
        ({"notice_to": date(2020, 6, 9)}, "notice_to"),
    ],
)
def test_a_step_out_of_order_is_a_fault_of_its_field(changes: dict[str, object], field: str) -> None:
    faults = step_faults(replace(SOUND, **changes), TODAY)  # type: ignore[arg-type]
    assert field in faults


@given(st.integers(0, 20))
def test_a_notice_hangs_seven_days_at_least_both_ends_counted(days: int) -> None:
    steps = replace(SOUND, notice_to=SOUND.notice_from + timedelta(days - 1))
    assert ("notice_to" in step_faults(steps, TODAY)) == (days < 7)


# --- by what it is recognised, and when it may end -----------------------------------------------------


@given(st.integers(0, 2_000_000), st.one_of(st.none(), st.integers(0, 2_000_000)), st.integers(0, 3))
def test_below_the_line_is_quantitative_and_else_a_reason_is_needed(
    per_head: int, line: int | None, reasons: int
) -> None:
    found = basis_of(per_head, line, reasons)
    below = line is not None and per_head < line
    assert found == ("quantitative" if below else "qualitative" if reasons else None)


@given(st.integers(0, 1000), st.one_of(st.none(), st.integers(0, 1000)), st.booleans(), st.booleans())
def test_a_household_leaves_when_income_cause_and_meeting_all_allow_it(
    per_head: int, line: int | None, gone: bool, met: bool
) -> None:
    faults = exit_faults(per_head, line, cause_gone=gone, meeting="2020-7" if met else None)
    assert (not faults) == (line is not None and per_head > line and gone and met)


def test_every_term_has_its_source() -> None:
    table = tomllib.loads(Path(spells.__file__).with_name("spells.toml").read_text("utf-8"))
    for name, entry in table.items():
        assert len(entry["source"]) == 2, name
        assert all(entry["source"]), name
    assert (terms().notice_days, terms().review_months, terms().most_months) == (7, 6, 12)
    assert terms().follow_up_months == 3

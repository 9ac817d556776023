"""Instants are UTC, business days are Shanghai's."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.clock import SHANGHAI, Clock, FixedClock, SystemClock, as_of, business_day


def test_the_machines_clock_gives_the_present_in_utc() -> None:
    before = datetime.now(UTC)
    clock: Clock = SystemClock()
    seen = clock.now()
    assert before <= seen <= datetime.now(UTC)
    assert seen.tzinfo is UTC


def test_a_fixed_clock_stands_still_and_answers_in_utc() -> None:
    clock: Clock = FixedClock(datetime(2020, 3, 2, 8, 30, tzinfo=SHANGHAI))
    assert clock.now() == clock.now() == datetime(2020, 3, 2, 0, 30, tzinfo=UTC)
    assert clock.now().tzinfo is UTC


def test_an_instant_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        FixedClock(datetime(2020, 3, 2))
    with pytest.raises(ValueError, match="time zone"):
        business_day(datetime(2020, 3, 2))


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2020, 3, 2, 15, 59, 59, 999999, tzinfo=UTC), date(2020, 3, 2)),
        (datetime(2020, 3, 2, 16, 0, tzinfo=UTC), date(2020, 3, 3)),
        (datetime(2020, 12, 31, 16, 0, tzinfo=UTC), date(2021, 1, 1)),
        (datetime(2020, 7, 1, 15, 59, tzinfo=UTC), date(2020, 7, 1)),
        (datetime(2020, 3, 2, 20, 0, tzinfo=timezone(-timedelta(hours=5))), date(2020, 3, 3)),
    ],
)
def test_the_business_day_changes_at_midnight_in_shanghai(instant: datetime, day: date) -> None:
    assert business_day(instant) == day


@given(st.dates())
def test_a_clock_as_of_a_day_stands_on_that_business_day(day: date) -> None:
    clock = as_of(day)
    assert business_day(clock.now()) == day
    assert clock.now().astimezone(SHANGHAI).hour == 12

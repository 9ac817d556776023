"""Early warning: both roads meet in one open case for each household and event, and nothing that was told is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from foundation.database import table_of
from foundation.jobs import Job
from foundation.trail.events import Event
from households.models.feeds import FeedRow
from households.models.warnings import WarningCase, WarningReport
from households.services.warning_rows import LINK
from tests.households.warning_desk import (
    AT,
    ELSEWHERE,
    FULL,
    WINDOW,
    Desk,
    bill,
    crash,
    open_desk,
)

FATHER, SON, OTHER = "张大山", "张小河", "李明月"
MAY = date(2020, 5, 10)
TOKEN = "ab" * 16


@pytest.fixture
def desk(migrated_url: str, tmp_path: Path) -> Iterator[Desk]:
    found = open_desk(migrated_url, tmp_path)
    yield found
    found.database.close()


# --- one open case -------------------------------------------------------------------------------------


def test_bills_below_the_line_open_no_case_and_the_bill_that_reaches_it_brings_all_of_them(
    desk: Desk,
) -> None:
    desk.send("medical", bill(FATHER, "1", MAY, 6000))
    assert desk.cases() == []
    desk.send("medical", bill(FATHER, "2", MAY + timedelta(10), 5000))
    (case,) = desk.cases()
    assert (case.line, case.amount_fen, case.event_on) == ("illness", 1100000, MAY + timedelta(10))
    assert len(desk.reports(case.id)) == 2


def test_a_further_bill_of_the_year_joins_the_open_case(desk: Desk) -> None:
    desk.send("medical", bill(FATHER, "1", MAY, 12000))
    desk.send("medical", bill(FATHER, "2", MAY + timedelta(60), 300))
    (case,) = desk.cases()
    assert case.amount_fen == 1230000
    assert len(desk.reports(case.id)) == 2


def test_the_village_and_the_department_meet_whoever_comes_first(desk: Desk) -> None:
    first = desk.report(FATHER, "illness", MAY, amount_fen=2000000)
    desk.send("medical", bill(FATHER, "1", MAY + timedelta(3), 12000))
    desk.send("medical", bill(OTHER, "2", MAY, 13000))
    second = desk.report(OTHER, "illness", MAY, ELSEWHERE, amount_fen=10)
    assert {case.id for case in desk.cases()} == {first, second}
    for case in desk.cases():
        assert {report.channel for report in desk.reports(case.id)} == {"department", "village"}
    # A department's sum comes before what somebody guessed.
    assert [case.amount_fen for case in desk.cases()] == [1200000, 1300000]


def test_a_row_below_the_line_joins_a_case_that_the_village_opened_before_or_after(desk: Desk) -> None:
    desk.send("medical", bill(FATHER, "1", MAY, 3000))
    case = desk.report(FATHER, "illness", MAY)
    desk.send("medical", bill(FATHER, "2", MAY, 200))
    (found,) = desk.cases()
    assert found.id == case
    assert found.amount_fen == 320000


def test_an_accident_told_a_few_days_off_is_the_same_one(desk: Desk) -> None:
    case = desk.report(FATHER, "accident", MAY)
    desk.send("accidents", crash(FATHER, "A1", MAY + timedelta(3)), crash(FATHER, "A2", MAY + timedelta(30)))
    first, second = desk.cases()
    assert first.id == case
    assert {report.channel for report in desk.reports(case)} == {"village", "department"}
    assert desk.report(FATHER, "accident", MAY + timedelta(28), WINDOW, "town_window") == second.id


def test_two_accidents_with_numbers_of_their_own_are_two_however_near(desk: Desk) -> None:
    desk.report(FATHER, "accident", MAY)
    desk.send("accidents", crash(FATHER, "A1", MAY), crash(FATHER, "A2", MAY))
    assert len(desk.cases()) == 2
    desk.send("accidents", {**crash(FATHER, "A1", MAY), "drunk": True})
    assert len(desk.cases()) == 2


def test_a_death_is_one_event_whatever_day_is_told_and_no_accident_of_that_day(desk: Desk) -> None:
    case = desk.report(FATHER, "death", MAY)
    desk.send("deaths", {"who": FATHER, "died_on": MAY - timedelta(40)})
    assert [found.id for found in desk.cases()] == [case]
    assert desk.report(FATHER, "accident", MAY) != case


def test_what_hits_two_members_in_a_month_is_one_case_of_the_household(desk: Desk) -> None:
    desk.send("unemployment", {"who": FATHER, "lost_on": MAY})
    desk.send("disasters", {"who": SON, "occurred_on": MAY + timedelta(9), "kind": "冰雹", "amount_fen": 500})
    desk.send("unemployment", {"who": OTHER, "lost_on": MAY})
    first, second = desk.cases()
    assert len(desk.reports(first.id)) == 2
    assert first.amount_fen == 500
    assert desk.report(SON, "job_loss", MAY + timedelta(1)) == first.id
    assert desk.report(SON, "job_loss", MAY + timedelta(31)) not in (first.id, second.id)


def test_the_lag_is_counted_from_what_each_report_speaks_of(desk: Desk) -> None:
    desk.report(FATHER, "illness", date(2020, 12, 21))
    desk.send("medical", bill(FATHER, "1", date(2020, 12, 1), 20000))
    assert sorted((report.channel, report.lag_days) for report in desk.reports()) == [
        ("department", 30),
        ("village", 10),
    ]


def test_somebody_who_is_not_in_the_register_makes_no_case(desk: Desk) -> None:
    desk.send("medical", bill("无名氏", "1", MAY, 90000))
    assert desk.cases() == []


def test_the_same_job_again_changes_nothing(desk: Desk) -> None:
    delivery = desk.deliver("medical", bill(FATHER, "1", MAY, 12000), bill(OTHER, "2", MAY, 12000))
    desk.warn(delivery)
    before = (desk.count(WarningCase), desk.count(WarningReport), desk.count(Event))
    desk.warn(delivery)
    assert (desk.count(WarningCase), desk.count(WarningReport), desk.count(Event)) == before
    assert before[:2] == (2, 2)


def test_the_job_asks_for_claims_to_be_matched_when_it_is_done(desk: Desk) -> None:
    delivery = desk.deliver("medical", bill(FATHER, "1", MAY, 12000))
    desk.warn(delivery)
    with desk.reading() as session:
        assert session.scalars(select(Job.subject_id).where(Job.kind == LINK)).all() == [delivery]


def test_a_pack_s_copy_and_the_department_s_own_row_are_one_report(desk: Desk) -> None:
    row = bill(FATHER, "1", MAY, 12000)
    desk.send("medical", row, scope="FPB-TEST-2020")
    desk.send("medical", row)
    (case,) = desk.cases()
    assert (case.amount_fen, len(desk.reports())) == (1200000, 1)


def test_two_workers_at_once_open_one_case(desk: Desk) -> None:
    deliveries = [desk.deliver("medical", bill(FATHER, str(number), MAY, 12000)) for number in range(2)]
    threads = [threading.Thread(target=desk.warn, args=[delivery]) for delivery in deliveries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (case,) = desk.cases()
    assert case.amount_fen == 2400000
    assert len(desk.reports(case.id)) == 2


def test_the_database_refuses_a_second_open_case_of_the_same_event(desk: Desk) -> None:
    desk.send("medical", bill(FATHER, "1", MAY, 12000))
    with desk.reading() as session:
        row = dict(session.execute(select(table_of(WarningCase))).mappings().one())
    with pytest.raises(DBAPIError), desk.database.transaction() as session:
        session.execute(insert(WarningCase).values({**row, "id": "another", "number": "YJ2"}))


def test_numbers_have_no_gaps(desk: Desk) -> None:
    desk.send("accidents", *(crash(FATHER, f"A{n}", MAY + timedelta(10 * n)) for n in range(3)))
    assert [case.number for case in desk.cases()] == [f"YJ2020{n:06d}" for n in (1, 2, 3)]


# --- what a department takes back -----------------------------------------------------------------------


def test_a_row_that_its_department_takes_back_is_noted_once_and_counts_no_more(desk: Desk) -> None:
    both = [bill(FATHER, "1", MAY, 12000), bill(FATHER, "2", MAY, 3000)]
    desk.send("medical", *both, mode=FULL)
    desk.clock = type(desk.clock)(AT + timedelta(days=1))
    later = desk.deliver("medical", both[0], mode=FULL)
    desk.warn(later)
    desk.warn(later)
    (case,) = desk.cases()
    assert case.amount_fen == 1200000
    assert len(desk.reports(case.id)) == 2
    with desk.reading() as session:
        noted = session.scalars(select(Event).where(Event.action == "warning.row_withdrawn")).all()
    assert [event.subject_id for event in noted] == [case.id]


def test_a_corrected_bill_takes_the_place_of_the_one_that_was_wrong(desk: Desk) -> None:
    desk.send("medical", bill(FATHER, "1", MAY, 12000), mode=FULL)
    desk.clock = type(desk.clock)(AT + timedelta(days=1))
    desk.send("medical", bill(FATHER, "1", MAY, 11000), mode=FULL)
    (case,) = desk.cases()
    assert case.amount_fen == 1100000
    assert len(desk.reports(case.id)) == 2


# --- any order -------------------------------------------------------------------------------------------


def _row_ids(session: Session) -> list[str]:
    return list(session.scalars(select(FeedRow.id).order_by(FeedRow.on_day)))


_DAYS = [date(2020, 2, 1) + timedelta(20 * n) for n in range(3)]
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("medical"), st.sampled_from((FATHER, SON)), st.integers(0, 4)),
        st.tuples(st.just("accidents"), st.sampled_from((FATHER, SON)), st.integers(0, 2)),
        st.tuples(st.just("unemployment"), st.sampled_from((FATHER, SON)), st.integers(0, 2)),
        st.tuples(st.just("told illness"), st.sampled_from((FATHER, SON)), st.integers(0, 2)),
        st.tuples(st.just("told accident"), st.sampled_from((FATHER, SON)), st.integers(0, 2)),
        st.tuples(st.just("told job_loss"), st.sampled_from((FATHER, SON)), st.integers(0, 2)),
        st.tuples(st.just("again"), st.just(""), st.integers(0, 5)),
    ),
    min_size=1,
    max_size=8,
)
"""What is told, of whom, and of which day; `again` runs the job of a delivery once more."""


def _tell(desk: Desk, steps: list[tuple[str, str, int]], jitter: int) -> tuple[set[str], int]:
    """Does the steps; the events that make cases by themselves, and how many people's reports there were."""
    deliveries: list[str] = []
    events: set[str] = set()
    told = 0
    for what, who, number in steps:
        if what == "again":
            if deliveries:
                desk.warn(deliveries[number % len(deliveries)])
            continue
        day = _DAYS[number % 3]
        if what.startswith("told"):
            told += 1
            kind = what.removeprefix("told ")
            desk.report(who, kind, day + timedelta(jitter))
            events.add({"illness": f"i{who}", "accident": f"a{who}{day}"}.get(kind, f"m{day:%m}"))
            continue
        rows = {
            "medical": bill(who, f"{who}-{number}", day, 12000),
            "accidents": crash(who, f"{who}-{number}", day),
            "unemployment": {"who": who, "lost_on": day},
        }
        events.add({"medical": f"i{who}", "accidents": f"a{who}{day}"}.get(what, f"m{day:%m}"))
        deliveries.append(desk.deliver(what, rows[what]))
        desk.warn(deliveries[-1])
    return events, told


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_steps, jitter=st.integers(0, 3))
def test_any_order_of_both_roads_gives_one_open_case_an_event_and_loses_nothing(
    steps: list[tuple[str, str, int]], jitter: int, migrated_sqlite_file: Path, tmp_path_factory: Any
) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / "f.db").write_bytes(migrated_sqlite_file.read_bytes())
    desk = open_desk(f"sqlite:///{folder}/f.db", folder)
    try:
        events, told = _tell(desk, steps, jitter)
        cases, reports = desk.cases(), desk.reports()
        assert len(cases) == len(events)
        assert len({(case.household_id, case.event_key) for case in cases}) == len(cases)
        by_people = [report for report in reports if report.channel != "department"]
        assert len(by_people) == told
        with desk.reading() as session:
            rows = set(_row_ids(session))
        assert {report.feed_row_id for report in reports} - {None} == rows
        assert len(reports) - told == len(rows)
    finally:
        desk.database.close()

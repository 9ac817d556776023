"""Runs of the comparison: what is stored, what each place sees of it, what changed, and what an auditor's list leaves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from foundation import jobs
from foundation.clock import FixedClock
from foundation.database import Database
from foundation.errors import ConfigurationError, ConflictError, InvalidInput, NotAllowedError, NotFound
from foundation.jobs import Job
from foundation.keyfile import open_sealer
from foundation.trail.events import Event
from households.checks import CHECKS
from households.comparing import State
from households.comparison_setting import setting_from
from households.models.comparison import ComparisonHit, ComparisonPerson, ComparisonRun
from households.queries.comparison import matrix_of, timeline_of
from households.queries.comparison_differences import differences, page_of_changed
from households.queries.comparison_runs import (
    Filters,
    counts_by_place,
    newest_over,
    page_of_hits,
    page_of_runs,
    run_by_id,
)
from households.queries.comparison_setting import measure_on
from households.services.comparison import (
    ask_nightly,
    ask_place,
    carry_out,
    check_list,
    run_household,
    run_list,
)
from migrations.schema import METADATA
from policies.queries import first_standards
from policies.services import take_in_policy
from tests.households.comparing import (
    AUDITOR,
    CERTIFIER,
    HERE,
    POLICY,
    SYSTEM,
    THERE,
    TODAY,
    County,
    in_roster,
    town_reviewer,
)
from tests.households.people import id_number
from tests.policies.approving import in_force
from tests.watching import watched

CAR = (id_number(1), "鲁C12345", 10_000_000, date(2019, 5, 1))


@pytest.fixture(autouse=True)
def every_change_has_its_event() -> Iterator[None]:
    with watched() as faults:
        yield
    assert faults == []


@pytest.fixture
def county(migrated_url: str, tmp_path: Path) -> Iterator[County]:
    """Two households: one here with two people, one there with one; a policy and some feeds."""
    database = Database(migrated_url)
    with database.transaction() as session:
        sealer = open_sealer(session, tmp_path / "test.key")
        take_in_policy(session, SYSTEM, County(database, sealer).at, POLICY)
    county = County(database, sealer)
    county.roster(in_roster(1), in_roster(2, relation="配偶"), in_roster(3, "H2", THERE))
    county.feed("vehicles", [CAR, (id_number(3), "鲁C5", 99_999_999, date(2020, 1, 1))])
    county.feed("deposits", [])
    yield county
    database.close()


def everyone(county: County, place: str = "370323") -> str:
    """A run over a place, asked for and carried out; its id."""
    with county.database.transaction() as session:
        subject = ask_place(session, CERTIFIER, county.later(), place)
    return worked(county, subject)


def worked(county: County, subject: str) -> str:
    with county.database.transaction() as session:
        job_id = session.scalars(select(Job.id).where(Job.subject_id == subject)).one()
        job = jobs.start(session, job_id, county.later())
    assert job is not None
    carry_out(county.database, county.sealer, FixedClock(county.later()), SYSTEM, job)
    with county.database.reading() as session:
        newest = select(ComparisonRun.id).order_by(ComparisonRun.run_at.desc()).limit(1)
        assert session.scalar(select(Job.state).where(Job.id == job.id)) == "done"
        return session.scalars(newest).one()


def found(county: County, run_id: str) -> set[tuple[int, str]]:
    """(sequence number of the person, check) of a run's hits."""
    with county.database.reading() as session:
        people = county.sequences(session)
        rows = session.scalars(select(ComparisonHit).where(ComparisonHit.run_id == run_id))
        return {(people[row.person_id], row.matter) for row in rows}


# --- runs ----------------------------------------------------------------------------------------------


def test_a_household_is_compared_at_once_and_its_matrix_has_three_states(county: County) -> None:
    home = county.household_id()
    with county.database.transaction() as session:
        run_id = run_household(session, county.sealer, CERTIFIER, county.later(), home)
    assert found(county, run_id) == {(1, "vehicle")}
    with county.database.reading() as session:
        matrix = matrix_of(session, county.sealer, home)
        row = session.get_one(ComparisonRun, run_id)
    assert matrix is not None and matrix.run_id == run_id
    assert (row.number, row.scope, row.place, row.people, row.hits, row.scheduled) == (
        "BD000001", "household", HERE, 2, 1, False,
    )  # fmt: skip
    states = {(line.name, cell.check.key): cell.state for line in matrix.lines for cell in line.cells}
    assert states["某1", "vehicle"] is State.HIT and states["某2", "vehicle"] is State.CLEAR
    assert states["某1", "deposit"] is State.CLEAR  # delivered with no rows: data
    assert {states[name, "company"] for name in ("某1", "某2")} == {State.NO_DATA}
    assert list(matrix.checks) == list(CHECKS.values())
    (hit,) = next(cell.hits for line in matrix.lines for cell in line.cells if cell.state is State.HIT)
    assert hit.source is not None and hit.source.as_of == TODAY
    assert {title[0]: value for title, value in hit.details} == {
        "价格(元)": "100,000.00", "登记日期": "2019-05-01",
    }  # fmt: skip
    assert hit.id_number is not None and "********" in hit.id_number
    missing = next(cell.missing for cell in matrix.lines[0].cells if cell.check.key == "payroll")
    assert missing == ("payroll", "kin")


def test_a_list_is_compared_as_far_as_the_register_knows_it(county: County) -> None:
    with county.database.transaction() as session:
        numbers = [id_number(3), id_number(1), id_number(3), id_number(40)]
        done = run_list(session, county.sealer, CERTIFIER, county.later(), numbers)
    assert done.unknown == 1
    assert found(county, done.run_id) == {(1, "vehicle"), (3, "vehicle")}
    with county.database.reading() as session:
        people = set(session.scalars(select(ComparisonPerson.person_id)))
        assert people == {county.person_id(1), county.person_id(3)}
        matrix = matrix_of(session, county.sealer, county.household_id())
        assert matrix is not None and [line.name for line in matrix.lines] == [
            "某1"
        ]  # 某2 was not in the list


@pytest.mark.parametrize(
    "numbers", [[], [id_number(40)], [id_number(1)] * 2 + [str(n) for n in range(20_000)]]
)
def test_an_empty_an_unknown_and_too_long_a_list_are_refused(county: County, numbers: list[str]) -> None:
    with county.database.transaction() as session, pytest.raises(InvalidInput):
        run_list(session, county.sealer, CERTIFIER, county.later(), numbers)


def test_a_place_is_compared_in_the_background_and_asked_for_once(county: County) -> None:
    with county.database.transaction() as session:
        subject = ask_place(session, CERTIFIER, county.later(), "370323")
    with county.database.transaction() as session, pytest.raises(ConflictError):
        ask_place(session, CERTIFIER, county.later(), "370323")
    run_id = worked(county, subject)
    assert found(county, run_id) == {(1, "vehicle"), (3, "vehicle")}
    assert found(county, everyone(county, THERE[:9])) == {(3, "vehicle")}
    with county.database.reading() as session:
        run = session.get_one(ComparisonRun, run_id)
        assert (run.asked_by, run.people, run.previous_id) == ("certifier", 3, None)
        events = set(session.scalars(select(Event.action).where(Event.action.startswith("comparison"))))
    assert events == {"comparison.asked", "comparison.run"}


def test_a_job_that_is_done_twice_makes_one_run(county: County) -> None:
    with county.database.transaction() as session:
        subject = ask_place(session, CERTIFIER, county.later(), "370323")
        job = session.scalars(select(Job).where(Job.subject_id == subject)).one()
        jobs.start(session, job.id, county.later())
    for _ in range(2):
        carry_out(county.database, county.sealer, FixedClock(county.at), SYSTEM, job)
    with county.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(ComparisonRun)) == 1


@pytest.mark.parametrize("place", ["370324", "370323999", "3703"])
def test_a_place_elsewhere_or_without_anybody_is_not_compared(county: County, place: str) -> None:
    with county.database.transaction() as session, pytest.raises(NotFound):
        ask_place(session, CERTIFIER, county.later(), place)


def test_only_the_centres_certifier_runs_and_nobody_beyond_their_place(county: County) -> None:
    home = county.household_id()
    reviewer, beyond = town_reviewer(HERE[:9]), replace(CERTIFIER, place=THERE[:9])
    with county.database.transaction() as session:
        with pytest.raises(NotAllowedError):
            run_household(session, county.sealer, reviewer, county.later(), home)
        with pytest.raises(NotAllowedError):
            run_list(session, county.sealer, AUDITOR, county.later(), [id_number(1)])
        with pytest.raises(NotAllowedError):
            ask_place(session, AUDITOR, county.later(), "370323")
        with pytest.raises(NotAllowedError):
            check_list(session, county.sealer, CERTIFIER, county.later(), [id_number(1)])
        with pytest.raises(NotFound):
            run_household(session, county.sealer, beyond, county.later(), home)
        with pytest.raises(InvalidInput):
            run_list(session, county.sealer, beyond, county.later(), [id_number(1)])


# --- the standards and the feeds -----------------------------------------------------------------------


def test_the_countys_standards_come_first_then_a_policy_in_force_then_the_last_before(county: County) -> None:
    def basis(day: date) -> tuple[str, str, bool] | None:
        with county.database.reading() as session:
            found = measure_on(session, day).setting.basis
        return None if found is None else (found.kind, found.name, found.stale)

    assert basis(date(2019, 12, 31)) is None
    assert basis(date(2020, 6, 1)) == ("policy", "FPB-1", False)
    assert basis(date(2021, 1, 1)) == ("policy", "FPB-1", True)
    standards = first_standards()
    with county.database.transaction() as session:
        in_force(session, replace(standards, reverse={"deposit": standards.reverse["deposit"]}))
    assert basis(date(2020, 6, 1)) == ("standard", "2020", False)
    assert basis(date(2021, 1, 1)) == ("standard", "2020", True)
    with county.database.transaction() as session:
        run_id = run_household(session, county.sealer, CERTIFIER, county.later(), county.household_id())
    with county.database.reading() as session:
        setting = setting_from(session.get_one(ComparisonRun, run_id).feeds)
    # A standard that is not in force is not looked at, which is not the same as clear.
    assert setting.checks[:3] == ("deposit", "official_relative", "death")


def test_a_packs_copy_answers_until_the_department_sends_its_own(county: County) -> None:
    county.feed(
        "companies", [(id_number(1), "某店", 10_000_000, date(2019, 1, 1), "存续")], POLICY.number, as_of=None
    )
    home = county.household_id()

    def run() -> str:
        with county.database.transaction() as session:
            return run_household(session, county.sealer, CERTIFIER, county.later(), home)

    first = run()
    assert (1, "company") in found(county, first)
    county.feed("companies", [])
    second = run()
    assert (1, "company") not in found(county, second)
    with county.database.reading() as session:
        before, now = (setting_from(session.get_one(ComparisonRun, one).feeds) for one in (first, second))
    assert before.feeds["companies"].as_of is None and before.feeds["companies"].day == TODAY
    assert now.feeds["companies"].as_of == TODAY


def test_a_feed_older_than_its_calendar_allows_is_clear_with_a_warning(county: County) -> None:
    county.feed("machinery", [], as_of=TODAY - timedelta(days=400))
    with county.database.reading() as session:
        setting = measure_on(session, TODAY).setting
    assert setting.feeds["machinery"].late and not setting.feeds["deposits"].late
    assert setting.state(CHECKS["machinery"], hit=False) is State.CLEAR


# --- what each place sees ------------------------------------------------------------------------------


def test_a_town_sees_a_countys_run_with_its_own_hits_and_another_towns_not_at_all(county: County) -> None:
    whole, here = everyone(county), everyone(county, HERE)
    with county.database.transaction() as session:
        listed = run_list(session, county.sealer, CERTIFIER, county.later(), [id_number(3)]).run_id
        home = run_household(session, county.sealer, CERTIFIER, county.later(), county.household_id("H2"))
    reviewer = town_reviewer(HERE[:9])
    with county.database.reading() as session:
        seen = {run.id: run for run in page_of_runs(session, reviewer, None).rows}
        assert set(seen) == {whole, here}
        assert (seen[whole].hits, seen[whole].people) == (1, None)
        assert (seen[here].hits, seen[here].people) == (1, 2)
        hits = page_of_hits(session, county.sealer, reviewer, seen[whole], Filters(), None)
        assert [hit.household_no for hit in hits.rows] == ["H1"]
        elsewhere = Filters(place=THERE)
        assert page_of_hits(session, county.sealer, reviewer, seen[whole], elsewhere, None).rows == []
        for run_id in (listed, home):
            with pytest.raises(NotFound):
                run_by_id(session, reviewer, run_id)
        assert {run.id for run in page_of_runs(session, CERTIFIER, None).rows} == {whole, here, listed, home}
        newest = newest_over(session, reviewer)
        assert newest is not None and newest.id == whole
        counts = counts_by_place(session, CERTIFIER, run_by_id(session, CERTIFIER, whole))
        assert {(one.code, one.examined) for one in counts} == {(HERE[:9], 1), (THERE[:9], 1)}
        own = counts_by_place(session, reviewer, seen[whole])
        assert [(one.code, one.name) for one in own] == [(HERE, "下程家坡村")]


def test_a_record_is_kept_apart_from_what_has_to_be_looked_into(county: County) -> None:
    county.feed("medical", [("D1", id_number(1), "某1", date(2020, 5, 1), 100, 0, 0, 0)])
    run_id = everyone(county)
    with county.database.reading() as session:
        run = run_by_id(session, CERTIFIER, run_id)
        assert (run.hits, run.examined) == (3, 2)
        (record,) = page_of_hits(session, county.sealer, CERTIFIER, run, Filters("record"), None).rows
    assert record.matter == "medical"
    assert record.details == ((("日期", "day"), "2020-05-01"),)  # what it cost is no business of the reader's


# --- differences ---------------------------------------------------------------------------------------


def test_differences_are_new_hits_gone_hits_and_data_that_came_or_went(county: County) -> None:
    first = everyone(county)
    county.feed("vehicles", [CAR, (id_number(2), "鲁C9", 10_000_000, date(2020, 1, 1))])
    county.feed("deaths", [], POLICY.number, as_of=None)
    second = everyone(county)
    county.feed("deaths", [], POLICY.number, mode="absent", as_of=None)
    third = everyone(county)
    with county.database.reading() as session:
        run = run_by_id(session, CERTIFIER, second)
        shown = differences(session, CERTIFIER, run, Filters())
        assert (shown.before.id, shown.new, shown.gone) == (first, 1, 1)
        assert [check.key for check in shown.came] == ["death"] and shown.went == ()
        new = page_of_changed(session, county.sealer, CERTIFIER, shown, "new", Filters(), None).rows
        gone = page_of_changed(session, county.sealer, CERTIFIER, shown, "gone", Filters(), None).rows
        assert [hit.name for hit in new] == ["某2"] and [hit.name for hit in gone] == ["某3"]
        assert gone[0].withdrawn and not new[0].withdrawn
        reviewer = town_reviewer(THERE[:9])
        theirs = differences(session, reviewer, run_by_id(session, reviewer, second), Filters())
        assert (theirs.new, theirs.gone) == (0, 1)
        last = differences(session, CERTIFIER, run_by_id(session, CERTIFIER, third), Filters())
        assert (last.new, last.gone, [check.key for check in last.went]) == (0, 0, ["death"])
        with pytest.raises(NotFound):
            differences(session, CERTIFIER, run_by_id(session, CERTIFIER, first), Filters())


def test_the_timeline_has_each_hit_once_however_often_it_was_found(county: County) -> None:
    everyone(county)
    everyone(county)
    with county.database.reading() as session:
        items = timeline_of(session, county.sealer, county.household_id())
    assert [(item.on, item.kind, item.text) for item in items] == [
        (TODAY, "comparison", CHECKS["vehicle"].title)
    ]


# --- each night ----------------------------------------------------------------------------------------


def test_the_county_is_compared_each_night_when_anything_has_come_in(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked() -> bool:
        with county.database.transaction() as session:
            return ask_nightly(session, county.at)

    assert asked()
    run_id = worked(county, "370323:nightly")
    with county.database.reading() as session:
        run = session.get_one(ComparisonRun, run_id)
    assert (run.scheduled, run.asked_by, run.place) == (True, "system", "370323")
    assert not asked()  # today is done
    county.at += timedelta(days=1)
    assert not asked()  # nothing has come in: it would only repeat itself
    county.feed("deaths", [])
    monkeypatch.setenv("FANGPIN_COMPARISON_DAYS", "7")
    assert not asked()
    monkeypatch.setenv("FANGPIN_COMPARISON_DAYS", "0")
    assert not asked()
    monkeypatch.delenv("FANGPIN_COMPARISON_DAYS")
    assert asked()
    worked(county, "370323:nightly")
    monkeypatch.setenv("FANGPIN_COMPARISON_DAYS", "often")
    with pytest.raises(ConfigurationError):
        asked()


# --- an auditor's list ---------------------------------------------------------------------------------


def test_an_auditors_list_is_compared_and_nothing_of_it_is_stored(county: County) -> None:
    def sizes() -> dict[str, int]:
        with county.database.reading() as session:
            return {
                name: session.scalar(text(f"SELECT COUNT(*) FROM {name}")) or 0 for name in METADATA.tables
            }

    before = sizes()
    numbers = [id_number(40), id_number(1), id_number(2), id_number(1)]
    with county.database.transaction() as session:
        checked = check_list(session, county.sealer, AUDITOR, county.later(), numbers)
    after = sizes()
    assert {name for name in after if after[name] != before[name]} == {"event"}
    assert after["event"] == before["event"] + 1
    assert [(one.place, one.id_number, sorted(one.hits)) for one in checked.people] == [
        (1, id_number(40), []), (2, id_number(1), ["vehicle"]), (3, id_number(2), []),
    ]  # fmt: skip
    with county.database.reading() as session:
        event = session.scalars(select(Event).order_by(Event.id.desc()).limit(1)).one()
    assert event.action == "comparison.list_checked" and "people=3" in event.body
    assert checked.digest in event.body and not any(number in event.body for number in numbers)


def test_officials_relatives_count_in_their_village_and_for_strangers_anywhere(county: County) -> None:
    county.feed(
        "officials", [(id_number(9), THERE, one) for one in (id_number(1), id_number(3), id_number(40))]
    )
    assert {
        person for person, matter in found(county, everyone(county)) if matter == "official_relative"
    } == {3}
    with county.database.transaction() as session:
        numbers = [id_number(1), id_number(3), id_number(40)]
        checked = check_list(session, county.sealer, AUDITOR, county.later(), numbers)
    assert ["official_relative" in one.hits for one in checked.people] == [False, True, True]

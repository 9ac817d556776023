"""Recognition from the proposal to the exit, on both engines: who may do what when, and what the register then says."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from foundation.actors import Actor, Role
from foundation.database import table_of
from foundation.errors import ConflictError, InvalidInput, NotAllowedError, NotFound
from foundation.jobs import Job
from foundation.trail.events import Event
from households.feed_erasing import blobs_in_use
from households.layouts import layouts
from households.models.people import Income
from households.models.recognition import Measure, Recognition
from households.queries.households import incomes_of
from households.queries.ledgers import EXIT, IDENTIFICATION, SUPPORT, all_entries, page_of_entries, totals
from households.queries.ledgers import Filters as LedgerFilters
from households.queries.recognition import (
    Filters,
    against,
    counted,
    page_of_spells,
    spell_by_id,
    timeline_of,
    yardstick,
)
from households.services.arrivals import RECHECK_HOUSEHOLD
from households.services.comparison import run_household
from households.services.deliveries import FULL, Delivery, take_in_delivery
from households.services.measures import record_measure
from tests.households.recognition_desk import (
    BETTER,
    CERTIFIER,
    ELSEWHERE,
    LEAD,
    MINUTE,
    PAPERS,
    POOR,
    STEPS,
    SYSTEM,
    TOWN,
    VILLAGE,
    Desk,
    noon,
    opened,
)
from tests.staffing import id_number_of, put_person

AUDITOR = Actor("a-1", "account-a", Role.AUDITOR, "370323", "审计")


@pytest.fixture
def desk(migrated_url: str, tmp_path: Path) -> Iterator[Desk]:
    with opened(migrated_url, tmp_path / "test.key") as found:
        yield found


def row_of(desk: Desk, spell: str) -> Recognition:
    with desk.database.reading() as session:
        return session.get_one(Recognition, spell)


def faults_of(refused: pytest.ExceptionInfo[InvalidInput]) -> set[str]:
    return set(refused.value.fields)


# --- proposing -----------------------------------------------------------------------------------------


def test_a_poor_household_is_proposed_by_its_village_and_recognised_by_the_centre(desk: Desk) -> None:
    spell = desk.propose()
    row = row_of(desk, spell)
    assert (row.state, row.basis, row.number, row.standard_year) == (
        "proposed",
        "quantitative",
        "FPSB-2020-000001",
        2020,
    )
    desk.decide(spell)
    row = row_of(desk, spell)
    assert (row.state, row.started_on, row.review_due) == ("active", date(2020, 3, 15), date(2020, 9, 15))
    assert row.decided_by == CERTIFIER.person
    with desk.database.reading() as session:
        shown = spell_by_id(session, desk.sealer, VILLAGE, spell, date(2020, 3, 16))
    assert shown.survey is not None
    assert (shown.survey["per_head_fen"], shown.survey["line_fen"]) == (350_000, 631_200)
    assert len(shown.survey["people"]) == 2


def test_the_survey_puts_the_income_of_the_year_into_the_register(desk: Desk) -> None:
    desk.propose()
    with desk.database.reading() as session:
        (line,) = incomes_of(session, desk.sealer, desk.homes["H1"])
        jobs = session.scalars(select(Job.subject_id).where(Job.kind == RECHECK_HOUSEHOLD)).all()
    assert line.figures is not None
    assert (line.figures.per_head_fen, line.figures.members, line.main_source) == (350_000, 2, "wages")
    assert line.valid_from == date(2020, 1, 1)
    assert line.source == "register"
    assert any(subject.startswith(desk.homes["H1"]) for subject in jobs)


def test_above_the_line_a_reason_of_the_year_is_needed(desk: Desk) -> None:
    with pytest.raises(InvalidInput) as refused:
        desk.propose(income=BETTER)
    assert faults_of(refused) == {"reasons"}
    with pytest.raises(InvalidInput) as refused:
        desk.propose(income=BETTER, reasons=("no_such_reason",))
    assert faults_of(refused) == {"reasons"}
    with desk.database.reading() as session:
        standards = yardstick(session, STEPS.surveyed_on).standards
    assert standards is not None
    keys = tuple(reason.key for reason in standards.reasons[:2])
    spell = desk.propose(income=BETTER, reasons=keys)
    row = row_of(desk, spell)
    assert row.basis == "qualitative"
    assert row.reasons == ";".join(sorted(keys))


def test_without_standards_of_the_year_no_reason_counts(migrated_url: str, tmp_path: Path) -> None:
    with opened(migrated_url, tmp_path / "test.key", standards=False) as desk:
        with desk.database.reading() as session:
            assert yardstick(session, STEPS.surveyed_on).line_fen is None
        with pytest.raises(InvalidInput) as refused:
            desk.propose()
        assert faults_of(refused) == {"reasons"}


@pytest.mark.parametrize("step", ["survey", "appraisal", "notice"])
def test_each_of_the_three_steps_needs_its_paper(desk: Desk, step: str) -> None:
    papers = tuple(paper for paper in PAPERS if not paper.name.startswith(step))
    with pytest.raises(InvalidInput) as refused:
        desk.propose(papers=papers)
    assert faults_of(refused) == {f"{step}_papers"}


def test_steps_out_of_order_are_named_together(desk: Desk) -> None:
    steps = replace(STEPS, appraised_on=date(2020, 3, 1), notice_to=date(2020, 3, 5))
    with pytest.raises(InvalidInput) as refused:
        desk.propose(steps=steps, papers=())
    assert faults_of(refused) == {
        "appraised_on",
        "notice_to",
        "survey_papers",
        "appraisal_papers",
        "notice_papers",
    }


def test_a_household_has_one_open_spell_which_the_database_sees_to(desk: Desk) -> None:
    spell = desk.propose()
    with pytest.raises(ConflictError):
        desk.propose(TOWN)
    copy = row_of(desk, spell)
    columns = {column.name: getattr(copy, column.name) for column in table_of(Recognition).columns}
    with pytest.raises(DBAPIError), desk.database.transaction() as session:
        session.execute(table_of(Recognition).insert().values({**columns, "id": "0" * 32, "number": "X"}))


def test_nobody_proposes_from_another_village_or_in_another_role(desk: Desk) -> None:
    with pytest.raises(NotFound):
        desk.propose(ELSEWHERE)
    for actor in (CERTIFIER, AUDITOR):
        with pytest.raises(NotAllowedError):
            desk.propose(actor)


# --- deciding ------------------------------------------------------------------------------------------


def test_who_proposed_does_not_decide_whatever_their_role(desk: Desk) -> None:
    both = replace(TOWN, person="x-1")
    spell = desk.propose(both)
    with pytest.raises(NotAllowedError):
        desk.decide(spell, replace(LEAD, person="x-1"))
    with pytest.raises(NotAllowedError):
        desk.decide(spell, VILLAGE)
    with pytest.raises(DBAPIError), desk.database.transaction() as session:
        own = {"state": "refused", "decided_by": "x-1", "decided_at": noon(date(2020, 3, 15))}
        session.execute(update(Recognition).where(Recognition.id == spell).values(own))


def test_while_the_notice_hangs_nothing_is_decided_but_a_refusal(desk: Desk) -> None:
    steps = replace(STEPS, notice_to=date(2020, 3, 20))
    spell = desk.propose(steps=steps)
    with pytest.raises(ConflictError):
        desk.decide(spell, on=date(2020, 3, 20))
    with pytest.raises(InvalidInput) as refused:
        desk.decide(spell, on=date(2020, 3, 20), approve=False)
    assert faults_of(refused) == {"note"}
    desk.decide(spell, on=date(2020, 3, 20), approve=False, note="公示有异议")
    row = row_of(desk, spell)
    assert (row.state, row.started_on) == ("refused", None)
    with desk.database.reading() as session:
        shown = spell_by_id(session, desk.sealer, LEAD, spell, date(2020, 3, 21))
    assert shown.decision == {"note": "公示有异议", "hits": []}
    desk.propose(steps=steps, on=date(2020, 3, 22))


def test_a_spell_is_decided_once(desk: Desk) -> None:
    spell = desk.recognised()
    with pytest.raises(ConflictError):
        desk.decide(spell, LEAD)
    with pytest.raises(ConflictError):
        desk.decide(spell, LEAD, approve=False, note="重复")


def compared(desk: Desk, yuan: int) -> None:
    """A bank tells of a deposit of the son's, and the household is compared."""
    layout = layouts()["deposits"]
    known = {"id_number": id_number_of("张小河"), "amount_fen": yuan * 100, "as_of": date(2020, 2, 1)}
    row = [known[column.field] for column in layout.columns]
    with desk.database.transaction() as session:
        file = Delivery(layout, "", FULL, date(2020, 2, 1), f"digest-{yuan}")
        take_in_delivery(session, desk.sealer, SYSTEM, noon(date(2020, 3, 12)), file, [row])
        run_household(session, desk.sealer, CERTIFIER, noon(date(2020, 3, 12)), desk.homes["H1"])


def test_what_the_comparison_hits_is_recognised_for_a_stated_reason_alone(desk: Desk) -> None:
    spell = desk.propose()
    compared(desk, 90_000)
    with desk.database.reading() as session:
        found = against(session, desk.sealer, desk.homes["H1"])
    assert found is not None
    assert found.hits == ("deposit",)
    assert {"housing", "vehicle"} <= set(found.no_data)
    with pytest.raises(InvalidInput) as refused:
        desk.decide(spell)
    assert faults_of(refused) == {"note"}
    desk.decide(spell, note="存款为征地补偿,已用于治病")
    with desk.database.reading() as session:
        shown = spell_by_id(session, desk.sealer, LEAD, spell, date(2020, 3, 16))
        body = session.scalars(select(Event.body).where(Event.action == "recognition.approved")).one()
    assert shown.decision == {"note": "存款为征地补偿,已用于治病", "hits": ["deposit"]}
    assert "hits=deposit" in body
    assert "征地" not in body


def test_what_is_below_the_reverse_standard_needs_no_reason(desk: Desk) -> None:
    spell = desk.propose()
    compared(desk, 900)
    with desk.database.reading() as session:
        found = against(session, desk.sealer, desk.homes["H1"])
    assert found is not None
    assert found.hits == ()
    desk.decide(spell)
    assert row_of(desk, spell).state == "active"


# --- reviews -------------------------------------------------------------------------------------------


def test_a_review_sets_the_next_one_and_keeps_the_income(desk: Desk) -> None:
    spell = desk.recognised()
    desk.review(spell, date(2020, 9, 10), note="仍在治疗")
    row = row_of(desk, spell)
    assert row.review_due == date(2021, 3, 10)
    with desk.database.reading() as session:
        shown = spell_by_id(session, desk.sealer, VILLAGE, spell, date(2020, 9, 11))
        events = session.scalars(select(Event.action).where(Event.subject_id == spell)).all()
    (found,) = shown.reviews
    assert found.found == {
        "per_head_fen": 350_000,
        "line_fen": 631_200,
        "note": "仍在治疗",
        "extended": False,
    }
    assert events == ["recognition.proposed", "recognition.approved", "recognition.reviewed"]


def test_what_has_changed_changes_cause_and_track(desk: Desk) -> None:
    spell = desk.recognised()
    desk.review(spell, date(2020, 9, 1), finding="changed", cause="disability", track="out_of_poverty")
    row = row_of(desk, spell)
    assert (row.cause, row.track) == ("disability", "out_of_poverty")


def test_a_review_lies_between_the_last_one_and_today(desk: Desk) -> None:
    spell = desk.recognised()
    with pytest.raises(InvalidInput) as refused:
        desk.review(spell, date(2020, 3, 14))
    assert faults_of(refused) == {"reviewed_on"}
    desk.review(spell, date(2020, 9, 10))
    with pytest.raises(InvalidInput):
        desk.review(spell, date(2020, 9, 9))


def test_support_ends_with_its_year_unless_the_lead_extends_it_with_a_reason(desk: Desk) -> None:
    spell = desk.recognised()
    desk.review(spell, date(2020, 11, 20))
    assert row_of(desk, spell).review_due == date(2021, 3, 15)
    with pytest.raises(InvalidInput) as refused:
        desk.review(spell, date(2021, 3, 15))
    assert faults_of(refused) == {"extend"}
    with pytest.raises(NotAllowedError):
        desk.review(spell, date(2021, 3, 15), extend=True, note="仍困难")
    with pytest.raises(InvalidInput) as refused:
        desk.review(spell, date(2021, 3, 15), LEAD, extend=True)
    assert faults_of(refused) == {"note"}
    desk.review(spell, date(2021, 3, 15), LEAD, extend=True, note="仍困难")
    assert row_of(desk, spell).review_due == date(2021, 9, 15)
    with desk.database.reading() as session:
        actions = session.scalars(select(Event.action).where(Event.subject_id == spell)).all()
    assert actions[-1] == "recognition.extended"


def test_an_extension_before_it_is_needed_is_refused(desk: Desk) -> None:
    spell = desk.recognised()
    with pytest.raises(InvalidInput) as refused:
        desk.review(spell, date(2020, 9, 1), LEAD, extend=True, note="提前")
    assert faults_of(refused) == {"extend"}


def test_overdue_reviews_are_counted_and_listed(desk: Desk) -> None:
    desk.recognised()
    late, soon = date(2020, 9, 16), date(2020, 9, 1)
    with desk.database.reading() as session:
        assert counted(session, LEAD, late)["overdue"] == 1
        assert counted(session, LEAD, soon) | {"due": 1} == counted(session, LEAD, soon)
        assert counted(session, ELSEWHERE, late)["active"] == 0
        page = page_of_spells(session, desk.sealer, LEAD, Filters("overdue"), late, None)
        assert page_of_spells(session, desk.sealer, LEAD, Filters("overdue"), soon, None).rows == []
    (listed,) = page.rows
    assert (listed.head, listed.standing) == ("张大山", "overdue")
    assert listed.id_number is not None
    assert "********" in listed.id_number


# --- exit ----------------------------------------------------------------------------------------------


def may_exit(desk: Desk, actor: Actor = VILLAGE) -> str:
    spell = desk.recognised()
    desk.review(spell, date(2020, 9, 1), actor, finding="may_exit", income=BETTER)
    return spell


def test_income_above_the_line_is_what_a_review_needs_to_let_go(desk: Desk) -> None:
    spell = desk.recognised()
    with pytest.raises(InvalidInput) as refused:
        desk.review(spell, date(2020, 9, 1), finding="may_exit")
    assert faults_of(refused) == {"finding"}


def test_an_exit_needs_income_cause_meeting_minute_and_another_person(desk: Desk) -> None:
    spell = desk.recognised()
    with pytest.raises(ConflictError):
        desk.end(spell, date(2020, 9, 2))
    desk.review(spell, date(2020, 9, 1), LEAD, finding="may_exit", income=BETTER)
    with pytest.raises(NotAllowedError):
        desk.end(spell, date(2020, 9, 2), LEAD)
    for changes, field in (
        ({"cause_gone": False}, "cause_gone"),
        ({"meeting": None}, "meeting"),
        ({"papers": ()}, "exit_papers"),
        ({"exited_on": date(2020, 8, 31)}, "exited_on"),
    ):
        with pytest.raises(InvalidInput) as refused:
            desk.end(spell, date(2020, 9, 2), CERTIFIER, **changes)
        assert faults_of(refused) == {field}
    desk.end(spell, date(2020, 9, 2), CERTIFIER)
    row = row_of(desk, spell)
    assert (row.state, row.exited_on, row.exit_meeting, row.follow_up_until) == (
        "exited",
        date(2020, 9, 2),
        "2020-7",
        date(2020, 12, 2),
    )
    with desk.database.reading() as session:
        assert MINUTE[0].blob in blobs_in_use(session)


def test_who_comes_back_within_three_months_follows_the_old_spell(desk: Desk) -> None:
    old = may_exit(desk)
    desk.end(old, date(2020, 9, 2))
    steps = replace(
        STEPS,
        surveyed_on=date(2020, 11, 20),
        appraised_on=date(2020, 11, 21),
        notice_from=date(2020, 11, 22),
        notice_to=date(2020, 11, 28),
    )
    again = desk.propose(on=date(2020, 12, 2), steps=steps)
    row = row_of(desk, again)
    assert (row.follows, row.number) == (old, "FPSB-2020-000002")


def test_who_comes_back_later_begins_anew(desk: Desk) -> None:
    old = may_exit(desk)
    desk.end(old, date(2020, 9, 2))
    steps = replace(
        STEPS,
        surveyed_on=date(2020, 11, 20),
        appraised_on=date(2020, 11, 21),
        notice_from=date(2020, 11, 22),
        notice_to=date(2020, 11, 28),
    )
    assert row_of(desk, desk.propose(on=date(2020, 12, 3), steps=steps)).follows is None


def test_what_was_surveyed_reviewed_and_decided_stays_as_it_was(desk: Desk) -> None:
    spell = may_exit(desk)
    for values in (
        {"state": "proposed"},
        {"started_on": date(2020, 3, 16)},
        {"reasons": "illness"},
        {"evidence": "[]"},
        {"surveyed_on": date(2020, 3, 1)},
    ):
        with pytest.raises(DBAPIError), desk.database.transaction() as session:
            session.execute(update(Recognition).where(Recognition.id == spell).values(values))


def test_a_decision_with_a_reason_is_written_once(desk: Desk) -> None:
    spell = desk.propose()
    desk.decide(spell, approve=False, note="公示有异议")
    with pytest.raises(DBAPIError), desk.database.transaction() as session:
        session.execute(update(Recognition).where(Recognition.id == spell).values(decision="x" * 80))


# --- measures, ledgers, the timeline -------------------------------------------------------------------


def measure(desk: Desk, home: str = "H1", kind: str = "subsistence", actor: Actor = LEAD) -> str:
    on = date(2020, 4, 1)
    with desk.database.transaction() as session:
        return record_measure(session, desk.sealer, actor, noon(on), desk.homes[home], kind, on, "县民政局")


def test_a_measure_belongs_to_the_spell_that_is_open(desk: Desk) -> None:
    spell = desk.recognised()
    own, other = measure(desk), measure(desk, "H2", "care")
    with desk.database.reading() as session:
        assert session.get_one(Measure, own).recognition_id == spell
        assert session.get_one(Measure, other).recognition_id is None


def test_a_measure_is_of_the_catalogue_of_days_past_and_of_ones_own_place(desk: Desk) -> None:
    with pytest.raises(InvalidInput):
        measure(desk, kind="gift")
    with pytest.raises(NotFound):
        measure(desk, actor=ELSEWHERE)
    with pytest.raises(InvalidInput) as refused, desk.database.transaction() as session:
        later = date(2020, 4, 2)
        record_measure(
            session, desk.sealer, LEAD, noon(date(2020, 4, 1)), desk.homes["H1"], "care", later, "村委"
        )
    assert faults_of(refused) == {"begun_on"}


def test_the_three_ledgers_hold_what_happened_and_the_county_is_the_sum_of_its_towns(desk: Desk) -> None:
    spell = may_exit(desk)
    measure(desk)
    measure(desk, "H2", "care")
    desk.end(spell, date(2020, 9, 2))
    refused = desk.propose(TOWN, home="H2", income=replace(POOR, wages_fen=0))
    desk.decide(refused, approve=False, note="家庭有存款")
    expected = {IDENTIFICATION: 2, SUPPORT: 2, EXIT: 1}
    with desk.database.reading() as session:
        for ledger, count in expected.items():
            found = totals(session, LEAD, ledger, LedgerFilters())
            assert (found.entries, found.agrees) == (count, True), ledger
            today = date(2020, 9, 3)
            entries = all_entries(session, desk.sealer, LEAD, ledger, LedgerFilters(), today)
            page = page_of_entries(session, desk.sealer, LEAD, ledger, LedgerFilters(), today, None)
            assert [entry.household_no for entry in entries] == [
                entry.household_no for entry in reversed(page.rows)
            ]
            narrowed = LedgerFilters(day_from=date(2020, 5, 1))
            later = totals(session, LEAD, ledger, narrowed)
            assert later.entries == (1 if ledger == EXIT else 0)
            assert totals(session, VILLAGE, ledger, LedgerFilters()).households <= 1


def test_the_timeline_tells_the_whole_spell_in_days(desk: Desk) -> None:
    spell = may_exit(desk)
    measure(desk)
    desk.end(spell, date(2020, 9, 2))
    app = Flask("test")
    app.add_url_rule("/recognitions/<recognition_id>", "recognitions.shown", lambda recognition_id: "")
    with app.test_request_context(), desk.database.reading() as session:
        items = timeline_of(session, desk.sealer, desk.homes["H1"])
        assert timeline_of(session, desk.sealer, desk.homes["H2"]) == []
    assert [(item.on.isoformat(), item.kind) for item in sorted(items, key=lambda item: item.on)] == [
        ("2020-03-02", "recognition"),
        ("2020-03-15", "recognition"),
        ("2020-04-01", "measure"),
        ("2020-09-01", "recognition"),
        ("2020-09-02", "exit"),
        ("2020-12-02", "exit"),
    ]
    assert {item.url for item in items} == {f"/recognitions/{spell}"}


def test_nobody_acts_on_their_own_family(desk: Desk) -> None:
    with desk.database.transaction() as session:
        lookup = desk.sealer.lookup("id_number", id_number_of("张小河"))
        put_person(session, VILLAGE.person, "张小河", lookup)
    with pytest.raises(NotAllowedError):
        desk.propose()
    with desk.database.reading() as session:
        assert session.scalars(select(Income.id).where(Income.source == "register")).all() == []


def test_of_two_who_decide_at_once_one_wins_and_one_is_told(desk: Desk) -> None:
    spell = desk.propose()
    told: list[str] = []

    def act(actor: Actor, approve: bool) -> None:
        try:
            desk.decide(spell, actor, approve=approve, note="同时办理")
            told.append("done")
        except ConflictError:
            told.append("told")

    both = [threading.Thread(target=act, args=one) for one in ((CERTIFIER, True), (LEAD, False))]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert sorted(told) == ["done", "told"]
    with desk.database.reading() as session:
        events = session.scalars(select(Event.action).where(Event.subject_id == spell)).all()
    assert len(events) == 2


def test_of_two_who_propose_at_once_one_wins_and_numbers_have_no_gap(desk: Desk) -> None:
    told: list[str] = []

    def act(actor: Actor) -> None:
        try:
            told.append(desk.propose(actor))
        except ConflictError:
            told.append("told")

    both = [threading.Thread(target=act, args=(actor,)) for actor in (VILLAGE, TOWN)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert told.count("told") == 1
    other = desk.propose(TOWN, home="H2", income=replace(POOR, wages_fen=0))
    assert row_of(desk, other).number == "FPSB-2020-000002"

"""What people do with early warning: reporting, also on strangers, moving a case, and opening one that is owed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from foundation.errors import ConflictError, InvalidInput, NotAllowedError, NotFound
from foundation.files import StoredFile
from foundation.trail.events import Event
from households.models.feeds import FeedRow
from households.models.proposals import RegistryTask
from households.services.warning_rows import open_for_row
from households.services.warnings import (
    Photo,
    Stranger,
    Told,
    dismiss,
    mark_claimed,
    reopen,
    report_stranger,
    transfer,
)
from tests.households.warning_desk import (
    AT,
    CENTRE,
    ELSEWHERE,
    VILLAGE,
    WINDOW,
    Desk,
    bill,
    open_desk,
)
from tests.staffing import id_number_of

FATHER, SON, OTHER = "张大山", "张小河", "李明月"
MAY = date(2020, 5, 10)
TOKEN = "ab" * 16


@pytest.fixture
def desk(migrated_url: str, tmp_path: Path) -> Iterator[Desk]:
    found = open_desk(migrated_url, tmp_path)
    yield found
    found.database.close()


# --- people's reports ------------------------------------------------------------------------------------


def test_a_form_sent_twice_is_one_report(desk: Desk) -> None:
    first = desk.report(FATHER, "illness", MAY, report_id=TOKEN)
    assert desk.report(FATHER, "illness", MAY, report_id=TOKEN) == first
    assert len(desk.reports()) == 1


def test_two_reports_of_one_event_by_two_people_are_both_kept(desk: Desk) -> None:
    first = desk.report(FATHER, "illness", MAY)
    assert desk.report(FATHER, "illness", MAY, WINDOW, "town_window") == first
    assert {report.reported_by for report in desk.reports(first)} == {VILLAGE.person, WINDOW.person}


def test_a_report_is_sealed_with_its_note_and_its_picture(desk: Desk) -> None:
    case = desk.report(FATHER, "illness", MAY, note="住院两周", photo=Photo("image/png", b"picture"))
    (report,) = desk.reports(case)
    assert "住院" not in report.sealed
    content = orjson.loads(desk.sealer.reveal("warning_report", "sealed", report.id, report.sealed))
    assert content["note"] == "住院两周"
    with desk.reading() as session:
        assert session.get_one(StoredFile, report.id).media_type == "image/png"


@pytest.mark.parametrize("days", [1, -800])
def test_a_day_ahead_or_long_past_is_refused(desk: Desk, days: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        desk.report(FATHER, "illness", date(2020, 12, 31) + timedelta(days))
    assert list(refused.value.fields) == ["on"]


def test_nobody_reports_on_another_village_or_by_a_channel_of_others(desk: Desk) -> None:
    with pytest.raises(NotFound):
        desk.report(OTHER, "illness", MAY)
    with pytest.raises(NotFound):
        desk.report(FATHER, "illness", MAY, report_id=TOKEN, actor=ELSEWHERE)
    with pytest.raises(NotAllowedError):
        desk.report(FATHER, "illness", MAY, channel="county_window")


def _stranger(desk: Desk, name: str, id_number: str | None, **more: Any) -> str | None:
    told = Told(TOKEN, "illness", MAY, "village", 100, "路上晕倒", **more)
    with desk.database.transaction() as session:
        person = Stranger(name, id_number, VILLAGE.place)
        return report_stranger(session, desk.sealer, VILLAGE, AT, person, told)


def test_a_report_on_somebody_whom_nobody_knows_is_a_task_with_all_that_was_written(desk: Desk) -> None:
    for _again in range(2):
        assert _stranger(desk, "赵无名", None, photo=Photo("image/png", b"picture")) is None
    with desk.reading() as session:
        (task,) = session.scalars(select(RegistryTask))
        details = orjson.loads(desk.sealer.reveal("registry_task", "sealed", task.id, task.sealed))
        assert len(session.scalars(select(StoredFile.id)).all()) == 1
    assert task.kind == "unknown_person"
    assert (details["name"], details["note"], details["what"], details["on"], details["amount_fen"]) == (
        "赵无名",
        "路上晕倒",
        "illness",
        "2020-05-10",
        100,
    )


def test_whose_id_number_the_register_has_is_no_stranger(desk: Desk) -> None:
    assert _stranger(desk, "老张", id_number_of(FATHER)) == desk.cases()[0].id
    assert desk.count(RegistryTask) == 0


def test_a_stranger_who_belongs_to_another_village_stays_a_task(desk: Desk) -> None:
    assert _stranger(desk, OTHER, id_number_of(OTHER)) is None
    assert (desk.count(RegistryTask), desk.cases()) == (1, [])


# --- moving a case ---------------------------------------------------------------------------------------


def _do(desk: Desk, step: Any, *args: Any) -> None:
    with desk.database.transaction() as session:
        step(session, CENTRE, AT, *args)


def test_a_case_is_dismissed_with_a_reason_and_reopened(desk: Desk) -> None:
    case = desk.report(FATHER, "illness", MAY)
    with pytest.raises(InvalidInput):
        _do(desk, dismiss, case, "because")
    with pytest.raises(InvalidInput):
        _do(desk, dismiss, case, "conference")
    _do(desk, dismiss, case, "no_hardship")
    (found,) = desk.cases()
    assert (found.state, found.outcome, found.closed_by) == ("dismissed", "no_hardship", CENTRE.person)
    _do(desk, reopen, case)
    (found,) = desk.cases()
    assert (found.state, found.outcome, found.closed_at) == ("open", None, None)


def test_a_dismissed_case_stays_closed_while_its_event_has_another_open_one(desk: Desk) -> None:
    case = desk.report(FATHER, "illness", MAY)
    _do(desk, dismiss, case, "no_hardship")
    assert desk.report(FATHER, "illness", MAY) != case
    with pytest.raises(ConflictError):
        _do(desk, reopen, case)
    assert len(desk.cases(state="open")) == 1


def test_what_was_told_in_a_closed_case_opens_no_new_one(desk: Desk) -> None:
    delivery = desk.deliver("medical", bill(FATHER, "1", MAY, 12000))
    desk.warn(delivery)
    _do(desk, dismiss, desk.cases()[0].id, "no_hardship")
    desk.warn(delivery)
    assert len(desk.cases()) == 1
    desk.send("medical", bill(FATHER, "2", MAY, 100))
    assert [(case.state, case.amount_fen) for case in desk.cases()] == [
        ("dismissed", 1200000),
        ("open", 10000),
    ]


def test_a_case_that_was_claimed_or_transferred_is_closed_for_good(desk: Desk) -> None:
    first, second = desk.report(FATHER, "illness", MAY), desk.report(FATHER, "housing", MAY)
    _do(desk, mark_claimed, first, "BA1")
    _do(desk, transfer, second, "housing_office")
    assert [(case.state, case.claim_no) for case in desk.cases()] == [
        ("claimed", "BA1"),
        ("transferred", None),
    ]
    for case in (first, second):
        for step, *args in ((reopen,), (dismiss, "helped"), (transfer, "conference"), (mark_claimed, "BA2")):
            with pytest.raises(ConflictError):
                _do(desk, step, case, *args)
    with pytest.raises(DBAPIError), desk.database.transaction() as session:
        session.execute(text("UPDATE warning_case SET state = 'open', closed_at = NULL"))


def test_only_who_may_moves_a_case_of_their_own_place(desk: Desk) -> None:
    case = desk.report(FATHER, "illness", MAY)
    elsewhere = type(WINDOW)("t-2", "a", WINDOW.role, "370323106", "他镇")
    for actor, refusal in ((VILLAGE, NotAllowedError), (elsewhere, NotFound)):
        with pytest.raises(refusal), desk.database.transaction() as session:
            dismiss(session, actor, AT, case, "helped")


def test_every_step_of_a_case_has_its_event(desk: Desk) -> None:
    case = desk.report(FATHER, "illness", MAY)
    _do(desk, dismiss, case, "helped")
    _do(desk, reopen, case)
    _do(desk, transfer, case, "conference")
    with desk.reading() as session:
        events = session.scalars(select(Event).where(Event.subject_id == case).order_by(Event.id)).all()
    assert [event.action.removeprefix("warning.") for event in events] == [
        "opened",
        "reported",
        "dismissed",
        "reopened",
        "transferred",
    ]


# --- found owed ------------------------------------------------------------------------------------------


def _open_for(desk: Desk, who: str, row_id: str) -> str:
    with desk.database.transaction() as session:
        return open_for_row(session, desk.sealer, CENTRE, AT, desk.people[who], row_id)


def _row_ids(session: Session) -> list[str]:
    return list(session.scalars(select(FeedRow.id).order_by(FeedRow.on_day)))


def test_a_row_that_is_owed_becomes_a_case_also_below_the_line_and_once(desk: Desk) -> None:
    desk.send("medical", bill(FATHER, "1", MAY, 100))
    with desk.reading() as session:
        (row_id,) = _row_ids(session)
    case = _open_for(desk, FATHER, row_id)
    assert _open_for(desk, FATHER, row_id) == case
    assert [(report.channel, report.reported_by) for report in desk.reports(case)] == [
        ("owed", CENTRE.person)
    ]
    with pytest.raises(NotFound):
        _open_for(desk, OTHER, "nothing")


def test_a_row_that_no_rule_warns_of_becomes_a_case_when_it_is_found_owed(desk: Desk) -> None:
    desk.send(
        "education",
        {"who": FATHER, "academic_year": "2020-2021", "school": "某校", "level": "本科", "status": "在籍"},
    )
    assert desk.cases() == []  # nobody of this household is registered as poor
    with desk.reading() as session:
        (row_id,) = _row_ids(session)
    _open_for(desk, FATHER, row_id)
    (case,) = desk.cases()
    assert (case.line, case.event_on) == ("education", date(2020, 9, 1))


def test_a_row_of_somebody_else_makes_no_case(desk: Desk) -> None:
    desk.send("medical", bill(FATHER, "1", MAY, 100))
    with desk.reading() as session:
        (row_id,) = _row_ids(session)
    with pytest.raises(NotFound):
        _open_for(desk, OTHER, row_id)

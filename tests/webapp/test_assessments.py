"""Impact assessments: each version stays, the next is due in a year, one writes and others read."""

from __future__ import annotations

import html
import json
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from werkzeug.test import TestResponse

from foundation.privacy.assessments import CONCLUSIONS, SUBJECTS, a_year_later, due
from foundation.privacy.models import ImpactAssessment
from foundation.trail.events import Event
from tests.webapp.conftest import Web, post

PAGE = "/assessments/sensitive_data"
TODAY = date(2026, 11, 24)
WRITTEN = {
    "assessed_on": TODAY.isoformat(),
    "purpose": "核验资格和付款所必需\n第二行",
    "risks": "泄露后可能被冒用",
    "measures": "密存、遮盖、留痕",
    "conclusion": "acceptable_with_measures",
}


def add(client: FlaskClient, page: str = PAGE, **changed: str) -> TestResponse:
    return post(client, page, page=page, **(WRITTEN | changed))


def text_of(client: FlaskClient, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return html.unescape(answer.get_data(as_text=True))


def rows(web: Web) -> list[ImpactAssessment]:
    with web.database.reading() as session:
        return list(session.scalars(select(ImpactAssessment).order_by(ImpactAssessment.version)))


def test_every_subject_of_the_law_is_listed_and_marked_until_it_is_assessed(web: Web) -> None:
    administrator = web.sign_in("SEC_ADMIN")
    page = text_of(administrator, "/assessments")
    assert page.count("从未评估") == len(SUBJECTS) == 5
    for subject in SUBJECTS.values():
        assert subject.zh in page and subject.clause[0] in page
    assert add(administrator).status_code == 303
    page = text_of(administrator, "/assessments")
    assert page.count("从未评估") == 4
    for word in ("第 1 版", "2026-11-24", "2027-11-24", "落实措施后可接受"):
        assert word in page, word


def test_an_assessment_is_a_new_version_with_its_event_and_the_old_one_stays(web: Web) -> None:
    administrator = web.sign_in("SEC_ADMIN", person="security")
    assert add(administrator).status_code == 303
    assert add(administrator, risks="第二次评估", conclusion="acceptable").status_code == 303
    first, second = rows(web)
    assert (first.version, first.risks, first.recorded_by) == (1, "泄露后可能被冒用", "security")
    assert (second.version, second.risks, second.next_due_on) == (2, "第二次评估", date(2027, 11, 24))
    with web.database.reading() as session:
        events = session.scalars(
            select(Event).where(Event.action == "assessment.recorded").order_by(Event.id)
        ).all()
    assert [event.subject_id for event in events] == [first.id, second.id]
    body = json.loads(events[0].body)
    assert body["reason"] == "sensitive_data 1 acceptable_with_measures" and len(body["after"]) == 64
    assert "泄露" not in events[0].body, "what was written is not in the trail"
    page = text_of(administrator, PAGE)
    assert (
        page.index("第 2 版") < page.index("第 1 版") and "泄露后可能被冒用" in page and "第二次评估" in page
    )


def test_a_year_later_it_is_overdue_on_every_page(web: Web) -> None:
    administrator = web.sign_in("SEC_ADMIN")
    add(administrator)
    assert "在有效期内" in text_of(administrator, PAGE)
    with web.database.reading() as session:
        assert "sensitive_data" not in due(session, date(2027, 11, 24))
        assert "sensitive_data" in due(session, date(2027, 11, 25))
    web.clock.forward(days=366)
    administrator = web.sign_in("SEC_ADMIN")
    assert "已逾期" in text_of(administrator, PAGE) and "已逾期" in text_of(administrator, "/assessments")
    home = text_of(administrator, "/")
    assert "到期的影响评估" in home and "/assessments" in home


@pytest.mark.parametrize(
    ("day", "due_on"),
    [
        (date(2026, 11, 24), date(2027, 11, 24)),
        (date(2024, 2, 29), date(2025, 2, 28)),
        (date(2023, 2, 28), date(2024, 2, 28)),
    ],
)
def test_the_next_one_is_due_on_the_same_day_of_the_next_year(day: date, due_on: date) -> None:
    assert a_year_later(day) == due_on


def test_an_auditor_reads_and_writes_nothing(web: Web) -> None:
    add(web.sign_in("SEC_ADMIN"))
    auditor = web.sign_in("AUDITOR")
    page = text_of(auditor, PAGE)
    assert "泄露后可能被冒用" in page and "<textarea" not in page
    assert add(auditor).status_code == 403
    assert len(rows(web)) == 1


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"assessed_on": (TODAY + timedelta(days=1)).isoformat()}, "不能晚于今天"),
        ({"assessed_on": "2026-02-30"}, "应为日期"),
        ({"risks": ""}, "必填"),
        ({"conclusion": "fine"}, "只能是"),
        ({"purpose": "长" * 4001}, "最多 4000 个字"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(web: Web, changed: dict[str, str], said: str) -> None:
    administrator = web.sign_in("SEC_ADMIN")
    answer = add(administrator, **changed)
    page = html.unescape(answer.get_data(as_text=True))
    assert answer.status_code == 422 and said in page and "密存、遮盖、留痕" in page
    assert rows(web) == []


def test_a_day_before_the_last_version_is_refused(web: Web) -> None:
    administrator = web.sign_in("SEC_ADMIN")
    add(administrator)
    answer = add(administrator, assessed_on=(TODAY - timedelta(days=1)).isoformat())
    assert answer.status_code == 422 and "不能早于上一版" in answer.get_data(as_text=True)


def test_a_subject_that_there_is_not_is_not_found(web: Web) -> None:
    administrator = web.sign_in("SEC_ADMIN")
    assert administrator.get("/assessments/weather").status_code == 404
    assert post(administrator, "/assessments/weather", **WRITTEN).status_code == 404
    assert rows(web) == []


@pytest.mark.parametrize(
    "statement", ["UPDATE impact_assessment SET risks = 'x'", "DELETE FROM impact_assessment"]
)
def test_the_database_keeps_every_version_as_it_is(web: Web, statement: str) -> None:
    add(web.sign_in("SEC_ADMIN"))
    with pytest.raises(DBAPIError), web.database.transaction() as session:
        session.execute(text(statement))
    assert [row.risks for row in rows(web)] == ["泄露后可能被冒用"]


def test_in_english_the_pages_are_english(web: Web) -> None:
    administrator = web.sign_in("SEC_ADMIN")
    administrator.set_cookie("fangpin_language", "en", domain="localhost")
    add(administrator)
    page = text_of(administrator, "/assessments")
    for subject in SUBJECTS.values():
        assert subject.en.capitalize() in page and subject.zh not in page
    assert CONCLUSIONS["acceptable_with_measures"][1].capitalize() in page

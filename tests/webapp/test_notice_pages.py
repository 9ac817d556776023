"""The page that issues village notices: for one's own villages only, in the background, with an event; read by place."""

from __future__ import annotations

import html
import re
from datetime import date
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, text

from foundation.jobs import Job
from foundation.runtime import Runtime, set_current
from foundation.sealing import Erased
from foundation.trail.events import Event
from reports.models import IssuedDocument
from reports.notices import NoticeAsked, anything_to_publish, notice_figures
from reports.terms import VILLAGE_NOTICE
from tests.webapp.conftest import COUNTY, Web, post
from tests.webapp.erasing import erase, hold, runtime_on
from webapp import demo_actors as actors
from webapp.celery_app import carry_out_here

MONTH = {"period_from": "2021-01-01", "period_to": "2021-01-31", "first_day": "2026-11-25"}
"""The month in which the county was determined and paid."""


def villages_with_results(county: Web) -> list[str]:
    with county.database.reading() as session:
        rows = session.execute(
            text(
                "SELECT DISTINCT household.village_code FROM determination "
                "JOIN household ON household.id = determination.household_id "
                "WHERE determination.outcome = 'approve' ORDER BY household.village_code"
            )
        )
        return [row[0] for row in rows]


def ask(client: FlaskClient, village: str, **changes: str) -> tuple[int, str]:
    fields = {"village": village, "result": "recognition", **MONTH, **changes}
    answer = post(client, "/documents/notices", **fields)
    return answer.status_code, html.unescape(answer.get_data(as_text=True))


def jobs_of(county: Web) -> list[str]:
    with county.database.reading() as session:
        return list(session.scalars(select(Job.id).where(Job.kind == VILLAGE_NOTICE)))


def carry_out(county: Web) -> None:
    set_current(Runtime(county.database, county.sealer, county.clock, actors.SYSTEM))
    carry_out_here(VILLAGE_NOTICE, jobs_of(county))


def issued(county: Web) -> list[tuple[str, str]]:
    with county.database.reading() as session:
        query = select(IssuedDocument.id, IssuedDocument.subject_id)
        rows = session.execute(query.where(IssuedDocument.kind == VILLAGE_NOTICE))
        return [(row.id, row.subject_id) for row in rows]


def test_a_village_officer_issues_the_notice_of_their_village(county: Web) -> None:
    village, other = villages_with_results(county)[:2]
    client = county.sign_in("VILLAGE_OFFICER", village)
    page = html.unescape(client.get("/documents").get_data(as_text=True))
    offered = re.findall(r'<option value="([0-9]{12})"', page)
    assert offered == [village]
    assert ask(client, village)[0] == 303
    status, refused = ask(client, other)
    assert (status, "没有这个村（居）" in refused) == (422, True)
    carry_out(county)
    subject = NoticeAsked(
        village, "recognition", date(2021, 1, 1), date(2021, 1, 31), date(2026, 11, 25)
    ).subject_id
    ((document, kept),) = issued(county)
    assert kept == subject
    page = html.unescape(client.get("/documents?kind=village_notice").get_data(as_text=True))
    assert document in page
    assert "2021-01-01–2021-01-31 · 核定结果" in page
    with county.database.reading() as session:
        body = session.scalars(select(Event.body).where(Event.action == "notice.asked_for")).one()
    assert '"role":"VILLAGE_OFFICER"' in body
    assert subject in body


def test_a_notice_is_read_by_whoever_has_the_village_in_their_place(county: Web) -> None:
    village = villages_with_results(county)[0]
    ask(county.sign_in("CENTER_LEAD"), village)
    carry_out(county)
    ((document, _),) = issued(county)
    sibling = village[:9] + f"{(int(village[9:]) + 1) % 1000:03d}"
    elsewhere = COUNTY + f"{(int(village[6:9]) + 1) % 1000:03d}"
    for role, place, reads in (
        ("VILLAGE_OFFICER", village, True),
        ("VILLAGE_OFFICER", sibling, False),
        ("TOWN_REVIEWER", village[:9], True),
        ("TOWN_REVIEWER", elsewhere, False),
        *((role, COUNTY, True) for role in ("CLAIM_OFFICER", "AUDITOR", "FIN_MAKER", "CENTER_CERTIFIER")),
    ):
        client = county.sign_in(role, place)
        answer = post(client, f"/documents/{document}")
        assert (answer.status_code, answer.mimetype == "application/pdf") == (
            200 if reads else 404,
            reads,
        ), (role, place)
        assert (document in client.get("/documents").get_data(as_text=True)) is reads


def test_only_those_who_publish_have_the_form(county: Web) -> None:
    village = villages_with_results(county)[0]
    for role, shown in (("CLAIM_OFFICER", True), ("AUDITOR", False), ("FIN_MAKER", False)):
        client = county.sign_in(role)
        assert ('action="/documents/notices"' in client.get("/documents").get_data(as_text=True)) is shown
        assert (ask(client, village)[0] == 403) is not shown


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"period_to": "2020-12-31"}, "应不早于起始日,且期间不超过一年"),
        ({"period_to": "2022-01-02"}, "应不早于起始日,且期间不超过一年"),
        ({"period_from": "2026-11-01", "period_to": "2026-11-25"}, "不能晚于今天"),
        ({"first_day": "2021-01-30"}, "应不早于期间的最后一日"),
        ({"first_day": "2027-06-01"}, "应不早于期间的最后一日"),
        ({"period_from": "2019-01-01", "period_to": "2019-01-31"}, "这一期间没有可公示的结果"),
        ({"result": "refusal"}, "只能是"),
        ({"village": "3703"}, "应为 12 位半角数字"),
        ({"first_day": ""}, "必填"),
    ],
)
def test_a_slip_in_the_form_is_said_beside_its_field(county: Web, changes: dict[str, str], said: str) -> None:
    village = villages_with_results(county)[0]
    client = county.sign_in("CLAIM_OFFICER")
    status, page = ask(client, **{"village": village, **changes})
    assert status == 422
    assert said.replace(",", "，") in page.replace(",", "，")
    assert jobs_of(county) == []


def test_asked_for_again_it_is_the_same_notice(county: Web) -> None:
    village = villages_with_results(county)[0]
    client = county.sign_in("TOWN_REVIEWER", village[:9])
    for _ in range(2):
        assert ask(client, village)[0] == 303
        carry_out(county)
    with county.database.reading() as session:
        count = session.scalar(
            select(func.count()).select_from(IssuedDocument).where(IssuedDocument.kind == VILLAGE_NOTICE)
        )
    assert (count, len(jobs_of(county))) == (1, 1)


# --- after the term of the decisions ---------------------------------------------------------------------------------


def everything_about(village: str, kind: str) -> NoticeAsked:
    return NoticeAsked(village, kind, date(2021, 1, 1), date(2021, 1, 31), date(2052, 1, 2))


@pytest.mark.parametrize("kind", ["recognition", "payment"])
def test_a_period_whose_decisions_were_erased_has_no_notice(county: Web, tmp_path: Path, kind: str) -> None:
    runtime_on(county, tmp_path)
    village = villages_with_results(county)[0]
    asked = everything_about(village, kind)
    with county.database.reading() as session:
        assert anything_to_publish(session, asked)
    erase(county, date(2052, 1, 1))
    with county.database.reading() as session:
        assert not anything_to_publish(session, asked)
        with pytest.raises(Erased):
            notice_figures(session, county.sealer, asked, "12317")
    status, page = ask(county.sign_in("CENTER_LEAD"), village, result=kind, first_day="2052-01-02")
    assert (status, "这一期间没有可公示的结果" in page, jobs_of(county)) == (422, True, [])


def test_no_notice_names_only_those_who_are_kept_longer(county: Web, tmp_path: Path) -> None:
    """A legal hold keeps one household of a village; a notice of it alone would tell that there is something about it."""
    runtime_on(county, tmp_path)
    village, claim_id = a_claim_beside_others(county)
    asked = everything_about(village, "recognition")
    hold(county, "claim", claim_id)
    erase(county, date(2052, 1, 1))
    with county.database.reading() as session:
        assert anything_to_publish(session, asked)
        with pytest.raises(Erased):
            notice_figures(session, county.sealer, asked, "12317")


def a_claim_beside_others(county: Web) -> tuple[str, str]:
    """(village, approved claim): one of a village where other households have approved claims, too."""
    with county.database.reading() as session:
        row = session.execute(
            text(
                "SELECT household.village_code, MIN(determination.claim_id) FROM determination "
                "JOIN household ON household.id = determination.household_id "
                "WHERE determination.outcome = 'approve' GROUP BY household.village_code "
                "HAVING COUNT(DISTINCT household.id) > 1 ORDER BY household.village_code"
            )
        ).first()
    assert row is not None
    return row[0], row[1]

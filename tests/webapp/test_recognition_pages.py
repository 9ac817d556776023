"""Recognition on the pages and in the API: one household from the survey form to its exit, by role and place."""

from __future__ import annotations

import html
import io
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from foundation.actors import Actor, Role
from foundation.jobs import Job
from foundation.privacy.models import Export
from foundation.runtime import Runtime, set_current
from foundation.spreadsheets import read_workbook
from foundation.trail.events import Event
from households.models.people import HouseholdRow, Membership
from households.models.recognition import Recognition
from policies.queries import first_standards
from policies.services import decide, propose
from policies.standard import reindexed
from reports.models import IssuedDocument
from reports.terms import COVER_CERTIFICATE
from tests.webapp.api_client import caller
from tests.webapp.conftest import COUNTY, Web, csrf, post
from webapp import demo_actors as actors
from webapp.celery_app import carry_out_here

JPEG = b"\xff\xd8\xff\xe0" + b"0" * 40
LEAD = Actor("lead", "lead", Role.CENTER_LEAD, COUNTY, "负责人")
GROUP = Actor("group", "group", Role.LEADING_GROUP, COUNTY, "组长")
SUMS = {
    "wages": "3000",
    "operating": "2000",
    "property": "0",
    "transfer": "1000.50",
    "cost": "500",
    "main_source": "wages",
}
FORM = {
    **SUMS,
    "surveyed_on": "2021-03-01",
    "surveyor_1": "王敏",
    "surveyor_2": "李强",
    "appraised_on": "2021-03-02",
    "present": "21",
    "in_favour": "20",
    "notice_from": "2021-03-03",
    "notice_to": "2021-03-09",
    "cause": "illness",
    "track": "relief",
}


@pytest.fixture
def town(county: Web) -> Web:
    """The county in March 2021, with standards of 2020 and 2021."""
    county.clock.at = datetime(2021, 3, 10, 2, 0, tzinfo=UTC)
    first = replace(first_standards(), year=2020)
    with county.database.transaction() as session:
        for one in (first, reindexed(first, 2_000_000)):
            row = propose(session, LEAD, county.clock.at, one)
            decide(session, GROUP, county.clock.at, row.id, approve=True)
    return county


def a_home(web: Web) -> HouseholdRow:
    """A household with two members at least."""
    with web.database.reading() as session:
        many = select(Membership.household_id).group_by(Membership.household_id)
        query = select(HouseholdRow).where(HouseholdRow.id.in_(many)).order_by(HouseholdRow.household_no)
        return session.scalars(query.limit(1)).one()


def papers(**changes: bytes) -> dict[str, Any]:
    sent = {f"{step}_papers": JPEG for step in ("survey", "appraisal", "notice")} | changes
    return {name: (io.BytesIO(content), "张三身份证.jpg") for name, content in sent.items() if content}


def send(
    client: FlaskClient, home: HouseholdRow, files: dict[str, Any] | None = None, **changes: Any
) -> TestResponse:
    fields = {**FORM, "household_id": home.id, "csrf_token": csrf(client), **changes}
    data = {**fields, **(papers() if files is None else files)}
    return client.post("/recognitions/new", data=data, content_type="multipart/form-data")


def spell_of(web: Web) -> Recognition:
    with web.database.reading() as session:
        return session.scalars(select(Recognition).order_by(Recognition.number.desc()).limit(1)).one()


def text_of(answer: TestResponse) -> str:
    return html.unescape(answer.get_data(as_text=True))


def proposed(web: Web, home: HouseholdRow) -> str:
    answer = send(web.sign_in("VILLAGE_OFFICER", home.village_code), home)
    assert answer.status_code == 303, text_of(answer)
    return str(answer.headers["Location"])


def recognised(web: Web, home: HouseholdRow) -> str:
    url = proposed(web, home)
    answer = post(web.sign_in("CENTER_CERTIFIER"), f"{url}/decide", decision="approve")
    assert answer.status_code == 303
    return url


def test_a_village_proposes_by_the_form_and_the_centre_recognises(town: Web) -> None:
    home = a_home(town)
    village = town.sign_in("VILLAGE_OFFICER", home.village_code)
    by_number = village.get(f"/recognitions/new?household_no={home.household_no}")
    page = text_of(village.get(by_number.headers["Location"]))
    assert "入户调查表" in page
    assert "两不愁三保障" in page
    answer = send(village, home)
    assert answer.status_code == 303
    url = answer.headers["Location"]
    page = text_of(village.get(url))
    row = spell_of(town)
    assert row.number in page
    assert "5,500.50" not in page  # the sum is shown by its parts
    assert "6,000.50 − 500.00" in page
    assert "低于标准" in page
    assert "取阅材料 1" in page
    assert "张三身份证" not in page + (row.evidence or "")
    assert 'action="' + url + "/decide" not in page
    centre = town.sign_in("CENTER_CERTIFIER")
    page = text_of(centre.get(url))
    assert "本户还没有比对过" in page
    assert post(centre, f"{url}/decide", decision="approve").status_code == 303
    assert spell_of(town).state == "active"
    assert "帮扶中" in text_of(centre.get(url))


def test_a_form_that_comes_back_says_what_is_wrong_and_keeps_what_was_typed(town: Web) -> None:
    home = a_home(town)
    village = town.sign_in("VILLAGE_OFFICER", home.village_code)
    answer = send(village, home, {}, notice_to="2021-03-05", wages="4321.50", in_favour="3")
    page = text_of(answer)
    assert answer.status_code == 422
    for said in ("公示不得少于 7 日", "同意人数未过半", "请附上材料"):
        assert said in page
    assert 'value="4321.50"' in page
    answer = send(village, home, papers(survey_papers=b"MZ not a picture"))
    assert answer.status_code == 422
    assert "PDF、JPG 或 PNG" in text_of(answer)
    answer = send(village, home, wages="-5")
    assert answer.status_code == 422
    with town.database.reading() as session:
        assert session.scalars(select(Recognition.id)).all() == []


def test_another_village_has_neither_the_form_nor_the_spell(town: Web) -> None:
    home = a_home(town)
    elsewhere = home.village_code[:9] + f"{(int(home.village_code[9:]) + 1) % 1000:03d}"
    stranger = town.sign_in("VILLAGE_OFFICER", elsewhere)
    assert stranger.get(f"/recognitions/new?household_id={home.id}").status_code == 404
    assert send(stranger, home).status_code == 404
    url = proposed(town, home)
    assert stranger.get(url).status_code == 404
    assert spell_of(town).number not in text_of(stranger.get("/recognitions"))
    assert spell_of(town).number in text_of(
        town.sign_in("TOWN_REVIEWER", home.village_code[:9]).get("/recognitions")
    )


def test_who_proposed_is_told_that_another_person_decides(town: Web) -> None:
    home = a_home(town)
    answer = send(town.sign_in("TOWN_REVIEWER", COUNTY, person="both"), home)
    url = answer.headers["Location"]
    both = town.sign_in("CENTER_LEAD", person="both")
    page = text_of(both.get(url))
    assert "须由另一人认定" in page
    assert "/decide" not in page
    assert post(both, f"{url}/decide", decision="approve").status_code == 403
    assert spell_of(town).state == "proposed"


def test_a_refusal_needs_its_reason(town: Web) -> None:
    url = proposed(town, a_home(town))
    lead = town.sign_in("CENTER_LEAD")
    answer = post(lead, f"{url}/decide", decision="refuse")
    assert answer.status_code == 422
    assert "请写明不予认定的理由" in text_of(answer)
    assert post(lead, f"{url}/decide", decision="refuse", note="公示有异议").status_code == 303
    assert "公示有异议" in text_of(lead.get(url))


def test_review_measure_and_exit_by_the_page(town: Web) -> None:
    home = a_home(town)
    url = recognised(town, home)
    village = town.sign_in("VILLAGE_OFFICER", home.village_code)
    answer = post(village, f"{url}/measures", kind="employment", begun_on="2021-03-10", organisation="镇政府")
    assert answer.status_code == 303
    assert "镇政府" in text_of(village.get(url))
    town.clock.at = datetime(2021, 9, 20, 2, 0, tzinfo=UTC)
    village = town.sign_in("VILLAGE_OFFICER", home.village_code)
    assert "复核已于 2021-09-10 到期" in text_of(village.get(url))
    home_page = text_of(village.get("/"))
    assert re.search(r"逾期的半年复核.*?1", home_page, re.S)
    fields = {
        **SUMS,
        "reviewed_on": "2021-09-20",
        "finding": "may_exit",
        "cause": "illness",
        "track": "relief",
    }
    answer = post(village, f"{url}/reviews", **fields)
    assert answer.status_code == 422
    assert "没有超过标准" in text_of(answer)
    assert post(village, f"{url}/reviews", **{**fields, "wages": "90000"}).status_code == 303
    lead = town.sign_in("CENTER_LEAD")
    assert "办理退出" in text_of(lead.get(url))
    exit_form = {"exited_on": "2021-09-20", "meeting": "2021-9", "csrf_token": csrf(lead)}
    bad = lead.post(f"{url}/exit", data={**exit_form, "exit_papers": (io.BytesIO(JPEG), "x.jpg")})
    assert bad.status_code == 422
    good = {**exit_form, "cause_gone": "1", "exit_papers": (io.BytesIO(JPEG), "x.jpg")}
    assert lead.post(f"{url}/exit", data=good).status_code == 303
    page = text_of(lead.get(url))
    assert "退出后关注期" in page
    assert "2021-12-20" in page
    assert "退出核定" in page


def test_an_extension_is_offered_near_the_end_of_the_year_and_is_the_leads(town: Web) -> None:
    home = a_home(town)
    url = recognised(town, home)
    town.clock.at = datetime(2022, 3, 10, 2, 0, tzinfo=UTC)
    fields = {**SUMS, "reviewed_on": "2022-03-10", "finding": "stays", "cause": "illness", "track": "relief"}
    village = town.sign_in("VILLAGE_OFFICER", home.village_code)
    answer = post(village, f"{url}/reviews", **fields)
    assert answer.status_code == 422
    assert "帮扶已满一年" in text_of(answer)
    assert post(village, f"{url}/reviews", **fields, extend="1", note="仍困难").status_code == 403
    lead = town.sign_in("CENTER_LEAD")
    assert post(lead, f"{url}/reviews", **fields, extend="1", note="仍困难").status_code == 303
    assert spell_of(town).review_due == date(2022, 9, 10)


def test_a_paper_is_taken_by_the_register_of_exports(town: Web) -> None:
    home = a_home(town)
    url = proposed(town, home)
    auditor = town.sign_in("AUDITOR")
    answer = post(auditor, f"{url}/papers/0")
    assert (answer.status_code, answer.mimetype, answer.data) == (200, "image/jpeg", JPEG)
    assert "survey-1-E" in answer.headers["Content-Disposition"]
    assert post(auditor, f"{url}/papers/9").status_code == 404
    with town.database.reading() as session:
        export = session.scalars(select(Export).where(Export.kind == "paper")).one()
        actions = session.scalars(select(Event.action).where(Event.subject_id == export.id)).all()
    assert export.people >= 1
    assert actions == ["export.taken"]


def test_the_ledgers_hold_the_entries_and_their_workbook_goes_by_the_register(
    town: Web, tmp_path: Any
) -> None:
    home = a_home(town)
    url = recognised(town, home)
    post(
        town.sign_in("CENTER_LEAD"),
        f"{url}/measures",
        kind="care",
        begun_on="2021-03-10",
        organisation="村委",
    )
    reviewer = town.sign_in("TOWN_REVIEWER", home.village_code[:9])
    for ledger in ("identification", "support"):
        page = text_of(reviewer.get(f"/ledgers/{ledger}"))
        assert spell_of(town).number in page
        assert "合计等于各镇之和" in page
    assert "台账中还没有记录" in text_of(reviewer.get("/ledgers/exit"))
    assert reviewer.get("/ledgers/other").status_code == 404
    answer = post(reviewer, "/ledgers/identification/export")
    assert answer.status_code == 200
    path = tmp_path / "ledger.xlsx"
    path.write_bytes(answer.data)
    rows = read_workbook(path, ["识别认定台账", "分镇汇总"])
    assert any(spell_of(town).number in row for row in rows["识别认定台账"])
    assert any(row[:3] == ["合计", 1.0, 1.0] for row in rows["分镇汇总"])


def test_no_page_of_recognition_shows_a_whole_id_number(town: Web) -> None:
    home = a_home(town)
    url = recognised(town, home)
    lead = town.sign_in("CENTER_LEAD")
    village = town.sign_in("VILLAGE_OFFICER", home.village_code)
    for page in (
        *(lead.get(address) for address in (url, "/recognitions", "/ledgers/identification")),
        village.get(f"/recognitions/new?household_id={home.id}"),
    ):
        assert page.status_code == 200
        assert not re.search(r"[0-9]{17}[0-9X]", text_of(page))
        assert "********" in text_of(page) or "ledgers" in page.request.path


def test_the_api_gives_a_spell_without_names_and_within_the_place(town: Web) -> None:
    home = a_home(town)
    recognised(town, home)
    row = spell_of(town)
    program = caller(town, "AUDITOR")
    listed = program.data("/recognitions?standing=active")
    assert [one["number"] for one in listed["rows"]] == [row.number]
    shown = program.data(f"/recognitions/{row.id}")
    assert shown["survey"]["wages"] == "3000.00"
    assert shown["state"] == "active"
    assert shown["household_no"] == home.household_no
    assert program.data("/recognitions?standing=proposed")["rows"] == []
    elsewhere = home.village_code[:9] + f"{(int(home.village_code[9:]) + 1) % 1000:03d}"
    stranger = caller(town, "VILLAGE_OFFICER", elsewhere)
    assert stranger.get(f"/recognitions/{row.id}").status_code == 404
    assert stranger.data("/recognitions")["rows"] == []
    assert caller(town, "AUDITOR", scopes=["claims:read"]).get("/recognitions").status_code == 403


def test_a_household_without_cover_is_led_to_it_and_may_get_its_certificate(town: Web) -> None:
    home = a_home(town)
    url = recognised(town, home)
    lead = town.sign_in("CENTER_LEAD")
    page = text_of(lead.get(url))
    assert "本户目前没有人在保" in page  # the policy of 2020 is over in March 2021
    assert f"/certificates?household_no={home.household_no}" in page
    form = text_of(lead.get(f"/certificates?household_no={home.household_no}"))
    assert f'value="{home.household_no}"' in form
    policy = re.findall(r'<option value="([^"]+)"', form)[0]
    answer = post(lead, "/certificates", policy=policy, household_no=home.household_no)
    assert answer.status_code == 303
    both = post(
        lead, "/certificates", policy=policy, household_no=home.household_no, village=home.village_code
    )
    assert both.status_code == 422
    assert "二者选一" in text_of(both)
    auditor = town.sign_in("AUDITOR")
    assert "/certificates?household_no" not in text_of(auditor.get(url))


def test_certificates_are_asked_for_within_ones_place_and_handed_out_there(town: Web) -> None:
    home = a_home(town)
    village = town.sign_in("VILLAGE_OFFICER", home.village_code)
    policy = re.findall(r'<option value="([^"]+)"', text_of(village.get("/certificates")))[0]
    elsewhere = home.village_code[:9] + f"{(int(home.village_code[9:]) + 1) % 1000:03d}"
    stranger = town.sign_in("VILLAGE_OFFICER", elsewhere)
    refused = post(stranger, "/certificates", policy=policy, household_no=home.household_no)
    assert (refused.status_code, "管辖范围" in text_of(refused)) == (422, True)
    assert post(village, "/certificates", policy=policy, village=elsewhere).status_code == 422
    assert post(village, "/certificates", policy=policy, household_no=home.household_no).status_code == 303
    set_current(Runtime(town.database, town.sealer, town.clock, actors.SYSTEM))
    with town.database.reading() as session:
        waiting = session.scalars(select(Job.id).where(Job.kind == COVER_CERTIFICATE)).all()
    carry_out_here(COVER_CERTIFICATE, waiting)
    with town.database.reading() as session:
        document = session.scalars(
            select(IssuedDocument).where(IssuedDocument.kind == COVER_CERTIFICATE)
        ).one()
    listed = text_of(village.get("/documents?kind=cover_certificate"))
    assert document.id in listed
    assert home.household_no in listed
    answer = post(village, f"/documents/{document.id}")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert post(stranger, f"/documents/{document.id}").status_code == 404
    assert document.id not in text_of(stranger.get("/documents"))
    assert post(town.sign_in("FIN_MAKER"), f"/documents/{document.id}").status_code == 404


def test_the_page_of_a_household_leads_to_its_proposal_and_tells_of_its_spell(town: Web) -> None:
    home = a_home(town)
    village = town.sign_in("VILLAGE_OFFICER", home.village_code)
    page = text_of(village.get(f"/households/{home.id}"))
    assert f"/recognitions/new?household_id={home.id}" in page
    assert f"/certificates?household_no={home.household_no}" in page
    url = recognised(town, home)
    page = text_of(town.sign_in("CENTER_LEAD").get(f"/households/{home.id}"))
    assert url in page
    assert "认定为相对贫困户" in page
    assert "/recognitions/new?" not in page

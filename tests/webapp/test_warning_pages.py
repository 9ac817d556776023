"""Pages and API of early warning: reporting from a phone, one open case, and what is done with it."""

from __future__ import annotations

import html
import re
from datetime import date
from io import BytesIO
from typing import Any

import orjson
import pytest
from sqlalchemy import func, select, text

from claims.models import ClaimRow
from foundation.masking import Audience, id_number_for
from foundation.privacy.models import Export
from foundation.trail.events import Event
from households.models.proposals import RegistryTask
from households.models.warnings import WarningCase, WarningReport
from households.services.arrivals import WARN
from households.services.warning_rows import LINK
from tests.webapp.api_client import caller
from tests.webapp.conftest import Web, csrf, post
from tests.webapp.warning_pages import (
    MAY,
    Somebody,
    carry_out,
    case_of,
    count,
    in_its_year,
    page_of,
    people,
    report,
    token_on,
)

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100


@pytest.fixture
def county_then(county: Web) -> Web:
    """The county in its policy's year."""
    return in_its_year(county)


@pytest.fixture
def somebody(county_then: Web) -> Somebody:
    return people(county_then)[0]


# --- reporting -----------------------------------------------------------------------------------------


def test_a_village_officer_finds_a_family_by_name_and_reports(county_then: Web, somebody: Somebody) -> None:
    client = county_then.sign_in("VILLAGE_OFFICER", somebody.village)
    found = post(client, "/warnings/report", name=somebody.name)
    page = html.unescape(found.get_data(as_text=True))
    assert f"/warnings/report/{somebody.person_id}" in page
    assert id_number_for(Audience.OFFICER, somebody.id_number) in page
    assert somebody.id_number not in page
    case_id = case_of(report(client, somebody, note="住院两周"))
    shown = page_of(client, f"/warnings/{case_id}")
    assert somebody.name in shown
    assert "18,000.00" in shown
    assert "住院两周" in shown
    assert somebody.id_number not in shown
    assert "村级上报" in page_of(client, "/warnings")


def test_an_empty_look_up_is_answered_in_words_and_a_wrong_name_offers_to_report_all_the_same(
    county_then: Web, somebody: Somebody
) -> None:
    client = county_then.sign_in("VILLAGE_OFFICER", somebody.village)
    empty = post(client, "/warnings/report")
    assert (empty.status_code, "请输入姓名或身份证号" in empty.get_data(as_text=True)) == (422, True)
    nobody = post(client, "/warnings/report", name="查无此人")
    assert "没有登记这个人" in nobody.get_data(as_text=True)
    assert "/warnings/report/unknown" in nobody.get_data(as_text=True)


def test_a_form_sent_twice_is_one_report(county_then: Web, somebody: Somebody) -> None:
    client = county_then.sign_in("VILLAGE_OFFICER", somebody.village)
    token = token_on(page_of(client, f"/warnings/report/{somebody.person_id}"))
    first, second = (report(client, somebody, form_token=token) for _ in range(2))
    assert case_of(first) == case_of(second)
    assert (count(county_then, WarningCase), count(county_then, WarningReport)) == (1, 1)


def test_what_is_wrong_comes_back_beside_its_field_with_what_was_typed(
    county_then: Web, somebody: Somebody
) -> None:
    client = county_then.sign_in("VILLAGE_OFFICER", somebody.village)
    answer = report(client, somebody, on="2030-01-01", note="已经写好的说明")
    page = html.unescape(answer.get_data(as_text=True))
    assert answer.status_code == 422
    assert "日期不能晚于今天" in page
    assert "已经写好的说明" in page
    assert report(client, somebody, what="").status_code == 422
    assert report(client, somebody, amount="约一万").status_code == 422


def test_a_picture_goes_with_the_report_and_is_handed_out_by_number(
    county_then: Web, somebody: Somebody
) -> None:
    client = county_then.sign_in("VILLAGE_OFFICER", somebody.village)
    refused = report(client, somebody, photo=(BytesIO(b"MZ no picture"), "a.png"))
    assert (refused.status_code, count(county_then, WarningCase)) == (422, 0)
    case_id = case_of(report(client, somebody, photo=(BytesIO(PNG), "张三的病历.png")))
    url = re.search(
        rf'action="(/warnings/{case_id}/photos/[0-9a-f]+)"', page_of(client, f"/warnings/{case_id}")
    )
    assert url
    taken = post(client, url[1])
    assert taken.get_data() == PNG
    assert "E000" in taken.headers["Content-Disposition"]
    with county_then.database.reading() as session:
        assert session.scalar(select(Export.subject_id).where(Export.kind == "warning_photo")) == case_id


def test_somebody_whom_nobody_knows_becomes_a_task_and_nothing_is_lost(
    county_then: Web, somebody: Somebody
) -> None:
    client = county_then.sign_in("VILLAGE_OFFICER", somebody.village)
    page = page_of(client, "/warnings/report/unknown")
    fields = {"form_token": token_on(page), "what": "other", "on": MAY, "name": "赵无名", "note": "住桥洞"}
    for _again in range(2):
        answer = post(client, "/warnings/report/unknown", village=somebody.village, **fields)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/warnings")
    with county_then.database.reading() as session:
        (task,) = session.scalars(select(RegistryTask).where(RegistryTask.kind == "unknown_person"))
        details = orjson.loads(county_then.sealer.reveal("registry_task", "sealed", task.id, task.sealed))
    assert (details["name"], details["note"], details["what"]) == ("赵无名", "住桥洞", "other")
    elsewhere = post(client, "/warnings/report/unknown", village="370323999999", **fields)
    assert elsewhere.status_code == 422


def test_a_known_number_typed_as_unknown_finds_its_case(county_then: Web, somebody: Somebody) -> None:
    client = county_then.sign_in("TOWN_REVIEWER", somebody.village[:9])
    page = page_of(client, "/warnings/report/unknown")
    fields = {"form_token": token_on(page), "what": "illness", "on": MAY, "name": "老王"}
    answer = post(
        client, "/warnings/report/unknown", village=somebody.village, id_number=somebody.id_number, **fields
    )
    assert case_of(answer)
    assert count(county_then, RegistryTask) == 0


def test_another_village_s_people_do_not_exist_here(county_then: Web, somebody: Somebody) -> None:
    other = next(one for one in people(county_then) if one.village != somebody.village)
    client = county_then.sign_in("VILLAGE_OFFICER", somebody.village)
    assert client.get(f"/warnings/report/{other.person_id}").status_code == 404
    there = county_then.sign_in("VILLAGE_OFFICER", other.village)
    case_id = case_of(report(there, other))
    for path in (f"/warnings/{case_id}", f"/warnings/{case_id}/form"):
        assert client.get(path).status_code == 404
    found = post(client, "/warnings/report", id_number=other.id_number)
    assert other.person_id not in found.get_data(as_text=True)


# --- the list and what is done -------------------------------------------------------------------------


def test_the_list_is_narrowed_and_shows_open_cases_first(county_then: Web, somebody: Somebody) -> None:
    client = county_then.sign_in("CENTER_CERTIFIER")
    first = case_of(report(client, somebody, on="2020-06-10"))
    second = case_of(report(client, somebody, what="accident", on="2020-05-01"))
    post(client, f"/warnings/{second}/dismiss", reason="no_hardship")
    page = page_of(client, "/warnings")
    assert page.index(first) < page.index(second)
    assert first not in page_of(client, "/warnings?state=dismissed")
    assert second not in page_of(client, "/warnings?line=illness")
    assert first not in page_of(client, "/warnings?source=department")
    assert first in page_of(client, f"/warnings?place={somebody.village[:9]}")
    assert client.get("/warnings?line=nothing").status_code == 400


def test_a_case_is_transferred_dismissed_and_reopened_on_its_page(
    county_then: Web, somebody: Somebody
) -> None:
    client = county_then.sign_in("TOWN_REVIEWER", somebody.village[:9])
    case_id = case_of(report(client, somebody))
    assert post(client, f"/warnings/{case_id}/dismiss").status_code == 422
    assert post(client, f"/warnings/{case_id}/dismiss", reason="helped").status_code == 303
    assert "已由其他渠道解决" in page_of(client, f"/warnings/{case_id}")
    assert post(client, f"/warnings/{case_id}/reopen").status_code == 303
    assert post(client, f"/warnings/{case_id}/transfer", reason="medical_aid").status_code == 303
    assert "转医疗保障局医疗救助" in page_of(client, f"/warnings/{case_id}")
    assert post(client, f"/warnings/{case_id}/reopen").status_code == 409


def test_a_village_officer_sees_no_button_that_ends_a_case(county_then: Web, somebody: Somebody) -> None:
    client = county_then.sign_in("VILLAGE_OFFICER", somebody.village)
    case_id = case_of(report(client, somebody))
    assert "/dismiss" not in page_of(client, f"/warnings/{case_id}")
    assert post(client, f"/warnings/{case_id}/dismiss", reason="helped").status_code == 403


def test_the_home_page_counts_the_open_cases_of_the_place(county_then: Web, somebody: Somebody) -> None:
    client = county_then.sign_in("VILLAGE_OFFICER", somebody.village)
    report(client, somebody)
    page = page_of(client, "/")
    assert "待处理预警" in page
    assert "18,000.00" in page


def test_both_languages_say_the_same(county_then: Web, somebody: Somebody) -> None:
    client = county_then.sign_in("CENTER_CERTIFIER")
    case_id = case_of(report(client, somebody))
    client.set_cookie("fangpin_language", "en", domain="localhost")
    for path in ("/warnings", f"/warnings/{case_id}", f"/warnings/{case_id}/form", "/warnings/report"):
        page = page_of(client, path)
        assert "Early warnings" in page, path


# --- departments and claims ----------------------------------------------------------------------------


def test_the_small_pack_s_rows_open_cases_and_those_with_claims_are_closed(county_then: Web) -> None:
    carry_out(county_then, WARN)
    opened = count(county_then, WarningCase)
    carry_out(county_then, LINK)
    with county_then.database.reading() as session:
        states = dict(
            session.execute(select(WarningCase.state, func.count()).group_by(WarningCase.state)).all()
        )
        numbers = set(session.scalars(select(WarningCase.claim_no).where(WarningCase.state == "claimed")))
        known = set(session.scalars(select(ClaimRow.claim_no)))
        households = session.scalar(
            select(func.count())
            .select_from(WarningCase)
            .join(ClaimRow, ClaimRow.claim_no == WarningCase.claim_no)
            .where(ClaimRow.household_id != WarningCase.household_id)
        )
    assert opened == sum(states.values())
    assert states["claimed"] > 10
    assert numbers <= known
    assert households == 0
    county_then.clock.forward(days=1)
    with county_then.database.transaction() as session:
        session.execute(text("UPDATE job SET state = 'waiting' WHERE kind IN ('feed.warn', 'warning.link')"))
    events = count(county_then, Event)
    for kind in (WARN, LINK):
        carry_out(county_then, kind)
    assert (count(county_then, WarningCase), count(county_then, Event)) == (opened, events)


# --- the API -------------------------------------------------------------------------------------------


def test_a_report_by_the_api_is_filed_once_for_its_key(county_then: Web, somebody: Somebody) -> None:
    program = caller(county_then, "TOWN_REVIEWER", somebody.village[:9])
    body = {"id_number": somebody.id_number, "what": "illness", "on": MAY, "amount": "18000.00"}
    first = program.client.post(
        "/api/v1/warnings", json=body, headers=program.headers(Idempotency_Key="key-a")
    )
    again = program.client.post(
        "/api/v1/warnings", json=body, headers=program.headers(Idempotency_Key="key-a")
    )
    assert first.status_code == 200, first.get_data(as_text=True)
    assert first.get_json() == again.get_json()
    case = first.get_json()
    assert case["id_number"] == id_number_for(Audience.OFFICER, somebody.id_number)
    assert (case["state"], case["sources"], case["amount"]) == ("open", ["town_window"], "18000.00")
    assert program.data(f"/warnings/{case['id']}")["reports"] == case["reports"]
    assert [row["id"] for row in program.data("/warnings?state=open&line=illness")["rows"]] == [case["id"]]
    assert count(county_then, WarningReport) == 1


def test_the_api_knows_nobody_outside_the_place_and_refuses_odd_bodies(
    county_then: Web, somebody: Somebody
) -> None:
    other = next(one for one in people(county_then) if one.village != somebody.village)
    program = caller(county_then, "VILLAGE_OFFICER", somebody.village)
    good = {"id_number": somebody.id_number, "what": "illness", "on": MAY}
    wrong: list[tuple[dict[str, Any], int]] = [
        ({**good, "id_number": other.id_number}, 404),
        ({**good, "what": "flood"}, 422),
        ({**good, "on": "2021-02-30"}, 422),
        ({**good, "on": "2029-01-01"}, 422),
        ({**good, "name": "x"}, 422),
        ({**good, "channel": "county_window"}, 403),
    ]
    for number, (body, status) in enumerate(wrong):
        headers = program.headers(Idempotency_Key=f"key-{number}")
        assert program.client.post("/api/v1/warnings", json=body, headers=headers).status_code == status, body
    assert count(county_then, WarningCase) == 0


def test_the_csrf_token_is_asked_for(county_then: Web, somebody: Somebody) -> None:
    client = county_then.sign_in("VILLAGE_OFFICER", somebody.village)
    assert csrf(client)
    url = f"/warnings/report/{somebody.person_id}"
    fields = {"form_token": "ab" * 16, "what": "illness", "on": date(2020, 5, 10).isoformat()}
    assert client.post(url, data=fields).status_code == 400
    assert count(county_then, WarningCase) == 0

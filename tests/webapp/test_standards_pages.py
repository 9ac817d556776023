"""Pages of the county's standards: proposed by one person on a form, approved by another one, read by everybody else."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient

from foundation.web.language import typeset
from policies.queries import active_standards, first_standards, standard_rows
from policies.schemas import form_of
from policies.services import propose
from policies.standard import Standards, reindexed
from tests.policies.approving import AT, CERTIFIER, in_force
from tests.webapp.conftest import Web, post

COUNTY = first_standards()
NEXT = {"next_base": "20793", "next_source": "统计公报"}


def text_of(client: FlaskClient, url: str, status: int = 200) -> str:
    answer = client.get(url)
    assert answer.status_code == status
    return html.unescape(answer.get_data(as_text=True))


def filled(standards: Standards, **changed: str) -> Mapping[str, str]:
    """The form's fields that are not empty, as a browser's user leaves them."""
    return {name: value for name, value in (form_of(standards) | changed).items() if value}


def put(web: Web, standards: Standards | None = None) -> str:
    with web.database.transaction() as session:
        return in_force(session, standards).id


def active(web: Web, year: int) -> Standards | None:
    with web.database.reading() as session:
        return active_standards(session, year)


# The way of a year's standards


def test_the_first_standards_are_proposed_on_the_form_and_approved_by_another_person(web: Web) -> None:
    certifier, lead = web.sign_in("CENTER_CERTIFIER"), web.sign_in("CENTER_LEAD")
    assert "还没有标准" in text_of(certifier, "/standards")
    page = text_of(certifier, "/standards/new")
    assert 'value="19128.00"' in page and 'value="2019年农民人均可支配收入"' in page
    answer = post(certifier, "/standards/new", page="/standards/new", **filled(COUNTY))
    assert answer.status_code == 303
    own = text_of(certifier, answer.headers["Location"])
    assert typeset("这份标准由您提出,须由另一人批准。") in own and "批准执行" not in own
    assert active(web, 2020) is None
    page = text_of(lead, "/standards/2020")
    assert "批准执行" in page and "待批准" in page
    with web.database.reading() as session:
        (row,) = standard_rows(session, 2020)
    assert post(lead, f"/standards/{row.id}/decide", decision="approve").status_code == 303
    assert active(web, 2020) == COUNTY
    page = text_of(lead, "/standards/2020")
    assert "执行中" in page and "19,128.00 × 33% = 6,312.24 → 6,312.00" in page and "向下取整到元" in page


def test_the_re_index_is_one_number_to_type(web: Web) -> None:
    put(web)
    certifier = web.sign_in("CENTER_CERTIFIER")
    page = text_of(certifier, "/standards")
    assert "2020 年农民人均可支配收入" in page and COUNTY.line.source in page
    answer = post(certifier, "/standards/next-year", page="/standards", **NEXT)
    assert answer.status_code == 303
    group = web.sign_in("LEADING_GROUP")
    page = text_of(group, "/standards/2021")
    for word in ("20,793.00 × 33% = 6,861.69 → 6,861.00", "与 2020 年相比", "19,128.00", "6,312.00"):
        assert word in page, word
    assert "没有变化" not in page and page.count("反向标准·") == 0, "only what differs is listed"
    with web.database.reading() as session:
        (row,) = standard_rows(session, 2021)
    assert post(group, f"/standards/{row.id}/decide", decision="approve").status_code == 303
    assert active(web, 2021) == reindexed(COUNTY, 2_079_300, "统计公报") and active(web, 2020) == COUNTY


def test_a_correction_of_a_year_begins_with_its_own_and_the_old_version_can_be_read(web: Web) -> None:
    old = put(web)
    certifier, lead = web.sign_in("CENTER_CERTIFIER"), web.sign_in("CENTER_LEAD")
    assert 'value="19128.00"' in text_of(certifier, "/standards/new?year=2020")
    sent = filled(
        COUNTY,
        vehicle_price_from="120000",
        reason_13_group="special",
        reason_13_zh="独居",
        reason_13_en="Alone",
    )
    assert post(certifier, "/standards/new", page="/standards/new", **sent).status_code == 303
    page = text_of(certifier, "/standards/2020")
    assert "本年另有一份标准待批准" in page and "有修订待批准" in text_of(certifier, "/standards")
    with web.database.reading() as session:
        new = next(row for row in standard_rows(session, 2020) if row.state == "proposed")
    post(lead, f"/standards/{new.id}/decide", decision="approve")
    page = text_of(lead, "/standards/2020")
    assert "120,000.00 元" in page and "独居" in page and "已被取代" in page
    before = text_of(lead, f"/standards/2020?version={old}")
    assert "100,000.00 元" in before and "120,000.00 元" not in before and "仅供查阅" in before
    now = active(web, 2020)
    assert now is not None and now.reasons[:-1] == COUNTY.reasons
    assert now.reasons[-1].title == ("独居", "Alone") and now.reasons[-1].key.startswith("added_")


def test_a_later_year_begins_with_the_latest_one_without_its_base(web: Web) -> None:
    put(web)
    page = text_of(web.sign_in("CENTER_LEAD"), "/standards/new?year=2024")
    assert 'value="2023年农民人均可支配收入"' in page and 'value="2024"' in page and "19128.00" not in page


def test_a_refused_proposal_changes_nothing_and_stays_to_be_read(web: Web) -> None:
    with web.database.transaction() as session:
        row = propose(session, CERTIFIER, AT, COUNTY)
    lead = web.sign_in("CENTER_LEAD")
    assert post(lead, f"/standards/{row.id}/decide", decision="refuse").status_code == 303
    assert active(web, 2020) is None
    page = text_of(lead, "/standards/2020")
    assert "未批准" in page and "退回人" in page and "批准执行" not in page


# What is refused


def test_the_proposer_is_refused_and_told(web: Web) -> None:
    lead = web.sign_in("CENTER_LEAD", person="one")
    post(lead, "/standards/new", page="/standards/new", **filled(COUNTY))
    with web.database.reading() as session:
        (row,) = standard_rows(session, 2020)
    answer = post(
        web.sign_in("LEADING_GROUP", person="one"), f"/standards/{row.id}/decide", decision="approve"
    )
    assert answer.status_code == 403 and "提出人以外的另一人" in answer.get_data(as_text=True)
    assert active(web, 2020) is None


def test_a_decided_proposal_is_not_decided_again(web: Web) -> None:
    row_id = put(web)
    answer = post(web.sign_in("LEADING_GROUP"), f"/standards/{row_id}/decide", decision="refuse")
    assert answer.status_code == 409 and active(web, 2020) == COUNTY


@pytest.mark.parametrize(
    ("changed", "field", "said"),
    [
        ({"base": "19128.001"}, "base", "最多两位小数"),
        ({"base": ""}, "base", "必填"),
        ({"base": "0"}, "base", "金额须大于 0"),
        ({"ratio": "33%"}, "ratio", "不写百分号"),
        ({"ratio": "0"}, "ratio", "比例须大于 0"),
        ({"year": "2021"}, "base_name", "与上一年度"),
        ({"year": "20"}, "year", "2000 到 2999"),
        ({"rounding": "up"}, "rounding", "只能是"),
        ({"deposit_amount_from": ""}, "deposit_amount_from", "必填"),
        ({"housing_uses": ""}, "housing_uses", "必填"),
        ({"housing_uses": "、"}, "housing", "至少写一种"),
        ({"payroll_clause": ""}, "payroll_clause", "必填"),
        ({"reason_2_en": ""}, "reason_2_en", "必填"),
        ({"reason_2_key": "food"}, "reasons", "重复"),
        ({"elderly_from_age": "20"}, "elderly_from_age", "40 到 120"),
    ],
)
def test_a_form_that_cannot_be_comes_back_as_typed_with_the_field_named(
    web: Web, changed: dict[str, str], field: str, said: str
) -> None:
    certifier = web.sign_in("CENTER_CERTIFIER")
    answer = post(certifier, "/standards/new", page="/standards/new", **filled(COUNTY, **changed))
    page = html.unescape(answer.get_data(as_text=True))
    assert answer.status_code == 422
    assert f'href="#f-{field}"' in page and said in page
    assert 'value="商品住宅"' in page or "housing_uses" in changed, "nothing typed is lost"
    with web.database.reading() as session:
        assert not standard_rows(session, 2020) and not standard_rows(session, 2021)


def test_a_wrong_figure_of_the_re_index_comes_back(web: Web) -> None:
    put(web)
    certifier = web.sign_in("CENTER_CERTIFIER")
    for base, said in (("很多", "应为金额"), ("0", "金额须大于 0"), ("", "必填")):
        answer = post(certifier, "/standards/next-year", page="/standards", **NEXT | {"next_base": base})
        page = html.unescape(answer.get_data(as_text=True))
        assert answer.status_code == 422 and said in page and 'href="#f-next_base"' in page


def test_a_year_without_any_is_not_found(web: Web) -> None:
    put(web)
    client = web.sign_in("AUDITOR")
    for url in (
        "/standards/2019",
        "/standards/9" + "9" * 40,
        "/standards/0",
        "/standards/2020?version=nothing",
    ):
        text_of(client, url, 404)
    text_of(client, "/standards/2020?other=1", 400)


def test_a_reverse_standard_that_is_not_ticked_is_left_out(web: Web) -> None:
    certifier = web.sign_in("CENTER_CERTIFIER")
    sent = {name: value for name, value in filled(COUNTY).items() if not name.startswith("vehicle")}
    assert post(certifier, "/standards/new", page="/standards/new", **sent).status_code == 303
    page = text_of(certifier, "/standards/2020")
    assert "高档车辆" not in page and "开办企业" in page


# Who sees what


@pytest.mark.parametrize(
    ("role", "place"),
    [
        ("VILLAGE_OFFICER", "370323100001"),
        ("TOWN_REVIEWER", "370323100"),
        ("CLAIM_OFFICER", "370323"),
        ("AUDITOR", "370323"),
    ],
)
def test_readers_see_all_and_are_offered_nothing_to_do(web: Web, role: str, place: str) -> None:
    row_id = put(web)
    client = web.sign_in(role, place)
    page = text_of(client, "/standards/2020") + text_of(client, "/standards")
    assert "6,312.24" in page and "50,000.00 元" in page and "60 周岁以上贫困老人" in page
    for word in ("提出标准", "批准执行", "修订本年标准", "next_base"):
        assert word not in page
    assert post(client, f"/standards/{row_id}/decide", decision="approve").status_code == 403
    assert post(client, "/standards/next-year", **NEXT).status_code == 403


def test_the_menu_leads_there(web: Web) -> None:
    assert 'href="/standards"' in text_of(web.sign_in("VILLAGE_OFFICER", "370323100001"), "/")
    assert 'href="/standards"' not in text_of(web.sign_in("FIN_MAKER"), "/")


# What is due, and the policies of the year


def test_the_due_year_is_said_on_the_pages_and_on_the_home_page(web: Web) -> None:
    lead = web.sign_in("CENTER_LEAD")
    assert "还没有执行中的标准" not in text_of(lead, "/standards")
    put(web)
    web.clock.at = datetime(2020, 11, 30, tzinfo=UTC)
    lead = web.sign_in("CENTER_LEAD")
    assert "还没有执行中的标准" not in text_of(lead, "/standards/2020")
    web.clock.at = datetime(2021, 1, 4, tzinfo=UTC)
    lead = web.sign_in("CENTER_LEAD")
    said = typeset("2021 年还没有执行中的标准,须按年调整")
    for url in ("/standards", "/standards/2020", "/"):
        assert said in text_of(lead, url)


def test_the_year_s_page_says_whether_its_policies_agree(county: Web) -> None:
    put(county)
    auditor = county.sign_in("AUDITOR")
    page = text_of(auditor, "/standards/2020")
    assert "FPB-370323-2020-S" in page and "✓</span> 一致" in page
    put(county, replace(COUNTY, line=replace(COUNTY.line, base_fen=2_000_000)))
    page = text_of(auditor, "/standards/2020")
    assert "不一致" in page and "<code>poverty_line.basis</code>" in page and "20,000.00 元" in page


def test_the_pages_are_there_in_english(web: Web) -> None:
    put(web)
    client = web.sign_in("CENTER_CERTIFIER")
    client.set_cookie("fangpin_language", "en", domain="localhost")
    page = text_of(client, "/standards/2020")
    for word in (
        "Standards of 2020",
        "rounded down to the yuan",
        "Poor elderly of 60 and more",
        "Safe housing is not assured",
    ):
        assert word in page
    assert "How it is rounded" in text_of(client, "/standards/new")

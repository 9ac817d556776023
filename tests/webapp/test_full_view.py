"""Full views on the claim page, on a line of a batch and in the API: for a purpose, once, counted, known."""

from __future__ import annotations

import html
import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from foundation.masking import Audience, account_for, id_number_for
from foundation.privacy.models import Disclosure
from foundation.trail.events import Event
from payments.models import Payment
from payments.queries import full_account
from tests.claims.desk import Known, counted_statements, known_claims, two_towns
from tests.webapp.api_client import caller
from tests.webapp.conftest import Web, csrf, post
from webapp.models import AccessCount


def with_account(web: Web) -> Known:
    """A claim of a household with more than one member and an account that is paid to."""
    return next(
        claim
        for claim in known_claims(web)
        if claim.facts.household
        and len(claim.facts.household.members) > 1
        and claim.decision.payee_account
        and claim.facts.claim.line == "illness"
    )


def words_of(page: str) -> str:
    return " ".join(html.unescape(re.sub("<[^>]+>", " ", page)).split())


def views(web: Web) -> list[Disclosure]:
    with web.database.reading() as session:
        return list(session.scalars(select(Disclosure).order_by(Disclosure.at)))


def events(web: Web, action: str) -> list[dict[str, Any]]:
    with web.database.reading() as session:
        bodies = session.scalars(select(Event.body).where(Event.action == action).order_by(Event.id))
        return [orjson.loads(body) for body in bodies]


def see(client: FlaskClient, claim: Known, purpose: str = "identity", **fields: str) -> TestResponse:
    return post(client, f"/claims/{claim.id}/full", purpose=purpose, **fields)


# --- the claim page ----------------------------------------------------------------------------------


def test_a_full_view_shows_numbers_and_accounts_this_once(county: Web) -> None:
    claim, client = with_account(county), county.sign_in("CLAIM_OFFICER")
    answer = see(client, claim)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
    household = claim.facts.household
    assert household is not None and claim.decision.payee_account is not None
    for member in household.members:
        assert member.id_number in page
    assert claim.facts.claim.id_number in page and claim.decision.payee_account in page
    told = words_of(page)
    assert "正在显示完整信息：身份证号、银行账号" in told
    assert "测试1 · 2026-11-24 10:00 · 用途：核对身份" in told and "今天还可查看 199 次" in told
    again = client.get(f"/claims/{claim.id}").get_data(as_text=True)
    for member in household.members:
        assert member.id_number not in again and id_number_for(Audience.OFFICER, member.id_number) in again
    assert claim.decision.payee_account not in again
    assert account_for(Audience.OFFICER, claim.decision.payee_account) in again


def test_it_is_a_row_and_an_event_and_stands_in_the_claims_course(county: Web) -> None:
    claim, client = with_account(county), county.sign_in("ADJUDICATOR")
    see(client, claim, "authority", note="沂监函〔2026〕12 号")
    (row,) = views(county)
    assert (row.subject, row.subject_id, row.fields) == ("claim", claim.id, "id_number,account")
    assert (row.person, row.role, row.purpose) == ("person-1", "ADJUDICATOR", "authority")
    assert row.note is not None and "沂监函" not in row.note
    (body,) = events(county, "claim.seen_in_full")
    assert body["reason"] == "purpose=authority fields=id_number,account" and body["subject_id"] == claim.id
    course = words_of(client.get(f"/claims/{claim.id}").get_data(as_text=True).partition('id="course"')[2])
    assert "查看完整信息" in course and "司法或监察机关要求" in course and "沂监函" not in course


def test_the_address_of_a_full_view_opened_again_is_masked(county: Web) -> None:
    claim, client = with_account(county), county.sign_in("CLAIM_OFFICER")
    see(client, claim)
    again = client.get(f"/claims/{claim.id}/full")
    assert again.status_code == 303 and again.headers["Location"] == f"/claims/{claim.id}"
    assert len(views(county)) == 1


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "请选择用途"),
        ({"purpose": "audit"}, "这个用途不适用于此处"),
        ({"purpose": "authority"}, "请写明来函单位和文号"),
        ({"purpose": "identity", "note": "x" * 201}, "最多 200 个字"),
    ],
)
def test_without_a_proper_purpose_the_form_comes_back_and_nothing_is_shown(
    county: Web, fields: dict[str, str], sentence: str
) -> None:
    claim, client = with_account(county), county.sign_in("CLAIM_OFFICER")
    answer = post(client, f"/claims/{claim.id}/full", **fields)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and sentence in page
    assert claim.facts.claim.id_number not in page
    assert views(county) == []


def test_an_auditor_sees_in_full_for_an_audit_and_no_diagnosis(county: Web) -> None:
    claim, client = with_account(county), county.sign_in("AUDITOR")
    offered = client.get(f"/claims/{claim.id}").get_data(as_text=True)
    assert 'value="audit"' in offered and 'value="identity"' not in offered
    assert see(client, claim).status_code == 422
    page = see(client, claim, "audit").get_data(as_text=True)
    cause = claim.facts.claim.cause
    assert claim.facts.claim.id_number in page and cause
    assert cause not in page


@pytest.mark.parametrize("role", ["VILLAGE_OFFICER", "TOWN_REVIEWER", "CENTER_LEAD"])
def test_who_never_sees_in_full_has_no_form_and_is_refused(county: Web, role: str) -> None:
    claim = with_account(county)
    digits = {"VILLAGE_OFFICER": 12, "TOWN_REVIEWER": 9, "CENTER_LEAD": 6}[role]
    client = county.sign_in(role, (claim.village_code or "")[:digits])
    page = client.get(f"/claims/{claim.id}").get_data(as_text=True)
    assert f"/claims/{claim.id}/full" not in page
    assert see(client, claim).status_code == 403
    assert views(county) == []


def test_attack_20_a_claim_elsewhere_is_not_there_and_costs_no_view(county: Web) -> None:
    mine, theirs = two_towns(county)
    client = county.sign_in("CLAIM_OFFICER", (mine.village_code or "")[:9])
    assert see(client, theirs).status_code == 404
    assert see(client, mine).status_code == 200
    assert [row.subject_id for row in views(county)] == [mine.id]


# --- the limit ---------------------------------------------------------------------------------------


def fill(web: Web, person: str, count: int) -> None:
    """Full views that a person has had today."""
    with web.database.transaction() as session:
        for number in range(count):
            session.add(
                Disclosure(
                    id=f"{person}-{number}",
                    at=web.clock.at,
                    seen_on=web.clock.at.date(),
                    person=person,
                    account="account-0",
                    role="CLAIM_OFFICER",
                    place="370323",
                    subject="claim",
                    subject_id="c",
                    fields="id_number",
                    purpose="identity",
                )
            )


def test_attack_37_the_201st_view_of_a_day_is_429_and_an_alert(county: Web) -> None:
    claim, client = with_account(county), county.sign_in("CLAIM_OFFICER", person="person-x")
    fill(county, "person-x", 199)
    last = see(client, claim)
    assert last.status_code == 200 and "今天还可查看 0 次" in words_of(last.get_data(as_text=True))
    second = county.sign_in("ADJUDICATOR", person="person-x")
    for who in (client, second):
        refused = see(who, claim)
        page = refused.get_data(as_text=True)
        assert refused.status_code == 429 and int(refused.headers["Retry-After"]) == 14 * 3600
        assert claim.facts.claim.id_number not in page
    assert len(views(county)) == 200
    assert [body["subject_id"] for body in events(county, "access.limit_reached")] == ["person-x"] * 2
    with county.database.reading() as session:
        counted = select(AccessCount.times).where(AccessCount.kind == "refused_429")
        assert list(session.scalars(counted)) == [1, 1]
    alerts = county.sign_in("SEC_ADMIN").get("/access?part=alerts").get_data(as_text=True)
    assert alerts.count("当日查看已满后继续查看") >= 2
    county.clock.forward(hours=14)
    assert see(county.sign_in("CLAIM_OFFICER", person="person-x"), claim).status_code == 200


def test_attack_37_two_at_once_at_the_200th_view_are_one(county: Web) -> None:
    claim = with_account(county)
    clients = [county.sign_in("CLAIM_OFFICER", person="person-x") for _ in range(2)]
    fill(county, "person-x", 199)
    tokens = [csrf(client) for client in clients]
    start = Barrier(2)

    def look(client: FlaskClient, token: str) -> int:
        start.wait()
        url, form = f"/claims/{claim.id}/full", {"purpose": "identity", "csrf_token": token}
        return client.post(url, data=form).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(look, clients, tokens)) == [200, 429]
    assert len(views(county)) == 200


# --- a line of a batch -------------------------------------------------------------------------------


def a_line(web: Web) -> tuple[str, int, str, str]:
    """(batch, sequence, payment, account) of the second line of a batch."""
    with web.database.reading() as session:
        row = session.execute(
            select(Payment.batch_id, Payment.sequence, Payment.id).where(Payment.sequence == 2)
        ).first()
        assert row is not None
        return (*row, full_account(session, web.sealer, row[0], row[1]))


@pytest.mark.parametrize("role", ["FIN_MAKER", "FIN_CHECKER", "FIN_RELEASER", "RECON"])
def test_finance_sees_one_lines_account_to_compare_it_with_the_bank(county: Web, role: str) -> None:
    batch, sequence, payment, account = a_line(county)
    client = county.sign_in(role)
    masked = client.get(f"/payments/{batch}").get_data(as_text=True)
    assert account not in masked and f"/payments/{batch}/lines/{sequence}/full" in masked
    answer = post(client, f"/payments/{batch}/lines/{sequence}/full", purpose="bank_account")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
    assert page.count(account) == 1 and "用途：与银行核对账户" in words_of(page)
    (row,) = views(county)
    assert (row.subject, row.subject_id, row.fields, row.purpose) == (
        "payment",
        payment,
        "account",
        "bank_account",
    )
    assert [body["subject_id"] for body in events(county, "payment.seen_in_full")] == [payment]
    again = client.get(f"/payments/{batch}/lines/{sequence}/full", follow_redirects=True)
    assert again.status_code == 200 and account not in again.get_data(as_text=True)


def test_a_line_is_seen_for_no_other_purpose_and_one_that_is_not_there_by_nobody(county: Web) -> None:
    batch, sequence, _payment, account = a_line(county)
    client = county.sign_in("FIN_MAKER")
    for fields in ({}, {"purpose": "identity"}, {"purpose": "curiosity"}):
        answer = post(client, f"/payments/{batch}/lines/{sequence}/full", **fields)
        assert answer.status_code == 422 and account not in answer.get_data(as_text=True)
    for other in ("0", "99999", str(2**40)):
        assert (
            post(client, f"/payments/{batch}/lines/{other}/full", purpose="bank_account").status_code == 404
        )
    auditor = county.sign_in("AUDITOR")
    assert "/full" not in auditor.get(f"/payments/{batch}").get_data(as_text=True)
    assert post(auditor, f"/payments/{batch}/lines/{sequence}/full", purpose="audit").status_code == 403
    assert views(county) == []


# --- the API -----------------------------------------------------------------------------------------


def test_a_program_sees_in_full_for_a_purpose_and_each_look_counts(county: Web) -> None:
    claim, program = with_account(county), caller(county, "CLAIM_OFFICER", person="person-x")
    for left in (199, 198):
        answer = program.post(f"/claims/{claim.id}/full-view", {"purpose": "visit"})
        assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
        data = answer.get_json()
        assert data["claimant"]["id_number"] == claim.facts.claim.id_number
        assert data["payee"]["account"] == claim.decision.payee_account
        household = claim.facts.household
        assert household is not None
        assert [member["id_number"] for member in data["members"]] == [m.id_number for m in household.members]
        assert (data["purpose"], data["left_today"]) == ("visit", left)
        assert "cause" not in str(data)
    assert len(views(county)) == 2
    fill(county, "person-x", 198)
    refused = program.post(f"/claims/{claim.id}/full-view", {"purpose": "visit"})
    assert refused.status_code == 429 and refused.get_json()["code"] == "daily_limit_reached"
    assert len(events(county, "access.limit_reached")) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"purpose": "audit"}, 422),
        ({"purpose": "authority"}, 422),
        ({"purpose": "visit", "fields": "all"}, 422),
        ({"purpose": 7}, 422),
        ([], 422),
    ],
)
def test_a_call_without_a_proper_purpose_shows_nothing(county: Web, body: Any, status: int) -> None:
    claim, program = with_account(county), caller(county, "CLAIM_OFFICER")
    answer = program.post(f"/claims/{claim.id}/full-view", body)
    assert answer.status_code == status
    assert claim.facts.claim.id_number not in answer.get_data(as_text=True)
    assert views(county) == []


def test_a_token_without_the_scope_sees_nobody_in_full(county: Web) -> None:
    claim, program = with_account(county), caller(county, "CLAIM_OFFICER", scopes=["claims:read"])
    assert program.post(f"/claims/{claim.id}/full-view", {"purpose": "visit"}).status_code == 403
    assert views(county) == []


# --- attack 143 --------------------------------------------------------------------------------------


def searched(web: Web, client: FlaskClient, number: str) -> tuple[str, list[str]]:
    """The page of a search by ID number without its rows and random parts, and the statements that it took."""
    token = csrf(client)
    with counted_statements(web) as sent:
        answer = client.post("/claims/find", data={"id_number": number, "csrf_token": token})
    assert answer.status_code == 200
    page = answer.get_data(as_text=True).replace(number, "")
    page = re.sub("(?s)<tbody>.*?</tbody>", "", page)
    page = re.sub("共 [0-9]+ 件", "", page)
    return re.sub(r'nonce-[^"\']+|nonce="[^"]*"|value="[0-9a-f]{64}"', "", page), [
        " ".join(re.sub(r"IN \([^)]*\)", "IN ()", statement).split()) for statement in sent
    ]


def test_attack_143_somebody_who_is_there_and_somebody_who_is_not_cost_the_same(county: Web) -> None:
    mine, theirs = two_towns(county)
    nobody = "11010519491231002X"
    assert nobody not in {claim.facts.claim.id_number for claim in known_claims(county)}
    client = county.sign_in("TOWN_REVIEWER", (mine.village_code or "")[:9])
    found = searched(county, client, mine.facts.claim.id_number)
    elsewhere = searched(county, client, theirs.facts.claim.id_number)
    missing = searched(county, client, nobody)
    assert elsewhere == missing
    assert found[0] == missing[0]
    assert len(found[1]) == len(missing[1])
    assert len(events(county, "claims.searched")) == 3

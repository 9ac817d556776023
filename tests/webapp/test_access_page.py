"""The access log: full views, searches, refused requests, sign-ins and alerts, by person and day."""

from __future__ import annotations

import html
import re
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from foundation.privacy.models import Disclosure, Export
from foundation.trail.events import Change, record
from payments.models import Payment
from tests.claims.desk import actor, counted_statements, known_claims
from tests.webapp.conftest import Web, csrf, post
from webapp.access_queries import MANY_REFUSED
from webapp.models import AccessCount
from webapp.services import attempts

NOTE = "沂监函 12 号"


def words(client: FlaskClient, query: str = "") -> str:
    """The text of the page below its head."""
    answer = client.get(f"/access{query}")
    assert answer.status_code == 200
    page = answer.get_data(as_text=True).partition("<main")[2]
    return " ".join(html.unescape(re.sub("<[^>]+>", " ", page)).split())


def seen(web: Web) -> tuple[str, str]:
    """A full view by each of two people, on two days; the number of the claim and of the payment."""
    claim = known_claims(web)[0]
    officer = web.sign_in("CLAIM_OFFICER", person="person-a")
    assert post(officer, f"/claims/{claim.id}/full", purpose="authority", note=NOTE).status_code == 200
    web.clock.forward(hours=15)
    with web.database.reading() as session:
        payment = session.scalars(select(Payment).where(Payment.sequence == 1)).first()
        assert payment is not None
    maker = web.sign_in("FIN_MAKER", person="person-b")
    url = f"/payments/{payment.batch_id}/lines/1/full"
    assert post(maker, url, purpose="bank_account").status_code == 200
    return claim.claim_no, payment.reference


# --- full views --------------------------------------------------------------------------------------


def test_every_full_view_stands_there_with_who_what_and_why(county: Web) -> None:
    number, reference = seen(county)
    page = words(county.sign_in("AUDITOR"))
    assert f"2026-11-24 10:00 测试1 理赔员 {number} 身份证号" in page and "司法或监察机关要求" in page
    assert f"2026-11-25 01:00 测试2 制单 {reference} 银行账号 与银行核对账户" in page
    assert "共 2 次查看" in page and "2026-11-25 测试2 1" in page and "2026-11-24 测试1 1" in page


@pytest.mark.parametrize(
    ("role", "reads", "opens"),
    [("SEC_ADMIN", True, False), ("AUDITOR", True, True), ("LOG_ADMIN", False, False)],
)
def test_the_note_and_the_claim_open_to_whom_they_are_for(
    county: Web, role: str, reads: bool, opens: bool
) -> None:
    seen(county)
    page = county.sign_in(role).get("/access").get_data(as_text=True)
    assert (NOTE in page) == reads
    assert ('<a href="/claims/' in page) == opens
    assert ('<a href="/payments/' in page.partition("<main")[2]) == opens


@pytest.mark.parametrize("role", ["SYS_ADMIN", "CLAIM_OFFICER", "CENTER_LEAD", "VILLAGE_OFFICER"])
def test_nobody_else_reads_it(county: Web, role: str) -> None:
    place = "370323101001" if role == "VILLAGE_OFFICER" else "370323"
    client = county.sign_in(role, place)
    assert client.get("/access").status_code == 403
    assert 'href="/access"' not in client.get("/").get_data(as_text=True)


@pytest.mark.parametrize(
    ("query", "first", "second"),
    [
        ("", True, True),
        ("?person=测试1", True, False),
        ("?person=测试2", False, True),
        ("?person=测试", True, True),
        ("?person=%25", False, False),
        ("?person=谁也不是", False, False),
        ("?day_from=2026-11-25", False, True),
        ("?day_to=2026-11-24", True, False),
        ("?day_from=2026-11-24&day_to=2026-11-25", True, True),
    ],
)
def test_full_views_are_narrowed_by_person_and_day(
    county: Web, query: str, first: bool, second: bool
) -> None:
    number, reference = seen(county)
    page = words(county.sign_in("SEC_ADMIN"), query)
    assert (number in page, reference in page) == (first, second)
    if not (first or second):
        assert "没有符合条件的记录" in page


def test_full_views_are_paged_and_the_number_of_statements_stays(county: Web) -> None:
    claims = known_claims(county)
    client = county.sign_in("SEC_ADMIN")

    def add(first: int, count: int) -> None:
        with county.database.transaction() as session:
            for number in range(first, first + count):
                session.add(
                    Disclosure(
                        id=f"view-{number:03}",
                        at=county.clock.at + timedelta(seconds=number),
                        seen_on=date(2026, 11, 24),
                        person=f"person-{number % 7}",
                        account="account-0",
                        role="CLAIM_OFFICER",
                        place="370323",
                        subject="claim",
                        subject_id=claims[number].id,
                        fields="id_number",
                        purpose="identity",
                    )
                )

    add(0, 2)
    with counted_statements(county) as few:
        client.get("/access")
    add(2, 58)
    with counted_statements(county) as many:
        page = client.get("/access").get_data(as_text=True)
    assert len(few) == len(many)
    assert claims[59].claim_no in page and claims[0].claim_no not in page
    older = html.unescape(re.search(r'rel="next" href="([^"]+)"', page)[1])  # type: ignore[index]
    next_page = client.get(older).get_data(as_text=True)
    assert claims[0].claim_no in next_page and claims[59].claim_no not in next_page
    newer = html.unescape(re.search(r'rel="prev" href="([^"]+)"', next_page)[1])  # type: ignore[index]
    assert claims[59].claim_no in client.get(newer).get_data(as_text=True)


@pytest.mark.parametrize(
    "query", ["?part=secrets", "?page=1", "?cursor=x", "?day_from=x", "?person=", "?part="]
)
def test_odd_addresses_are_refused_or_mean_nothing(county: Web, query: str) -> None:
    answer = county.sign_in("SEC_ADMIN").get(f"/access{query}")
    assert answer.status_code == (200 if query.endswith("=") else 400)


# --- the other parts ---------------------------------------------------------------------------------


def test_searches_are_listed_by_what_was_looked_for_and_never_whom(county: Web) -> None:
    claim = known_claims(county)[0].facts.claim
    post(county.sign_in("CLAIM_OFFICER"), "/claims/find", name=claim.name)
    post(county.sign_in("ADJUDICATOR"), "/claims/find", name=claim.name, id_number=claim.id_number)
    client = county.sign_in("LOG_ADMIN")
    page = words(client, "?part=searches")
    assert "测试1 理赔员 姓名 " in page and "测试2 核赔人 姓名、身份证号" in page and "共 2 条" in page
    assert claim.name not in page and claim.id_number not in page
    narrowed = words(client, "?part=searches&person=测试2")
    assert "测试2 核赔人" in narrowed and "测试1" not in narrowed and "共 1 条" in narrowed
    assert "共 0 条" in words(client, "?part=searches&day_to=2026-11-23")


def test_refused_requests_are_summed_by_person_and_business_day(county: Web) -> None:
    officer = county.sign_in("CLAIM_OFFICER")
    for _ in range(3):
        officer.get("/staff")
    officer.get(f"/claims/{'0' * 32}")
    county.clock.forward(hours=15)  # 01:00 of the next day in Shanghai, still the same one in UTC
    county.sign_in("ADJUDICATOR").get("/staff")
    page = words(county.sign_in("SEC_ADMIN"), "?part=refusals")
    assert "2026-11-24 测试1 user1 3 1 0 4" in page and "2026-11-25 测试2 user2 1 0 0 1" in page
    assert "合计 4 1 0 5" in page and "共 2 条" in page
    assert "合计 1 0 0 1" in words(county.sign_in("SEC_ADMIN"), "?part=refusals&person=测试2")


def test_sign_ins_and_failed_ones_are_listed(county: Web) -> None:
    county.sign_in("CLAIM_OFFICER")
    at = county.clock.at
    with county.database.transaction() as session:
        record(session, actor(), at, [Change("account.signed_in", "account", "account-1")])
        attempts.failed(session, "account-1", attempts.Reserved(locks=True), "password", at)
        record(session, actor(), at, [Change("account.signed_out", "account", "account-1")])
    client = county.sign_in("SEC_ADMIN")
    page = words(client, "?part=sign-ins")
    for said in ("登录成功", "登录失败 密码不对", "账号锁定", "退出登录", "测试1 user1"):
        assert said in page.replace("✓ ", "").replace("! ", "").replace("✕ ", "").replace("· ", "")
    assert "登录成功 1 · 登录失败 1 · 账号锁定 1 · 退出登录 1" in page and "共 4 条" in page
    assert "共 0 条" in words(client, "?part=sign-ins&person=测试2")


def test_alerts_name_the_limit_the_many_refusals_and_the_large_exports(county: Web) -> None:
    at = county.clock.at
    clients = [county.sign_in("CLAIM_OFFICER") for _ in range(3)]
    assert clients
    with county.database.transaction() as session:
        record(session, actor(), at, [Change("access.limit_reached", "staff_member", "person-1", reason="x")])
        for account, times in (("account-2", MANY_REFUSED), ("account-3", MANY_REFUSED - 1)):
            session.add(
                AccessCount(
                    id=account,
                    kind="refused_404",
                    whose=account,
                    window_start=at - timedelta(hours=10),
                    times=times,
                )
            )
        session.add_all(
            Export(
                id=f"export-{people}",
                number=people,
                kind="document",
                arguments="{}",
                state="asked",
                purpose="audit",
                people=people,
                person="person-3",
                account="account-3",
                role="CLAIM_OFFICER",
                place="370323",
                asked_at=at,
            )
            for people in (5000, 5001)
        )
    client = county.sign_in("LOG_ADMIN")
    page = words(client, "?part=alerts")
    assert "测试1 ✕ 当日查看已满后继续查看 已拒绝" in page
    assert f"测试2 ! 一天内多次被拒 当日 {MANY_REFUSED} 次" in page
    assert "测试3 ! 大批量导出 E005001 · 5,001 人" in page
    assert "E005000" not in page and "共 3 条" in page
    assert "共 1 条" in words(client, "?part=alerts&person=测试2")
    assert "共 0 条" in words(client, "?part=alerts&day_to=2026-11-23")


def test_the_log_is_whole_in_english(county: Web) -> None:
    seen(county)
    token = csrf(county.sign_in("CLAIM_OFFICER"))
    assert token
    client = county.sign_in("SEC_ADMIN")
    client.set_cookie("fangpin_language", "en", domain="localhost")
    for part in ("views", "searches", "refusals", "sign-ins", "alerts"):
        page = words(client, f"?part={part}").replace(NOTE, "")
        page = re.sub("测试[0-9]", "", page)
        assert not re.search("[\u4e00-\u9fff]", page), page

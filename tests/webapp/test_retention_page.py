"""The page of retention: what is due, who asked and who approved, holds, and the list of what was destroyed."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, select

from claims.models import ClaimRow
from foundation.jobs import Job
from foundation.privacy.models import LegalHold
from foundation.privacy.retention import shipped
from foundation.runtime import Runtime
from foundation.upkeep import Upkeep
from foundation.web.language import typeset
from tests.webapp.conftest import Web, post
from tests.webapp.erasing import ERASED_CLAIMS, POLICY, a_paid_claim, count, noon, runtime_on
from webapp.celery_app import carry_out_here

DUE = date(2052, 1, 1)


@pytest.fixture
def runtime(county: Web, tmp_path: Path) -> Runtime:
    county.clock.at = noon(DUE)
    return runtime_on(county, tmp_path)


def page(client: FlaskClient, path: str = "/retention", language: str = "zh") -> str:
    client.set_cookie("fangpin_language", language, domain="localhost")
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def upkeep(web: Web) -> Upkeep:
    with web.database.reading() as session:
        return session.scalars(select(Upkeep)).one()


def job(web: Web) -> Job:
    with web.database.reading() as session:
        return session.scalars(select(Job).where(Job.kind == "retention.erase")).one()


def test_the_table_stands_there_with_every_term_and_its_source_in_both_languages(county: Web) -> None:
    client = county.sign_in("AUDITOR")
    chinese, english = page(client), page(client, language="en")
    for rule in shipped().rules:
        assert typeset(rule.source[0]) in chinese
        assert rule.source[1] in english.replace("&#39;", "'")
    assert typeset("30 年,自入账日所在年度终了起") in chinese and "6 个月" in chinese
    assert "30 years from the end of the year of the day of booking" in english
    assert not re.search("[\u3400-\u9fff]", english.split("<main")[1].split("</main>")[0])


def test_an_auditor_looks_on_and_finds_no_button(county: Web, runtime: Runtime) -> None:
    found = page(county.sign_in("AUDITOR")).split("<main")[1]
    assert "<form" not in found.replace('<form class="filters" method="get"', "")


def test_one_asks_another_approves_and_the_background_erases(county: Web, runtime: Runtime) -> None:
    first, second = county.sign_in("SEC_ADMIN"), county.sign_in("SEC_ADMIN")
    assert "申请清除" in page(first)
    assert post(first, "/retention/ask", "/retention").status_code == 303
    asked = upkeep(county)
    assert asked.state == "asked" and "申请清除</button>" not in page(first)
    assert typeset("本人申请,须由他人审批") in page(first)
    own = post(first, f"/retention/{asked.id}/decide", "/retention", decision="approve")
    assert own.status_code == 403 and upkeep(county).state == "asked"
    assert post(second, f"/retention/{asked.id}/decide", "/retention", decision="approve").status_code == 303
    assert upkeep(county).state == "running" and job(county).state == "waiting"
    assert post(second, f"/retention/{asked.id}/decide", "/retention", decision="refuse").status_code == 409
    carry_out_here("retention.erase", [job(county).id])
    assert upkeep(county).state == "finished" and count(county, ERASED_CLAIMS) > 0
    after = page(county.sign_in("AUDITOR"))
    assert "已完成" in after and "下载清册 CSV" in after


def test_asking_and_approving_need_a_fresh_code(county: Web, runtime: Runtime) -> None:
    first, second = county.sign_in("SEC_ADMIN"), county.sign_in("SEC_ADMIN")
    county.clock.forward(minutes=11)
    stale = post(first, "/retention/ask", "/retention")
    assert stale.status_code == 303 and "/step-up" in stale.headers["Location"]
    assert count(county, "upkeep") == 0
    fresh = county.sign_in("SEC_ADMIN")
    post(fresh, "/retention/ask", "/retention")
    asked = upkeep(county)
    stale = post(second, f"/retention/{asked.id}/decide", "/retention", decision="approve")
    assert stale.status_code == 303 and upkeep(county).state == "asked"


def test_what_was_refused_can_be_asked_for_again(county: Web, runtime: Runtime) -> None:
    first, second = county.sign_in("SEC_ADMIN"), county.sign_in("SEC_ADMIN")
    post(first, "/retention/ask", "/retention")
    asked = upkeep(county)
    assert post(second, f"/retention/{asked.id}/decide", "/retention", decision="refuse").status_code == 303
    assert upkeep(county).state == "refused" and count(county, ERASED_CLAIMS) == 0
    assert "未批准" in page(first) and "申请清除" in page(first)
    assert post(first, "/retention/ask", "/retention").status_code == 303


def test_nothing_is_asked_for_where_nothing_is_due(county: Web) -> None:
    client = county.sign_in("SEC_ADMIN")
    assert "申请清除</button>" not in page(client)
    assert post(client, "/retention/ask", "/retention").status_code == 409
    later = page(client, f"/retention?as_of={DUE}")
    assert "<strong>75</strong>" in later and "申请清除</button>" not in later
    assert client.get("/retention?as_of=someday").status_code == 400
    assert client.get("/retention?day=2052-01-01").status_code == 400


def test_an_interrupted_erasure_is_shown_and_goes_on(county: Web, runtime: Runtime) -> None:
    first, second = county.sign_in("SEC_ADMIN"), county.sign_in("SEC_ADMIN")
    post(first, "/retention/ask", "/retention")
    asked = upkeep(county)
    post(second, f"/retention/{asked.id}/decide", "/retention", decision="approve")
    with county.database.transaction() as session:
        row = session.get_one(Job, job(county).id)
        row.state, row.error_code, row.attempts = "failed", "database", 5
    assert "继续清除" in page(second)
    assert post(second, f"/retention/{asked.id}/again", "/retention").status_code == 303
    assert job(county).state == "waiting"
    carry_out_here("retention.erase", [job(county).id])
    assert upkeep(county).state == "finished"


def test_the_list_of_what_was_destroyed_is_complete_and_names_nobody(county: Web, runtime: Runtime) -> None:
    first, second = county.sign_in("SEC_ADMIN"), county.sign_in("SEC_ADMIN")
    post(first, "/retention/ask", "/retention")
    asked = upkeep(county)
    post(second, f"/retention/{asked.id}/decide", "/retention", decision="approve")
    empty = county.sign_in("AUDITOR").get(f"/retention/{asked.id}/list")
    assert len(empty.data.splitlines()) == 1
    carry_out_here("retention.erase", [job(county).id])
    answer = county.sign_in("AUDITOR").get(f"/retention/{asked.id}/list")
    assert answer.status_code == 200 and "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))
    assert len(rows) == upkeep(county).done
    assert {row["erasure"] for row in rows} == {asked.id}
    assert {row["erased_at"] for row in rows} == {"2052-01-01T12:00:00+08:00"}
    for row in rows:
        assert re.fullmatch("[0-9a-f]{32}", row["record"])
        assert re.fullmatch("([0-9a-f]{64})?", row["digest"]) and row["rules"]
        assert row["term_ended_on"] < "2052-01-01"
    assert not re.search("[\u3400-\u9fff]", answer.data.decode("utf-8-sig"))
    assert county.sign_in("AUDITOR").get(f"/retention/{'0' * 32}/list").status_code == 404


# --- holds ------------------------------------------------------------------------------------------------------------


def claim_no(web: Web) -> str:
    with web.database.reading() as session:
        return session.get_one(ClaimRow, a_paid_claim(web).id).claim_no


def test_a_hold_is_set_with_a_reason_and_lifted_by_another_person(county: Web, runtime: Runtime) -> None:
    first, second = county.sign_in("SEC_ADMIN"), county.sign_in("SEC_ADMIN")
    number, reason = claim_no(county), "县法院调卷,资料须保全"
    answer = post(first, "/retention/holds", "/retention", subject="claim", number=number, reason=reason)
    assert answer.status_code == 303
    with county.database.reading() as session:
        hold = session.scalars(select(LegalHold)).one()
    assert reason not in hold.reason and hold.subject_id == a_paid_claim(county).id
    found = page(county.sign_in("AUDITOR"))
    assert number in found and "县法院调卷" in found and "在保全" in found
    assert post(first, f"/retention/holds/{hold.id}/lift", "/retention").status_code == 403
    assert post(second, f"/retention/holds/{hold.id}/lift", "/retention").status_code == 303
    assert post(second, f"/retention/holds/{hold.id}/lift", "/retention").status_code == 409


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"subject": "claim", "number": "no such", "reason": "法院调卷"}, "number"),
        ({"subject": "household", "number": POLICY, "reason": "法院调卷"}, "number"),
        ({"subject": "claim", "number": "", "reason": "法院调卷"}, "number"),
        ({"subject": "policy", "number": POLICY, "reason": "案"}, "reason"),
        ({"subject": "person", "number": "1", "reason": "法院调卷"}, "subject"),
    ],
)
def test_a_hold_that_names_nothing_comes_back_with_what_is_wrong(
    county: Web, fields: dict[str, str], wrong: str
) -> None:
    client = county.sign_in("SEC_ADMIN")
    answer = post(client, "/retention/holds", "/retention", **fields)
    assert answer.status_code == 422 and f'id="f-{wrong}-error"' in answer.get_data(as_text=True)
    assert count(county, "legal_hold") == 0


def test_what_is_erased_already_cannot_be_held(county: Web, runtime: Runtime) -> None:
    number = claim_no(county)
    first, second = county.sign_in("SEC_ADMIN"), county.sign_in("SEC_ADMIN")
    post(first, "/retention/ask", "/retention")
    post(second, f"/retention/{upkeep(county).id}/decide", "/retention", decision="approve")
    carry_out_here("retention.erase", [job(county).id])
    county.clock.forward(days=1)
    late = county.sign_in("SEC_ADMIN")
    answer = post(late, "/retention/holds", "/retention", subject="claim", number=number, reason="法院调卷")
    assert answer.status_code == 422 and "已清除" in answer.get_data(as_text=True)


def test_how_many_statements_the_page_takes_does_not_grow_with_the_claims(county: Web) -> None:
    counted: list[int] = []
    for day in (date(2026, 1, 1), DUE + timedelta(days=1)):
        statements = 0

        def executed(*_: object) -> None:
            nonlocal statements
            statements += 1

        client = county.sign_in("AUDITOR")
        event.listen(county.database.engine, "before_cursor_execute", executed)
        page(client, f"/retention?as_of={day}")
        event.remove(county.database.engine, "before_cursor_execute", executed)
        counted.append(statements)
    assert counted[0] == counted[1] < 60

"""Exports by the pages: the purpose, the second person, the watermark, the register."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Callable
from io import BytesIO
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import select, text, update
from werkzeug.test import TestResponse

from claims.models import ClaimRow, ListingRow
from foundation.privacy.models import Export
from foundation.trail.events import Event
from payments.models import BankFile, Batch
from reports.handing_out import people_in
from reports.models import IssuedDocument
from reports.terms import KINDS
from tests.claims.desk import add_copies, known_claims, one, two_towns
from tests.webapp.conftest import Web, csrf, post


def exports(web: Web) -> list[Export]:
    with web.database.reading() as session:
        return list(session.scalars(select(Export).order_by(Export.number)))


def words_of(answer: TestResponse) -> str:
    return " ".join(html.unescape(re.sub("<[^>]+>", " ", answer.get_data(as_text=True))).split())


def events(web: Web, action: str) -> list[dict[str, Any]]:
    with web.database.reading() as session:
        bodies = session.scalars(select(Event.body).where(Event.action == action).order_by(Event.id))
        return [orjson.loads(body) for body in bodies]


def crowd(web: Web, people: int, start: int = 0) -> None:
    """That many more claimants with a claim each, in the list and for nothing else."""
    claim = one(web, state="review")
    same = [c.name for c in ClaimRow.__table__.columns if c.name not in ("id", "claim_no", "id_lookup")]
    shown = [c.name for c in ListingRow.__table__.columns if c.name not in ("claim_id", "claim_no")]
    numbers = f"WITH RECURSIVE n(i) AS (SELECT {start + 1} UNION ALL SELECT i + 1 FROM n WHERE i < {start + people})"
    claims = (
        f"INSERT INTO claim (id, claim_no, id_lookup, {', '.join(same)}) {numbers} "
        f"SELECT 'crowd-' || i, 'CROWD-' || i, 'person-' || i, {', '.join(same)} FROM n, claim WHERE claim.id = :id"
    )
    rows = (
        f"INSERT INTO claim_listing (claim_id, claim_no, {', '.join(shown)}) {numbers} "
        f"SELECT 'crowd-' || i, 'CROWD-' || i, {', '.join(shown)} FROM n, claim_listing WHERE claim_id = :id"
    )
    with web.database.transaction() as session:
        for statement in (claims, rows):
            session.execute(text(statement), {"id": claim.id})


def take_list(client: FlaskClient, **fields: str) -> TestResponse:
    return post(client, "/claims/export", **fields)


# --- the workbook ------------------------------------------------------------------------------------


def test_a_few_people_need_no_purpose(county: Web) -> None:
    claim = known_claims(county)[0]
    client = county.sign_in("CLAIM_OFFICER")
    page = client.get(f"/claims?number={claim.claim_no}").get_data(as_text=True)
    assert 'id="export"' not in page and 'action="/claims/export"' in page
    answer = take_list(client, number=claim.claim_no)
    assert answer.status_code == 200
    (row,) = exports(county)
    assert (row.people, row.purpose, row.state) == (1, None, "taken")
    # People type all sorts of things: the register keeps a keyed digest of them.
    assert claim.claim_no not in row.arguments and '"number":"#' in row.arguments


def test_more_people_need_one_and_the_form_comes_back_without(county: Web) -> None:
    client = county.sign_in("CLAIM_OFFICER")
    page = client.get("/claims?line=illness").get_data(as_text=True)
    assert 'id="export"' in page and "入户调查" in page
    for fields, sentence in (({}, "请选择用途"), ({"purpose": "authority"}, "请写明来函单位和文号")):
        answer = take_list(client, line="illness", **fields)
        assert answer.status_code == 422 and sentence in answer.get_data(as_text=True)
        assert 'name="line" value="illness"' in answer.get_data(as_text=True)
    assert exports(county) == []
    answer = take_list(client, line="illness", purpose="authority", note="沂法函 7 号")
    assert answer.status_code == 200 and "E000001" in answer.headers["Content-Disposition"]
    (row,) = exports(county)
    assert row.sha256 == hashlib.sha256(answer.data).hexdigest()
    assert row.note is not None and "沂法函" not in row.note


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_workbook_says_who_took_it_when_and_what_for(county: Web, language: str) -> None:
    client = county.sign_in("CLAIM_OFFICER")
    client.set_cookie("fangpin_language", language, domain="localhost")
    book = load_workbook(BytesIO(take_list(client, purpose="visit").data))
    sheet = book.worksheets[0]
    said = str(sheet["A1"].value)
    for part in (
        "E000001",
        "测试1",
        "2026-11-24 10:00",
        "入户调查" if language == "zh" else "visit a household",
    ):
        assert part in said
        assert part in str(book.properties.description)
        assert part in str(sheet.oddHeader.left.text)
    assert book.properties.creator == "测试1"
    assert "E000001" in str(sheet.oddFooter.left.text)
    # The header of the table stays in sight, and filters what is below it.
    head = next(row for row in range(1, 10) if sheet.cell(row, 2).value in ("报案号", "Claim number"))
    assert sheet.freeze_panes == f"A{head + 1}"
    assert sheet.auto_filter.ref == f"A{head}:L{sheet.max_row}"


def test_the_same_person_twice_in_a_list_is_one(county: Web) -> None:
    claim = one(county, state="review")
    add_copies(county, claim, "TWICE", 3)
    answer = take_list(county.sign_in("CLAIM_OFFICER"), number="TWICE-")
    assert answer.status_code == 200
    assert exports(county)[0].people == 1


# --- the second person -------------------------------------------------------------------------------


def test_attack_38_an_export_of_5001_rows_needs_approval_watermark_and_register(county: Web) -> None:
    people = len({claim.facts.claim.id_number for claim in known_claims(county)})
    crowd(county, 5001 - people)
    officer = county.sign_in("CLAIM_OFFICER", person="person-a")
    refused = take_list(officer, purpose="statistics")
    assert refused.status_code == 303 and refused.headers["Location"] == "/exports"
    page = officer.get("/exports")
    assert "已提交审批" in words_of(page) and "待审批" in words_of(page)
    (row,) = exports(county)
    assert (row.state, row.people) == ("asked", 5001)
    # Neither the one who asked nor their second account decides.
    own = county.sign_in("CENTER_LEAD", person="person-a")
    assert "本人申请，须由他人审批" in words_of(own.get("/exports"))
    assert post(own, "/exports/decide", export_id=row.id, decision="approve").status_code == 403
    assert post(officer, "/exports/decide", export_id=row.id, decision="approve").status_code == 403
    lead = county.sign_in("CENTER_LEAD")
    assert post(lead, "/exports/decide", export_id=row.id, decision="approve").status_code == 303
    # Nobody else takes it; the one who asked takes it once.
    form = 'action="/claims/export"'
    assert form not in county.sign_in("CLAIM_OFFICER").get("/exports").get_data(as_text=True)
    assert form in officer.get("/exports").get_data(as_text=True)
    answer = take_list(officer, purpose="statistics")
    assert answer.status_code == 200
    sheet = load_workbook(BytesIO(answer.data)).worksheets[0]
    assert "E000001" in str(sheet["A1"].value) and "5001" in str(sheet["A1"].value)
    (row,) = exports(county)
    assert (row.state, row.decided_by) == ("taken", "person-3")
    assert row.sha256 == hashlib.sha256(answer.data).hexdigest()
    assert take_list(officer, purpose="statistics").status_code == 303
    alerts = county.sign_in("AUDITOR").get("/access?part=alerts")
    assert "大批量导出" in words_of(alerts)
    assert "E000001 · 5,001 人" in words_of(alerts)


def test_attack_38_what_grew_since_its_approval_is_not_taken(county: Web) -> None:
    crowd(county, 5100)
    officer, lead = county.sign_in("CLAIM_OFFICER"), county.sign_in("SEC_ADMIN")
    take_list(officer, purpose="statistics")
    (row,) = exports(county)
    post(lead, "/exports/decide", export_id=row.id, decision="approve")
    crowd(county, 1, start=5100)
    answer = take_list(officer, purpose="statistics")
    assert answer.status_code == 303
    assert "已重新提交审批：E000002" in words_of(officer.get("/exports"))
    assert [(row.state, row.sha256) for row in exports(county)] == [("approved", None), ("asked", None)]


def test_a_decision_asks_for_a_fresh_second_factor_and_is_made_once(county: Web) -> None:
    crowd(county, 5100)
    take_list(county.sign_in("CLAIM_OFFICER"), purpose="statistics")
    (row,) = exports(county)
    stale = county.sign_in("CENTER_LEAD", second_factor=False)
    answer = post(stale, "/exports/decide", export_id=row.id, decision="approve")
    assert answer.status_code == 303 and "/step-up" in answer.headers["Location"]
    assert exports(county)[0].state == "asked"
    lead = county.sign_in("CENTER_LEAD")
    assert post(lead, "/exports/decide", export_id=row.id, decision="refuse").status_code == 303
    assert post(lead, "/exports/decide", export_id=row.id, decision="approve").status_code == 409
    assert post(lead, "/exports/decide", export_id="nothing", decision="approve").status_code == 404
    assert post(lead, "/exports/decide", export_id=row.id, decision="perhaps").status_code == 422
    assert exports(county)[0].state == "refused"
    assert [body["actor"]["role"] for body in events(county, "export.refused")] == ["CENTER_LEAD"]


# --- documents and bank files ------------------------------------------------------------------------


def document(web: Web, kind: str) -> IssuedDocument:
    with web.database.reading() as session:
        return session.scalars(select(IssuedDocument).where(IssuedDocument.kind == kind)).first()  # type: ignore[return-value]


def test_a_letter_is_one_person_and_carries_the_number_in_its_name(county: Web) -> None:
    letter = document(county, "payment_notice")
    client = county.sign_in("CENTER_LEAD")
    answer = post(client, f"/documents/{letter.id}")
    assert answer.status_code == 200 and "-E000001.pdf" in answer.headers["Content-Disposition"]
    assert hashlib.sha256(answer.data).hexdigest() == letter.sha256
    (row,) = exports(county)
    assert (row.kind, row.subject_id, row.people, row.sha256) == ("document", letter.id, 1, letter.sha256)


@pytest.mark.parametrize("kind", ["batch_summary", "audit_report"])
def test_a_report_about_many_people_asks_what_it_is_for(county: Web, kind: str) -> None:
    report = document(county, kind)
    with county.database.reading() as session:
        payments = int(session.scalar(text("SELECT count(*) FROM payment")) or 0)
        assert people_in(session, kind, report.subject_id, report.issued_at) == payments > 50
    client = county.sign_in("AUDITOR")
    listed = client.get("/documents").get_data(as_text=True)
    assert f'href="/documents/{report.id}"' in listed
    page = words_of(client.get(f"/documents/{report.id}"))
    assert f"涉及人数 {payments}" in page and "审计检查" in page
    refused = post(client, f"/documents/{report.id}")
    assert refused.status_code == 422 and "请选择用途" in words_of(refused)
    answer = post(client, f"/documents/{report.id}", purpose="audit")
    assert answer.status_code == 200 and hashlib.sha256(answer.data).hexdigest() == report.sha256
    assert [(row.people, row.purpose) for row in exports(county)] == [(payments, "audit")]


def test_every_kind_of_document_says_how_many_people_it_is_about(county: Web) -> None:
    subjects = {
        "village_notice": "370323101001.recognition.2020-01-01.2020-01-31.2020-02-01",
        "cover_certificate": f"{'a' * 32}.FPB-1",
    }
    with county.database.reading() as session:
        for kind in KINDS:
            assert people_in(session, kind, subjects.get(kind, "none"), county.clock.at) >= 0
        assert people_in(session, "programme_report", "any", county.clock.at) == 0
        with pytest.raises(KeyError):
            people_in(session, "a_new_kind", "none", county.clock.at)


def a_bank_file(web: Web) -> tuple[BankFile, Batch]:
    with web.database.reading() as session:
        file = session.scalars(select(BankFile).order_by(BankFile.format)).first()
        assert file is not None
        return file, session.get_one(Batch, file.batch_id)


def test_a_bank_file_asks_for_its_purpose_and_keeps_its_name_and_bytes(county: Web) -> None:
    file, batch = a_bank_file(county)
    client = county.sign_in("FIN_MAKER")
    page = client.get(f"/payments/{batch.id}").get_data(as_text=True)
    assert batch.payments > 50 and '<option value="to_bank" selected>' in page
    refused = post(client, f"/payments/files/{file.id}")
    assert refused.status_code == 422 and "请选择用途" in words_of(refused)
    answer = post(client, f"/payments/files/{file.id}", purpose="to_bank")
    assert answer.status_code == 200 and f'filename="{file.name}"' in answer.headers["Content-Disposition"]
    assert hashlib.sha256(answer.data).hexdigest() == file.sha256
    (row,) = exports(county)
    assert (row.kind, row.people, row.purpose, row.decided_by) == (
        "bank_file",
        batch.payments,
        "to_bank",
        None,
    )
    assert len(events(county, "bank_file.downloaded")) == 1


@pytest.mark.parametrize(("taker", "second"), [("somebody", "released_by"), ("released_by", "checked_by")])
def test_above_5000_who_released_the_batch_is_the_second_person(county: Web, taker: str, second: str) -> None:
    file, batch = a_bank_file(county)
    with county.database.transaction() as session:
        # What the guards forbid the program: a batch that is as large as none of the small pack's.
        drop = "DROP TRIGGER batch_frozen" + ("" if session.bind.dialect.name == "sqlite" else " ON batch")  # type: ignore[union-attr]
        session.execute(text(drop))
        session.execute(update(Batch).where(Batch.id == batch.id).values(payments=5001))
    person = getattr(batch, taker, None) or taker
    client = county.sign_in("FIN_RELEASER", person=person)
    assert post(client, f"/payments/files/{file.id}", purpose="to_bank").status_code == 200
    (row,) = exports(county)
    assert (row.people, row.decided_by) == (5001, getattr(batch, second))


# --- the register ------------------------------------------------------------------------------------


def test_ordinary_roles_see_their_own_exports_and_who_watches_sees_all(county: Web) -> None:
    first = county.sign_in("CLAIM_OFFICER", person="person-a")
    second = county.sign_in("ADJUDICATOR", person="person-b")
    number = known_claims(county)[0].claim_no
    take_list(first, number=number)
    take_list(second, purpose="visit")
    assert "E000001" in words_of(first.get("/exports")) and "E000002" not in words_of(first.get("/exports"))
    for role in ("SEC_ADMIN", "AUDITOR", "CENTER_LEAD"):
        page = words_of(county.sign_in(role).get("/exports"))
        assert "E000001" in page and "E000002" in page and "共 2 项 · 已导出 2 项" in page
        assert "报案号的一部分" in page and number not in page
    assert "E000001" not in words_of(county.sign_in("LOG_ADMIN").get("/exports"))


FILTERS: list[tuple[str, Callable[[str], bool]]] = [
    ("kind=document", lambda page: "E000002" in page and "E000001" not in page),
    ("kind=claims_workbook", lambda page: "E000001" in page and "E000002" not in page),
    ("person=测试2", lambda page: "E000002" in page and "E000001" not in page),
    ("state=taken", lambda page: "E000001" in page and "E000002" in page),
    ("state=asked", lambda page: "没有符合条件的导出" in page),
    ("state=lapsed", lambda page: "没有符合条件的导出" in page),
    ("day_from=2026-11-25", lambda page: "E000002" in page and "E000001" not in page),
    ("day_to=2026-11-24", lambda page: "E000001" in page and "E000002" not in page),
]


@pytest.mark.parametrize(("query", "right"), FILTERS, ids=[query for query, _ in FILTERS])
def test_the_register_is_narrowed(county: Web, query: str, right: Callable[[str], bool]) -> None:
    take_list(county.sign_in("CLAIM_OFFICER"), purpose="visit")
    letter = document(county, "payment_notice")
    county.clock.forward(hours=15)
    post(county.sign_in("CENTER_LEAD"), f"/documents/{letter.id}")
    assert right(words_of(county.sign_in("SEC_ADMIN").get(f"/exports?{query}")))


def test_the_register_is_paged_and_odd_addresses_are_refused(county: Web) -> None:
    client = county.sign_in("CENTER_LEAD")
    letter, token = document(county, "payment_notice"), csrf(client)
    for _ in range(52):
        client.post(f"/documents/{letter.id}", data={"csrf_token": token})
    page = client.get("/exports").get_data(as_text=True)
    assert "E000052" in page and "E000002" not in page
    older = html.unescape(re.search(r'rel="next" href="([^"]+)"', page)[1])  # type: ignore[index]
    assert "E000002" in client.get(older).get_data(as_text=True)
    for query in ("state=gone", "kind=secret", "page=2", "cursor=x", "day_from=yesterday"):
        assert client.get(f"/exports?{query}").status_code == 400


def test_a_place_sees_no_export_of_another_place(county: Web) -> None:
    mine, theirs = two_towns(county)
    here, there = (claim.village_code or "" for claim in (mine, theirs))
    take_list(county.sign_in("CLAIM_OFFICER", here[:9]), purpose="visit")
    assert "E000001" in words_of(county.sign_in("CENTER_LEAD", here[:9]).get("/exports"))
    assert "E000001" not in words_of(county.sign_in("CENTER_LEAD", there[:9]).get("/exports"))

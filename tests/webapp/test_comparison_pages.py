"""Pages and API of the comparison: run, looked at by each place, an auditor's list that leaves nothing, clearances."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from foundation.blobs import BlobStore
from foundation.runtime import Runtime, set_current
from foundation.spreadsheets import write_workbook
from foundation.web.acting import EXTENSION
from households.checks import EXAMINED
from households.models.comparison import ComparisonHit, ComparisonRun
from households.models.people import HouseholdRow, Membership, Person
from households.models.proposals import Proposal
from households.queries.people import identity
from migrations.schema import METADATA
from tests.webapp.api_client import Caller, caller
from tests.webapp.conftest import Web, csrf, post
from webapp.demo_actors import SYSTEM
from webapp.worker import carry_out_due


@pytest.fixture
def desk(county: Web, tmp_path: Path) -> Web:
    """The small pack's county with a folder for files, and the runtime that its jobs run in."""
    files = BlobStore(tmp_path / "files", county.sealer)
    set_current(Runtime(county.database, county.sealer, county.clock, SYSTEM, files=files))
    county.app.extensions[EXTENSION] = replace(county.app.extensions[EXTENSION], files=files)
    return county


def body(answer: TestResponse, status: int = 200) -> str:
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def run_everyone(desk: Web, client: FlaskClient | None = None) -> str:
    """A run over the county, asked for on the page and carried out; its id."""
    client = client or desk.sign_in("CENTER_CERTIFIER")
    assert post(client, "/comparison/place", place="370323").status_code == 303
    while carry_out_due():
        desk.clock.forward(seconds=1)
    with desk.database.reading() as session:
        newest = select(ComparisonRun.id).order_by(ComparisonRun.run_at.desc()).limit(1)
        return session.scalars(newest).one()


def a_hit(desk: Web, run_id: str, matters: tuple[str, ...] = EXAMINED) -> ComparisonHit:
    with desk.database.reading() as session:
        mine = (ComparisonHit.run_id == run_id) & ComparisonHit.matter.in_(matters)
        query = select(ComparisonHit).where(mine, ComparisonHit.household_id.is_not(None))
        return session.scalars(query.order_by(ComparisonHit.id).limit(1)).one()


def number_of(desk: Web, person_id: str) -> str:
    with desk.database.reading() as session:
        number, _ = identity(desk.sealer, session.get_one(Person, person_id))
    assert number is not None
    return number


def other_town(place: str) -> str:
    return f"370323{(int(place[6:9]) + 1) % 1000:03d}"


# --- running and looking -------------------------------------------------------------------------------


def test_everyone_is_compared_in_the_background_and_the_page_says_so(desk: Web) -> None:
    client = desk.sign_in("CENTER_CERTIFIER")
    assert "还没有比对过" in body(client.get("/comparison"))
    assert post(client, "/comparison/place", place="370323").status_code == 303
    page = body(client.get("/comparison"))
    assert "正在比对:全县".replace(":", "\uff1a") in page and 'hx-get="/comparison/progress"' in page
    assert "正在比对" in body(client.get("/comparison/progress"))
    assert body(post(client, "/comparison/place", place="370323"), 409)
    while carry_out_due():
        pass
    answer = client.get("/comparison/progress")
    assert answer.headers["HX-Refresh"] == "true"
    page = body(client.get("/comparison"))
    assert "BD000001" in page and "正在比对" not in page
    assert "保单" in page and "沿用" in page  # the policy of 2020 in 2026: carried over, and said so


def test_a_run_shows_hits_masked_with_source_and_day_and_what_has_no_data(desk: Web) -> None:
    run_id = run_everyone(desk)
    client = desk.sign_in("CENTER_LEAD")
    hit = a_hit(desk, run_id)
    page = body(client.get(f"/comparison/{run_id}?place={hit.village_code}"))
    number = number_of(desk, hit.person_id)
    assert number not in page and f"{number[:6]}********{number[14:]}" in page
    assert "县包数据" in page and "无数据" in page and "从未" not in page
    record = body(client.get(f"/comparison/{run_id}?kind=record"))
    assert "部门有记录" in record
    one = body(client.get(f"/comparison/{run_id}?matter={hit.matter}&place={hit.village_code}"))
    assert f"{number[:6]}********{number[14:]}" in one
    assert body(client.get(f"/comparison/{run_id}?matter=nothing"), 400)
    assert body(client.get(f"/comparison/{run_id}?id_number={number}"), 400)


def test_the_matrix_of_a_household_has_the_three_states_in_words_and_marks(desk: Web) -> None:
    run_id = run_everyone(desk)
    client = desk.sign_in("CENTER_CERTIFIER")
    hit = a_hit(desk, run_id)
    page = body(client.get(f"/comparison/{run_id}/households/{hit.household_id}"))
    for kind, sign, word in (("bad", "✕", "命中"), ("ok", "✓", "未命中"), ("warn", "!", "无数据")):
        assert (
            f'<span class="badge badge-{kind}"><span aria-hidden="true">{sign}</span> {word}</span>' in page
        )
    english = desk.sign_in("CENTER_CERTIFIER")
    post(english, "/language", language="en")
    page = body(english.get(f"/comparison/{run_id}/households/{hit.household_id}"))
    for word in ("HIT", "CLEAR", "NO DATA"):
        assert f"</span> {word}</span>" in page
    answer = post(client, "/comparison/household", household_id=hit.household_id)
    assert answer.status_code == 303
    own = body(client.get(answer.headers["Location"]))
    assert "BD000002" in own
    assert body(client.get(answer.headers["Location"].replace(str(hit.household_id), "0" * 32)), 404)


def test_a_town_sees_its_own_hits_and_another_towns_run_does_not_exist(desk: Web) -> None:
    run_id = run_everyone(desk)
    hit = a_hit(desk, run_id)
    village = str(hit.village_code)
    certifier = desk.sign_in("CENTER_CERTIFIER")
    household = post(certifier, "/comparison/household", household_id=hit.household_id).headers["Location"]
    number = number_of(desk, hit.person_id)
    listed = post(certifier, "/comparison/list", numbers=number).headers["Location"]
    masked = f"{number[:6]}********{number[14:]}"
    for role, place in (("TOWN_REVIEWER", village[:9]), ("VILLAGE_OFFICER", village)):
        theirs = desk.sign_in(role, place)
        assert masked in body(theirs.get(f"/comparison/{run_id}"))
        assert "BD000001" in body(theirs.get("/comparison"))
        for address in (household, listed, f"/comparison/{run_id}/households/{hit.household_id}"):
            body(theirs.get(address))
    elsewhere = desk.sign_in("TOWN_REVIEWER", other_town(village))
    page = body(elsewhere.get(f"/comparison/{run_id}"))
    assert masked not in page
    assert masked not in body(elsewhere.get(f"/comparison/{run_id}?place={village}"))
    nowhere = body(elsewhere.get(f"/comparison/{'0' * 32}"), 404)
    for address in (household, listed, f"/comparison/{run_id}/households/{hit.household_id}"):
        found = body(elsewhere.get(address), 404)
        plain = re.compile("[0-9a-f]{16,}|nonce-[^']+")
        if address == listed:
            assert plain.sub("", found) == plain.sub("", nowhere)
    for address in (f"/comparison/{run_id}/export", "/comparison/household"):
        body(post(elsewhere, address), 403)
    assert "BD000002" not in body(elsewhere.get("/comparison"))


def test_a_list_may_be_pasted_or_come_as_a_workbook_and_strangers_are_told(desk: Web) -> None:
    run_id = run_everyone(desk)
    hit = a_hit(desk, run_id)
    number = number_of(desk, hit.person_id)
    client = desk.sign_in("CENTER_CERTIFIER")
    content = write_workbook(
        {"名单": [["姓名", "身份证号"], ["某人", number], ["陌生人", "110101199003074514"]]}
    )
    data = {"csrf_token": csrf(client), "file": (io.BytesIO(content), "张三的名单.xlsx")}
    answer = client.post("/comparison/list", data=data, content_type="multipart/form-data")
    page = body(client.get(answer.headers["Location"]))
    assert "名单中有 1 人不在登记中" in page
    assert body(post(client, "/comparison/list", numbers="没有号码 123456"), 422)
    assert "请改正以下内容" in body(post(client, "/comparison/list"), 422)
    both = {"csrf_token": csrf(client), "numbers": number, "file": (io.BytesIO(b"x"), "a.csv")}
    body(client.post("/comparison/list", data=both, content_type="multipart/form-data"), 422)


def test_differences_are_shown_and_handed_out_as_a_workbook(desk: Web) -> None:
    first = run_everyone(desk)
    desk.clock.forward(hours=1)
    with desk.database.transaction() as session:  # a person leaves: their hits are gone
        hit = a_hit(desk, first)
        session.execute(
            text("UPDATE membership SET retired_at = :at WHERE person_id = :person"),
            {"at": _instant(desk), "person": hit.person_id},
        )
    second = run_everyone(desk)
    client = desk.sign_in("CENTER_LEAD")
    body(client.get(f"/comparison/{first}/differences"), 404)
    assert "没有变化" in body(client.get(f"/comparison/{second}/differences"))
    gone = body(client.get(f"/comparison/{second}/differences?change=gone"))
    number = number_of(desk, hit.person_id)
    assert f"{number[:6]}********{number[14:]}" in gone
    answer = post(client, f"/comparison/{second}/differences/export", kind="examined")
    sheets = openpyxl.load_workbook(io.BytesIO(answer.get_data())).worksheets
    assert [sheet.title for sheet in sheets] == ["新增命中", "不再命中", "数据变化"]
    cells = {str(cell.value) for sheet in sheets for row in sheet.iter_rows() for cell in row}
    assert number not in cells and f"{number[:6]}********{number[14:]}" in cells
    assert any("导出编号 E" in cell for cell in cells)
    with desk.database.reading() as session:
        export = session.execute(text("SELECT kind, people FROM export ORDER BY number DESC LIMIT 1")).one()
    assert export == ("comparison_workbook", 1)


def _instant(desk: Web) -> Any:
    sqlite = desk.database.engine.dialect.name == "sqlite"
    return desk.clock.at.isoformat(timespec="microseconds") if sqlite else desk.clock.at


def test_the_hits_of_a_run_are_handed_out_by_the_register_of_exports(desk: Web) -> None:
    run_id = run_everyone(desk)
    client = desk.sign_in("AUDITOR")
    answer = post(client, f"/comparison/{run_id}/export", kind="examined", purpose="audit")
    book = openpyxl.load_workbook(io.BytesIO(answer.get_data()))
    assert book.sheetnames == ["命中", "数据情况"]
    register = body(client.get("/exports"))
    assert "比对结果" in register and "类别 需核查" in register and "BD000001" in register


# --- an auditor's list ---------------------------------------------------------------------------------


def test_an_auditors_list_is_shown_and_leaves_nothing_behind(desk: Web, tmp_path: Path) -> None:
    run_id = run_everyone(desk)
    hit = a_hit(desk, run_id)
    stranger, known = "110101199003074514", number_of(desk, hit.person_id)
    client = desk.sign_in("AUDITOR")
    token = csrf(client)
    before = _sizes(desk)
    page = body(
        client.post(
            "/comparison/check",
            data={"csrf_token": token, "numbers": f"陌生人 {stranger}\n{known}\n{known}", "answer": "show"},
        )
    )
    after = _sizes(desk)
    grown = {name for name in after if after[name] != before[name]}
    assert grown <= {"event", "access_count"} and after["event"] == before["event"] + 1
    assert stranger not in page and "110101********4514" in page
    assert "重复 1 个已去掉" in page and "无数据" in page
    assert not _anywhere(desk, tmp_path, stranger)
    content = write_workbook({"名单": [["身份证号"], [stranger], [known]]})
    data = {"csrf_token": token, "answer": "workbook", "file": (io.BytesIO(content), "名单.xlsx")}
    answer = client.post("/comparison/check", data=data, content_type="multipart/form-data")
    book = openpyxl.load_workbook(io.BytesIO(answer.get_data()))
    cells = {str(cell.value) for sheet in book.worksheets for row in sheet.iter_rows() for cell in row}
    assert "110101********4514" in cells and stranger not in cells and "无数据" in cells
    assert any("导出编号 E" in cell for cell in cells)
    grown = {name for name, size in _sizes(desk).items() if size != before[name]}
    assert grown <= {"event", "access_count", "export", "counter"}
    assert not _anywhere(desk, tmp_path, stranger)
    assert not _anywhere(desk, tmp_path, desk.sealer.lookup("id_number", stranger))


def _sizes(desk: Web) -> dict[str, int]:
    with desk.database.reading() as session:
        names = sorted(METADATA.tables)
        return {name: session.scalar(text(f"SELECT COUNT(*) FROM {name}")) or 0 for name in names}


def _anywhere(desk: Web, tmp_path: Path, word: str) -> bool:
    """Whether a word lies in any cell of the database, or in any file of the installation."""
    with desk.database.reading() as session:
        for name in METADATA.tables:
            for row in session.execute(text(f"SELECT * FROM {name}")):
                if any(word in str(cell) for cell in row):
                    return True
    return any(word.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_many_people_need_a_purpose_and_only_the_auditor_has_the_list(desk: Web) -> None:
    with desk.database.reading() as session:
        people = session.scalars(select(Person).limit(60)).all()
        numbers = [identity(desk.sealer, person)[0] or "" for person in people]
    assert len(numbers) > 50
    auditor = desk.sign_in("AUDITOR")
    page = body(post(auditor, "/comparison/check", numbers="\n".join(numbers), answer="workbook"), 422)
    assert "请选择用途" in page and numbers[0] not in page
    for role in ("CENTER_CERTIFIER", "SEC_ADMIN", "CLAIM_OFFICER"):
        body(post(desk.sign_in(role), "/comparison/check", numbers=numbers[0], answer="show"), 403)
    body(post(auditor, "/comparison/list", numbers=numbers[0]), 403)
    assert "审计名单比对" not in body(desk.sign_in("CENTER_CERTIFIER").get("/comparison"))


# --- clearances ----------------------------------------------------------------------------------------


def test_a_town_hands_in_evidence_and_the_form_says_what_is_missing(desk: Web) -> None:
    run_id = run_everyone(desk)
    hit = a_hit(desk, run_id, ("deposit", "machinery", "housing", "vehicle", "company", "payroll"))
    town = desk.sign_in("TOWN_REVIEWER", str(hit.village_code)[:9])
    address = f"/households/{hit.household_id}/clearance"
    assert f"{address}?matter={hit.matter}" in body(town.get(f"/comparison/{run_id}"))
    assert "核查澄清" in body(town.get(f"{address}?matter={hit.matter}"))
    fields = {"matter": hit.matter, "cleared_on": "2026-11-20", "result": "passed", "note": "已核实"}

    def send(client: FlaskClient, *papers: bytes, **changes: str) -> TestResponse:
        data: dict[str, Any] = {**fields, **changes, "csrf_token": csrf(client)}
        data["papers"] = [(io.BytesIO(paper), f"某人{n}.pdf") for n, paper in enumerate(papers)]
        return client.post(address, data=data, content_type="multipart/form-data")

    assert "请附上证明材料" in body(send(town), 422)
    assert "PDF" in body(send(town, b"MZ no paper"), 422)
    assert "不能晚于今天" in body(send(town, b"%PDF-1.7", cleared_on="2026-11-25"), 422)
    assert send(town, b"%PDF-1.7 proof").status_code == 303
    body(send(town, b"%PDF-1.7 proof"), 409)  # the same again
    with desk.database.reading() as session:
        proposal = session.scalars(select(Proposal).where(Proposal.kind == "clearance")).one()
    assert proposal.state == "asked" and "某人" not in (proposal.evidence or "")
    assert "未澄清" in body(town.get(f"/comparison/{run_id}"))
    lead = desk.sign_in("CENTER_LEAD")
    decision = f"/proposals/{proposal.id}/decide"
    body(post(town, decision, decision="approve"), 403)
    assert post(lead, decision, decision="approve").status_code == 303
    page = body(town.get(f"/comparison/{run_id}?matter={hit.matter}"))
    assert "已澄清" in page and "2026-11-20" in page
    home = body(lead.get(f"/households/{hit.household_id}"))
    assert "已澄清" in home and "无数据" in home
    elsewhere = desk.sign_in("TOWN_REVIEWER", other_town(str(hit.village_code)))
    body(elsewhere.get(address), 404)
    body(send(elsewhere, b"%PDF-1.7 proof"), 404)


# --- the API -------------------------------------------------------------------------------------------


def write(program: Caller, order: Any, key: str) -> TestResponse:
    return program.client.post(
        "/api/v1/comparisons", json=order, headers=program.headers(Idempotency_Key=key)
    )


def test_the_api_starts_runs_once_for_a_key_and_gives_hits_masked(desk: Web) -> None:
    run_id = run_everyone(desk)
    hit = a_hit(desk, run_id)
    number = number_of(desk, hit.person_id)
    program = caller(desk, "CENTER_CERTIFIER")
    answer = write(program, {"household_id": hit.household_id}, "k1").get_json()
    assert write(program, {"household_id": hit.household_id}, "k1").get_json() == answer
    data = program.data(f"/comparisons/{answer['id']}")
    assert data["scope"] == "household" and data["checks"][0]["unhit"] in ("clear", "no_data")
    (row,) = [one for one in data["found"]["rows"] if one["person_id"] == hit.person_id][:1]
    assert row["id_number"] == f"{number[:6]}********{number[14:]}"
    assert {one["unhit"] for one in data["checks"]} == {"clear", "no_data"}
    assert all(
        one["unhit"] == ("clear" if all(feed["delivered"] for feed in one["feeds"]) else "no_data")
        for one in data["checks"]
    )
    listed = write(program, {"id_numbers": [number, "110101199003074514"]}, "k2").get_json()
    assert listed["not_compared"] == 1
    assert write(program, {"place": "370323"}, "k3").get_json() == {"id": None, "not_compared": 0}
    assert write(program, {"place": "370323", "id_numbers": [number]}, "k4").status_code == 422
    assert write(program, {}, "k5").status_code == 422
    assert program.post("/comparisons", {"place": "370323"}).status_code == 400  # no key
    rows = program.data("/comparisons")["rows"]
    assert {one["scope"] for one in rows} == {"everyone", "household", "list"}


def test_a_towns_token_gets_its_own_hits_and_starts_nothing(desk: Web) -> None:
    run_id = run_everyone(desk)
    village = str(a_hit(desk, run_id).village_code)
    with desk.database.reading() as session:
        mine = select(ComparisonHit.person_id).where(
            ComparisonHit.run_id == run_id, ComparisonHit.village_code.startswith(village[:9])
        )
        people = set(session.scalars(mine))
        home = session.scalars(
            select(Membership.household_id)
            .join(HouseholdRow, HouseholdRow.id == Membership.household_id)
            .where(HouseholdRow.village_code == village)
            .limit(1)
        ).one()
    town = caller(desk, "TOWN_REVIEWER", village[:9])
    data = town.data(f"/comparisons/{run_id}")
    assert data["people"] is None and {one["person_id"] for one in data["found"]["rows"]} <= people
    assert write(town, {"household_id": home}, "k1").status_code == 403
    own = write(caller(desk, "CENTER_CERTIFIER"), {"household_id": home}, "k1").get_json()["id"]
    elsewhere = caller(desk, "TOWN_REVIEWER", other_town(village))
    assert elsewhere.get(f"/comparisons/{own}").status_code == 404
    assert elsewhere.data(f"/comparisons/{run_id}")["hits"] == sum(
        one["hits"] for one in elsewhere.data("/comparisons")["rows"]
    )

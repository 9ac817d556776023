"""Uploading a county pack through the pages: looked at, shown, taken in; and what is refused on the way."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import openpyxl
import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from claims.models import ClaimRow, DecisionRow, PackIntake, PackUpload
from foundation.blobs import BlobStore
from foundation.database import Database
from foundation.jobs import Job
from foundation.privacy.models import Export
from foundation.runtime import Runtime, set_current
from foundation.trail.events import Event
from tests.claims.test_uploads import contents, encrypted, zipped
from tests.webapp.conftest import Web, csrf, post
from webapp.demo_actors import SYSTEM
from webapp.worker import carry_out_due

Files = list[tuple[str, bytes]]


@pytest.fixture
def desk(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Web:
    """An application with a folder for uploads, and the runtime that its jobs are carried out in."""
    monkeypatch.setenv("FANGPIN_FILES", str(tmp_path / "files"))
    set_current(
        Runtime(web.database, web.sealer, web.clock, SYSTEM, files=BlobStore(tmp_path / "files", web.sealer))
    )
    return web


def send(client: FlaskClient, files: Files, **more: str) -> TestResponse:
    data = {
        "csrf_token": csrf(client),
        "consent_version": "2019-10",
        "files": [(io.BytesIO(content), name) for name, content in files],
        **more,
    }
    return client.post("/packs", data=data, content_type="multipart/form-data")


def uploaded(client: FlaskClient, files: Files) -> str:
    answer = send(client, files)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return str(answer.headers["Location"])


def text_of(client: FlaskClient, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def decisions_in(database: Database) -> list[tuple[str, str, str, str, str]]:
    query = select(
        ClaimRow.claim_no, ClaimRow.line, DecisionRow.outcome, DecisionRow.payable_fen, DecisionRow.reasons
    ).join(DecisionRow, DecisionRow.claim_id == ClaimRow.id)
    with database.reading() as session:
        rows = session.execute(query).all()
    return sorted(
        (no, line, outcome, f"{fen // 100}.{fen % 100:02d}", why) for no, line, outcome, fen, why in rows
    )


def decisions_of(pack: Path) -> list[tuple[str, str, str, str, str]]:
    with (pack / "expected" / "decisions.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    return sorted((r["claim_no"], r["line"], r["outcome"], r["amount"], r["reasons"]) for r in rows)


def test_from_upload_to_taken_in_the_decisions_are_the_expected_ones(small_pack: Path, desk: Web) -> None:
    officer = desk.sign_in("CLAIM_OFFICER")
    url = uploaded(officer, [*contents(small_pack), ("small/说明.docx", b"x")])
    waiting = text_of(officer, url)
    assert "检查中" in waiting
    assert '<meta http-equiv="refresh"' in waiting and "hx-get" in waiting, "with scripts and without"
    assert carry_out_due() == 1
    done = officer.get(f"{url}/progress")
    assert done.headers["HX-Refresh"] == "true"
    page = text_of(officer, url)
    for word in ("待入库", "400", "300", "FPB-370323-2020-S", "交通事故", "说明.docx", "2,145,510.31"):
        assert word in page, word
    assert '<meta http-equiv="refresh"' not in page
    assert post(officer, f"{url}/take-in").status_code == 303
    assert "入库中" in text_of(officer, url)
    assert carry_out_due() == 1
    assert "已入库" in text_of(officer, url)
    assert decisions_in(desk.database) == decisions_of(small_pack)
    with desk.database.reading() as session:
        intake = session.scalars(select(PackIntake)).one()
        event = session.scalars(select(Event).where(Event.action == "pack.taken_in")).one()
        assert (intake.people, intake.claims, intake.refused_cells) == (400, 300, 98)
        assert '"account":"account-1"' in event.body and '"role":"CLAIM_OFFICER"' in event.body
    assert "已入库" in text_of(officer, "/packs")


def test_the_refused_cells_are_shown_without_what_stood_in_them(small_pack: Path, desk: Web) -> None:
    officer = desk.sign_in("CLAIM_OFFICER")
    url = uploaded(officer, contents(small_pack))
    carry_out_due()
    page = text_of(officer, url)
    assert page.count("写成 2020-03-05") >= 3
    assert "claims.xlsx › 因病" in page
    assert not re.search(r"[0-9]{17}[0-9Xx]", page), "an ID number"
    officer.set_cookie("fangpin_language", "en", domain="localhost")
    english = text_of(officer, url)
    assert "not a date, or a day that does not exist" in english
    main = re.sub(r"(?s)<table.*?</table>", "", english.partition("<main")[2])
    words = re.sub(r"<[^>]+>", "", main)
    title = "沂源县防贫保险(2020年度)"
    assert title in words
    rest = words.replace(title, "").replace("测试1", "")
    assert not re.search("[\u4e00-\u9fff]", rest), rest


def test_the_workbook_of_errors_is_handed_out_and_that_is_an_event(small_pack: Path, desk: Web) -> None:
    officer = desk.sign_in("CENTER_CERTIFIER")
    url = uploaded(officer, contents(small_pack))
    carry_out_due()
    refused = post(officer, f"{url}/errors")
    assert refused.status_code == 422 and "请选择用途" in refused.get_data(as_text=True)
    answer = post(officer, f"{url}/errors", purpose="correction")
    assert answer.status_code == 200
    assert "attachment" in answer.headers["Content-Disposition"]
    book = openpyxl.load_workbook(io.BytesIO(answer.data))
    assert book["错误清单"].max_row == 100
    assert "E000001" in str(book["错误清单"]["A1"].value) and "退回更正" in str(book["错误清单"]["A1"].value)
    with desk.database.reading() as session:
        export = session.scalars(select(Export)).one()
        assert (export.kind, export.people, export.state) == ("error_workbook", 68, "taken")
        assert session.scalars(select(Event).where(Event.action == "pack.errors_downloaded")).one()
    auditor = desk.sign_in("AUDITOR")
    assert auditor.get(url).status_code == 200
    assert "<button" not in auditor.get(url).get_data(as_text=True).partition("<main")[2]
    assert post(auditor, f"{url}/errors").status_code == 403


def test_two_officers_who_take_in_at_once_are_one_who_does_and_one_who_is_told(
    small_pack: Path, desk: Web
) -> None:
    first, second = desk.sign_in("CLAIM_OFFICER"), desk.sign_in("CENTER_CERTIFIER")
    url = uploaded(first, contents(small_pack))
    carry_out_due()
    assert post(first, f"{url}/take-in").status_code == 303
    told = post(second, f"{url}/take-in")
    assert told.status_code == 409
    assert "入库中" in told.get_data(as_text=True)
    assert post(second, f"{url}/discard").status_code == 409
    carry_out_due()
    assert post(second, f"{url}/take-in").status_code == 409
    with desk.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(PackIntake)) == 1


def test_a_pack_can_be_thrown_away_and_leaves_nothing(small_pack: Path, desk: Web) -> None:
    officer = desk.sign_in("CLAIM_OFFICER")
    url = uploaded(officer, contents(small_pack))
    assert post(officer, f"{url}/discard").status_code == 409, "not while it is being checked"
    carry_out_due()
    assert post(officer, f"{url}/discard").status_code == 303
    assert "已作废" in text_of(officer, url)
    assert post(officer, f"{url}/errors").status_code == 404
    with desk.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(ClaimRow)) == 0
        actions = set(session.scalars(select(Event.action).where(Event.subject == "pack_upload")))
    assert actions == {"pack.uploaded", "pack.discarded"}


def test_a_failed_check_says_what_to_do_and_can_be_asked_again(
    small_pack: Path, desk: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    officer = desk.sign_in("CLAIM_OFFICER")
    url = uploaded(officer, contents(small_pack))
    with monkeypatch.context() as patch:
        patch.setattr(BlobStore, "get", lambda *_: 1 // 0)
        carry_out_due()
    page = text_of(officer, url)
    assert "系统稍后会自动重试" in page and f'action="{url}/again"' in page
    assert officer.get(f"{url}/progress").headers["HX-Refresh"] == "true"
    assert post(officer, f"{url}/again").status_code == 303
    carry_out_due()
    assert "待入库" in text_of(officer, url)
    assert post(officer, f"{url}/again").status_code == 409


# Attacks


def refused(desk: Web, files: Files, word: str) -> None:
    """The upload is refused on the page with 422, and nothing of it is kept."""
    answer = send(desk.sign_in("CLAIM_OFFICER"), files)
    assert answer.status_code == 422
    assert word in answer.get_data(as_text=True)
    with desk.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(PackUpload)) == 0
        assert session.scalar(select(func.count()).select_from(Job)) == 0


def test_an_upload_without_a_file_or_of_something_else_is_refused(desk: Web) -> None:
    refused(desk, [], "请选择县包的文件")
    refused(desk, [("virus.exe", b"MZ\x90")], "没有一个是县包的文件")
    refused(desk, [("pack.zip", b"MZ\x90")], "不是 zip 压缩包")


@pytest.mark.parametrize(
    ("files", "word"),
    [
        ([("pack.zip", encrypted())], "去除密码"),
        ([("pack.zip", zipped([("../../policy.toml", b"a")]))], "不允许的路径"),
        ([("pack.zip", zipped([("policy.toml", b"\0" * (40 << 20))]))], "压缩比异常"),
        ([("pack.zip", zipped([(f"{n}.csv", b"") for n in range(1001)]))], "超过 50 个"),
    ],
)
def test_a_zip_that_no_county_sends_is_refused_on_the_page(desk: Web, files: Files, word: str) -> None:
    refused(desk, files, word)


def test_a_thousand_and_one_parts_are_too_many(desk: Web) -> None:
    officer = desk.sign_in("CLAIM_OFFICER")
    assert send(officer, [(f"{n}.csv", b"") for n in range(1001)]).status_code == 413


def test_a_huge_field_is_too_large(desk: Web) -> None:
    officer = desk.sign_in("CLAIM_OFFICER")
    assert send(officer, [("policy.toml", b"a")], note="x" * 600_000).status_code == 413


def test_more_than_64_megabytes_are_too_large_and_nothing_is_kept(desk: Web) -> None:
    officer = desk.sign_in("CLAIM_OFFICER")
    answer = send(officer, [("roster.xlsx", b"\0" * (65 << 20))])
    assert answer.status_code == 413
    assert "分几次" in answer.get_data(as_text=True)
    with desk.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(PackUpload)) == 0


def test_only_the_upload_takes_large_requests(desk: Web) -> None:
    officer = desk.sign_in("CLAIM_OFFICER")
    url = uploaded(officer, [("policy.toml", b"a")])
    data = {"csrf_token": csrf(officer), "files": [(io.BytesIO(b"\0" * (2 << 20)), "x")]}
    assert officer.post(f"{url}/take-in", data=data, content_type="multipart/form-data").status_code == 413


def test_a_workbook_with_a_password_or_a_far_cell_makes_the_pack_unusable(
    small_pack: Path, desk: Web
) -> None:
    officer = desk.sign_in("CLAIM_OFFICER")
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le") * 20
    good = [(name, data) for name, data in contents(small_pack) if "claims" not in name]
    book = openpyxl.Workbook()
    book.active.title = "因病"
    book.active["A1"] = book.active["XFD1048576"] = "x"
    far = io.BytesIO()
    book.save(far)
    for content, word in ((ole, "密码"), (far.getvalue(), "XFD1048576")):
        url = uploaded(officer, [*good, ("small/claims.xlsx", content)])
        carry_out_due()
        page = text_of(officer, url)
        assert "不可用" in page and word in page
        assert "入库</button>" not in page
        assert post(officer, f"{url}/take-in").status_code == 409


def test_the_same_files_twice_are_stored_once(small_pack: Path, desk: Web, tmp_path: Path) -> None:
    officer = desk.sign_in("CLAIM_OFFICER")
    first, second = uploaded(officer, contents(small_pack)), uploaded(officer, contents(small_pack))
    assert first != second
    assert len([path for path in (tmp_path / "files").glob("??/*") if path.is_file()]) == len(
        contents(small_pack)
    )


def test_nothing_personal_lies_in_plain_text_on_the_disk(small_pack: Path, desk: Web, tmp_path: Path) -> None:
    officer = desk.sign_in("CLAIM_OFFICER")
    uploaded(officer, contents(small_pack))
    carry_out_due()
    feed = (small_pack / "feeds" / "deaths.csv").read_bytes()
    numbers = set(re.findall(rb"[0-9]{17}[0-9X]", feed))
    assert len(numbers) > 5
    for path in (tmp_path / "files").rglob("*"):
        if path.is_file():
            assert not numbers & set(re.findall(rb"[0-9]{17}[0-9X]", path.read_bytes()))
            assert b"PK\x03\x04" not in path.read_bytes()[:64]


def test_an_officer_cannot_upload_without_end(desk: Web) -> None:
    officer = desk.sign_in("CLAIM_OFFICER")
    answers = [send(officer, [("policy.toml", str(n).encode())]).status_code for n in range(11)]
    assert answers == [303] * 10 + [429]


@pytest.mark.parametrize("role", ["VILLAGE_OFFICER", "FIN_MAKER", "SYS_ADMIN", "ADJUDICATOR"])
def test_others_do_not_see_packs(desk: Web, role: str) -> None:
    place = "370323101201" if role == "VILLAGE_OFFICER" else "370323"
    client = desk.sign_in(role, place=place)
    assert client.get("/packs").status_code == 403
    assert send(client, [("policy.toml", b"a")]).status_code == 403


@pytest.mark.parametrize("query", ["?cursor=x", "?page=2", "?cursor=a&cursor=b"])
def test_a_wrong_query_is_refused(desk: Web, query: str) -> None:
    assert desk.sign_in("AUDITOR").get(f"/packs{query}").status_code == 400


def test_an_unknown_pack_is_not_found(desk: Web) -> None:
    officer = desk.sign_in("CLAIM_OFFICER")
    assert officer.get("/packs/none").status_code == 404
    for step in ("take-in", "discard", "again", "errors"):
        assert post(officer, f"/packs/none/{step}").status_code == 404

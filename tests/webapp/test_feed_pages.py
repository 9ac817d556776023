"""Pages of the departments' data: each department its own; uploaded, looked at, taken in with JavaScript off."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from foundation.blobs import BlobStore
from foundation.runtime import Runtime, set_current
from foundation.trail.events import Event
from foundation.web.acting import EXTENSION
from households.layouts import uploaded_layouts
from households.models.feeds import FeedRow, FeedUpload
from tests.households.test_feed_uploads import medical
from tests.staffing import id_number_of
from tests.webapp.conftest import Web, csrf, post
from webapp.demo_actors import SYSTEM
from webapp.worker import carry_out_due


def with_files(web: Web, folder: Path) -> Web:
    """The application with a folder for uploads, on 20 February 2021, and the runtime that its jobs run in."""
    files = BlobStore(folder, web.sealer)
    set_current(Runtime(web.database, web.sealer, web.clock, SYSTEM, files=files))
    web.app.extensions[EXTENSION] = replace(web.app.extensions[EXTENSION], files=files)
    web.clock.at = datetime(2021, 2, 20, 2, 0, tzinfo=UTC)
    return web


@pytest.fixture
def desk(web: Web, tmp_path: Path) -> Web:
    """An application with a folder for uploads."""
    return with_files(web, tmp_path / "files")


def send(
    client: FlaskClient,
    content: bytes,
    feed: str = "medical",
    mode: str = "addition",
    day: str = "2021-01-31",
) -> TestResponse:
    data = {
        "csrf_token": csrf(client),
        "mode": mode,
        "as_of": day,
        "file": (io.BytesIO(content), "张三的文件.csv"),
    }
    return client.post(f"/feeds/{feed}", data=data, content_type="multipart/form-data")


def checked(client: FlaskClient, content: bytes, **more: str) -> str:
    """The page of a file that was sent and looked at."""
    answer = send(client, content, **more)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    assert carry_out_due() >= 1
    return answer.headers["Location"]


def text_of(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", answer.get_data(as_text=True)))


def test_a_department_sends_a_file_sees_what_is_in_it_and_takes_it_in(desk: Web) -> None:
    client = desk.sign_in("DEPARTMENT", department="MEDINS")
    page = send(client, medical(1, 2, 3)).headers["Location"]
    assert "排队中" in text_of(client, page) and "http-equiv" in client.get(page).get_data(as_text=True)
    assert carry_out_due() == 1
    shown = text_of(client, page)
    number = id_number_of("病人1")
    assert f"{number[:6]}********{number[14:]}" in shown and number not in shown
    assert "王某某" in shown and "12,000.00" in shown and "待入库" in shown
    assert post(client, f"{page}/take-in").status_code == 303
    assert carry_out_due() >= 1
    assert "已入库" in text_of(client, page) and "入库结果" in text_of(client, page)
    listed = text_of(client, "/feeds")
    assert "截至 2021-01-31" in listed and "按期" in listed and "2021-03-10" in listed
    assert "张三" not in listed + shown, "the name that a file had is kept nowhere"


def test_the_same_file_again_is_said_to_change_nothing(desk: Web) -> None:
    client = desk.sign_in("DEPARTMENT", department="MEDINS")
    for _ in range(2):
        page = checked(client, medical(1, 2))
        last = text_of(client, page)
        assert post(client, f"{page}/take-in").status_code == 303
        carry_out_due()
    assert "入库不会有任何变动" in last
    assert "与上次入库的文件完全相同,没有变动" in text_of(client, page).replace("，", ",")


def test_a_department_sees_its_own_feeds_and_the_county_all(desk: Web) -> None:
    own = text_of(desk.sign_in("DEPARTMENT", department="HOUSING"), "/feeds")
    assert "危房鉴定" in own and "商品房买卖合同" in own and "医保结算" not in own
    for role in ("CENTER_CERTIFIER", "CENTER_LEAD", "LEADING_GROUP", "AUDITOR"):
        everything = text_of(desk.sign_in(role), "/feeds")
        assert all(layout.title[0] in everything for layout in uploaded_layouts().values())
        assert "逾期" in everything and "从未报送" in everything


def test_attack_28_a_department_sends_another_ones_file_by_the_page(desk: Web) -> None:
    client = desk.sign_in("DEPARTMENT", department="HEALTH")
    assert send(client, medical(1)).status_code == 403
    assert client.get("/feeds/medical").status_code == 403
    assert client.get("/feeds/medical/template").status_code == 403
    page = checked(desk.sign_in("DEPARTMENT", department="MEDINS"), medical(1))
    assert client.get(page).status_code == 404
    for step in ("take-in", "discard", "again", "errors"):
        assert post(client, f"{page}/{step}").status_code == 404
    with desk.database.reading() as session:
        assert session.scalars(select(FeedUpload.state)).all() == ["ready"]


def test_who_only_looks_has_no_buttons_and_sends_nothing(desk: Web) -> None:
    page = checked(desk.sign_in("CENTER_CERTIFIER"), medical(1))
    for role in ("AUDITOR", "CENTER_LEAD"):
        client = desk.sign_in(role)
        assert "上传文件" not in text_of(client, "/feeds/medical")
        assert f"{page}/take-in" not in client.get(page).get_data(as_text=True)
        assert send(client, medical(1)).status_code == 403
        assert post(client, f"{page}/take-in").status_code == 403


def test_a_form_that_is_wrong_comes_back_with_what_to_mend(desk: Web) -> None:
    client = desk.sign_in("CENTER_CERTIFIER")
    for answer, word in (
        (send(client, medical(1), day="2021-02-21"), "不能晚于今天"),
        (send(client, medical(1), mode="all"), "只能是"),
        (send(client, b"  "), "文件是空的"),
        (post(client, "/feeds/medical", mode="full", as_of="2021-01-31"), "请选择一个文件"),
    ):
        assert answer.status_code == 422 and word in answer.get_data(as_text=True)
    assert send(client, medical(1), feed="nothing").status_code == 404
    assert send(client, medical(1), feed="clearances").status_code == 404


def test_a_list_that_lost_most_of_its_rows_asks_for_a_tick(desk: Web) -> None:
    client = desk.sign_in("DEPARTMENT", department="MEDINS")
    page = checked(client, medical(*range(10)), mode="full")
    post(client, f"{page}/take-in")
    carry_out_due()
    page = checked(client, medical(1, 2), mode="full", day="2021-02-01")
    assert "名单大幅减少" in text_of(client, page)
    assert post(client, f"{page}/take-in").status_code == 409
    assert post(client, f"{page}/take-in", confirmed="1").status_code == 303
    carry_out_due()
    with desk.database.reading() as session:
        there = session.scalar(select(func.count()).select_from(FeedRow).where(FeedRow.retired_at.is_(None)))
    assert there == 2


def test_the_template_filled_in_and_sent_is_taken(desk: Web) -> None:
    client = desk.sign_in("DEPARTMENT", department="CIVIL")
    answer = client.get("/feeds/assistance/template")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    book = openpyxl.load_workbook(io.BytesIO(answer.get_data()))
    sheet = book.worksheets[0]
    assert "临时救助" in sheet["A1"].value
    assert [cell.value for cell in sheet[2]] == ["身份证号", "姓名", "救助类别", "结果", "金额", "办理日期"]
    assert sheet.column_dimensions["A"].width > 18
    sheet.append([id_number_of("甲"), "王五", "临时救助", "批准", "5000", "2021-01-05"])
    filled = io.BytesIO()
    book.save(filled)
    page = checked(client, filled.getvalue(), feed="assistance")
    assert "临时救助" in text_of(client, page) and "5,000.00" in text_of(client, page)


def test_the_error_workbook_asks_what_for_and_stands_in_the_register_of_exports(desk: Web) -> None:
    client = desk.sign_in("DEPARTMENT", department="MEDINS")
    page = checked(client, medical(1, 2, 医疗总费用="一万"))
    assert "不是以元计" in text_of(client, page)
    assert post(client, f"{page}/errors").status_code == 422
    answer = post(client, f"{page}/errors", purpose="correction")
    book = openpyxl.load_workbook(io.BytesIO(answer.get_data()))
    assert book.sheetnames == ["错误清单", "医保结算"]
    with desk.database.reading() as session:
        actions = list(session.scalars(select(Event.action)))
    assert {"export.taken", "feed.errors_downloaded"} <= set(actions)


def test_a_file_of_which_nothing_is_wrong_has_no_error_workbook(desk: Web) -> None:
    client = desk.sign_in("DEPARTMENT", department="MEDINS")
    page = checked(client, medical(1))
    assert post(client, f"{page}/errors", purpose="correction").status_code == 404
    assert post(client, f"{page}/discard").status_code == 303
    assert "已作废" in text_of(client, page)
    assert post(client, f"{page}/take-in").status_code == 409


def test_work_that_failed_is_told_and_can_be_asked_for_again(
    desk: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = desk.sign_in("DEPARTMENT", department="MEDINS")
    page = send(client, medical(1)).headers["Location"]
    with monkeypatch.context() as patch:
        patch.setattr(BlobStore, "get", lambda *_: 1 // 0)
        assert carry_out_due() == 1
    assert "重试" in text_of(client, page)
    assert client.get(f"{page}/progress").headers["HX-Refresh"] == "true"
    assert post(client, f"{page}/again").status_code == 303
    assert carry_out_due() == 1
    assert "待入库" in text_of(client, page)


def test_the_home_page_tells_a_department_and_the_centre_what_is_late(desk: Web) -> None:
    department = desk.sign_in("DEPARTMENT", department="MEDINS")
    assert "逾期未报的数据 1" in text_of(department, "/")
    centre = text_of(desk.sign_in("CENTER_CERTIFIER"), "/")
    assert f"逾期未报的数据 {sum(one.calendar is not None for one in uploaded_layouts().values())}" in centre
    checked(department, medical(1))
    assert "待入库的部门文件 1" in text_of(department, "/")


def test_both_languages_are_there_and_do_not_mix(desk: Web) -> None:
    client = desk.sign_in("DEPARTMENT", department="MEDINS")
    page = checked(client, medical(1, 2, 结算日期="x"), mode="full")
    client.set_cookie("fangpin_language", "en", domain="localhost")
    for path in ("/feeds", "/feeds/medical", page):
        shown = text_of(client, path)
        rest = re.sub(
            "结算单号|身份证号|姓名|结算日期|医疗总费用|基本医保支付|大病保险支付|医疗救助支付|王某某",
            "",
            shown,
        )
        rest = re.sub("中文|沂源县?|测试[0-9]*|演示", "", rest)
        assert not re.search("[\u3400-\u9fff]", rest), re.findall("[\u3400-\u9fff]+", rest)

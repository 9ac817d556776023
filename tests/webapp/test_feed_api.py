"""Departments' data by program: a file sent with a token, once whatever is repeated, and what became of it."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

import pytest
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from foundation.web.acting import EXTENSION
from foundation.web.idempotency import REPLAYED
from foundation.web.large import MOST_BYTES
from households.layouts import uploaded_layouts
from households.models.feeds import FeedRow, FeedUpload
from tests.households.test_feed_uploads import medical
from tests.webapp.api_client import Caller, caller
from tests.webapp.conftest import Web
from tests.webapp.test_feed_pages import with_files
from webapp.worker import carry_out_due

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture
def desk(web: Web, tmp_path: Path) -> Web:
    """The application with a folder for uploads, and the runtime that its jobs are carried out in."""
    return with_files(web, tmp_path / "files")


def program(
    desk: Web, department: str = "MEDINS", scopes: Iterable[str] = ("feeds:write", "registry:read")
) -> Caller:
    return caller(desk, "DEPARTMENT", scopes=scopes, department=department)


def send(
    who: Caller,
    content: bytes,
    feed: str = "medical",
    query: str = "mode=addition&as_of=2021-01-31",
    media: str = CSV,
    key: str = "one",
) -> TestResponse:
    headers = {**who.headers(Idempotency_Key=key), "Content-Type": media}
    return who.client.post(f"/api/v1/feeds/{feed}/deliveries?{query}", data=content, headers=headers)


def counted(desk: Web) -> int:
    with desk.database.reading() as session:
        return session.scalar(select(func.count()).select_from(FeedUpload)) or 0


def test_a_file_is_taken_and_the_answer_says_where_to_ask(desk: Web) -> None:
    who = program(desk)
    answer = send(who, medical(1, 2, 3, 医疗总费用="一万"))
    assert answer.status_code == 202 and answer.get_json()["state"] == "checking"
    place = answer.headers["Location"]
    assert place.endswith(f"/api/v1/feed-uploads/{answer.get_json()['id']}")
    assert carry_out_due() == 1
    found = who.client.get(place, headers=who.headers()).get_json()
    assert found["state"] == "ready" and found["found"]["rows"] == 2 and found["found"]["new"] == 2
    assert (found["refused_cells"], found["refused_rows"]) == (1, 1)
    assert found["first_refused"] == [{"row": 2, "column": "医疗总费用", "code": "amount"}]
    assert "王" not in str(found), "no row of a file comes out"


def test_a_good_file_goes_in_by_itself_when_its_sender_says_so(desk: Web) -> None:
    who = program(desk)
    answer = send(who, medical(1, 2), query="mode=full&as_of=2021-01-31&take_in=1")
    carry_out_due()
    carry_out_due()
    found = who.data(f"/feed-uploads/{answer.get_json()['id']}")
    assert (found["state"], found["unchanged"]) == ("taken_in", False)
    feed = who.data("/feeds/medical")
    assert (feed["last"]["rows"], feed["last"]["as_of"], feed["late_days"]) == (2, "2021-01-31", 0)
    assert feed["due_on"] == "2021-03-10"
    with desk.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(FeedRow)) == 2


def test_a_form_with_a_file_is_the_same_as_the_file_itself(desk: Web) -> None:
    who = program(desk)
    data = {"file": (io.BytesIO(medical(1)), "医保.csv")}
    path = "/api/v1/feeds/medical/deliveries?mode=addition&as_of=2021-01-31"
    answer = who.client.post(
        path, data=data, headers=who.headers(Idempotency_Key="a"), content_type="multipart/form-data"
    )
    assert answer.status_code == 202
    two = {"file": (io.BytesIO(medical(1)), "a.csv"), "other": (io.BytesIO(b"x"), "b.csv")}
    for wrong in (two, {"name": "x"}):
        answer = who.client.post(
            path, data=wrong, headers=who.headers(Idempotency_Key="b"), content_type="multipart/form-data"
        )
        assert answer.status_code == 400
    assert counted(desk) == 1


def test_a_repetition_gets_the_first_answer_and_another_file_under_its_key_is_refused(desk: Web) -> None:
    who = program(desk)
    first, again = send(who, medical(1)), send(who, medical(1))
    assert again.headers[REPLAYED] == "true" and again.get_json() == first.get_json()
    assert again.headers["Location"] == first.headers["Location"]
    assert send(who, medical(2)).status_code == 422
    assert send(who, medical(1), query="mode=full&as_of=2021-01-31").status_code == 422
    assert counted(desk) == 1
    assert send(who, medical(1), key="").status_code == 400


@pytest.mark.parametrize("department", ["HEALTH", "TRAFFIC", "CENTRE"])
def test_attack_28_a_department_uploads_for_another_one(desk: Web, department: str) -> None:
    who = program(desk, department)
    for feed in ("medical", "payroll"):
        assert send(who, medical(1), feed).status_code == 403
        assert who.get(f"/feeds/{feed}").status_code == 403
    assert counted(desk) == 0
    assert not list(desk.app.extensions[EXTENSION].files.folder.glob("??/*")), (
        "nothing of it was stored either"
    )
    theirs = send(program(desk), medical(1)).get_json()["id"]
    assert who.get(f"/feed-uploads/{theirs}").status_code == 404
    assert {feed["department"] for feed in who.data("/feeds")["feeds"]} <= {department}


def test_a_token_needs_the_scope_and_its_role_the_right(desk: Web) -> None:
    assert send(program(desk, scopes=["registry:read"]), medical(1)).status_code == 403
    assert program(desk, scopes=["feeds:write"]).get("/feeds").status_code == 403
    for role in ("AUDITOR", "LEADING_GROUP", "CENTER_LEAD"):
        who = caller(desk, role)
        assert len(who.data("/feeds")["feeds"]) == len(uploaded_layouts())
        assert send(who, medical(1)).status_code == 403
    assert send(caller(desk, "CENTER_CERTIFIER"), medical(1)).status_code == 202


def test_what_is_no_such_file_is_refused_at_once(desk: Web) -> None:
    who = program(desk)
    assert send(who, medical(1), feed="nothing").status_code == 404
    assert send(who, medical(1), feed="clearances").status_code == 404
    assert send(who, b" ").status_code == 422
    assert send(who, medical(1), media="application/json").status_code == 415
    assert send(who, medical(1), media=XLSX).status_code == 202, "what it is the bytes say"
    for query in ("mode=full", "as_of=2021-01-31", "mode=all&as_of=2021-01-31", "mode=full&as_of=2021-1-31",
                  "mode=full&as_of=2021-01-31&take_in=yes", "mode=full&as_of=2021-01-31&more=1"):  # fmt: skip
        assert send(who, medical(1), query=query, key=query[:60]).status_code == 400, query
    assert send(who, medical(1), query="mode=full&as_of=2021-02-21", key="day").status_code == 422
    assert send(who, b"x" * (MOST_BYTES + 1), key="large").status_code == 413
    assert counted(desk) == 1


def test_a_feed_says_what_stands_in_its_columns(desk: Web) -> None:
    who = program(desk, "DPF")
    columns = {column["name"]: column for column in who.data("/feeds/disability")["columns"]}
    assert columns["残疾等级"] == {"name": "残疾等级", "takes": "只能是：1、2、3、4", "required": True}

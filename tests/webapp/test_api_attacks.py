"""Attacks on what the API takes in, each named by its number in the attack plan."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.webapp.api_client import caller, set_up
from tests.webapp.conftest import Web


@pytest.mark.parametrize(
    "query",
    [
        "sort=(select 1)",
        "sort=password",
        "sort=id",
        "order=asc;",
        "order=desc",
        "sort=",
        "sort=amount,claim_no",
        "order=1",
    ],
)
def test_attack_82_only_listed_orders_are_taken(web: Web, query: str) -> None:
    answer = caller(web, "AUDITOR").get(f"/claims?{query}")
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        "size=-1",
        "size=0",
        "size=1e9",
        "size=100000",
        "size=１２",
        "size=1.0",
        "size=%2B5",
        "page=2",
        "cursor=x",
    ],
)
def test_attack_83_sizes_and_places_outside_the_list_are_refused(web: Web, query: str) -> None:
    assert caller(web, "AUDITOR").get(f"/claims?{query}").status_code == 400


@pytest.mark.parametrize(
    "name", ["household__bank_no", "id_number", "claimant.name", "household_id", "sealed"]
)
def test_attack_85_no_filter_on_what_the_list_does_not_offer(web: Web, name: str) -> None:
    answer = caller(web, "AUDITOR").get(f"/claims?{name}=1")
    assert answer.status_code == 400 and name in answer.get_json()["detail"]


def test_attack_91_a_body_is_read_from_the_body_alone(web: Web) -> None:
    admin, path, tag = set_up(web)
    polluted = admin.patch(f"{path}?state=disabled", {"state": "active"}, If_Match=tag)
    assert polluted.status_code == 400
    repeated = admin.get("/accounts?state=active&state=disabled")
    assert repeated.status_code == 400 and "state" in repeated.get_json()["detail"]
    headers = admin.headers(If_Match=tag, Idempotency_Key="form")
    as_form = admin.client.patch(f"/api/v1{path}", data={"state": "disabled"}, headers=headers)
    assert as_form.status_code == 415
    assert admin.data(path)["state"] == "active"


@pytest.mark.parametrize(
    "name", ["login", "id", "person", "roles", "version", "password_hash", "second_factor"]
)
def test_attack_92_what_is_not_for_writing_is_not_written(web: Web, name: str) -> None:
    admin, path, tag = set_up(web)
    answer = admin.patch(path, {"state": "disabled", name: "x"}, If_Match=tag)
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.get_json()["errors"]] == [name]
    assert admin.data(path)["state"] == "active"


@pytest.mark.parametrize("body", ["[]", "null", '"x"', "true", "1", '[{"state": "disabled"}]', ""])
def test_attack_94_a_body_is_an_object(web: Web, body: str) -> None:
    assert send_raw(web, body.encode()).status_code in (400, 422)


@pytest.mark.parametrize(
    "value",
    [
        1,
        1.0,
        True,
        None,
        "",
        ["disabled"],
        {"$gt": 0},
        {"$ne": "active"},
        "Disabled",
        "disabled ",
        "disabled\0",
    ],
)
def test_attack_95_a_value_of_another_type_is_refused(web: Web, value: Any) -> None:
    answer = send_raw(web, json.dumps({"state": value}).encode())
    assert answer.status_code == 422 and [f["field"] for f in answer.get_json()["errors"]] == ["state"]
    assert str(value) not in answer.get_json()["errors"][0]["detail"] or value in ("", 1, True)


@pytest.mark.parametrize(
    "media_type", [None, "text/plain", "multipart/form-data; boundary=x", "application/xml", "application/json5",
                   "application/merge-patch+json", "application/json; charset=gbk"]
)  # fmt: skip
def test_attack_97_only_json_is_taken_for_json(web: Web, media_type: str | None) -> None:
    assert send_raw(web, b'{"state": "disabled"}', media_type).status_code == 415


@pytest.mark.parametrize("name", ["__proto__", "__class__", "constructor", "__init__", "_schema", ""])
def test_attack_98_magic_names_are_unknown_fields(web: Web, name: str) -> None:
    answer = send_raw(web, json.dumps({"state": "disabled", name: {"x": 1}}).encode())
    assert answer.status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        b'{"state": NaN}', b'{"state": Infinity}', b'{"state": 1e999}', b'{"state": "active", "state": "disabled"}',
        b"[" * 100_000, b'{"a":' * 500 + b"1" + b"}" * 500, b'{"state": "\\ud800"}', b'{"state": "\xff"}',
        b"\xef\xbb\xbf{}", b'{"state": "disabled"', b"{'state': 'disabled'}", b'{"state": "a\nb"}', b"\0",
        b'{"n": ' + b"9" * 100_000 + b"}",
    ],
)  # fmt: skip
def test_json_that_is_not_strictly_json_is_malformed(web: Web, body: bytes) -> None:
    answer = send_raw(web, body)
    assert answer.status_code == 400 and answer.get_json()["code"] == "bad_request"


def send_raw(web: Web, body: bytes, media_type: str | None = "application/json") -> Any:
    admin, path, tag = set_up(web)
    headers = admin.headers(If_Match=tag, Idempotency_Key="raw")
    answer = admin.client.patch(f"/api/v1{path}", data=body, content_type=media_type, headers=headers)
    assert admin.data(path)["state"] == "active"
    return answer


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_attack_139_no_other_origin_is_let_in(web: Web, origin: str) -> None:
    who = caller(web, "AUDITOR")
    for answer in (
        who.get("/me", Origin=origin),
        who.client.options("/api/v1/me", headers={"Origin": origin, "Access-Control-Request-Method": "GET"}),
    ):
        assert not [name for name in answer.headers.keys() if name.lower().startswith("access-control-")]  # noqa: SIM118


def test_attack_142_ids_say_nothing_and_a_guess_finds_nothing(county: Web) -> None:
    who = caller(county, "AUDITOR")
    ids = [row["id"] for row in who.data("/claims?size=100")["rows"]]
    assert all(len(one) >= 32 for one in ids)
    numbers = [row["claim_no"] for row in who.data("/claims?size=100")["rows"]]
    for guess in (numbers[0], "1", "2", "0", "-1", "..%2F1", "%00", ids[0] + "0", "1%20OR%201=1", "é"):
        assert who.get(f"/claims/{guess}").status_code == 404, guess


def test_no_id_with_a_nul_reaches_the_database(web: Web) -> None:
    client, who = web.sign_in("AUDITOR"), caller(web, "AUDITOR")
    for rule in web.app.url_map.iter_rules():
        if "GET" in (rule.methods or set()) and rule.arguments and rule.endpoint != "static":
            path = re.sub("<[^>]+>", "%00", str(rule))
            answer = client.get(path, headers=who.headers() if path.startswith("/api/") else {})
            assert answer.status_code == 404, path

"""The API: what it answers, within whose place, how it fails, and how it describes itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from tests.webapp.api_client import Caller, caller, set_up
from tests.webapp.conftest import Web
from webapp.rights import TABLE
from webapp.services.tokens import SCOPES

PROBLEM = "application/problem+json"


def claim_ids(web: Web) -> list[str]:
    with web.database.reading() as session:
        return list(session.scalars(text("SELECT id FROM claim ORDER BY claim_no")))


def village(web: Web) -> str:
    """A village that has claims."""
    with web.database.reading() as session:
        return str(
            session.scalar(
                text(
                    "SELECT village_code FROM household JOIN claim ON claim.household_id = household.id "
                    "GROUP BY village_code ORDER BY count(*) DESC, village_code LIMIT 1"
                )
            )
        )


def walk(value: Any) -> Iterator[Any]:
    """Every value in some JSON."""
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(inner)


def every_page(who: Caller, path: str) -> list[dict[str, Any]]:
    rows, page = [], who.data(path)
    while True:
        rows += page["rows"]
        if page["pages"]["older"] is None:
            return rows
        page = who.data(f"{path}&cursor={page['pages']['older']}")


# Claims


@pytest.mark.parametrize("sort", ["notified_on", "amount", "claim_no"])
@pytest.mark.parametrize("order", ["ascending", "descending"])
def test_every_claim_comes_once_whatever_the_order(county: Web, sort: str, order: str) -> None:
    who = caller(county, "AUDITOR")
    rows = every_page(who, f"/claims?size=7&sort={sort}&order={order}")
    assert sorted(row["id"] for row in rows) == sorted(claim_ids(county))
    keys = [float(row[sort]) if sort == "amount" else row[sort] for row in rows]
    assert keys == sorted(keys, reverse=order == "descending")


def test_the_list_is_narrowed_by_line_town_state_and_outcome(county: Web) -> None:
    who = caller(county, "CLAIM_OFFICER")
    everything = every_page(who, "/claims?size=100")
    for name in ("line", "town", "state", "outcome"):
        for value in {row[name] for row in everything if row[name]}:
            found = every_page(who, f"/claims?size=100&{name}={value}")
            assert [row["id"] for row in found] == [row["id"] for row in everything if row[name] == value]
    assert len({row["line"] for row in everything}) > 2


def test_a_claim_shows_its_checks_and_its_calculation_as_data(county: Web) -> None:
    who = caller(county, "ADJUDICATOR")
    paid = next(row for row in who.data("/claims?size=100")["rows"] if row["outcome"] == "approve")
    claim = who.data(f"/claims/{paid['id']}")
    decision = claim["decision"]
    assert decision["outcome"] == "approve" and decision["payable"] == paid["amount"]
    assert all(check["holds"] is not False for check in decision["checks"])
    assert all(set(check) == {"code", "holds", "clause", "inputs"} for check in decision["checks"])
    last = decision["calculation"][-1]
    assert last["label"] == "payable" and last["values"] == {"payable": decision["payable"]}
    assert claim["determination"]["amount"] == decision["payable"]


def test_amounts_are_text_id_numbers_masked_and_no_diagnosis_is_said(county: Web) -> None:
    who = caller(county, "ADJUDICATOR")
    with county.database.reading() as session:
        sealed = {row.id: row.sealed for row in session.execute(text("SELECT id, sealed FROM claim"))}
    for claim_id in claim_ids(county):
        answer = who.get(f"/claims/{claim_id}")
        claim = json.loads(county.sealer.reveal("claim", "sealed", claim_id, sealed[claim_id]))
        assert claim["id_number"] not in answer.text
        assert not claim["payee_account"] or claim["payee_account"] not in answer.text
        assert claim["line"] != "illness" or not claim["cause"] or claim["cause"] not in answer.text
        assert not any(isinstance(value, float) for value in walk(answer.get_json()))
        assert "_fen" not in answer.text


def test_a_village_sees_its_own_claims_and_nothing_else_exists_for_it(county: Web) -> None:
    place = village(county)
    everyone = caller(county, "AUDITOR")
    mine = caller(county, "VILLAGE_OFFICER", place)
    seen = {row["id"] for row in every_page(mine, "/claims?size=3")}
    with county.database.reading() as session:
        query = text(
            "SELECT claim.id FROM claim JOIN household ON household.id = household_id WHERE village_code = :place"
        )
        own = set(session.scalars(query, {"place": place}))
    assert seen == own and 0 < len(own) < len(claim_ids(county))
    elsewhere = next(claim_id for claim_id in claim_ids(county) if claim_id not in own)
    assert everyone.get(f"/claims/{elsewhere}").status_code == 200
    hidden, nothing = mine.get(f"/claims/{elsewhere}"), mine.get(f"/claims/{'0' * 32}")
    assert hidden.status_code == nothing.status_code == 404 and hidden.mimetype == PROBLEM
    assert _without_number(hidden.get_json()) == _without_number(nothing.get_json())
    town = caller(county, "TOWN_REVIEWER", place[:9])
    assert own < {row["id"] for row in every_page(town, "/claims?size=50")} < set(claim_ids(county))


def _without_number(problem: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in problem.items() if name != "request_id"}


# Batches


def test_a_batch_shows_its_totals_its_files_and_its_lines_page_by_page(county: Web) -> None:
    who = caller(county, "RECON")
    (row,) = who.data("/batches?state=exported")["rows"]
    assert who.data("/batches?state=made")["rows"] == []
    lines, after = [], 0
    while after is not None:
        found = who.data(f"/batches/{row['id']}?after={after}&size=2")
        lines += found["lines"]
        after = found["next_after"]
    assert found["batch"] == row
    assert [line["sequence"] for line in lines] == list(range(1, row["payments"] + 1))
    assert sum(round(float(line["amount"]) * 100) for line in lines) == round(float(row["total"]) * 100)
    assert all(line["account"].startswith("****") and len(line["account"]) == 8 for line in lines)
    assert {file["format"] for file in found["files"]} == {"pain.001.001.09", "disbursement_csv"}
    assert who.get(f"/batches/{'0' * 32}").status_code == 404


# Who calls


def test_a_token_says_who_it_acts_for(web: Web) -> None:
    who = caller(web, "DEPARTMENT", scopes=["claims:read"])
    found = who.data("/me")
    assert found["role"] == "DEPARTMENT" and found["department"] == "MEDINS" and found["place"] == "370323"
    assert found["scopes"] == ["claims:read"] and found["account_id"] == who.actor.account


@pytest.mark.parametrize(
    ("role", "path"),
    [
        ("CLAIM_OFFICER", "/batches"),
        ("FIN_MAKER", "/claims"),
        ("SYS_ADMIN", "/accounts"),
        ("LOG_ADMIN", "/claims"),
    ],
)
def test_a_role_without_the_right_is_refused(web: Web, role: str, path: str) -> None:
    answer = caller(web, role).get(path)
    assert answer.status_code == 403 and answer.get_json()["code"] == "not_allowed"


@pytest.mark.parametrize("path", ["/claims", "/batches", "/accounts"])
def test_a_token_without_the_scope_is_refused(web: Web, path: str) -> None:
    scopes = {"/claims": "people:read", "/batches": "claims:read", "/accounts": "claims:read"}
    who = caller(web, "AUDITOR", scopes=[scopes[path]])
    assert who.get(path).status_code == 403


# Changes of an account


def test_an_account_is_disabled_with_its_etag_and_only_once(web: Web) -> None:
    admin, path, tag = set_up(web)
    answer = admin.patch(path, {"state": "disabled"}, If_Match=tag)
    assert answer.status_code == 200 and answer.get_json()["state"] == "disabled"
    assert answer.headers["ETag"] not in (tag, "")
    stale = admin.patch(path, {"state": "active"}, If_Match=tag)
    assert stale.status_code == 412 and stale.get_json()["code"] == "precondition_failed"
    assert admin.data(path)["state"] == "disabled"
    assert admin.patch(path, {"state": "active"}, If_Match=answer.headers["ETag"]).status_code == 200


@pytest.mark.parametrize("tag", [None, "*", "v1"])
def test_a_change_without_the_etag_that_was_read_is_refused(web: Web, tag: str | None) -> None:
    admin, path, _ = set_up(web)
    answer = admin.patch(path, {"state": "disabled"}, **({} if tag is None else {"If_Match": tag}))
    assert answer.status_code in (412, 428) and admin.data(path)["state"] == "active"
    assert tag is not None or answer.status_code == 428


def test_a_reader_may_not_write(web: Web) -> None:
    _, path, tag = set_up(web)
    auditor = caller(web, "AUDITOR")
    assert auditor.patch(path, {"state": "disabled"}, If_Match=tag).status_code == 403


def test_a_disabled_accounts_token_is_dead_on_the_next_request(web: Web) -> None:
    admin, other = caller(web, "SEC_ADMIN"), caller(web, "CLAIM_OFFICER")
    path = f"/accounts/{other.actor.account}"
    assert other.get("/me").status_code == 200
    admin.patch(path, {"state": "disabled"}, If_Match=admin.get(path).headers["ETag"])
    assert other.get("/me").status_code == 401


def test_who_has_the_newest_version_gets_304(web: Web) -> None:
    admin, path, tag = set_up(web)
    answer = admin.get(path, If_None_Match=tag)
    assert answer.status_code == 304 and answer.get_data() == b""
    admin.patch(path, {"state": "disabled"}, If_Match=tag)
    assert admin.get(path, If_None_Match=tag).status_code == 200


def test_an_account_tells_nothing_secret(web: Web) -> None:
    admin, path, _ = set_up(web)
    assert set(admin.data(path)) == {
        "id", "login", "state", "person", "roles", "second_factor", "created_at",
    }  # fmt: skip
    assert admin.data("/accounts?state=disabled")["rows"] == []
    assert len(admin.data("/accounts?state=active&size=1")["rows"]) == 1


# Problems and the description


@pytest.mark.parametrize(("accepted", "tag", "detail"), [("zh-CN", "zh-CN", "令牌"), ("en", "en", "token")])
def test_a_problem_speaks_the_callers_language(web: Web, accepted: str, tag: str, detail: str) -> None:
    answer = web.client().get("/api/v1/me", headers={"Accept-Language": accepted})
    problem = answer.get_json()
    assert (
        answer.status_code == 401 and answer.mimetype == PROBLEM and answer.headers["Content-Language"] == tag
    )
    assert detail in problem["detail"] and problem["code"] == "sign_in_needed"
    assert problem["status"] == 401 and problem["request_id"] == answer.headers["X-Request-ID"]
    assert "Bearer" in answer.headers["WWW-Authenticate"] and "Accept-Language" in answer.headers["Vary"]


def test_a_cookie_opens_nothing_of_the_api(county: Web) -> None:
    assert county.sign_in("AUDITOR").get("/api/v1/claims").status_code == 401


@pytest.mark.parametrize(
    ("path", "methods"), [("/me", {"GET", "HEAD"}), ("/accounts/x", {"GET", "HEAD", "PATCH"})]
)
def test_a_method_that_is_not_there_is_told_which_are(web: Web, path: str, methods: set[str]) -> None:
    answer = web.client().delete(f"/api/v1{path}")
    assert answer.status_code == 405 and answer.mimetype == PROBLEM
    assert set(answer.headers["Allow"].split(", ")) - {"OPTIONS"} == methods


def test_an_unknown_path_is_a_problem_too(web: Web) -> None:
    answer = web.client().get("/api/v1/nothing")
    assert answer.status_code == 404 and answer.mimetype == PROBLEM


def test_the_description_has_every_operation_and_asks_for_a_token(web: Web) -> None:
    description = web.client().get("/api/v1/openapi.json").get_json()
    assert description["openapi"] == "3.1.0" and description["security"] == [{"token": []}]
    there = {
        re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for rule in web.app.url_map.iter_rules()
        if rule.endpoint.startswith("api_") and not rule.endpoint.startswith("api_docs")
    }
    assert set(description["paths"]) == there
    change = description["paths"]["/api/v1/accounts/{account_id}"]["patch"]
    required = {one["name"] for one in change["parameters"] if one["required"]}
    assert required >= {"If-Match", "Idempotency-Key"}
    amount = description["components"]["schemas"]["ListedClaimData"]["properties"]["amount"]
    assert amount["type"] == "string" and amount["format"] == "decimal"


def test_every_scope_is_for_something_and_every_route_for_data_asks_for_one() -> None:
    asked = {right.scope for (endpoint, _), right in TABLE.items() if endpoint.startswith("api_")}
    assert asked - {None} == set(SCOPES)
    without = {
        endpoint for (endpoint, _), right in TABLE.items() if endpoint.startswith("api_") and not right.scope
    }
    assert without == {"api_docs.openapi", "api_docs.page", "api_people.me"}


def test_the_page_of_the_description_loads_our_own_files_only(web: Web) -> None:
    page = web.client().get("/api/v1/docs")
    assert page.status_code == 200 and page.mimetype == "text/html"
    assert "http://" not in page.text and "https://" not in page.text and "style=" not in page.text

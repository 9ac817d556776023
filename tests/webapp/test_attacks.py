"""Attacks on the web as a whole, each named after its number in the attack plan (docs/security.md lists them all)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from flask import Blueprint
from sqlalchemy import func, select, text, update

from foundation.actors import Role
from foundation.database import Base
from foundation.errors import ConfigurationError
from foundation.staff.models import Account
from tests.webapp.conftest import Web, csrf, post
from webapp import logs, rights
from webapp.application import Options, make_app
from webapp.models import AccessCount
from webapp.rights import TABLE, Open
from webapp.services import sessions

OPEN_TABLES = {"web_session", "access_count", "kept_answer"}


def example_url(rule: object) -> str:
    """A route's address with made-up ids."""
    return re.sub(r"<[^>]+>", "0" * 32, str(rule))


def paths(web: Web, method: str) -> Iterator[tuple[str, str]]:
    """(endpoint, address) of every route that takes a method."""
    for rule in web.app.url_map.iter_rules():
        if method in (rule.methods or set()) and rule.endpoint != "static":
            yield rule.endpoint, example_url(rule)


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "PUT", "DELETE"])
def test_attack_01_without_a_cookie_every_route_asks_to_sign_in(web: Web, method: str) -> None:
    client = web.client()
    asked = 0
    for endpoint, address in paths(web, method):
        right = TABLE[endpoint, method]
        if right.open_to is Open.PUBLIC:
            continue
        answer = client.open(address, method=method)
        sent_away = answer.status_code == 303 and "/sign-in" in answer.headers["Location"]
        # A form without a token is refused before anybody asks who sends it.
        assert sent_away or answer.status_code in ({401} if method == "GET" else {400, 401}), address
        asked += 1
    assert asked > 5 or method not in ("GET", "POST")


def test_attack_25_an_auditor_writes_nothing_of_business(county: Web) -> None:
    client = county.sign_in("AUDITOR")
    token = csrf(client)
    refused = 0
    for endpoint, address in paths(county, "POST"):
        right = TABLE[endpoint, "POST"]
        if right.open_to is not None or Role.AUDITOR in right.roles or address.startswith("/api/"):
            continue
        assert client.post(address, data={"csrf_token": token}).status_code == 403, address
        refused += 1
    assert refused > 10


@pytest.mark.parametrize(
    "path",
    [
        "/claims/1/../2",
        "/claims/%2e%2e/claims",
        "/claims/",
        "/CLAIMS",
        "/claims;x",
        "//claims",
        "/./claims",
        "/claims%00",
        "/claims%0d%0aX: y",
    ],
)
def test_attack_34_a_crooked_path_opens_nothing_that_the_straight_one_would_not(web: Web, path: str) -> None:
    stranger = web.client().get(path, follow_redirects=True)
    assert stranger.status_code in (400, 404) or "/sign-in" in stranger.request.path
    department = web.sign_in("DEPARTMENT").get(path, follow_redirects=True)
    assert department.status_code in (400, 403, 404)


def test_attack_35_a_route_without_a_row_stops_the_start_up(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = dict(TABLE)
    del kept["home.home", "GET"]
    monkeypatch.setattr(rights, "TABLE", kept)
    with pytest.raises(ConfigurationError, match=r"home\.home GET"):
        make_app(web.database, web.sealer, web.clock)


def test_attack_35_a_row_without_a_route_stops_it_too(web: Web) -> None:
    app = web.app
    app._got_first_request = False  # so that one more blueprint can be added
    extra = Blueprint("extra", __name__)
    extra.get("/extra")(lambda: "")
    app.register_blueprint(extra)
    with pytest.raises(ConfigurationError, match=r"extra\.<lambda> GET: no row"):
        rights.check_complete(app)


def test_attack_136_a_post_needs_the_token_of_this_very_sign_in(web: Web) -> None:
    mine, other = web.sign_in("CLAIM_OFFICER"), web.sign_in("CLAIM_OFFICER")
    token = csrf(mine)
    for wrong in ({}, {"csrf_token": ""}, {"csrf_token": csrf(other)}, {"csrf_token": token[:-1]}):
        assert mine.post("/language", data={"language": "en", **wrong}).status_code == 400
    good = {"language": "en", "csrf_token": token}
    for origin in ("http://evil.example", "null"):
        assert mine.post("/language", data=good, headers={"Origin": origin}).status_code == 400
    assert mine.post("/language", json=good).status_code == 400
    assert mine.post("/language", data=good, headers={"Origin": "http://localhost"}).status_code == 303
    post(mine, "/sign-out")
    assert mine.post("/account/role", data=good).status_code in (400, 401)


def row_counts(web: Web) -> dict[str, tuple[int, str]]:
    """Rows of each table and, where it has events or states, something that a change would change."""
    with web.database.reading() as session:
        return {
            table.name: (
                session.scalar(select(func.count()).select_from(table)) or 0,
                _content(session, table.name),
            )
            for table in Base.metadata.sorted_tables
            if table.name not in OPEN_TABLES
        }


def _content(session: object, table: str) -> str:
    rows = session.execute(text(f"SELECT * FROM {table}")).all()  # type: ignore[attr-defined]
    return str(hash(str(sorted(map(str, rows)))))


def test_attack_137_no_get_changes_anything_but_sessions_and_counts(county: Web) -> None:
    with county.database.reading() as session:
        ids = {
            "claim_id": session.scalar(text("SELECT id FROM claim LIMIT 1")),
            "batch_id": session.scalar(text("SELECT id FROM batch LIMIT 1")),
        }
    clients = [county.sign_in(role) for role in Role if role is not Role.SYSTEM]
    before = row_counts(county)
    answered = 0
    for rule in county.app.url_map.iter_rules():
        if "GET" not in (rule.methods or set()) or rule.endpoint == "static":
            continue
        address = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(ids.get(found[1], "0" * 32)), str(rule))
        for client in clients:
            answered += client.get(address).status_code == 200
    assert answered > 30
    assert row_counts(county) == before


def test_attack_140_the_201st_search_in_a_minute_is_refused(county: Web) -> None:
    client = county.sign_in("CLAIM_OFFICER")
    token = csrf(client)
    answers = [
        client.post("/claims/find", data={"csrf_token": token, "what": "无此人"}).status_code
        for _ in range(201)
    ]
    assert answers[199] != 429
    assert answers[200] == 429
    county.clock.forward(minutes=1, seconds=1)
    assert client.post("/claims/find", data={"csrf_token": token, "what": "无此人"}).status_code != 429


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", ""])
def test_attack_148_a_forged_host_is_refused(web: Web, host: str) -> None:
    answer = web.client().get("/sign-in", headers={"Host": host})
    assert answer.status_code == 400
    assert "evil" not in answer.get_data(as_text=True)


def test_attack_149_whatever_a_client_sends_is_one_json_line_in_the_log(
    web: Web, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure()
    web.client().get(
        "/sign-in?next=%0d%0aevil\x1b[31m", headers={"User-Agent": 'x"}{"evil": 1}', "X-Request-ID": "evil"}
    )
    web.client().open("/evil%0a370323195809150013", method="EVIL")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    for line in lines:
        assert set(json.loads(line)) >= {"request_id", "route", "status"}
        assert "evil" not in line.lower()
        assert "370323195809150013" not in line


def test_attack_154_no_page_stays_in_a_cache_and_signing_out_clears_what_is_there(web: Web) -> None:
    client = web.sign_in("CLAIM_OFFICER")
    assert client.get("/account").headers["Cache-Control"] == "no-store"
    assert "cache" in post(client, "/sign-out").headers["Clear-Site-Data"]


def test_security_headers_stand_on_every_answer(web: Web) -> None:
    for path in ("/sign-in", "/no-such-page", "/healthz", "/api/v1/claims"):
        headers = web.client().get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert "Access-Control-Allow-Origin" not in headers
    policies = {web.client().get("/sign-in").headers["Content-Security-Policy"] for _ in "ab"}
    assert len(policies) == 2, "the nonce is new each time"


def test_behind_tls_cookies_are_secure_and_the_browser_is_told_to_stay(web: Web) -> None:
    app = make_app(web.database, web.sealer, web.clock, Options(plain_http=False, hosts=("localhost",)))
    answer = app.test_client().get("/sign-in", base_url="https://localhost")
    assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]
    assert all("Secure" in cookie and "HttpOnly" in cookie for cookie in answer.headers.getlist("Set-Cookie"))


def test_a_database_that_is_gone_gives_503_and_says_that_nothing_was_changed(web: Web) -> None:
    client = web.sign_in("CLAIM_OFFICER")
    with web.database.transaction() as session:
        session.execute(text("ALTER TABLE web_session RENAME TO gone"))
    answer = client.get("/")
    assert answer.status_code == 503
    assert "未作任何变动" in answer.get_data(as_text=True)
    assert answer.headers["Retry-After"]


def test_a_fault_of_the_program_gives_500_with_a_number_and_no_message(
    web: Web, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("370323195809150013")

    logs.configure()
    client = web.sign_in("CLAIM_OFFICER")
    monkeypatch.setitem(web.app.view_functions, "home.home", broken)
    answer = client.get("/")
    page, log = answer.get_data(as_text=True), capsys.readouterr().err
    assert answer.status_code == 500
    assert answer.headers["X-Request-ID"] in page
    assert "370323195809150013" not in page + log
    assert "RuntimeError" in log


def test_health_ready_and_metrics_answer_without_a_sign_in(web: Web) -> None:
    client = web.client()
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 200
    shown = client.get("/metrics").get_data(as_text=True)
    assert 'fangpin_requests_total{method="GET",route="health.live",status="200"} 1.0' in shown
    assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 404
    assert client.get("/metrics", environ_overrides={"REMOTE_ADDR": "203.0.113.9"}).status_code == 404


def enrolled(web: Web, person: str) -> str:
    """An account of a person with a second factor; its id."""
    web.sign_in("ADJUDICATOR", person=person)
    account_id = f"account-{web.made}"
    with web.database.transaction() as session:
        session.execute(
            update(Account)
            .where(Account.id == account_id)
            .values(totp_sealed="k", totp_confirmed_at=web.clock.at)
        )
    return account_id


@pytest.mark.parametrize("first", ["password", "second-factor"])
def test_attack_26_one_administrator_cannot_take_an_account_over(web: Web, first: str) -> None:
    """Whoever gave the password does not also take the second factor away, nor the other way round."""
    admin, other = web.sign_in("SEC_ADMIN"), web.sign_in("SEC_ADMIN")
    account_id = enrolled(web, "victim")
    second = "second-factor" if first == "password" else "password"
    assert post(admin, f"/staff/accounts/{account_id}/{first}").status_code in (200, 303)
    assert post(admin, f"/staff/accounts/{account_id}/{second}").status_code == 403
    assert post(other, f"/staff/accounts/{account_id}/{second}").status_code in (200, 303)


def test_a_demo_account_is_nobody_where_the_demo_is_not_served(web: Web) -> None:
    client = web.sign_in("CLAIM_OFFICER", demo=True)
    assert client.get("/account").status_code == 303
    demo = make_app(web.database, web.sealer, web.clock, Options(demo=True, testing=True))
    name = sessions.cookie_name(plain_http=True)
    cookie = client.get_cookie(name, domain="localhost")
    assert cookie is not None
    served = demo.test_client()
    served.set_cookie(name, cookie.value, domain="localhost")
    assert served.get("/account").status_code == 200


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.SYSTEM], ids=str)
def test_a_role_of_another_county_is_let_in_nowhere(county: Web, role: Role) -> None:
    client = county.sign_in(role, "110101")
    for path in ("/", "/claims", "/payments", "/documents", "/staff", "/packs", "/jobs"):
        assert client.get(path).status_code == 403, path


def test_a_page_that_asks_by_itself_keeps_nobody_signed_in(web: Web) -> None:
    client = web.sign_in("CLAIM_OFFICER")
    for _ in range(4):
        web.clock.forward(minutes=10)
        client.get(f"/packs/{'0' * 32}/progress")
    assert client.get("/account").status_code == 303


def test_what_a_person_was_refused_is_counted(county: Web) -> None:
    client = county.sign_in("SYS_ADMIN")
    assert client.get("/claims").status_code == 403
    assert client.get("/staff").status_code == 403
    with county.database.reading() as session:
        counted = session.execute(
            select(AccessCount.whose, AccessCount.times).where(AccessCount.kind == "refused_403")
        )
        assert [tuple(row) for row in counted] == [(f"account-{county.made}", 2)]


@pytest.mark.parametrize("pattern", ["(a+)+$", ".*", "FPB%", "FPB_2020", "[0-9]+"])
def test_attack_86_a_search_takes_no_pattern(county: Web, pattern: str) -> None:
    page = county.sign_in("CLAIM_OFFICER").get("/claims", query_string={"number": pattern})
    assert page.status_code == 200
    assert "没有符合条件的案件" in page.get_data(as_text=True)


@pytest.mark.parametrize("number", ["370323195809150013", "张桂兰", "３７０３２３１９５８０９１５００１３"])
def test_a_name_or_an_id_number_is_not_searched_for_in_an_address(county: Web, number: str) -> None:
    page = county.sign_in("CLAIM_OFFICER").get("/claims", query_string={"number": number})
    assert page.status_code == 400
    assert number not in page.get_data(as_text=True)

"""API tokens: kept as a digest only, bound to one role, dead at once when anything behind them ends."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import event, select, text

from foundation.actors import Assurance
from foundation.errors import ConflictError, InvalidInput, NotFound
from foundation.trail.events import Event
from tests.webapp.api_client import Caller, caller
from tests.webapp.conftest import Web, csrf, post
from webapp.models import ApiToken
from webapp.services.tokens import MOST_DAYS, MOST_TOKENS, make_token, recognise_token, revoke_token


def works(who: Caller) -> bool:
    return who.get("/me").status_code == 200


def change(web: Web, statement: str) -> None:
    with web.database.transaction() as session:
        session.execute(text(statement))


def test_a_token_has_256_bits_and_only_its_digest_is_kept(web: Web) -> None:
    who = caller(web, "AUDITOR")
    assert re.fullmatch("fpt_[A-Za-z0-9_-]{43}", who.secret)
    with web.database.reading() as session:
        rows = str(session.execute(text("SELECT * FROM api_token")).all()) + str(
            session.execute(text("SELECT * FROM event")).all()
        )
    assert who.secret not in rows and who.secret[4:] not in rows
    assert works(who)


def test_making_and_revoking_are_events(web: Web) -> None:
    who = caller(web, "AUDITOR")
    with web.database.transaction() as session:
        revoke_token(session, who.actor, web.clock.at, who.token_id)
    with web.database.reading() as session:
        actions = list(session.scalars(select(Event.action).where(Event.subject_id == who.token_id)))
    assert actions == ["token.made", "token.revoked"]


def test_a_token_acts_as_its_person_in_its_role_by_token(web: Web) -> None:
    who = caller(web, "DEPARTMENT", scopes=["claims:read"])
    with web.database.reading() as session:
        found = recognise_token(session, who.secret, web.clock.at)
    assert found is not None and found.actor.assurance is Assurance.TOKEN
    assert (found.actor.person, found.actor.account) == (who.actor.person, who.actor.account)
    assert found.actor.department == "MEDINS" and found.scopes == {"claims:read"}


def test_a_token_is_recognised_by_one_statement(web: Web) -> None:
    who = caller(web, "AUDITOR")
    seen: list[str] = []
    event.listen(web.database.engine, "before_cursor_execute", lambda *given: seen.append(given[2]))
    with web.database.reading() as session:
        recognise_token(session, who.secret, web.clock.at)
    assert len([statement for statement in seen if statement.startswith("SELECT")]) == 1


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "fpt_",
        "fpt_" + "a" * 43,
        "x" * 100_000,
        "fpt_" + "é" * 43,
        "fpt_" + "a" * 42 + "\0",
        "' OR 1=1 --",
        "fpt_%",
    ],
)
def test_no_other_text_is_a_token(web: Web, secret: str) -> None:
    caller(web, "AUDITOR")
    with web.database.reading() as session:
        assert recognise_token(session, secret, web.clock.at) is None


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic {}", "Bearer  {}", "{}", "Bearer {}x", "Token {}", "Bearer {} {}"],
)
def test_the_header_is_bearer_and_the_token(web: Web, header: str) -> None:
    who = caller(web, "AUDITOR")
    answer = who.client.get("/api/v1/me", headers={"Authorization": header.replace("{}", who.secret)})
    assert answer.status_code == 401
    assert who.client.get("/api/v1/me", headers={"Authorization": f"bearer {who.secret}"}).status_code == 200


def test_a_token_in_the_address_or_a_cookie_opens_nothing(web: Web) -> None:
    who = caller(web, "AUDITOR")
    assert who.client.get(f"/api/v1/me?access_token={who.secret}").status_code == 401
    who.client.set_cookie("fangpin_session", who.secret, domain="localhost")
    assert who.client.get("/api/v1/me").status_code == 401


@pytest.mark.parametrize(
    "end",
    [
        "UPDATE api_token SET revoked_at = created_at",
        "UPDATE account SET state = 'disabled'",
        "UPDATE role_grant SET state = 'ended', ended_by = 'x', ended_at = decided_at",
    ],
    ids=["revoked", "account disabled", "role ended"],
)
def test_a_token_dies_with_whatever_is_behind_it(web: Web, end: str) -> None:
    who = caller(web, "AUDITOR")
    assert works(who)
    change(web, end)
    assert not works(who)


def test_a_token_ends_with_its_last_second(web: Web) -> None:
    who = caller(web, "AUDITOR")
    web.clock.at += timedelta(days=30, microseconds=-1)
    assert works(who)
    web.clock.at += timedelta(microseconds=1)
    assert not works(who)


@pytest.mark.parametrize(
    ("begins", "ends", "good"), [(0, 0, True), (1, None, False), (-9, -1, False), (-9, None, True)]
)
def test_a_token_works_within_the_dates_of_its_role(
    web: Web, begins: int, ends: int | None, good: bool
) -> None:
    who = caller(web, "AUDITOR")
    today = (web.clock.at + timedelta(hours=8)).date()
    since = today + timedelta(begins)
    until = None if ends is None else today + timedelta(ends)
    with (
        web.database.transaction() as session
    ):  # a grant's dates never change: a second one is put in its place
        session.execute(
            text(
                "INSERT INTO role_grant (id, account_id, role, place, valid_from, valid_to, state, requested_by, requested_at, "
                "decided_by, decided_at) SELECT 'dated', account_id, role, place, :since, :until, state, requested_by, "
                "requested_at, decided_by, decided_at FROM role_grant"
            ).bindparams(since=_day(web, since), until=_day(web, until))
        )
        session.execute(
            text(
                "INSERT INTO api_token (id, secret_hash, account_id, grant_id, name, scopes, created_at, expires_at) "
                "SELECT 'dated', :hash, account_id, 'dated', name, scopes, created_at, expires_at FROM api_token"
            ).bindparams(hash=_hash_of("fpt_" + "a" * 43))
        )
        found = recognise_token(session, "fpt_" + "a" * 43, web.clock.at)
    assert (found is not None) == good
    assert works(who)


def _day(web: Web, day: object) -> object:
    return str(day) if day is not None and web.database.url.startswith("sqlite") else day


def _hash_of(secret: str) -> str:
    import hashlib

    return hashlib.sha256(secret.encode()).hexdigest()


def test_a_token_is_for_ones_own_role_some_scopes_and_at_most_400_days(web: Web) -> None:
    mine, other = caller(web, "AUDITOR"), caller(web, "SEC_ADMIN")
    at = web.clock.at
    for grant_id, scopes, days, wrong in (
        (other.grant_id, ["claims:read"], 30, "grant_id"),
        ("nothing", ["claims:read"], 30, "grant_id"),
        (mine.grant_id, [], 30, "scopes"),
        (mine.grant_id, ["claims:read", "claims:write"], 30, "scopes"),
        (mine.grant_id, ["claims:read"], 0, "days"),
        (mine.grant_id, ["claims:read"], MOST_DAYS + 1, "days"),
    ):
        with pytest.raises(InvalidInput) as caught, web.database.transaction() as session:
            make_token(session, mine.actor, at, grant_id, "名", scopes, days)
        assert set(caught.value.fields) == {wrong}
    with web.database.transaction() as session:
        token, _ = make_token(session, mine.actor, at, mine.grant_id, "名", ["claims:read"], MOST_DAYS)
    assert token.expires_at == at + timedelta(days=MOST_DAYS)


def test_an_account_has_so_many_tokens_in_force(web: Web) -> None:
    who = caller(web, "AUDITOR")
    with web.database.transaction() as session:
        for _ in range(MOST_TOKENS - 1):
            make_token(session, who.actor, web.clock.at, who.grant_id, "名", ["claims:read"], 1)
        with pytest.raises(ConflictError):
            make_token(session, who.actor, web.clock.at, who.grant_id, "名", ["claims:read"], 1)
        revoke_token(session, who.actor, web.clock.at, who.token_id)
        make_token(session, who.actor, web.clock.at, who.grant_id, "名", ["claims:read"], 1)


def test_nobody_revokes_another_accounts_token_nor_one_twice(web: Web) -> None:
    mine, other = caller(web, "AUDITOR"), caller(web, "SEC_ADMIN")
    with web.database.transaction() as session:
        with pytest.raises(NotFound):
            revoke_token(session, other.actor, web.clock.at, mine.token_id)
        revoke_token(session, mine.actor, web.clock.at, mine.token_id)
        with pytest.raises(ConflictError):
            revoke_token(session, mine.actor, web.clock.at, mine.token_id)
    assert not works(mine) and works(other)


# The page


def test_a_token_is_made_on_the_page_and_shown_once(web: Web) -> None:
    client = web.sign_in("AUDITOR")
    grant = f"grant-{web.made}"
    fields = {"name": "对账系统", "grant_id": grant, "scopes": ["claims:read", "payments:read"], "days": "90"}
    made = post(client, "/account/tokens", "/account/tokens", **fields)
    assert made.status_code == 200 and made.headers["Cache-Control"] == "no-store"
    (secret,) = re.findall("fpt_[A-Za-z0-9_-]{43}", made.text)
    answer = web.client().get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"})
    assert answer.get_json()["scopes"] == ["claims:read", "payments:read"]
    later = client.get("/account/tokens")
    assert "对账系统" in later.text and "fpt_" not in later.text


def test_making_a_token_asks_for_a_fresh_second_factor(web: Web) -> None:
    client = web.sign_in("AUDITOR", second_factor=False)
    token = csrf(client, "/account/tokens")
    answer = client.post("/account/tokens", data={"csrf_token": token, "name": "x"})
    assert answer.status_code == 303 and "step-up" in answer.headers["Location"].replace("_", "-")
    with web.database.reading() as session:
        assert session.scalars(select(ApiToken)).all() == []


def test_the_page_says_what_is_wrong_and_keeps_status_422(web: Web) -> None:
    client = web.sign_in("AUDITOR")
    answer = post(
        client,
        "/account/tokens",
        "/account/tokens",
        name="记下",
        grant_id="other",
        days="401",
        scopes="claims:read",
    )
    assert answer.status_code == 422 and "fpt_" not in answer.text
    assert "1 到 400" in answer.text
    assert 'value="记下"' in answer.text and 'value="claims:read" checked' in answer.text


def test_a_token_is_revoked_on_the_page(web: Web) -> None:
    client = web.sign_in("AUDITOR")
    fields = {"name": "临时", "grant_id": f"grant-{web.made}", "scopes": "claims:read", "days": "1"}
    (secret,) = re.findall(
        "fpt_[A-Za-z0-9_-]{43}", post(client, "/account/tokens", "/account/tokens", **fields).text
    )
    (path,) = re.findall(r"/account/tokens/[0-9a-f]+/revoke", client.get("/account/tokens").text)
    stranger = web.sign_in("AUDITOR")
    assert post(stranger, path, "/account/tokens").status_code == 404
    assert post(client, path, "/account/tokens").status_code == 303
    assert web.client().get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"}).status_code == 401
    assert "已撤销" in client.get("/account/tokens").text


def test_the_page_is_complete_in_english(web: Web) -> None:
    client = web.sign_in("AUDITOR")
    client.set_cookie("fangpin_language", "en", domain="localhost")
    content = re.sub(
        r"测试\d+", "", client.get("/account/tokens").text.partition("<main")[2].partition("</main>")[0]
    )
    assert "API tokens" in content and not re.search("[\u4e00-\u9fff]", content)

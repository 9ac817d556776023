"""Signing in by password: locking, and what a wrong answer gives away (nothing)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher
from flask.testing import FlaskClient
from sqlalchemy import event, select

from foundation.actors import Role
from foundation.trail.events import Event
from tests.webapp.conftest import Web, csrf, post
from tests.webapp.door import CHEAP, COOKIE, NEXT_ONE, OFFICE, RIGHT, Door, open_door, page
from webapp.models import AccessCount
from webapp.passwords import EXTENSION, Passwords
from webapp.services import attempts, sessions


@pytest.fixture
def door(web: Web) -> Door:
    """A claim officer who has a password and no second factor."""
    return open_door(web)


def test_login_and_password_open_a_session(door: Door) -> None:
    answer = door.sign_in()
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert "某某" in door.browser.get("/account").get_data(as_text=True)
    assert door.actions() == ["account.signed_in"]


@pytest.mark.parametrize("login", ["ZHAO.LEI", "  zhao.lei ", "Zhao.Lei"])
def test_a_login_is_taken_in_any_case_and_with_spaces_around_it(door: Door, login: str) -> None:
    assert door.sign_in(login=login).status_code == 303


def test_the_cookie_is_for_this_host_and_for_no_script(door: Door) -> None:
    cookie = next(c for c in door.sign_in().headers.getlist("Set-Cookie") if c.startswith(COOKIE))
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie
    assert "Domain" not in cookie and "Expires" not in cookie
    assert sessions.cookie_name(plain_http=False) == f"__Host-{COOKIE}"


def test_attack_02_six_wrong_passwords_then_the_right_one_are_refused_with_how_long(door: Door) -> None:
    answers = [door.sign_in("wrong").status_code for _ in range(6)]
    assert answers == [401, 401, 401, 401, 401, 429]
    refused = door.sign_in()
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "900"
    assert "请 15 分钟后再试" in page(refused)
    assert door.browser.get_cookie(COOKIE, domain="localhost") is None
    assert door.actions() == ["account.sign_in_failed"] * 5 + ["account.locked"]


def test_attack_02_the_lock_ends_by_itself_and_the_count_starts_again(door: Door) -> None:
    for _ in range(5):
        door.sign_in("wrong")
    door.web.clock.forward(minutes=14, seconds=59)
    assert door.sign_in().status_code == 429
    door.web.clock.forward(seconds=1)
    assert door.sign_in("wrong").status_code == 401
    assert door.account().failures == 1
    assert door.sign_in().status_code == 303
    assert (door.account().failures, door.account().locked_until) == (0, None)


def test_attack_02_an_unknown_login_is_answered_word_for_word_alike(door: Door) -> None:
    known, unknown = [], []
    for _ in range(7):
        known.append(door.sign_in("wrong"))
        unknown.append(door.sign_in("wrong", login="nobody"))
    assert [a.status_code for a in known] == [a.status_code for a in unknown]
    assert [page(a) for a in known] == [page(a) for a in unknown]
    assert known[-1].headers["Retry-After"] == unknown[-1].headers["Retry-After"] == "900"
    door.web.clock.forward(minutes=15)
    assert door.sign_in("wrong", login="nobody").status_code == 401


def test_attack_02_a_disabled_account_is_answered_like_an_unknown_one(door: Door) -> None:
    door.change(state="disabled")
    disabled, unknown = door.sign_in(), door.sign_in(login="nobody")
    assert disabled.status_code == unknown.status_code == 401
    assert page(disabled) == page(unknown)


def test_attack_02_an_unknown_login_costs_the_same_work(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """One hash of equal parameters and as many commits: what takes the time, counted, since machines are busy."""
    work: list[str] = []
    real = PasswordHasher.verify

    def verify(self: PasswordHasher, kept: str, password: str) -> bool:
        work.append("hash " + kept.split("$")[3])
        return real(self, kept, password)

    monkeypatch.setattr(PasswordHasher, "verify", verify)
    event.listen(door.web.database.engine, "commit", lambda _: work.append("commit"))
    token = csrf(door.browser, "/sign-in")
    done = []
    for login in ("zhao.lei", "nobody"):
        work.clear()
        door.browser.post("/sign-in", data={"login": login, "password": "wrong", "csrf_token": token})
        done.append(list(work))
    assert done[0] == done[1] == ["commit", "hash m=64,t=1,p=1", "commit"]


@pytest.mark.parametrize(("login", "failures"), [("zhao.lei", {5}), ("nobody", {5, 6})])
def test_attack_02_many_wrong_passwords_at_once_gain_nothing(
    door: Door, login: str, failures: set[int]
) -> None:
    clients = [door.another_browser() for _ in range(12)]
    tokens = [csrf(client, "/sign-in") for client in clients]

    def attempt(client: FlaskClient, token: str) -> int:
        data = {"login": login, "password": "wrong", "csrf_token": token}
        return client.post("/sign-in", data=data).status_code

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(attempt, clients, tokens))
    assert set(answers) == {401, 429}
    assert answers.count(401) in failures


def test_many_right_passwords_at_once_from_one_office_all_come_in(door: Door) -> None:
    clients = [door.another_browser() for _ in range(12)]
    tokens = [csrf(client, "/sign-in") for client in clients]

    def attempt(client: FlaskClient, token: str) -> int:
        data = {"login": "zhao.lei", "password": RIGHT, "csrf_token": token}
        return client.post("/sign-in", data=data).status_code

    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(attempt, clients, tokens)) == [303] * 12
    assert (door.account().failures, door.account().locked_until) == (0, None)


def test_attack_02_one_address_trying_many_logins_is_stopped(door: Door) -> None:
    answers = [
        door.sign_in("wrong", login=f"user{n}").status_code for n in range(attempts.MOST_OF_ADDRESS + 1)
    ]
    assert answers == [401] * attempts.MOST_OF_ADDRESS + [429]
    assert door.sign_in().status_code == 429


def test_this_very_machine_is_not_stopped_by_address_but_each_login_still_locks(door: Door) -> None:
    here = door.web.client()
    for n in range(attempts.MOST_OF_ADDRESS + 2):
        assert door.sign_in("wrong", login=f"user{n}", browser=here).status_code == 401
    answers = [door.sign_in("wrong", browser=here).status_code for _ in range(6)]
    assert answers == [401] * 5 + [429]


def test_right_passwords_do_not_use_up_what_an_office_behind_one_address_has(door: Door) -> None:
    for _ in range(attempts.MOST_OF_ADDRESS + 3):
        assert door.sign_in(browser=door.another_browser()).status_code == 303


def test_neither_address_nor_login_stands_in_the_counts(door: Door) -> None:
    door.sign_in("wrong")
    door.sign_in("wrong", login="nobody")
    with door.web.database.reading() as session:
        whose = " ".join(session.scalars(select(AccessCount.whose)))
    assert OFFICE not in whose and "nobody" not in whose and "zhao" not in whose


def test_events_of_signing_in_name_nobody(door: Door) -> None:
    door.sign_in("wrong")
    door.sign_in()
    with door.web.database.reading() as session:
        bodies = " ".join(session.scalars(select(Event.body)))
    assert "zhao" not in bodies and "某某" not in bodies and OFFICE not in bodies and "wrong" not in bodies


def test_attack_05_a_password_of_a_megabyte_is_refused_before_it_is_hashed(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hash_nothing(*_: object) -> bool:
        raise AssertionError("hashed")

    monkeypatch.setattr(Passwords, "matches", hash_nothing)
    assert door.sign_in("x" * 1_048_576).status_code == 413
    assert door.sign_in("x" * 1025).status_code == 422


def test_a_crowd_at_the_door_is_told_to_wait_and_nothing_is_counted(door: Door) -> None:
    door.web.app.extensions[EXTENSION] = narrow = Passwords(
        memory_kib=64, rounds=1, lanes=1, at_once=1, patience=0.05
    )
    with narrow.place():
        answer = door.sign_in()
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert door.account().failures == 0


def test_the_form_says_what_is_missing(door: Door) -> None:
    answer = post(door.browser, "/sign-in", page="/sign-in", login="zhao.lei")
    assert answer.status_code == 422
    assert "必填" in page(answer)


def test_a_hash_of_weaker_parameters_is_made_again_at_the_next_sign_in(door: Door) -> None:
    door.change(password_hash=Passwords(memory_kib=32, rounds=1, lanes=1).hashed(RIGHT))
    door.sign_in()
    kept = door.account().password_hash
    assert kept is not None
    assert "m=64," in kept and CHEAP.matches(kept, RIGHT)


def test_signing_in_again_kills_the_cookie_that_the_browser_had(door: Door) -> None:
    door.sign_in()
    old = door.secret()
    door.sign_in()
    assert door.secret() != old
    thief = door.another_browser()
    thief.set_cookie(COOKIE, old, domain="localhost")
    assert thief.get("/account").status_code == 303


def test_a_planted_cookie_is_not_taken_over(door: Door) -> None:
    door.browser.set_cookie(COOKIE, "planted", domain="localhost")
    door.sign_in()
    assert door.secret() != "planted"


def test_attack_16_one_who_is_signed_in_elsewhere_is_told_so(door: Door) -> None:
    door.sign_in(browser=door.another_browser())
    door.sign_in()
    assert "还有 1 处登录" in door.browser.get("/account").get_data(as_text=True)


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example", "https:evil.example", "https://evil.example", "\\evil.example", "/\\evil.example",
        "/\t/evil.example", "///evil.example", "/%5cevil\\", "javascript:alert(1)", "evil", "/\u2028/evil", "http:/evil",
    ],
)  # fmt: skip
def test_attack_14_a_next_that_leads_elsewhere_goes_home(door: Door, wanted: str) -> None:
    answer = door.sign_in(next=wanted)
    if answer.status_code == 303:
        assert answer.headers["Location"] == "/"
    else:
        assert answer.status_code == 422  # a character that no address has
    door.sign_in()
    again = door.browser.get("/sign-in", query_string={"next": wanted})
    assert again.status_code == 400 or again.headers["Location"] == "/"


def test_a_next_of_ours_is_gone_to(door: Door) -> None:
    assert door.sign_in(next="/claims?line=illness").headers["Location"] == "/claims?line=illness"


def test_the_role_that_was_last_acted_in_comes_first(door: Door) -> None:
    recon = door.grant(Role.RECON)
    door.sign_in()
    assert "理赔员" in door.browser.get("/account").get_data(as_text=True)
    post(door.browser, "/account/role", grant=recon)
    door.sign_in(browser=(other := door.another_browser()))
    assert '<span class="user-role">对账员' in other.get("/account").get_data(as_text=True)


def test_a_password_that_was_changed_meanwhile_opens_nothing(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Passwords.matches

    def changing(self: Passwords, kept: str | None, password: str) -> bool:
        right = real(self, kept, password)
        door.change(password_hash=CHEAP.hashed(NEXT_ONE))
        return right

    monkeypatch.setattr(Passwords, "matches", changing)
    assert door.sign_in().status_code == 401

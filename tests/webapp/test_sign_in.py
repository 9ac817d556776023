"""Signing in: password, new password, second factor, locking, and what a wrong answer gives away (nothing)."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from foundation.actors import Role
from foundation.errors import SignInNeeded
from foundation.staff.models import Account, StaffMember
from foundation.trail import Event
from tests.staffing import put_account, put_grant
from tests.webapp.conftest import Web, csrf, post
from webapp import second_factor
from webapp.models import AccessCount, WebSession
from webapp.passwords import EXTENSION, Passwords
from webapp.services import attempts, sessions, sign_in

RIGHT, NEXT_ONE = "correct horse battery staple", "梧桐树下三只蓝猫在吃晚饭吧"
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
COOKIE = sessions.cookie_name(plain_http=True)
CHEAP = Passwords(memory_kib=64, rounds=1, lanes=1, patience=20)


@dataclass
class Door:
    """The application, a person with an account, and a browser in front of the sign-in page."""

    web: Web
    account_id: str
    browser: FlaskClient

    def sign_in(
        self, password: str = RIGHT, login: str = "zhao.lei", browser: FlaskClient | None = None, **more: str
    ) -> TestResponse:
        fields = {"login": login, "password": password, **more}
        return post(browser or self.browser, "/sign-in", page="/sign-in", **fields)

    def code(self, steps: int = 0) -> str:
        return second_factor.code_at(SECRET, self.web.clock.at + timedelta(seconds=30 * steps))

    def give_code(self, code: str, **more: str) -> TestResponse:
        return post(self.browser, "/sign-in/code", page="/sign-in/code", code=code, **more)

    def secret(self) -> str:
        cookie = self.browser.get_cookie(COOKIE, domain="localhost")
        assert cookie is not None
        return cookie.value

    def change(self, **values: object) -> None:
        with self.web.database.transaction() as session:
            session.execute(update(Account).where(Account.id == self.account_id).values(**values))

    def enrol(self) -> None:
        sealed = self.web.sealer.seal("account", "totp_sealed", self.account_id, SECRET)
        self.change(totp_sealed=sealed, totp_confirmed_at=self.web.clock.at)

    def grant(self, role: Role) -> str:
        with self.web.database.transaction() as session:
            return put_grant(session, self.account_id, role)

    def account(self) -> Account:
        with self.web.database.reading() as session:
            return session.get_one(Account, self.account_id)

    def actions(self) -> list[str]:
        with self.web.database.reading() as session:
            return list(session.scalars(select(Event.action).order_by(Event.id)))


@pytest.fixture
def door(web: Web) -> Door:
    """A claim officer who has a password and no second factor."""
    web.app.extensions[EXTENSION] = CHEAP
    with web.database.transaction() as session:
        account_id = put_account(session, "person-1", "zhao.lei")
        put_grant(session, account_id, Role.CLAIM_OFFICER)
    found = Door(web, account_id, web.client())
    found.change(password_hash=CHEAP.hashed(RIGHT), password_set_at=web.clock.at)
    return found


def page(answer: TestResponse) -> str:
    """A page without what differs each time."""
    return re.sub(r"[0-9a-f]{64}|[0-9a-f]{16}|nonce-[^']+", "", answer.get_data(as_text=True))


# The password


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


def test_attack_02_an_unknown_login_takes_as_long(door: Door) -> None:
    """With the hash of production: its fifth of a second would show."""
    door.web.app.extensions[EXTENSION] = slow = Passwords()
    door.change(password_hash=slow.hashed(RIGHT))
    slow.matches(None, "warm")

    def took(login: str) -> float:
        token = csrf(door.browser, "/sign-in")
        begun = time.perf_counter()
        door.browser.post("/sign-in", data={"login": login, "password": "wrong", "csrf_token": token})
        return time.perf_counter() - begun

    known = min(took("zhao.lei") for _ in range(4))
    unknown = min(took("nobody") for _ in range(4))
    assert abs(known - unknown) < 0.05 + 0.25 * max(known, unknown)


@pytest.mark.parametrize(("login", "failures"), [("zhao.lei", {5}), ("nobody", {5, 6})])
def test_attack_02_many_wrong_passwords_at_once_gain_nothing(
    door: Door, login: str, failures: set[int]
) -> None:
    clients = [door.web.client() for _ in range(12)]
    tokens = [csrf(client, "/sign-in") for client in clients]

    def attempt(client: FlaskClient, token: str) -> int:
        data = {"login": login, "password": "wrong", "csrf_token": token}
        return client.post("/sign-in", data=data).status_code

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(attempt, clients, tokens))
    assert set(answers) == {401, 429}
    assert answers.count(401) in failures


def test_many_right_passwords_at_once_from_one_office_all_come_in(door: Door) -> None:
    clients = [door.web.client() for _ in range(12)]
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


def test_right_passwords_do_not_use_up_what_an_office_behind_one_address_has(door: Door) -> None:
    for _ in range(attempts.MOST_OF_ADDRESS + 3):
        assert door.sign_in(browser=door.web.client()).status_code == 303


def test_neither_address_nor_login_stands_in_the_counts(door: Door) -> None:
    door.sign_in("wrong")
    door.sign_in("wrong", login="nobody")
    with door.web.database.reading() as session:
        whose = " ".join(session.scalars(select(AccessCount.whose)))
    assert "127.0.0.1" not in whose and "nobody" not in whose and "zhao" not in whose


def test_events_of_signing_in_name_nobody(door: Door) -> None:
    door.sign_in("wrong")
    door.sign_in()
    with door.web.database.reading() as session:
        bodies = " ".join(session.scalars(select(Event.body)))
    assert (
        "zhao" not in bodies and "某某" not in bodies and "127.0.0.1" not in bodies and "wrong" not in bodies
    )


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
    thief = door.web.client()
    thief.set_cookie(COOKIE, old, domain="localhost")
    assert thief.get("/account").status_code == 303


def test_a_planted_cookie_is_not_taken_over(door: Door) -> None:
    door.browser.set_cookie(COOKIE, "planted", domain="localhost")
    door.sign_in()
    assert door.secret() != "planted"


def test_attack_16_one_who_is_signed_in_elsewhere_is_told_so(door: Door) -> None:
    door.sign_in(browser=door.web.client())
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
    door.sign_in(browser=(other := door.web.client()))
    assert '<span class="user-role">对账员' in other.get("/account").get_data(as_text=True)


# A new password


def test_a_first_password_must_be_changed_before_anything_else(door: Door) -> None:
    door.change(password_must_change=True)
    assert door.sign_in(next="/claims").headers["Location"] == "/account/password?next=/claims"
    assert door.browser.get("/claims").headers["Location"] == "/account/password"
    first = door.secret()
    answer = post(
        door.browser,
        "/account/password",
        page="/account/password",
        password=NEXT_ONE,
        again=NEXT_ONE,
        next="/claims",
    )
    assert answer.headers["Location"] == "/claims"
    assert door.secret() != first
    assert door.browser.get("/claims").status_code == 200
    assert door.actions() == ["account.password_changed", "account.signed_in"]
    assert door.sign_in(browser=door.web.client()).status_code == 401
    assert door.sign_in(NEXT_ONE, browser=door.web.client()).status_code == 303


@pytest.mark.parametrize(
    ("password", "again", "says"),
    [
        ("Yiyuan2026!!", "Yiyuan2026!!", "容易被猜到"),
        ("short", "short", "至少 12 个字符"),
        ("zhao lei 77 owls", "zhao lei 77 owls", "登录名或姓名"),
        (RIGHT, RIGHT, "不能与原密码相同"),
        (NEXT_ONE, f"{NEXT_ONE}!", "两次输入不一致"),
    ],
)
def test_attack_04_a_new_password_that_is_weak_or_the_old_one_is_refused(
    door: Door, password: str, again: str, says: str
) -> None:
    door.change(password_must_change=True)
    door.sign_in()
    answer = post(door.browser, "/account/password", page="/account/password", password=password, again=again)
    assert answer.status_code == 422
    assert says in page(answer)
    assert password not in page(answer)
    assert door.account().password_must_change


def test_attack_08_after_a_change_of_password_the_other_sessions_are_dead(door: Door) -> None:
    other = door.web.client()
    door.sign_in(browser=other)
    door.sign_in()
    fields = {"current": RIGHT, "password": NEXT_ONE, "again": NEXT_ONE}
    assert post(door.browser, "/account/password", page="/account/password", **fields).status_code == 303
    assert door.browser.get("/account").status_code == 200
    assert other.get("/account").status_code == 303


def test_changing_a_password_asks_for_the_present_one_and_counts_wrong_ones(door: Door) -> None:
    door.sign_in()
    fields = {"password": NEXT_ONE, "again": NEXT_ONE}
    missing = post(door.browser, "/account/password", page="/account/password", **fields)
    assert missing.status_code == 422
    answers = [
        post(
            door.browser, "/account/password", page="/account/password", current="wrong", **fields
        ).status_code
        for _ in range(6)
    ]
    assert answers == [401] * 5 + [429]
    assert CHEAP.matches(door.account().password_hash, RIGHT)


# The second factor


@pytest.fixture
def releaser(door: Door) -> Door:
    """The same person, who also releases money and has a second factor."""
    door.grant(Role.FIN_RELEASER)
    door.enrol()
    return door


def test_who_has_a_second_factor_gives_it_at_every_sign_in(releaser: Door) -> None:
    assert releaser.sign_in(next="/claims").headers["Location"] == "/sign-in/code?next=/claims"
    half = releaser.secret()
    assert "动态口令" in releaser.browser.get("/sign-in/code").get_data(as_text=True)
    answer = releaser.give_code(releaser.code(), next="/claims")
    assert answer.headers["Location"] == "/claims"
    assert releaser.secret() != half
    thief = releaser.web.client()
    thief.set_cookie(COOKIE, half, domain="localhost")
    assert thief.get("/sign-in/code").status_code == 303
    assert releaser.actions() == ["account.signed_in"]


def test_a_code_may_be_typed_with_the_space_that_authenticators_show(releaser: Door) -> None:
    releaser.sign_in()
    code = releaser.code()
    assert releaser.give_code(f"{code[:3]} {code[3:]}").status_code == 303


def test_attack_10_a_code_is_refused_twice_late_and_in_full_width(releaser: Door) -> None:
    releaser.sign_in()
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in releaser.code())
    assert releaser.give_code(wide).status_code == 401
    assert releaser.give_code(releaser.code(-2)).status_code == 401
    assert releaser.give_code(releaser.code()).status_code == 303
    releaser.sign_in()
    again = releaser.give_code(releaser.code())
    assert again.status_code == 401
    assert "已用过" in page(again)


def test_attack_11_the_second_factor_cannot_be_skipped_by_going_on(releaser: Door) -> None:
    releaser.sign_in()
    for path in ("/", "/claims", "/account", "/account/step-up", "/account/tokens", "/payments/batches"):
        assert releaser.browser.get(path).headers.get("Location", "").startswith("/sign-in/code"), path
    token = csrf(releaser.browser, "/sign-in/code")
    for path in ("/account/role", "/account/sessions", "/account/step-up", "/account/tokens"):
        assert releaser.browser.post(path, data={"csrf_token": token}).status_code == 401, path


def test_attack_11_nobody_sets_a_new_second_factor_or_password_to_get_around_it(releaser: Door) -> None:
    releaser.sign_in()
    for path in ("/account/second-factor", "/account/password"):
        assert releaser.browser.get(path).headers["Location"].startswith("/sign-in/code")
    token = csrf(releaser.browser, "/sign-in/code")
    with releaser.web.database.reading() as session:
        half = sessions.recognise(session, releaser.secret(), releaser.web.clock.at)
    assert half is not None
    mine = second_factor.new_secret()
    data = {
        "offer": second_factor.seal_offer(releaser.web.sealer, half.session_id, mine),
        "code": second_factor.code_at(mine, releaser.web.clock.at),
        "csrf_token": token,
    }
    assert releaser.browser.post("/account/second-factor", data=data).status_code == 409
    data = {"current": RIGHT, "password": NEXT_ONE, "again": NEXT_ONE, "csrf_token": token}
    assert releaser.browser.post("/account/password", data=data).status_code == 409
    assert releaser.browser.get("/claims").status_code == 303
    assert CHEAP.matches(releaser.account().password_hash, RIGHT)


def test_wrong_codes_lock_the_account_even_with_right_passwords_between_them(releaser: Door) -> None:
    answers = []
    for _ in range(6):
        if releaser.sign_in().status_code == 429:
            break
        answers.append(releaser.give_code("000000").status_code)
    assert answers == [401] * 5
    assert releaser.sign_in().status_code == 429
    assert releaser.give_code(releaser.code()).status_code == 429
    assert releaser.actions() == ["account.sign_in_failed"] * 5 + ["account.locked"]


def test_whoever_needs_a_second_factor_sets_it_at_the_first_sign_in(door: Door) -> None:
    door.grant(Role.FIN_RELEASER)
    assert door.sign_in(next="/claims").headers["Location"] == "/account/second-factor?next=/claims"
    assert door.browser.get("/claims").headers["Location"] == "/account/second-factor"
    shown = door.browser.get("/account/second-factor").get_data(as_text=True)
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", shown)[1].replace(" ", "")  # type: ignore[index]
    offer = re.search(r'name="offer" value="([^"]+)"', shown)[1]  # type: ignore[index]
    assert 'src="data:image/svg+xml' in shown
    fields = {"offer": offer, "next": "/claims"}
    wrong = post(
        door.browser, "/account/second-factor", page="/account/second-factor", code="000000", **fields
    )
    assert wrong.status_code == 401
    assert secret in wrong.get_data(as_text=True).replace(" ", "")
    assert door.account().totp_confirmed_at is None
    code = second_factor.code_at(secret, door.web.clock.at)
    right = post(door.browser, "/account/second-factor", page="/account/second-factor", code=code, **fields)
    assert right.headers["Location"] == "/claims"
    assert door.browser.get("/claims").status_code == 200
    assert door.actions() == ["account.second_factor_set", "account.signed_in"]
    door.sign_in()
    assert door.give_code(code).status_code == 401  # used up by setting it


def test_looking_at_the_page_of_the_second_factor_changes_nothing(door: Door) -> None:
    door.grant(Role.FIN_RELEASER)
    door.sign_in()
    before = door.account()
    door.browser.get("/account/second-factor")
    assert (door.account().totp_sealed, door.account().version) == (None, before.version)


def test_one_who_is_signed_in_sets_a_second_factor_with_their_password(door: Door) -> None:
    door.sign_in()
    with door.web.database.reading() as session:
        person = sessions.recognise(session, door.secret(), door.web.clock.at)
    assert person is not None
    fields = {
        "offer": second_factor.seal_offer(door.web.sealer, person.session_id, SECRET),
        "code": door.code(),
    }
    assert post(door.browser, "/account/second-factor", **fields).status_code == 422
    assert post(door.browser, "/account/second-factor", password="wrong", **fields).status_code == 401
    assert post(door.browser, "/account/second-factor", password=RIGHT, **fields).status_code == 303
    assert door.account().totp_confirmed_at is not None
    assert "已绑定" in door.browser.get("/account").get_data(as_text=True)


def test_a_second_factor_is_replaced_only_with_a_fresh_code_of_it(releaser: Door) -> None:
    releaser.sign_in()
    releaser.give_code(releaser.code())
    assert releaser.browser.get("/account/second-factor").status_code == 200
    releaser.web.clock.forward(minutes=11)
    assert "/account/step-up" in releaser.browser.get("/account/second-factor").headers["Location"]


# Step-up


def test_attack_17_twenty_minutes_after_the_second_factor_a_weighty_step_asks_for_it_again(
    releaser: Door,
) -> None:
    releaser.sign_in()
    releaser.give_code(releaser.code())
    releaser.web.clock.forward(minutes=20)
    fields = {"name": "x", "days": "1", "scopes": "claims:read", "grant_id": "x"}
    asked = post(releaser.browser, "/account/tokens", **fields)
    assert asked.headers["Location"].startswith("/account/step-up")
    shown = releaser.browser.get("/account/step-up?next=/account/tokens").get_data(as_text=True)
    assert "没有办理" in shown
    wrong = post(releaser.browser, "/account/step-up", code="000000")
    assert wrong.status_code == 401
    answer = post(releaser.browser, "/account/step-up", code=releaser.code(), next="/account/tokens")
    assert answer.headers["Location"] == "/account/tokens"
    assert post(releaser.browser, "/account/tokens", **fields).status_code != 303
    assert "session.stepped_up" in releaser.actions()


def test_a_step_up_without_a_second_factor_leads_to_setting_one(door: Door) -> None:
    door.sign_in()
    answer = door.browser.get("/account/step-up?next=/account/tokens")
    assert answer.headers["Location"] == "/account/second-factor?next=/account/tokens"


# Races


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


def test_a_session_that_was_ended_meanwhile_is_not_carried_on(releaser: Door) -> None:
    releaser.sign_in()
    web = releaser.web
    with web.database.reading() as session:
        half = sessions.recognise(session, releaser.secret(), web.clock.at)
    assert half is not None
    with web.database.transaction() as session:
        sessions.retire(session, half.session_id, "ended_by_owner", web.clock.at)
    with pytest.raises(SignInNeeded), web.database.transaction() as session:
        sign_in.by_code(session, web.sealer, half, releaser.code(), web.clock.at)
    with web.database.reading() as session:
        assert session.scalars(select(WebSession).where(WebSession.stage == "open")).all() == []


# The pages


def test_the_demo_lists_its_logins_on_the_sign_in_page_and_no_other_installation_does(web: Web) -> None:
    options = web.app.extensions["fangpin_options"]
    listed = replace(options, demo=True, demo_logins=(("lipei", "CLAIM_OFFICER"),))
    assert "演示账号" not in web.client().get("/sign-in").get_data(as_text=True)
    web.app.extensions["fangpin_options"] = listed
    shown = web.client().get("/sign-in").get_data(as_text=True)
    assert "lipei" in shown and "理赔员" in shown


@pytest.mark.parametrize(
    "path", ["/sign-in", "/account", "/account/password", "/account/second-factor", "/account/step-up"]
)
def test_every_page_of_the_account_is_english_without_a_chinese_word(door: Door, path: str) -> None:
    with door.web.database.transaction() as session:
        session.execute(update(StaffMember).values(name="Zhao Lei"))
    if path != "/sign-in":
        door.sign_in()
    if path == "/account/step-up":
        door.enrol()
        door.sign_in()
        door.give_code(door.code())
    door.browser.set_cookie("fangpin_language", "en", domain="localhost")
    shown = door.browser.get(path)
    assert shown.status_code == 200
    text = shown.get_data(as_text=True).replace(">中文</button>", "")
    assert not re.findall("[\u4e00-\u9fff]+", re.sub(r"<!--.*?-->", "", text, flags=re.S))


def test_no_page_of_the_account_has_an_inline_style_or_script(releaser: Door) -> None:
    pages = [releaser.browser.get("/sign-in")]
    releaser.sign_in()
    pages.append(releaser.browser.get("/sign-in/code"))
    releaser.give_code(releaser.code())
    pages += [
        releaser.browser.get(f"/account{path}") for path in ("", "/password", "/second-factor", "/step-up")
    ]
    for answer in pages:
        assert answer.status_code == 200
        shown = answer.get_data(as_text=True)
        assert not re.search(r"<[^>]+\sstyle=|<style|\son[a-z]+=|<script(?![^>]+src=)", shown)

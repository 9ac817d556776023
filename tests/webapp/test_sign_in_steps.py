"""The steps after the password: a new one, the second factor, the step-up; none can be skipped."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from foundation.actors import Role
from foundation.errors import SignInNeeded
from tests.webapp.conftest import Web, csrf, post
from tests.webapp.door import CHEAP, COOKIE, NEXT_ONE, RIGHT, SECRET, Door, open_door, page
from webapp import second_factor
from webapp.models import WebSession
from webapp.services import sessions, sign_in


@pytest.fixture
def door(web: Web) -> Door:
    """A claim officer who has a password and no second factor."""
    return open_door(web)


@pytest.fixture
def releaser(door: Door) -> Door:
    """The same person, who also releases money and has a second factor."""
    door.grant(Role.FIN_RELEASER)
    door.enrol()
    return door


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
    assert door.actions() == ["account.password_accepted", "account.password_changed", "account.signed_in"]
    assert door.sign_in(browser=door.another_browser()).status_code == 401
    assert door.sign_in(NEXT_ONE, browser=door.another_browser()).status_code == 303


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
    other = door.another_browser()
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


def test_who_has_a_second_factor_gives_it_at_every_sign_in(releaser: Door) -> None:
    assert releaser.sign_in(next="/claims").headers["Location"] == "/sign-in/code?next=/claims"
    half = releaser.secret()
    assert "动态口令" in releaser.browser.get("/sign-in/code").get_data(as_text=True)
    answer = releaser.give_code(releaser.code(), next="/claims")
    assert answer.headers["Location"] == "/claims"
    assert releaser.secret() != half
    thief = releaser.another_browser()
    thief.set_cookie(COOKIE, half, domain="localhost")
    assert thief.get("/sign-in/code").status_code == 303
    assert releaser.actions() == ["account.password_accepted", "account.signed_in"]


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
    assert releaser.actions() == ["account.password_accepted", "account.sign_in_failed"] * 5 + [
        "account.locked"
    ]


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
    assert door.actions() == ["account.password_accepted", "account.second_factor_set", "account.signed_in"]
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

"""Pages of signing in and of one's own account: complete in English, nothing inline, the demo's logins in the demo."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from sqlalchemy import update

from foundation.actors import Role
from foundation.staff.models import StaffMember
from tests.webapp.conftest import Web
from tests.webapp.door import Door, open_door


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

"""A person in front of the sign-in page: what tests of signing in start from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from foundation.actors import Role
from foundation.staff.models import Account
from foundation.trail.events import Event
from tests.staffing import put_account, put_grant
from tests.webapp.conftest import Web, post
from webapp import second_factor
from webapp.passwords import EXTENSION, Passwords
from webapp.services import sessions

RIGHT, NEXT_ONE = "correct horse battery staple", "梧桐树下三只蓝猫在吃晚饭吧"
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
COOKIE = sessions.cookie_name(plain_http=True)
CHEAP = Passwords(memory_kib=64, rounds=1, lanes=1, patience=20)


OFFICE = "203.0.113.7"


def office_browser(web: Web) -> FlaskClient:
    """A visitor from another machine."""
    client = web.client()
    client.environ_base["REMOTE_ADDR"] = OFFICE
    return client


@dataclass
class Door:
    """The application, a person with an account, and a browser in front of the sign-in page."""

    web: Web
    account_id: str
    browser: FlaskClient

    def another_browser(self) -> FlaskClient:
        """One more browser in the same office: attempts from this very machine are not counted by address."""
        return office_browser(self.web)

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


def open_door(web: Web) -> Door:
    """A claim officer who has a password and no second factor."""
    web.app.extensions[EXTENSION] = CHEAP
    with web.database.transaction() as session:
        account_id = put_account(session, "person-1", "zhao.lei")
        put_grant(session, account_id, Role.CLAIM_OFFICER)
    found = Door(web, account_id, office_browser(web))
    found.change(password_hash=CHEAP.hashed(RIGHT), password_set_at=web.clock.at)
    return found


def page(answer: TestResponse) -> str:
    """A page without what differs each time."""
    return re.sub(r"[0-9a-f]{64}|[0-9a-f]{16}|nonce-[^']+", "", answer.get_data(as_text=True))

"""A program that calls the API with a token, as another system of the county would."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from foundation.actors import Actor, Role
from tests.webapp.conftest import COUNTY, Web
from webapp.services.tokens import SCOPES, make_token

_keys = itertools.count(1)


@dataclass
class Caller:
    """A client with a token."""

    client: FlaskClient
    actor: Actor
    grant_id: str
    token_id: str
    secret: str

    def headers(self, **more: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secret}", **{k.replace("_", "-"): v for k, v in more.items()}}

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(f"/api/v1{path}", headers=self.headers(**headers))

    def data(self, path: str) -> Any:
        """The JSON of a GET that must succeed."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_json()

    def post(self, path: str, body: Any = None) -> TestResponse:
        """A call that is no write of a thing: it takes no key."""
        return self.client.post(f"/api/v1{path}", json=body, headers=self.headers())

    def patch(self, path: str, body: Any = None, key: str | None = None, **headers: str) -> TestResponse:
        """A write with a new key unless one is given; no key at all with an empty one."""
        key = f"key-{next(_keys)}" if key is None else key
        if key:
            headers["Idempotency_Key"] = key
        return self.client.patch(f"/api/v1{path}", json=body, headers=self.headers(**headers))


def caller(
    web: Web,
    role: str,
    place: str = COUNTY,
    scopes: Iterable[str] = SCOPES,
    person: str | None = None,
    department: str | None = None,
) -> Caller:
    """A token of a new account in a role, made straight in the database."""
    web.sign_in(role, place, person, department)
    grant_id, account_id = f"grant-{web.made}", f"account-{web.made}"
    actor = Actor(person or f"person-{web.made}", account_id, Role(role), place, "测试")
    with web.database.transaction() as session:
        token, secret = make_token(session, actor, web.clock.at, grant_id, "测试", scopes, 30)
    return Caller(web.app.test_client(), actor, grant_id, token.id, secret)


def set_up(web: Web) -> tuple[Caller, str, str]:
    """A security administrator's token, another account's path, and that account's ETag."""
    admin, other = caller(web, "SEC_ADMIN"), caller(web, "CLAIM_OFFICER")
    path = f"/accounts/{other.actor.account}"
    return admin, path, admin.get(path).headers["ETag"]

"""Fixtures of the web: an application on each engine, and people who are signed in, made straight in the database."""

from __future__ import annotations

import hashlib
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask, has_request_context
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from foundation.actors import Role
from foundation.database import Database
from foundation.keyfile import open_sealer
from foundation.sealing import Sealer
from foundation.staff.models import Account, RoleGrant, StaffMember
from tests.servers import Postgres
from tests.watching import watched
from webapp.application import Options, make_app
from webapp.models import WebSession
from webapp.run import Options as RunOptions
from webapp.run import run_pack
from webapp.services import sessions

COUNTY = "370323"
SMALL = Path(__file__).resolve().parents[1] / "packs" / "small"


@dataclass
class MovableClock:
    """A clock that stands still until a test moves it."""

    at: datetime = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        """Moves it on: `forward(minutes=31)`."""
        self.at += timedelta(**by)


@dataclass
class Web:
    """An application with its database, sealer and clock."""

    app: Flask
    database: Database
    sealer: Sealer
    clock: MovableClock
    made: int = field(default=0)

    def client(self) -> FlaskClient:
        """A visitor who is not signed in."""
        return self.app.test_client()

    def sign_in(
        self,
        role: Role | str,
        place: str = COUNTY,
        person: str | None = None,
        department: str | None = None,
        second_factor: bool = True,
        demo: bool = False,
    ) -> FlaskClient:
        """A client with an open session of a new account in a role; of a known `person`, or of a new one."""
        role = Role(role)
        at = self.clock.at
        self.made += 1
        staff_id = person or f"person-{self.made}"
        account_id, grant_id = f"account-{self.made}", f"grant-{self.made}"
        secret = secrets.token_hex(16)
        with self.database.transaction() as session:
            if session.get(StaffMember, staff_id) is None:
                session.add(StaffMember(id=staff_id, name=f"测试{self.made}", created_at=at))
                session.flush()
            session.add(
                Account(
                    id=account_id,
                    login=f"user{self.made}",
                    staff_id=staff_id,
                    state="active",
                    password_must_change=False,
                    totp_step=0,
                    failures=0,
                    demo=demo,
                    version=1,
                    created_at=at,
                )
            )
            session.flush()
            session.add(
                RoleGrant(
                    id=grant_id,
                    account_id=account_id,
                    role=role,
                    place=place,
                    department=department or ("MEDINS" if role is Role.DEPARTMENT else None),
                    valid_from=date(2000, 1, 1),
                    state="active",
                    requested_by="asker",
                    requested_at=at,
                    decided_by="decider",
                    decided_at=at,
                )
            )
            session.flush()
            session.add(
                WebSession(
                    id=f"session-{self.made}",
                    secret_hash=hashlib.sha256(secret.encode()).hexdigest(),
                    account_id=account_id,
                    grant_id=grant_id,
                    stage="open",
                    started_at=at,
                    seen_at=at,
                    second_factor_at=at if second_factor else None,
                    device="test",
                )
            )
        client = self.app.test_client()
        client.set_cookie(sessions.cookie_name(plain_http=True), secret, domain="localhost")
        return client


@pytest.fixture(autouse=True)
def every_change_by_a_request_has_its_event() -> Iterator[None]:
    """No event, no change: holds in every test of the web, whatever it is about."""
    with watched(has_request_context) as faults:
        yield
    assert faults == []


_TOKEN = re.compile(r'name="csrf_token" value="([0-9a-f]+)"')


def csrf(client: FlaskClient, page: str = "/account") -> str:
    """The CSRF token that a page gives this client."""
    found = _TOKEN.search(client.get(page, follow_redirects=True).get_data(as_text=True))
    assert found, f"{page} has no form"
    return found[1]


def post(client: FlaskClient, url: str, page: str = "/account", **fields: object) -> TestResponse:
    """A POST with the client's CSRF token."""
    return client.post(url, data={**fields, "csrf_token": csrf(client, page)})


def _web(url: str, key_file: Path) -> Iterator[Web]:
    database = Database(url)
    clock = MovableClock()
    with database.transaction() as session:
        sealer = open_sealer(session, key_file)
    app = make_app(database, sealer, clock, Options(testing=True, hosts=("localhost", "127.0.0.1")))
    yield Web(app, database, sealer, clock)
    database.close()


@pytest.fixture
def web(migrated_url: str, tmp_path: Path) -> Iterator[Web]:
    """An application on an empty database, once on each engine."""
    yield from _web(migrated_url, tmp_path / "web.key")


@pytest.fixture
def client(web: Web) -> FlaskClient:
    """A visitor who is not signed in."""
    return web.client()


@pytest.fixture
def signed_in(web: Web) -> Callable[..., FlaskClient]:
    """Makes clients who are signed in: `signed_in("CLAIM_OFFICER", place="370323101")`."""
    return web.sign_in


# A database with the small pack taken in, determined and paid, made once on each engine.


@pytest.fixture(scope="session")
def county_key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The key file of the county databases."""
    return tmp_path_factory.mktemp("county") / "county.key"


def _run_small(url: str, key_file: Path, out: Path) -> None:
    run_pack(RunOptions(SMALL, out, url, date(2021, 1, 5), False, 4, key_file), lambda _zh, _en: None)


@pytest.fixture(scope="session")
def county_sqlite_file(county_key_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The county on SQLite, to copy. Tests never open it."""
    out = tmp_path_factory.mktemp("county-sqlite")
    _run_small(f"sqlite:///{out}/county.db", county_key_file, out)
    return out / "county.db"


@pytest.fixture(scope="session")
def county_postgres_template(
    postgres: Postgres, county_key_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The county on PostgreSQL, to copy, by name."""
    name = postgres.create()
    key_file = county_key_file.with_name("county-postgres.key")
    _run_small(postgres.url(name), key_file, tmp_path_factory.mktemp("county-postgres"))
    return name


@pytest.fixture
def county_sqlite(county_sqlite_file: Path, county_key_file: Path, tmp_path: Path) -> tuple[str, Path]:
    """URL and key file of a copy of the county on SQLite."""
    shutil.copyfile(county_sqlite_file, tmp_path / "county.db")
    return f"sqlite:///{tmp_path}/county.db", county_key_file


@pytest.fixture
def county_postgres(
    postgres: Postgres, county_postgres_template: str, county_key_file: Path
) -> Iterator[tuple[str, Path]]:
    """URL and key file of a copy of the county on PostgreSQL."""
    name = postgres.create(county_postgres_template)
    yield postgres.url(name), county_key_file.with_name("county-postgres.key")
    postgres.drop(name)


@pytest.fixture(params=["county_sqlite", "county_postgres"], ids=("sqlite", "postgresql"))
def county(request: pytest.FixtureRequest) -> Iterator[Web]:
    """An application on the small pack's county, once on each engine."""
    yield from _web(*request.getfixturevalue(request.param))

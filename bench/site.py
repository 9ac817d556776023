"""A site to measure pages on: a database with a county's claims, taken in and determined, and the application on it.

The person who asks is a claim officer of the whole county, signed in as the tests do it: straight in the database.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from os import devnull
from pathlib import Path
from typing import Any

import structlog
from flask.testing import FlaskClient
from sqlalchemy import event, func, select, text
from sqlalchemy.orm import Session

from bench.packs import case_of
from claims.deciding import Decided
from claims.models import ClaimRow
from claims.pack import Pack
from claims.services.determination import determine
from claims.services.pack import take_in_pack
from claims.services.reading import read_whole_pack
from foundation.actors import Role
from foundation.clock import as_of
from foundation.database import Database, is_sqlite, migrate
from foundation.keyfile import open_sealer
from foundation.money import MOST_FEN
from foundation.sealing import Sealer
from policies.policy import Policy
from tests.staffing import put_account, put_grant
from webapp import demo_actors as demo
from webapp.application import Options, make_app
from webapp.models import WebSession
from webapp.services import sessions

CLOCK = as_of(date(2021, 1, 5))
SAMPLE = 20
"""Claims that are asked for in turn."""


@dataclass(frozen=True)
class Content:
    """A pack, read and decided."""

    policy: Policy
    files: dict[str, str]
    pack: Pack
    decided: Sequence[Decided]

    @classmethod
    def of(cls, folder: Path) -> Content:
        """Reads and decides a pack."""
        policy, files, pack = read_whole_pack(folder)
        return cls(policy, files, pack, case_of(pack, policy).decide_all())


@dataclass
class Site:
    """An application, and somebody signed in to it. `statements` counts the SELECTs of all requests."""

    engine: str
    database: Database
    client: FlaskClient
    claims: int
    statements: int = field(default=0)

    def get(self, url: str) -> bytes:
        """A page. Raises AssertionError for any other answer."""
        answer = self.client.get(url)
        if answer.status_code != 200:
            raise AssertionError(f"{url}: {answer.status}")
        page: bytes = answer.data
        return page

    def sample(self) -> list[str]:
        """Claims from all over the list, by id."""
        with self.database.reading() as session:
            ids = session.scalars(select(ClaimRow.id).order_by(ClaimRow.claim_no)).all()
        return list(ids[:: len(ids) // SAMPLE][:SAMPLE])

    def alone_and_with_most(self) -> tuple[str, str]:
        """A claim that is its household's only one, and one of the household with the most."""
        query = (
            select(func.min(ClaimRow.id))
            .where(ClaimRow.household_id.is_not(None))
            .group_by(ClaimRow.household_id)
            .order_by(func.count(), func.min(ClaimRow.id))
        )
        with self.database.reading() as session:
            ids = session.scalars(query).all()
        return ids[0], ids[-1]


@contextmanager
def site_on(engine: str, url: str, key_file: Path, content: Content) -> Iterator[Site]:
    """Fills an empty database and opens the application on it."""
    migrate(url)
    database = Database(url)
    try:
        with database.transaction() as session:
            sealer = open_sealer(session, key_file)
        _fill(database, sealer, content)
        yield open_site(engine, database, sealer)
    finally:
        database.close()


def _fill(database: Database, sealer: Sealer, content: Content) -> None:
    at = CLOCK.now()
    with database.transaction() as session:
        take_in_pack(session, sealer, demo.SYSTEM, at, content.pack, content.files, content.policy)
    with database.transaction() as session:
        demo.ensure_demo_staff(session, at, MOST_FEN)
        determine(session, sealer, demo.RECOMMENDER, demo.DETERMINER, at, content.policy.number)
    with database.transaction() as session:
        if not is_sqlite(session):
            session.execute(text("ANALYZE"))  # As the server does by itself a minute after so many rows.


def open_site(engine: str, database: Database, sealer: Sealer) -> Site:
    """The application on a database that is filled already."""
    with database.transaction() as session:
        secret = _signed_in(session)
        claims = session.scalar(select(func.count()).select_from(ClaimRow)) or 0
    # The lines of the requests are made and written, but not onto the terminal.
    log = Path(devnull).open("w", encoding="utf-8")  # noqa: SIM115  # open as long as the application
    structlog.configure(
        processors=[structlog.processors.JSONRenderer()],
        logger_factory=structlog.PrintLoggerFactory(file=log),
    )
    client = make_app(database, sealer, CLOCK, Options(testing=True)).test_client()
    client.set_cookie(sessions.cookie_name(plain_http=True), secret, domain="localhost")
    site = Site(engine, database, client, claims)

    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        site.statements += statement.startswith("SELECT")

    event.listen(database.engine, "before_cursor_execute", count)
    return site


def _signed_in(session: Session) -> str:
    """An open session of a new claim officer; its secret."""
    secret, name = secrets.token_hex(32), f"bench-{secrets.token_hex(4)}"
    account_id = put_account(session, name, name)
    grant_id = put_grant(session, account_id, Role.CLAIM_OFFICER)
    at = CLOCK.now()
    session.add(
        WebSession(
            id=secrets.token_hex(16),
            secret_hash=hashlib.sha256(secret.encode()).hexdigest(),
            account_id=account_id,
            grant_id=grant_id,
            stage="open",
            started_at=at,
            seen_at=at,
            second_factor_at=at,
            device="bench",
        )
    )
    return secret

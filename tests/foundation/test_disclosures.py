"""Full views: for a purpose, counted by natural person and business day, each with its row and its event."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import orjson
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from foundation.actors import Actor, Role
from foundation.database import Database
from foundation.errors import ConfigurationError, InvalidInput
from foundation.keyfile import open_sealer
from foundation.privacy import disclosures
from foundation.privacy.disclosures import DailyLimitReached, Disclosed, disclose, record_refusal
from foundation.privacy.models import Disclosure
from foundation.privacy.purposes import PURPOSES, view_purposes
from foundation.sealing import Sealer
from foundation.trail.events import Event

AT = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
OFFICER = Actor("person-1", "account-1", Role.CLAIM_OFFICER, "370323", "测试")
NOTE = "县监委来函:沂监函〔2026〕12 号,涉及张三"


class Desk:
    """A database and whoever asks it for full views."""

    def __init__(self, url: str, key_file: Path) -> None:
        self.database = Database(url)
        with self.database.transaction() as session:
            self.sealer: Sealer = open_sealer(session, key_file)

    def see(
        self,
        actor: Actor = OFFICER,
        at: datetime = AT,
        purpose: str | None = "identity",
        note: str | None = None,
    ) -> Disclosed:
        with self.database.transaction() as session:
            return disclose(
                session, self.sealer, actor, at, "claim", "c1", ("id_number", "account"), purpose, note
            )

    def count(self) -> int:
        with self.database.reading() as session:
            return session.scalar(select(func.count()).select_from(Disclosure)) or 0

    def events(self, action: str) -> list[str]:
        with self.database.reading() as session:
            return list(session.scalars(select(Event.body).where(Event.action == action)))


@pytest.fixture
def desk(migrated_url: str, tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(migrated_url, tmp_path / "key")
    yield opened
    opened.database.close()


def test_a_full_view_is_a_row_and_an_event(desk: Desk) -> None:
    seen = desk.see()
    assert seen.left == 199 and seen.fields == ("id_number", "account")
    with desk.database.reading() as session:
        row = session.scalars(select(Disclosure)).one()
    assert (row.person, row.account, row.role, row.place) == (
        "person-1",
        "account-1",
        "CLAIM_OFFICER",
        "370323",
    )
    assert (row.subject, row.subject_id, row.fields, row.purpose, row.note) == (
        "claim",
        "c1",
        "id_number,account",
        "identity",
        None,
    )
    assert row.at == AT and row.seen_on.isoformat() == "2026-11-24"
    body = orjson.loads(desk.events("claim.seen_in_full")[0])
    assert body["reason"] == "purpose=identity fields=id_number,account"
    assert (body["subject"], body["subject_id"], body["actor"]["person"]) == ("claim", "c1", "person-1")


def test_a_note_is_sealed_and_no_part_of_the_event(desk: Desk) -> None:
    seen = desk.see(purpose="authority", note=NOTE)
    with desk.database.reading() as session:
        stored = session.scalar(text("SELECT note FROM disclosure"))
    assert "张三" not in str(stored) and "监委" not in str(stored)
    assert desk.sealer.reveal("disclosure", "note", seen.id, str(stored)) == NOTE
    assert "张三" not in desk.events("claim.seen_in_full")[0]


@pytest.mark.parametrize(
    ("purpose", "note", "field"),
    [
        (None, None, "purpose"),
        ("curiosity", None, "purpose"),
        ("audit", None, "purpose"),
        ("to_bank", None, "purpose"),
        ("authority", None, "note"),
    ],
)
def test_without_a_purpose_of_ones_role_nothing_is_shown(
    desk: Desk, purpose: str | None, note: str | None, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        desk.see(purpose=purpose, note=note)
    assert list(refused.value.fields) == [field]
    assert desk.count() == 0 and desk.events("claim.seen_in_full") == []


@pytest.mark.parametrize(
    "role", [Role.VILLAGE_OFFICER, Role.TOWN_REVIEWER, Role.CENTER_LEAD, Role.SEC_ADMIN, Role.DEPARTMENT]
)
def test_a_role_without_a_purpose_sees_nobody_in_full(desk: Desk, role: Role) -> None:
    assert view_purposes(role) == ()
    for purpose in PURPOSES:
        with pytest.raises(InvalidInput):
            desk.see(replace(OFFICER, role=role), purpose=purpose, note="来函")
    assert desk.count() == 0


def test_an_auditor_looks_for_an_audit_only(desk: Desk) -> None:
    assert view_purposes(Role.AUDITOR) == ("audit",)
    assert desk.see(replace(OFFICER, role=Role.AUDITOR), purpose="audit").purpose == "audit"


def test_attack_37_the_201st_of_a_day_is_refused_whatever_account_and_role(desk: Desk) -> None:
    second = replace(OFFICER, account="account-2", role=Role.ADJUDICATOR)
    for number in range(200):
        desk.see(OFFICER if number % 2 else second)
    for actor in (OFFICER, second):
        with pytest.raises(DailyLimitReached) as refused:
            desk.see(actor)
    assert desk.count() == 200 and len(desk.events("claim.seen_in_full")) == 200
    # 10:00 in Shanghai: fourteen hours are left.
    assert refused.value.retry_after == 14 * 3600
    assert desk.see(replace(OFFICER, person="person-2")).left == 199


def test_a_new_business_day_begins_at_midnight_in_shanghai(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FANGPIN_FULL_VIEWS_A_DAY", "1")
    evening = datetime(2026, 11, 24, 15, 59, 59, tzinfo=UTC)
    desk.see(at=evening)
    with pytest.raises(DailyLimitReached) as refused:
        desk.see(at=evening)
    assert refused.value.retry_after == 1
    assert desk.see(at=evening + timedelta(seconds=1)).left == 0


def test_attack_37_two_at_once_at_the_last_view_are_one(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FANGPIN_FULL_VIEWS_A_DAY", "3")
    desk.see()
    desk.see()
    start = Barrier(4)

    def look(account: str) -> bool:
        start.wait()
        try:
            desk.see(replace(OFFICER, account=account))
        except DailyLimitReached:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        seen = list(pool.map(look, ("a", "b", "c", "d")))
    assert sorted(seen) == [False, False, False, True]
    assert desk.count() == 3


def test_who_comes_for_one_more_is_known(desk: Desk) -> None:
    with desk.database.transaction() as session:
        record_refusal(session, OFFICER, AT, "claim", "c9")
    body = orjson.loads(desk.events("access.limit_reached")[0])
    assert body["subject_id"] == "person-1" and body["reason"] == "limit=200 claim=c9"


def test_a_setting_that_is_no_number_stops_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FANGPIN_FULL_VIEWS_A_DAY", "many")
    with pytest.raises(ConfigurationError):
        disclosures.most_a_day()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE disclosure SET purpose = 'audit'",
        "UPDATE disclosure SET note = NULL",
        "UPDATE disclosure SET seen_on = '2020-01-01'",
        "DELETE FROM disclosure",
    ],
)
def test_the_database_keeps_a_full_view_as_it_was(desk: Desk, statement: str) -> None:
    desk.see(purpose="authority", note=NOTE)
    with pytest.raises(DBAPIError), desk.database.transaction() as session:
        session.execute(text(statement))
    assert desk.count() == 1

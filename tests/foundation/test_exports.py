"""The register of exports: who may take how much, what a second person decides, and that it is taken once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import orjson
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from foundation.actors import Actor, Assurance, Role
from foundation.database import Database
from foundation.errors import ConflictError, InvalidInput, NotAllowedError, NotFound
from foundation.keyfile import open_sealer
from foundation.privacy.exports import Agreed, HandedOut, Stamp, Wanted, decide, hand_out, lapse, state_of
from foundation.privacy.models import Export
from foundation.sealing import Sealer
from foundation.trail.events import Event

AT = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
OFFICER = Actor("person-1", "account-1", Role.CLAIM_OFFICER, "370323", "张经办")
LEAD = Actor("person-2", "account-2", Role.CENTER_LEAD, "370323", "李主任", Assurance.STEP_UP)
SYSTEM = Actor("system", "system", Role.SYSTEM, "370323", "系统")
MANY = Wanted("claims_workbook", 5001, {"line": "illness"}, purpose="statistics")


class Register:
    """A database and whoever takes data out of it."""

    def __init__(self, url: str, key_file: Path) -> None:
        self.database = Database(url)
        with self.database.transaction() as session:
            self.sealer: Sealer = open_sealer(session, key_file)

    def take(self, wanted: Wanted, actor: Actor = OFFICER, at: datetime = AT) -> HandedOut:
        with self.database.transaction() as session:
            return hand_out(session, self.sealer, actor, at, wanted, content_of)

    def decide(
        self, actor: Actor = LEAD, at: datetime = AT, *, approve: bool = True, number: int = 1
    ) -> None:
        export = self.row(number)
        with self.database.transaction() as session:
            decide(session, actor, at, export.id, approve=approve)

    def row(self, number: int = 1) -> Export:
        with self.database.reading() as session:
            return session.scalars(select(Export).where(Export.number == number)).one()

    def numbers(self) -> list[int]:
        with self.database.reading() as session:
            return list(session.scalars(select(Export.number).order_by(Export.number)))

    def actions(self) -> list[str]:
        with self.database.reading() as session:
            return list(session.scalars(select(Event.action).order_by(Event.id)))


def content_of(stamp: Stamp) -> bytes:
    return f"{stamp.number} {stamp.who} {stamp.purpose} {stamp.people}".encode()


@pytest.fixture
def register(migrated_url: str, tmp_path: Path) -> Iterator[Register]:
    opened = Register(migrated_url, tmp_path / "key")
    yield opened
    opened.database.close()


def test_a_few_people_go_out_at_once_and_are_registered(register: Register) -> None:
    out = register.take(Wanted("document", 1, subject_id="d1"))
    row = register.row()
    assert out == HandedOut(1, "1 张经办 None 1".encode())
    assert row.sha256 == hashlib.sha256(out.content or b"").hexdigest() and row.size == len(
        out.content or b""
    )
    assert (row.kind, row.subject_id, row.state, row.people) == ("document", "d1", "taken", 1)
    assert (row.person, row.account, row.role, row.place, row.taken_at) == (
        "person-1",
        "account-1",
        "CLAIM_OFFICER",
        "370323",
        AT,
    )
    with register.database.reading() as session:
        event = session.scalars(select(Event)).one()
    assert event.action == "export.taken" and event.subject_id == row.id
    body = orjson.loads(event.body)
    assert body["after"] == row.sha256
    assert body["reason"] == "E000001 kind=document people=1 purpose=-"


def test_above_fifty_people_there_is_a_purpose(register: Register) -> None:
    assert register.take(Wanted("claims_workbook", 50)).content is not None
    for purpose, field in (
        (None, "purpose"),
        ("identity", "purpose"),
        ("curiosity", "purpose"),
        ("authority", "note"),
    ):
        with pytest.raises(InvalidInput) as refused:
            register.take(Wanted("claims_workbook", 51, purpose=purpose))
        assert list(refused.value.fields) == [field]
    assert register.take(Wanted("claims_workbook", 51, purpose="visit")).content is not None
    assert register.numbers() == [1, 2]


def test_the_note_is_sealed(register: Register) -> None:
    register.take(Wanted("claims_workbook", 60, purpose="authority", note="法院来函 张三案"))
    row = register.row()
    assert row.note is not None and "张三" not in row.note
    assert register.sealer.reveal("export", "note", row.id, row.note) == "法院来函 张三案"
    with register.database.reading() as session:
        assert all("张三" not in body for body in session.scalars(select(Event.body)))


def test_numbers_have_no_gap_when_a_making_fails(register: Register) -> None:
    def broken(_stamp: Stamp) -> bytes:
        raise RuntimeError("no paper")

    register.take(Wanted("document", 1))
    with pytest.raises(RuntimeError), register.database.transaction() as session:
        hand_out(session, register.sealer, OFFICER, AT, Wanted("document", 1), broken)
    register.take(Wanted("document", 1))
    assert register.numbers() == [1, 2]
    assert register.actions() == ["export.taken"] * 2


def test_attack_38_an_export_of_5001_people_waits_for_a_second_person(register: Register) -> None:
    assert register.take(replace(MANY, people=5000)).content is not None
    assert register.take(MANY) == HandedOut(2, None)
    row = register.row(2)
    assert (row.state, row.people, row.sha256) == ("asked", 5001, None)
    assert register.take(MANY) == HandedOut(2, None)  # asked again, it is the same wish
    register.decide(number=2)
    assert register.row(2).decided_by == "person-2"
    later = AT + timedelta(hours=23)
    out = register.take(MANY, at=later)
    assert out.content == "2 张经办 statistics 5001".encode()
    row = register.row(2)
    assert (row.state, row.taken_at) == ("taken", later)
    assert register.actions() == ["export.taken", "export.asked", "export.approved", "export.taken"]


def test_attack_38_what_was_approved_is_taken_once(register: Register) -> None:
    register.take(MANY)
    register.decide()
    assert register.take(MANY).content is not None
    assert register.take(MANY) == HandedOut(2, None)


def test_attack_38_two_at_once_take_it_once(register: Register) -> None:
    register.take(MANY)
    register.decide()
    start = Barrier(2)

    def take(account: str) -> bool:
        start.wait()
        return register.take(MANY, replace(OFFICER, account=account)).content is not None

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(take, ("a", "b"))) == [False, True]
    assert register.numbers() == [1, 2]


@pytest.mark.parametrize(
    "changes",
    [
        {"person": "person-3"},
        {"role": Role.AUDITOR},
        {"place": "370323101"},
    ],
)
def test_attack_38_another_person_role_or_place_takes_nothing_of_it(
    register: Register, changes: dict[str, str]
) -> None:
    register.take(MANY)
    register.decide()
    assert register.take(MANY, replace(OFFICER, **changes)) == HandedOut(2, None)  # type: ignore[arg-type]
    assert register.row(1).state == "approved"


@pytest.mark.parametrize(
    "other",
    [
        replace(MANY, arguments={"line": "accident"}),
        replace(MANY, arguments={}),
        replace(MANY, purpose="visit"),
        replace(MANY, kind="document", subject_id="d1"),
    ],
)
def test_attack_38_an_approval_is_for_what_was_asked_only(register: Register, other: Wanted) -> None:
    register.take(MANY)
    register.decide()
    assert register.take(other) == HandedOut(2, None)


def test_data_that_grew_since_the_approval_is_asked_for_anew(register: Register) -> None:
    register.take(MANY)
    register.decide()
    assert register.take(replace(MANY, people=5002)) == HandedOut(2, None, outgrown=5001)
    assert register.row(1).state == "approved" and register.row(2).people == 5002
    register.decide(number=2)
    # Somebody has gone meanwhile: what is taken is what is there.
    out = register.take(replace(MANY, people=5001))
    assert out.number == 2 and register.row(2).people == 5001


def test_an_approval_lapses_after_a_day(register: Register) -> None:
    register.take(MANY)
    register.decide()
    late = AT + timedelta(hours=24)
    assert state_of(register.row(), late - timedelta(seconds=1)) == "approved"
    assert state_of(register.row(), late) == "lapsed"
    assert register.take(MANY, at=late) == HandedOut(2, None)
    for count in (1, 0):
        with register.database.transaction() as session:
            assert lapse(session, SYSTEM, late) == count
    assert register.row(1).state == "lapsed"
    assert register.actions()[-1] == "export.lapsed"


@pytest.mark.parametrize(
    ("decider", "why"),
    [
        (replace(LEAD, person="person-1"), "the one who asked, by a second account"),
        (replace(LEAD, role=Role.AUDITOR), "a role that does not decide"),
        (replace(LEAD, role=Role.CLAIM_OFFICER), "a role that does not decide"),
        (replace(LEAD, assurance=Assurance.SECOND_FACTOR), "no fresh second factor"),
        (replace(LEAD, assurance=Assurance.TOKEN), "a token"),
    ],
)
def test_attack_38_nobody_approves_their_own_nor_without_the_right(
    register: Register, decider: Actor, why: str
) -> None:
    register.take(MANY)
    for approve in (True, False):
        with pytest.raises(NotAllowedError):
            register.decide(decider, approve=approve)
    assert register.row().state == "asked", why


def test_a_refused_export_is_not_taken(register: Register) -> None:
    register.take(MANY)
    register.decide(replace(LEAD, role=Role.SEC_ADMIN), approve=False)
    assert register.row().state == "refused"
    assert register.take(MANY) == HandedOut(2, None)
    with pytest.raises(ConflictError):
        register.decide()


def test_what_is_not_there_is_not_decided(register: Register) -> None:
    with pytest.raises(NotFound), register.database.transaction() as session:
        decide(session, LEAD, AT, "nothing", approve=True)


def test_a_second_person_who_has_agreed_already_counts(register: Register) -> None:
    released = Agreed("person-5", AT - timedelta(days=1))
    wanted = Wanted("bank_file", 6000, subject_id="f1", purpose="to_bank", agreed=released)
    assert register.take(wanted).content is not None
    row = register.row()
    assert (row.decided_by, row.decided_at, row.state) == ("person-5", released.at, "taken")
    # A small one needs nobody, and oneself is no second person.
    register.take(replace(wanted, people=60))
    assert register.row(2).decided_by is None
    assert register.take(replace(wanted, agreed=Agreed("person-1", AT))) == HandedOut(3, None)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE export SET state = 'taken', taken_at = asked_at, sha256 = 'x', size = 1",
        "UPDATE export SET state = 'approved'",
        "UPDATE export SET state = 'approved', decided_by = person, decided_at = asked_at",
        "UPDATE export SET people = 10",
        "UPDATE export SET purpose = 'visit'",
        "UPDATE export SET arguments = '{}'",
        "DELETE FROM export",
    ],
)
def test_attack_38_the_database_refuses_to_go_round_the_second_person(
    register: Register, statement: str
) -> None:
    register.take(MANY)
    with pytest.raises(DBAPIError), register.database.transaction() as session:
        session.execute(text(statement))
    assert register.row().state == "asked"


def test_the_watermark_says_who_when_what_for_and_the_number() -> None:
    zh, en = Stamp(12, "张经办", AT, "visit", 60).line
    assert zh == "导出编号 E000012 导出人 张经办 2026-11-24 10:00 涉及 60 人 用途 入户调查,不得他用"
    assert en.startswith("Export E000012 by 张经办, 2026-11-24 10:00, about 60 people; to visit a household")
    assert "仅限本人工作使用" in Stamp(1, "x", AT, None, 3).line[0]

"""Taking in a roster: two times on every fact, the same again changes nothing, and what does not fit is a task."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from foundation.actors import Actor, Role
from foundation.database import Database
from foundation.keyfile import open_sealer
from foundation.sealing import Sealer
from foundation.trail.events import Event
from households.models.people import BankAccount, Cover, HouseholdRow, Income, Membership, Person
from households.models.proposals import RegistryTask
from households.models.two_times import REGISTER
from households.queries.registered import registered
from households.queries.views import View
from households.registered import Registered, registered_of_roster
from households.roster import RosterRow
from households.services.roster import RosterIds, take_in_roster
from tests.households.people import id_number

ACTOR = Actor("person-1", "account-1", Role.CLAIM_OFFICER, "370323", "李明")
FIRST = datetime(2020, 1, 2, 1, tzinfo=UTC)
POLICY = "FPB-1"
LAST_DAY = date(2020, 12, 31)


def a_row(sequence: int, household: str = "H1", relation: str = "户主", **changes: object) -> RosterRow:
    made = RosterRow(
        household_no=household,
        relation=relation,
        name=f"人{sequence}",
        id_number=id_number(sequence),
        town="中庄镇",
        village="下程家坡村",
        village_code="370323105207",
        category="相对贫困户",
        income_per_head_fen=5_389_65 if relation == "户主" else None,
        cover_from=date(2020, 1, 1),
        cover_to=None,
        renewal=False,
        account_no="6223192710959452610" if relation == "户主" else None,
        account_name=f"人{sequence}" if relation == "户主" else None,
        bank_code=None,
        row=sequence,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


FAMILY = [a_row(1), a_row(2, relation="之妻"), a_row(3, relation="之子")]


class Register:
    """A database and its sealer; each roster is taken in a day after the one before."""

    def __init__(self, url: str, key: Path) -> None:
        self.database = Database(url)
        with self.database.transaction() as session:
            self.sealer: Sealer = open_sealer(session, key)
        self.at = FIRST

    def take_in(self, roster: list[RosterRow], policy: str = POLICY) -> RosterIds:
        self.at += timedelta(days=1)
        with self.database.transaction() as session:
            return take_in_roster(session, self.sealer, ACTOR, self.at, policy, LAST_DAY, roster)

    def known(self, known_at: datetime | None = None, policy: str = POLICY) -> Registered:
        with self.database.reading() as session:
            view = View(policy, pack_only=True, known_at=known_at)
            people = [id_number(sequence) for sequence in range(1, 10)]
            return registered(session, self.sealer, view, people)

    def tasks(self) -> list[tuple[str, dict[str, object]]]:
        with self.database.reading() as session:
            rows = session.scalars(select(RegistryTask).order_by(RegistryTask.kind)).all()
            return [
                (row.kind, orjson.loads(self.sealer.reveal("registry_task", "sealed", row.id, row.sealed)))
                for row in rows
            ]


@pytest.fixture
def register(migrated_url: str, tmp_path: Path) -> Iterator[Register]:
    made = Register(migrated_url, tmp_path / "key")
    yield made
    made.database.close()


def everything(session: Session) -> list[list[tuple[object, ...]]]:
    tables = (HouseholdRow, Person, Cover, Membership, Income, BankAccount, Event, RegistryTask)
    return [
        sorted(map(tuple, session.execute(select(*model.__table__.columns))), key=str) for model in tables
    ]


def same(found: Registered, roster: list[RosterRow]) -> None:
    wanted = registered_of_roster(roster, LAST_DAY)
    assert sorted(found.members, key=str) == sorted(wanted.members, key=str)
    assert dict(found.figures) == dict(wanted.figures)


def test_what_was_taken_in_is_what_the_roster_says(register: Register) -> None:
    taken = register.take_in(FAMILY)
    assert (taken.added, taken.changed) == (4, 0)
    same(register.known(), FAMILY)


def test_the_same_roster_again_changes_nothing_in_any_order(register: Register) -> None:
    register.take_in(FAMILY)
    with register.database.reading() as session:
        before = everything(session)
    taken = register.take_in([FAMILY[2], FAMILY[0], FAMILY[1]])
    assert (taken.added, taken.changed) == (0, 0)
    with register.database.reading() as session:
        assert everything(session) == before


def test_a_corrected_roster_retires_what_was_believed_and_leaves_it_to_be_read(register: Register) -> None:
    register.take_in(FAMILY)
    then = register.at
    corrected = [
        replace(FAMILY[0], income_per_head_fen=9_999_99, account_no="6217000000000000012"),
        replace(FAMILY[1], cover_to=date(2020, 6, 30), category="脱贫享受政策户"),
        FAMILY[2],
    ]
    taken = register.take_in(corrected)
    assert (taken.added, taken.changed) == (0, 2)
    same(register.known(), corrected)
    same(register.known(then), FAMILY)
    assert register.known(FIRST).members == []
    with register.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Cover)) == 4
        assert session.scalar(select(func.count()).where(Cover.retired_at == register.at)) == 1


def test_whoever_is_in_the_roster_no_more_has_no_cover_from_then_on(register: Register) -> None:
    register.take_in(FAMILY)
    then = register.at
    register.take_in(FAMILY[:2])
    same(register.known(), FAMILY[:2])
    same(register.known(then), FAMILY)
    register.take_in(FAMILY)
    same(register.known(), FAMILY)


def test_two_policies_keep_their_own_rosters(register: Register) -> None:
    register.take_in(FAMILY)
    richer = [replace(FAMILY[0], income_per_head_fen=1_00, name="人一"), *FAMILY[1:]]
    register.take_in(richer, "FPB-2")
    same(register.known(), FAMILY)
    same(register.known(policy="FPB-2"), richer)


def test_another_name_under_one_id_number_is_a_task_and_no_merger(register: Register) -> None:
    register.take_in(FAMILY)
    register.take_in([FAMILY[0], replace(FAMILY[1], name="另一人"), FAMILY[2]])
    register.take_in([FAMILY[0], replace(FAMILY[1], name="另一人"), FAMILY[2]])
    assert register.tasks() == [("two_names", {"name": "另一人"})]
    with register.database.reading() as session:
        names = [
            orjson.loads(register.sealer.reveal("person", "sealed", row.id, row.sealed))["name"]
            for row in session.scalars(select(Person))
        ]
    assert sorted(names) == ["人1", "人2", "人3"], "the newest name is for a person to settle"


def test_one_name_and_birthday_twice_in_a_household_is_a_task(register: Register) -> None:
    register.take_in([*FAMILY, a_row(4, relation="之妻", name="人2")])
    ((kind, details),) = register.tasks()
    assert kind == "two_numbers" and len(set(details["people"])) == 2  # type: ignore[call-overload]


def test_a_person_whom_the_policy_moves_is_moved_and_whom_another_roster_has_elsewhere_is_a_task(
    register: Register,
) -> None:
    register.take_in(FAMILY)
    moved = [*FAMILY[:2], a_row(3, "H2")]
    register.take_in(moved)
    with register.database.reading() as session:
        now = session.execute(
            select(HouseholdRow.household_no, func.count())
            .join(Membership, Membership.household_id == HouseholdRow.id)
            .where(Membership.retired_at.is_(None))
            .group_by(HouseholdRow.household_no)
        ).all()
    assert sorted(map(tuple, now)) == [("H1", 2), ("H2", 1)]
    assert register.tasks() == []
    register.take_in([a_row(2, "H3")], "FPB-2")
    assert [kind for kind, _ in register.tasks()] == ["roster_differs"]
    same(register.known(), moved)


def test_a_roster_with_another_account_than_the_register_s_is_a_task(register: Register) -> None:
    ids = register.take_in(FAMILY).households
    with register.database.transaction() as session:
        session.add(
            BankAccount(
                id="account-of-two",
                household_id=ids["H1"],
                policy_number=None,
                account_lookup=register.sealer.lookup("account", "6228480000000000018"),
                sealed=register.sealer.seal("bank_account", "sealed", "account-of-two", "{}"),
                digest="digest",
                asked_by="one",
                decided_by="another",
                source=REGISTER,
                known_at=register.at,
                valid_from=date(2020, 1, 2),
            )
        )
    register.take_in(FAMILY)
    assert register.tasks() == [], "what the roster said all along is no news"
    register.take_in([replace(FAMILY[0], account_no="6217000000000000012"), *FAMILY[1:]])
    assert [kind for kind, _ in register.tasks()] == ["account_differs"]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE cover SET category = 'x'",
        "DELETE FROM cover",
        "UPDATE membership SET valid_to = '2020-06-30'",
        "DELETE FROM membership",
        "UPDATE income SET digest = 'x'",
        "UPDATE bank_account SET household_id = household_id || 'x'",
    ],
)
def test_no_fact_is_edited_or_deleted(register: Register, change: str) -> None:
    register.take_in(FAMILY)
    with pytest.raises(DBAPIError), register.database.engine.begin() as connection:
        connection.exec_driver_sql(change)


def test_nobody_is_in_two_households_at_once(register: Register) -> None:
    ids = register.take_in([*FAMILY, a_row(4, "H2")]).households
    for since, until in ((None, None), (date(2020, 6, 1), date(2020, 6, 1))):
        with pytest.raises(DBAPIError), register.database.transaction() as session:
            person = session.scalars(
                select(Membership.person_id).where(Membership.household_id == ids["H1"]).limit(1)
            ).one()
            session.add(
                Membership(
                    id=f"second-{since}",
                    person_id=person,
                    household_id=ids["H2"],
                    relation="之子",
                    began_by="moved_in",
                    source=REGISTER,
                    known_at=register.at,
                    valid_from=since,
                    valid_to=until,
                )
            )
            session.flush()

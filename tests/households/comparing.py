"""For tests of the comparison: a register of a few people, and departments' feeds, written as the services write them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation.actors import Actor, Role
from foundation.database import Database
from foundation.sealing import Sealer
from households.layouts import layouts
from households.models.feeds import DEPARTMENT
from households.models.people import HouseholdRow, Person
from households.roster import RosterRow
from households.services.deliveries import Delivery, take_in_delivery
from households.services.roster import take_in_roster
from tests.households.people import id_number
from tests.policies.example import read

AT = datetime(2020, 12, 31, 4, 0, tzinfo=UTC)
TODAY = date(2020, 12, 31)
CERTIFIER = Actor("certifier", "certifier", Role.CENTER_CERTIFIER, "370323", "核验员")
AUDITOR = Actor("auditor", "auditor", Role.AUDITOR, "370323", "审计员")
SYSTEM = Actor("system", "system", Role.SYSTEM, "370323", "系统")
HERE, THERE = "370323105207", "370323101003"
"""Two villages, of two towns."""
POLICY = read()


def town_reviewer(place: str) -> Actor:
    return Actor(f"town-{place}", f"town-{place}", Role.TOWN_REVIEWER, place, "镇审核")


def in_roster(sequence: int, household: str = "H1", village: str = HERE, relation: str = "户主") -> RosterRow:
    """A person of a roster, known by a sequence number."""
    return RosterRow(
        household_no=household,
        relation=relation,
        name=f"某{sequence}",
        id_number=id_number(sequence),
        town="中庄镇" if village == HERE else "南麻街道",
        village="下程家坡村" if village == HERE else "北刘家庄村",
        village_code=village,
        category="相对贫困户",
        income_per_head_fen=None,
        cover_from=date(2020, 1, 1),
        cover_to=date(2020, 12, 31),
        renewal=False,
        account_no=None,
        account_name=None,
        bank_code=None,
        row=sequence + 1,
    )


@dataclass
class County:
    """A database with a sealer; what is written goes in one moment after the other."""

    database: Database
    sealer: Sealer
    at: datetime = field(default=AT)

    def later(self) -> datetime:
        self.at += timedelta(minutes=1)
        return self.at

    def roster(self, *rows: RosterRow) -> None:
        with self.database.transaction() as session:
            take_in_roster(session, self.sealer, SYSTEM, self.later(), POLICY.number, POLICY.period_to, rows)

    def feed(
        self,
        feed: str,
        rows: Sequence[Sequence[Any]],
        scope: str = DEPARTMENT,
        mode: str = "full",
        as_of: date | None = TODAY,
    ) -> None:
        """A delivery of a feed: rows in the order of its columns, the ID numbers whole."""
        digest = hashlib.sha256(repr((feed, rows, self.at)).encode()).hexdigest()
        delivery = Delivery(layouts()[feed], scope, mode, as_of, digest)
        with self.database.transaction() as session:
            take_in_delivery(session, self.sealer, SYSTEM, self.later(), delivery, rows)

    def household_id(self, number: str = "H1") -> str:
        with self.database.reading() as session:
            return session.scalars(select(HouseholdRow.id).where(HouseholdRow.household_no == number)).one()

    def person_id(self, sequence: int) -> str:
        lookup = self.sealer.lookup("id_number", id_number(sequence))
        with self.database.reading() as session:
            return session.scalars(select(Person.id).where(Person.id_lookup == lookup)).one()

    def sequences(self, session: Session) -> dict[str, int]:
        """Person → sequence number."""
        lookups = {self.sealer.lookup("id_number", id_number(number)): number for number in range(60)}
        query = select(Person.id, Person.id_lookup)
        return {row.id: lookups[row.id_lookup] for row in session.execute(query)}

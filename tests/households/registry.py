"""A register to try things on: a database, people who act, a clock that tests move, and rosters in a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation.actors import Actor, Role
from foundation.database import Database
from foundation.keyfile import open_sealer
from foundation.sealing import Sealer
from households.models.people import HouseholdRow, Person
from households.queries.proposals import Paper
from households.roster import RosterRow
from households.services.roster import take_in_roster
from policies.models import MasterPolicy
from tests.households.people import id_number

COUNTY = "370323"
POLICY = "P-2020"
TODAY = date(2020, 6, 20)
PAPER = (Paper("证明材料1.pdf", 9, "0" * 64),)
ASKER = Actor("asker", "asker", Role.VILLAGE_OFFICER, COUNTY, "甲")
DECIDER = Actor("decider", "decider", Role.TOWN_REVIEWER, COUNTY, "乙")
PROGRAM = Actor("system", "system", Role.SYSTEM, COUNTY, "系统")
VILLAGES = {
    "370323101206": ("历山街道", "鲁村"),
    "370323105207": ("中庄镇", "下程家坡村"),
    "370323105208": ("中庄镇", "上庄村"),
}


def row(
    household_no: str = "10520700001",
    person: str = "",
    relation: str = "户主",
    name: str = "王五",
    village_code: str = "370323105207",
    account_no: str | None = None,
    cover_from: date = date(2020, 1, 1),
    cover_to: date | None = None,
    category: str = "相对贫困户",
    income_fen: int | None = None,
) -> RosterRow:
    """A row of a roster."""
    town, village = VILLAGES[village_code]
    return RosterRow(
        household_no,
        relation,
        name,
        person or id_number(1),
        town,
        village,
        village_code,
        category,
        income_fen,
        cover_from,
        cover_to,
        False,
        account_no,
        name if account_no else None,
        "105453034753" if account_no else None,
        4,
    )


@dataclass
class Register:
    """A database with its sealer, and the moment that it is there."""

    database: Database
    sealer: Sealer
    at: datetime = datetime(2020, 6, 20, 1, 0, tzinfo=UTC)
    policies: set[str] = field(default_factory=set)

    def later(self, **by: float) -> datetime:
        """Moves the clock on, by a minute unless told."""
        self.at += timedelta(**(by or {"minutes": 1}))
        return self.at

    @contextmanager
    def change(self) -> Iterator[Session]:
        """A transaction a minute later."""
        self.later()
        with self.database.transaction() as session:
            yield session

    def policy(self, number: str = POLICY) -> None:
        """A policy of the year 2020, with nothing in it but its period."""
        if number in self.policies:
            return
        self.policies.add(number)
        with self.database.transaction() as session:
            session.add(
                MasterPolicy(
                    id=number,
                    number=number,
                    title=number,
                    fingerprint=number,
                    canonical="{}",
                    period_from=date(2020, 1, 1),
                    period_to=date(2020, 12, 31),
                    taken_in_at=self.at,
                )
            )

    def roster(self, rows: Iterable[RosterRow], policy: str = POLICY) -> dict[str, str]:
        """Takes in a policy's roster; household number → id."""
        self.policy(policy)
        with self.change() as session:
            taken = take_in_roster(
                session, self.sealer, PROGRAM, self.at, policy, date(2020, 12, 31), list(rows)
            )
        return taken.households

    def person(self, number: str) -> str:
        """The id of the person with an ID number."""
        with self.database.reading() as session:
            lookup = self.sealer.lookup("id_number", number)
            return session.scalars(select(Person.id).where(Person.id_lookup == lookup)).one()

    def household(self, number: str) -> HouseholdRow:
        """A household by its number."""
        with self.database.reading() as session:
            return session.scalars(select(HouseholdRow).where(HouseholdRow.household_no == number)).one()


@contextmanager
def opened(url: str, folder: Path) -> Iterator[Register]:
    """The register of a migrated database."""
    database = Database(url)
    with database.transaction() as session:
        sealer = open_sealer(session, folder / "register.key")
    yield Register(database, sealer)
    database.close()

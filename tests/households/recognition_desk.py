"""A small county for tests of recognition: two households in two villages, the staff of village, town and Centre."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from sqlalchemy import select

from foundation.actors import Actor, Assurance, Role
from foundation.database import Database
from foundation.keyfile import open_sealer
from foundation.sealing import Sealer
from households.models.people import HouseholdRow
from households.queries.proposals import Paper
from households.roster import RosterRow
from households.services.recognition import Proposed, decide, propose
from households.services.recognition_reviews import Finding, Leaving, end, review
from households.services.roster import take_in_roster
from households.services.spell_steps import SurveyedSums
from households.spells import Steps
from policies.queries import first_standards
from policies.services import decide as decide_standards
from policies.services import propose as propose_standards
from policies.standard import reindexed
from tests.staffing import id_number_of

POLICY = "FPB-TEST-2020"
HOME, OTHER = "370323105207", "370323105208"
SYSTEM = Actor("system", "system", Role.SYSTEM, "370323", "系统")
VILLAGE = Actor("v-1", "account-v", Role.VILLAGE_OFFICER, HOME, "村专员", Assurance.PASSWORD)
ELSEWHERE = Actor("v-2", "account-w", Role.VILLAGE_OFFICER, OTHER, "邻村专员", Assurance.PASSWORD)
TOWN = Actor("t-1", "account-t", Role.TOWN_REVIEWER, "370323105", "镇审核", Assurance.PASSWORD)
CERTIFIER = Actor("c-1", "account-c", Role.CENTER_CERTIFIER, "370323", "核验", Assurance.PASSWORD)
LEAD = Actor("l-1", "account-l", Role.CENTER_LEAD, "370323", "负责人", Assurance.PASSWORD)
LEADER = Actor("l-2", "account-m", Role.LEADING_GROUP, "370323", "组长", Assurance.PASSWORD)

PEOPLE = (
    ("张大山", "H1", "户主", HOME),
    ("张小河", "H1", "子", HOME),
    ("李明月", "H2", "户主", OTHER),
)
PAPERS = tuple(Paper(f"{step}-1.jpg", 3, "a" * 64) for step in ("survey", "appraisal", "notice"))
MINUTE = (Paper("exit-1.jpg", 3, "b" * 64),)
SURVEYED = date(2020, 3, 2)
STEPS = Steps(SURVEYED, ("王敏", "李强"), date(2020, 3, 3), 21, 20, date(2020, 3, 4), date(2020, 3, 10))
POOR = SurveyedSums(400_000, 300_000, 10_000, 90_000, 100_000, "wages")
"""Of two people: 3,500 yuan a head, under the line of 6,312."""
BETTER = SurveyedSums(1_400_000, 300_000, 10_000, 90_000, 100_000, "wages")
"""Of two people: 8,500 yuan a head."""


def noon(day: date) -> datetime:
    """Noon of a day in Shanghai."""
    return datetime.combine(day, time(4), UTC)


def roster_row(place: int, name: str, household: str, relation: str, village: str) -> RosterRow:
    """A sound row of a roster."""
    return RosterRow(
        household_no=household,
        relation=relation,
        name=name,
        id_number=id_number_of(name),
        town="中庄镇",
        village=f"{village[-3:]}村",
        village_code=village,
        category="重大变故户",
        income_per_head_fen=None,
        cover_from=date(2020, 1, 1),
        cover_to=date(2020, 12, 31),
        renewal=True,
        account_no=None,
        account_name=None,
        bank_code=None,
        row=place,
    )


@dataclass
class Desk:
    """The county with its households by number."""

    database: Database
    sealer: Sealer
    homes: dict[str, str]

    def propose(
        self, actor: Actor = VILLAGE, on: date = date(2020, 3, 11), home: str = "H1", **changes: Any
    ) -> str:
        """Proposes a household as sound as it can be, changed where asked; the spell."""
        plain = Proposed(STEPS, POOR, (), "illness", "relief", PAPERS)
        with self.database.transaction() as session:
            return propose(session, self.sealer, actor, noon(on), self.homes[home], replace(plain, **changes))

    def decide(
        self,
        spell: str,
        actor: Actor = CERTIFIER,
        on: date = date(2020, 3, 15),
        approve: bool = True,
        note: str | None = None,
    ) -> None:
        with self.database.transaction() as session:
            decide(session, self.sealer, actor, noon(on), spell, approve=approve, note=note)

    def recognised(self, home: str = "H1") -> str:
        """A spell that began on 15 March 2020."""
        spell = self.propose(TOWN, home=home)
        self.decide(spell)
        return spell

    def review(
        self, spell: str, on: date, actor: Actor = VILLAGE, finding: str = "stays", **changes: Any
    ) -> None:
        plain = Finding(on, finding, POOR, "illness", "relief")
        with self.database.transaction() as session:
            review(session, self.sealer, actor, noon(on), spell, replace(plain, **changes))

    def end(self, spell: str, on: date, actor: Actor = LEAD, **changes: Any) -> None:
        plain = Leaving(on, True, "2020-7", MINUTE)
        with self.database.transaction() as session:
            end(session, self.sealer, actor, noon(on), spell, replace(plain, **changes))


@contextmanager
def opened(url: str, key_file: Path, standards: bool = True) -> Iterator[Desk]:
    """The county on a migrated database, with the standards of 2020 and 2021 approved unless told otherwise."""
    database = Database(url)
    with database.transaction() as session:
        sealer = open_sealer(session, key_file)
        rows = [roster_row(place, *person) for place, person in enumerate(PEOPLE, 2)]
        take_in_roster(session, sealer, SYSTEM, noon(date(2020, 1, 2)), POLICY, date(2020, 12, 31), rows)
        if standards:
            first = replace(first_standards(), year=2020)
            for one in (first, reindexed(first, 2_000_000)):
                row = propose_standards(session, LEAD, noon(date(2020, 1, 3)), one)
                decide_standards(session, LEADER, noon(date(2020, 1, 4)), row.id, approve=True)
        found = session.execute(select(HouseholdRow.household_no, HouseholdRow.id))
        homes = dict(found.all())
    yield Desk(database, sealer, homes)
    database.close()

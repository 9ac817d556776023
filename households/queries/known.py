"""What the register has already, as a roster that comes in is compared with it: narrow rows, all of them at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from foundation.database import Base
from foundation.sealing import ERASED
from households.models.people import (
    BankAccount,
    Cover,
    HouseholdRow,
    Income,
    Membership,
    Person,
    Residence,
)
from households.models.two_times import REGISTER, ROSTER, believed


@dataclass(frozen=True, slots=True)
class KnownRow:
    id: str
    digest: str
    erased: bool = False


@dataclass(frozen=True, slots=True)
class KnownPerson:
    id: str
    name_lookup: str | None


@dataclass(frozen=True, slots=True)
class KnownCover:
    id: str
    digest: str
    household_id: str


@dataclass(frozen=True, slots=True)
class KnownMembership:
    id: str
    household_id: str
    source: str
    goes_on: bool
    """Whether it has no end, or ended with a death: a roster goes on naming the dead."""


class KnownRegister:
    """People and households by their keys, and the policy's newest roster."""

    def __init__(self, session: Session, policy_number: str) -> None:
        rows = session.execute(select(HouseholdRow.household_no, HouseholdRow.id, HouseholdRow.digest))
        self.households = {number: KnownRow(identity, digest) for number, identity, digest in rows}
        people = select(Person.id_lookup, Person.id, Person.name_lookup)
        self.people = {row[0]: KnownPerson(*row[1:]) for row in session.execute(people)}
        mine = (Cover.policy_number == policy_number) & (Cover.source == ROSTER) & believed(Cover)
        covers = select(Cover.person_id, Cover.id, Cover.digest, Cover.household_id).where(mine)
        self.covers = {row[0]: KnownCover(*row[1:]) for row in session.execute(covers)}
        self.memberships: dict[str, list[KnownMembership]] = {}
        for person_id, membership in _memberships(session):
            self.memberships.setdefault(person_id, []).append(membership)
        self.linked = set(session.scalars(select(Person.id).where(Person.same_as.is_not(None))))
        self.places = _places(session)
        self.facts: dict[type[Base], dict[str, KnownRow]] = {
            table: _facts(session, table, policy_number) for table in (Income, BankAccount)
        }
        held = (BankAccount.source == REGISTER) & believed(BankAccount)
        accounts = select(BankAccount.household_id, BankAccount.account_lookup).where(held)
        by_day = session.execute(accounts.order_by(BankAccount.valid_from))
        self.register_accounts: dict[str, str | None] = dict(by_day.all())


def _memberships(session: Session) -> Iterator[tuple[str, KnownMembership]]:
    goes_on = or_(Membership.valid_to.is_(None), Membership.ended_by == "death")
    columns = (Membership.id, Membership.household_id, Membership.source, goes_on.label("goes_on"))
    query = select(Membership.person_id, *columns).where(believed(Membership))
    for person_id, identity, household_id, source, goes_on_ in session.execute(query):
        yield person_id, KnownMembership(identity, household_id, source, bool(goes_on_))


def _places(session: Session) -> dict[str, dict[str, str]]:
    """Household → where the register has it now; of those only of which it knows a move."""
    moved = select(Residence.household_id).where(believed(Residence))
    query = select(HouseholdRow.id, HouseholdRow.town, HouseholdRow.village, HouseholdRow.village_code)
    return {
        identity: {"town": town, "village": village, "village_code": code}
        for identity, town, village, code in session.execute(query.where(HouseholdRow.id.in_(moved)))
    }


def _facts(
    session: Session, table: type[Income] | type[BankAccount], policy_number: str
) -> dict[str, KnownRow]:
    mine = (table.policy_number == policy_number) & (table.source == ROSTER) & believed(table)
    query = select(table.household_id, table.id, table.digest, table.sealed == ERASED).where(mine)
    return {row[0]: KnownRow(*row[1:]) for row in session.execute(query)}

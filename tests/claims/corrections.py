"""Corrections of the register for tests, each in two ways: written as the register keeps them, and in a plain model.

The model knows no database: it changes what a decision was recorded with, and nobody but `decide` looks at it again.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from claims.facts import Facts
from foundation.actors import Actor, Role
from foundation.sealing import Sealer
from households.feeds import DepositRow
from households.household import Holding, Household, Member
from households.layouts import layouts
from households.models.feeds import DEPARTMENT
from households.models.people import BankAccount, Cover, HouseholdRow, Membership, Person, PersonName
from households.models.two_times import REGISTER, believed
from households.services.deliveries import FULL, Delivery, take_in_delivery

ACTOR = Actor("person-1", "account-1", Role.CENTER_CERTIFIER, "370323", "王芳")


@dataclass(frozen=True)
class Register:
    """A register that is being corrected at a moment. `deposits` are the rows of the pack's feed."""

    session: Session
    sealer: Sealer
    at: datetime
    deposits: Sequence[DepositRow] = ()

    def person_id(self, member: Member) -> str:
        lookup = self.sealer.lookup("id_number", member.id_number)
        return self.session.scalars(select(Person.id).where(Person.id_lookup == lookup)).one()

    def household_id(self, household: Household) -> str:
        number = HouseholdRow.household_no == household.household_no
        return self.session.scalars(select(HouseholdRow.id).where(number)).one()

    def add(self, model: Any, sealed: str | bytes | None = None, **values: Any) -> None:
        identity = secrets.token_hex(16)
        if sealed is not None:
            values["sealed"] = self.sealer.seal(model.__tablename__, "sealed", identity, sealed)
        self.session.add(model(id=identity, source=REGISTER, known_at=self.at, **values))
        self.session.flush()

    def retire(self, model: Any, row_id: str) -> None:
        self.session.execute(update(model).where(model.id == row_id).values(retired_at=self.at))


def _with_member(facts: Facts, place: int, **changes: Any) -> Facts:
    assert facts.household is not None
    members = list(facts.household.members)
    members[place] = replace(members[place], **changes)
    return replace(facts, household=replace(facts.household, members=tuple(members)))


@dataclass(frozen=True)
class Died:
    """A member's death becomes known."""

    place: int
    on: date

    def write(self, register: Register, household: Household) -> None:
        person_id = register.person_id(household.members[self.place])
        row = register.session.scalars(
            select(Membership).where(Membership.person_id == person_id, believed(Membership))
        ).one()
        register.retire(Membership, row.id)
        register.add(
            Membership,
            person_id=person_id,
            household_id=row.household_id,
            relation=row.relation,
            began_by=row.began_by,
            ended_by="death",
            valid_to=self.on,
        )

    def model(self, facts: Facts) -> Facts:
        assert facts.household is not None
        known = facts.household.members[self.place].deaths
        return _with_member(facts, self.place, deaths=tuple(sorted({*known, self.on})))


@dataclass(frozen=True)
class Renamed:
    """A member's name was written wrongly."""

    place: int
    name: str

    def write(self, register: Register, household: Household) -> None:
        person_id = register.person_id(household.members[self.place])
        there = (PersonName.person_id == person_id) & believed(PersonName)
        for row in register.session.scalars(select(PersonName).where(there)):
            register.retire(PersonName, row.id)
        register.add(PersonName, self.name, person_id=person_id)

    def model(self, facts: Facts) -> Facts:
        return _with_member(facts, self.place, name=self.name)


@dataclass(frozen=True)
class CoverEnds:
    """A member's cover ended on another day."""

    place: int
    to: date

    def write(self, register: Register, household: Household) -> None:
        person_id = register.person_id(household.members[self.place])
        rows = register.session.scalars(
            select(Cover).where(Cover.person_id == person_id, believed(Cover))
        ).all()
        own = [row for row in rows if row.source == REGISTER] or list(rows)
        (row,) = own
        if row.source == REGISTER:
            register.retire(Cover, row.id)
        name = register.sealer.reveal("cover", "sealed", row.id, row.sealed)
        kept = ("policy_number", "person_id", "household_id", "relation", "category", "village_code")
        values = {column: getattr(row, column) for column in (*kept, "cover_from", "renewal")}
        register.add(Cover, name, **values, cover_to=max(self.to, row.cover_from), digest="-")

    def model(self, facts: Facts) -> Facts:
        assert facts.household is not None
        begun = facts.household.members[self.place].cover_from
        return _with_member(facts, self.place, cover_to=max(self.to, begun))


@dataclass(frozen=True)
class NewAccount:
    """The household is paid into another account: one that nobody else has, of a member or of a stranger."""

    number: str
    of_member: int | None

    def _holder(self, household: Household) -> str:
        return "外人" if self.of_member is None else household.members[self.of_member].name

    def write(self, register: Register, household: Household) -> None:
        household_id = register.household_id(household)
        there = (BankAccount.household_id == household_id) & (BankAccount.source == REGISTER)
        for row in register.session.scalars(select(BankAccount).where(there, believed(BankAccount))):
            register.retire(BankAccount, row.id)
        account = {
            "account_no": self.number,
            "account_name": self._holder(household),
            "bank_code": "105453034753",
        }
        register.add(
            BankAccount,
            orjson.dumps(account),
            household_id=household_id,
            account_lookup=register.sealer.lookup("account", self.number),
            digest="-",
            asked_by="person-1",
            decided_by="person-2",
            valid_from=register.at.date(),
        )

    def model(self, facts: Facts) -> Facts:
        assert facts.household is not None
        home = replace(
            facts.household,
            account_no=self.number,
            account_name=self._holder(facts.household),
            bank_code="105453034753",
        )
        around = facts.surroundings
        if not (facts.claim.payee_account and facts.claim.payee_name):
            around = replace(around, account_also_of=None)
        return replace(facts, household=home, surroundings=around)


@dataclass(frozen=True)
class Deposits:
    """The banks say that a member has so much (None: nothing) on deposit."""

    place: int
    fen: int | None
    on: date

    def write(self, register: Register, household: Household) -> None:
        who = household.members[self.place].id_number
        rows = [row for row in register.deposits if row.id_number != who]
        if self.fen is not None:
            rows.append(DepositRow(who, self.fen, self.on))
        digest = secrets.token_hex(32)
        delivery = Delivery(layouts()["deposits"], DEPARTMENT, FULL, None, digest)
        take_in_delivery(register.session, register.sealer, ACTOR, register.at, delivery, map(astuple, rows))

    def model(self, facts: Facts) -> Facts:
        assert facts.household is not None
        name = facts.household.members[self.place].name
        known = facts.household.holdings.get("deposit", ())
        mine = () if self.fen is None else (Holding(name, "", self.fen, self.on),)
        others = tuple(holding for holding in known if holding.member != name)
        return replace(
            facts,
            household=replace(
                facts.household, holdings={**facts.household.holdings, "deposit": others + mine}
            ),
        )


Correction = Died | Renamed | CoverEnds | NewAccount | Deposits

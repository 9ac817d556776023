"""Whom a report of early warning is about: the households of a place in which a person is, and its villages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.errors import NotFound
from foundation.masking import Audience, id_number_for
from foundation.places import within
from foundation.sealing import Sealer
from households.models.people import HouseholdRow, Membership, Person
from households.models.two_times import believed
from households.queries.people import Member, members_of

MOST_FOUND = 20
"""Households that a look-up of a person shows."""


@dataclass(frozen=True, slots=True)
class FoundMember:
    """Somebody of a household that was found. The number is masked; `matched`: it is whom was looked for."""

    person_id: str
    name: str
    id_number: str
    relation: str
    matched: bool


@dataclass(frozen=True, slots=True)
class FoundHousehold:
    """A household in which somebody was found, with all who are in it now."""

    household_id: str
    household_no: str
    town: str
    village: str
    members: tuple[FoundMember, ...]


def households_with(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    day: date,
    name: str | None,
    id_number: str | None,
) -> list[FoundHousehold]:
    """The households of the actor's place in which somebody has this exact name, this ID number, or both."""
    people = select(Person.id)
    if name is not None:
        people = people.where(Person.name_lookup == sealer.lookup("name", name))
    if id_number is not None:
        people = people.where(Person.id_lookup == sealer.lookup("id_number", id_number))
    matched = set(session.scalars(people))
    there = exists().where(
        Membership.household_id == HouseholdRow.id,
        Membership.person_id.in_(matched),
        believed(Membership),
        or_(Membership.valid_to.is_(None), Membership.valid_to >= day),
    )
    homes = session.scalars(
        select(HouseholdRow)
        .where(there, within(HouseholdRow.village_code, actor.place), HouseholdRow.merged_into.is_(None))
        .order_by(HouseholdRow.village_code, HouseholdRow.household_no)
        .limit(MOST_FOUND)
    )
    return [
        FoundHousehold(
            home.id,
            home.household_no,
            home.town,
            home.village,
            tuple(
                _member(member, member.person_id in matched)
                for member in members_of(session, sealer, home.id, day)
                if member.name is not None and (member.is_there(day) or member.ended_by == "death")
            ),
        )
        for home in homes
    ]


def member_of_place(
    session: Session, sealer: Sealer, actor: Actor, person_id: str, day: date
) -> tuple[FoundHousehold, FoundMember]:
    """Somebody of the actor's place with their household. Raises NotFound where there is nobody."""
    spell = select(Membership.household_id).where(Membership.person_id == person_id, believed(Membership))
    homes = session.scalars(
        select(HouseholdRow)
        .where(HouseholdRow.id.in_(spell), within(HouseholdRow.village_code, actor.place))
        .order_by(HouseholdRow.household_no)
    ).all()
    for home in homes:
        for member in members_of(session, sealer, home.id, day):
            if member.person_id == person_id and member.name is not None:
                found = _member(member, matched=True)
                return FoundHousehold(home.id, home.household_no, home.town, home.village, (found,)), found
    raise NotFound


def _member(member: Member, matched: bool) -> FoundMember:
    return FoundMember(
        member.person_id,
        member.name or "",
        id_number_for(Audience.OFFICER, member.id_number or ""),
        member.relation,
        matched,
    )


def person_by_number(session: Session, sealer: Sealer, id_number: str) -> str | None:
    """The person of an ID number, wherever they live; None for one that the register does not have."""
    found = select(Person.id, Person.same_as).where(Person.id_lookup == sealer.lookup("id_number", id_number))
    row = session.execute(found).first()
    return None if row is None else row.same_as or row.id


def villages_within(session: Session, place: str) -> list[tuple[str, str]]:
    """(code, village and town) of the villages of a place where households live, by code."""
    query = (
        select(HouseholdRow.village_code, func.min(HouseholdRow.village), func.min(HouseholdRow.town))
        .where(within(HouseholdRow.village_code, place))
        .group_by(HouseholdRow.village_code)
        .order_by(HouseholdRow.village_code)
    )
    return [(code, f"{village} · {town}") for code, village, town in session.execute(query)]

"""Whom a comparison is about: the people of a household, of a list, or of a place, as the register has them now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.places import COUNTY_DIGITS, TOWN_DIGITS, VILLAGE_DIGITS, holds, within
from foundation.sealing import ERASED, Sealer
from households.comparing import Candidate
from households.models.people import HouseholdRow, Membership, Person
from households.models.two_times import believed, true_on
from households.queries.views import in_portions

_AT_ONCE = 5000
"""Rows that are fetched at once, so that memory stays flat over a county."""


def people_of_household(session: Session, household_id: str, day: date) -> list[Candidate]:
    """The people who are in a household on a day."""
    query = _people(day).where(Membership.household_id == household_id)
    return [Candidate._make(row) for row in session.execute(query.order_by(Person.id))]


def people_of_place(session: Session, place: str, day: date) -> Iterator[Candidate]:
    """The people who are in a household of a place on a day, one after the other."""
    query = _people(day).where(within(HouseholdRow.village_code, place))
    found = session.execute(query.execution_options(yield_per=_AT_ONCE))
    return map(Candidate._make, found)


def people_of_numbers(
    session: Session, sealer: Sealer, actor: Actor, id_numbers: Sequence[str], day: date
) -> list[Candidate]:
    """The people of a list whom the register knows, in the order of their ids, each with the household of the day.

    Somebody who is in none belongs to the county as a whole.
    """
    lookups = {sealer.lookup("id_number", number) for number in id_numbers}
    here = and_(Membership.person_id == Person.id, believed(Membership), true_on(Membership, day))
    query = (
        select(Person.id, Person.id_lookup, Membership.household_id, HouseholdRow.village_code)
        .outerjoin(Membership, here)
        .outerjoin(HouseholdRow, HouseholdRow.id == Membership.household_id)
        .where(Person.sealed != ERASED)
    )
    found = []
    for portion in in_portions(lookups):
        found += [Candidate._make(row) for row in session.execute(query.where(Person.id_lookup.in_(portion)))]
    mine = (one for one in found if holds(actor.place, one.village_code))
    return sorted(mine, key=lambda one: one.key)


def members_then(session: Session, household_id: str, day: date, known_at: datetime) -> list[str]:
    """The people who were in a household on a day, as was believed at a moment: whom a run over it compared."""
    there = believed(Membership, known_at) & true_on(Membership, day)
    query = select(Membership.person_id).where(Membership.household_id == household_id, there)
    return list(session.scalars(query.order_by(Membership.person_id)))


def prefixes(place: str) -> list[str]:
    """The places that hold a place, itself among them."""
    return [place[:digits] for digits in (COUNTY_DIGITS, TOWN_DIGITS, VILLAGE_DIGITS) if digits <= len(place)]


def _people(day: date) -> Select[str, str, str, str]:
    return (
        select(Person.id, Person.id_lookup, Membership.household_id, HouseholdRow.village_code)
        .join(Membership, Membership.person_id == Person.id)
        .join(HouseholdRow, HouseholdRow.id == Membership.household_id)
        .where(believed(Membership), true_on(Membership, day), Person.sealed != ERASED)
    )

"""Looking for a household by somebody's exact name or ID number, or by its number."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.places import within
from foundation.sealing import Sealer
from households.models.people import HouseholdRow, Membership, Person
from households.models.two_times import believed
from households.queries.households import Listed, listed

MOST_FOUND = 100
"""Households that a look-up shows."""


def found_by_person(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    day: date,
    name: str | None,
    id_number: str | None,
) -> list[Listed]:
    """The households within the actor's place that a person is or was in, at most `MOST_FOUND`."""
    query = (
        select(Membership.household_id)
        .join(Person, Person.id == Membership.person_id)
        .where(believed(Membership))
    )
    if name is not None:
        query = query.where(Person.name_lookup == sealer.lookup("name", name))
    if id_number is not None:
        query = query.where(Person.id_lookup == sealer.lookup("id_number", id_number))
    mine = HouseholdRow.id.in_(query) & within(HouseholdRow.village_code, actor.place)
    rows = select(HouseholdRow).where(mine).order_by(HouseholdRow.village_code, HouseholdRow.household_no)
    return listed(session, sealer, session.scalars(rows.limit(MOST_FOUND)).all(), day)

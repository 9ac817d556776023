"""A household as adjudication sees it: on a day, under a policy, as known at a moment."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation.sealing import Sealer
from households.facts import FactsOfHouseholds, facts_of
from households.household import Household
from households.models.people import HouseholdRow, Membership, Person
from households.models.two_times import believed
from households.queries.people import identity
from households.queries.views import View
from policies.queries import periods


def policy_on(session: Session, day: date) -> str | None:
    """The policy whose period holds a day; of several the one that began last; else the latest; None: there is none."""
    known = periods(session)
    holding = [number for number, (first, last) in known.items() if first <= day <= last]
    among = holding or list(known)
    return max(among, key=lambda number: (known[number][0], number), default=None)


def household_as_of(
    session: Session, sealer: Sealer, home: HouseholdRow, policy_number: str, day: date, known_at: datetime
) -> Household | None:
    """What a claim of the household for an event on the day would be decided from; None: nobody there is insured."""
    people = (
        select(Person)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.household_id == home.id, believed(Membership, known_at))
        .distinct()
    )
    opened = (identity(sealer, person) for person in session.scalars(people))
    numbers = {number for number, _name in opened if number is not None}
    view = View(policy_number, known_at=known_at)
    registered, feeds = facts_of(session, sealer, view, numbers, (), day)
    if home.household_no not in {member.household_no for member in registered.members}:
        return None
    return FactsOfHouseholds(registered, feeds).household(home.household_no)

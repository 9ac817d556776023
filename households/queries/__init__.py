"""What can be asked of people, households and cover."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from foundation.places import COUNTY_DIGITS, TOWN_DIGITS, within
from households.models import Cover, HouseholdRow
from households.models.two_times import believed


def insured_people(session: Session, policy_number: str) -> int:
    """How many people have cover under a policy number."""
    mine = (Cover.policy_number == policy_number) & believed(Cover)
    query = select(func.count(func.distinct(Cover.person_id))).where(mine)
    return session.scalar(query) or 0


def county_of(session: Session) -> str | None:
    """The code of the county that most households live in; None while there are none."""
    code = func.substr(HouseholdRow.village_code, 1, COUNTY_DIGITS)
    return session.scalar(select(code).group_by(code).order_by(func.count().desc(), code).limit(1))


def place_names(session: Session, code: str) -> list[str]:
    """The town, and for a village code the village, that an area code stands for; empty when no household is there."""
    query = (
        select(HouseholdRow.town, HouseholdRow.village)
        .where(within(HouseholdRow.village_code, code))
        .limit(1)
    )
    row = session.execute(query).first()
    if row is None or len(code) <= COUNTY_DIGITS:
        return []
    return [row.town] if len(code) == TOWN_DIGITS else [row.town, row.village]

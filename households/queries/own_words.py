"""Of which households the register itself says something, beside what the rosters and the departments brought.

There, and only there, the day matters for which a household is asked about, and the register may see it otherwise than
a policy's pack does.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import or_, select, true
from sqlalchemy.orm import Session

from households.models.feeds import DEPARTMENT, Clearance
from households.models.people import (
    BankAccount,
    Cover,
    HouseholdRow,
    Income,
    Membership,
    Person,
    PersonCategory,
    PersonName,
    Residence,
)
from households.models.two_times import REGISTER, believed
from households.queries.views import View, in_portions


def households_of(session: Session, view: View, id_lookups: Collection[str]) -> dict[str, set[str]]:
    """Keyed digest of an ID number → the households that the person belongs to, or belonged to on some day."""
    found: dict[str, set[str]] = {}
    for portion in in_portions(id_lookups):
        query = (
            select(Person.id_lookup, Membership.household_id)
            .join(Membership, Membership.person_id == Person.id)
            .where(Person.id_lookup.in_(portion), believed(Membership, view.known_at))
        )
        for lookup, household_id in session.execute(query):
            found.setdefault(lookup, set()).add(household_id)
    return found


def with_own_words(session: Session, view: View, household_ids: Collection[str]) -> set[str]:
    """Those of some households about which the register says something of its own, of themselves or of a member."""
    found: set[str] = set()
    for portion in in_portions(household_ids):
        for query in _questions(view):
            column = query.selected_columns[0]
            found.update(session.scalars(query.where(column.in_(portion))))
    return found


def all_with_own_words(session: Session, view: View) -> set[str]:
    """Every household about which the register says something of its own."""
    found: set[str] = set()
    for query in _questions(view):
        found.update(session.scalars(query))
    return found


def _questions(view: View) -> list[Any]:
    """Each selects ids of households."""
    of_register = Membership.source == REGISTER
    dated = or_(of_register, Membership.valid_from.is_not(None), Membership.valid_to.is_not(None))
    questions: list[Any] = [
        select(Membership.household_id).where(dated, believed(Membership, view.known_at)),
    ]
    for of_home in (Income, BankAccount, Residence):
        said = (of_home.source == REGISTER) & believed(of_home, view.known_at)
        questions.append(select(of_home.household_id).where(said))
    insured = (Cover.source == REGISTER) & (Cover.policy_number == view.policy_number)
    of_people: tuple[tuple[Any, Any], ...] = (
        (Cover, insured),
        (PersonName, true()),
        (PersonCategory, true()),
    )
    for model, mine in of_people:
        questions.append(
            select(Membership.household_id)
            .join(model, model.person_id == Membership.person_id)
            .where(mine, believed(model, view.known_at), believed(Membership, view.known_at))
        )
    questions.append(
        select(HouseholdRow.id)
        .join(Clearance, Clearance.household_no == HouseholdRow.household_no)
        .where(Clearance.scope == DEPARTMENT)
    )
    return questions

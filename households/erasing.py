"""Households and people at the end of their terms: which are still there, and taking their content out.

Days of cover, household numbers, villages and digests name nobody and stay: figures go on being right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, bindparam, or_, select, update
from sqlalchemy.orm import Session

from foundation.clock import business_day
from foundation.database import Base, table_of
from foundation.privacy.erasing import chosen, take_out
from foundation.sealing import ERASED
from foundation.trail.events import Change
from households.models.people import BankAccount, Cover, HouseholdRow, Income, Person, PersonName, Relative


@dataclass(frozen=True, slots=True)
class Kept:
    """A household or a person whose content is there. `changed_on`: the day on which it was last taken in."""

    id: str
    key: str
    """Household number, or keyed look-up of the ID number."""
    changed_on: date


@dataclass(frozen=True, slots=True)
class Covered:
    """A person's cover, as far as terms go."""

    person_id: str
    household_id: str
    policy_number: str
    cover_to: date


def households_there(session: Session, ids: Sequence[str] | None = None) -> list[Kept]:
    """Households with figures that were not taken out yet."""
    query = select(HouseholdRow.id, HouseholdRow.household_no, HouseholdRow.changed_at)
    there = query.where(or_(_left(Income), _left(BankAccount)), chosen(HouseholdRow.id, ids))
    return [Kept(row.id, row.household_no, business_day(row.changed_at)) for row in session.execute(there)]


def _left(model: type[Income] | type[BankAccount]) -> ColumnElement[bool]:
    return select(model.id).where(model.household_id == HouseholdRow.id, model.sealed != ERASED).exists()


def people_there(session: Session, ids: Sequence[str] | None = None) -> list[Kept]:
    """People whose content was not taken out yet."""
    query = select(Person.id, Person.id_lookup, Person.changed_at)
    there = query.where(Person.sealed != ERASED, chosen(Person.id, ids))
    return [Kept(row.id, row.id_lookup, business_day(row.changed_at)) for row in session.execute(there)]


def covers_of_people(session: Session, person_ids: Sequence[str] | None = None) -> list[Covered]:
    """Every cover of some people, or of all."""
    return _covers(session, chosen(Cover.person_id, person_ids))


def covers_of_households(session: Session, household_ids: Sequence[str] | None = None) -> list[Covered]:
    """Every cover in some households, or in all."""
    return _covers(session, chosen(Cover.household_id, household_ids))


def _covers(session: Session, which: ColumnElement[bool]) -> list[Covered]:
    query = select(Cover.person_id, Cover.household_id, Cover.policy_number, Cover.cover_to)
    return [Covered(*row) for row in session.execute(query.where(which))]


def erase_households(session: Session, ids: Sequence[str], reason: str) -> list[Change]:
    """Takes incomes and accounts out of households. The events, not yet recorded."""
    changes = _changes(session, HouseholdRow, "household.erased", ids, reason)
    take_out(session, Income, _of(session, Income, Income.household_id, ids), {"sealed": ERASED})
    accounts = _of(session, BankAccount, BankAccount.household_id, ids)
    take_out(session, BankAccount, accounts, {"sealed": ERASED, "account_lookup": None})
    return changes


def erase_people(session: Session, ids: Sequence[str], reason: str) -> list[Change]:
    """Takes the content out of people: nobody is found by their ID number any more. The events, not yet recorded."""
    changes = _changes(session, Person, "person.erased", ids, reason)
    table = table_of(Person)
    statement = update(table).where(table.c.id == bindparam("row_id"))
    values: dict[str, Any] = {"sealed": ERASED, "id_lookup": bindparam("lookup"), "name_lookup": None}
    rows = [{"row_id": identity, "lookup": f"{ERASED}:{identity}"} for identity in ids]
    session.connection().execute(statement.values(values), rows)
    for model in (Cover, PersonName):
        take_out(session, model, _of(session, model, model.person_id, ids), {"sealed": ERASED})
    relatives = _of(session, Relative, Relative.person_id, ids)
    take_out(session, Relative, relatives, {"sealed": ERASED, "id_lookup": None})
    return changes


def _of(session: Session, model: type[Base], column: Any, ids: Sequence[str]) -> list[str]:
    """Ids of the rows of some people or households whose content is still there."""
    table = table_of(model)
    query = select(table.c.id).where(column.in_(ids), table.c.sealed != ERASED)
    return list(session.scalars(query))


def _changes(
    session: Session, model: type[HouseholdRow | Person], action: str, ids: Sequence[str], reason: str
) -> list[Change]:
    digests = session.execute(select(model.id, model.digest).where(model.id.in_(ids)))
    return [Change(action, table_of(model).name, row.id, before=row.digest, reason=reason) for row in digests]

"""Households and people at the end of their terms: which are still there, and taking their content out.

Days of cover, household numbers, villages and digests name nobody and stay: figures go on being right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, bindparam, exists, or_, select, update
from sqlalchemy.orm import Session

from foundation.clock import business_day
from foundation.database import Base, table_of
from foundation.privacy.erasing import chosen, erase_files, take_out
from foundation.sealing import ERASED
from foundation.trail.events import Change
from households.models.comparison import ComparisonHit
from households.models.people import BankAccount, Cover, HouseholdRow, Income, Person, PersonName, Relative
from households.models.proposals import Proposal, RegistryTask
from households.models.recognition import Recognition, RecognitionReview
from households.models.warnings import WarningCase, WarningReport


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
    """Households with content that was not taken out yet."""
    query = select(HouseholdRow.id, HouseholdRow.household_no, HouseholdRow.changed_at)
    there = query.where(or_(*map(_left, _OF_HOUSEHOLDS)), chosen(HouseholdRow.id, ids))
    return [Kept(row.id, row.household_no, business_day(row.changed_at)) for row in session.execute(there)]


def _left(model: type[Base]) -> ColumnElement[bool]:
    """Whether a household has rows of a kind whose content is there."""
    table = table_of(model)
    return exists().where(_household(model) == HouseholdRow.id, table.c.sealed != ERASED)


def _household(model: type[Base]) -> ColumnElement[str]:
    """The household that a row belongs to: its own column, or that of the case or spell that it is of."""
    table = table_of(model)
    if model is WarningReport:
        of_case = select(WarningCase.household_id).where(WarningCase.id == table.c.case_id)
        return of_case.scalar_subquery()
    if model is RecognitionReview:
        of_spell = select(Recognition.household_id).where(Recognition.id == table.c.recognition_id)
        return of_spell.scalar_subquery()
    return table.c.household_id


_OF_HOUSEHOLDS: tuple[type[Base], ...] = (
    Income,
    BankAccount,
    Proposal,
    RegistryTask,
    WarningReport,
    Recognition,
    RecognitionReview,
)
"""Tables with sealed content about a household."""


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
    """Takes incomes, accounts, surveys and reports out of households, and lets go of their papers.

    The events, not yet recorded.
    """
    changes = _changes(session, HouseholdRow, "household.erased", ids, reason)
    # A picture that was sent with a report is stored under the report's id.
    erase_files(session, _there(session, WarningReport, _household(WarningReport).in_(ids)))
    for model in _OF_HOUSEHOLDS:
        there = _there(session, model, _household(model).in_(ids))
        take_out(session, model, there, {"sealed": ERASED, **_BESIDE.get(model, {})})
    return changes


_BESIDE: dict[type[Base], dict[str, None]] = {
    BankAccount: {"account_lookup": None},
    Proposal: {"evidence": None, "reason": None},
    RegistryTask: {"reason": None},
    Recognition: {"evidence": None, "decision": None},
}
"""What goes with the sealed content: look-ups, and the names of papers, whose files the next sweep removes."""


def erase_people(session: Session, ids: Sequence[str], reason: str) -> list[Change]:
    """Takes the content out of people: nobody is found by their ID number any more. The events, not yet recorded."""
    changes = _changes(session, Person, "person.erased", ids, reason)
    table = table_of(Person)
    statement = update(table).where(table.c.id == bindparam("row_id"))
    values: dict[str, Any] = {"sealed": ERASED, "id_lookup": bindparam("lookup"), "name_lookup": None}
    rows = [{"row_id": identity, "lookup": f"{ERASED}:{identity}"} for identity in ids]
    session.connection().execute(statement.values(values), rows)
    for model in (Cover, PersonName):
        take_out(session, model, _there(session, model, model.person_id.in_(ids)), {"sealed": ERASED})
    relatives = _there(session, Relative, Relative.person_id.in_(ids))
    take_out(session, Relative, relatives, {"sealed": ERASED, "id_lookup": None})
    hits = select(ComparisonHit.id).where(
        ComparisonHit.person_id.in_(ids), ComparisonHit.through.is_not(None)
    )
    take_out(session, ComparisonHit, session.scalars(hits).all(), {"through": ERASED})
    return changes


def _there(session: Session, model: type[Base], which: ColumnElement[bool]) -> list[str]:
    """Ids of rows whose content is still there."""
    table = table_of(model)
    return list(session.scalars(select(table.c.id).where(which, table.c.sealed != ERASED)))


def _changes(
    session: Session, model: type[HouseholdRow | Person], action: str, ids: Sequence[str], reason: str
) -> list[Change]:
    digests = session.execute(select(model.id, model.digest).where(model.id.in_(ids)))
    return [Change(action, table_of(model).name, row.id, before=row.digest, reason=reason) for row in digests]

"""Households of the register: one by its id within a place, the list with its filters, incomes, accounts, places."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.errors import NotFound
from foundation.places import COUNTY_DIGITS, TOWN_DIGITS, VILLAGE_DIGITS, within
from foundation.sealing import ERASED, Sealer
from foundation.web.paging import Page, keyset
from households.models.people import (
    BankAccount,
    Cover,
    HouseholdRow,
    Income,
    Membership,
    Person,
    PersonCategory,
    Residence,
)
from households.models.proposals import RegistryTask
from households.models.two_times import believed, true_on
from households.models.warnings import WarningCase
from households.queries.people import identity
from households.registered import HEAD, IncomeFigures


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list is narrowed to; None and False leave it as it is. `place` is a town's or a village's code."""

    place: str | None = None
    category: str | None = None
    cover: str | None = None
    """`yes`: somebody there is covered today; `no`: nobody is."""
    open: str | None = None
    """`warning` or `task`: has an open one."""

    def chosen(self) -> dict[str, str]:
        """The filters in use, as the address has them."""
        values = {"place": self.place, "category": self.category, "cover": self.cover, "open": self.open}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Listed:
    """A household as a list shows it. Head's name and number are None where there is no head, or they were erased."""

    id: str
    household_no: str
    town: str
    village: str
    village_code: str
    head: str | None
    id_number: str | None
    members: int
    covered: int
    warnings: int
    tasks: int
    merged: bool


@dataclass(frozen=True, slots=True)
class IncomeLine:
    """A household's income for some days, as a roster or the register has it; figures None once they were erased."""

    id: str
    valid_from: date | None
    valid_to: date | None
    source: str
    policy_number: str | None
    main_source: str | None
    figures: IncomeFigures | None
    known_at: datetime


@dataclass(frozen=True, slots=True)
class AccountLine:
    """An account of a household, with who asked for it and who agreed where it is the register's."""

    id: str
    valid_from: date | None
    valid_to: date | None
    source: str
    policy_number: str | None
    account_no: str | None
    account_name: str | None
    bank_code: str | None
    asked_by: str | None
    decided_by: str | None
    known_at: datetime


PAGE = 50
"""Households on a page."""


def household_row(session: Session, actor: Actor, household_id: str) -> HouseholdRow:
    """A household within the actor's place. Raises NotFound where there is none, or it lies elsewhere."""
    mine = (HouseholdRow.id == household_id) & within(HouseholdRow.village_code, actor.place)
    row = session.scalars(select(HouseholdRow).where(mine)).first()
    if row is None:
        raise NotFound
    return row


def household_of_number(session: Session, actor: Actor, household_no: str) -> HouseholdRow | None:
    """A household within the actor's place by its number; None where there is none."""
    mine = (HouseholdRow.household_no == household_no) & within(HouseholdRow.village_code, actor.place)
    return session.scalars(select(HouseholdRow).where(mine)).first()


# --- the list ------------------------------------------------------------------------------------------


def page_of_households(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    filters: Filters,
    day: date,
    cursor: str | None,
    size: int = PAGE,
) -> Page[Listed]:
    """Households within the actor's place by village and number. Raises BadRequest for a cursor of another list."""
    query = select(HouseholdRow).where(
        within(HouseholdRow.village_code, actor.place), *_narrowed(filters, day)
    )
    order = [HouseholdRow.village_code, HouseholdRow.household_no]
    page = keyset(session, query, order, HouseholdRow.id, cursor, size)
    return Page(listed(session, sealer, page.rows, day), page.newer, page.older)


def _narrowed(filters: Filters, day: date) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.place is not None:
        found.append(within(HouseholdRow.village_code, filters.place))
    if filters.cover is not None:
        covered = _covered_there(day)
        found.append(covered if filters.cover == "yes" else ~covered)
    if filters.category is not None:
        found.append(_of_category(filters.category, day))
    if filters.open == "task":
        mine = (RegistryTask.household_id == HouseholdRow.id) & (RegistryTask.state == "open")
        found.append(exists().where(mine))
    if filters.open == "warning":
        case = (WarningCase.household_id == HouseholdRow.id) & (WarningCase.state == "open")
        found.append(exists().where(case))
    return found


def _here(day: date) -> ColumnElement[bool]:
    return (Membership.household_id == HouseholdRow.id) & believed(Membership) & true_on(Membership, day)


def _covered_there(day: date) -> ColumnElement[bool]:
    cover = (Cover.person_id == Membership.person_id) & believed(Cover) & _in_force(day)
    return select(Membership.id).join(Cover, cover).where(_here(day)).exists()


def _in_force(day: date) -> ColumnElement[bool]:
    return (Cover.cover_from <= day) & (Cover.cover_to >= day)


def _of_category(category: str, day: date) -> ColumnElement[bool]:
    """Somebody there has the category: from the register, or from their cover where the register says nothing."""
    said = (
        (PersonCategory.person_id == Membership.person_id)
        & believed(PersonCategory)
        & true_on(PersonCategory, day)
    )
    by_register = exists().where(said, PersonCategory.category == category)
    by_cover = exists().where(
        Cover.person_id == Membership.person_id, believed(Cover), Cover.category == category
    ) & ~exists().where(said)
    return select(Membership.id).where(_here(day), by_register | by_cover).exists()


def listed(session: Session, sealer: Sealer, rows: Collection[HouseholdRow], day: date) -> list[Listed]:
    """Some households as a list shows them: a fixed number of statements, one sealed value opened a row."""
    ids = [row.id for row in rows]
    there = (Membership.household_id.in_(ids)) & believed(Membership) & true_on(Membership, day)
    heads: dict[str, tuple[str | None, str | None]] = {}
    query = select(Membership.household_id, Person).join(Person, Person.id == Membership.person_id)
    for household_id, person in session.execute(query.where(there, Membership.relation == HEAD)):
        heads.setdefault(household_id, identity(sealer, person))
    people = _counts(session, select(Membership.household_id, func.count()).where(there), Membership)
    cover = (Cover.person_id == Membership.person_id) & believed(Cover) & _in_force(day)
    covered = select(Membership.household_id, func.count(func.distinct(Membership.person_id)))
    with_cover = _counts(session, covered.join(Cover, cover).where(there), Membership)
    open_tasks = RegistryTask.household_id.in_(ids) & (RegistryTask.state == "open")
    tasks = _counts(session, select(RegistryTask.household_id, func.count()).where(open_tasks), RegistryTask)
    open_cases = WarningCase.household_id.in_(ids) & (WarningCase.state == "open")
    warnings = _counts(session, select(WarningCase.household_id, func.count()).where(open_cases), WarningCase)
    return [
        Listed(
            row.id,
            row.household_no,
            row.town,
            row.village,
            row.village_code,
            heads.get(row.id, (None, None))[1],
            heads.get(row.id, (None, None))[0],
            people.get(row.id, 0),
            with_cover.get(row.id, 0),
            warnings.get(row.id, 0),
            tasks.get(row.id, 0),
            row.merged_into is not None,
        )
        for row in rows
    ]


def _counts(session: Session, query: Any, model: Any) -> dict[str, int]:
    return dict(session.execute(query.group_by(model.household_id)).all())


def places_within(session: Session, place: str) -> list[tuple[str, str]]:
    """(code, name) of the towns of the county, or of the villages of a town, within a place, by code."""
    digits = TOWN_DIGITS if len(place) == COUNTY_DIGITS else VILLAGE_DIGITS
    code = func.substr(HouseholdRow.village_code, 1, digits)
    name = func.min(HouseholdRow.town if digits == TOWN_DIGITS else HouseholdRow.village)
    query = select(code, name).where(within(HouseholdRow.village_code, place)).group_by(code)
    return [(row[0], row[1]) for row in session.execute(query.order_by(code))]


def village_of(session: Session, village_code: str) -> tuple[str, str] | None:
    """(town, village) of a village that households are in; None for one that nobody lives in."""
    query = select(HouseholdRow.town, HouseholdRow.village).where(HouseholdRow.village_code == village_code)
    row = session.execute(query.limit(1)).first()
    return None if row is None else (row.town, row.village)


# --- a household's figures and places ------------------------------------------------------------------


def incomes_of(
    session: Session, sealer: Sealer, household_id: str, known_at: datetime | None = None
) -> list[IncomeLine]:
    """A household's incomes as believed at a moment, the latest days first, what rosters say last."""
    query = select(Income).where(Income.household_id == household_id, believed(Income, known_at))
    lines = []
    for row in session.scalars(query):
        figures = None
        if row.sealed != ERASED:
            figures = IncomeFigures(**orjson.loads(sealer.reveal("income", "sealed", row.id, row.sealed)))
        lines.append(
            IncomeLine(
                row.id,
                row.valid_from,
                row.valid_to,
                row.source,
                row.policy_number,
                row.main_source,
                figures,
                row.known_at,
            )
        )
    return sorted(lines, key=lambda line: (line.valid_from or date.min, line.known_at), reverse=True)


def accounts_of(
    session: Session, sealer: Sealer, household_id: str, known_at: datetime | None = None
) -> list[AccountLine]:
    """A household's accounts as believed at a moment, the latest days first, what rosters say last."""
    query = select(BankAccount).where(
        BankAccount.household_id == household_id, believed(BankAccount, known_at)
    )
    lines = []
    for row in session.scalars(query):
        opened: dict[str, Any] = {"account_no": None, "account_name": None, "bank_code": None}
        if row.sealed != ERASED:
            opened = orjson.loads(sealer.reveal("bank_account", "sealed", row.id, row.sealed))
        lines.append(
            AccountLine(
                id=row.id,
                valid_from=row.valid_from,
                valid_to=row.valid_to,
                source=row.source,
                policy_number=row.policy_number,
                asked_by=row.asked_by,
                decided_by=row.decided_by,
                known_at=row.known_at,
                **opened,
            )
        )
    return sorted(lines, key=lambda line: (line.valid_from or date.min, line.known_at), reverse=True)


def residences_of(session: Session, household_id: str, known_at: datetime | None = None) -> list[Residence]:
    """Where the register says that a household lived, as believed at a moment, the latest first."""
    query = select(Residence).where(Residence.household_id == household_id, believed(Residence, known_at))
    return sorted(session.scalars(query), key=lambda row: row.valid_from or date.min, reverse=True)

"""Tasks of the register, opened: what a roster says, what the register says, and how somebody settled it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.errors import NotFound
from foundation.masking import HIDDEN, Audience, account_for, id_number_for
from foundation.places import within
from foundation.sealing import ERASED, Sealer
from foundation.web.paging import Page, keyset
from households.models.people import BankAccount, Cover, HouseholdRow, Membership, Person
from households.models.proposals import RegistryTask
from households.models.two_times import REGISTER, ROSTER, believed
from households.queries.people import identity


@dataclass(frozen=True, slots=True)
class Task:
    """Something that does not fit together. `details` is what was found; empty once it was erased."""

    id: str
    kind: str
    state: str
    household_id: str | None
    household_no: str | None
    town: str | None
    village: str | None
    person_id: str | None
    opened_at: datetime
    settled_by: str | None
    settled_at: datetime | None
    settlement: str | None
    reason: str | None
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PersonSaid:
    """A person whom a task is about, masked, with the households that the register has them in."""

    person_id: str
    name: str | None
    id_number: str | None
    homes: tuple[tuple[str, str, str], ...]
    """(id, number, village) of each household within the actor's place."""


@dataclass(frozen=True, slots=True)
class BothSides:
    """What rosters say and what the register says, each as lines of plain text; accounts masked."""

    people: tuple[PersonSaid, ...] = ()
    roster: tuple[str, ...] = ()
    register: tuple[str, ...] = ()


PAGE = 30
"""Tasks on a page."""


def task_by_id(session: Session, sealer: Sealer, actor: Actor, task_id: str) -> Task:
    """A task within the actor's place. Raises NotFound where there is none."""
    row = session.execute(_tasks().where(RegistryTask.id == task_id, _of_place(actor))).first()
    if row is None:
        raise NotFound
    return _opened(sealer, row)


def page_of_tasks(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    state: str | None,
    kind: str | None,
    cursor: str | None,
    size: int = PAGE,
) -> Page[Task]:
    """Tasks within the actor's place, the newest first. Raises BadRequest for a cursor of another list."""
    query = _tasks().where(_of_place(actor))
    if state is not None:
        query = query.where(RegistryTask.state == state)
    if kind is not None:
        query = query.where(RegistryTask.kind == kind)
    page = keyset(session, query, [RegistryTask.opened_at], RegistryTask.id, cursor, size, descending=True)
    return Page([_opened(sealer, row) for row in page.rows], page.newer, page.older)


def tasks_of(session: Session, sealer: Sealer, household_ids: Collection[str]) -> list[Task]:
    """All tasks about some households, the newest first."""
    query = _tasks().where(RegistryTask.household_id.in_(household_ids))
    rows = session.execute(query.order_by(RegistryTask.opened_at.desc(), RegistryTask.id))
    return [_opened(sealer, row) for row in rows]


def open_tasks_count(session: Session, actor: Actor) -> int:
    """How many tasks within the actor's place are open."""
    query = select(func.count()).select_from(RegistryTask)
    query = query.outerjoin(HouseholdRow, HouseholdRow.id == RegistryTask.household_id)
    return session.scalar(query.where(RegistryTask.state == "open", _of_place(actor))) or 0


def both_sides(session: Session, sealer: Sealer, actor: Actor, task: Task) -> BothSides:
    """What a task's two sides say, for who settles it."""
    if task.kind == "two_numbers":
        return BothSides(people=_people_by_lookup(session, sealer, actor, task.details.get("people", ())))
    people = () if task.person_id is None else _people(session, sealer, actor, Person.id == task.person_id)
    if task.kind == "two_names":
        named = tuple(name for name in (task.details.get("name"),) if name)
        return BothSides(people, roster=named, register=tuple(one.name for one in people if one.name))
    if task.kind == "account_differs" and task.household_id is not None:
        return BothSides(
            roster=_accounts(session, sealer, task, ROSTER),
            register=_accounts(session, sealer, task, REGISTER),
        )
    if task.kind == "roster_differs" and task.person_id is not None:
        homes = tuple(f"{number} {village}" for one in people for _, number, village in one.homes)
        return BothSides(people, roster=_roster_home(session, task), register=homes)
    if task.kind == "roster_differs" and task.details:
        here = (f"{task.town} {task.village}",)
        return BothSides(roster=(f"{task.details['town']} {task.details['village']}",), register=here)
    return BothSides(people)


def account_of(sealer: Sealer, row: BankAccount) -> dict[str, str | None]:
    """`{account_no, account_name, bank_code}` of an account that was not erased."""
    opened: dict[str, str | None] = orjson.loads(sealer.reveal("bank_account", "sealed", row.id, row.sealed))
    return opened


def _accounts(session: Session, sealer: Sealer, task: Task, source: str) -> tuple[str, ...]:
    mine = (BankAccount.household_id == task.household_id) & (BankAccount.source == source)
    lines = []
    for row in session.scalars(select(BankAccount).where(mine, believed(BankAccount))):
        if row.sealed == ERASED:
            lines.append(HIDDEN)
            continue
        account = account_of(sealer, row)
        number = account["account_no"] or ""
        lines.append(f"{account['account_name'] or ''} {account_for(Audience.OFFICER, number)}".strip())
    return tuple(lines)


def _roster_home(session: Session, task: Task) -> tuple[str, ...]:
    query = (
        select(HouseholdRow.household_no, HouseholdRow.village)
        .join(Cover, Cover.household_id == HouseholdRow.id)
        .where(Cover.person_id == task.person_id, Cover.source == ROSTER, believed(Cover))
        .distinct()
    )
    return tuple(f"{row.household_no} {row.village}" for row in session.execute(query))


def _people_by_lookup(
    session: Session, sealer: Sealer, actor: Actor, lookups: Collection[str]
) -> tuple[PersonSaid, ...]:
    return _people(session, sealer, actor, Person.id_lookup.in_(lookups))


def _people(
    session: Session, sealer: Sealer, actor: Actor, which: ColumnElement[bool]
) -> tuple[PersonSaid, ...]:
    found = []
    for person in session.scalars(select(Person).where(which).order_by(Person.id)):
        number, name = identity(sealer, person)
        homes = (
            select(HouseholdRow.id, HouseholdRow.household_no, HouseholdRow.village)
            .join(Membership, Membership.household_id == HouseholdRow.id)
            .where(
                Membership.person_id == person.id,
                believed(Membership),
                within(HouseholdRow.village_code, actor.place),
            )
            .distinct()
        )
        masked = None if number is None else id_number_for(Audience.OFFICER, number)
        rows = tuple((row[0], row[1], row[2]) for row in session.execute(homes))
        found.append(PersonSaid(person.id, name, masked, rows))
    return tuple(found)


def _of_place(actor: Actor) -> ColumnElement[bool]:
    """By where the household is now; a task without one by the place that it was opened for."""
    return within(func.coalesce(HouseholdRow.village_code, RegistryTask.village_code), actor.place)


def _tasks() -> Any:
    return select(
        RegistryTask.id,
        RegistryTask.kind,
        RegistryTask.state,
        RegistryTask.household_id,
        HouseholdRow.household_no,
        HouseholdRow.town,
        HouseholdRow.village,
        RegistryTask.person_id,
        RegistryTask.opened_at,
        RegistryTask.settled_by,
        RegistryTask.settled_at,
        RegistryTask.settlement,
        RegistryTask.reason,
        RegistryTask.sealed,
    ).outerjoin(HouseholdRow, HouseholdRow.id == RegistryTask.household_id)


def _opened(sealer: Sealer, row: Any) -> Task:
    values = row._asdict()
    sealed, reason = values.pop("sealed"), values.pop("reason")
    details = {}
    if sealed != ERASED:
        details = orjson.loads(sealer.reveal("registry_task", "sealed", row.id, sealed))
    if reason is not None and reason != ERASED:
        reason = sealer.reveal("registry_task", "reason", row.id, reason)
    return Task(**values, reason=reason, details=details)

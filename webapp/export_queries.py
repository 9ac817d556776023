"""What can be asked of the register of exports: its pages, its totals, what waits, what may be taken."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, false, func, select
from sqlalchemy.orm import Session

from foundation.actors import Actor, Role
from foundation.places import within
from foundation.privacy.exports import HOLDS
from foundation.privacy.models import Export
from foundation.staff.models import StaffMember
from foundation.web.paging import Page, keyset
from webapp.days import between

_PAGE = 50
SEES_ALL = frozenset({Role.SEC_ADMIN, Role.AUDITOR, Role.CENTER_LEAD})
"""Whose register holds everybody's exports within their place. Everybody else's holds their own."""
DECIDES = frozenset({Role.SEC_ADMIN, Role.CENTER_LEAD})


@dataclass(frozen=True, slots=True)
class RegisterFilters:
    """What the register is narrowed to; `person` is a part of a name."""

    kind: str | None = None
    state: str | None = None
    person: str | None = None
    day_from: date | None = None
    day_to: date | None = None


@dataclass(frozen=True, slots=True)
class RegisterTotals:
    """Of everything that was filtered: exports, how many of them were taken, and about how many people those are."""

    exports: int
    taken: int
    people: int


def register(
    session: Session, actor: Actor, at: datetime, filters: RegisterFilters, cursor: str | None
) -> Page[Export]:
    """One page of the register, newest first. Raises BadRequest for a cursor that is not of this list."""
    query = _filtered(select(Export), actor, at, filters)
    return keyset(session, query, [Export.number], Export.id, cursor, _PAGE, descending=True)


def totals(session: Session, actor: Actor, at: datetime, filters: RegisterFilters) -> RegisterTotals:
    """What the filters leave, summed."""
    taken = Export.state == "taken"
    query = select(
        func.count(),
        func.count().filter(taken),
        func.sum(Export.people).filter(taken),
    ).select_from(Export)
    exports, of_them, people = session.execute(_filtered(query, actor, at, filters)).one()
    return RegisterTotals(exports, of_them, int(people or 0))


def waiting(session: Session, actor: Actor) -> list[Export]:
    """What waits for a second person, oldest first, for whoever decides; one's own, too, to see that it waits."""
    query = select(Export).where(Export.state == "asked", _seen_by(actor))
    return list(session.scalars(query.order_by(Export.number)))


def to_take(session: Session, actor: Actor, at: datetime) -> list[Export]:
    """What was approved for a person and still holds, oldest first; each is taken in the role that asked."""
    query = select(Export).where(
        Export.state == "approved",
        Export.decided_at > at - HOLDS,
        Export.person == actor.person,
        Export.role == actor.role,
        Export.place == actor.place,
    )
    return list(session.scalars(query.order_by(Export.number)))


def _seen_by(actor: Actor) -> ColumnElement[bool]:
    """The exports that somebody may know of."""
    if actor.role in SEES_ALL:
        return within(Export.place, actor.place)
    return Export.person == actor.person


def _filtered(
    query: Select[*tuple[Any, ...]], actor: Actor, at: datetime, filters: RegisterFilters
) -> Select[*tuple[Any, ...]]:
    query = query.where(_seen_by(actor), *between(Export.asked_at, filters.day_from, filters.day_to))
    if filters.kind is not None:
        query = query.where(Export.kind == filters.kind)
    if filters.state is not None:
        query = query.where(_in_state(filters.state, at))
    if filters.person is not None:
        named = select(StaffMember.id).where(StaffMember.name.contains(filters.person, autoescape=True))
        query = query.where(Export.person.in_(named))
    return query


def _in_state(state: str, at: datetime) -> ColumnElement[bool]:
    """As `foundation.privacy.exports.state_of` has it: an approval whose time is over has lapsed."""
    over = (Export.state == "approved") & (Export.decided_at <= at - HOLDS)
    if state == "lapsed":
        return over | (Export.state == "lapsed")
    return (Export.state == state) & (~over if state == "approved" else ~false())

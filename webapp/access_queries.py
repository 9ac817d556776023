"""What can be asked of the access log: full views, searches, refused requests, sign-ins, and what calls for a look.

Every list is narrowed by person and day, paged by key, and summed over all that the filters leave. They read what is
there anyway: rows of full views and exports, events of the trail, counts of refused requests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, String, func, literal, select, union_all
from sqlalchemy.orm import Session

from claims.models import ClaimRow
from foundation.privacy.disclosures import LIMIT_REACHED
from foundation.privacy.exports import MOST_ALONE
from foundation.privacy.models import Disclosure, Export
from foundation.staff.models import Account, StaffMember
from foundation.trail.events import Event
from foundation.web.paging import Page, keyset
from households.models import HouseholdRow
from payments.models import Payment
from webapp.days import between
from webapp.models import AccessCount

PAGE = 50
MANY_REFUSED = 20
"""Refused requests of an account in a day from which on they are an alert: nobody misses a page so often by chance."""
MOST_DAYS = 100
"""Rows of the table by day and person that stands above the full views."""

SIGN_INS = ("account.signed_in", "account.sign_in_failed", "account.locked", "account.signed_out")
REFUSALS = {"refused_403": "forbidden", "refused_404": "not_found", "refused_429": "too_many"}


@dataclass(frozen=True, slots=True)
class AccessFilters:
    """What the log is narrowed to; `person` is a part of a name."""

    person: str | None = None
    day_from: date | None = None
    day_to: date | None = None

    def days(self, column: Any) -> list[ColumnElement[bool]]:
        """That a column of instants lies within the days."""
        return between(column, self.day_from, self.day_to)

    def persons(self, column: Any) -> list[ColumnElement[bool]]:
        """That a column of persons is of those who are asked for."""
        return [] if self.person is None else [column.in_(self._named())]

    def actors(self) -> list[ColumnElement[bool]]:
        """The same for who acted in an event. Persons' ids say nothing and hold no character with a meaning in LIKE."""
        if self.person is None:
            return []
        said = func.concat('%"person":"', StaffMember.id, '"%')
        named = StaffMember.name.contains(self.person, autoescape=True)
        return [select(StaffMember.id).where(named, Event.body.like(said)).correlate(Event).exists()]

    def _named(self) -> Select[*tuple[Any, ...]]:
        return select(StaffMember.id).where(StaffMember.name.contains(self.person or "", autoescape=True))


# --- full views --------------------------------------------------------------------------------------


def views(session: Session, filters: AccessFilters, cursor: str | None) -> Page[Disclosure]:
    """Full views, newest first."""
    query = _views(select(Disclosure), filters)
    return keyset(session, query, [Disclosure.at], Disclosure.id, cursor, PAGE, descending=True, count=True)


def views_by_day(session: Session, filters: AccessFilters) -> Sequence[Any]:
    """(day, person, full views) of the newest days, at most `MOST_DAYS` rows."""
    counted = func.count().label("views")
    query = _views(select(Disclosure.seen_on, Disclosure.person, counted), filters)
    query = query.group_by(Disclosure.seen_on, Disclosure.person)
    ordered = query.order_by(Disclosure.seen_on.desc(), counted.desc(), Disclosure.person)
    return session.execute(ordered.limit(MOST_DAYS)).all()


def _views(query: Select[*tuple[Any, ...]], filters: AccessFilters) -> Select[*tuple[Any, ...]]:
    return query.where(*filters.days(Disclosure.at), *filters.persons(Disclosure.person))


def things(session: Session, found: Sequence[Disclosure]) -> Mapping[str, tuple[str, str]]:
    """Id of a thing that was seen → (what people call it, the id of its page), three statements for all of them."""
    claims = [row.subject_id for row in found if row.subject == "claim"]
    payments = [row.subject_id for row in found if row.subject == "payment"]
    numbers = select(ClaimRow.id, ClaimRow.claim_no, ClaimRow.id).where(ClaimRow.id.in_(claims))
    references = select(Payment.id, Payment.reference, Payment.batch_id).where(Payment.id.in_(payments))
    seen = [row.subject_id for row in found if row.subject == "household"]
    homes = select(HouseholdRow.id, HouseholdRow.household_no, HouseholdRow.id).where(
        HouseholdRow.id.in_(seen)
    )
    rows = [*session.execute(numbers), *session.execute(references), *session.execute(homes)]
    return {row[0]: (row[1], row[2]) for row in rows}


# --- events of the trail -----------------------------------------------------------------------------


def searches(session: Session, filters: AccessFilters, cursor: str | None) -> Page[Event]:
    """Searches for a person, newest first. All have the same subject, `-`, whose index finds them."""
    query = select(Event).where(
        Event.subject_id == "-",
        Event.action.in_(("claims.searched", "households.searched")),
        *filters.days(Event.at),
        *filters.actors(),
    )
    return keyset(session, query, [Event.at], Event.id, cursor, PAGE, descending=True, count=True)


def sign_ins(session: Session, filters: AccessFilters, cursor: str | None) -> Page[Any]:
    """(event, login, person) of sign-ins, those that failed, and sign-outs, newest first."""
    query = _sign_ins(select(Event, Account.login, Account.staff_id), filters)
    return keyset(session, query, [Event.at], Event.id, cursor, PAGE, descending=True, count=True)


def sign_ins_by_action(session: Session, filters: AccessFilters) -> dict[str, int]:
    """How many of each there are."""
    query = _sign_ins(select(Event.action, func.count()), filters).group_by(Event.action)
    return {row[0]: row[1] for row in session.execute(query)}


def _sign_ins(query: Select[*tuple[Any, ...]], filters: AccessFilters) -> Select[*tuple[Any, ...]]:
    return query.join(Account, Account.id == Event.subject_id).where(
        Event.action.in_(SIGN_INS), *filters.days(Event.at), *filters.persons(Account.staff_id)
    )


# --- refused requests --------------------------------------------------------------------------------


def refusals(session: Session, filters: AccessFilters, cursor: str | None) -> Page[Any]:
    """(day begins, login, person, forbidden, not found, too many, all) by account and day, newest first."""
    days = _refused(filters).subquery()
    query = select(
        days.c.at,
        days.c.login,
        days.c.person,
        *(days.c[name] for name in REFUSALS.values()),
        days.c.times,
    )
    return keyset(session, query, [days.c.at], days.c.account, cursor, PAGE, descending=True, count=True)


def refusals_by_kind(session: Session, filters: AccessFilters) -> dict[str, int]:
    """How many requests were refused in each way."""
    days = _refused(filters).subquery()
    names = (*REFUSALS.values(), "times")
    row = session.execute(select(*(func.sum(days.c[name]) for name in names))).one()
    return {name: int(total or 0) for name, total in zip(names, row, strict=True)}


def _refused(filters: AccessFilters) -> Select[*tuple[Any, ...]]:
    """Refused requests by account and day. A count's window of a day is a business day."""
    parts = [
        func.coalesce(func.sum(AccessCount.times).filter(AccessCount.kind == kind), 0).label(name)
        for kind, name in REFUSALS.items()
    ]
    return (
        select(
            AccessCount.window_start.label("at"),
            AccessCount.whose.label("account"),
            Account.login.label("login"),
            Account.staff_id.label("person"),
            *parts,
            func.sum(AccessCount.times).label("times"),
        )
        .join(Account, Account.id == AccessCount.whose)
        .where(
            AccessCount.kind.in_(REFUSALS),
            *filters.days(AccessCount.window_start),
            *filters.persons(Account.staff_id),
        )
        .group_by(AccessCount.window_start, AccessCount.whose, Account.login, Account.staff_id)
    )


# --- what calls for a look ---------------------------------------------------------------------------


def alerts(session: Session, filters: AccessFilters, cursor: str | None) -> Page[Any]:
    """(at, kind, person, number, thing) of what calls for a look, newest first.

    `limit`: somebody came for one more full view than there are in a day. `refused`: many refused requests in a day,
    `number` of them. `export`: an export about more than `MOST_ALONE` people, `number` of them, `thing` its number.
    """
    found = _alerts(filters).subquery()
    query = select(found.c.at, found.c.kind, found.c.person, found.c.number, found.c.thing)
    return keyset(session, query, [found.c.at], found.c.id, cursor, PAGE, descending=True, count=True)


def _alerts(filters: AccessFilters) -> Any:
    # By subject, which has an index; a person's events are few.
    limits = (
        select(
            literal("limit-", String).concat(func.cast(Event.id, String)).label("id"),
            Event.at.label("at"),
            literal("limit", String).label("kind"),
            StaffMember.id.label("person"),
            literal(0).label("number"),
            literal("", String).label("thing"),
        )
        .join(StaffMember, StaffMember.id == Event.subject_id)
        .where(Event.action == LIMIT_REACHED, *filters.days(Event.at), *filters.persons(StaffMember.id))
    )
    days = _refused(filters).subquery()
    refused = select(
        literal("refused-", String).concat(days.c.account),
        days.c.at,
        literal("refused", String),
        days.c.person,
        days.c.times,
        literal("", String),
    ).where(days.c.times >= MANY_REFUSED)
    large = select(
        literal("export-", String).concat(Export.id),
        Export.asked_at,
        literal("export", String),
        Export.person,
        Export.people,
        func.cast(Export.number, String),
    ).where(Export.people > MOST_ALONE, *filters.days(Export.asked_at), *filters.persons(Export.person))
    return union_all(limits, refused, large)

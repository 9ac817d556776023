"""What can be asked of the staff: people, roles and limits on a day, and what waits for approval."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from foundation.actors import Role
from foundation.staff.models import Account, DeterminationLimit, Kin, RoleGrant, StaffMember
from foundation.web.paging import Page, keyset


@dataclass(frozen=True, slots=True)
class PersonLine:
    """A person in the list, with their accounts and the roles in force or asked for, each by login."""

    staff_id: str
    name: str
    accounts: tuple[Account, ...]
    grants: tuple[RoleGrant, ...]
    waiting: int
    """Roles and limits that wait for a second person."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A role or a limit that waits for a second person."""

    kind: str
    """`role` or `limit`."""
    id: str
    staff_id: str
    name: str
    login: str | None
    role: str | None
    place: str | None
    department: str | None
    amount_fen: int | None
    valid_from: date
    valid_to: date | None
    requested_by: str
    requested_at: datetime


def limit_on(session: Session, person: str, day: date) -> int | None:
    """Up to how much a person may determine on a day, in fen: the highest limit in force; None: nothing at all."""
    limit = DeterminationLimit
    query = select(func.max(limit.amount_fen)).where(
        limit.staff_id == person,
        limit.state == "active",
        limit.valid_from <= day,
        or_(limit.valid_to.is_(None), limit.valid_to >= day),
    )
    return session.scalar(query)


def accounts_of(session: Session, staff_id: str) -> list[Account]:
    """A person's accounts by login."""
    return list(session.scalars(select(Account).where(Account.staff_id == staff_id).order_by(Account.login)))


def grants_of(session: Session, staff_id: str) -> list[RoleGrant]:
    """All role grants of a person over all their accounts, the newest first."""
    query = (
        select(RoleGrant)
        .join(Account, Account.id == RoleGrant.account_id)
        .where(Account.staff_id == staff_id)
        .order_by(RoleGrant.requested_at.desc(), RoleGrant.id)
    )
    return list(session.scalars(query))


def limits_of(session: Session, staff_id: str) -> list[DeterminationLimit]:
    """All limits of a person, the newest first."""
    limit = DeterminationLimit
    query = select(limit).where(limit.staff_id == staff_id).order_by(limit.requested_at.desc(), limit.id)
    return list(session.scalars(query))


def roles_held(session: Session, staff_id: str, *, but: str | None = None) -> set[Role]:
    """The roles that a person holds or would hold: in force or asked for, over all their accounts (K7).

    `but` leaves one grant out.
    """
    query = (
        select(RoleGrant.id, RoleGrant.role)
        .join(Account, Account.id == RoleGrant.account_id)
        .where(Account.staff_id == staff_id, RoleGrant.state.in_(("requested", "active")))
    )
    return {Role(role) for grant_id, role in session.execute(query) if grant_id != but}


def names(session: Session) -> dict[str, str]:
    """Person → name, of everybody."""
    return {row[0]: row[1] for row in session.execute(select(StaffMember.id, StaffMember.name))}


def own_and_kin(session: Session, persons: Iterable[str]) -> set[str]:
    """Keyed digests of the ID numbers of some staff and of every relative whom they declared (K6)."""
    wanted = list(persons)
    own = select(StaffMember.id_lookup).where(StaffMember.id.in_(wanted), StaffMember.id_lookup.is_not(None))
    kin = select(Kin.id_lookup).where(Kin.staff_id.in_(wanted))
    return set(session.scalars(own.union(kin)))


def kin_count(session: Session, staff_id: str) -> int:
    """How many relatives a person has declared."""
    return session.scalar(select(func.count()).select_from(Kin).where(Kin.staff_id == staff_id)) or 0


def security_administrators(session: Session, day: date) -> int:
    """How many natural persons can act as security administrator on a day; two are needed to approve anything."""
    query = (
        select(func.count(func.distinct(Account.staff_id)))
        .join(RoleGrant, RoleGrant.account_id == Account.id)
        .where(
            Account.state == "active",
            RoleGrant.role == Role.SEC_ADMIN,
            RoleGrant.state == "active",
            RoleGrant.valid_from <= day,
            or_(RoleGrant.valid_to.is_(None), RoleGrant.valid_to >= day),
        )
    )
    return session.scalar(query) or 0


def people(
    session: Session,
    text: str = "",
    role: str | None = None,
    state: str | None = None,
    cursor: str | None = None,
) -> Page[PersonLine]:
    """One page of people by name.

    `text` is part of a name or of a login; `role` is held or asked for; `state` is that of an account. Raises
    BadRequest for a cursor that is not of this list.
    """
    query = _filtered(text, role, state)
    page = keyset(session, query, [StaffMember.name], StaffMember.id, cursor, count=True)
    return Page(_lines(session, page.rows), page.newer, page.older, page.total)


def _filtered(text: str, role: str | None, state: str | None) -> Select[StaffMember]:
    query = select(StaffMember)
    if text:
        logins = select(Account.staff_id).where(Account.login.contains(text.lower(), autoescape=True))
        query = query.where(or_(StaffMember.name.contains(text, autoescape=True), StaffMember.id.in_(logins)))
    if role is not None:
        holders = (
            select(Account.staff_id)
            .join(RoleGrant, RoleGrant.account_id == Account.id)
            .where(RoleGrant.role == role, RoleGrant.state.in_(("requested", "active")))
        )
        query = query.where(StaffMember.id.in_(holders))
    if state is not None:
        query = query.where(StaffMember.id.in_(select(Account.staff_id).where(Account.state == state)))
    return query


def _lines(session: Session, shown: Sequence[StaffMember]) -> list[PersonLine]:
    """Three statements, however many people."""
    ids = [member.id for member in shown]
    accounts: dict[str, list[Account]] = {identity: [] for identity in ids}
    for account in session.scalars(select(Account).where(Account.staff_id.in_(ids)).order_by(Account.login)):
        accounts[account.staff_id].append(account)
    grants: dict[str, list[RoleGrant]] = {identity: [] for identity in ids}
    open_grants = (
        select(RoleGrant, Account.staff_id)
        .join(Account, Account.id == RoleGrant.account_id)
        .where(Account.staff_id.in_(ids), RoleGrant.state.in_(("requested", "active")))
        .order_by(Account.login, RoleGrant.role, RoleGrant.place)
    )
    for grant, staff_id in session.execute(open_grants):
        grants[staff_id].append(grant)
    limit = DeterminationLimit
    asked = select(limit.staff_id, func.count()).where(limit.staff_id.in_(ids), limit.state == "requested")
    limits: dict[str, int] = {row[0]: row[1] for row in session.execute(asked.group_by(limit.staff_id))}
    return [
        PersonLine(
            member.id,
            member.name,
            tuple(accounts[member.id]),
            tuple(grants[member.id]),
            sum(grant.state == "requested" for grant in grants[member.id]) + limits.get(member.id, 0),
        )
        for member in shown
    ]


def waiting(session: Session) -> list[Waiting]:
    """Every role and limit that waits for a second person, the oldest first."""
    roles = (
        select(RoleGrant, Account.login, StaffMember.id, StaffMember.name)
        .join(Account, Account.id == RoleGrant.account_id)
        .join(StaffMember, StaffMember.id == Account.staff_id)
        .where(RoleGrant.state == "requested")
    )
    limits = (
        select(DeterminationLimit, StaffMember.name)
        .join(StaffMember, StaffMember.id == DeterminationLimit.staff_id)
        .where(DeterminationLimit.state == "requested")
    )
    found = [
        Waiting(
            "role", row.id, staff_id, name, login, row.role, row.place, row.department, None,
            row.valid_from, row.valid_to, row.requested_by, row.requested_at,
        )
        for row, login, staff_id, name in session.execute(roles)
    ]  # fmt: skip
    found += [
        Waiting(
            "limit", row.id, row.staff_id, name, None, None, None, None, row.amount_fen,
            row.valid_from, row.valid_to, row.requested_by, row.requested_at,
        )
        for row, name in session.execute(limits)
    ]  # fmt: skip
    return sorted(found, key=lambda item: (item.requested_at, item.id))

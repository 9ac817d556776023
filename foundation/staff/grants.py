"""Roles and limits: asked for by one person, approved or refused by another one, ended by one.

Nobody decides what they asked for or what they themself gain; the database refuses the same. Every step changes a row
only from the state that it was seen in, so that a second click finds a conflict.
"""

from __future__ import annotations

import secrets
from datetime import date, datetime
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from foundation.actors import ROLE_NAMES, Actor, Role
from foundation.clock import business_day
from foundation.database import one_at_a_time
from foundation.errors import ConflictError, InvalidInput, NotAllowedError, NotFound
from foundation.money import MOST_FEN
from foundation.places import COUNTY_DIGITS, TOWN_DIGITS, VILLAGE_DIGITS
from foundation.segregation import refuse_roles_together
from foundation.staff.models import Account, DeterminationLimit, RoleGrant, StaffMember
from foundation.staff.queries import roles_held
from foundation.trail.events import Change, record

_PLACE_DIGITS = {Role.VILLAGE_OFFICER: VILLAGE_DIGITS, Role.TOWN_REVIEWER: TOWN_DIGITS}
"""Roles that belong to one kind of place; the others are held at a county, a town or a village."""


def ask_role(
    session: Session,
    actor: Actor,
    at: datetime,
    account_id: str,
    role: Role,
    place: str,
    department: str | None = None,
    valid_from: date | None = None,
    valid_to: date | None = None,
) -> RoleGrant:
    """Asks for a role at a place, from today unless a day is given.

    Raises InvalidInput, NotFound, NotAllowedError (K7), or ConflictError when the account has it already.
    """
    _by_administrator(actor)
    begins = valid_from or business_day(at)
    _check_role(role, place, department)
    _check_dates(begins, valid_to)
    account = session.get(Account, account_id)
    if account is None:
        raise NotFound
    # Two that are asked for at the same moment must see each other, or nobody would notice K7.
    one_at_a_time(session, "staff")
    refuse_roles_together({role, *roles_held(session, account.staff_id)})
    same = select(RoleGrant.id).where(
        RoleGrant.account_id == account_id,
        RoleGrant.role == role,
        RoleGrant.place == place,
        RoleGrant.department.is_not_distinct_from(department),
        RoleGrant.state.in_(("requested", "active")),
        or_(RoleGrant.valid_to.is_(None), RoleGrant.valid_to >= begins),
    )
    if session.scalar(same.limit(1)) is not None:
        raise ConflictError(
            "该账号已有或已申请此岗位", "the account has this role already, or it is asked for"
        )
    grant = RoleGrant(
        id=secrets.token_hex(16),
        account_id=account_id,
        role=role,
        place=place,
        department=department,
        valid_from=begins,
        valid_to=valid_to,
        state="requested",
        requested_by=actor.person,
        requested_at=at,
    )
    session.add(grant)
    session.flush()
    reason = f"{role} {place}" + (f" {department}" if department else "")
    record(session, actor, at, [Change("role.asked", "role_grant", grant.id, reason=reason)])
    return grant


def decide_grant(session: Session, actor: Actor, at: datetime, grant_id: str, *, approve: bool) -> RoleGrant:
    """Approves or refuses a role, as somebody who neither asked for it nor gains it.

    Raises NotFound, NotAllowedError, or ConflictError when it was decided meanwhile.
    """
    _by_administrator(actor)
    one_at_a_time(session, "staff")
    grant = session.get(RoleGrant, grant_id, populate_existing=True)
    if grant is None:
        raise NotFound
    gainer = session.get_one(Account, grant.account_id).staff_id
    refuse_decider(actor, grant.requested_by, gainer)
    if approve:
        refuse_roles_together({Role(grant.role), *roles_held(session, gainer, but=grant.id)})
    _move(session, RoleGrant, grant_id, "requested", _decided(actor, at, approve=approve))
    action = "role.granted" if approve else "role.refused"
    record(
        session, actor, at, [Change(action, "role_grant", grant_id, before="requested", reason=grant.role)]
    )
    session.refresh(grant)
    return grant


def end_grant(session: Session, actor: Actor, at: datetime, grant_id: str) -> RoleGrant:
    """Takes a role away, at once. One person suffices. Raises NotFound, or ConflictError when it is not in force."""
    _by_administrator(actor)
    grant = session.get(RoleGrant, grant_id, populate_existing=True)
    if grant is None:
        raise NotFound
    _move(session, RoleGrant, grant_id, "active", _ended(actor, at))
    record(
        session, actor, at, [Change("role.ended", "role_grant", grant_id, before="active", reason=grant.role)]
    )
    session.refresh(grant)
    return grant


def ask_limit(
    session: Session,
    actor: Actor,
    at: datetime,
    staff_id: str,
    amount_fen: int,
    valid_from: date | None = None,
    valid_to: date | None = None,
) -> DeterminationLimit:
    """Asks for a limit of determination in fen. Raises InvalidInput or NotFound."""
    _by_administrator(actor)
    begins = valid_from or business_day(at)
    _check_dates(begins, valid_to)
    if not 0 < amount_fen <= MOST_FEN:
        raise InvalidInput(
            {"amount": [("限额须大于 0,且不超过上限", "a limit is above 0 and not over the maximum")]}
        )
    if session.get(StaffMember, staff_id) is None:
        raise NotFound
    limit = DeterminationLimit(
        id=secrets.token_hex(16),
        staff_id=staff_id,
        amount_fen=amount_fen,
        valid_from=begins,
        valid_to=valid_to,
        state="requested",
        requested_by=actor.person,
        requested_at=at,
    )
    session.add(limit)
    session.flush()
    record(
        session, actor, at, [Change("limit.asked", "determination_limit", limit.id, reason=str(amount_fen))]
    )
    return limit


def decide_limit(
    session: Session, actor: Actor, at: datetime, limit_id: str, *, approve: bool
) -> DeterminationLimit:
    """Approves or refuses a limit, as somebody who neither asked for it nor gains it. Raises as `decide_grant`."""
    _by_administrator(actor)
    limit = session.get(DeterminationLimit, limit_id, populate_existing=True)
    if limit is None:
        raise NotFound
    refuse_decider(actor, limit.requested_by, limit.staff_id)
    _move(session, DeterminationLimit, limit_id, "requested", _decided(actor, at, approve=approve))
    action = "limit.granted" if approve else "limit.refused"
    reason = str(limit.amount_fen)
    record(
        session,
        actor,
        at,
        [Change(action, "determination_limit", limit_id, before="requested", reason=reason)],
    )
    session.refresh(limit)
    return limit


def end_limit(session: Session, actor: Actor, at: datetime, limit_id: str) -> DeterminationLimit:
    """Takes a limit away, at once. One person suffices. Raises as `end_grant`."""
    _by_administrator(actor)
    limit = session.get(DeterminationLimit, limit_id, populate_existing=True)
    if limit is None:
        raise NotFound
    _move(session, DeterminationLimit, limit_id, "active", _ended(actor, at))
    reason = str(limit.amount_fen)
    record(
        session,
        actor,
        at,
        [Change("limit.ended", "determination_limit", limit_id, before="active", reason=reason)],
    )
    session.refresh(limit)
    return limit


def refuse_decider(actor: Actor, requested_by: str, gainer: str) -> None:
    """Raises NotAllowedError for whoever asked for it or would gain it: what makes someone gain takes two persons."""
    if actor.person == requested_by:
        raise NotAllowedError("您是申请人,须由另一人审批", "you asked for this; somebody else decides it")
    if actor.person == gainer:
        raise NotAllowedError("不得审批本人的权限,须由他人审批", "nobody decides what they gain themselves")


def _by_administrator(actor: Actor) -> None:
    actor.must_be(Role.SEC_ADMIN, Role.SYSTEM)


def _check_role(role: Role, place: str, department: str | None) -> None:
    wrong: dict[str, list[tuple[str, str]]] = {}
    if role is Role.SYSTEM:
        wrong["role"] = [("系统岗位不能授予", "the system's own role is not granted")]
    digits = _PLACE_DIGITS.get(role)
    allowed = (COUNTY_DIGITS, TOWN_DIGITS, VILLAGE_DIGITS) if digits is None else (digits,)
    if not (place.isascii() and place.isdigit() and len(place) in allowed):
        listed = "/".join(map(str, allowed))
        name_zh, name_en = ROLE_NAMES[role]
        wrong["place"] = [
            (
                f"{name_zh}的辖区应为 {listed} 位区划代码",
                f"the place of a {name_en} is an area code of {listed} digits",
            )
        ]
    if (role is Role.DEPARTMENT) != (department is not None):
        wrong["department"] = [
            ("仅行业部门岗位须选择部门", "the role of a department, and no other, names the department")
        ]
    if wrong:
        raise InvalidInput(wrong)


def _check_dates(valid_from: date, valid_to: date | None) -> None:
    if valid_to is not None and valid_to < valid_from:
        raise InvalidInput({"valid_to": [("终止日不得早于起始日", "the last day is before the first")]})


def _decided(actor: Actor, at: datetime, *, approve: bool) -> dict[str, Any]:
    return {"state": "active" if approve else "refused", "decided_by": actor.person, "decided_at": at}


def _ended(actor: Actor, at: datetime) -> dict[str, Any]:
    return {"state": "ended", "ended_by": actor.person, "ended_at": at}


def _move(
    session: Session,
    model: type[RoleGrant] | type[DeterminationLimit],
    identity: str,
    start: str,
    values: dict[str, Any],
) -> None:
    """Changes a row only if it still is in the state that it was seen in."""
    changed = session.execute(update(model).where(model.id == identity, model.state == start).values(values))
    if changed.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result has it
        raise ConflictError("此项刚被他人处理,请刷新", "somebody else has just handled this; look again")

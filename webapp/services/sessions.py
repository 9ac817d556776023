"""Sessions: who is signed in, in which role, how surely, until when. Ended here, a session is dead at once.

The cookie holds 256 random bits, the table their SHA-256. A session that gains (a second factor, a new password) is
replaced by one with a new secret; whatever of a person's standing has changed since counts on the very next request.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from foundation.actors import SECOND_FACTOR_ROLES, Actor, Assurance, Role
from foundation.clock import business_day
from foundation.errors import NotFound
from foundation.staff.models import Account, RoleGrant, StaffMember
from foundation.trail.events import Change, record
from webapp.demo_actors import SYSTEM
from webapp.models import WebSession

COOKIE = "fangpin_session"
IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
STEP_UP_FRESH = timedelta(minutes=10)

PASSWORD, OPEN = "password", "open"
NEW_PASSWORD, SECOND_FACTOR, ENROL, NO_ROLE = "new_password", "second_factor", "enrol", "no_role"
_BROWSERS = (
    ("MicroMessenger", "WeChat"),
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("HuaweiBrowser", "Huawei"),
    ("Firefox", "Firefox"),
    ("Chrom", "Chromium"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("HarmonyOS", "HarmonyOS"),
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class GrantChoice:
    """A role that an account may act in today, at a place."""

    id: str
    role: Role
    place: str
    department: str | None


@dataclass(frozen=True, slots=True)
class Recognised:
    """The person behind a cookie. `actor` is there only when nothing is left to do and the role is in force.

    `next_step`: `new_password`, `second_factor` and `enrol` have a page each; `no_role`: the role acted in has ended.
    """

    session_id: str
    account_id: str
    staff_id: str
    stage: str
    actor: Actor | None
    grant_id: str | None
    """The role acted in; it may have ended."""
    grants: tuple[GrantChoice, ...]
    next_step: str | None
    second_factor_at: datetime | None
    login: str
    name: str
    demo: bool
    enrolled: bool
    """Whether the account has a second factor."""
    started_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class OwnSession:
    """One of a person's live sessions, as their account page lists it."""

    id: str
    device: str
    started_at: datetime
    seen_at: datetime
    stage: str


def cookie_name(*, plain_http: bool) -> str:
    """The cookie's name; behind TLS with the prefix by which browsers hold it to this host, Secure and Path=/."""
    return COOKIE if plain_http else f"__Host-{COOKIE}"


def recognise(session: Session, secret: str, at: datetime) -> Recognised | None:
    """The person whose cookie this is, by one SELECT. None: unknown, ended, idle, too old, or account disabled."""
    query = (
        select(WebSession, Account, StaffMember.name, RoleGrant)
        .join(Account, Account.id == WebSession.account_id)
        .join(StaffMember, StaffMember.id == Account.staff_id)
        .join(RoleGrant, (RoleGrant.account_id == Account.id) & _in_force(at), isouter=True)
        .where(
            WebSession.secret_hash == _hash(secret), WebSession.ended_at.is_(None), Account.state == "active"
        )
    )
    rows = session.execute(query).all()
    if not rows:
        return None
    found: WebSession = rows[0][0]
    if at - found.seen_at > IDLE or at - found.started_at > ABSOLUTE:
        return None
    return _recognised(
        found, rows[0][1], rows[0][2], choices(row[3] for row in rows if row[3] is not None), at
    )


def _recognised(
    found: WebSession, account: Account, name: str, grants: tuple[GrantChoice, ...], at: datetime
) -> Recognised | None:
    enrolled = account.totp_confirmed_at is not None
    grant = next((choice for choice in grants if choice.id == found.grant_id), None)
    acted_in = [grant] if grant else []
    roles = {choice.role for choice in (acted_in if found.stage == OPEN else grants)}
    step = missing_step(account.password_must_change, enrolled, found.second_factor_at is not None, roles)
    if found.stage == PASSWORD and step is None:
        return None  # What was asked for is asked for no more: signing in again is the simplest way on.
    actor = None
    if step is None and grant is None:
        step = NO_ROLE
    elif step is None and grant is not None:
        assurance = assurance_of(found.second_factor_at, at)
        actor = actor_in(grant, account.staff_id, account.id, name, assurance)
    return Recognised(
        session_id=found.id,
        account_id=account.id,
        staff_id=account.staff_id,
        stage=found.stage,
        actor=actor,
        grant_id=found.grant_id,
        grants=grants,
        next_step=step,
        second_factor_at=found.second_factor_at,
        login=account.login,
        name=name,
        demo=account.demo,
        enrolled=enrolled,
        started_at=found.started_at,
        seen_at=found.seen_at,
    )


def missing_step(must_change: bool, enrolled: bool, given: bool, roles: Collection[Role]) -> str | None:
    """What a person has to do before they may act: in this order, and None when there is nothing left.

    `given`: this session had a second factor. `roles`: those that may need one.
    """
    if must_change:
        return NEW_PASSWORD
    if given:
        return None
    if enrolled:
        return SECOND_FACTOR
    return None if SECOND_FACTOR_ROLES.isdisjoint(roles) else ENROL


def choices(grants: Iterable[RoleGrant]) -> tuple[GrantChoice, ...]:
    """Grants as a person chooses among them: in the order of roles, then of places."""
    order = list(Role)
    found = [GrantChoice(grant.id, Role(grant.role), grant.place, grant.department) for grant in grants]
    return tuple(sorted(found, key=lambda choice: (order.index(choice.role), choice.place, choice.id)))


def grants_today(session: Session, account_id: str, at: datetime) -> tuple[GrantChoice, ...]:
    """The roles that an account may act in today."""
    query = select(RoleGrant).where(RoleGrant.account_id == account_id, _in_force(at))
    return choices(session.scalars(query))


def _in_force(at: datetime) -> ColumnElement[bool]:
    """Whether a grant is active and in its dates."""
    today = business_day(at)
    begun = (RoleGrant.state == "active") & (RoleGrant.valid_from <= today)
    return begun & (RoleGrant.valid_to.is_(None) | (RoleGrant.valid_to >= today))


def own_roles(session: Session, account_id: str, at: datetime) -> list[RoleGrant]:
    """The roles of an account that are in force or still to come, as their account page lists them."""
    over = RoleGrant.valid_to < business_day(at)
    query = select(RoleGrant).where(RoleGrant.account_id == account_id, RoleGrant.state == "active")
    query = query.where(RoleGrant.valid_to.is_(None) | ~over)
    order = list(Role)
    return sorted(
        session.scalars(query), key=lambda grant: (order.index(Role(grant.role)), grant.place, grant.id)
    )


def assurance_of(second_factor_at: datetime | None, at: datetime) -> Assurance:
    """How surely a session knows its person."""
    if second_factor_at is None:
        return Assurance.PASSWORD
    return Assurance.STEP_UP if is_stepped_up(second_factor_at, at) else Assurance.SECOND_FACTOR


def is_stepped_up(second_factor_at: datetime | None, at: datetime) -> bool:
    """Whether a second factor was given in the last minutes."""
    return second_factor_at is not None and at - second_factor_at <= STEP_UP_FRESH


def actor_in(grant: GrantChoice, staff_id: str, account_id: str, name: str, assurance: Assurance) -> Actor:
    """A person acting in one of their roles."""
    return Actor(staff_id, account_id, grant.role, grant.place, name, assurance, grant.department)


def actor_of(person: Recognised, at: datetime) -> Actor:
    """Who acts on their own sign-in: in the role acted in, else in the first one held; else the system."""
    if person.actor is not None:
        return person.actor
    if not person.grants:
        return SYSTEM
    assurance = assurance_of(person.second_factor_at, at)
    return actor_in(person.grants[0], person.staff_id, person.account_id, person.name, assurance)


# --- Beginning and ending --------------------------------------------------------------------------------------------


def begin(
    session: Session,
    account_id: str,
    grant_id: str | None,
    stage: str,
    device: str,
    at: datetime,
    *,
    second_factor_at: datetime | None = None,
    started_at: datetime | None = None,
) -> str:
    """A new session; returns the secret for its cookie, which is kept nowhere. `started_at` of the one it replaces."""
    secret = secrets.token_urlsafe(32)
    session.add(
        WebSession(
            id=secrets.token_hex(16),
            secret_hash=_hash(secret),
            account_id=account_id,
            grant_id=grant_id,
            stage=stage,
            started_at=started_at or at,
            seen_at=at,
            second_factor_at=second_factor_at,
            device=device,
        )
    )
    session.flush()
    return secret


def touch(session: Session, session_id: str, at: datetime) -> None:
    """Notes that a session was used now."""
    used = WebSession.seen_at < at
    session.execute(
        update(WebSession)
        .where(WebSession.id == session_id, WebSession.ended_at.is_(None), used)
        .values(seen_at=at)
    )


def retire(session: Session, session_id: str, because: str, at: datetime) -> bool:
    """Ends a session without an event, for one that is replaced; whether it was still alive."""
    alive = (WebSession.id == session_id) & WebSession.ended_at.is_(None)
    ended = session.execute(update(WebSession).where(alive).values(ended_at=at, ended_because=because))
    return bool(ended.rowcount == 1)  # type: ignore[attr-defined]  # an UPDATE's result has it


def retire_secret(session: Session, secret: str, at: datetime) -> None:
    """Ends the session of a cookie that is about to be overwritten."""
    alive = (WebSession.secret_hash == _hash(secret)) & WebSession.ended_at.is_(None)
    session.execute(update(WebSession).where(alive).values(ended_at=at, ended_because="replaced"))


def end(session: Session, actor: Actor, account_id: str, session_id: str, because: str, at: datetime) -> None:
    """Ends one session of an account. Raises NotFound for another account's; one that has ended stays as it is."""
    owner = session.scalar(select(WebSession.account_id).where(WebSession.id == session_id))
    if owner != account_id:
        raise NotFound()
    if retire(session, session_id, because, at):
        record(session, actor, at, [Change("session.ended", "web_session", session_id, reason=because)])


def end_all(
    session: Session, actor: Actor, account_id: str, because: str, at: datetime, *, but: str | None = None
) -> int:
    """Ends every live session of an account (but one); returns how many. Also whenever an account is disabled."""
    alive = (WebSession.account_id == account_id) & WebSession.ended_at.is_(None)
    ids = [row for row in session.scalars(select(WebSession.id).where(alive)) if row != but]
    ended = [row for row in ids if retire(session, row, because, at)]
    record(session, actor, at, [Change("session.ended", "web_session", row, reason=because) for row in ended])
    return len(ended)


def switch_role(session: Session, person: Recognised, grant_id: str, at: datetime) -> None:
    """From now on the person acts in another of their roles. Raises NotFound for one that they do not hold today."""
    grant = next((choice for choice in person.grants if choice.id == grant_id), None)
    if grant is None:
        raise NotFound()
    here = (WebSession.id == person.session_id) & WebSession.ended_at.is_(None)
    session.execute(update(WebSession).where(here).values(grant_id=grant.id))
    assurance = assurance_of(person.second_factor_at, at)
    actor = actor_in(grant, person.staff_id, person.account_id, person.name, assurance)
    change = Change("session.role_switched", "web_session", person.session_id, after=grant.id)
    record(session, actor, at, [change])


def step_up(session: Session, person: Recognised, at: datetime) -> None:
    """Notes that a second factor was given just now."""
    here = (WebSession.id == person.session_id) & WebSession.ended_at.is_(None)
    session.execute(update(WebSession).where(here).values(second_factor_at=at))
    change = Change("session.stepped_up", "web_session", person.session_id)
    record(session, actor_of(person, at), at, [change])


def own_sessions(session: Session, account_id: str, at: datetime) -> list[OwnSession]:
    """The live sessions of an account, the last used first."""
    query = (
        select(WebSession)
        .where(
            WebSession.account_id == account_id,
            WebSession.ended_at.is_(None),
            WebSession.seen_at >= at - IDLE,
            WebSession.started_at >= at - ABSOLUTE,
        )
        .order_by(WebSession.seen_at.desc(), WebSession.id)
    )
    return [OwnSession(s.id, s.device, s.started_at, s.seen_at, s.stage) for s in session.scalars(query)]


def last_grant(session: Session, account_id: str) -> str | None:
    """The role that an account last acted in: where the next sign-in begins."""
    query = select(WebSession.grant_id).where(WebSession.account_id == account_id, WebSession.stage == OPEN)
    return session.scalar(query.order_by(WebSession.started_at.desc(), WebSession.id).limit(1))


def forget(session: Session, at: datetime, before: datetime) -> int:
    """Removes sessions that were last used, and ended, before an instant, all of them long dead; how many."""
    dead = (WebSession.seen_at < before) & func.coalesce(WebSession.ended_at < before, True)
    count = session.scalar(select(func.count()).select_from(WebSession).where(dead)) or 0
    if count:
        session.execute(delete(WebSession).where(dead))
        record(
            session, SYSTEM, at, [Change("session.forgotten", "web_session", "-", reason=f"count={count}")]
        )
    return count


def device_name(user_agent: str) -> str:
    """Browser and system in two words ("Chromium · Linux"): enough to know one's own sessions, and no fingerprint."""
    return f"{_first(_BROWSERS, user_agent)} · {_first(_SYSTEMS, user_agent)}"


def _first(names: tuple[tuple[str, str], ...], text: str) -> str:
    return next((name for mark, name in names if mark in text), "—")


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()

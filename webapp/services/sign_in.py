"""Signing in, step by step: password, new password if it must change, second factor or its enrolment; then open.

A wrong answer is a result, not an exception: what was counted has to be committed. Hashing a password takes a fifth of
a second and is done between two transactions, so that no lock is held meanwhile: those functions take the database and
open both themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, select, update
from sqlalchemy.orm import Session

from foundation.actors import Assurance
from foundation.database import Database
from foundation.errors import ConflictError, InvalidInput, SignInNeeded
from foundation.sealing import Sealer
from foundation.staff.models import Account, StaffMember
from foundation.trail.events import Change, record
from webapp import second_factor
from webapp.demo_actors import SYSTEM
from webapp.models import WebSession
from webapp.passwords import Passwords, faults
from webapp.services import attempts, sessions, tokens
from webapp.services.sessions import ENROL, NEW_PASSWORD, NO_ROLE, OPEN, PASSWORD, SECOND_FACTOR, Recognised

_SAME = ("新密码不能与原密码相同", "the new password must differ from the old one")


@dataclass(frozen=True, slots=True)
class Entry:
    """What was typed and where from. `login` as typed; `old_secret` is the cookie that the browser still had."""

    login: str
    password: str
    address: str
    device: str
    old_secret: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Right or wrong; the secret of the session that takes the old one's place; or how many seconds to wait."""

    right: bool = False
    secret: str | None = None
    step: str | None = None
    """What comes next, as `sessions.Recognised.next_step` will say."""
    wait: int | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    """What a password is compared with."""

    account_id: str | None
    password_hash: str | None
    reserved: attempts.Reserved


def folded(login: str) -> str:
    """A login as it is kept: without spaces around it, in lower case."""
    return login.strip().casefold()


def by_password(
    database: Database, sealer: Sealer, passwords: Passwords, entry: Entry, at: datetime
) -> Outcome:
    """The first step: a session, open or waiting for the next step. The same answer and time for an unknown login.

    Raises TooManyRequests, with nothing counted, when too many people sign in at once.
    """
    login = folded(entry.login)
    with passwords.place():
        with database.transaction() as session:
            known = _counted(session, sealer, login, entry.address, at)
        if known.reserved.wait is not None:
            return Outcome(wait=known.reserved.wait)
        right = passwords.matches(known.password_hash, entry.password)
        fresh = None
        if right and known.password_hash is not None and passwords.outdated(known.password_hash):
            fresh = passwords.hashed(entry.password)
        with database.transaction() as session:
            if known.account_id is None:
                attempts.failed_of_nobody(session, sealer, login, at)
                return Outcome()
            if right:
                # Before the account's row, in the order of `_counted`: so two sign-ins never block each other.
                attempts.forgive_address(session, sealer, entry.address, at)
            account = session.get(Account, known.account_id, with_for_update=True)
            same = account is not None and account.password_hash == known.password_hash
            if not right or account is None or not same or account.state != "active":
                attempts.failed(session, known.account_id, known.reserved, "password", at)
                return Outcome()
            if fresh is not None:
                account.password_hash = fresh
                session.flush()
            return _first_session(session, account, entry, at)


def _counted(session: Session, sealer: Sealer, login: str, address: str, at: datetime) -> _Known:
    wait = attempts.count(session, sealer, address, login, at)
    if wait is not None:
        return _Known(None, None, attempts.Reserved(wait=wait))
    query = select(Account.id, Account.password_hash).where(Account.login == login, Account.state == "active")
    row = session.execute(query).first()
    if row is None:
        return _Known(None, None, attempts.Reserved(wait=attempts.wait_of_nobody(session, sealer, login, at)))
    return _Known(row[0], row[1], attempts.reserve(session, row[0], at))


def _first_session(session: Session, account: Account, entry: Entry, at: datetime) -> Outcome:
    if entry.old_secret is not None:
        sessions.retire_secret(session, entry.old_secret, at)
    grants = sessions.grants_today(session, account.id, at)
    roles = {grant.role for grant in grants}
    step = sessions.missing_step(
        account.password_must_change, account.totp_confirmed_at is not None, False, roles
    )
    last = sessions.last_grant(session, account.id)
    grant = next((choice for choice in grants if choice.id == last), grants[0] if grants else None)
    attempts.succeeded(session, account.id, wholly=step is None)
    if step is None:
        _signed_in(session, account, grant, None, at)
    else:
        _half_signed_in(session, account.id, step, at)
    stage = OPEN if step is None else PASSWORD
    secret = sessions.begin(session, account.id, grant.id if grant else None, stage, entry.device, at)
    return Outcome(right=True, secret=secret, step=step)


def _signed_in(
    session: Session,
    account: Account,
    grant: sessions.GrantChoice | None,
    second_factor_at: datetime | None,
    at: datetime,
) -> None:
    actor = SYSTEM
    if grant is not None:
        name = session.scalar(select(StaffMember.name).where(StaffMember.id == account.staff_id)) or ""
        assurance = Assurance.PASSWORD if second_factor_at is None else Assurance.SECOND_FACTOR
        actor = sessions.actor_in(grant, account.staff_id, account.id, name, assurance)
    record(session, actor, at, [Change("account.signed_in", "account", account.id)])


def _half_signed_in(session: Session, account_id: str, step: str, at: datetime) -> None:
    """The password was right and `step` is still to come: whoever gets no further is known by this."""
    record(session, SYSTEM, at, [Change("account.password_accepted", "account", account_id, reason=step)])


# --- Second factor ---------------------------------------------------------------------------------------------------


def by_code(session: Session, sealer: Sealer, person: Recognised, code: str, at: datetime) -> Outcome:
    """The second factor of a sign-in. Raises ConflictError when something else comes first."""
    if person.next_step != SECOND_FACTOR:
        raise _other_step()
    outcome = _code(session, sealer, person, code, at)
    return _advance(session, person, at, at) if outcome.right else outcome


def step_up(session: Session, sealer: Sealer, person: Recognised, code: str, at: datetime) -> Outcome:
    """A fresh second factor in an open session."""
    if person.stage != OPEN or not person.enrolled:
        raise _other_step()
    outcome = _code(session, sealer, person, code, at)
    if outcome.right:
        attempts.succeeded(session, person.account_id, wholly=True)
        sessions.step_up(session, person, at)
    return outcome


def _code(session: Session, sealer: Sealer, person: Recognised, code: str, at: datetime) -> Outcome:
    reserved = attempts.reserve(session, person.account_id, at)
    if reserved.wait is not None:
        return Outcome(wait=reserved.wait)
    account = session.get_one(Account, person.account_id)
    if account.totp_confirmed_at is None or not second_factor.use_code(session, sealer, account, code, at):
        attempts.failed(session, person.account_id, reserved, "code", at)
        return Outcome()
    return Outcome(right=True)


def asks_password(person: Recognised, at: datetime) -> bool:
    """Whether a change to the sign-in itself asks for the password again: the session is open and nothing is fresh."""
    return person.stage == OPEN and not sessions.is_stepped_up(person.second_factor_at, at)


def may_enrol(person: Recognised, at: datetime) -> bool:
    """Whether a second factor may be set now. One that is there is replaced only with a fresh code of it.

    After the password alone nobody may replace it: that would be a way around it.
    """
    if person.next_step == NEW_PASSWORD:
        return False
    if person.enrolled:
        return person.stage == OPEN and sessions.is_stepped_up(person.second_factor_at, at)
    return person.stage == OPEN or person.next_step == ENROL


def enrol(
    session: Session, sealer: Sealer, person: Recognised, secret: str, code: str, at: datetime
) -> Outcome:
    """Sets the second factor, once a code proves that the authenticator has it. Every other session ends."""
    if not may_enrol(person, at):
        raise _other_step()
    step = second_factor.matching_step(secret, code, at)
    if step is None:
        return Outcome()
    sealed = sealer.seal("account", "totp_sealed", person.account_id, secret)
    done = update(Account).where(Account.id == person.account_id, Account.state == "active")
    done = done.values(
        totp_sealed=sealed,
        totp_confirmed_at=at,
        totp_step=case((Account.totp_step > step, Account.totp_step), else_=step),
        version=Account.version + 1,
    )
    session.execute(done.execution_options(synchronize_session=False))
    actor = sessions.actor_of(person, at)
    record(session, actor, at, [Change("account.second_factor_set", "account", person.account_id)])
    sessions.end_all(session, actor, person.account_id, "second_factor_set", at, but=person.session_id)
    tokens.revoke_all(session, actor, person.account_id, "second_factor_set", at)
    return _advance(session, person, at, at)


# --- Password --------------------------------------------------------------------------------------------------------


def confirm_password(
    database: Database, passwords: Passwords, person: Recognised, password: str, at: datetime
) -> Outcome:
    """The password again, within a session; failures count as at the sign-in."""
    with passwords.place():
        return _confirmed(database, passwords, person, password, at)


def _confirmed(
    database: Database, passwords: Passwords, person: Recognised, password: str, at: datetime
) -> Outcome:
    with database.transaction() as session:
        reserved = attempts.reserve(session, person.account_id, at)
        kept = session.scalar(select(Account.password_hash).where(Account.id == person.account_id))
    if reserved.wait is not None:
        return Outcome(wait=reserved.wait)
    right = passwords.matches(kept, password)
    with database.transaction() as session:
        if right:
            attempts.succeeded(session, person.account_id, wholly=False)
        else:
            attempts.failed(session, person.account_id, reserved, "password", at)
    return Outcome(right=right)


def set_password(
    database: Database,
    passwords: Passwords,
    person: Recognised,
    current: str,
    new: str,
    at: datetime,
) -> Outcome:
    """A new password; every other session of the account ends. `current` is asked for unless it must change.

    Raises InvalidInput for a password that is easily guessed or the same as before.
    """
    found = faults(new, person.login, person.name)
    if found:
        raise InvalidInput({"password": found})
    with passwords.place():
        if person.next_step != NEW_PASSWORD:
            if person.next_step not in (None, NO_ROLE):
                raise _other_step()
            confirmed = _confirmed(database, passwords, person, current, at)
            if not confirmed.right:
                return confirmed
        with database.reading() as session:
            kept = session.scalar(select(Account.password_hash).where(Account.id == person.account_id))
        if passwords.matches(kept, new):
            raise InvalidInput({"password": [_SAME]})
        hashed = passwords.hashed(new)
    with database.transaction() as session:
        changed = update(Account).where(Account.id == person.account_id, Account.state == "active")
        changed = changed.values(
            password_hash=hashed, password_set_at=at, password_must_change=False, version=Account.version + 1
        )
        session.execute(changed.execution_options(synchronize_session=False))
        actor = sessions.actor_of(person, at)
        record(session, actor, at, [Change("account.password_changed", "account", person.account_id)])
        sessions.end_all(session, actor, person.account_id, "password_changed", at, but=person.session_id)
        tokens.revoke_all(session, actor, person.account_id, "password_changed", at)
        return _advance(session, person, at, person.second_factor_at)


def sign_out(session: Session, person: Recognised, at: datetime) -> None:
    """Ends this session."""
    if sessions.retire(session, person.session_id, "signed_out", at):
        change = Change("account.signed_out", "account", person.account_id)
        record(session, sessions.actor_of(person, at), at, [change])


def _advance(
    session: Session, person: Recognised, at: datetime, second_factor_at: datetime | None
) -> Outcome:
    """Replaces a session by one with a new secret, one step further. Raises SignInNeeded when it has ended."""
    if not sessions.retire(session, person.session_id, "replaced", at):
        raise SignInNeeded
    old = session.get_one(WebSession, person.session_id)
    account = session.get_one(Account, person.account_id)
    grants = sessions.grants_today(session, account.id, at)
    grant = next((choice for choice in grants if choice.id == old.grant_id), None)
    was_open = person.stage == OPEN
    asking = [choice for choice in grants if not was_open or choice is grant]
    step = sessions.missing_step(
        account.password_must_change,
        account.totp_confirmed_at is not None,
        second_factor_at is not None,
        {choice.role for choice in asking},
    )
    if step is None:
        attempts.succeeded(session, account.id, wholly=True)
        if not was_open:
            _signed_in(session, account, grant, second_factor_at, at)
    elif not was_open:
        _half_signed_in(session, account.id, step, at)
    secret = sessions.begin(
        session,
        account.id,
        old.grant_id,
        OPEN if was_open or step is None else PASSWORD,
        old.device,
        at,
        second_factor_at=second_factor_at,
        started_at=old.started_at,
    )
    return Outcome(right=True, secret=secret, step=step)


def _other_step() -> ConflictError:
    return ConflictError("登录的步骤已经变化,请重新打开页面", "the sign-in has moved on; open the page again")

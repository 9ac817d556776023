"""Failed attempts to sign in: counted before the password or code is looked at, so that many at once gain nothing.

After five failures an account is locked for a quarter of an hour. A login that nobody has behaves in the same way, so
that trying tells no one which logins exist.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address

from sqlalchemy import case, delete, literal, select, update
from sqlalchemy.orm import Session

from foundation.database import Instant, one_at_a_time
from foundation.sealing import Sealer
from foundation.staff.models import Account
from foundation.trail.events import Change, record
from webapp.demo_actors import SYSTEM
from webapp.models import AccessCount
from webapp.services import access

MOST_FAILURES = 5
LOCK = timedelta(minutes=15)
MOST_OF_ADDRESS = 30
"""Failures from one address in a quarter of an hour; a whole office may sit behind one."""
MOST_OF_LOGIN = 60
"""Attempts on one login in a quarter of an hour, right ones too: each costs a hash."""

_ADDRESS, _LOGIN, _NOBODY = "sign_in_address", "sign_in_login", "sign_in_nobody"


@dataclass(frozen=True, slots=True)
class Reserved:
    """An attempt that was counted as a failure beforehand. `wait`: refused, and for how many seconds."""

    wait: int | None = None
    locks: bool = False
    """The account is locked now, unless this attempt turns out right."""


def count(session: Session, sealer: Sealer, address: str, login: str, at: datetime) -> int | None:
    """Counts an attempt by address and by login; how many seconds to wait when there were too many."""
    allowed = access.allow(session, _LOGIN, sealer.lookup("login", login), at, MOST_OF_LOGIN, LOCK)
    if allowed and _own_machine(address):
        return None
    if allowed and access.allow(
        session, _ADDRESS, sealer.lookup("address", address), at, MOST_OF_ADDRESS, LOCK
    ):
        return None
    return access.seconds_left(at, LOCK)


def _own_machine(address: str) -> bool:
    """Whether an attempt comes from this very machine: everybody does who sits before it, or behind a proxy on it."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def forgive_address(session: Session, sealer: Sealer, address: str, at: datetime) -> None:
    """A right password does not count against its address."""
    access.give_back(session, _ADDRESS, sealer.lookup("address", address), at, LOCK)


def reserve(session: Session, account_id: str, at: datetime) -> Reserved:
    """Counts one more failure of an account, unless it is locked; the fifth locks it. One statement does it all."""
    over, until = Account.locked_until.is_not(None), literal(at + LOCK, Instant())
    counted = (
        update(Account)
        .where(Account.id == account_id, Account.locked_until.is_(None) | (Account.locked_until <= at))
        .values(
            failures=case((over, 1), else_=Account.failures + 1),
            locked_until=case((~over & (Account.failures + 1 >= MOST_FAILURES), until), else_=None),
        )
        .returning(Account.locked_until)
        .execution_options(synchronize_session=False)
    )
    row = session.execute(counted).first()
    if row is not None:
        return Reserved(locks=row[0] is not None)
    locked_until = session.scalar(select(Account.locked_until).where(Account.id == account_id))
    return Reserved(wait=_seconds(locked_until or at + LOCK, at))


def failed(session: Session, account_id: str, reserved: Reserved, reason: str, at: datetime) -> None:
    """The attempt was wrong: what was counted stays. `reason` is `password` or `code`."""
    changes = [Change("account.sign_in_failed", "account", account_id, reason=reason)]
    if reserved.locks:
        changes.append(Change("account.locked", "account", account_id))
    record(session, SYSTEM, at, changes)  # Nobody is known to have acted.


def succeeded(session: Session, account_id: str, *, wholly: bool) -> None:
    """The attempt was right. Only a sign-in that is whole forgets the failures before it.

    Otherwise whoever knows the password could try codes for ever, four at a time.
    """
    less = case((Account.failures > 0, Account.failures - 1), else_=0)
    forgotten = update(Account).where(Account.id == account_id)
    forgotten = forgotten.values(failures=0 if wholly else less, locked_until=None)
    session.execute(forgotten.execution_options(synchronize_session=False))


# --- Logins that nobody has ------------------------------------------------------------------------------------------


def wait_of_nobody(session: Session, sealer: Sealer, login: str, at: datetime) -> int | None:
    """How long a login without an account is "locked"; None when it is not."""
    times, since = _of_nobody(session, sealer.lookup("login", login))
    return (
        _seconds(since + LOCK, at)
        if times >= MOST_FAILURES and since is not None and since + LOCK > at
        else None
    )


def failed_of_nobody(session: Session, sealer: Sealer, login: str, at: datetime) -> None:
    """Counts a failure of a login without an account, as `reserve` does for one that exists."""
    whose = sealer.lookup("login", login)
    one_at_a_time(session, f"{_NOBODY}:{whose}")
    times, since = _of_nobody(session, whose)
    session.execute(delete(AccessCount).where(AccessCount.kind == _NOBODY, AccessCount.whose == whose))
    over = times >= MOST_FAILURES and since is not None and since + LOCK <= at
    session.add(
        AccessCount(
            id=secrets.token_hex(16),
            kind=_NOBODY,
            whose=whose,
            window_start=at,
            times=1 if over else times + 1,
        )
    )
    session.flush()


def _of_nobody(session: Session, whose: str) -> tuple[int, datetime | None]:
    """Failures in a row, and when the last one was."""
    query = select(AccessCount.times, AccessCount.window_start)
    query = query.where(AccessCount.kind == _NOBODY, AccessCount.whose == whose)
    row = session.execute(query.order_by(AccessCount.window_start.desc()).limit(1)).first()
    return (0, None) if row is None else (row[0], row[1])


def _seconds(until: datetime, at: datetime) -> int:
    return max(1, -int((at - until).total_seconds() // 1))

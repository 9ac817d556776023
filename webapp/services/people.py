"""What happens to accounts from outside: passwords given, second factors taken away, accounts disabled. Each ends every
sign-in of that account at once.
"""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.staff import services
from foundation.staff.models import Account
from webapp.services.sessions import end_all

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Nothing that is read for something else: no i, l, o, 0, 1."""


def one_time_password() -> str:
    """A random password of four groups of four, about 79 bits, to be told once and changed at the first sign-in."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))


def give_password(
    session: Session, actor: Actor, at: datetime, account_id: str, password_hash: str
) -> Account:
    """A password that its owner must change at the next sign-in. Hash it before the transaction: that takes long."""
    account = services.set_password_hash(session, actor, at, account_id, password_hash, must_change=True)
    end_all(session, actor, account_id, "password_reset", at)
    return account


def take_second_factor(session: Session, actor: Actor, at: datetime, account_id: str) -> Account:
    """Takes the second factor away: a new one is enrolled at the next sign-in."""
    account = services.reset_second_factor(session, actor, at, account_id)
    end_all(session, actor, account_id, "second_factor_reset", at)
    return account


def set_state(
    session: Session, actor: Actor, at: datetime, account_id: str, state: str, version: int
) -> Account:
    """Disables or enables an account. Raises ConflictError when it was changed since `version` was read."""
    account = services.set_state(session, actor, at, account_id, state, version)
    if state == "disabled":
        end_all(session, actor, account_id, "disabled", at)
    return account

"""What happens to accounts from outside: passwords given, second factors taken away, accounts disabled. Each ends every
sign-in of that account at once.
"""

from __future__ import annotations

import secrets
from datetime import datetime

import orjson
from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.errors import NotAllowedError
from foundation.staff import services
from foundation.staff.models import Account
from foundation.trail.events import events_of
from webapp.services.sessions import end_all
from webapp.services.tokens import revoke_all

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Nothing that is read for something else: no i, l, o, 0, 1."""


def one_time_password() -> str:
    """A random password of four groups of four, about 79 bits, to be told once and changed at the first sign-in."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))


def give_password(
    session: Session, actor: Actor, at: datetime, account_id: str, password_hash: str
) -> Account:
    """A password that its owner must change at the next sign-in. Hash it before the transaction: that takes long."""
    _refuse_same_person(session, actor, account_id, "account.second_factor_reset")
    account = services.set_password_hash(session, actor, at, account_id, password_hash, must_change=True)
    _end(session, actor, account_id, "password_reset", at)
    return account


def take_second_factor(session: Session, actor: Actor, at: datetime, account_id: str) -> Account:
    """Takes the second factor away: a new one is enrolled at the next sign-in."""
    _refuse_same_person(session, actor, account_id, "account.password_reset")
    account = services.reset_second_factor(session, actor, at, account_id)
    _end(session, actor, account_id, "second_factor_reset", at)
    return account


def set_state(
    session: Session, actor: Actor, at: datetime, account_id: str, state: str, version: int
) -> Account:
    """Disables or enables an account. Raises ConflictError when it was changed since `version` was read."""
    account = services.set_state(session, actor, at, account_id, state, version)
    if state == "disabled":
        _end(session, actor, account_id, "disabled", at)
    return account


def _end(session: Session, actor: Actor, account_id: str, because: str, at: datetime) -> None:
    end_all(session, actor, account_id, because, at)
    revoke_all(session, actor, account_id, because, at)


def _refuse_same_person(session: Session, actor: Actor, account_id: str, other: str) -> None:
    """Raises NotAllowedError when this person did the other half since the owner last signed in.

    Whoever gives a password and takes the second factor away could sign in as the owner, and decide as a second person.
    """
    for event in reversed(events_of(session, [account_id])):
        if event.action == "account.signed_in":
            return
        if event.action == other and orjson.loads(event.body)["actor"]["person"] == actor.person:
            raise NotAllowedError(
                "发放密码与重置动态口令须由两人分别办理:您已办理其中一项",
                "giving a password and taking the second factor away are for two persons: you have done one of them",
            )

"""People and accounts: added, disabled and enabled, their passwords and second factors, the relatives they declare.

What makes someone gain, a role or a limit, is in `foundation.staff.grants` and takes two persons.
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from foundation.actors import Actor, Role
from foundation.cells import CellError, parse_id_number, parse_name
from foundation.errors import ConflictError, InvalidInput, NotFound
from foundation.sealing import Sealer
from foundation.staff.grants import end_grant
from foundation.staff.models import Account, Kin, RoleGrant, StaffMember
from foundation.trail.events import Change, record

ACCOUNT_STATES = ("active", "disabled")
LONGEST_NAME = 50
_LOGIN = re.compile(r"[a-z0-9._-]{3,32}")


def add_person(
    session: Session, sealer: Sealer, actor: Actor, at: datetime, name: str, id_number: str | None = None
) -> StaffMember:
    """A natural person. Raises InvalidInput, or ConflictError when that ID number's person is there already."""
    _by_administrator(actor)
    called = _person_name(name)
    number = _id_number(id_number) if id_number else None
    identity = secrets.token_hex(16)
    member = StaffMember(id=identity, name=called, created_at=at)
    if number is not None:
        member.id_lookup = sealer.lookup("id_number", number)
        there = session.scalar(select(StaffMember).where(StaffMember.id_lookup == member.id_lookup))
        if there is not None:
            raise ConflictError(
                f"该身份证号已登记,为“{there.name}”:一人只登记一次,请为其增加账号",
                f"this ID number is registered already, as {there.name}: add an account to that person",
            )
        text = orjson.dumps({"id_number": number})
        member.sealed = sealer.seal("staff_member", "sealed", identity, text)
    session.add(member)
    session.flush()
    digest = sealer.digest("staff_member", orjson.dumps([called, number]))
    record(session, actor, at, [Change("staff.added", "staff_member", identity, after=digest)])
    return member


def add_account(
    session: Session, actor: Actor, at: datetime, staff_id: str, login: str, *, demo: bool = False
) -> Account:
    """What a person signs in with; there is no password yet. Raises InvalidInput, NotFound or ConflictError."""
    _by_administrator(actor)
    wanted = login.strip().lower()
    if not _LOGIN.fullmatch(wanted):
        raise InvalidInput(
            {
                "login": [
                    (
                        "登录名为 3–32 位小写字母、数字、点、横线或下划线",
                        "a login is 3 to 32 of a–z, 0–9, dot, hyphen and underscore",
                    )
                ]
            }
        )
    if session.get(StaffMember, staff_id) is None:
        raise NotFound
    if session.scalar(select(Account.id).where(Account.login == wanted)) is not None:
        raise ConflictError(
            f"登录名 {wanted} 已被使用,请换一个", f"the login {wanted} is taken; choose another"
        )
    account = Account(
        id=secrets.token_hex(16),
        login=wanted,
        staff_id=staff_id,
        state="active",
        password_must_change=True,
        totp_step=0,
        failures=0,
        demo=demo,
        version=1,
        created_at=at,
    )
    session.add(account)
    session.flush()
    record(session, actor, at, [Change("account.added", "account", account.id, reason=wanted)])
    return account


def account_by_login(session: Session, login: str) -> Account:
    """The account with a login. Raises NotFound."""
    account = session.scalar(select(Account).where(Account.login == login.strip().lower()))
    if account is None:
        raise NotFound(f"没有登录名为 {login} 的账号", f"there is no account {login}")
    return account


def set_state(
    session: Session, actor: Actor, at: datetime, account_id: str, state: str, version: int
) -> Account:
    """Disables an account, or enables it again. Raises ConflictError when it was changed since `version` was read.

    A disabled account loses its roles: whoever enables it gives nothing back, since a role takes two persons.
    """
    _by_administrator(actor)
    before = _account(session, account_id).state
    if before == state:
        raise _moved()
    account = _change(session, account_id, version, {"state": state})
    action = "account.disabled" if state == "disabled" else "account.enabled"
    record(session, actor, at, [Change(action, "account", account_id, before=before, after=state)])
    if state == "disabled":
        held = select(RoleGrant.id).where(RoleGrant.account_id == account_id, RoleGrant.state == "active")
        for grant_id in list(session.scalars(held)):
            end_grant(session, actor, at, grant_id)
    return account


def set_password_hash(
    session: Session, actor: Actor, at: datetime, account_id: str, password_hash: str, *, must_change: bool
) -> Account:
    """A new password by its hash. `must_change`: it was given by somebody else and serves once.

    Whoever holds the sessions ends them: a password that changes ends every sign-in.
    """
    if actor.account != account_id:
        _by_administrator(actor)
    account = _account(session, account_id)
    values = {
        "password_hash": password_hash,
        "password_set_at": at,
        "password_must_change": must_change,
        "failures": 0,
        "locked_until": None,
    }
    account = _change(session, account_id, account.version, values)
    action = "account.password_reset" if must_change else "account.password_set"
    record(session, actor, at, [Change(action, "account", account_id)])
    return account


def reset_second_factor(session: Session, actor: Actor, at: datetime, account_id: str) -> Account:
    """Takes the second factor away: the person enrols a new one at the next sign-in."""
    _by_administrator(actor)
    account = _account(session, account_id)
    if account.totp_sealed is None:
        raise ConflictError("该账号未设置动态口令", "this account has no second factor")
    account = _change(session, account_id, account.version, {"totp_sealed": None, "totp_confirmed_at": None})
    record(session, actor, at, [Change("account.second_factor_reset", "account", account_id)])
    return account


def declare_kin(
    session: Session, sealer: Sealer, actor: Actor, at: datetime, staff_id: str, id_number: str, relation: str
) -> Kin:
    """A relative of a staff member (K6), by themself or by the security administrator. Only a digest is kept."""
    if actor.person != staff_id:
        _by_administrator(actor)
    number = _id_number(id_number)
    if session.get(StaffMember, staff_id) is None:
        raise NotFound
    lookup = sealer.lookup("id_number", number)
    known = select(Kin.id).where(Kin.staff_id == staff_id, Kin.id_lookup == lookup)
    if session.scalar(known) is not None:
        raise ConflictError("该亲属已申报", "this relative is declared already")
    kin = Kin(
        id=secrets.token_hex(16), staff_id=staff_id, id_lookup=lookup, relation=relation, declared_at=at
    )
    session.add(kin)
    session.flush()
    record(session, actor, at, [Change("kin.declared", "staff_member", staff_id, after=lookup)])
    return kin


def _by_administrator(actor: Actor) -> None:
    actor.must_be(Role.SEC_ADMIN, Role.SYSTEM)


def _account(session: Session, account_id: str) -> Account:
    account = session.get(Account, account_id, populate_existing=True)
    if account is None:
        raise NotFound
    return account


def _change(session: Session, account_id: str, version: int, values: dict[str, Any]) -> Account:
    """Changes an account if it still is as it was read."""
    where = (Account.id == account_id) & (Account.version == version)
    changed = session.execute(update(Account).where(where).values(version=version + 1, **values))
    if changed.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result has it
        raise _moved()
    return _account(session, account_id)


def _moved() -> ConflictError:
    return ConflictError(
        "该账号刚被他人改动,未作任何变动,请刷新后再试",
        "somebody else has just changed this account; nothing was done, look again",
    )


def _person_name(text: str) -> str:
    name = _parsed(parse_name, text)
    if not name or len(name) > LONGEST_NAME:
        raise InvalidInput(
            {"name": [("请填写姓名,最多 50 字", "a name is needed, of at most 50 characters")]}
        )
    return name


def _id_number(text: str) -> str:
    number = _parsed(parse_id_number, text)
    if not number:
        raise InvalidInput({"id_number": [("身份证号不正确,请核对", "this is no valid ID number; check it")]})
    return number


def _parsed(parse: Any, text: str) -> str | None:
    try:
        value: str | None = parse(text)
    except CellError:
        return None
    return value

"""What `fangpin users` does: people, accounts, roles and limits from the command line of whoever runs the installation.

What makes someone gain is only asked for here; a second person approves it on the page. One exception starts an
installation: while there are no two security administrators, the command line grants that role itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation.actors import ROLE_NAMES, Actor, Role
from foundation.clock import business_day
from foundation.errors import InvalidInput, NotAllowedError, NotFound
from foundation.money import Money
from foundation.runtime import Runtime
from foundation.sealing import Sealer
from foundation.staff.grants import ask_limit, ask_role, decide_grant
from foundation.staff.models import Account, RoleGrant, StaffMember
from foundation.staff.queries import security_administrators
from foundation.staff.services import account_by_login, add_account, add_person
from households.departments import departments
from webapp.demo_actors import COUNTY
from webapp.demo_people import DEMO_PASSWORD, DemoAccount, ensure_demo_accounts
from webapp.passwords import Passwords
from webapp.second_factor import code_at
from webapp.services import people

__all__ = ["DEMO_PASSWORD", "DemoAccount", "ensure_demo_accounts"]

COMMAND_LINE = Actor("command-line", "command-line", Role.SYSTEM, COUNTY, "命令行")
INSTALLATION = Actor("installation", "command-line", Role.SYSTEM, COUNTY, "系统安装")
SECURITY_ADMINISTRATORS = 2
"""As many are needed before anything can be approved on the page."""


@dataclass(frozen=True, slots=True)
class Said:
    """What came of a command, in both languages."""

    zh: str
    en: str

    def __str__(self) -> str:
        return f"{self.zh} / {self.en}"


@dataclass(frozen=True, slots=True)
class AccountLine:
    """An account in the list. `roles` are in force or, with `?` behind them, asked for."""

    login: str
    person: str
    name: str
    state: str
    roles: tuple[str, ...]


def accounts(session: Session) -> Iterator[AccountLine]:
    """Every account by login. Two statements, however many."""
    grants: dict[str, list[str]] = {}
    open_grants = select(RoleGrant).where(RoleGrant.state.in_(("active", "requested")))
    for grant in session.scalars(open_grants.order_by(RoleGrant.role, RoleGrant.place)):
        mark = "?" if grant.state == "requested" else ""
        grants.setdefault(grant.account_id, []).append(f"{grant.role}@{grant.place}{mark}")
    query = select(Account, StaffMember.name).join(StaffMember, StaffMember.id == Account.staff_id)
    for account, name in session.execute(query.order_by(Account.login)):
        roles = tuple(grants.get(account.id, ()))
        yield AccountLine(account.login, account.staff_id, name, account.state, roles)


def add(runtime: Runtime, login: str, name: str | None, id_number: str | None, person: str | None) -> Said:
    """A new person with an account, or one more account of a known person (by id). No password yet.

    By the ID number one human being is one person, whatever the accounts: four eyes are counted by it.
    """
    at = runtime.clock.now()
    with runtime.database.transaction() as session:
        if person is None:
            person = add_person(session, runtime.sealer, COMMAND_LINE, at, name or "", id_number or "").id
        account = add_account(session, COMMAND_LINE, at, person, login)
    return Said(
        f"已建立账号 {account.login};用 fangpin users password {account.login} 设初始密码",
        f"account {account.login} added; give it a password with `fangpin users password {account.login}`",
    )


def grant(
    runtime: Runtime,
    login: str,
    role: Role,
    place: str,
    department: str | None,
    valid_from: date | None,
    valid_to: date | None,
) -> Said:
    """Asks for a role. The first two security administrators are granted at once: nobody could approve them."""
    at = runtime.clock.now()
    zh, en = ROLE_NAMES[role]
    if department is not None and department not in departments():
        listed = ", ".join(departments())
        raise InvalidInput({"department": [(f"部门应为:{listed}", f"the department is one of: {listed}")]})
    with runtime.database.transaction() as session:
        account = account_by_login(session, login)
        too_few = security_administrators(session, business_day(at)) < SECURITY_ADMINISTRATORS
        asked = _asked_already(session, account.id) if role is Role.SEC_ADMIN and too_few else None
        if asked is None:
            asked = ask_role(
                session, COMMAND_LINE, at, account.id, role, place, department, valid_from, valid_to
            )
        if role is Role.SEC_ADMIN and too_few:
            decide_grant(session, INSTALLATION, at, asked.id, approve=True)
            return Said(f"已授予 {login}:{zh}", f"{login} is now {en}")
    return Said(
        f"已为 {login} 申请{zh},待另一人审批", f"{en} is asked for, for {login}; a second person approves it"
    )


def _asked_already(session: Session, account_id: str) -> RoleGrant | None:
    """A request that lies there because the only security administrator made it."""
    query = select(RoleGrant).where(
        RoleGrant.account_id == account_id, RoleGrant.role == Role.SEC_ADMIN, RoleGrant.state == "requested"
    )
    return session.scalars(query.limit(1)).first()


def limit(
    runtime: Runtime, login: str, amount: Money, valid_from: date | None, valid_to: date | None
) -> Said:
    """Asks for a limit of determination for the person behind an account."""
    at = runtime.clock.now()
    with runtime.database.transaction() as session:
        account = account_by_login(session, login)
        ask_limit(session, COMMAND_LINE, at, account.staff_id, amount, valid_from, valid_to)
    return Said(
        f"已为 {login} 申请核定限额 {amount.grouped} 元,待另一人审批",
        f"a limit of {amount.grouped} yuan is asked for, for {login}; a second person approves it",
    )


def password(runtime: Runtime, login: str) -> str:
    """A one-time password, to be changed at the next sign-in; every sign-in of the account ends."""
    one_time = people.one_time_password()
    hashed = Passwords().hashed(one_time)
    with runtime.database.transaction() as session:
        account = account_by_login(session, login)
        people.give_password(session, COMMAND_LINE, runtime.clock.now(), account.id, hashed)
    return one_time


def set_state(runtime: Runtime, login: str, state: str) -> Said:
    """Disables or enables an account."""
    with runtime.database.transaction() as session:
        account = account_by_login(session, login)
        people.set_state(session, COMMAND_LINE, runtime.clock.now(), account.id, state, account.version)
    if state == "disabled":
        return Said(
            f"账号 {login} 已停用,其登录已全部失效", f"account {login} is disabled; its sign-ins have ended"
        )
    return Said(f"账号 {login} 已启用", f"account {login} is enabled")


def code(session: Session, sealer: Sealer, login: str, at: datetime) -> str:
    """The present code of a demo account's second factor. Raises NotAllowedError for any other account."""
    account = account_by_login(session, login)
    if not account.demo:
        raise NotAllowedError(
            "只能显示演示账号的动态口令", "only a demo account's code is shown; others have it on their phone"
        )
    if account.totp_sealed is None:
        raise NotFound(f"账号 {login} 不需要动态口令", f"account {login} has no second factor")
    return code_at(sealer.reveal("account", "totp_sealed", account.id, account.totp_sealed), at)

"""The demo's accounts: one for every role, two security administrators, all with one documented password.

The five people through whom `fangpin run` acts get theirs as well. Never made but by `fangpin users demo` and
`fangpin serve --demo`, and marked in the database as what they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from foundation.actors import SECOND_FACTOR_ROLES, Role
from foundation.database import one_at_a_time
from foundation.errors import ConflictError
from foundation.places import TOWN_DIGITS
from foundation.sealing import Sealer
from foundation.staff.grants import ask_limit, ask_role, decide_grant, decide_limit
from foundation.staff.models import Account
from foundation.staff.services import add_account, add_person, set_password_hash
from households.models import HouseholdRow
from households.queries import county_of
from webapp.demo_actors import COUNTY, PEOPLE, SETUP, SYSTEM, VALID_FROM, ensure_demo_staff
from webapp.demo_assessment import ensure_demo_assessment
from webapp.demo_standards import ensure_demo_standards
from webapp.passwords import Passwords
from webapp.second_factor import new_secret

DEMO_PASSWORD = "fangpin-demo-2020"  # noqa: S105  # documented: everybody knows it
DEMO_DEPARTMENT = "MEDINS"
SENIOR_LIMIT_FEN = 50_000_00

_ENROLLED = SECOND_FACTOR_ROLES | {Role.FIN_MAKER, Role.FIN_CHECKER}
"""Whoever needs a code, and those whose bank files ask for a fresh one."""

_PEOPLE = (
    ("demo-village", Role.VILLAGE_OFFICER, "演示村专员"),
    ("demo-town", Role.TOWN_REVIEWER, "演示镇审核"),
    ("demo-certifier", Role.CENTER_CERTIFIER, "演示核验员"),
    ("demo-lead", Role.CENTER_LEAD, "演示中心负责人"),
    ("demo-medical", Role.DEPARTMENT, "演示医保局"),
    ("demo-leading-group", Role.LEADING_GROUP, "演示领导小组"),
    *((actor.account, actor.role, actor.name) for actor in PEOPLE[:2]),
    ("demo-senior", Role.ADJ_SENIOR, "演示高级核赔"),
    *((actor.account, actor.role, actor.name) for actor in PEOPLE[2:]),
    ("demo-reconciler", Role.RECON, "演示对账员"),
    ("demo-auditor", Role.AUDITOR, "演示审计"),
    ("demo-system", Role.SYS_ADMIN, "演示系统管理员"),
    ("demo-security", Role.SEC_ADMIN, "演示安全管理员甲"),
    ("demo-security-2", Role.SEC_ADMIN, "演示安全管理员乙"),
    ("demo-log", Role.LOG_ADMIN, "演示日志管理员"),
)
_KNOWN = {actor.account: actor.person for actor in PEOPLE}


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """An account of the demo. `needs_code`: signing in asks for a code too (`fangpin users code LOGIN`)."""

    login: str
    role: Role
    place: str
    name: str
    needs_code: bool


def ensure_demo_accounts(session: Session, sealer: Sealer, at: datetime) -> list[DemoAccount]:
    """The demo's accounts, made where they are missing.

    Raises ConflictError when a real account has one of the logins.
    """
    one_at_a_time(session, "staff")
    ensure_demo_staff(session, at, 1)
    there = {
        account.login: account
        for account in session.scalars(
            select(Account).where(Account.login.in_([login for login, _, _ in _PEOPLE]))
        )
    }
    for account in there.values():
        if not account.demo:
            raise ConflictError(
                f"登录名 {account.login} 已被正式账号使用,不能建立演示账号",
                f"the login {account.login} belongs to a real account: no demo accounts here",
            )
    county, town, village = demo_places(session)
    places = {Role.VILLAGE_OFFICER: village, Role.TOWN_REVIEWER: town}
    password_hash = None
    accounts = []
    for login, role, name in _PEOPLE:
        place = places.get(role, county)
        if login not in there:
            # One hash for all: each costs as much as a sign-in.
            password_hash = password_hash or Passwords().hashed(DEMO_PASSWORD)
            there[login] = _make(session, sealer, at, login, role, name, place, password_hash)
        accounts.append(DemoAccount(login, role, place, name, there[login].totp_confirmed_at is not None))
    ensure_demo_assessment(session, sealer, at, there["demo-security"], county)
    ensure_demo_standards(session, at, there["demo-certifier"], there["demo-lead"], county)
    return accounts


def demo_places(session: Session) -> tuple[str, str, str]:
    """County, town and village where the demo's people work: the county with most households, and its first village."""
    county = county_of(session) or COUNTY
    inside = HouseholdRow.village_code.startswith(county)
    village = session.scalar(select(func.min(HouseholdRow.village_code)).where(inside)) or f"{county}100001"
    return county, village[:TOWN_DIGITS], village


def _make(
    session: Session,
    sealer: Sealer,
    at: datetime,
    login: str,
    role: Role,
    name: str,
    place: str,
    password_hash: str,
) -> Account:
    staff_id = _KNOWN.get(login) or add_person(session, sealer, SYSTEM, at, name).id
    account = add_account(session, SYSTEM, at, staff_id, login, demo=True)
    set_password_hash(session, SYSTEM, at, account.id, password_hash, must_change=False)
    department = DEMO_DEPARTMENT if role is Role.DEPARTMENT else None
    asked = ask_role(session, SYSTEM, at, account.id, role, place, department, VALID_FROM)
    decide_grant(session, SETUP, at, asked.id, approve=True)
    if role is Role.ADJ_SENIOR:
        limit = ask_limit(session, SYSTEM, at, staff_id, SENIOR_LIMIT_FEN, VALID_FROM)
        decide_limit(session, SETUP, at, limit.id, approve=True)
    if role in _ENROLLED:
        account.totp_sealed = sealer.seal("account", "totp_sealed", account.id, new_secret())
        account.totp_confirmed_at = at
        session.flush()
    return account

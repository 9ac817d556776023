"""People and rights: who works with the system, their accounts, roles and limits, and what waits for a second person.

The security administrators ask and approve here, never the same person both; an auditor looks on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from foundation.actors import Role
from foundation.clock import business_day
from foundation.errors import InvalidInput, NotAllowedError, NotFound
from foundation.places import TOWN_DIGITS
from foundation.staff import grants, queries, services
from foundation.staff.models import Account, DeterminationLimit, RoleGrant, StaffMember
from foundation.web.acting import acting, now, reading, sealer, transaction
from foundation.web.language import _, pick
from foundation.web.requests import arguments, form
from households.departments import departments
from households.models import HouseholdRow
from webapp.pages import staff_forms as forms
from webapp.passwords import EXTENSION, Passwords
from webapp.services import people as accounts
from webapp.trail_words import PROGRAM
from webapp.views import role_name

blueprint = Blueprint("staff", __name__)

Faults = Mapping[str, Sequence[tuple[str, str]]]

GRANT_STATES = {
    "requested": ("warn", "待审批", "waiting for approval"),
    "active": ("ok", "有效", "in force"),
    "refused": ("bad", "未批准", "refused"),
    "ended": ("neutral", "已终止", "ended"),
}
ACCOUNT_STATES = {"active": ("ok", "启用", "active"), "disabled": ("bad", "停用", "disabled")}


@blueprint.get("/staff")
def people() -> str:
    """Everybody, narrowed by name or login, role and state."""
    return _people_page()


@blueprint.post("/staff")
def add_person() -> Response | tuple[str, int]:
    """A new person with a first account."""
    try:
        asked = form(forms.PersonForm)
        with transaction() as session:
            member = services.add_person(
                session, sealer(), acting(), now(), asked["name"], asked["id_number"]
            )
            services.add_account(session, acting(), now(), member.id, asked["login"])
    except InvalidInput as invalid:
        return _people_page(invalid.fields), 422
    flash(_("已增加人员和账号。请申请岗位,并发放一次性密码"), "ok")
    return _back_to(member.id)


@blueprint.get("/staff/waiting")
def waiting() -> str:
    """What waits for a second person."""
    with reading() as session:
        items = [(item, _why_not(item.requested_by, item.staff_id)) for item in queries.waiting(session)]
        return render_template("staff/waiting.html", items=items, **_shared(session))


@blueprint.get("/staff/<staff_id>")
def person(staff_id: str) -> str:
    """One person with accounts, roles and limits."""
    return _person_page(staff_id)


@blueprint.post("/staff/<staff_id>/accounts")
def add_account(staff_id: str) -> Response | tuple[str, int]:
    """One more account of a person."""

    def add(session: Session) -> None:
        asked = form(forms.AccountForm)
        services.add_account(session, acting(), now(), staff_id, asked["login"])

    return _done_or_shown(staff_id, "account", add, _("已增加账号"))


@blueprint.post("/staff/<staff_id>/roles")
def ask_role(staff_id: str) -> Response | tuple[str, int]:
    """Asks for a role for one of the person's accounts."""

    def ask(session: Session) -> None:
        asked = form(forms.RoleForm)
        if _owner(session, asked["account_id"]) != staff_id:
            raise NotFound
        asked["role"] = Role(asked["role"])
        grants.ask_role(session, acting(), now(), **asked)

    return _done_or_shown(staff_id, "role", ask, _("已申请岗位,待另一位安全管理员审批"))


@blueprint.post("/staff/<staff_id>/limits")
def ask_limit(staff_id: str) -> Response | tuple[str, int]:
    """Asks for a limit of determination."""

    def ask(session: Session) -> None:
        asked = form(forms.LimitForm)
        amount = asked.pop("amount")
        grants.ask_limit(session, acting(), now(), staff_id, amount, **asked)

    return _done_or_shown(staff_id, "limit", ask, _("已申请核定限额,待另一位安全管理员审批"))


@blueprint.post("/staff/<staff_id>/kin")
def declare_kin(staff_id: str) -> Response | tuple[str, int]:
    """Notes a relative whom a person declared: nothing of theirs comes to this person."""

    def declare(session: Session) -> None:
        asked = form(forms.KinForm)
        services.declare_kin(
            session, sealer(), acting(), now(), staff_id, asked["kin_id_number"], asked["relation"]
        )

    return _done_or_shown(staff_id, "kin", declare, _("已登记亲属,本人不再办理其案件"))


@blueprint.post("/staff/accounts/<account_id>/state")
def set_state(account_id: str) -> Response:
    """Disables or enables an account."""
    asked = form(forms.StateForm)
    with transaction() as session:
        account = accounts.set_state(session, acting(), now(), account_id, asked["state"], asked["version"])
    disabled = asked["state"] == "disabled"
    flash(_("账号已停用,其登录立即失效") if disabled else _("账号已启用"), "ok")
    return _back_to(account.staff_id)


@blueprint.post("/staff/accounts/<account_id>/password")
def reset_password(account_id: str) -> str:
    """Gives a one-time password and shows it, this once."""
    form(forms.NoFields)
    with reading() as session:
        staff_id = _owner(session, account_id)
    one_time = accounts.one_time_password()
    passwords: Passwords = current_app.extensions[EXTENSION]
    with passwords.place():
        hashed = passwords.hashed(one_time)
    with transaction() as session:
        account = accounts.give_password(session, acting(), now(), account_id, hashed)
    return _person_page(staff_id, one_time=(account.login, one_time))


@blueprint.post("/staff/accounts/<account_id>/second-factor")
def reset_second_factor(account_id: str) -> Response:
    """Takes a lost second factor away."""
    form(forms.NoFields)
    with transaction() as session:
        account = accounts.take_second_factor(session, acting(), now(), account_id)
    flash(_("动态口令已重置,下次登录时重新绑定"), "ok")
    return _back_to(account.staff_id)


@blueprint.post("/staff/decide")
def decide() -> Response:
    """Approves or refuses a role or a limit, as a second person."""
    asked = form(forms.DecideForm)
    approve = asked["decision"] == "approve"
    act = grants.decide_grant if asked["kind"] == "role" else grants.decide_limit
    with transaction() as session:
        act(session, acting(), now(), asked["row_id"], approve=approve)
    flash(_("已批准,立即生效") if approve else _("已退回,未批准"), "ok")
    return redirect(url_for("staff.waiting"), 303)


@blueprint.post("/staff/end")
def end() -> Response:
    """Takes a role or a limit away, at once."""
    asked = form(forms.EndForm)
    with transaction() as session:
        if asked["kind"] == "role":
            staff_id = _owner(session, grants.end_grant(session, acting(), now(), asked["row_id"]).account_id)
        else:
            staff_id = grants.end_limit(session, acting(), now(), asked["row_id"]).staff_id
    flash(_("已终止,立即失效"), "ok")
    return _back_to(staff_id)


# --- the pages -------------------------------------------------------------------------------------------------------


def _people_page(faults: Faults | None = None) -> str:
    asked = arguments(forms.PeopleArguments) if faults is None else {}
    chosen = {name: str(value) for name, value in asked.items() if name != "cursor"}
    with reading() as session:
        page = queries.people(session, **asked)
        shared = _shared(session)

    def url(cursor: str | None) -> str | None:
        return cursor and f"{url_for('staff.people')}?{urlencode(chosen | {'cursor': cursor})}"

    return render_template(
        "staff/people.html",
        page=page,
        chosen=chosen,
        newer_url=url(page.newer),
        older_url=url(page.older),
        typed=_typed(faults),
        errors=_said(faults),
        **shared,
    )


def _person_page(
    staff_id: str, which: str = "", faults: Faults | None = None, one_time: tuple[str, str] | None = None
) -> str:
    """`which` form came back with faults; `one_time`: login and password that were just given."""
    with reading() as session:
        member = session.get(StaffMember, staff_id)
        if member is None:
            raise NotFound
        held = queries.grants_of(session, staff_id)
        limits = queries.limits_of(session, staff_id)
        rows: list[RoleGrant | DeterminationLimit] = [*held, *limits]
        open_rows = [row for row in rows if row.state == "requested"]
        return render_template(
            "staff/person.html",
            member=member,
            accounts=queries.accounts_of(session, staff_id),
            grants=held,
            limits=limits,
            why_not={row.id: _why_not(row.requested_by, staff_id) for row in open_rows},
            kin_count=queries.kin_count(session, staff_id),
            limit_today=queries.limit_on(session, staff_id, business_day(now())),
            which=which,
            typed=_typed(faults),
            errors=_said(faults),
            summary=[(f"{which}-{name}" if name else "", text) for name, text in _said(faults).items()],
            one_time=one_time,
            today=business_day(now()),
            **_shared(session),
        )


def _shared(session: Session) -> dict[str, Any]:
    """What every page of people shows with: names, places, words, and whether the person may change anything."""
    names = queries.names(session) | {key: pick(*pair) for key, pair in PROGRAM.items()}
    return {
        "names": names,
        "places": _places(session),
        "roles": [(role.value, role_name(role)) for role in forms.ROLES],
        "departments": [(key, pick(*pair)) for key, pair in departments().items()],
        "department_names": {key: pick(*pair) for key, pair in departments().items()},
        "grant_states": {key: (kind, pick(zh, en)) for key, (kind, zh, en) in GRANT_STATES.items()},
        "account_states": {key: (kind, pick(zh, en)) for key, (kind, zh, en) in ACCOUNT_STATES.items()},
        "may_write": acting().role is Role.SEC_ADMIN,
        "waiting_count": len(queries.waiting(session)),
    }


def _places(session: Session) -> dict[str, str]:
    """Code → name of the county, every town and every village that has households; in order, one statement."""
    options = current_app.extensions["fangpin_options"]
    code = HouseholdRow.village_code
    rows = session.execute(
        select(code, func.min(HouseholdRow.town), func.min(HouseholdRow.village))
        .group_by(code)
        .order_by(code)
    ).all()
    towns = {village[:TOWN_DIGITS]: town for village, town, _village in rows}
    villages = {village: f"{town} · {name}" for village, town, name in rows}
    return {options.county: pick(*options.county_name), **towns, **villages}


def _why_not(requested_by: str, gainer: str) -> str:
    """Why the person who looks may not decide this; empty when they may."""
    try:
        grants.refuse_decider(acting(), requested_by, gainer)
    except NotAllowedError as refusal:
        return pick(refusal.zh, refusal.en)
    return ""


def _done_or_shown(
    staff_id: str, which: str, work: Callable[[Session], None], done: str
) -> Response | tuple[str, int]:
    """Does the work of one of the person page's forms; shows the page again, with what is wrong, where it cannot."""
    try:
        with transaction() as session:
            work(session)
    except InvalidInput as invalid:
        return _person_page(staff_id, which, invalid.fields), 422
    flash(done, "ok")
    return _back_to(staff_id)


def _owner(session: Session, account_id: str) -> str:
    account = session.get(Account, account_id)
    if account is None:
        raise NotFound
    return account.staff_id


def _said(faults: Faults | None) -> dict[str, str]:
    return {name: pick(*pairs[0]) for name, pairs in (faults or {}).items()}


def _typed(faults: Faults | None) -> dict[str, str]:
    """What a person typed into a form that comes back, but for ID numbers."""
    if faults is None:
        return {}
    return {name: value for name, value in request.form.items() if "id_number" not in name}


def _back_to(staff_id: str) -> Response:
    return redirect(url_for("staff.person", staff_id=staff_id), 303)

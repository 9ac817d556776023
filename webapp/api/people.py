"""Accounts in the API, and who the token itself is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import g
from marshmallow import fields
from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation.actors import Role
from foundation.errors import NotFound
from foundation.staff.models import Account, RoleGrant, StaffMember
from foundation.staff.services import ACCOUNT_STATES
from foundation.web.acting import acting, now, reading
from foundation.web.api import (
    Output,
    Paged,
    Resources,
    as_page,
    check_version,
    page_schema,
    set_version,
    versioned,
)
from foundation.web.fields import Choice, IsoDate, StrictSchema
from foundation.web.idempotency import idempotent, writing
from foundation.web.paging import keyset
from webapp.services.people import set_state
from webapp.services.tokens import SCOPES, RecognisedToken

resources = Resources("people", __name__, "Accounts of the people who work with the system.")

Headed = tuple[dict[str, Any], dict[str, str]]
"""A body and its headers."""


class AccountArguments(Paged):
    """What the list is narrowed to."""

    state = Choice(ACCOUNT_STATES)


class AccountChange(StrictSchema):
    """What may be changed of an account."""

    state = Choice(ACCOUNT_STATES, required=True)


class PersonData(Output):
    """The natural person behind an account."""

    id = fields.String(required=True)
    name = fields.String(required=True)


class GrantData(Output):
    """A role in force or to come, at a place."""

    role = Choice([role for role in Role if role is not Role.SYSTEM], required=True)
    place = fields.String(required=True)
    department = fields.String(required=True, allow_none=True)
    valid_from = IsoDate(required=True)
    valid_to = IsoDate(required=True, allow_none=True)


class AccountData(Output):
    """An account with its person and roles. Nothing secret is ever part of it."""

    id = fields.String(required=True)
    login = fields.String(required=True)
    state = Choice(ACCOUNT_STATES, required=True)
    person = fields.Nested(PersonData, required=True)
    roles = fields.List(fields.Nested(GrantData), required=True)
    second_factor = fields.Boolean(required=True)
    created_at = fields.AwareDateTime(required=True)


class MeData(Output):
    """Who the token acts for, and what it may do."""

    account_id = fields.String(required=True)
    person = fields.Nested(PersonData, required=True)
    role = Choice([role for role in Role if role is not Role.SYSTEM], required=True)
    place = fields.String(required=True)
    department = fields.String(required=True, allow_none=True)
    scopes = fields.List(Choice(SCOPES), required=True)
    expires_at = fields.AwareDateTime(required=True)


@resources.at("/me")
@resources.answers(MeData)
def me() -> dict[str, Any]:
    """Who this token acts for, in which role and place, and with which scopes."""
    actor, token = acting(), _token()
    return {
        "account_id": actor.account,
        "person": {"id": actor.person, "name": actor.name},
        "role": actor.role,
        "place": actor.place,
        "department": actor.department,
        "scopes": sorted(token.scopes),
        "expires_at": token.expires_at,
    }


@resources.at("/accounts")
@resources.parameters(AccountArguments)
@resources.answers(page_schema(AccountData, "AccountPage"))
def listed(asked: dict[str, Any]) -> dict[str, Any]:
    """The accounts by login."""
    query = select(Account, StaffMember).join(StaffMember, StaffMember.id == Account.staff_id)
    if "state" in asked:
        query = query.where(Account.state == asked["state"])
    with reading() as session:
        page = keyset(session, query, [Account.login], Account.id, asked.get("cursor"), asked["size"])
        grants = _grants(session, [account.id for account, _ in page.rows])
    return as_page(page, [_data(account, person, grants[account.id]) for account, person in page.rows])


@resources.at("/accounts/<row_id:account_id>")
@resources.tagged
@resources.answers(AccountData)
def shown(account_id: str) -> Headed:
    """One account. Its ETag is what a change asks for."""
    with reading() as session:
        return _one(session, account_id)


@resources.at("/accounts/<row_id:account_id>", "PATCH")
@versioned
@idempotent
@resources.body(AccountChange)
@resources.answers(AccountData)
def changed(change: dict[str, Any], account_id: str) -> Headed:
    """Disables an account, which ends its sign-ins and tokens at once, or enables it again."""
    session = writing()
    account = session.get(Account, account_id)
    if account is None:
        raise NotFound
    check_version(account.version)
    if account.state != change["state"]:
        set_state(session, acting(), now(), account_id, change["state"], account.version)
    return _one(session, account_id)


def _token() -> RecognisedToken:
    token: RecognisedToken = g.token
    return token


def _one(session: Session, account_id: str) -> Headed:
    query = select(Account, StaffMember).join(StaffMember, StaffMember.id == Account.staff_id)
    found = session.execute(query.where(Account.id == account_id)).first()
    if found is None:
        raise NotFound
    account, person = found
    body = _data(account, person, _grants(session, [account_id])[account_id])
    return body, set_version({}, account.version)


def _grants(session: Session, account_ids: Iterable[str]) -> dict[str, list[RoleGrant]]:
    """The active roles of some accounts, in one statement."""
    found: dict[str, list[RoleGrant]] = {account_id: [] for account_id in account_ids}
    active = select(RoleGrant).where(RoleGrant.account_id.in_(found), RoleGrant.state == "active")
    for grant in session.scalars(active.order_by(RoleGrant.role, RoleGrant.place, RoleGrant.id)):
        found[grant.account_id].append(grant)
    return found


def _data(account: Account, person: StaffMember, grants: list[RoleGrant]) -> dict[str, Any]:
    return {
        "id": account.id,
        "login": account.login,
        "state": account.state,
        "person": {"id": person.id, "name": person.name},
        "roles": grants,
        "second_factor": account.totp_confirmed_at is not None,
        "created_at": account.created_at,
    }

"""API tokens: made by a person for one of their own roles, shown once, looked up by SHA-256, revoked at once."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from foundation.actors import Actor, Assurance, Role
from foundation.clock import business_day
from foundation.database import one_at_a_time
from foundation.errors import ConflictError, InvalidInput, NotFound
from foundation.staff.models import Account, RoleGrant, StaffMember
from foundation.trail.events import Change, record
from webapp.models import ApiToken

SCOPES: dict[str, tuple[str, str]] = {
    "claims:read": ("查询案件", "read claims"),
    "claims:reveal": ("按用途查看完整信息", "see people in full, for a purpose"),
    "feeds:write": ("报送部门数据", "send departments' data"),
    "payments:read": ("查询支付批次", "read payment batches"),
    "people:read": ("查询账号", "read accounts"),
    "people:write": ("停用与启用账号", "disable and enable accounts"),
    "registry:read": ("查询户籍、预警、比对与标准", "read the register, warnings, comparisons and standards"),
    "registry:write": (
        "办理户籍、预警、比对与标准",
        "work on the register, warnings, comparisons and standards",
    ),
    "trail:read": ("查询审计链", "read the trail"),
}
"""What a token may be for. The rights table says which route asks for which."""

MOST_DAYS = 400
MOST_TOKENS = 20
"""Tokens of one account that are in force at a time."""
_PREFIX = "fpt_"
_SECRET = re.compile(r"fpt_[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True)
class RecognisedToken:
    """Whom a token acts for, what it may do, and until when."""

    account_id: str
    actor: Actor
    scopes: frozenset[str]
    expires_at: datetime
    demo: bool


def recognise_token(session: Session, secret: str, at: datetime) -> RecognisedToken | None:
    """The token with a secret, by one SELECT.

    None when it is unknown, expired or revoked, its account is disabled, or its role has ended or is not in its dates.
    """
    if _SECRET.fullmatch(secret) is None:
        return None
    today = business_day(at)
    query = (
        select(ApiToken, RoleGrant, StaffMember, Account.demo)
        .join(Account, Account.id == ApiToken.account_id)
        .join(RoleGrant, (RoleGrant.id == ApiToken.grant_id) & (RoleGrant.account_id == ApiToken.account_id))
        .join(StaffMember, StaffMember.id == Account.staff_id)
        .where(
            ApiToken.secret_hash == _hash(secret),
            ApiToken.expires_at > at,
            ApiToken.revoked_at.is_(None),
            Account.state == "active",
            RoleGrant.state == "active",
            RoleGrant.valid_from <= today,
            or_(RoleGrant.valid_to.is_(None), RoleGrant.valid_to >= today),
        )
    )
    found = session.execute(query).first()
    if found is None:
        return None
    token, grant, person, demo = found
    actor = Actor(
        person.id,
        token.account_id,
        Role(grant.role),
        grant.place,
        person.name,
        Assurance.TOKEN,
        grant.department,
    )
    return RecognisedToken(token.account_id, actor, frozenset(token.scopes.split()), token.expires_at, demo)


def make_token(
    session: Session, actor: Actor, at: datetime, grant_id: str, name: str, scopes: Iterable[str], days: int
) -> tuple[ApiToken, str]:
    """A token for one of the actor's own roles, for 1 to `MOST_DAYS` days, and its secret, which is kept nowhere.

    Whoever calls has asked for a fresh second factor. Raises InvalidInput for a role that is not the actor's to use
    today, for no or an unknown scope, and for a wrong number of days; ConflictError when there are too many.
    """
    asked, today = set(scopes), business_day(at)
    faults: dict[str, list[tuple[str, str]]] = {}
    grant = session.get(RoleGrant, grant_id)
    if (
        grant is None
        or grant.account_id != actor.account
        or grant.state != "active"
        or not (grant.valid_from <= today and (grant.valid_to is None or grant.valid_to >= today))
    ):
        faults["grant_id"] = [("请选择您目前有效的岗位", "choose one of the roles that you hold today")]
    if not asked or not asked <= SCOPES.keys():
        faults["scopes"] = [("请至少选择一项权限", "choose at least one scope")]
    if not 1 <= days <= MOST_DAYS:
        faults["days"] = [(f"有效期为 1 至 {MOST_DAYS} 天", f"from 1 to {MOST_DAYS} days")]
    if faults:
        raise InvalidInput(faults)
    one_at_a_time(session, f"tokens:{actor.account}")
    live = (ApiToken.account_id == actor.account) & ApiToken.revoked_at.is_(None) & (ApiToken.expires_at > at)
    if (session.scalar(select(func.count()).select_from(ApiToken).where(live)) or 0) >= MOST_TOKENS:
        raise ConflictError(
            f"每个账号最多 {MOST_TOKENS} 个有效令牌,请先撤销不用的",
            f"an account has at most {MOST_TOKENS} tokens in force; revoke one that you do not use",
        )
    secret = _PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        id=secrets.token_hex(16),
        secret_hash=_hash(secret),
        account_id=actor.account,
        grant_id=grant_id,
        name=name,
        scopes=" ".join(sorted(asked)),
        created_at=at,
        expires_at=at + timedelta(days=days),
    )
    session.add(token)
    session.flush()
    made = Change("token.made", "api_token", token.id, after=token.secret_hash, reason=token.scopes)
    record(session, actor, at, [made])
    return token, secret


def revoke_token(session: Session, actor: Actor, at: datetime, token_id: str) -> None:
    """Ends one of the actor's own tokens. Raises NotFound, or ConflictError when it is revoked already."""
    token = session.get(ApiToken, token_id)
    if token is None or token.account_id != actor.account:
        raise NotFound
    mine = (ApiToken.id == token_id) & ApiToken.revoked_at.is_(None)
    if session.execute(update(ApiToken).where(mine).values(revoked_at=at)).rowcount != 1:  # type: ignore[attr-defined]
        raise ConflictError("该令牌已撤销", "this token is revoked already")
    record(session, actor, at, [Change("token.revoked", "api_token", token_id)])


def revoke_all(session: Session, actor: Actor, account_id: str, because: str, at: datetime) -> None:
    """Ends every token of an account: its password or second factor has changed, or it was disabled."""
    live = (ApiToken.account_id == account_id) & ApiToken.revoked_at.is_(None)
    ids = list(session.scalars(select(ApiToken.id).where(live)))
    session.execute(update(ApiToken).where(live).values(revoked_at=at))
    record(session, actor, at, [Change("token.revoked", "api_token", one, reason=because) for one in ids])


def tokens_of(session: Session, account_id: str) -> list[ApiToken]:
    """The tokens of an account, the newest first."""
    query = select(ApiToken).where(ApiToken.account_id == account_id)
    return list(session.scalars(query.order_by(ApiToken.created_at.desc(), ApiToken.id)))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()

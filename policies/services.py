"""What can be done to policies: taking one in."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.trail.events import Change, record
from policies.models import MasterPolicy
from policies.policy import Policy


def take_in_policy(session: Session, actor: Actor, at: datetime, policy: Policy) -> str:
    """The id of this version of the policy, stored now if it was not there yet."""
    known = session.scalar(select(MasterPolicy.id).where(MasterPolicy.fingerprint == policy.fingerprint))
    if known is not None:
        return known
    row = MasterPolicy(
        id=secrets.token_hex(16),
        number=policy.number,
        title=policy.title,
        fingerprint=policy.fingerprint,
        canonical=policy.canonical,
        period_from=policy.period_from,
        period_to=policy.period_to,
        taken_in_at=at,
    )
    session.add(row)
    session.flush()
    record(session, actor, at, [Change("policy.taken_in", "policy", row.id, after=policy.fingerprint)])
    return row.id

"""Legal holds: what must not be erased although its term is over. Set by one person with a reason, lifted by another.

A hold on a claim keeps everything that the claim rests on, its household's and its payment's records; one on a
household keeps all its claims; one on a policy everything under it. What exactly that is, `webapp.retention` works out.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from foundation.actors import TWICE_SURE, Actor, Role
from foundation.database import one_at_a_time
from foundation.errors import ConflictError, InvalidInput, NotAllowedError, NotFound
from foundation.privacy.models import LegalHold
from foundation.sealing import Sealer
from foundation.trail.events import Change, record

SUBJECTS = ("claim", "household", "policy")
SHORTEST_REASON, LONGEST_REASON = 4, 200
RETENTION = "retention"
"""Setting a hold and erasing a portion go one after the other, so that a hold is never a moment too late."""


def set_hold(
    session: Session, sealer: Sealer, actor: Actor, at: datetime, subject: str, subject_id: str, reason: str
) -> str:
    """Holds a claim or household (by id) or a policy (by number); the hold's id. The caller knows that it is there.

    Raises InvalidInput for a reason that says nothing, ConflictError when it is held already, NotAllowedError.
    """
    actor.must_be(Role.SEC_ADMIN, Role.SYSTEM)
    reason = reason.strip()
    if subject not in SUBJECTS:
        raise ValueError(f"nothing to hold: {subject}")
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        raise InvalidInput(
            {
                "reason": [
                    (
                        f"请写明理由,{SHORTEST_REASON} 至 {LONGEST_REASON} 字",
                        f"give the reason in {SHORTEST_REASON} to {LONGEST_REASON} characters",
                    )
                ]
            }
        )
    one_at_a_time(session, RETENTION)
    there = (
        (LegalHold.subject == subject) & (LegalHold.subject_id == subject_id) & LegalHold.lifted_at.is_(None)
    )
    if session.scalar(select(LegalHold.id).where(there).limit(1)) is not None:
        raise ConflictError("已在保全中,无需重复设置", "it is held already")
    identity = secrets.token_hex(16)
    session.add(
        LegalHold(
            id=identity,
            subject=subject,
            subject_id=subject_id,
            reason=sealer.seal("legal_hold", "reason", identity, reason),
            set_by=actor.person,
            set_at=at,
        )
    )
    session.flush()
    record(session, actor, at, [Change("hold.set", "legal_hold", identity, reason=f"{subject}={subject_id}")])
    return identity


def lift_hold(session: Session, actor: Actor, at: datetime, hold_id: str) -> None:
    """Lifts a hold, as another person than the one who set it.

    Never from the command line, which is any person. Raises NotFound, NotAllowedError for whoever set it, ConflictError
    when it is lifted already.
    """
    actor.must_be(Role.SEC_ADMIN)
    actor.must_be_sure(*TWICE_SURE)
    hold = session.get(LegalHold, hold_id)
    if hold is None:
        raise NotFound
    if hold.set_by == actor.person:
        raise NotAllowedError(
            "本人设置的保全须由他人解除", "a hold is lifted by somebody else than the one who set it"
        )
    still = (LegalHold.id == hold_id) & LegalHold.lifted_at.is_(None)
    lifted = session.execute(
        update(LegalHold)
        .where(still)
        .values(lifted_by=actor.person, lifted_at=at)
        .execution_options(synchronize_session=False)
    )
    if lifted.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result has it
        raise ConflictError("该保全已解除", "this hold is lifted already")
    record(
        session,
        actor,
        at,
        [Change("hold.lifted", "legal_hold", hold_id, reason=f"{hold.subject}={hold.subject_id}")],
    )


def holds(session: Session, *, active: bool = False) -> Sequence[LegalHold]:
    """The holds, newest first; only those in force where `active`."""
    query = select(LegalHold)
    if active:
        query = query.where(LegalHold.lifted_at.is_(None))
    return session.scalars(query.order_by(LegalHold.set_at.desc(), LegalHold.id)).all()

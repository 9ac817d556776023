"""What can be done to policies and standards: taking a policy in; proposing and deciding the standards of a year.

One person proposes standards, another one decides; approval takes the place of what was in force in that year, and
everything older stays to be read. Every step changes a row only from the state that it was seen in.
"""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from foundation.actors import Actor, Role
from foundation.database import one_at_a_time
from foundation.errors import ConflictError, NotAllowedError, NotFound, UnusableInput
from foundation.trail.events import Change, record
from policies.models import MasterPolicy, Standard
from policies.policy import Policy
from policies.queries import latest_active, standards_faults
from policies.standard import Standards, check_standards, reindexed

PROPOSERS = (Role.CENTER_CERTIFIER, Role.CENTER_LEAD)
DECIDERS = (Role.CENTER_LEAD, Role.LEADING_GROUP)


def take_in_policy(session: Session, actor: Actor, at: datetime, policy: Policy) -> str:
    """The id of this version of the policy, stored now if it was not there yet.

    Raises UnusableInput that names every place where it differs from the standards in force in its year.
    """
    faults = standards_faults(session, policy)
    if faults:
        raise UnusableInput(faults)
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


# --- the county's standards --------------------------------------------------------------------------


def propose(session: Session, actor: Actor, at: datetime, standards: Standards) -> Standard:
    """Proposes the standards of a year, for another person to decide.

    Raises NotAllowedError for another role, InvalidInput for what cannot be, ConflictError where the year has a
    proposal already, or where it has just these standards.
    """
    actor.must_be(*PROPOSERS)
    check_standards(standards)
    one_at_a_time(session, "standards")
    there = {row.state: row for row in _of_year(session, standards.year)}
    if "proposed" in there:
        raise ConflictError(
            f"{standards.year} 年已有一份标准待批准,请先批准或退回",
            f"standards of {standards.year} are waiting for a decision already: decide them first",
        )
    if "active" in there and there["active"].fingerprint == standards.fingerprint:
        raise ConflictError(
            f"与 {standards.year} 年执行中的标准完全相同,不必再报",
            f"these are the standards in force in {standards.year} already",
        )
    row = Standard(
        id=secrets.token_hex(16),
        year=standards.year,
        line_fen=standards.line_fen,
        canonical=standards.canonical,
        fingerprint=standards.fingerprint,
        state="proposed",
        proposed_by=actor.person,
        proposed_at=at,
    )
    session.add(row)
    session.flush()
    change = Change("standard.proposed", "standard", row.id, after=row.fingerprint, reason=str(row.year))
    record(session, actor, at, [change])
    return row


def propose_next_year(
    session: Session, actor: Actor, at: datetime, base_fen: int, source: str | None = None
) -> Standard:
    """Proposes the standards of the year after the latest in force: the new base, all else carried over.

    Raises as `propose` does, and ConflictError where no standards are in force to go on from.
    """
    latest = latest_active(session)
    if latest is None:
        raise ConflictError(
            "还没有执行中的标准可供沿用,请先制定第一份标准",
            "no standards are in force to carry over: propose the first ones",
        )
    return propose(session, actor, at, reindexed(latest, base_fen, source))


def decide(session: Session, actor: Actor, at: datetime, standard_id: str, *, approve: bool) -> Standard:
    """Approves or refuses a proposal, as another person. What was in force in its year is replaced with the approval.

    Raises NotAllowedError for another role or the proposer, NotFound, ConflictError when it was decided meanwhile.
    """
    actor.must_be(*DECIDERS)
    one_at_a_time(session, "standards")
    row = session.get(Standard, standard_id, populate_existing=True)
    if row is None:
        raise NotFound
    if row.proposed_by == actor.person:
        raise NotAllowedError(
            "标准须由提出人以外的另一人批准", "standards are decided by somebody other than who proposed them"
        )
    if row.state != "proposed":
        raise _decided_meanwhile(row)
    before = next((old for old in _of_year(session, row.year) if old.state == "active"), None)
    changes = []
    if approve and before is not None:
        _move(session, before, "active", "replaced")
        changes.append(Change("standard.replaced", "standard", before.id, before=before.fingerprint))
    _move(
        session, row, "proposed", "active" if approve else "refused", decided_by=actor.person, decided_at=at
    )
    year = str(row.year)
    if approve:
        changes.append(Change("standard.approved", "standard", row.id, after=row.fingerprint, reason=year))
    else:
        changes.append(Change("standard.refused", "standard", row.id, before=row.fingerprint, reason=year))
    record(session, actor, at, changes)
    return row


def _of_year(session: Session, year: int) -> list[Standard]:
    """The proposal of a year and what is in force there, whichever there are."""
    query = select(Standard).where(Standard.year == year, Standard.state.in_(("proposed", "active")))
    return list(session.scalars(query))


def _move(session: Session, row: Standard, state: str, to: str, **values: object) -> None:
    """Compare-and-set of the state. Raises ConflictError when it is another one by now."""
    here = (Standard.id == row.id) & (Standard.state == state)
    changed = session.execute(update(Standard).where(here).values(state=to, **values))
    session.refresh(row)
    if changed.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result has it
        raise _decided_meanwhile(row)


def _decided_meanwhile(row: Standard) -> ConflictError:
    return ConflictError(
        f"这份 {row.year} 年标准已由他人办理,请刷新查看",
        f"somebody has decided these standards of {row.year} meanwhile: look at them again",
    )

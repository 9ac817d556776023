"""Erasures: asked for by one person with a plan, approved by another, carried out in portions that can be interrupted.

The plan names every record; nothing else is ever erased under it. Each record is looked at again in the transaction
that erases it: what is held meanwhile, or has got a longer term, stays. Portions are short, so that others come to
write between them.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from claims.models import Determination
from claims.services.erasing import erase_claims, erase_uploads
from foundation import jobs
from foundation.actors import FRESHLY_SURE, Actor, Role
from foundation.clock import business_day
from foundation.database import one_at_a_time
from foundation.errors import ConflictError, NotAllowedError, NotFound
from foundation.privacy.erasing import erase_notes
from foundation.privacy.holds import RETENTION
from foundation.privacy.retention import shipped
from foundation.runtime import Runtime
from foundation.sealing import Sealer
from foundation.trail.events import Change, record
from foundation.upkeep import ERASURE, Upkeep
from households.erasing import erase_households, erase_people
from households.feed_erasing import erase_deliveries, erase_feed_uploads
from payments.services.erasing import erase_bank_files, erase_payees
from reports.erasing import (
    erase_certificates,
    erase_claim_forms,
    erase_county_documents,
    erase_letters,
    erase_summaries,
)
from webapp.retention import GroupPlan, Looking, Plan, plan

JOB = "retention.erase"
_PORTION = 100
"""Records erased in one transaction: on SQLite nobody else writes meanwhile."""

Progress = Callable[[int, int], None]
"""Called with how many records of the plan were gone through, and how many there are."""


def kept_plan(upkeep: Upkeep) -> Plan:
    """The plan of an erasure as it was asked for."""
    data = json.loads(upkeep.plan)
    return Plan(
        date.fromisoformat(data["day"]),
        tuple(
            GroupPlan(**group | {"due": {key: date.fromisoformat(day) for key, day in group["due"].items()}})
            for group in data["groups"]
        ),
    )


def _text(asked: Plan) -> str:
    groups = [
        {
            "code": group.code,
            "due": {identity: day.isoformat() for identity, day in sorted(group.due.items())},
            "held": group.held,
            "longer": group.longer,
            "running": group.running,
            "open": group.open,
        }
        for group in asked.groups
    ]
    return json.dumps({"day": asked.day.isoformat(), "groups": groups}, separators=(",", ":"))


# --- what people do ---------------------------------------------------------------------------------------------------


def ask(session: Session, sealer: Sealer, actor: Actor, at: datetime) -> str:
    """Asks for the erasure of everything that is due today; the id of the upkeep.

    Raises ConflictError when nothing is due, or another erasure waits or runs.
    """
    actor.must_be(Role.SEC_ADMIN)
    actor.must_be_sure(*FRESHLY_SURE)
    one_at_a_time(session, RETENTION)
    open_one = (Upkeep.kind == ERASURE) & Upkeep.state.in_(("asked", "running"))
    if session.scalar(select(Upkeep.id).where(open_one).limit(1)) is not None:
        raise ConflictError(
            "已有一项清除在等待审批或进行中", "an erasure is waiting for approval or under way already"
        )
    asked = plan(session, sealer, shipped(), business_day(at))
    if not asked.total:
        raise ConflictError("没有到期可清除的记录", "nothing is due")
    upkeep = Upkeep(
        id=secrets.token_hex(16),
        kind=ERASURE,
        state="asked",
        plan=_text(asked),
        asked_by=actor.person,
        asked_at=at,
        done=0,
    )
    session.add(upkeep)
    session.flush()
    digest = hashlib.sha256(upkeep.plan.encode()).hexdigest()
    _record(session, actor, at, "asked", upkeep.id, f"records={asked.total}", digest)
    return upkeep.id


def approve(session: Session, actor: Actor, at: datetime, upkeep_id: str) -> str:
    """Approves an erasure as another person than the one who asked; the id of the job that carries it out.

    Raises NotFound, NotAllowedError, or ConflictError (decided already, or a rotation of keys is under way).
    """
    upkeep = _decided(session, actor, at, upkeep_id, "running")
    digest = hashlib.sha256(upkeep.plan.encode()).hexdigest()
    _record(session, actor, at, "approved", upkeep_id, f"asked_by={upkeep.asked_by}", digest)
    (job_id,) = jobs.ask_for(session, JOB, [upkeep_id], at)
    return job_id


def refuse(session: Session, actor: Actor, at: datetime, upkeep_id: str) -> None:
    """Refuses an erasure, as another person than the one who asked. Raises as `approve` does."""
    upkeep = _decided(session, actor, at, upkeep_id, "refused")
    _record(session, actor, at, "refused", upkeep_id, f"asked_by={upkeep.asked_by}")


def _decided(session: Session, actor: Actor, at: datetime, upkeep_id: str, state: str) -> Upkeep:
    actor.must_be(Role.SEC_ADMIN)
    actor.must_be_sure(*FRESHLY_SURE)
    upkeep = erasure(session, upkeep_id)
    if upkeep.asked_by == actor.person:
        raise NotAllowedError(
            "本人申请的清除须由他人审批", "an erasure that you asked for is for somebody else to decide"
        )
    still = (Upkeep.id == upkeep_id) & (Upkeep.state == "asked")
    values = {"state": state, "decided_by": actor.person, "decided_at": at}
    statement = update(Upkeep).where(still).values(values).execution_options(synchronize_session=False)
    try:
        with session.begin_nested():
            moved = session.execute(statement)
    except IntegrityError:
        raise ConflictError(
            "密钥轮换或另一项清除正在进行,请待其完成后再审批",
            "a rotation of keys or another erasure is under way; decide when it has finished",
        ) from None
    if moved.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result has it
        raise ConflictError("此项清除已有人审批,请刷新查看", "somebody has decided this already; look again")
    return upkeep


def erasure(session: Session, upkeep_id: str) -> Upkeep:
    """One erasure. Raises NotFound."""
    found = session.get(Upkeep, upkeep_id, populate_existing=True)
    if found is None or found.kind != ERASURE:
        raise NotFound
    return found


def approved(session: Session, upkeep_id: str) -> Upkeep:
    """One erasure that was approved, done or not. Raises NotFound, or ConflictError for one that nobody approved."""
    upkeep = erasure(session, upkeep_id)
    if upkeep.state not in ("running", "finished"):
        raise ConflictError("此项清除未获批准", "this erasure is not approved")
    return upkeep


def erasures(session: Session) -> Sequence[Upkeep]:
    """Every erasure, newest first."""
    query = select(Upkeep).where(Upkeep.kind == ERASURE)
    return session.scalars(query.order_by(Upkeep.asked_at.desc(), Upkeep.id)).all()


# --- what the background does -----------------------------------------------------------------------------------------


def carry_out(runtime: Runtime, upkeep_id: str, report: Progress) -> int:
    """Carries out an approved erasure, or the rest of one; how many records it has erased in all.

    Raises ConflictError for one that nobody has approved. Can run twice, also at once.
    """
    with runtime.database.reading() as session:
        upkeep = approved(session, upkeep_id)
    if upkeep.state == "finished":
        return upkeep.done
    asked = kept_plan(upkeep)
    through = 0
    for group in asked.groups:
        for portion in _portions(list(group.due)):
            with runtime.database.transaction() as session:
                _erase_portion(session, runtime, upkeep_id, group.code, portion)
            through += len(portion)
            report(through, asked.total)
    return _finish(runtime, upkeep_id)


def _portions(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[start : start + _PORTION] for start in range(0, len(ids), _PORTION)]


def _erase_portion(
    session: Session, runtime: Runtime, upkeep_id: str, code: str, portion: Sequence[str]
) -> None:
    """Erases those of a portion that are due at this moment, each with its events."""
    # In this order everywhere: nobody takes a pack in, pays, or sets a hold meanwhile.
    for work in ("claims", "payments", "documents", RETENTION):
        one_at_a_time(session, work)
    if erasure(session, upkeep_id).state != "running":
        return
    at = runtime.clock.now()
    table = shipped()
    group = table.group(code)
    looking = Looking(session, runtime.sealer, table, business_day(at))
    due = [stand.id for stand in looking.stands(group, portion) if stand.due(looking.day)]
    if not due:
        return
    changes = _ERASE[code](session, due, f"erasure={upkeep_id} group={code}")
    record(session, runtime.actor, at, changes)
    counted = update(Upkeep).where(Upkeep.id == upkeep_id).values(done=Upkeep.done + len(due))
    session.execute(counted.execution_options(synchronize_session=False))


def _finish(runtime: Runtime, upkeep_id: str) -> int:
    """Says that an erasure is done, once; how many records it has erased."""
    with runtime.database.transaction() as session:
        at = runtime.clock.now()
        running = (Upkeep.id == upkeep_id) & (Upkeep.state == "running")
        ended = update(Upkeep).where(running).values(state="finished", ended_at=at)
        moved = session.execute(ended.execution_options(synchronize_session=False))
        upkeep = erasure(session, upkeep_id)
        if moved.rowcount == 1:  # type: ignore[attr-defined]  # an UPDATE's result has it
            _record(session, runtime.actor, at, "finished", upkeep_id, f"records={upkeep.done}")
        return upkeep.done


def _claims(session: Session, ids: Sequence[str], reason: str) -> list[Change]:
    """Claims with everything that was owed, paid and written on them."""
    query = select(Determination.id).where(Determination.claim_id.in_(ids))
    determinations = session.scalars(query).all()
    return [
        *erase_claims(session, ids, reason),
        *erase_payees(session, determinations, reason),
        *erase_letters(session, determinations, reason),
    ]


def _households(session: Session, ids: Sequence[str], reason: str) -> list[Change]:
    """Households with what was certified to them and filled in for them."""
    return [
        *erase_households(session, ids, reason),
        *erase_certificates(session, ids, reason),
        *erase_claim_forms(session, ids, reason),
    ]


def _batches(session: Session, ids: Sequence[str], reason: str) -> list[Change]:
    return [*erase_bank_files(session, ids, reason), *erase_summaries(session, ids, reason)]


def _notes(group: str) -> _Eraser:
    return lambda session, ids, reason: erase_notes(session, group, ids, reason)


_Eraser = Callable[[Session, Sequence[str], str], list[Change]]

_ERASE: Mapping[str, _Eraser] = {
    "paid_claim": _claims,
    "unpaid_claim": _claims,
    "batch": _batches,
    "county_document": erase_county_documents,
    "upload": erase_uploads,
    "unused_upload": erase_uploads,
    "household": _households,
    "person": erase_people,
    "delivery": erase_deliveries,
    "feed_upload": erase_feed_uploads,
    **{group: _notes(group) for group in ("disclosure_note", "export_note", "hold_reason")},
}
"""How the records of each group are erased: session, ids, the reason that stands in each event."""


def _record(
    session: Session,
    actor: Actor,
    at: datetime,
    what: str,
    upkeep_id: str,
    reason: str,
    digest: str | None = None,
) -> None:
    change = Change(f"erasure.{what}", "upkeep", upkeep_id, after=digest, reason=reason)
    record(session, actor, at, [change])

"""Changes that two persons make together: one asks, another one decides, and the approval carries it out at once.

What is to be done stands sealed in the proposal; each kind has a function that looks at it when it is asked for, and
one that carries it out in the transaction of the approval. Nothing is carried out by the asker.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from foundation.actors import Actor, Role
from foundation.errors import ConflictError, InvalidInput, NotAllowedError
from foundation.sealing import Sealer
from foundation.segregation import Act, Duty, refuse_conflict, refuse_kin
from foundation.staff.queries import own_and_kin
from foundation.trail.events import Change, record
from households.models.people import Person
from households.models.proposals import Proposal
from households.queries.households import household_row
from households.queries.people import people_of
from households.queries.proposals import Asked, Paper, proposal_by_id
from households.services import accounts, clearances, identity, merging
from households.services.writing import begin

Content = Mapping[str, Any]
Check = Callable[[Session, Sealer, Actor, datetime, str, Content], None]
"""Looks at what is asked for: (session, sealer, actor, at, household id, content). Raises what keeps it from being."""
Executor = Callable[[Session, Sealer, Actor, datetime, Asked], None]
"""Carries an approved proposal out, as the person who approves it."""

CHECKS: dict[str, Check] = {
    "account": accounts.check,
    "merge": merging.check_merge,
    "split": merging.check_split,
    "identity": identity.check,
    "clearance": clearances.check,
}
EXECUTORS: dict[str, Executor] = {
    "account": accounts.carry_out,
    "merge": merging.carry_out_merge,
    "split": merging.carry_out_split,
    "identity": identity.carry_out,
    "clearance": clearances.carry_out,
}

DECIDERS = (Role.TOWN_REVIEWER, Role.CENTER_CERTIFIER, Role.CENTER_LEAD)

NEEDS_PAPER = frozenset({"merge", "split", "identity", "clearance"})
"""Kinds that nobody can decide without a paper."""


TYPED_AGAIN: Mapping[str, str] = {"account": "account_no", "identity": "id_number"}
"""Kinds with a number that the page masks: whoever approves reads it from the paper and types it once more."""


def deciders_of(kind: str) -> tuple[Role, ...]:
    """Who may decide a proposal of a kind."""
    return clearances.DECIDERS if kind == clearances.KIND else DECIDERS


def ask(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    kind: str,
    household_id: str,
    content: Content,
    evidence: Sequence[Paper] = (),
) -> str:
    """Asks for a change; the proposal's id. The papers lie on the disk already (`households.services.papers`).

    Raises NotFound outside the actor's place, InvalidInput for what cannot be, ConflictError where the same is asked
    for already, NotAllowedError (K6) where it concerns the actor's own family.
    """
    begin(session, sealer, actor, at)
    household_row(session, actor, household_id)
    _refuse_own(session, actor, household_id)
    check = CHECKS.get(kind)
    if check is not None:
        check(session, sealer, actor, at, household_id, content)
    if kind in NEEDS_PAPER and not evidence:
        raise InvalidInput({"papers": [("请附上证明材料", "a paper that proves it is needed")]})
    text = orjson.dumps(dict(content), option=orjson.OPT_SORT_KEYS)
    digest = sealer.digest("proposal", orjson.dumps([kind, household_id]) + text)
    same = (Proposal.household_id == household_id) & (Proposal.state == "asked") & (Proposal.digest == digest)
    if session.scalar(select(Proposal.id).where(same)) is not None:
        raise ConflictError("同样的申请正在等待审批", "the same is waiting for a decision already")
    identity_ = secrets.token_hex(16)
    session.add(
        Proposal(
            id=identity_,
            kind=kind,
            household_id=household_id,
            state="asked",
            sealed=sealer.seal("proposal", "sealed", identity_, text),
            digest=digest,
            evidence=orjson.dumps([asdict(paper) for paper in evidence]).decode() if evidence else None,
            asked_by=actor.person,
            asked_at=at,
        )
    )
    session.flush()
    record(session, actor, at, [Change("proposal.asked", "proposal", identity_, after=digest, reason=kind)])
    return identity_


def decide(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    proposal_id: str,
    *,
    approve: bool,
    reason: str | None = None,
    again: str | None = None,
) -> Asked:
    """Approves a proposal and carries it out in this transaction, or refuses it with the reason.

    `again` is the number that `TYPED_AGAIN` names, as the approver read it from the paper.

    Raises NotFound outside the actor's place, NotAllowedError for another role, the asker or (K6) the family's own,
    InvalidInput for a refusal without a reason or another number than was asked for, ConflictError when it was decided
    meanwhile or cannot be carried out.
    """
    begin(session, sealer, actor, at)
    asked = proposal_by_id(session, sealer, actor, proposal_id)
    actor.must_be(*deciders_of(asked.kind))
    if asked.asked_by == actor.person:
        raise NotAllowedError(
            "本人提出的申请须由他人审批", "what you asked for yourself is for somebody else to decide"
        )
    if asked.kind == "account":
        refuse_conflict([Act(asked.asked_by, Duty.CHANGE_ACCOUNT)], actor.person, Duty.VERIFY_ACCOUNT)
    if asked.state != "asked":
        raise _decided_already()
    if approve and asked.kind in TYPED_AGAIN and again != asked.says[TYPED_AGAIN[asked.kind]]:
        wrong = (
            "与申请的号码不一致,请对照材料核对",
            "not the number that was asked for: compare it with the paper",
        )
        raise InvalidInput({"again": [wrong]})
    if not approve and not reason:
        raise InvalidInput({"reason": [("请写明不批准的理由", "say why it is refused")]})
    _refuse_own(session, actor, asked.household_id)
    state = "approved" if approve else "refused"
    kept = None if approve or reason is None else sealer.seal("proposal", "reason", proposal_id, reason)
    _move(session, actor, at, asked, state, kept)
    if approve:
        EXECUTORS[asked.kind](session, sealer, actor, at, asked)
    record(session, actor, at, [Change(f"proposal.{state}", "proposal", proposal_id, reason=asked.kind)])
    return asked


def withdraw(session: Session, sealer: Sealer, actor: Actor, at: datetime, proposal_id: str) -> Asked:
    """Takes one's own proposal back. Raises NotFound, NotAllowedError for another's, ConflictError once decided."""
    asked = proposal_by_id(session, sealer, actor, proposal_id)
    if asked.asked_by != actor.person:
        raise NotAllowedError("只能撤回本人提出的申请", "only who asked may take a proposal back")
    _move(session, actor, at, asked, "withdrawn", None)
    record(session, actor, at, [Change("proposal.withdrawn", "proposal", proposal_id, reason=asked.kind)])
    return asked


def _move(session: Session, actor: Actor, at: datetime, asked: Asked, state: str, reason: str | None) -> None:
    values = {"state": state, "decided_by": actor.person, "decided_at": at, "reason": reason}
    still = (Proposal.id == asked.id) & (Proposal.state == "asked")
    statement = update(Proposal).where(still).values(values).execution_options(synchronize_session=False)
    if session.execute(statement).rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result has it
        raise _decided_already()


def _decided_already() -> ConflictError:
    return ConflictError(
        "这项申请已由他人处理,请刷新", "somebody else has dealt with this proposal; look again"
    )


def _refuse_own(session: Session, actor: Actor, household_id: str) -> None:
    """Nobody asks for or decides a change to their own household or a declared relative's (K6)."""
    members = people_of(session, [household_id])
    lookups = session.scalars(select(Person.id_lookup).where(Person.id.in_(members)))
    refuse_kin(own_and_kin(session, [actor.person]), lookups)

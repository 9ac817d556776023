"""Batches: made, checked and released by three persons (by setting two), each step by compare-and-set."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, bindparam, func, select, update
from sqlalchemy.orm import Session

from claims.models import Determination
from foundation.actors import FRESHLY_SURE, Actor, Role
from foundation.clock import business_day
from foundation.counters import take_numbers
from foundation.database import bulk_insert, one_at_a_time, table_of
from foundation.errors import ConflictError
from foundation.sealing import Sealer
from foundation.segregation import Act, Duty, refuse_conflict
from foundation.trail.events import Change, record
from payments import batching
from payments.errors import BatchChanged, FundsShort
from payments.models import Batch, Payable, Payment
from payments.queries import batch_lines, funds_available, open_payee


def reference_prefix(policy_number: str) -> str:
    """What message ids and references begin with: the policy's number if a bank file can carry it, else its digest."""
    if re.fullmatch("[0-9A-Za-z]([0-9A-Za-z-]{0,18}[0-9A-Za-z])?", policy_number):
        return policy_number
    return "FP" + hashlib.sha256(policy_number.encode()).hexdigest()[:10]


def make_batch(
    session: Session,
    sealer: Sealer,
    maker: Actor,
    at: datetime,
    policy_number: str,
    persons_required: int = 3,
) -> Batch | None:
    """Puts the pending payables of a policy that the bank's files can carry into one batch; None if there are none.

    What they cannot carry is withheld with the reason. Raises NotAllowedError for whoever recommended or determined one
    of the claims (K3).
    """
    maker.must_be(Role.FIN_MAKER)
    one_at_a_time(session, "payments")
    query = (
        select(Payable)
        .where(Payable.state == "pending", Payable.policy_number == policy_number)
        .order_by(Payable.number)
    )
    prefix = reference_prefix(policy_number)
    pending = {row.id: row for row in session.scalars(query)}
    offered = []
    for row in pending.values():
        payee = open_payee(sealer, "payable", row.id, row.sealed)
        offered.append(
            batching.Payable(
                row.id,
                str(row.number),
                row.amount_fen,
                payee.account,
                payee.name,
                payee.bank_code,
                row.town,
                row.line,
            )
        )
    earlier = _earlier_payments(session)

    def reference_of(payable: batching.Payable) -> str:
        attempts, first = earlier.get(payable.payable_id, (0, ""))
        if attempts:
            # A payment that came back is paid under a new reference that leads back to the first.
            return f"{first}-R{attempts + 1}"
        return batching.end_to_end_reference(prefix, pending[payable.payable_id].number)

    draft = batching.plan_batch(offered, reference_of)
    _withhold(session, maker, at, draft.refusals)
    if not draft.lines:
        return None
    # What the bank's files cannot carry has just left the pending ones.
    offered_now = (Payable.state == "pending") & (Payable.policy_number == policy_number)
    acts = _acts_on_claims(session, offered_now)
    refuse_conflict(acts, maker.person, Duty.MAKE_BATCH, persons_required)
    (number,) = take_numbers(session, "batch")
    batch = Batch(
        id=secrets.token_hex(16),
        number=number,
        policy_number=policy_number,
        message_id=batching.message_id(prefix, number),
        state="made",
        payments=draft.count,
        total_fen=draft.total_fen,
        content_digest=content_digest(sealer, draft.lines),
        execution_on=business_day(at),
        persons_required=persons_required,
        made_by=maker.person,
        made_at=at,
    )
    session.add(batch)
    session.flush()
    rows: list[dict[str, Any]] = []
    for line in draft.lines:
        identity = secrets.token_hex(16)
        payee_text = orjson.dumps(
            {"bank_code": line.bank_code, "payee_account": line.payee_account, "payee_name": line.payee_name}
        ).decode()
        rows.append(
            {
                "id": identity,
                "payable_id": line.payable_id,
                "attempt": earlier.get(line.payable_id, (0, ""))[0] + 1,
                "batch_id": batch.id,
                "sequence": line.sequence,
                "reference": line.reference,
                "amount_fen": line.amount_fen,
                "sealed": sealer.seal("payment", "sealed", identity, payee_text),
                "account_lookup": sealer.lookup("account", line.payee_account),
                "state": "batched",
            }
        )
    bulk_insert(session, table_of(Payment), rows)
    move(session, Payable, [line.payable_id for line in draft.lines], "pending", "batched")
    changes = [
        Change("payment.batched", "payment", row["id"], after=row["reference"], before=row["payable_id"])
        for row in rows
    ]
    record(
        session, maker, at, [Change("batch.made", "batch", batch.id, after=batch.content_digest), *changes]
    )
    return batch


def _earlier_payments(session: Session) -> dict[str, tuple[int, str]]:
    """Payable → (attempts so far, reference of the first)."""
    query = select(Payment.payable_id, func.count(), func.min(Payment.reference)).group_by(Payment.payable_id)
    # The first reference is the shortest of its payable, and so sorts first: the others continue it.
    return {row[0]: (row[1], row[2]) for row in session.execute(query)}


def _acts_on_claims(session: Session, payables: ColumnElement[bool]) -> list[Act]:
    """Who recommended and who determined the claims behind some payables; each person once."""
    query = (
        select(Determination.recommended_by, Determination.determined_by)
        .join(Payable, Payable.determination_id == Determination.id)
        .where(payables)
        .distinct()
    )
    return [
        act
        for recommended_by, determined_by in session.execute(query)
        for act in (Act(recommended_by, Duty.RECOMMEND), Act(determined_by, Duty.DETERMINE))
    ]


def _history(session: Session, batch: Batch) -> list[Act]:
    """Every act on a batch and on all claims in it (K3)."""
    inside = select(Payment.payable_id).where(Payment.batch_id == batch.id)
    acts = [*_acts_on_claims(session, Payable.id.in_(inside)), Act(batch.made_by, Duty.MAKE_BATCH)]
    if batch.checked_by is not None:
        acts.append(Act(batch.checked_by, Duty.CHECK_BATCH))
    return acts


def _withhold(session: Session, actor: Actor, at: datetime, refusals: Sequence[batching.Refusal]) -> None:
    for refusal in refusals:
        where = (Payable.id == refusal.payable_id) & (Payable.state == "pending")
        session.execute(update(Payable).where(where).values(state="withheld", withheld_code=refusal.code))
    changes = [
        Change("payable.withheld", "payable", refusal.payable_id, reason=refusal.code) for refusal in refusals
    ]
    record(session, actor, at, changes)


def content_digest(sealer: Sealer, lines: Sequence[batching.PaymentLine]) -> str:
    """SHA-256 over what the lines pay: reference, amount, and the keyed digest of account, holder and bank code."""
    content = hashlib.sha256()
    for line in lines:
        payee = sealer.lookup("payee", f"{line.payee_account}|{line.payee_name}|{line.bank_code}")
        content.update(f"{line.sequence}|{line.reference}|{line.amount_fen}|{payee}\n".encode())
    return content.hexdigest()


def check_batch(session: Session, sealer: Sealer, checker: Actor, at: datetime, batch_id: str) -> Batch:
    """复核: a second person, who worked on none of its claims, confirms the batch as it is.

    Raises NotAllowedError, ConflictError or BatchChanged.
    """
    checker.must_be(Role.FIN_CHECKER)
    batch = batch_in_state(session, batch_id, "made")
    refuse_conflict(_history(session, batch), checker.person, Duty.CHECK_BATCH, batch.persons_required)
    digest = content_digest(sealer, batch_lines(session, sealer, batch_id))
    if digest != batch.content_digest:
        raise BatchChanged(batch.number)
    values = {"state": "checked", "checked_by": checker.person, "checked_at": at, "checked_digest": digest}
    advance(session, batch, values)
    record(session, checker, at, [Change("batch.checked", "batch", batch.id, after=digest, before="made")])
    return batch


def release_batch(session: Session, releaser: Actor, at: datetime, batch_id: str) -> Batch:
    """授权: a third person (or by setting the second) releases the batch, if the funds cover it.

    Raises NotAllowedError, ConflictError or FundsShort.
    """
    releaser.must_be(Role.FIN_RELEASER)
    releaser.must_be_sure(*FRESHLY_SURE)
    batch = batch_in_state(session, batch_id, "checked")
    refuse_conflict(_history(session, batch), releaser.person, Duty.RELEASE_BATCH, batch.persons_required)
    available = funds_available(session)
    if available < batch.total_fen:
        raise FundsShort(available, batch.total_fen)
    advance(session, batch, {"state": "released", "released_by": releaser.person, "released_at": at})
    record(
        session,
        releaser,
        at,
        [Change("batch.released", "batch", batch.id, after=batch.content_digest, before="checked")],
    )
    return batch


def batch_in_state(session: Session, batch_id: str, state: str) -> Batch:
    batch = session.get_one(Batch, batch_id, populate_existing=True)
    if batch.state != state:
        raise ConflictError(
            f"批次 {batch.number} 的状态为 {batch.state},此操作要求 {state}",
            f"batch {batch.number} is {batch.state}; this step needs it {state}",
        )
    return batch


def advance(session: Session, batch: Batch, values: dict[str, Any]) -> None:
    """Changes a batch only if nobody else has moved it since it was read."""
    changed = session.execute(
        update(Batch).where(Batch.id == batch.id, Batch.state == batch.state).values(values)
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result has it
        raise ConflictError(
            f"批次 {batch.number} 刚被他人处理", f"somebody else has just handled batch {batch.number}"
        )
    session.refresh(batch)


def move(
    session: Session, model: type[Payable] | type[Payment], ids: Sequence[str], start: str, end: str
) -> None:
    """Moves rows from one state to another, each only if it still is in the first one."""
    if not ids:
        return
    table = table_of(model)
    statement = (
        update(table).where(table.c.id == bindparam("row_id"), table.c.state == start).values(state=end)
    )
    moved = session.connection().execute(statement, [{"row_id": identity} for identity in ids])
    if moved.rowcount != len(ids):
        raise ConflictError(
            "状态已被他人改变,未作任何变动", "somebody else has changed the state; nothing was done"
        )

"""What a claim's page shows of paying: what is owed on it, every attempt to pay it, and the batches of those."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from claims.slots import CaseIds, Filling, fill
from foundation.masking import Audience, account_for
from foundation.sealing import Sealer
from payments.batching import first_fault
from payments.models import Batch, Payable, Payment
from payments.queries import Payee, payee_if_kept
from payments.states import PAYABLE_STATE_NAMES, PAYMENT_STATE_NAMES

_TEMPLATE = "payments/claim_slot.html"
_HAPPENINGS = {
    "payable.owed": ("应付赔款入账", "payable booked"),
    "payable.withheld": ("暂缓付款", "payment withheld"),
    "payment.batched": ("编入批次", "put into a batch"),
    "payment.sent": ("送交银行", "sent to the bank"),
    "batch.made": ("批次制单", "batch made"),
    "batch.checked": ("批次复核", "batch checked"),
    "batch.released": ("批次授权", "batch released"),
    "batch.exported": ("批次导出", "batch exported"),
    "payable.erased": ("收款信息到期清除", "payee erased at the end of its term"),
    "payment.erased": ("付款的收款信息到期清除", "payee of a payment erased at the end of its term"),
    "batch.erased": ("银行文件到期清除", "bank files erased at the end of their term"),
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to pay: its batch, reference, state and amount in fen."""

    id: str
    batch_id: str
    message_id: str
    reference: str
    execution_on: date
    state: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Owed:
    """What a claim's determination owes, with the attempts to pay it. The account is masked."""

    id: str
    amount_fen: int
    state: str
    payee_name: str | None
    account: str | None
    """Both are None once they were erased at the end of their term."""
    fault: tuple[str, str] | None
    """Why it is withheld, in Chinese and English; None unless it is."""
    attempts: tuple[Attempt, ...]


def register(app: Flask) -> None:
    """Fills the slot `payments` of an application's claim page."""
    fill(app, "payments", show)


def show(session: Session, sealer: Sealer, ids: CaseIds) -> Filling | None:
    """The payments of a claim, once it is determined. One statement."""
    if ids.determination_id is None:
        return None
    owed = owed_on(session, sealer, ids.determination_id)
    values = {"owed": owed, "payable_states": PAYABLE_STATE_NAMES, "payment_states": PAYMENT_STATE_NAMES}
    if owed is None:
        return Filling(_TEMPLATE, values)
    batches = {attempt.batch_id: attempt.message_id for attempt in owed.attempts}
    return Filling(
        _TEMPLATE,
        values,
        (owed.id, *(attempt.id for attempt in owed.attempts), *batches),
        _HAPPENINGS,
        {attempt.id: (attempt.reference,) * 2 for attempt in owed.attempts}
        | {batch_id: (message_id,) * 2 for batch_id, message_id in batches.items()},
    )


def owed_on(session: Session, sealer: Sealer, determination_id: str) -> Owed | None:
    """What a determination owes; None when that is nothing."""
    query = (
        select(
            Payable.id,
            Payable.amount_fen,
            Payable.state,
            Payable.sealed,
            Payment.id.label("payment_id"),
            Payment.batch_id,
            Batch.message_id,
            Payment.reference,
            Batch.execution_on,
            Payment.state.label("payment_state"),
            Payment.amount_fen.label("paid_fen"),
        )
        .outerjoin(Payment, Payment.payable_id == Payable.id)
        .outerjoin(Batch, Batch.id == Payment.batch_id)
        .where(Payable.determination_id == determination_id)
        .order_by(Payment.attempt)
    )
    rows = session.execute(query).all()
    if not rows:
        return None
    payable = rows[0]
    payee = payee_if_kept(sealer, "payable", payable.id, payable.sealed)
    return Owed(
        payable.id,
        payable.amount_fen,
        payable.state,
        None if payee is None else payee.name,
        None if payee is None else account_for(Audience.OFFICER, payee.account),
        _fault(payable.amount_fen, payee) if payee is not None and payable.state == "withheld" else None,
        tuple(
            Attempt(
                row.payment_id,
                row.batch_id,
                row.message_id,
                row.reference,
                row.execution_on,
                row.payment_state,
                row.paid_fen,
            )
            for row in rows
            if row.payment_id is not None
        ),
    )


def _fault(amount_fen: int, payee: Payee) -> tuple[str, str] | None:
    found = first_fault(amount_fen, payee.account, payee.name, payee.bank_code)
    return None if found is None else found[1:]

"""What payments put on a household's timeline: what is owed to it, and every attempt to pay it."""

from __future__ import annotations

from flask import Flask, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from claims.models import ClaimRow, Determination
from foundation.clock import business_day
from foundation.money import Money
from foundation.sealing import Sealer
from households.slots import fill
from households.timeline import Item
from payments.models import Batch, Payable, Payment
from payments.states import PAYMENT_STATE_NAMES


def register(app: Flask) -> None:
    """Fills the slot `payments` of an application's page of a household."""
    fill(app, "payments", happenings)


def happenings(session: Session, _sealer: Sealer, household_id: str) -> list[Item]:
    """What is withheld on the day that it arose, and each payment on its batch's day. One statement."""
    query = (
        select(
            ClaimRow.id,
            ClaimRow.claim_no,
            Payable.amount_fen,
            Payable.state,
            Payable.created_at,
            Payment.state.label("payment_state"),
            Payment.amount_fen.label("paid_fen"),
            Batch.execution_on,
        )
        .join(Determination, Determination.claim_id == ClaimRow.id)
        .join(Payable, Payable.determination_id == Determination.id)
        .outerjoin(Payment, Payment.payable_id == Payable.id)
        .outerjoin(Batch, Batch.id == Payment.batch_id)
        .where(ClaimRow.household_id == household_id)
        .order_by(Payable.number, Payment.attempt)
    )
    items = []
    for row in session.execute(query):
        url = url_for("claims.shown", claim_id=row.id)
        if row.payment_state is not None:
            zh, en = PAYMENT_STATE_NAMES[row.payment_state]
            text = _sum(row.claim_no, row.paid_fen)
            items.append(Item(row.execution_on, "payment", (f"付款:{zh}", f"Payment: {en}"), text, url))
        elif row.state == "withheld":
            title = ("暂缓付款", "Payment withheld")
            text = _sum(row.claim_no, row.amount_fen)
            items.append(Item(business_day(row.created_at), "payment", title, text, url))
    return items


def _sum(claim_no: str, fen: int) -> tuple[str, str]:
    money = Money(fen).grouped
    return f"{claim_no} · {money} 元", f"{claim_no} · {money} yuan"

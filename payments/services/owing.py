"""Money received, and what is owed for every approving determination; the ledger entries of both."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from claims.models import ClaimRow, DecisionRow, Determination
from claims.queries import open_decision
from foundation.actors import Actor
from foundation.clock import business_day
from foundation.counters import take_numbers
from foundation.database import bulk_insert, one_at_a_time, table_of
from foundation.money import Money
from foundation.sealing import Sealer
from foundation.trail.events import Change, record
from payments.models import FundReceipt, LedgerEntry, Payable


def record_contribution(
    session: Session, actor: Actor, at: datetime, purpose: str, payer: str, amount: Money
) -> FundReceipt | None:
    """Records money received for a purpose, once; None when it was recorded before."""
    if session.scalar(select(FundReceipt.id).where(FundReceipt.purpose == purpose)) is not None:
        return None
    (number,) = take_numbers(session, "fund_receipt")
    day = business_day(at)
    receipt = FundReceipt(
        id=secrets.token_hex(16),
        number=number,
        purpose=purpose,
        payer=payer,
        received_on=day,
        amount_fen=int(amount),
        recorded_by=actor.person,
        recorded_at=at,
    )
    session.add(receipt)
    session.flush()
    book(session, at, [(f"receipt:{receipt.id}", "BANK", "PREMIUM", receipt.amount_fen)])
    record(
        session,
        actor,
        at,
        [Change("fund.received", "fund_receipt", receipt.id, after=str(receipt.amount_fen))],
    )
    return receipt


def owe(session: Session, sealer: Sealer, actor: Actor, at: datetime) -> int:
    """Makes a payable for every approving determination that has none, in the order of determination; how many."""
    one_at_a_time(session, "payments")
    query = (
        select(
            Determination.id,
            Determination.amount_fen,
            DecisionRow.id,
            DecisionRow.sealed,
            ClaimRow.town,
            ClaimRow.line,
            ClaimRow.policy_number,
        )
        .join(DecisionRow, DecisionRow.id == Determination.decision_id)
        .join(ClaimRow, ClaimRow.id == Determination.claim_id)
        .outerjoin(Payable, Payable.determination_id == Determination.id)
        .where(Determination.outcome == "approve", Payable.id.is_(None))
    )
    found = []
    for determination_id, amount_fen, decision_id, sealed, *place in session.execute(query):
        facts, decision = open_decision(sealer, decision_id, sealed)
        payee = {
            "bank_code": decision.bank_code,
            "payee_account": decision.payee_account,
            "payee_name": decision.payee_name,
        }
        found.append(
            (facts.claim.notified_on, facts.claim.claim_no, determination_id, amount_fen, payee, place)
        )
    found.sort(key=lambda item: item[:2])
    rows: list[dict[str, Any]] = []
    numbers = take_numbers(session, "payable", len(found))
    for number, (_, _, determination_id, amount_fen, payee, place) in zip(numbers, found, strict=True):
        identity = secrets.token_hex(16)
        rows.append(
            {
                "id": identity,
                "determination_id": determination_id,
                "number": number,
                "town": place[0],
                "line": place[1],
                "policy_number": place[2],
                "amount_fen": amount_fen,
                "sealed": sealer.seal("payable", "sealed", identity, orjson.dumps(payee).decode()),
                "state": "pending",
                "withheld_code": None,
                "created_at": at,
            }
        )
    bulk_insert(session, table_of(Payable), rows)
    book(
        session,
        at,
        [(f"payable:{row['id']}:approved", "CLAIMS", "PAYABLE", row["amount_fen"]) for row in rows],
    )
    changes = [
        Change(
            "payable.owed", "payable", row["id"], after=str(row["amount_fen"]), before=row["determination_id"]
        )
        for row in rows
    ]
    record(session, actor, at, changes)
    return len(rows)


def book(session: Session, at: datetime, entries: Sequence[tuple[str, str, str, int]]) -> None:
    """Ledger entries (event key, debit, credit, fen)."""
    day = business_day(at)
    rows = [
        {
            "id": secrets.token_hex(16),
            "event_key": key,
            "debit": debit,
            "credit": credit,
            "amount_fen": amount_fen,
            "booked_on": day,
            "recorded_at": at,
        }
        for key, debit, credit, amount_fen in entries
    ]
    bulk_insert(session, table_of(LedgerEntry), rows)

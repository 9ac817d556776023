"""Payees and bank files at the end of their terms: which are still there, and taking their content out.

Sums, references, states, ledger and the SHA-256 of every bank file stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from foundation.clock import business_day
from foundation.files import StoredFile
from foundation.privacy.erasing import chosen, erase_files, file_is_there, take_out
from foundation.sealing import ERASED
from foundation.trail.events import Change
from payments.models import BankFile, Batch, Payable, Payment


@dataclass(frozen=True, slots=True)
class BatchKept:
    """A batch, as far as terms go. `exported_on` is None while it is on its way."""

    id: str
    policy_number: str
    exported_on: date | None


def last_booked(session: Session, determination_ids: Sequence[str] | None = None) -> dict[str, date | None]:
    """Determination → the day of its last booking: owed, or sent to the bank; None while it is not all sent."""
    query = (
        select(
            Payable.determination_id,
            Payable.state,
            Payable.created_at,
            func.max(Batch.exported_at).label("sent"),
        )
        .outerjoin(Payment, Payment.payable_id == Payable.id)
        .outerjoin(Batch, Batch.id == Payment.batch_id)
        .where(chosen(Payable.determination_id, determination_ids))
        .group_by(Payable.determination_id, Payable.state, Payable.created_at)
    )
    found: dict[str, date | None] = {}
    for row in session.execute(query):
        sent = row.state == "sent" and row.sent is not None
        found[row.determination_id] = business_day(max(row.created_at, row.sent)) if sent else None
    return found


def batches_kept(session: Session, ids: Sequence[str] | None = None) -> list[BatchKept]:
    """Batches, or some of them, with the day of their export."""
    query = select(Batch.id, Batch.policy_number, Batch.exported_at).where(chosen(Batch.id, ids))
    return [
        BatchKept(
            row.id, row.policy_number, None if row.exported_at is None else business_day(row.exported_at)
        )
        for row in session.execute(query)
    ]


def batches_with_files(session: Session) -> set[str]:
    """Batches whose bank files still have their content."""
    query = select(BankFile.batch_id).join(StoredFile, StoredFile.id == BankFile.file_id)
    return set(session.scalars(query.where(file_is_there())))


def ids_around(session: Session, determinations: ColumnElement[bool]) -> set[str]:
    """Payables, payments, batches and bank files behind some determinations (a condition over payables)."""
    query = (
        select(Payable.id, Payment.id, Payment.batch_id, BankFile.id)
        .outerjoin(Payment, Payment.payable_id == Payable.id)
        .outerjoin(BankFile, BankFile.batch_id == Payment.batch_id)
        .where(determinations)
    )
    return {identity for row in session.execute(query) for identity in row if identity is not None}


def erase_payees(session: Session, determination_ids: Sequence[str], reason: str) -> list[Change]:
    """Takes the payees out of what is owed and paid on determinations. The events, not yet recorded."""
    owed = session.execute(
        select(Payable.id, Payable.number).where(Payable.determination_id.in_(determination_ids))
    ).all()
    paid = session.execute(
        select(Payment.id, Payment.reference).where(Payment.payable_id.in_([row.id for row in owed]))
    ).all()
    take_out(session, Payable, [row.id for row in owed], {"sealed": ERASED})
    take_out(session, Payment, [row.id for row in paid], {"sealed": ERASED, "account_lookup": ERASED})
    return [
        *(Change("payable.erased", "payable", row.id, before=str(row.number), reason=reason) for row in owed),
        *(Change("payment.erased", "payment", row.id, before=row.reference, reason=reason) for row in paid),
    ]


def erase_bank_files(session: Session, batch_ids: Sequence[str], reason: str) -> list[Change]:
    """Takes the content out of the bank files of batches. The events, not yet recorded."""
    query = select(BankFile.id, BankFile.file_id, BankFile.sha256).where(BankFile.batch_id.in_(batch_ids))
    files = session.execute(query.order_by(BankFile.batch_id, BankFile.format)).all()
    erase_files(session, [row.file_id for row in files])
    batches = session.execute(select(Batch.id, Batch.content_digest).where(Batch.id.in_(batch_ids)))
    return [
        *(
            Change("batch.erased", "batch", row.id, before=row.content_digest, reason=reason)
            for row in batches
        ),
        *(Change("bank_file.erased", "bank_file", row.id, before=row.sha256, reason=reason) for row in files),
    ]

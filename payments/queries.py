"""What can be asked of payments."""

from __future__ import annotations

from dataclasses import dataclass

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from foundation.sealing import Sealer
from payments.batching import PaymentLine, doubts
from payments.models import BankFile, Batch, FundReceipt, LedgerEntry, Payable, Payment


def balance(session: Session, account: str) -> int:
    """Debits less credits of a ledger account, in fen."""
    debit = session.scalar(select(func.sum(LedgerEntry.amount_fen)).where(LedgerEntry.debit == account)) or 0
    credit = (
        session.scalar(select(func.sum(LedgerEntry.amount_fen)).where(LedgerEntry.credit == account)) or 0
    )
    return int(debit) - int(credit)


def funds_available(session: Session) -> int:
    """Money received less what has gone to the bank in files, in fen."""
    received = session.scalar(select(func.sum(FundReceipt.amount_fen))) or 0
    return int(received) + balance(session, "TRANSIT")  # TRANSIT is credited, so its balance is not above 0


@dataclass(frozen=True, slots=True)
class Payee:
    """Who is paid, opened."""

    account: str
    name: str
    bank_code: str | None


def open_payee(sealer: Sealer, table: str, row_id: str, sealed: str) -> Payee:
    """The payee of a payable or a payment."""
    data = orjson.loads(sealer.reveal(table, "sealed", row_id, sealed))
    return Payee(data["payee_account"], data["payee_name"], data["bank_code"])


def batch_lines(session: Session, sealer: Sealer, batch_id: str) -> list[PaymentLine]:
    """The lines of a batch in order, with their payees opened."""
    columns = (
        Payment.id,
        Payment.payable_id,
        Payment.sequence,
        Payment.reference,
        Payment.amount_fen,
        Payment.sealed,
    )
    lines = []
    for row in session.execute(
        select(*columns).where(Payment.batch_id == batch_id).order_by(Payment.sequence)
    ):
        payee = open_payee(sealer, "payment", row.id, row.sealed)
        lines.append(
            PaymentLine(
                row.sequence,
                row.payable_id,
                row.reference,
                row.amount_fen,
                payee.account,
                payee.name,
                payee.bank_code,
            )
        )
    return lines


def batches(session: Session, policy_number: str) -> list[Batch]:
    """The batches of a policy by number."""
    return list(
        session.scalars(select(Batch).where(Batch.policy_number == policy_number).order_by(Batch.number))
    )


def bank_files(session: Session, batch_id: str) -> list[BankFile]:
    """The files of a batch, by format."""
    return list(
        session.scalars(select(BankFile).where(BankFile.batch_id == batch_id).order_by(BankFile.format))
    )


def withheld(session: Session, policy_number: str) -> list[tuple[str, str]]:
    """(payable id, reason code) of what was kept out of every batch of a policy so far."""
    query = (
        select(Payable.id, Payable.withheld_code)
        .where(Payable.state == "withheld", Payable.policy_number == policy_number)
        .order_by(Payable.number)
    )
    return [(row[0], row[1] or "") for row in session.execute(query.order_by(Payable.number))]


def batch_warnings(session: Session, sealer: Sealer, batch_id: str) -> list[tuple[str, str, str, str]]:
    """(reference, code, Chinese, English) of what looks doubtful in a batch: for the person who checks it."""
    return [
        (line.reference, *doubt)
        for line in batch_lines(session, sealer, batch_id)
        for doubt in doubts(line.payee_account, line.bank_code)
    ]

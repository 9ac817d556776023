"""What can be asked of payments."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from foundation.masking import Audience, account_for
from foundation.sealing import ERASED, Erased, Sealer
from foundation.staff.models import StaffMember
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


def payee_if_kept(sealer: Sealer, table: str, row_id: str, sealed: str) -> Payee | None:
    """The same, or None once it was erased at the end of its term."""
    return None if sealed == ERASED else open_payee(sealer, table, row_id, sealed)


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
    """(reference, code, Chinese, English) of what looks doubtful in a batch: for the person who checks it.

    Nothing of payees that were erased, decades after the batch was paid.
    """
    query = select(Payment.id, Payment.reference, Payment.sealed).where(Payment.batch_id == batch_id)
    return [
        (row.reference, *doubt)
        for row in session.execute(query.order_by(Payment.sequence))
        if (payee := payee_if_kept(sealer, "payment", row.id, row.sealed)) is not None
        for doubt in doubts(payee.account, payee.bank_code)
    ]


# --- for the pages ---------------------------------------------------------------------------------------------------


def all_batches(session: Session) -> list[Batch]:
    """Every batch, newest first."""
    return list(session.scalars(select(Batch).order_by(Batch.number.desc())))


def staff_of(session: Session, found: Iterable[Batch]) -> dict[str, str]:
    """Person → name of everybody who acted on some batches; a person without a row is shown by their number."""
    people = {p for batch in found for p in (batch.made_by, batch.checked_by, batch.released_by) if p}
    rows = session.execute(select(StaffMember.id, StaffMember.name).where(StaffMember.id.in_(people)))
    return {person: person for person in people} | {row.id: row.name for row in rows}


@dataclass(frozen=True, slots=True)
class Waiting:
    """Payables in one state: how many, and their sum in fen."""

    state: str
    code: str | None
    count: int
    total_fen: int


def waiting_payables(session: Session) -> list[Waiting]:
    """What is owed and in no batch: pending, and withheld by reason."""
    query = (
        select(Payable.state, Payable.withheld_code, func.count(), func.sum(Payable.amount_fen))
        .where(Payable.state.in_(("pending", "withheld")))
        .group_by(Payable.state, Payable.withheld_code)
        .order_by(Payable.state, Payable.withheld_code)
    )
    return [Waiting(row[0], row[1], row[2], int(row[3])) for row in session.execute(query)]


@dataclass(frozen=True, slots=True)
class LineShown:
    """A line of a batch as a page shows it: the account masked. Both are None once they were erased."""

    sequence: int
    reference: str
    payee_name: str | None
    account: str | None
    bank_code: str | None
    amount_fen: int
    state: str


def batch_page(session: Session, sealer: Sealer, batch_id: str, after: int, size: int) -> list[LineShown]:
    """The lines of a batch after a sequence number, at most `size`."""
    query = (
        select(
            Payment.id, Payment.sequence, Payment.reference, Payment.sealed, Payment.amount_fen, Payment.state
        )
        .where(Payment.batch_id == batch_id, Payment.sequence > after)
        .order_by(Payment.sequence)
        .limit(size)
    )
    lines = []
    for row in session.execute(query):
        payee = payee_if_kept(sealer, "payment", row.id, row.sealed)
        lines.append(
            LineShown(
                row.sequence,
                row.reference,
                None if payee is None else payee.name,
                None if payee is None else account_for(Audience.OFFICER, payee.account),
                None if payee is None else payee.bank_code,
                row.amount_fen,
                row.state,
            )
        )
    return lines


def payment_of_line(session: Session, batch_id: str, sequence: int) -> str | None:
    """The payment on a line of a batch; None where there is no such line. Raises Erased when its payee is gone."""
    if sequence >= 2**31:
        return None  # more than any batch holds, and than PostgreSQL compares without a fault
    query = select(Payment.id, Payment.account_lookup)
    row = session.execute(query.where(Payment.batch_id == batch_id, Payment.sequence == sequence)).first()
    if row is not None and row.account_lookup == ERASED:
        raise Erased
    return None if row is None else str(row.id)


def full_account(session: Session, sealer: Sealer, batch_id: str, sequence: int) -> str:
    """The account on a line, unmasked: for a full view that was granted. Raises NoResultFound for no such line."""
    query = select(Payment.id, Payment.sealed).where(
        Payment.batch_id == batch_id, Payment.sequence == sequence
    )
    row = session.execute(query).one()
    return open_payee(sealer, "payment", row.id, row.sealed).account


def bank_file(session: Session, file_id: str) -> BankFile | None:
    """One bank file by its id."""
    return session.get(BankFile, file_id)

"""What can be done to money: recording what came in, owing, batching, and the export of the bank file, once.

What belongs together commits together: a batch's bytes, digest, message id, states and ledger entries are one
transaction, and what lies on a disk is a copy.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from claims.models import ClaimRow, DecisionRow, Determination
from claims.queries import reveal_record
from foundation import files
from foundation.actors import Actor, Role
from foundation.clock import business_day
from foundation.counters import take_numbers
from foundation.database import bulk_insert, one_at_a_time, table_of
from foundation.errors import ConflictError, NotAllowedError
from foundation.money import Money
from foundation.sealing import Sealer
from foundation.trail import Change, record
from payments import batching
from payments.bank_formats.disbursement_csv import write_disbursement_csv
from payments.bank_formats.pain001 import Pain001Header, write_pain001
from payments.errors import BatchChanged, FundsShort
from payments.models import BankFile, Batch, FundReceipt, LedgerEntry, Payable, Payment
from payments.queries import bank_files, batch_lines, funds_available, open_payee


def reference_prefix(policy_number: str) -> str:
    """What message ids and references begin with: the policy's number if a bank file can carry it, else its digest."""
    if re.fullmatch("[0-9A-Za-z]([0-9A-Za-z-]{0,18}[0-9A-Za-z])?", policy_number):
        return policy_number
    return "FP" + hashlib.sha256(policy_number.encode()).hexdigest()[:10]


@dataclass(frozen=True, slots=True)
class PayingAccount:
    """The account that pays, as it stands in the bank file."""

    name: str
    account: str
    bank_code: str | None


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
    _book(session, at, [(f"receipt:{receipt.id}", "BANK", "PREMIUM", receipt.amount_fen)])
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
        )
        .join(DecisionRow, DecisionRow.id == Determination.decision_id)
        .join(ClaimRow, ClaimRow.id == Determination.claim_id)
        .outerjoin(Payable, Payable.determination_id == Determination.id)
        .where(Determination.outcome == "approve", Payable.id.is_(None))
    )
    found = []
    for determination_id, amount_fen, decision_id, sealed, town, line in session.execute(query):
        stored = orjson.loads(reveal_record(sealer, decision_id, sealed))
        claim, decision = stored["facts"]["claim"], stored["decision"]
        payee = {name: decision[name] for name in ("bank_code", "payee_account", "payee_name")}
        found.append(
            (claim["notified_on"], claim["claim_no"], determination_id, amount_fen, payee, town, line)
        )
    found.sort(key=lambda item: item[:2])
    rows: list[dict[str, Any]] = []
    numbers = take_numbers(session, "payable", len(found))
    for number, (_, _, determination_id, amount_fen, payee, town, line) in zip(numbers, found, strict=True):
        identity = secrets.token_hex(16)
        rows.append(
            {
                "id": identity,
                "determination_id": determination_id,
                "number": number,
                "town": town,
                "line": line,
                "amount_fen": amount_fen,
                "sealed": sealer.seal("payable", "sealed", identity, orjson.dumps(payee).decode()),
                "state": "pending",
                "withheld_code": None,
                "created_at": at,
            }
        )
    bulk_insert(session, table_of(Payable), rows)
    _book(
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


def make_batch(
    session: Session, sealer: Sealer, maker: Actor, at: datetime, prefix: str, persons_required: int = 3
) -> Batch | None:
    """Puts every pending payable that the bank's files can carry into one batch; None when there is none.

    What they cannot carry is withheld with the reason. `prefix` begins the message id and the references.
    """
    maker.must_be(Role.FIN_MAKER)
    one_at_a_time(session, "payments")
    query = select(Payable).where(Payable.state == "pending").order_by(Payable.number)
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
    (number,) = take_numbers(session, "batch")
    batch = Batch(
        id=secrets.token_hex(16),
        number=number,
        message_id=batching.message_id(prefix, number),
        state="made",
        payments=draft.count,
        total_fen=draft.total_fen,
        content_digest=_content_digest(sealer, draft.lines),
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
    _move(session, Payable, [line.payable_id for line in draft.lines], "pending", "batched")
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


def _withhold(session: Session, actor: Actor, at: datetime, refusals: Sequence[batching.Refusal]) -> None:
    for refusal in refusals:
        where = (Payable.id == refusal.payable_id) & (Payable.state == "pending")
        session.execute(update(Payable).where(where).values(state="withheld", withheld_code=refusal.code))
    changes = [
        Change("payable.withheld", "payable", refusal.payable_id, reason=refusal.code) for refusal in refusals
    ]
    record(session, actor, at, changes)


def _content_digest(sealer: Sealer, lines: Sequence[batching.PaymentLine]) -> str:
    """SHA-256 over what the lines pay: reference, amount, and the keyed digest of account, holder and bank code."""
    content = hashlib.sha256()
    for line in lines:
        payee = sealer.lookup("payee", f"{line.payee_account}|{line.payee_name}|{line.bank_code}")
        content.update(f"{line.sequence}|{line.reference}|{line.amount_fen}|{payee}\n".encode())
    return content.hexdigest()


def check_batch(session: Session, sealer: Sealer, checker: Actor, at: datetime, batch_id: str) -> Batch:
    """复核: a second person confirms the batch as it is. Raises NotAllowedError, ConflictError or BatchChanged."""
    checker.must_be(Role.FIN_CHECKER)
    batch = _batch(session, batch_id, "made")
    if checker.person == batch.made_by:
        raise NotAllowedError("制单与复核须由两人办理", "making and checking take two persons")
    digest = _content_digest(sealer, batch_lines(session, sealer, batch_id))
    if digest != batch.content_digest:
        raise BatchChanged(batch.number)
    values = {"state": "checked", "checked_by": checker.person, "checked_at": at, "checked_digest": digest}
    _advance(session, batch, values)
    record(session, checker, at, [Change("batch.checked", "batch", batch.id, after=digest, before="made")])
    return batch


def release_batch(session: Session, releaser: Actor, at: datetime, batch_id: str) -> Batch:
    """授权: a third person (or by setting the second) releases the batch, if the funds cover it."""
    releaser.must_be(Role.FIN_RELEASER)
    batch = _batch(session, batch_id, "checked")
    too_few = releaser.person == batch.checked_by and batch.persons_required == 3
    if releaser.person == batch.made_by or too_few:
        raise NotAllowedError("授权人须为另一人", "the releaser must be another person")
    available = funds_available(session)
    if available < batch.total_fen:
        raise FundsShort(available, batch.total_fen)
    _advance(session, batch, {"state": "released", "released_by": releaser.person, "released_at": at})
    record(
        session,
        releaser,
        at,
        [Change("batch.released", "batch", batch.id, after=batch.content_digest, before="checked")],
    )
    return batch


def export_batch(
    session: Session, sealer: Sealer, actor: Actor, at: datetime, batch_id: str, paying: PayingAccount
) -> list[BankFile]:
    """Exports a released batch: both bank files, states and ledger in this one transaction.

    A second export changes nothing and gives the same files, under the same message id.
    """
    one_at_a_time(session, "payments")
    known = bank_files(session, batch_id)
    if known:
        return known
    batch = _batch(session, batch_id, "released")
    lines = batch_lines(session, sealer, batch_id)
    if _content_digest(sealer, lines) != batch.content_digest:
        raise BatchChanged(batch.number)
    header = Pain001Header(
        message_id=batch.message_id,
        created_at=batch.made_at,
        debtor_name=paying.name,
        debtor_account=paying.account,
        debtor_bank_code=paying.bank_code,
        execution_date=batch.execution_on,
        count=batch.payments,
        total_fen=batch.total_fen,
    )
    contents = (
        (
            "pain.001.001.09",
            f"{batch.message_id}.xml",
            "application/xml",
            b"".join(write_pain001(header, lines)),
        ),
        ("disbursement_csv", f"{batch.message_id}.csv", "text/csv", b"".join(write_disbursement_csv(lines))),
    )
    changes = [Change("batch.exported", "batch", batch.id, after=batch.content_digest, before="released")]
    for name_of_format, name, media_type, content in contents:
        stored = files.store(session, sealer, content, media_type)
        row = BankFile(
            id=secrets.token_hex(16),
            batch_id=batch.id,
            format=name_of_format,
            name=name,
            file_id=stored.id,
            sha256=stored.sha256,
            exported_at=at,
        )
        session.add(row)
        changes.append(
            Change("bank_file.exported", "bank_file", row.id, after=stored.sha256, before=batch.id)
        )
    session.flush()
    _advance(session, batch, {"state": "exported", "exported_at": at})
    payments = session.execute(
        select(Payment.id, Payment.amount_fen).where(Payment.batch_id == batch.id).order_by(Payment.sequence)
    ).all()
    _move(session, Payment, [row.id for row in payments], "batched", "sent")
    _move(session, Payable, [line.payable_id for line in lines], "batched", "sent")
    _book(
        session,
        at,
        [(f"payment:{row.id}:exported", "PAYABLE", "TRANSIT", row.amount_fen) for row in payments],
    )
    record(
        session,
        actor,
        at,
        [*changes, *(Change("payment.sent", "payment", row.id, before="batched") for row in payments)],
    )
    return bank_files(session, batch_id)


def _batch(session: Session, batch_id: str, state: str) -> Batch:
    batch = session.get_one(Batch, batch_id, populate_existing=True)
    if batch.state != state:
        raise ConflictError(
            f"批次 {batch.number} 的状态为 {batch.state},此操作要求 {state}",
            f"batch {batch.number} is {batch.state}; this step needs it {state}",
        )
    return batch


def _advance(session: Session, batch: Batch, values: dict[str, Any]) -> None:
    """Changes a batch only if nobody else has moved it since it was read."""
    changed = session.execute(
        update(Batch).where(Batch.id == batch.id, Batch.state == batch.state).values(values)
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result has it
        raise ConflictError(
            f"批次 {batch.number} 刚被他人处理", f"somebody else has just handled batch {batch.number}"
        )
    session.refresh(batch)


def _move(
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


def _book(session: Session, at: datetime, entries: Sequence[tuple[str, str, str, int]]) -> None:
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

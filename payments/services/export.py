"""The export of a batch, once: a batch's bytes, digests, states and ledger entries are one transaction.

What lies on a disk is a copy that can be made again.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation import files
from foundation.actors import Actor
from foundation.database import one_at_a_time
from foundation.privacy.exports import Agreed, HandedOut, Wanted, hand_out
from foundation.sealing import Sealer
from foundation.trail.events import Change, record
from payments.bank_formats.disbursement_csv import write_disbursement_csv
from payments.bank_formats.pain001 import Pain001Header, write_pain001
from payments.errors import BatchChanged
from payments.models import BankFile, Batch, Payable, Payment
from payments.queries import bank_files, batch_lines
from payments.services.batches import advance, batch_in_state, content_digest, move
from payments.services.owing import book


@dataclass(frozen=True, slots=True)
class PayingAccount:
    """The account that pays, as it stands in the bank file."""

    name: str
    account: str
    bank_code: str | None


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
    batch = batch_in_state(session, batch_id, "released")
    lines = batch_lines(session, sealer, batch_id)
    if content_digest(sealer, lines) != batch.content_digest:
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
    advance(session, batch, {"state": "exported", "exported_at": at})
    payments = session.execute(
        select(Payment.id, Payment.amount_fen).where(Payment.batch_id == batch.id).order_by(Payment.sequence)
    ).all()
    move(session, Payment, [row.id for row in payments], "batched", "sent")
    move(session, Payable, [line.payable_id for line in lines], "batched", "sent")
    book(
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


def hand_out_file(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    file: BankFile,
    purpose: str | None,
    note: str | None,
) -> HandedOut:
    """A bank file, the same bytes each time, by the register of exports; each copy counts.

    Above the number that one person takes alone, who released the batch is the second person, and who checked it where
    the releaser takes it. Raises what `foundation.privacy.exports.hand_out` raises.
    """
    batch = session.get_one(Batch, file.batch_id)
    wanted = Wanted(
        "bank_file",
        batch.payments,
        {"format": file.format},
        file.id,
        purpose=purpose,
        note=note,
        agreed=_agreed(batch, actor),
    )
    content = files.load(session, sealer, file.file_id)
    taken = hand_out(session, sealer, actor, at, wanted, lambda _stamp: content)
    if taken.content is not None:
        change = Change("bank_file.downloaded", "bank_file", file.id, after=file.sha256, before=file.batch_id)
        record(session, actor, at, [change])
    return taken


def _agreed(batch: Batch, taker: Actor) -> Agreed | None:
    """Who else has seen this batch's payments and let them go."""
    for person, at in ((batch.released_by, batch.released_at), (batch.checked_by, batch.checked_at)):
        if person is not None and at is not None and person != taker.person:
            return Agreed(person, at)
    return None

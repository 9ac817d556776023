"""Batches in the API: the list, and one with its lines and bank files. Read only; accounts masked, no file's bytes."""

from __future__ import annotations

from typing import Any

from marshmallow import fields
from sqlalchemy import select

from foundation.errors import NotFound
from foundation.web.acting import reading, sealer
from foundation.web.api import Output, Paged, Resources, as_page, page_schema
from foundation.web.fields import Choice, IsoDate, Money, TextSchema, Whole
from foundation.web.paging import MOST_ROWS, keyset
from payments.models import Batch
from payments.queries import bank_files, batch_page
from payments.states import BATCH_STEPS, PAYMENT_STATE_NAMES

resources = Resources("payments", __name__, "Payment batches and their lines.")


class BatchArguments(Paged):
    """What the list is narrowed to."""

    state = Choice(BATCH_STEPS)


class LineArguments(TextSchema):
    """Which lines of the batch are shown."""

    after = Whole(0, 10**6, load_default=0, metadata={"description": "Lines after this sequence number."})
    size = Whole(1, MOST_ROWS, load_default=50)


class BatchRow(Output):
    """A batch with its control totals. Persons are named by their ids; null until they have acted."""

    id = fields.String(required=True)
    number = fields.Integer(required=True)
    policy_number = fields.String(required=True)
    message_id = fields.String(required=True)
    state = Choice(BATCH_STEPS, required=True)
    payments = fields.Integer(required=True)
    total = Money(required=True, attribute="total_fen")
    content_digest = fields.String(required=True)
    execution_on = IsoDate(required=True)
    persons_required = fields.Integer(required=True)
    made_by = fields.String(required=True)
    made_at = fields.AwareDateTime(required=True)
    checked_by = fields.String(required=True, allow_none=True)
    checked_at = fields.AwareDateTime(required=True, allow_none=True)
    released_by = fields.String(required=True, allow_none=True)
    released_at = fields.AwareDateTime(required=True, allow_none=True)
    exported_at = fields.AwareDateTime(required=True, allow_none=True)


class PaymentRow(Output):
    """A line of a batch; the account is masked. Payee and account are null once they were erased after their term."""

    sequence = fields.Integer(required=True)
    reference = fields.String(required=True)
    payee_name = fields.String(required=True, allow_none=True)
    account = fields.String(required=True, allow_none=True)
    bank_code = fields.String(required=True, allow_none=True)
    amount = Money(required=True, attribute="amount_fen")
    state = Choice(PAYMENT_STATE_NAMES, required=True)


class BankFileRow(Output):
    """A bank file of the batch, without its bytes."""

    id = fields.String(required=True)
    format = fields.String(required=True)
    name = fields.String(required=True)


class BatchData(Output):
    """A batch with its files and one page of its lines; `next_after` leads to the next page, null on the last."""

    batch = fields.Nested(BatchRow, required=True)
    files = fields.List(fields.Nested(BankFileRow), required=True)
    lines = fields.List(fields.Nested(PaymentRow), required=True)
    next_after = fields.Integer(required=True, allow_none=True)


@resources.at("/batches")
@resources.parameters(BatchArguments)
@resources.answers(page_schema(BatchRow, "BatchPage"))
def listed(asked: dict[str, Any]) -> dict[str, Any]:
    """The batches, newest first."""
    query = select(Batch)
    if "state" in asked:
        query = query.where(Batch.state == asked["state"])
    with reading() as session:
        cursor, size = asked.get("cursor"), asked["size"]
        page = keyset(session, query, [Batch.number], Batch.id, cursor, size, descending=True)
    return as_page(page)


@resources.at("/batches/<row_id:batch_id>")
@resources.tagged
@resources.parameters(LineArguments)
@resources.answers(BatchData)
def shown(asked: dict[str, Any], batch_id: str) -> dict[str, Any]:
    """One batch with its files and its lines in order."""
    with reading() as session:
        batch = session.get(Batch, batch_id)
        if batch is None:
            raise NotFound
        files = bank_files(session, batch_id)
        lines = batch_page(session, sealer(), batch_id, asked["after"], asked["size"])
    last = lines[-1].sequence if lines else batch.payments
    return {
        "batch": batch,
        "files": files,
        "lines": lines,
        "next_after": last if last < batch.payments else None,
    }

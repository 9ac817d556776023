"""One case as the trail tells it: every event of the claim and of all that came of it, in their order.

To the claim belong its decisions, its determination, reviews, what is owed, payments with their batches and bank files,
documents, full views, and what was exported of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from claims.models import ClaimRow, DecisionRow, Determination, Review
from claims.services.listing_export import KIND as CLAIMS_WORKBOOK
from claims.terms import OUTCOME_NAMES, Pair
from foundation.errors import NotFound
from foundation.money import Money
from foundation.privacy.models import Export
from foundation.trail.events import Event
from payments.models import BankFile, Batch, Payable, Payment
from reports.models import DocumentNumber, IssuedDocument
from webapp.trail_queries import Line, opened

_MOST_EXPORTS = 2000
"""Exports of lists that are compared with the claim, the newest ones."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the claim stands: for who may read claims."""

    claim_no: str
    state: str
    determination: Determination | None
    payable_state: str | None


@dataclass(frozen=True, slots=True)
class Story:
    """The events of a case, oldest first, and what there is to say of single rows beside the event's own reason."""

    standing: Standing
    lines: Sequence[Line]
    remarks: Mapping[str, Pair]


def story_of(session: Session, claim_id: str) -> Story:
    """The story of a claim. Raises NotFound. The number of statements is the same for every claim."""
    claim = session.get(ClaimRow, claim_id)
    if claim is None:
        raise NotFound
    remarks: dict[str, Pair] = {}
    ids = [claim_id, *session.scalars(select(Review.id).where(Review.claim_id == claim_id))]
    decisions = (
        select(DecisionRow.id, DecisionRow.sequence, DecisionRow.outcome, DecisionRow.payable_fen)
        .where(DecisionRow.claim_id == claim_id)
        .order_by(DecisionRow.sequence)
    )
    for decision in session.execute(decisions):
        zh, en = OUTCOME_NAMES[decision.outcome]
        amount = Money(decision.payable_fen).grouped
        remarks[decision.id] = (
            f"第 {decision.sequence} 次:{zh},应付 {amount} 元",
            f"no. {decision.sequence}: {en}, payable {amount} yuan",
        )
    determination = session.scalars(select(Determination).where(Determination.claim_id == claim_id)).first()
    payable_state = None
    if determination is not None:
        ids.append(determination.id)
        payable_state = _paid(session, determination.id, remarks, ids)
        _documents(session, determination.id, remarks, ids)
    ids += _exports(session, claim, [*ids, *remarks])
    events = select(Event).where(Event.subject_id.in_([*ids, *remarks])).order_by(Event.id)
    standing = Standing(claim.claim_no, claim.state, determination, payable_state)
    return Story(standing, [opened(event) for event in session.scalars(events)], remarks)


def _paid(session: Session, determination_id: str, remarks: dict[str, Pair], ids: list[str]) -> str | None:
    """What is owed, each attempt to pay it, the batches of those and their files; the state of what is owed."""
    payable = session.execute(
        select(Payable.id, Payable.amount_fen, Payable.state).where(
            Payable.determination_id == determination_id
        )
    ).first()
    if payable is None:
        return None
    amount = Money(payable.amount_fen).grouped
    remarks[payable.id] = (f"{amount} 元", f"{amount} yuan")
    attempts = (
        select(Payment.id, Payment.reference, Payment.batch_id, Batch.message_id)
        .join(Batch, Batch.id == Payment.batch_id)
        .where(Payment.payable_id == payable.id)
    )
    batches: list[str] = []
    for attempt in session.execute(attempts):
        remarks[attempt.id] = (attempt.reference, attempt.reference)
        remarks[attempt.batch_id] = (attempt.message_id, attempt.message_id)
        batches.append(attempt.batch_id)
    files = select(BankFile.id, BankFile.name).where(BankFile.batch_id.in_(batches))
    remarks.update({row.id: (row.name, row.name) for row in session.execute(files)})
    ids.append(payable.id)
    return str(payable.state)


def _documents(session: Session, determination_id: str, remarks: dict[str, Pair], ids: list[str]) -> None:
    for table in (IssuedDocument, DocumentNumber):
        ids += session.scalars(select(table.id).where(table.subject_id == determination_id))
    issued = select(IssuedDocument.id, IssuedDocument.sha256).where(
        IssuedDocument.subject_id == determination_id
    )
    for row in session.execute(issued):
        remarks[row.id] = (f"文件摘要 {row.sha256[:16]}…", f"digest of the file {row.sha256[:16]}…")


def _exports(session: Session, claim: ClaimRow, ids: Sequence[str]) -> list[str]:
    """Ids of the exports of one of these things, and of the lists whose filters leave the claim in them."""
    of_things = list(session.scalars(select(Export.id).where(Export.subject_id.in_(ids))))
    lists = (
        select(Export.id, Export.arguments)
        .where(Export.kind == CLAIMS_WORKBOOK)
        .order_by(Export.number.desc())
        .limit(_MOST_EXPORTS)
    )
    return of_things + [
        row.id for row in session.execute(lists) if _may_hold(orjson.loads(row.arguments), claim)
    ]


def _may_hold(filters: Mapping[str, Any], claim: ClaimRow) -> bool:
    """Whether a list narrowed so may have held the claim, by what never changes of it: its state then is not known."""
    same = all(
        filters.get(name) in (None, value)
        for name, value in (("line", claim.line), ("town", claim.town), ("policy", claim.policy_number))
    )
    first, last = filters.get("notified_from"), filters.get("notified_to")
    return (
        same
        and (first is None or date.fromisoformat(first) <= claim.notified_on)
        and (last is None or claim.notified_on <= date.fromisoformat(last))
    )

"""How many people an issued document is about: what decides whether it is handed out at once. Read only.

A letter is about one person; a report that only counts is about nobody. No kind is left out: a new one has to say it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from claims.models import ClaimRow, Determination
from payments.models import Batch, Payable, Payment
from reports.certificates import certificates_asked, people_on
from reports.notices import households_on, notice_asked

ONE_PERSON = frozenset({"payment_notice", "refusal_notice", "calculation_sheet"})
"""Handed out at once. A claim form is about one person too, but with the ID number in full: it asks for a purpose."""


def people_in(session: Session, kind: str, subject_id: str, issued_at: datetime) -> int:
    """How many people a document names. Raises KeyError for a kind that nobody has told this file of."""
    return 1 if kind in ONE_PERSON else _COUNTED[kind](session, subject_id, issued_at)


def _batch(session: Session, batch_id: str, _issued_at: datetime) -> int:
    return session.scalar(select(Batch.payments).where(Batch.id == batch_id)) or 0


def _paid(session: Session, policy_number: str, issued_at: datetime) -> int:
    """Every payment under the policy that there was when the report was issued: each stands in it with its payee."""
    query = (
        select(func.count())
        .select_from(Payment)
        .join(Batch, Batch.id == Payment.batch_id)
        .join(Payable, Payable.id == Payment.payable_id)
        .join(Determination, Determination.id == Payable.determination_id)
        .join(ClaimRow, ClaimRow.id == Determination.claim_id)
        .where(ClaimRow.policy_number == policy_number, Batch.made_at <= issued_at)
    )
    return session.scalar(query) or 0


def _households(session: Session, subject_id: str, _issued_at: datetime) -> int:
    return households_on(session, notice_asked(subject_id))


def _insured(session: Session, subject_id: str, _issued_at: datetime) -> int:
    return people_on(session, certificates_asked(subject_id))


def _one(_session: Session, _subject_id: str, _issued_at: datetime) -> int:
    return 1


def _nobody(_session: Session, _subject_id: str, _issued_at: datetime) -> int:
    return 0


_COUNTED: Mapping[str, Callable[[Session, str, datetime], int]] = {
    "batch_summary": _batch,
    "audit_report": _paid,
    "village_notice": _households,
    "cover_certificate": _insured,
    "programme_report": _nobody,
    "claim_form": _one,
}

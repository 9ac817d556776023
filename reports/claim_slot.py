"""What a claim's page shows of documents: the letters and the calculation sheet that were issued on it, to download."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Flask
from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from claims.case_view import DIAGNOSIS_SEEN_BY
from claims.models import ClaimRow, Determination
from claims.slots import CaseIds, Filling, fill
from foundation.sealing import Sealer
from foundation.web.acting import acting
from reports.documents import number_text
from reports.models import DocumentNumber, IssuedDocument
from reports.pages import KIND_NAMES
from reports.queries import LETTER_KINDS, without_diagnosis

_TEMPLATE = "reports/claim_slot.html"
_HAPPENINGS = {
    "document.issued": ("出具文书", "document issued"),
    "document.downloaded": ("下载文书", "document downloaded"),
}


@dataclass(frozen=True, slots=True)
class IssuedOnClaim:
    """A document that was issued on a claim. `number` is printed on it."""

    id: str
    kind: str
    number: str
    issued_at: datetime


def register(app: Flask) -> None:
    """Fills the slot `documents` of an application's claim page."""
    fill(app, "documents", show)


def show(session: Session, _sealer: Sealer, ids: CaseIds) -> Filling | None:
    """The documents of a claim, once it is determined. One statement; the PDFs stay where they are."""
    if ids.determination_id is None:
        return None
    found = issued_on(session, ids.determination_id, diagnosis=acting().role in DIAGNOSIS_SEEN_BY)
    remarks = {document.id: KIND_NAMES[document.kind] for document in found}
    values = {"documents": found, "kind_names": KIND_NAMES}
    return Filling(_TEMPLATE, values, tuple(document.id for document in found), _HAPPENINGS, remarks)


def issued_on(session: Session, determination_id: str, *, diagnosis: bool) -> list[IssuedOnClaim]:
    """The letters and the calculation sheet on a determination, in the order of issuing.

    For somebody who may not read a `diagnosis`, without those that can name one.
    """
    query = (
        select(
            IssuedDocument.id,
            IssuedDocument.kind,
            DocumentNumber.year,
            DocumentNumber.number,
            IssuedDocument.issued_at,
        )
        .join(
            DocumentNumber,
            and_(
                DocumentNumber.kind == IssuedDocument.kind,
                DocumentNumber.subject_id == IssuedDocument.subject_id,
                DocumentNumber.figures_digest == IssuedDocument.figures_digest,
            ),
        )
        .join(Determination, Determination.id == IssuedDocument.subject_id)
        .join(ClaimRow, ClaimRow.id == Determination.claim_id)
        .where(
            IssuedDocument.subject_id == determination_id,
            IssuedDocument.kind.in_(LETTER_KINDS),
            without_diagnosis(diagnosis=diagnosis),
        )
        .order_by(IssuedDocument.issued_at, IssuedDocument.kind)
    )
    return [
        IssuedOnClaim(row.id, row.kind, number_text(row.kind, row.year, row.number), row.issued_at)
        for row in session.execute(query)
    ]

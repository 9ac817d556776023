"""Documents at the end of their terms: which are still there, and taking their content out.

Numbers, names, days, digests of the figures and the SHA-256 of the bytes stay, so that a copy somebody has is still
recognised as the one that was issued.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from foundation.clock import business_day
from foundation.files import StoredFile
from foundation.privacy.erasing import erase_files, file_is_there
from foundation.trail.events import Change
from households.models.warnings import WarningCase
from reports.certificates import ROW_ID
from reports.models import IssuedDocument
from reports.queries import LETTER_KINDS
from reports.terms import CLAIM_FORM, COVER_CERTIFICATE

BATCH_KINDS = ("batch_summary",)
COUNTY_KINDS = ("audit_report", "village_notice")
"""Documents that name people of many cases. A programme report names nobody and is kept."""


@dataclass(frozen=True, slots=True)
class DocumentKept:
    """A document whose content is there."""

    id: str
    kind: str
    subject_id: str
    file_id: str
    sha256: str
    issued_on: date


def documents_there(session: Session, kinds: Sequence[str], which: ColumnElement[bool]) -> list[DocumentKept]:
    """Documents of some kinds whose content was not taken out yet, of those that a condition over them names."""
    document = IssuedDocument
    query = (
        select(
            document.id,
            document.kind,
            document.subject_id,
            document.file_id,
            document.sha256,
            document.issued_at,
        )
        .join(StoredFile, StoredFile.id == document.file_id)
        .where(document.kind.in_(kinds), file_is_there(), which)
        .order_by(document.issued_at, document.id)
    )
    return [DocumentKept(*row[:-1], business_day(row.issued_at)) for row in session.execute(query)]


def erase_letters(session: Session, determination_ids: Sequence[str], reason: str) -> list[Change]:
    """Takes the content out of all letters and sheets on determinations. The events, not yet recorded."""
    return _erase(session, LETTER_KINDS, IssuedDocument.subject_id.in_(determination_ids), reason)


def erase_summaries(session: Session, batch_ids: Sequence[str], reason: str) -> list[Change]:
    """Takes the content out of the summaries of batches. The events, not yet recorded."""
    return _erase(session, BATCH_KINDS, IssuedDocument.subject_id.in_(batch_ids), reason)


def erase_county_documents(session: Session, document_ids: Sequence[str], reason: str) -> list[Change]:
    """Takes the content out of audit reports and village notices. The events, not yet recorded."""
    return _erase(session, COUNTY_KINDS, IssuedDocument.id.in_(document_ids), reason)


def erase_certificates(session: Session, household_ids: Sequence[str], reason: str) -> list[Change]:
    """Takes the content out of the certificates of cover of some households. The events, not yet recorded."""
    household = func.substr(IssuedDocument.subject_id, 1, ROW_ID)
    return _erase(session, (COVER_CERTIFICATE,), household.in_(household_ids), reason)


def erase_claim_forms(session: Session, household_ids: Sequence[str], reason: str) -> list[Change]:
    """Takes the content out of the claim forms of some households' warnings. The events, not yet recorded."""
    cases = select(WarningCase.id).where(WarningCase.household_id.in_(household_ids))
    return _erase(session, (CLAIM_FORM,), IssuedDocument.subject_id.in_(cases), reason)


def _erase(session: Session, kinds: Sequence[str], which: ColumnElement[bool], reason: str) -> list[Change]:
    found = documents_there(session, kinds, which)
    erase_files(session, [document.file_id for document in found])
    return [
        Change("document.erased", "issued_document", document.id, before=document.sha256, reason=reason)
        for document in found
    ]

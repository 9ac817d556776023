"""What documents are made of: determined claims and batches as figures, and what was issued before. Read only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Select, case, func, select, true
from sqlalchemy.orm import Session, aliased

from claims.models import ClaimRow, DecisionRow, Determination
from claims.queries import open_decision
from foundation.clock import business_day
from foundation.files import StoredFile
from foundation.masking import Audience, account_for
from foundation.places import VILLAGE_DIGITS, within
from foundation.sealing import Sealer
from foundation.trail.events import Event
from foundation.trail.sealing import Head
from households.models import HouseholdRow
from households.models.warnings import WarningCase
from payments.models import BankFile, Batch, Payable, Payment
from payments.queries import payee_if_kept
from policies.policy import Policy
from policies.queries import policy_by_id
from reports.cases import DeterminedRow, case_of
from reports.certificates import ROW_ID
from reports.figures import BatchFigures, BatchLine, CaseFigures, FileFigures
from reports.models import DocumentNumber, IssuedDocument
from reports.people import minors_of, payee_for_auditor
from reports.terms import CLAIM_FORM, COVER_CERTIFICATE, ERASED_WORD, VILLAGE_NOTICE

_MOST_IDS = 500
"""Ids asked for in one statement."""


def case_figures(session: Session, sealer: Sealer, determination_ids: Sequence[str]) -> list[CaseFigures]:
    """Determined claims in the order asked for. Raises KeyError for an id that is no determination's."""
    found = {}
    for row in _determined(session, determination_ids):
        facts, decision = open_decision(sealer, row.decision_id, row.sealed)
        policy = policy_by_id(session, row.policy_id)
        found[row.id] = case_of(policy, facts, decision, DeterminedRow(*row[: len(fields(DeterminedRow))]))
    return [found[identity] for identity in determination_ids]


def _determined(session: Session, ids: Sequence[str]) -> Iterator[Any]:
    query = (
        select(
            Determination.id,
            Determination.outcome,
            Determination.amount_fen,
            Determination.recommended_by,
            Determination.determined_by,
            Determination.determined_at,
            DecisionRow.digest,
            ClaimRow.town,
            HouseholdRow.village,
            DecisionRow.id.label("decision_id"),
            DecisionRow.sealed,
            DecisionRow.policy_id,
        )
        .join(DecisionRow, DecisionRow.id == Determination.decision_id)
        .join(ClaimRow, ClaimRow.id == Determination.claim_id)
        .outerjoin(HouseholdRow, HouseholdRow.id == Determination.household_id)
    )
    for part in _parts(ids):
        yield from session.execute(query.where(Determination.id.in_(part)))


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _MOST_IDS):
        yield ids[start : start + _MOST_IDS]


# --- batches ---------------------------------------------------------------------------------------------------------


def batch_figures(session: Session, sealer: Sealer, batch_id: str, with_lines: bool = True) -> BatchFigures:
    """A batch with its lines in order and its files. Raises NoResultFound for an id that is no batch's."""
    batch = session.execute(select(*Batch.__table__.columns).where(Batch.id == batch_id)).one()
    policy = _policy_of_batch(session, batch_id)
    query = (
        select(BankFile.name, BankFile.format, BankFile.sha256, StoredFile.size)
        .join(StoredFile, StoredFile.id == BankFile.file_id)
        .where(BankFile.batch_id == batch_id)
    )
    files = sorted(
        (FileFigures(*row) for row in session.execute(query)), key=lambda file: file.format, reverse=True
    )
    return BatchFigures(
        batch_id=batch.id,
        number=batch.number,
        message_id=batch.message_id,
        state=batch.state,
        insurer=policy.insurer,
        purchaser=policy.purchaser,
        execution_on=batch.execution_on,
        payments=batch.payments,
        total_fen=batch.total_fen,
        content_digest=batch.content_digest,
        made_by=batch.made_by,
        made_at=batch.made_at,
        checked_by=batch.checked_by,
        checked_at=batch.checked_at,
        released_by=batch.released_by,
        released_at=batch.released_at,
        exported_at=batch.exported_at,
        files=tuple(files),
        lines=tuple(_batch_lines(session, sealer, batch_id)) if with_lines else (),
    )


def _policy_of_batch(session: Session, batch_id: str) -> Policy:
    """The policy of a batch's first payment: it names who pays."""
    query = (
        select(DecisionRow.policy_id)
        .join(Determination, Determination.decision_id == DecisionRow.id)
        .join(Payable, Payable.determination_id == Determination.id)
        .join(Payment, Payment.payable_id == Payable.id)
        .where(Payment.batch_id == batch_id)
        .order_by(Payment.sequence)
        .limit(1)
    )
    return policy_by_id(session, session.execute(query).scalar_one())


def _batch_lines(session: Session, sealer: Sealer, batch_id: str) -> Iterator[BatchLine]:
    query = (
        select(
            Payment.id,
            Payment.sequence,
            Payment.reference,
            Payment.amount_fen,
            Payment.sealed,
            Payable.town,
            ClaimRow.claim_no,
            ClaimRow.line,
            ClaimRow.event_on,
            DecisionRow.policy_id,
            DecisionRow.id.label("decision_id"),
            DecisionRow.sealed.label("record"),
            Determination.determined_at,
        )
        .join(Payable, Payable.id == Payment.payable_id)
        .join(Determination, Determination.id == Payable.determination_id)
        .join(DecisionRow, DecisionRow.id == Determination.decision_id)
        .join(ClaimRow, ClaimRow.id == Determination.claim_id)
        .where(Payment.batch_id == batch_id)
        .order_by(Payment.sequence)
    )
    for row in session.execute(query):
        payee = payee_if_kept(sealer, "payment", row.id, row.sealed)
        name, account, bank_code = ERASED_WORD, "", ""
        if payee is not None:
            facts, _ = open_decision(sealer, row.decision_id, row.record)
            name = payee_for_auditor(payee.name, minors_of(facts, business_day(row.determined_at)))
            account, bank_code = account_for(Audience.AUDITOR, payee.account), payee.bank_code or ""
        yield BatchLine(
            row.sequence,
            row.reference,
            row.claim_no,
            line_title(policy_by_id(session, row.policy_id), row.line, row.event_on),
            row.town,
            name,
            account,
            bank_code,
            row.amount_fen,
        )


def line_title(policy: Policy, line: str, event_on: Any) -> str:
    """The title that the policy gives a line of cover; its key where the policy has no such line."""
    found = policy.on(event_on).lines.get(line)
    return line if found is None else found.title


# --- what was issued -------------------------------------------------------------------------------------------------

Key = tuple[str, str, str]
"""Kind, subject and figures digest of a document."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A document as issued, without its bytes: `foundation.files.load` gives those by `file_id`."""

    id: str
    kind: str
    subject_id: str
    figures_digest: str
    name: str
    file_id: str
    sha256: str
    issued_at: datetime

    @property
    def key(self) -> Key:
        """What makes two documents the same."""
        return self.kind, self.subject_id, self.figures_digest


def issued(session: Session, keys: Iterable[Key]) -> dict[Key, Issued]:
    """Those of the documents that were issued already."""
    wanted = set(keys)
    columns = [getattr(IssuedDocument, item.name) for item in fields(Issued)]
    found: dict[Key, Issued] = {}
    for part in _parts(sorted({subject for _, subject, _ in wanted})):
        for row in session.execute(select(*columns).where(IssuedDocument.subject_id.in_(part))):
            document = Issued(*row)
            if document.key in wanted:
                found[document.key] = document
    return found


def numbers(session: Session, keys: Iterable[Key]) -> dict[Key, tuple[int, int]]:
    """(year, number) of those of the documents that have one."""
    wanted = set(keys)
    found: dict[Key, tuple[int, int]] = {}
    for part in _parts(sorted({subject for _, subject, _ in wanted})):
        for row in session.scalars(select(DocumentNumber).where(DocumentNumber.subject_id.in_(part))):
            key = (row.kind, row.subject_id, row.figures_digest)
            if key in wanted:
                found[key] = (row.year, row.number)
    return found


def printed_head(session: Session, document_id: str) -> Head | None:
    """The head of the trail that a report has printed; None for a document without one."""
    query = select(Event.body).where(Event.subject_id == document_id, Event.action == "document.issued")
    for body in session.scalars(query):
        found = _HEAD.search(orjson.loads(body)["reason"])
        if found is not None:
            return Head(int(found[2]), found[3], int(found[1]))
    return None


_HEAD = re.compile(r"head=([0-9]+):([0-9]+):([0-9a-f]{64})")


# --- the documents' list ---------------------------------------------------------------------------------------------

LETTER_KINDS = ("payment_notice", "refusal_notice", "calculation_sheet")
"""Documents on one determination: whoever may see the claim may have them. The others are the county's."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A document as a list shows it."""

    id: str
    kind: str
    name: str
    issued_at: datetime
    sha256: str
    claim_no: str | None
    claim_id: str | None
    subject_id: str
    household_no: str | None
    warning_no: str | None


_CERTIFIED = aliased(HouseholdRow)
_OF_CERTIFICATE = (IssuedDocument.kind == COVER_CERTIFICATE) & (
    _CERTIFIED.id == func.substr(IssuedDocument.subject_id, 1, ROW_ID)
)
"""The household that a certificate is of: its subject begins with the household's id."""

_VILLAGE_CODE = case(
    (IssuedDocument.kind == VILLAGE_NOTICE, func.substr(IssuedDocument.subject_id, 1, VILLAGE_DIGITS)),
    (IssuedDocument.kind == COVER_CERTIFICATE, _CERTIFIED.village_code),
    (IssuedDocument.kind == CLAIM_FORM, WarningCase.village_code),
    else_=HouseholdRow.village_code,
)
"""Where a document belongs: a notice to its village, a letter or a certificate to the household's, a report to the
county (NULL)."""

_LISTED: Select[*tuple[Any, ...]] = (
    select(
        IssuedDocument.id,
        IssuedDocument.kind,
        IssuedDocument.name,
        IssuedDocument.issued_at,
        IssuedDocument.sha256,
        ClaimRow.claim_no,
        ClaimRow.id.label("claim_id"),
        IssuedDocument.subject_id,
        _CERTIFIED.household_no,
        WarningCase.number,
    )
    .outerjoin(Determination, Determination.id == IssuedDocument.subject_id)
    .outerjoin(ClaimRow, ClaimRow.id == Determination.claim_id)
    .outerjoin(HouseholdRow, HouseholdRow.id == ClaimRow.household_id)
    .outerjoin(_CERTIFIED, _OF_CERTIFICATE)
    .outerjoin(WarningCase, WarningCase.id == IssuedDocument.subject_id)
)


_WITH_DIAGNOSIS = ("refusal_notice", "calculation_sheet")


def without_diagnosis(*, diagnosis: bool) -> ColumnElement[bool]:
    """Whether a document may be shown to somebody who may, or may not, read a diagnosis or a grade of disability.

    Refusals and calculation sheets can name a diagnosis; every letter on a disability works with its grade.
    """
    if diagnosis:
        return true()
    no_diagnosis = IssuedDocument.kind.not_in(_WITH_DIAGNOSIS) | (ClaimRow.line != "illness")
    no_grade = IssuedDocument.kind.not_in(LETTER_KINDS) | (ClaimRow.benefit != "disability")
    return no_diagnosis & no_grade


def documents_of_kinds(
    session: Session,
    kinds: Sequence[str],
    place: str,
    before: tuple[datetime, str] | None,
    size: int,
    *,
    diagnosis: bool,
) -> list[Listed]:
    """Documents issued, newest first, at most `size`; `before` is (issued at, id) of the last one seen."""
    query = _LISTED.where(without_diagnosis(diagnosis=diagnosis)).where(
        IssuedDocument.kind.in_(kinds), within(_VILLAGE_CODE, place)
    )
    if before is not None:
        at, identity = before
        older = (IssuedDocument.issued_at < at) | (
            (IssuedDocument.issued_at == at) & (IssuedDocument.id < identity)
        )
        query = query.where(older)
    query = query.order_by(IssuedDocument.issued_at.desc(), IssuedDocument.id.desc()).limit(size)
    return [Listed(*row) for row in session.execute(query)]


@dataclass(frozen=True, slots=True)
class Kept:
    """A document to hand out, without its bytes."""

    id: str
    kind: str
    subject_id: str
    name: str
    file_id: str
    sha256: str
    issued_at: datetime


def document_file(
    session: Session, document_id: str, kinds: Sequence[str], place: str, *, diagnosis: bool
) -> Kept | None:
    """A document of these kinds in a place; None when there is no such one."""
    query = (
        select(*(getattr(IssuedDocument, item.name) for item in fields(Kept)))
        .outerjoin(Determination, Determination.id == IssuedDocument.subject_id)
        .outerjoin(ClaimRow, ClaimRow.id == Determination.claim_id)
        .outerjoin(HouseholdRow, HouseholdRow.id == ClaimRow.household_id)
        .outerjoin(_CERTIFIED, _OF_CERTIFICATE)
        .outerjoin(WarningCase, WarningCase.id == IssuedDocument.subject_id)
        .where(
            IssuedDocument.id == document_id,
            IssuedDocument.kind.in_(kinds),
            without_diagnosis(diagnosis=diagnosis),
            within(_VILLAGE_CODE, place),
        )
    )
    row = session.execute(query).first()
    return None if row is None else Kept(*row)

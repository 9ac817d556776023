"""What can be done to documents: preparing their figures, numbering, printing, and filing them as issued.

Printing is slow and happens with no session open: `prepare_…` reads, `number_documents` writes a number, `printed`
needs no database, `file_documents` writes the bytes. `reports.issuing` does these steps one after the other. Each can
be done again: the same figures keep their number, and once filed they are that document for ever.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy.orm import Session

from foundation import files, jobs
from foundation.actors import Actor
from foundation.clock import business_day
from foundation.counters import take_numbers
from foundation.database import bulk_insert, one_at_a_time, table_of
from foundation.sealing import Sealer
from foundation.trail.events import Change, record
from foundation.trail.sealing import Head
from reports import documents
from reports.audit import audit_figures
from reports.certificates import (
    CertificatesAsked,
    certificate_figures,
    covered_households,
    earlier_certificates,
)
from reports.claim_forms import claim_form_figures
from reports.documents import Figures
from reports.errors import NotCovered, NothingToPublish
from reports.figures import CertificateFigures, plain
from reports.models import DocumentNumber, IssuedDocument
from reports.notices import NoticeAsked, anything_to_publish, notice_asked, notice_figures
from reports.pdf import print_pdfs
from reports.programme import programme_figures
from reports.queries import Issued, Key, batch_figures, case_figures, issued, numbers
from reports.terms import CLAIM_FORM, COVER_CERTIFICATE, VILLAGE_NOTICE, WITH_HEAD

LETTER_OF_OUTCOME: Mapping[str, str] = {"approve": "payment_notice", "reject": "refusal_notice"}
_WORK = "documents"
"""Two that number or file the same document at once do it one after the other, and the second finds it done."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A document whose figures have been read. `digest` is the keyed digest of the figures.

    It leaves out the moment of issue, the number, and the head of the trail, so that asking again for the same figures
    gives the same document.
    """

    kind: str
    subject_id: str
    digest: str
    figures: Figures

    @property
    def key(self) -> Key:
        """What makes two documents the same."""
        return self.kind, self.subject_id, self.digest


@dataclass(frozen=True, slots=True)
class Printed:
    """A document with its bytes, not filed yet."""

    draft: Draft
    name: str
    content: bytes
    head: Head | None = None


# --- preparing -------------------------------------------------------------------------------------------------------


def prepare_letters(session: Session, sealer: Sealer, determination_ids: Sequence[str]) -> list[Draft]:
    """The letters on some determinations, in order: a payment notice or a refusal notice, by outcome."""
    found = case_figures(session, sealer, determination_ids)
    return [_draft(sealer, LETTER_OF_OUTCOME[case.outcome], case.determination_id, case) for case in found]


def prepare_calculation_sheets(
    session: Session, sealer: Sealer, determination_ids: Sequence[str]
) -> list[Draft]:
    """The calculation sheets of some determinations, in order."""
    found = case_figures(session, sealer, determination_ids)
    return [_draft(sealer, "calculation_sheet", case.determination_id, case) for case in found]


def prepare_batch_summary(session: Session, sealer: Sealer, batch_id: str) -> Draft:
    """The summary of a batch as it stands: an exported batch has another one than it had before."""
    return _draft(sealer, "batch_summary", batch_id, batch_figures(session, sealer, batch_id))


def prepare_programme_report(session: Session, sealer: Sealer, policy_number: str) -> Draft:
    """The report on how the programme under a policy number stands."""
    return _draft(
        sealer, "programme_report", policy_number, programme_figures(session, sealer, policy_number)
    )


def prepare_audit_report(session: Session, sealer: Sealer, policy_number: str) -> Draft:
    """The audit report on a policy number."""
    return _draft(sealer, "audit_report", policy_number, audit_figures(session, sealer, policy_number))


def prepare_village_notice(session: Session, sealer: Sealer, subject_id: str, complaint_phone: str) -> Draft:
    """The notice that a subject asks for (`reports.notices.NoticeAsked`). Raises NothingToPublish."""
    figures = notice_figures(session, sealer, notice_asked(subject_id), complaint_phone)
    return _draft(sealer, VILLAGE_NOTICE, subject_id, figures)


def prepare_claim_form(session: Session, sealer: Sealer, actor: Actor, case_id: str, day: date) -> Draft:
    """The pre-filled claim form of a case of early warning, as signed on a day. Raises as `claim_form_figures` does."""
    return _draft(sealer, CLAIM_FORM, case_id, claim_form_figures(session, sealer, actor, case_id, day))


def ask_for_claim_form(session: Session, sealer: Sealer, actor: Actor, at: datetime, case_id: str) -> None:
    """Asks for a claim form in the background. Asked for again, it is looked at again: more may be known by then.

    Raises as `claim_form_figures` does.
    """
    claim_form_figures(session, sealer, actor, case_id, business_day(at))
    jobs.reopen(session, jobs.ask_for(session, CLAIM_FORM, [case_id], at), at)
    record(session, actor, at, [Change("claim_form.asked_for", "warning_case", case_id)])


def ask_for_notice(session: Session, actor: Actor, at: datetime, asked: NoticeAsked) -> None:
    """Asks for a village notice in the background. Asked for again, it is looked at again: there may be more by then.

    Raises NothingToPublish.
    """
    if not anything_to_publish(session, asked):
        raise NothingToPublish
    job_ids = jobs.ask_for(session, VILLAGE_NOTICE, [asked.subject_id], at)
    jobs.reopen(session, job_ids, at)
    record(session, actor, at, [Change("notice.asked_for", "village_notice", asked.subject_id)])


def prepare_cover_certificates(
    session: Session,
    sealer: Sealer,
    policy_number: str,
    household_ids: Sequence[str],
    today: date,
    complaint_phone: str,
) -> list[Draft]:
    """The certificates of some households under a policy, in order; one in which nobody is insured has none.

    A certificate names the one that it takes the place of. Where nothing has changed since the last one, it is that.
    """
    found = certificate_figures(session, sealer, policy_number, household_ids, today, complaint_phone)
    asked = {identity: CertificatesAsked(identity, policy_number) for identity in household_ids}
    subjects = {identity: asked[identity].subject_id for identity in household_ids if identity in found}
    earlier = earlier_certificates(session, subjects.values())
    return [
        next_certificate(sealer, subject, found[identity], earlier.get(subject, ()))
        for identity, subject in subjects.items()
    ]


def next_certificate(
    sealer: Sealer, subject_id: str, figures: CertificateFigures, earlier: Sequence[tuple[str, int, int]]
) -> Draft:
    """The last certificate of a household if it still says what is, else the one after it."""
    numbers = [documents.number_text(COVER_CERTIFICATE, year, number) for _, year, number in earlier]
    if earlier:
        before = numbers[-2] if len(numbers) > 1 else None
        same = _draft(sealer, COVER_CERTIFICATE, subject_id, replace(figures, replaces=before))
        if same.digest == earlier[-1][0]:
            return same
    last = numbers[-1] if numbers else None
    return _draft(sealer, COVER_CERTIFICATE, subject_id, replace(figures, replaces=last))


def ask_for_certificates(session: Session, actor: Actor, at: datetime, asked: CertificatesAsked) -> None:
    """Asks for a household's or a village's certificates in the background.

    Asked for again, it is looked at again: the cover may be another by then.

    Raises NotCovered.
    """
    if not covered_households(session, asked):
        raise NotCovered
    jobs.reopen(session, jobs.ask_for(session, COVER_CERTIFICATE, [asked.subject_id], at), at)
    record(session, actor, at, [Change("certificate.asked_for", COVER_CERTIFICATE, asked.subject_id)])


def _draft(sealer: Sealer, kind: str, subject_id: str, figures: Figures) -> Draft:
    content = orjson.dumps([kind, plain(figures)], option=orjson.OPT_SORT_KEYS)
    return Draft(kind, subject_id, sealer.digest("document", content), figures)


# --- numbering, printing, filing -------------------------------------------------------------------------------------


def number_documents(
    session: Session, actor: Actor, at: datetime, drafts: Sequence[Draft]
) -> dict[Key, tuple[int, int]]:
    """(year, number) of each document: the one it has, or the next of its kind in the year of `at`, in order."""
    year = business_day(at).year
    kinds = dict.fromkeys(draft.kind for draft in drafts)
    one_at_a_time(session, _WORK)
    found = numbers(session, (draft.key for draft in drafts))
    rows: list[dict[str, Any]] = []
    for kind in kinds:
        new = [draft for draft in drafts if draft.kind == kind and draft.key not in found]
        for number, draft in zip(take_numbers(session, _series(kind, year), len(new)), new, strict=True):
            found[draft.key] = (year, number)
            rows.append(
                {
                    "id": secrets.token_hex(16),
                    "kind": kind,
                    "subject_id": draft.subject_id,
                    "figures_digest": draft.digest,
                    "year": year,
                    "number": number,
                    "taken_at": at,
                }
            )
    bulk_insert(session, table_of(DocumentNumber), rows)
    changes = [
        Change("document.numbered", "document_number", row["id"], after=str(row["number"])) for row in rows
    ]
    record(session, actor, at, changes)
    return found


def _series(kind: str, year: int) -> str:
    return f"document:{kind}:{year}"


def printed(
    drafts: Sequence[Draft],
    numbered: Mapping[Key, tuple[int, int]],
    at: datetime,
    names: Mapping[str, str],
    head: Head | None = None,
    processes: int = 1,
) -> Iterator[Printed]:
    """The documents as PDF, in order; the county's reports with the head. Needs no database. Raises RenderingFailed."""
    heads = [head if draft.kind in WITH_HEAD else None for draft in drafts]
    printables = [
        documents.printable(
            draft.kind,
            draft.figures,
            documents.number_text(draft.kind, *numbered[draft.key]),
            at,
            names,
            draft_head,
        )
        for draft, draft_head in zip(drafts, heads, strict=True)
    ]
    for draft, draft_head, content in zip(drafts, heads, print_pdfs(printables, processes), strict=True):
        name = documents.file_name(draft.kind, *numbered[draft.key])
        yield Printed(draft, name, content, draft_head)


def file_documents(
    session: Session, sealer: Sealer, actor: Actor, at: datetime, finished: Sequence[Printed]
) -> list[Issued]:
    """Files documents as issued, with their events; one that was filed meanwhile is that one. In order."""
    one_at_a_time(session, _WORK)
    known = issued(session, (item.draft.key for item in finished))
    rows: list[dict[str, Any]] = []
    changes = []
    for item in finished:
        draft = item.draft
        if draft.key in known:
            continue
        stored = files.store(session, sealer, item.content, "application/pdf")
        document = Issued(
            secrets.token_hex(16),
            draft.kind,
            draft.subject_id,
            draft.digest,
            item.name,
            stored.id,
            stored.sha256,
            at,
        )
        known[draft.key] = document
        rows.append(asdict(document))
        head = f" head={item.head.block}:{item.head.events}:{item.head.root}" if item.head else ""
        after, reason = document.sha256, f"{draft.kind}{head}"
        changes.append(Change("document.issued", "issued_document", document.id, after, draft.digest, reason))
    bulk_insert(session, table_of(IssuedDocument), rows)
    record(session, actor, at, changes)
    return [known[item.draft.key] for item in finished]

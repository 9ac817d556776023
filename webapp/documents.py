"""The documents of a run: letters and calculation sheets as jobs, then the batch summaries and the two reports."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from sqlalchemy import select
from sqlalchemy.orm import Session

from claims.models import ClaimRow, Determination
from foundation.database import Database
from foundation.files import load
from foundation.runtime import Runtime
from foundation.sealing import ERASED, Erased
from foundation.trail.sealing import BEFORE_A_REPORT, Head, seal_trail
from payments.queries import batches
from policies.policy import Policy
from reports.issuing import issue_audit_report, issue_batch_summary, issue_programme_report
from reports.models import IssuedDocument
from reports.queries import printed_head
from webapp.demo_actors import NAMES, SYSTEM
from webapp.jobs import carry_out

Copier = Callable[[str, bytes], None]
"""Writes a copy under a name in the results' folder."""


def issue_documents(
    runtime: Runtime, policy: Policy, write: Copier, letters: int | None
) -> tuple[Head, Head | None]:
    """Issues what is missing and has a copy of every document written.

    Returns the head of the trail at the end of the run, and the one that stands on the audit report: the event of its
    own issue comes after that.

    `letters` is on how many determinations a letter and a calculation sheet are printed, None is all of them.
    """
    database, sealer, clock = runtime.database, runtime.sealer, runtime.clock
    with database.reading() as session:
        chosen = _chosen(session, policy.number, letters)
    carry_out(database, clock, "letter", chosen)
    carry_out(database, clock, "calculation_sheet", chosen)
    copies = _issued(database, chosen)
    at = clock.now()
    with database.reading() as session:
        batch_ids = [batch.id for batch in batches(session, policy.number)]
    reports = [
        issue_batch_summary(
            database, sealer, SYSTEM, at, batch_id, seal_trail(runtime, BEFORE_A_REPORT), NAMES
        )
        for batch_id in batch_ids
    ]
    for issue in (issue_programme_report, issue_audit_report):
        trail = seal_trail(runtime, BEFORE_A_REPORT)
        reports.append(issue(database, sealer, SYSTEM, at, policy.number, trail, NAMES))
    audit = reports[-1]
    copies += [(report.name, report.file_id) for report in reports]
    for name, file_id in copies:
        with suppress(Erased), database.reading() as session:  # past its term there is no copy to be had
            write(f"reports/{name}", load(session, sealer, file_id))
    sealed = seal_trail(runtime, BEFORE_A_REPORT)
    with database.reading() as session:
        return sealed, printed_head(session, audit.id)


def _chosen(session: Session, policy_number: str, most: int | None) -> list[str]:
    """Determinations to print letters on: approvals and refusals in turn, each in the order of determination."""
    query = (
        select(Determination.id, Determination.outcome, ClaimRow.notified_on, ClaimRow.claim_no)
        .join(ClaimRow, ClaimRow.id == Determination.claim_id)
        .where(ClaimRow.policy_number == policy_number, ClaimRow.sealed != ERASED)
    )
    rows = sorted(session.execute(query).all(), key=lambda row: (row.notified_on, row.claim_no))
    if most is None:
        return [row.id for row in rows]
    approved = [row.id for row in rows if row.outcome == "approve"]
    refused = [row.id for row in rows if row.outcome == "reject"]
    half = max(most - most // 2, most - len(refused))
    kept = {*approved[:half], *refused[: most - len(approved[:half])]}
    return [row.id for row in rows if row.id in kept]


def _issued(database: Database, determination_ids: Sequence[str]) -> list[tuple[str, str]]:
    """(name, stored file) of the newest letter and calculation sheet on each determination, by name."""
    found: dict[tuple[str, str], tuple[str, str]] = {}
    wanted = set(determination_ids)
    with database.reading() as session:
        for document in session.scalars(select(IssuedDocument).order_by(IssuedDocument.issued_at)):
            if document.subject_id in wanted:
                found[document.kind, document.subject_id] = (document.name, document.file_id)
    return sorted(found.values())

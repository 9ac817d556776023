"""What can be asked of uploaded packs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from claims.models import ClaimRow, Determination, PackUpload
from claims.upload_preview import Preview, load_preview
from foundation.errors import NotFound
from foundation.jobs import Job
from foundation.sealing import ERASED, Sealer
from foundation.web.paging import Page, keyset
from households.models import HouseholdRow

CHECK, TAKE_IN = "pack.check", "pack.take_in"
"""The kinds of job that an upload is the subject of."""


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file of an upload: its place in a pack, its size in bytes, and its address among the stored files."""

    name: str
    size: int
    blob: str


def upload_by_id(session: Session, upload_id: str) -> PackUpload:
    """An upload as it is now. Raises NotFound."""
    found = session.get(PackUpload, upload_id, populate_existing=True)
    if found is None:
        raise NotFound
    return found


def uploads(session: Session, cursor: str | None, size: int) -> Page[PackUpload]:
    """Uploads, newest first."""
    return keyset(
        session, select(PackUpload), [PackUpload.uploaded_at], PackUpload.id, cursor, size, descending=True
    )


def preview_of(sealer: Sealer, upload: PackUpload) -> Preview:
    """What is known of an upload, opened."""
    if upload.preview is None:
        return Preview(())
    return load_preview(sealer.reveal("pack_upload", "preview", upload.id, upload.preview))


def files_of(upload: PackUpload) -> list[UploadedFile]:
    """The files of an upload."""
    return [UploadedFile(**entry) for entry in json.loads(upload.files)]


def job_of(session: Session, upload: PackUpload) -> Job | None:
    """The job that works on an upload in the state that it is in."""
    kind = CHECK if upload.state in ("checking", "ready", "unusable") else TAKE_IN
    return session.scalars(select(Job).where(Job.kind == kind, Job.subject_id == upload.id)).first()


def blobs_in_use(session: Session) -> set[str]:
    """Addresses of the stored files that an upload needs: of all but those that were thrown away or erased."""
    query = select(PackUpload.files).where(
        PackUpload.state != "discarded", PackUpload.preview.is_distinct_from(ERASED)
    )
    return {entry["blob"] for files in session.scalars(query) for entry in json.loads(files)}


@dataclass(frozen=True, slots=True)
class Known:
    """A claim as it stands in the database: its digest, its state, and whether it is determined."""

    digest: str
    state: str
    determined: bool


def known_claims(session: Session, policy_number: str) -> Mapping[str, Known]:
    """Claim number → what is known of it, under a policy number."""
    query = (
        select(ClaimRow.claim_no, ClaimRow.digest, ClaimRow.state, Determination.id)
        .outerjoin(Determination, Determination.claim_id == ClaimRow.id)
        .where(ClaimRow.policy_number == policy_number)
    )
    return {
        number: Known(digest, state, done is not None)
        for number, digest, state, done in session.execute(query)
    }


def household_ids(session: Session) -> dict[str, str]:
    """Household number → id."""
    rows = session.execute(select(HouseholdRow.household_no, HouseholdRow.id))
    return dict(rows.all())

"""Uploaded packs: received, checked in the background, then taken in or thrown away.

Files are on the disk, sealed, before the transaction that names them. Every step is a compare-and-set on the state: of
two persons who take the same step one wins, and the other is told what is.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from claims.consent import consents
from claims.deciding import Decided, cases_of_pack
from claims.models import PackUpload
from claims.pack import Pack
from claims.queries.uploads import (
    CHECK,
    TAKE_IN,
    UploadedFile,
    files_of,
    household_ids,
    job_of,
    known_claims,
    preview_of,
    upload_by_id,
)
from claims.services.intake import claim_digest
from claims.services.pack import last_digest, pack_digest, take_in_pack
from claims.services.reading import read_whole_pack
from claims.states import UPLOAD_STATE_NAMES, WITHDRAWN
from claims.storing import dump
from claims.upload_preview import Changes, Preview, TakenIn, dump_preview, summarised
from claims.uploaded_files import Sorted
from foundation import jobs
from foundation.actors import Actor, actor_from, actor_text
from foundation.blobs import BlobStore
from foundation.clock import Clock
from foundation.database import Database
from foundation.errors import ConflictError, InvalidInput, UnusableInput
from foundation.sealing import Sealer
from foundation.trail.events import Change, record
from policies.policy import Policy
from policies.queries import standards_faults

Report = Callable[[int, int], None]
"""Says how far a job is: steps done, steps in all."""


@dataclass(frozen=True, slots=True)
class Received:
    """An upload whose files lie on the disk, and that no row names yet."""

    files: tuple[UploadedFile, ...]
    not_read: tuple[str, ...]


# --- what people do ----------------------------------------------------------------------------------


def receive(store: BlobStore, uploaded: Sorted) -> Received:
    """Stores the files of an upload, sealed. Before the transaction that records it, and outside of any."""
    files = (
        UploadedFile(name, len(content), store.put(content))
        for name, content in sorted(uploaded.files.items())
    )
    return Received(tuple(files), uploaded.not_read)


def record_upload(
    session: Session, sealer: Sealer, actor: Actor, at: datetime, received: Received, consent_version: str
) -> str:
    """Records an upload and asks for its check; the id of the upload.

    `consent_version` is the text that the applicants have signed, as the uploader declares. Raises InvalidInput for one
    that there is not.
    """
    if consent_version not in {text.version for text in consents()}:
        raise InvalidInput({"consent_version": [("没有这一版告知同意书", "there is no such consent text")]})
    identity = secrets.token_hex(16)
    files = json.dumps([asdict(file) for file in received.files])
    session.add(
        PackUpload(
            id=identity,
            state="checking",
            uploaded_at=at,
            uploaded_by=actor_text(actor),
            files=files,
            preview=_sealed(sealer, identity, Preview(received.not_read)),
            changed_at=at,
            consent_version=consent_version,
        )
    )
    session.flush()
    jobs.ask_for(session, CHECK, [identity], at)
    digest = sealer.digest("pack_upload", files.encode())
    change = Change("pack.uploaded", "pack_upload", identity, after=digest, reason=consent_version)
    record(session, actor, at, [change])
    return identity


def ask_take_in(session: Session, actor: Actor, at: datetime, upload_id: str) -> None:
    """Asks for a checked pack to be taken in. Raises ConflictError when it is not (any more) to be had."""
    upload = upload_by_id(session, upload_id)
    _move(session, upload, at, ("ready",), "taking_in", asked_by=actor_text(actor))
    jobs.reopen(session, jobs.ask_for(session, TAKE_IN, [upload_id], at), at)
    record(session, actor, at, [Change("pack.take_in_asked", "pack_upload", upload_id)])


def ask_again(session: Session, actor: Actor, at: datetime, upload_id: str) -> None:
    """Asks again for the work on an upload that failed. Raises ConflictError when it has not."""
    upload = upload_by_id(session, upload_id)
    job = job_of(session, upload)
    if job is None or upload.state not in ("checking", "taking_in"):
        raise _conflict(upload)
    jobs.ask_again(session, actor, at, job.id)


def discard(session: Session, actor: Actor, at: datetime, upload_id: str) -> None:
    """Throws an upload away. Raises ConflictError when it is taken in, or being worked on."""
    upload = upload_by_id(session, upload_id)
    job = job_of(session, upload)
    if job is not None and job.state == "failed":
        # What the work could not finish does not have to be finished first.
        if upload.state == "checking":
            _move(session, upload, at, ("checking",), "unusable")
        if upload.state == "taking_in":
            _move(session, upload, at, ("taking_in",), "ready")
        jobs.finish(session, job.id, at)
    _move(session, upload, at, ("ready", "unusable"), "discarded")
    record(session, actor, at, [Change("pack.discarded", "pack_upload", upload_id)])


# --- what the background does ------------------------------------------------------------------------


def check_upload(
    database: Database,
    sealer: Sealer,
    store: BlobStore,
    clock: Clock,
    upload_id: str,
    job_id: str,
    report: Report,
) -> None:
    """Reads an uploaded pack, decides it, and keeps what came of it for its uploader to see. Can run twice."""
    with database.reading() as session:
        upload = upload_by_id(session, upload_id)
    preview = preview_of(sealer, upload)
    if upload.state == "checking":
        preview = _looked_at(database, sealer, store, upload, preview, report)
    with database.transaction() as session:
        at = clock.now()
        upload = upload_by_id(session, upload_id)
        if upload.state == "checking":
            state = "unusable" if preview.faults else "ready"
            _move(session, upload, at, ("checking",), state, preview=_sealed(sealer, upload_id, preview))
        jobs.finish(session, job_id, at)


def take_in_upload(
    database: Database,
    sealer: Sealer,
    store: BlobStore,
    clock: Clock,
    upload_id: str,
    job_id: str,
    report: Report,
) -> None:
    """Takes in an uploaded pack in one transaction, as the person who asked for it. Can run twice."""
    with database.reading() as session:
        upload = upload_by_id(session, upload_id)
    asked_by = upload.asked_by
    if upload.state != "taking_in" or asked_by is None:
        with database.transaction() as session:
            jobs.finish(session, job_id, clock.now())
        return
    with laid_out(store, files_of(upload)) as folder:
        report(0, 2)
        policy, digests, pack = read_whole_pack(folder)
        report(1, 2)
        with database.transaction() as session:
            at = clock.now()
            upload = upload_by_id(session, upload_id)
            done, _ = take_in_pack(session, sealer, actor_from(asked_by), at, pack, digests, policy)
            preview = replace(preview_of(sealer, upload), taken_in=TakenIn(**asdict(done)))
            # Last, since on PostgreSQL nobody waits for this row while the pack is written; a loser rolls all back.
            sealed = _sealed(sealer, upload_id, preview)
            _move(session, upload, at, ("taking_in",), "taken_in", taken_in_at=at, preview=sealed)
            jobs.finish(session, job_id, at)


@contextmanager
def laid_out(
    store: BlobStore, files: Sequence[UploadedFile], wanted: Collection[str] | None = None
) -> Iterator[Path]:
    """The files of an upload, or those wanted, as a pack's folder: plain, closed to others, gone at the end."""
    with store.working_folder() as folder:
        for file in files:
            if wanted is None or file.name in wanted:
                path = folder / file.name
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(store.get(file.blob))
        yield folder


def _looked_at(
    database: Database, sealer: Sealer, store: BlobStore, upload: PackUpload, preview: Preview, report: Report
) -> Preview:
    with laid_out(store, files_of(upload)) as folder:
        report(0, 3)
        try:
            policy, digests, pack = read_whole_pack(folder)
        except UnusableInput as unusable:
            return replace(preview, faults=unusable.faults)
        report(1, 3)
        decided = cases_of_pack(pack.roster, pack.claims, pack.feeds, policy).decide_all()
        report(2, 3)
        with database.reading() as session:
            faults = standards_faults(session, policy)
            changes = _changes(session, sealer, policy, digests, pack, decided)
    if faults:
        return replace(preview, faults=faults)
    summary = summarised(policy, pack, decided, changes)
    return replace(preview, faults=(), refused=tuple(pack.errors), summary=summary)


def _changes(
    session: Session,
    sealer: Sealer,
    policy: Policy,
    digests: dict[str, str],
    pack: Pack,
    decided: Sequence[Decided],
) -> Changes:
    """What taking the pack in would change in the claims, compared by the digests of their rows."""
    known = known_claims(session, policy.number)
    households = household_ids(session)
    towns = {row.id_number: row.town for row in pack.roster}
    new = changed = determined = 0
    for item in decided:
        claim, household = item.facts.claim, item.facts.household
        before = known.get(claim.claim_no)
        if before is None:
            new += 1
        elif before.determined:
            determined += 1
        else:
            # A household that is not there yet has no id: the claim is then changed, as it will be.
            household_id = None if household is None else households.get(household.household_no, "new")
            digest = claim_digest(sealer, dump(claim), household_id, towns.get(claim.id_number, ""))
            changed += before.digest != digest or before.state == WITHDRAWN
    numbers = {item.decision.claim_no for item in decided}
    gone = sum(number not in numbers and item.state != WITHDRAWN for number, item in known.items())
    same = last_digest(session, policy.number) == pack_digest(digests)
    return Changes(same, new, changed, gone, determined)


# --- the state ---------------------------------------------------------------------------------------


def _move(
    session: Session, upload: PackUpload, at: datetime, states: Sequence[str], to: str, **values: Any
) -> None:
    """Compare-and-set of the state. Raises ConflictError that says where the upload stands."""
    here = (PackUpload.id == upload.id) & PackUpload.state.in_(states)
    changed = session.execute(update(PackUpload).where(here).values(state=to, changed_at=at, **values))
    session.refresh(upload)
    if changed.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result has it
        raise _conflict(upload)


def _conflict(upload: PackUpload) -> ConflictError:
    zh, en = UPLOAD_STATE_NAMES[upload.state]
    return ConflictError(
        f"该县包目前的状态是“{zh}”,不能进行此操作,请刷新查看",
        f'the pack is "{en}" now: this cannot be done; look at it again',
    )


def _sealed(sealer: Sealer, upload_id: str, preview: Preview) -> str:
    return sealer.seal("pack_upload", "preview", upload_id, dump_preview(preview))

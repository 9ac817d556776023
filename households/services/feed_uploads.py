"""Files that departments upload: received, asked to be taken in or thrown away; `feed_checking` does the work between.

The file is on the disk, sealed, before the transaction that names it; its own name is not kept, since people put names
into those. Every step is a compare-and-set on the state: of two persons who take the same step one wins, and the other
is told what is.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from foundation import jobs
from foundation.actors import Actor, actor_text
from foundation.blobs import BlobStore
from foundation.clock import business_day
from foundation.errors import ConflictError, Fault, InvalidInput, NotAllowedError, UnusableInput
from foundation.sealing import Sealer
from foundation.trail.events import Change, record
from households.departments import departments
from households.feed_preview import FeedPreview, dump_preview
from households.layouts import MODES, Layout, uploaded_layouts
from households.models.feeds import FeedUpload
from households.queries.feed_uploads import (
    CHECK,
    SENDERS,
    TAKE_IN,
    UploadedFile,
    is_ones_own,
    job_of,
    preview_of,
    upload_by_id,
)
from households.terms import UPLOAD_STATES


@dataclass(frozen=True, slots=True)
class Sent:
    """What a file is, as its sender says: of which feed, the whole list or more rows, and of which day."""

    layout: Layout
    mode: str
    as_of: date


# --- what people do ----------------------------------------------------------------------------------


def receive(store: BlobStore, layout: Layout, content: bytes) -> UploadedFile:
    """Stores a file, sealed. Before the transaction that records it, and outside of any.

    Raises UnusableInput for an empty one.
    """
    if not content.strip():
        raise UnusableInput([Fault("", "文件是空的", "the file is empty")])
    ending = "xlsx" if content.startswith(b"PK\x03\x04") else "csv"
    return UploadedFile(f"{layout.feed}.{ending}", len(content), store.put(content))


def refuse_other_departments(actor: Actor, layout: Layout) -> None:
    """Raises NotAllowedError for whoever may not send a feed: a department sends its own only."""
    actor.must_be(*SENDERS)
    if not is_ones_own(actor, layout):
        zh, en = departments()[layout.department]
        raise NotAllowedError(f"只有{zh}可以报送“{layout.title[0]}”", f"only {en} sends “{layout.title[1]}”")


def record_upload(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    sent: Sent,
    file: UploadedFile,
    *,
    take_in: bool = False,
) -> str:
    """Records an upload and asks for its check; the id of the upload.

    With `take_in` it is taken in without a further word, should the check find nothing that a person ought to see.
    Raises NotAllowedError for another department's feed, InvalidInput for a day that is still to come.
    """
    refuse_other_departments(actor, sent.layout)
    if sent.mode not in MODES:
        raise InvalidInput({"mode": [("只能是全量或增量", "must be full or addition")]})
    if sent.as_of > business_day(at):
        raise InvalidInput({"as_of": [("不能晚于今天", "must not be after today")]})
    identity = secrets.token_hex(16)
    who = actor_text(actor)
    row = FeedUpload(
        id=identity,
        feed=sent.layout.feed,
        mode=sent.mode,
        as_of=sent.as_of,
        state="checking",
        file=json.dumps(asdict(file)),
        uploaded_at=at,
        uploaded_by=who,
        asked_by=who if take_in else None,
        preview=sealed(sealer, identity, FeedPreview()),
        changed_at=at,
    )
    session.add(row)
    session.flush()
    jobs.ask_for(session, CHECK, [identity], at)
    change = Change("feed.uploaded", "feed_upload", identity, after=file.blob, reason=sent.layout.feed)
    record(session, actor, at, [change])
    return identity


def ask_take_in(
    session: Session, sealer: Sealer, actor: Actor, at: datetime, upload_id: str, *, confirmed: bool
) -> None:
    """Asks for a checked file to be taken in.

    `confirmed`: the person has read that the list is less than half as long as the last one, and that this is right.
    Raises ConflictError when it is not (any more) to be had, or is held back for that word.
    """
    upload = _own(session, actor, upload_id)
    preview = preview_of(sealer, upload)
    shrunk = None if preview.found is None else preview.found.shrunk
    if shrunk is not None and not confirmed:
        raise ConflictError(
            f"全量名单只有 {shrunk.now} 行,不到上一次 {shrunk.before} 行的一半;请核对后勾选确认",
            f"the full list has {shrunk.now} rows, less than half of the last one's {shrunk.before}: confirm that",
        )
    agreed = replace(preview, faults=(), confirmed=shrunk)
    move(
        session, upload, at, ("ready",), "taking_in", asked_by=actor_text(actor),
        preview=sealed(sealer, upload_id, agreed),
    )  # fmt: skip
    jobs.reopen(session, jobs.ask_for(session, TAKE_IN, [upload_id], at), at)
    reason = None if shrunk is None else f"records={shrunk.now}"
    record(session, actor, at, [Change("feed.take_in_asked", "feed_upload", upload_id, reason=reason)])


def ask_again(session: Session, actor: Actor, at: datetime, upload_id: str) -> None:
    """Asks again for the work on an upload that failed. Raises ConflictError when it has not."""
    upload = _own(session, actor, upload_id)
    job = job_of(session, upload)
    if job is None or upload.state not in ("checking", "taking_in"):
        raise _conflict(upload)
    jobs.ask_again(session, actor, at, job.id)


def discard(session: Session, actor: Actor, at: datetime, upload_id: str) -> None:
    """Throws an upload away. Raises ConflictError when it is taken in, or being worked on."""
    upload = _own(session, actor, upload_id)
    job = job_of(session, upload)
    if job is not None and job.state == "failed":
        # What the work could not finish does not have to be finished first.
        if upload.state == "checking":
            move(session, upload, at, ("checking",), "unusable")
        if upload.state == "taking_in":
            move(session, upload, at, ("taking_in",), "ready")
        jobs.finish(session, job.id, at)
    move(session, upload, at, ("ready", "unusable"), "discarded")
    record(session, actor, at, [Change("feed.discarded", "feed_upload", upload_id)])


# --- the state ---------------------------------------------------------------------------------------


def _own(session: Session, actor: Actor, upload_id: str) -> FeedUpload:
    """An upload that the actor may do something with. Raises NotFound or NotAllowedError."""
    upload = upload_by_id(session, upload_id)
    refuse_other_departments(actor, uploaded_layouts()[upload.feed])
    return upload


def move(
    session: Session, upload: FeedUpload, at: datetime, states: Sequence[str], to: str, **values: Any
) -> None:
    """Compare-and-set of the state. Raises ConflictError that says where the upload stands."""
    here = (FeedUpload.id == upload.id) & FeedUpload.state.in_(states)
    changed = session.execute(update(FeedUpload).where(here).values(state=to, changed_at=at, **values))
    session.refresh(upload)
    if changed.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result has it
        raise _conflict(upload)


def _conflict(upload: FeedUpload) -> ConflictError:
    zh, en = UPLOAD_STATES[upload.state]
    return ConflictError(
        f"这份文件目前的状态是“{zh}”,不能进行此操作,请刷新查看",
        f'the file is "{en}" now: this cannot be done; look at it again',
    )


def sealed(sealer: Sealer, upload_id: str, preview: FeedPreview) -> str:
    """A preview as it is stored."""
    return sealer.seal("feed_upload", "preview", upload_id, dump_preview(preview))

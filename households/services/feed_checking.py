"""The work on files that departments uploaded: looking at one, and taking it in. Each can run twice.

A file is taken in by one transaction, wholly or not at all, as the person who asked for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from itertools import chain
from pathlib import Path

from sqlalchemy.orm import Session

from foundation import jobs
from foundation.actors import Actor, actor_from
from foundation.blobs import BlobStore
from foundation.clock import Clock
from foundation.database import Database
from foundation.errors import ConflictError, Fault, UnusableInput
from foundation.sealing import Sealer
from foundation.tables import RowError
from foundation.trail.events import Change, record
from households.feed_files import Block, open_feed
from households.feed_preview import FIRST_ROWS, FeedPreview, Found, Shrunk, TakenIn, masked
from households.layouts import FULL, uploaded_layouts
from households.models.feeds import DEPARTMENT, FeedUpload
from households.queries.feed_changes import comparing
from households.queries.feed_uploads import file_of, last_full_list, preview_of, upload_by_id
from households.services.deliveries import Delivery, is_same_file, newest_delivery, take_in_delivery
from households.services.feed_uploads import ask_take_in, move, sealed

Report = Callable[[int, int], None]
"""Says how far a job is: rows done, rows in all (0: not known yet)."""

_REPORT_EVERY = 20_000


def check_upload(
    database: Database,
    sealer: Sealer,
    store: BlobStore,
    clock: Clock,
    upload_id: str,
    job_id: str,
    report: Report,
) -> None:
    """Reads an uploaded file, compares it with what is there, and keeps that for its uploader to see. Can run twice."""
    with database.reading() as session:
        upload = upload_by_id(session, upload_id)
    preview = preview_of(sealer, upload)
    if upload.state == "checking":
        preview = _looked_at(database, sealer, store, upload, report)
    with database.transaction() as session:
        at = clock.now()
        upload = upload_by_id(session, upload_id)
        if upload.state == "checking":
            state = "unusable" if preview.faults else "ready"
            wanted = None if upload.asked_by is None else actor_from(upload.asked_by)
            move(
                session, upload, at, ("checking",), state, asked_by=None,
                preview=sealed(sealer, upload_id, preview),
            )  # fmt: skip
            if wanted is not None and _nothing_to_see(preview):
                ask_take_in(session, sealer, wanted, at, upload_id, confirmed=False)
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
    """Takes in an uploaded file in one transaction, as the person who asked for it. Can run twice."""
    with database.reading() as session:
        upload = upload_by_id(session, upload_id)
    asked_by, preview = upload.asked_by, preview_of(sealer, upload)
    if upload.state != "taking_in" or asked_by is None or preview.found is None:
        with database.transaction() as session:
            jobs.finish(session, job_id, clock.now())
        return
    layout = uploaded_layouts()[upload.feed]
    report(0, preview.found.rows)
    with laid_out(store, upload) as path, open_feed(path, layout) as blocks:
        delivery = Delivery(
            layout, DEPARTMENT, upload.mode, upload.as_of, _digest(path), len(preview.refused)
        )
        with database.transaction() as session:
            at = clock.now()
            upload = upload_by_id(session, upload_id)
            _take_in(session, sealer, at, upload, preview, delivery, blocks, actor_from(asked_by))
            jobs.finish(session, job_id, at)


def _take_in(
    session: Session,
    sealer: Sealer,
    at: datetime,
    upload: FeedUpload,
    preview: FeedPreview,
    delivery: Delivery,
    blocks: Iterator[Block],
    actor: Actor,
) -> None:
    """The rows into the register, and the upload on; back to its people where something else was taken in meanwhile."""
    rows = chain.from_iterable(block.rows for block in blocks)
    assert preview.found is not None
    shrunk = _shrunk(session, upload, preview.found.rows)
    if shrunk is not None and shrunk != preview.confirmed:
        found = replace(preview.found, shrunk=shrunk)
        again = replace(preview, found=found, confirmed=None)
        move(session, upload, at, ("taking_in",), "ready", preview=sealed(sealer, upload.id, again))
        record(session, actor, at, [Change("feed.held_back", "feed_upload", upload.id)])
        return
    try:
        done = take_in_delivery(session, sealer, actor, at, delivery, rows)
    except ConflictError as conflict:  # an older list than the newest: nothing was written yet
        told = replace(preview, faults=(Fault(delivery.layout.title[0], conflict.zh, conflict.en),))
        move(session, upload, at, ("taking_in",), "ready", preview=sealed(sealer, upload.id, told))
        record(session, actor, at, [Change("feed.held_back", "feed_upload", upload.id)])
        return
    told = replace(preview, taken_in=TakenIn(done.unchanged, done.rows, done.added, done.retired))
    # Last, since on PostgreSQL nobody waits for this row while the rows are written; a loser rolls all back.
    move(
        session, upload, at, ("taking_in",), "taken_in", delivery_id=done.delivery_id,
        preview=sealed(sealer, upload.id, told),
    )  # fmt: skip
    if done.unchanged:
        record(session, actor, at, [Change("feed.unchanged", "feed_upload", upload.id)])


@contextmanager
def laid_out(store: BlobStore, upload: FeedUpload) -> Iterator[Path]:
    """The file of an upload, plain, in a folder closed to others and gone at the end."""
    file = file_of(upload)
    with store.working_folder() as folder:
        path = folder / file.name
        path.write_bytes(store.get(file.blob))
        yield path


def _looked_at(
    database: Database, sealer: Sealer, store: BlobStore, upload: FeedUpload, report: Report
) -> FeedPreview:
    layout = uploaded_layouts()[upload.feed]
    refused: list[RowError] = []
    first: list[tuple[str, ...]] = []
    rows = reported = 0
    report(0, 0)
    try:
        with (
            laid_out(store, upload) as path,
            comparing(database, sealer, layout) as comparison,
            open_feed(path, layout) as blocks,
        ):
            digest = _digest(path)
            for block in blocks:
                refused += block.errors
                first += [masked(layout, values) for values in block.rows[: FIRST_ROWS - len(first)]]
                comparison.look_at(block.rows)
                rows += len(block.rows)
                if rows - reported >= _REPORT_EVERY:
                    report(rows, 0)
                    reported = rows
            compared = comparison.counted()
    except UnusableInput as unusable:
        return FeedPreview(faults=unusable.faults)
    with database.reading() as session:
        last = newest_delivery(session, layout.feed, DEPARTMENT)
        delivery = Delivery(layout, DEPARTMENT, upload.mode, upload.as_of, digest)
        found = Found(
            rows=rows,
            new=compared.new,
            same=compared.same,
            gone=compared.lacking if upload.mode == FULL else 0,
            about_known=comparison.about_known,
            first=tuple(first),
            same_file=last is not None and is_same_file(last, delivery),
            shrunk=_shrunk(session, upload, rows),
        )
    return FeedPreview(refused=tuple(refused), found=found)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _shrunk(session: Session, upload: FeedUpload, rows: int) -> Shrunk | None:
    """Whether a full list is less than half as long as the one before."""
    last = last_full_list(session, upload.feed) if upload.mode == FULL else None
    return None if last is None or rows * 2 >= last.rows else Shrunk(last.rows, rows)


def _nothing_to_see(preview: FeedPreview) -> bool:
    """Whether a file goes in without a person's word: wholly readable, and no list that lost most of its rows."""
    found = preview.found
    return found is not None and not preview.refused and found.shrunk is None

"""What can be asked of the departments' files: uploads, deliveries, and how each feed stands by its calendar.

A department sees its own feeds; whoever has the county's feeds to look after sees all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from foundation.actors import Actor, Role
from foundation.errors import NotAllowedError, NotFound
from foundation.jobs import Job
from foundation.sealing import ERASED, Sealer
from foundation.web.paging import Page, keyset
from households.departments import departments
from households.feed_preview import FeedPreview, load_preview
from households.layouts import FULL, Layout, uploaded_layouts
from households.models.feeds import DEPARTMENT, FeedDelivery, FeedUpload
from households.reporting import Standing, standing

CHECK, TAKE_IN = "feed.check", "feed.take_in"
"""The kinds of job that an upload is the subject of."""

SENDERS = frozenset({Role.DEPARTMENT, Role.CENTER_CERTIFIER})
"""Who sends files: a department its own, the Centre's certifier for any."""


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """The file of an upload: its cleaned name, its size in bytes, and its address among the stored files."""

    name: str
    size: int
    blob: str


@dataclass(frozen=True, slots=True)
class FeedState:
    """A feed: what was sent last, and how it stands. `standing` is None for one without a calendar.

    `in_pack`: there is a pack's copy, which answers where the department itself has sent nothing.
    """

    layout: Layout
    last: FeedDelivery | None
    as_of: date | None
    in_pack: bool
    standing: Standing | None

    @property
    def late_days(self) -> int:
        """Days that it is late; 0 when it is not."""
        return 0 if self.standing is None else self.standing.late_days


# --- whose feed --------------------------------------------------------------------------------------


def layout_for(actor: Actor, feed: str) -> Layout:
    """A feed that the actor may look at. Raises NotFound, or NotAllowedError for another department's."""
    layout = uploaded_layouts().get(feed)
    if layout is None:
        raise NotFound
    if not is_ones_own(actor, layout):
        zh, en = departments()[layout.department]
        raise NotAllowedError(
            f"这是{zh}的数据,不属于您的部门", f"these are the data of {en}, not of your department"
        )
    return layout


def is_ones_own(actor: Actor, layout: Layout) -> bool:
    """Whether an actor may look at a feed: a department at its own, everybody else whom the rights table lets in."""
    return actor.role is not Role.DEPARTMENT or actor.department == layout.department


def layouts_of(actor: Actor) -> list[Layout]:
    """The feeds that an actor may look at, by department, in the order of departments.toml."""
    order = list(departments())
    mine = [layout for layout in uploaded_layouts().values() if is_ones_own(actor, layout)]
    return sorted(mine, key=lambda layout: order.index(layout.department))


# --- how feeds stand ---------------------------------------------------------------------------------


def feed_states(session: Session, layouts: Sequence[Layout], day: date) -> list[FeedState]:
    """How some feeds stand on a day, in three statements."""
    sent = _newest(session, FeedDelivery.scope == DEPARTMENT)
    packs = _newest(session, FeedDelivery.scope != DEPARTMENT)
    query = select(FeedDelivery.feed, func.max(FeedDelivery.as_of)).where(FeedDelivery.scope == DEPARTMENT)
    as_of: dict[str, date | None] = dict(session.execute(query.group_by(FeedDelivery.feed)).all())
    return [
        FeedState(
            layout,
            sent.get(layout.feed),
            as_of.get(layout.feed),
            layout.feed in packs and packs[layout.feed].mode != "absent",
            None if layout.calendar is None else standing(layout.calendar, as_of.get(layout.feed), day),
        )
        for layout in layouts
    ]


def late_feeds(session: Session, day: date) -> list[FeedState]:
    """The feeds that are late on a day, by department."""
    order = list(departments())
    layouts = sorted(uploaded_layouts().values(), key=lambda layout: order.index(layout.department))
    return [state for state in feed_states(session, layouts, day) if state.late_days]


def _newest(session: Session, scope: object) -> Mapping[str, FeedDelivery]:
    """Feed → its newest delivery of some scopes."""
    newest = select(func.max(FeedDelivery.sequence)).where(scope).group_by(FeedDelivery.feed)  # type: ignore[arg-type]
    rows = session.scalars(select(FeedDelivery).where(FeedDelivery.sequence.in_(newest)))
    return {row.feed: row for row in rows}


def deliveries_of(session: Session, feed: str, cursor: str | None, size: int) -> Page[FeedDelivery]:
    """What a department has sent of a feed and was taken in, newest first."""
    query = select(FeedDelivery).where(FeedDelivery.feed == feed, FeedDelivery.scope == DEPARTMENT)
    return keyset(session, query, [FeedDelivery.sequence], FeedDelivery.id, cursor, size, descending=True)


def last_full_list(session: Session, feed: str) -> FeedDelivery | None:
    """The newest full list of a feed that a department has sent."""
    mine = (FeedDelivery.feed == feed) & (FeedDelivery.scope == DEPARTMENT) & (FeedDelivery.mode == FULL)
    return session.scalar(select(FeedDelivery).where(mine).order_by(FeedDelivery.sequence.desc()).limit(1))


# --- uploads -----------------------------------------------------------------------------------------


def upload_by_id(session: Session, upload_id: str) -> FeedUpload:
    """An upload as it is now. Raises NotFound."""
    found = session.get(FeedUpload, upload_id, populate_existing=True)
    if found is None:
        raise NotFound
    return found


def upload_for(session: Session, actor: Actor, upload_id: str) -> FeedUpload:
    """An upload of a feed that the actor may look at. Raises NotFound, for another department's too."""
    found = upload_by_id(session, upload_id)
    layout = uploaded_layouts().get(found.feed)
    if layout is None or not is_ones_own(actor, layout):
        raise NotFound
    return found


def open_uploads(session: Session, feeds: Sequence[str]) -> list[FeedUpload]:
    """Uploads of some feeds that wait for a person or are being worked on, newest first."""
    waiting = FeedUpload.feed.in_(feeds) & FeedUpload.state.in_(
        ("checking", "ready", "unusable", "taking_in")
    )
    return list(session.scalars(select(FeedUpload).where(waiting).order_by(FeedUpload.uploaded_at.desc())))


def preview_of(sealer: Sealer, upload: FeedUpload) -> FeedPreview:
    """What is known of an upload, opened; nothing once it was erased."""
    if upload.preview is None or upload.preview == ERASED:
        return FeedPreview()
    return load_preview(sealer.reveal("feed_upload", "preview", upload.id, upload.preview))


def file_of(upload: FeedUpload) -> UploadedFile:
    """The file of an upload."""
    return UploadedFile(**json.loads(upload.file))


def job_of(session: Session, upload: FeedUpload) -> Job | None:
    """The job that works on an upload in the state that it is in."""
    kind = CHECK if upload.state in ("checking", "ready", "unusable") else TAKE_IN
    return session.scalars(select(Job).where(Job.kind == kind, Job.subject_id == upload.id)).first()

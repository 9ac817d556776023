"""Departments' rows and uploaded files at the end of their terms, and which stored files are still needed.

Rows go delivery by delivery: one whose rows are all retired, or whose policy is over, is data that nobody decides by
any more.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from foundation.clock import business_day
from foundation.database import table_of
from foundation.privacy.erasing import chosen, take_out
from foundation.sealing import ERASED
from foundation.trail.events import Change
from households.models.feeds import Clearance, FeedDelivery, FeedRow, FeedUpload
from households.models.proposals import Proposal
from households.models.recognition import Recognition


@dataclass(frozen=True, slots=True)
class DeliveryKept:
    """A delivery whose rows have content. `retired_on`: when its last row was retired; None while one is believed."""

    id: str
    scope: str
    retired_on: date | None


@dataclass(frozen=True, slots=True)
class FeedUploadKept:
    """An uploaded file that is known. `ended_on` None: somebody is still at work on it."""

    id: str
    ended_on: date | None


def deliveries_there(session: Session, ids: Sequence[str] | None = None) -> list[DeliveryKept]:
    """Deliveries with rows whose content was not taken out yet."""
    believed = func.count() - func.count(FeedRow.retired_at)
    query = (
        select(FeedDelivery.id, FeedDelivery.scope, func.max(FeedRow.retired_at), believed)
        .join(FeedRow, FeedRow.delivery_id == FeedDelivery.id)
        .where(FeedRow.sealed != ERASED, chosen(FeedDelivery.id, ids))
        .group_by(FeedDelivery.id, FeedDelivery.scope)
    )
    return [
        DeliveryKept(identity, scope, business_day(last) if last is not None and not open_rows else None)
        for identity, scope, last, open_rows in session.execute(query)
    ]


def erase_deliveries(session: Session, ids: Sequence[str], reason: str) -> list[Change]:
    """Takes the rows of deliveries out: nobody is found by their ID number any more. The events, not yet recorded."""
    table = table_of(FeedRow)
    erased = table.c.delivery_id.in_(ids) & (table.c.sealed != ERASED)
    values = {"sealed": ERASED, "id_lookup": f"{ERASED}:" + table.c.id}
    session.execute(update(table).where(erased).values(values))
    return [Change("feed.erased", "feed_delivery", identity, reason=reason) for identity in ids]


def feed_uploads_there(session: Session, ids: Sequence[str] | None = None) -> list[FeedUploadKept]:
    """Uploaded files of departments of which something is still known."""
    query = select(FeedUpload.id, FeedUpload.state, FeedUpload.changed_at)
    there = query.where(FeedUpload.preview.is_distinct_from(ERASED), chosen(FeedUpload.id, ids))
    ended = ("taken_in", "unusable", "discarded")
    return [
        FeedUploadKept(row.id, business_day(row.changed_at) if row.state in ended else None)
        for row in session.execute(there)
    ]


def erase_feed_uploads(session: Session, ids: Sequence[str], reason: str) -> list[Change]:
    """Takes out what was known of uploads; their files are removed by the next sweep. The events, not yet recorded."""
    take_out(session, FeedUpload, ids, {"preview": ERASED})
    return [Change("feed_upload.erased", "feed_upload", identity, reason=reason) for identity in ids]


def blobs_in_use(session: Session) -> set[str]:
    """Addresses of the stored files that are needed: departments' files, evidence of proposals, clearances, surveys."""
    uploads = select(FeedUpload.file).where(
        FeedUpload.state != "discarded", FeedUpload.preview.is_distinct_from(ERASED)
    )
    found = {str(json.loads(file)["blob"]) for file in session.scalars(uploads)}
    for column in (Proposal.evidence, Clearance.evidence, Recognition.evidence):
        for papers in session.scalars(select(column).where(column.is_not(None))):
            found.update(paper["blob"] for paper in json.loads(papers or "[]"))
    return found

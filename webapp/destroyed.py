"""The list of what an erasure has destroyed 销毁清册: a line each record, with term and digest, nothing personal.

It is made from the plan and from the trail, which are both kept for ever, and so can be made again at any time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation.clock import SHANGHAI
from foundation.csvfiles import csv_bytes
from foundation.privacy.erasing import parts
from foundation.privacy.retention import RetentionTable
from foundation.trail.events import Event
from foundation.upkeep import Upkeep
from webapp.services.erasures import kept_plan

MAIN_ACTIONS: Mapping[str, str] = {
    "paid_claim": "claim.erased",
    "unpaid_claim": "claim.erased",
    "batch": "batch.erased",
    "county_document": "document.erased",
    "upload": "pack.erased",
    "unused_upload": "pack.erased",
    "household": "household.erased",
    "person": "person.erased",
    "delivery": "feed.erased",
    "feed_upload": "feed_upload.erased",
    "disclosure_note": "disclosure.erased",
    "export_note": "export.erased",
    "hold_reason": "hold.erased",
}
"""The event that says that a record of a group was erased; what went with it has events of its own."""

COLUMNS = ("erasure", "group", "record", "term_ended_on", "rules", "digest", "erased_at")


@dataclass(frozen=True, slots=True)
class Destroyed:
    """One record that was erased: when its term had ended, and its digest, which still proves what it was."""

    group: str
    record: str
    term_ended_on: date
    digest: str | None
    erased_at: datetime


def destroyed(session: Session, upkeep: Upkeep) -> Iterator[Destroyed]:
    """What an erasure has destroyed so far, group by group."""
    for group in kept_plan(upkeep).groups:
        for portion in parts(list(group.due)):
            query = select(Event.subject_id, Event.at, Event.body).where(
                Event.subject_id.in_(portion), Event.action == MAIN_ACTIONS[group.code]
            )
            for subject_id, at, body in session.execute(query.order_by(Event.id)):
                event = orjson.loads(body)
                if event["reason"].startswith(f"erasure={upkeep.id} "):
                    yield Destroyed(group.code, subject_id, group.due[subject_id], event["before"], at)


def destroyed_csv(session: Session, table: RetentionTable, upkeep: Upkeep) -> bytes:
    """The list as CSV."""
    rules = {group.code: " ".join(rule.code for rule in group.rules) for group in table.groups}
    return csv_bytes(
        COLUMNS,
        (
            (
                upkeep.id,
                row.group,
                row.record,
                row.term_ended_on.isoformat(),
                rules[row.group],
                row.digest or "",
                row.erased_at.astimezone(SHANGHAI).isoformat(timespec="seconds"),
            )
            for row in destroyed(session, upkeep)
        ),
    )

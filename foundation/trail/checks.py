"""What the last verifications found, each compared with its event `trail.verified`, which the trail vouches for.

The table `trail_check` is in no hash: whoever owns the database could write there that a faulty trail is well.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation.database import instant_text
from foundation.trail.events import Event
from foundation.trail.models import TrailCheck

VERIFIED = "trail.verified"


@dataclass(frozen=True, slots=True)
class Checked:
    """One verification of the whole trail, with the fields of `TrailCheck`; `fault` is its first one.

    A row that is not as its event has it is not well, whatever it says: its fault is of the kind `check_changed`.
    """

    asked_by: str
    checked_at: datetime
    events: int
    blocks: int
    unsealed: int
    root: str
    well: bool
    fault: dict[str, Any] | None


def newest_checks(session: Session, most: int) -> list[Checked]:
    """The newest verifications, the last one first."""
    query = select(TrailCheck).order_by(TrailCheck.checked_at.desc(), TrailCheck.id.desc()).limit(most)
    rows = list(session.scalars(query))
    told = (
        select(Event.id, Event.subject_id, Event.body)
        .where(Event.subject_id.in_([row.id for row in rows]), Event.action == VERIFIED)
        .order_by(Event.id)
    )
    events: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for event_id, check_id, body in session.execute(told):
        events[check_id].append((event_id, body))
    return [_checked(row, events[row.id]) for row in rows]


def _checked(row: TrailCheck, events: list[tuple[int, str]]) -> Checked:
    try:
        fault: dict[str, Any] | None = None if row.fault is None else orjson.loads(row.fault)
        kind = None if fault is None else fault["kind"]
        says = [_said(body) for _, body in events]
    except (ValueError, KeyError, TypeError):
        agrees = False
    else:
        here = (row.asked_by, instant_text(row.checked_at), row.root, kind)
        agrees = says == [here] and row.well == (fault is None)
    if not agrees:
        fault = {
            "kind": "check_changed",
            "leaf": None,
            "event_id": events[0][0] if events else None,
            "block": None,
            "zh": "这次验证的记录与审计链中的事件不符:记录被改动",
            "en": "the record of this verification is not what its event in the trail says: it was changed",
        }
    well = agrees and row.well
    return Checked(row.asked_by, row.checked_at, row.events, row.blocks, row.unsealed, row.root, well, fault)


def _said(body: str) -> tuple[object, ...]:
    """Who asked for a verification, when it was, the root, and the kind of the first fault, as the event has them."""
    event = orjson.loads(body)
    return event["actor"]["person"], event["at"], event["after"], event["reason"]

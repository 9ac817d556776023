"""What reports of early warning say, opened; and to which household a person belongs on a day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation.privacy.erasing import parts
from foundation.sealing import Sealer
from households.models.people import HouseholdRow, Membership
from households.models.two_times import believed
from households.warning_rules import Event, Sum

DEPARTMENT, OWED = "department", "owed"
BY_ROW = (DEPARTMENT, OWED)
"""Channels whose reports rest on a department's row."""


def event_key(sealer: Sealer, event: Event) -> str:
    """The keyed digest of what makes an event the same."""
    return sealer.digest("warning_event", orjson.dumps([event.line, event.kind, *event.parts]))


def content_of(sealer: Sealer, report_id: str, sealed: str) -> dict[str, Any]:
    """What a report says. Raises Erased when it was taken out."""
    content: dict[str, Any] = orjson.loads(sealer.reveal("warning_report", "sealed", report_id, sealed))
    return content


def event_in(content: Mapping[str, Any]) -> Event:
    """The event as the report itself knew it."""
    line, kind, *rest = content["event"]
    return Event(line, kind, tuple(rest))


def sum_in(channel: str, content: Mapping[str, Any], reported_at: datetime) -> Sum | None:
    """The sum that a report gives, or None."""
    if content["amount_fen"] is None:
        return None
    source = content["feed"] if channel in BY_ROW else None
    return Sum(source, content.get("thing"), reported_at, content["amount_fen"])


@dataclass(frozen=True, slots=True)
class Home:
    """The household that a person belongs to from a day on, and where it is."""

    since: date
    household_id: str
    village_code: str


def homes_of(session: Session, person_ids: Collection[str]) -> dict[str, list[Home]]:
    """Person → their households by first day, as the register believes now."""
    found: dict[str, list[Home]] = defaultdict(list)
    for some in parts(sorted(person_ids)):
        query = (
            select(Membership.person_id, Membership.valid_from, HouseholdRow.id, HouseholdRow.village_code)
            .join(HouseholdRow, HouseholdRow.id == Membership.household_id)
            .where(Membership.person_id.in_(some), believed(Membership))
        )
        for person_id, since, household_id, code in session.execute(query):
            found[person_id].append(Home(since or date.min, household_id, code))
    for homes in found.values():
        homes.sort(key=lambda home: (home.since, home.household_id))
    return found


def home_on(homes: Sequence[Home], day: date) -> Home | None:
    """The household on a day: the last that had begun, else the first that there is; None for who is in none."""
    begun = [home for home in homes if home.since <= day]
    return begun[-1] if begun else next(iter(homes), None)

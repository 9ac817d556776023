"""Full views: somebody's data unmasked, for a purpose, counted by the day, each with its row and its event.

A natural person has so many full views in a business day, over all of their accounts. Who comes for one more is
refused, and that is known too.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.clock import SHANGHAI, business_day
from foundation.database import one_at_a_time
from foundation.errors import ConfigurationError, TooManyRequests
from foundation.privacy.models import Disclosure
from foundation.privacy.purposes import check_purpose, view_purposes
from foundation.sealing import Sealer
from foundation.trail.events import Change, record

MOST_A_DAY = 200
"""Full views of a natural person in a business day, where FANGPIN_FULL_VIEWS_A_DAY sets no other number."""

FIELD_NAMES = {"id_number": ("身份证号", "ID numbers"), "account": ("银行账号", "bank accounts")}
"""Kinds of data that a full view may show, in words."""

LIMIT_REACHED = "access.limit_reached"
"""The event that somebody came for one more than there are in a day."""


class DailyLimitReached(TooManyRequests):
    """All full views of the day are used up."""

    code = "daily_limit_reached"

    def __init__(self, most: int, at: datetime) -> None:
        midnight = datetime.combine(business_day(at) + timedelta(days=1), time(), SHANGHAI)
        super().__init__(
            f"今天查看完整信息已满 {most} 次,明天再试;确有需要请联系安全管理员",
            f"your {most} full views of today are used up; come back tomorrow, or ask the security administrator",
            max(1, int((midnight - at).total_seconds())),
        )


@dataclass(frozen=True, slots=True)
class Disclosed:
    """A full view that was granted. `left` is how many more the person has today."""

    id: str
    at: datetime
    fields: tuple[str, ...]
    purpose: str
    left: int


def most_a_day() -> int:
    """How many full views a person has in a day. Raises ConfigurationError when the setting is no whole number."""
    named = os.environ.get("FANGPIN_FULL_VIEWS_A_DAY") or str(MOST_A_DAY)
    if not (named.isascii() and named.isdigit()):
        raise ConfigurationError(
            "FANGPIN_FULL_VIEWS_A_DAY 应为整数", "FANGPIN_FULL_VIEWS_A_DAY must be a whole number"
        )
    return int(named)


def disclose(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    subject: str,
    subject_id: str,
    fields: Collection[str],
    purpose: str | None,
    note: str | None = None,
) -> Disclosed:
    """Grants one full view of a thing and writes down that it was had; the caller shows it once that has committed.

    `subject` is the thing's table (`claim`, `payment`), `fields` are of `FIELD_NAMES`. The note is sealed, and no part
    of the event. Raises InvalidInput for a purpose that is missing or not the role's, or without the note that it
    needs; DailyLimitReached when the day's number is used up: `record_refusal` then notes it, in its own transaction.
    """
    check_purpose(purpose, note, view_purposes(actor.role))
    assert purpose is not None
    most = most_a_day()
    # One after the other for each person, or two at once would both be the last one.
    one_at_a_time(session, f"full views:{actor.person}")
    had = seen_on_day(session, actor.person, at)
    if had >= most:
        raise DailyLimitReached(most, at)
    identity, shown = secrets.token_hex(16), tuple(fields)
    session.add(
        Disclosure(
            id=identity,
            at=at,
            seen_on=business_day(at),
            person=actor.person,
            account=actor.account,
            role=actor.role,
            place=actor.place,
            subject=subject,
            subject_id=subject_id,
            fields=",".join(shown),
            purpose=purpose,
            note=None if note is None else sealer.seal("disclosure", "note", identity, note),
        )
    )
    session.flush()
    reason = f"purpose={purpose} fields={','.join(shown)}"
    record(session, actor, at, [Change(f"{subject}.seen_in_full", subject, subject_id, reason=reason)])
    return Disclosed(identity, at, shown, purpose, most - had - 1)


def record_refusal(session: Session, actor: Actor, at: datetime, subject: str, subject_id: str) -> None:
    """The event that somebody was refused one more full view; it stands among the alerts."""
    reason = f"limit={most_a_day()} {subject}={subject_id}"
    record(session, actor, at, [Change(LIMIT_REACHED, "staff_member", actor.person, reason=reason)])


def seen_on_day(session: Session, person: str, at: datetime) -> int:
    """How many full views a person has had on the business day of an instant."""
    mine = (Disclosure.person == person) & (Disclosure.seen_on == business_day(at))
    return session.scalar(select(func.count()).select_from(Disclosure).where(mine)) or 0

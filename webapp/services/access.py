"""Counts how often something was done in a window of time, and refuses what is over the limit.

Windows are fixed (every quarter of an hour, every minute), so across the edge of two windows at most twice the limit
gets through. `whose` is an account's id or a keyed digest, never an address or a login as it was typed.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from foundation.clock import SHANGHAI
from foundation.database import is_sqlite
from webapp.models import AccessCount

_EPOCH = datetime(1970, 1, 1, tzinfo=SHANGHAI)
"""Windows are counted from here, so that one of a day is a business day."""


def allow(session: Session, kind: str, whose: str, at: datetime, most: int, window: timedelta) -> bool:
    """Counts one more, unless `most` were counted in this window already; whether it was counted.

    One statement does both, so that many at once never get through together. `most` is at least 1.
    """
    insert: Any = sqlite.insert if is_sqlite(session) else postgresql.insert
    row = {
        "id": secrets.token_hex(16),
        "kind": kind,
        "whose": whose,
        "window_start": window_start(at, window),
        "times": 1,
    }
    counted = (
        insert(AccessCount)
        .values(row)
        .on_conflict_do_update(
            index_elements=["kind", "whose", "window_start"],
            set_={"times": AccessCount.times + 1},
            where=AccessCount.times < most,
        )
        .returning(AccessCount.times)
    )
    return session.execute(counted).first() is not None


def give_back(session: Session, kind: str, whose: str, at: datetime, window: timedelta) -> None:
    """Takes back what `allow` counted in this window: what was counted beforehand turned out well."""
    here = (
        (AccessCount.kind == kind)
        & (AccessCount.whose == whose)
        & (AccessCount.window_start == window_start(at, window))
    )
    # The row is locked first: two who give back at once would both see a two, and bring it below one.
    times = session.scalar(select(AccessCount.times).where(here).with_for_update())
    if times == 1:
        session.execute(delete(AccessCount).where(here))
    elif times is not None:
        session.execute(update(AccessCount).where(here).values(times=times - 1))


def window_start(at: datetime, window: timedelta) -> datetime:
    """When the window began that an instant lies in."""
    return at - (at - _EPOCH) % window


def seconds_left(at: datetime, window: timedelta) -> int:
    """How long this window still lasts: at least one second."""
    return max(1, int((window_start(at, window) + window - at).total_seconds()))


def forget(session: Session, before: datetime) -> int:
    """Removes counts of windows that began before an instant; how many."""
    gone = session.execute(delete(AccessCount).where(AccessCount.window_start < before))
    return int(gone.rowcount)  # type: ignore[attr-defined]  # a DELETE's result has it

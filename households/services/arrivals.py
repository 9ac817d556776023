"""What new knowledge sets off: work in the background, asked for in the transaction that brought the knowledge.

Upper packages carry it out: claims looks again at what was determined, and nothing here knows how.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from foundation import jobs

WARN, RECHECK_FEED, RECHECK_HOUSEHOLD = "feed.warn", "feed.recheck", "household.recheck"
"""Kinds of jobs: warnings from a delivery; claims looked at again after a delivery, or after a household changed."""


def delivery_arrived(session: Session, at: datetime, delivery_id: str) -> None:
    """A feed has brought, or taken back, rows: who is at risk now, and which decisions would now be others?"""
    for kind in (WARN, RECHECK_FEED):
        jobs.ask_for(session, kind, [delivery_id], at)


def households_changed(session: Session, at: datetime, household_ids: Iterable[str]) -> None:
    """The register says something else of some households: which of their decisions would now be others?

    Each change is a job of its own, `household id:random`: one that runs already may have read what was before.
    """
    subjects = [f"{identity}:{secrets.token_hex(8)}" for identity in dict.fromkeys(household_ids)]
    jobs.ask_for(session, RECHECK_HOUSEHOLD, subjects, at)

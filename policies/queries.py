"""What can be asked of policies."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import lru_cache

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from policies.canonical import policy_from_canonical
from policies.models import MasterPolicy
from policies.policy import Policy


def policy_by_id(session: Session, policy_id: str) -> Policy:
    """The policy of a stored version."""
    return _built(session.scalars(select(MasterPolicy.canonical).where(MasterPolicy.id == policy_id)).one())


@lru_cache(maxsize=32)
def _built(canonical: str) -> Policy:
    return policy_from_canonical(canonical)


def policies_by_id(session: Session, policy_ids: Iterable[str]) -> dict[str, Policy]:
    """The policies of stored versions by id, in one statement. Ids that are not there are left out."""
    query = select(MasterPolicy.id, MasterPolicy.canonical).where(MasterPolicy.id.in_(set(policy_ids)))
    return {row.id: _built(row.canonical) for row in session.execute(query)}


def periods(session: Session) -> dict[str, tuple[date, date]]:
    """Policy number → the first and the last day of its contract, over all its versions."""
    first, last = func.min(MasterPolicy.period_from), func.max(MasterPolicy.period_to)
    rows = session.execute(select(MasterPolicy.number, first, last).group_by(MasterPolicy.number))
    return {number: (begins, ends) for number, begins, ends in rows}

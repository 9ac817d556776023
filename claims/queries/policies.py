"""Under which policies there are claims, and by which version of each they are decided now."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from claims.models import PackIntake


def policies_in_use(session: Session) -> dict[str, str]:
    """Policy number → row id of the version of its newest pack, the policy that was taken in last at the end."""
    query = select(PackIntake.policy_number, PackIntake.policy_id).order_by(PackIntake.sequence)
    found: dict[str, str] = {}
    for number, policy_id in session.execute(query):
        found.pop(number, None)
        found[number] = policy_id
    return found

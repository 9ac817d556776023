"""What can be asked of people, households and cover."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from households.models import Cover


def insured_people(session: Session, policy_number: str) -> int:
    """How many people have cover under a policy number."""
    query = select(func.count()).select_from(Cover).where(Cover.policy_number == policy_number)
    return session.scalar(query) or 0

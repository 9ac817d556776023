"""Standards of a year put in force by two people, as the services do it."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy.orm import Session

from foundation.actors import Actor, Role
from policies.models import Standard
from policies.queries import first_standards
from policies.services import decide, propose
from policies.standard import Standards

AT = datetime(2020, 3, 1, 2, 0, tzinfo=UTC)
PLACE = "370323"
CERTIFIER = Actor("certifier", "certifier", Role.CENTER_CERTIFIER, PLACE, "核验员")
LEAD = Actor("lead", "lead", Role.CENTER_LEAD, PLACE, "负责人")
GROUP = Actor("group", "group", Role.LEADING_GROUP, PLACE, "领导小组")


def in_force(session: Session, standards: Standards | None = None, at: datetime = AT) -> Standard:
    """Standards (the county's of 2020 unless given) proposed by the certifier and approved by the lead."""
    row = propose(session, CERTIFIER, at, standards or first_standards())
    return decide(session, LEAD, at, row.id, approve=True)

"""The county's standards of 2020 for the demo: proposed by its certifier, approved by the Centre's lead."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from foundation.actors import Actor, Assurance, Role
from foundation.staff.models import Account
from policies.agreement import disagreements
from policies.queries import first_standards, policies_of_year, standard_rows
from policies.services import decide, propose


def ensure_demo_standards(
    session: Session, at: datetime, certifier: Account, lead: Account, place: str
) -> None:
    """Puts the standards in force where the year has none, as two people of the demo.

    Left out where a policy of that year says otherwise: the demo shall not refuse a county's own pack.
    """
    standards = first_standards()
    policies = policies_of_year(session, standards.year)
    if standard_rows(session, standards.year) or any(disagreements(standards, one) for one in policies):
        return
    row = propose(session, _acting(certifier, Role.CENTER_CERTIFIER, place), at, standards)
    decide(session, _acting(lead, Role.CENTER_LEAD, place), at, row.id, approve=True)


def _acting(account: Account, role: Role, place: str) -> Actor:
    return Actor(account.staff_id, account.id, role, place, "", Assurance.RUN_STANDS_IN)

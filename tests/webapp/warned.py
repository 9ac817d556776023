"""A case of early warning in the small pack's county, for tests of pages."""

from __future__ import annotations

from datetime import UTC, date, datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from foundation.actors import Actor, Assurance, Role
from foundation.sealing import Sealer
from households.services.warnings import Told, report_event

AT = datetime(2020, 12, 20, 2, 0, tzinfo=UTC)
CENTRE = Actor("warned-1", "warned-account", Role.CENTER_CERTIFIER, "370323", "核验", Assurance.PASSWORD)

COVERED = (
    "SELECT person.id FROM person JOIN membership ON membership.person_id = person.id "
    "JOIN cover ON cover.person_id = person.id WHERE membership.relation = '户主' "
    "AND cover.cover_from <= '2020-05-01' AND cover.cover_to >= '2020-12-31' "
    "AND NOT EXISTS (SELECT 1 FROM claim WHERE claim.household_id = membership.household_id) "
    "ORDER BY membership.household_id LIMIT 1"
)
"""A covered head whose household has claimed nothing."""


def a_warning(session: Session, sealer: Sealer) -> tuple[str, str]:
    """(case, person): an illness that was told of, under the pack's policy."""
    person_id = str(session.scalar(text(COVERED)))
    told = Told("ab" * 16, "illness", date(2020, 5, 10), "county_window", 1800000, "住院两周")
    return report_event(session, sealer, CENTRE, AT, person_id, told), person_id

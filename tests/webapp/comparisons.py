"""A comparison for tests of pages: run as the services run it, over the small pack's county."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation.actors import Actor, Role
from foundation.sealing import Sealer
from households.models.comparison import ComparisonHit
from households.models.people import Person
from households.queries.people import identity
from households.services.comparison import run_household, run_list
from policies.policy import REVERSE_STANDARDS

CERTIFIER = Actor("comparer", "comparer", Role.CENTER_CERTIFIER, "370323", "核验员")


def two_runs(session: Session, sealer: Sealer, at: datetime) -> tuple[str, str, str]:
    """(run over everybody, second run over a household that a reverse standard hits, that household)."""
    people = session.scalars(select(Person).order_by(Person.id))
    numbers = [number for person in people if (number := identity(sealer, person)[0])]
    whole = run_list(session, sealer, CERTIFIER, at, numbers).run_id
    hit = (ComparisonHit.run_id == whole) & ComparisonHit.matter.in_(REVERSE_STANDARDS)
    found = select(ComparisonHit.household_id).where(hit, ComparisonHit.household_id.is_not(None))
    home = session.scalars(found.order_by(ComparisonHit.id).limit(1)).one()
    assert home is not None
    for _ in range(2):
        run_id = run_household(session, sealer, CERTIFIER, at, home)
    return whole, run_id, home

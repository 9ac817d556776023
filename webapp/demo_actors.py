"""The five fixed people of the demo, and the system itself.

`fangpin run` acts through them: one recommends, another determines, three others make, check and release. They are rows
of the staff, the determiner has a limit, and every event says that the run stood in for their sign-in. In an
installation these are accounts with persons behind them.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation.actors import Actor, Assurance, Role
from foundation.database import one_at_a_time
from foundation.money import MOST_FEN
from foundation.staff.grants import ask_limit, decide_limit
from foundation.staff.models import StaffMember
from foundation.staff.queries import limit_on
from foundation.trail.events import Change, record

COUNTY = "370323"
VALID_FROM = date(2000, 1, 1)
"""Before any day that a demo is run for."""

SYSTEM = Actor("system", "system", Role.SYSTEM, COUNTY, "系统")
SETUP = Actor("system-setup", "system", Role.SYSTEM, COUNTY, "系统安装")
"""Approves what the system asks for while it sets up a demo; nobody signs in as either."""


def _stand_in(number: int, account: str, role: Role, name: str) -> Actor:
    return Actor(f"demo-person-{number}", account, role, COUNTY, name, Assurance.RUN_STANDS_IN)


RECOMMENDER = _stand_in(1, "demo-officer", Role.CLAIM_OFFICER, "演示理赔员")
DETERMINER = _stand_in(2, "demo-adjudicator", Role.ADJUDICATOR, "演示核赔人")
MAKER = _stand_in(3, "demo-maker", Role.FIN_MAKER, "演示制单员")
CHECKER = _stand_in(4, "demo-checker", Role.FIN_CHECKER, "演示复核员")
RELEASER = _stand_in(5, "demo-releaser", Role.FIN_RELEASER, "演示授权人")

PEOPLE = (RECOMMENDER, DETERMINER, MAKER, CHECKER, RELEASER)
NAMES = {actor.person: actor.name for actor in (SYSTEM, *PEOPLE)}
"""Names of the demo's people by person; documents print them."""

_STEP_FEN = 10_000_00
"""The demo's limit is a whole multiple of 10,000 yuan."""


def ensure_demo_staff(session: Session, at: datetime, highest_fen: int) -> None:
    """Makes the five people, and a limit for the determiner that covers `highest_fen`, where they are not there yet."""
    one_at_a_time(session, "staff")
    there = set(session.scalars(select(StaffMember.id)))
    missing = [actor for actor in PEOPLE if actor.person not in there]
    session.add_all(StaffMember(id=actor.person, name=actor.name, created_at=at) for actor in missing)
    session.flush()
    record(session, SYSTEM, at, [Change("staff.added", "staff_member", actor.person) for actor in missing])
    limit = limit_on(session, DETERMINER.person, VALID_FROM)
    if limit is None or limit < highest_fen:
        steps = -(-max(highest_fen, 1) // _STEP_FEN)
        amount = min(MOST_FEN, steps * _STEP_FEN)
        asked = ask_limit(session, SYSTEM, at, DETERMINER.person, amount, VALID_FROM)
        decide_limit(session, SETUP, at, asked.id, approve=True)

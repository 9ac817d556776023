"""A household of a county that was proposed in 2020, for tests of pages that show one."""

from __future__ import annotations

from datetime import UTC, date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation.actors import Actor, Role
from foundation.sealing import Sealer
from households.models.people import HouseholdRow
from households.queries.proposals import Paper
from households.services.recognition import Proposed, propose
from households.services.spell_steps import SurveyedSums
from households.spells import Steps
from policies.queries import active_standards


def proposed_spell(session: Session, sealer: Sealer) -> str:
    """The first household, by a reason of the standards of 2020; the spell. Its papers lie nowhere."""
    home = session.scalars(select(HouseholdRow).order_by(HouseholdRow.household_no).limit(1)).one()
    town = Actor("town", "town", Role.TOWN_REVIEWER, home.village_code[:9], "镇审核")
    standards = active_standards(session, 2020)
    assert standards is not None
    steps = Steps(
        date(2020, 6, 1),
        ("王敏", "李强"),
        date(2020, 6, 2),
        21,
        20,
        date(2020, 6, 3),
        date(2020, 6, 9),
    )
    proposed = Proposed(
        steps,
        SurveyedSums(300_000, 200_000, 0, 100_000, 50_000, "wages"),
        (standards.reasons[0].key,),
        "illness",
        "relief",
        [Paper(f"{step}-1.jpg", 3, "a" * 64) for step in ("survey", "appraisal", "notice")],
    )
    at = datetime(2020, 6, 10, 4, tzinfo=UTC)
    return propose(session, sealer, town, at, home.id, proposed)

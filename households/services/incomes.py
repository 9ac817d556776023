"""A household's income of a year by its four sources, as it was surveyed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.errors import InvalidInput
from foundation.sealing import Sealer
from foundation.trail.events import Change
from households.models.people import Income
from households.models.two_times import REGISTER, believed
from households.queries.households import household_row
from households.registered import IncomeFigures
from households.services.writing import begin, refuse_merged

FIRST_YEAR = 2000


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What a household of `members` took in and spent on production in a year, in fen."""

    wages_fen: int
    operating_fen: int
    property_fen: int
    transfer_fen: int
    cost_fen: int
    members: int

    def figures(self) -> IncomeFigures:
        """With the income a head, rounded down to the fen; a household that lost money has none, never less."""
        total = self.wages_fen + self.operating_fen + self.property_fen + self.transfer_fen - self.cost_fen
        return IncomeFigures(per_head_fen=max(0, total) // self.members, **asdict(self))


def record_income(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    household_id: str,
    year: int,
    surveyed: Surveyed,
    main_source: str,
) -> str:
    """A household's income of a year, in place of what the register had for it; the row's id.

    Raises NotFound outside the actor's place, InvalidInput for a year that has not begun or a household of nobody.
    """
    work = begin(session, sealer, actor, at)
    refuse_merged(household_row(session, actor, household_id))
    if not FIRST_YEAR <= year <= work.today.year:
        wrong = (f"应为 {FIRST_YEAR} 年至今年", f"must be from {FIRST_YEAR} to this year")
        raise InvalidInput({"year": [wrong]})
    if surveyed.members < 1:
        raise InvalidInput({"members": [("至少 1 人", "at least one person")]})
    mine = (Income.household_id == household_id) & (Income.source == REGISTER) & believed(Income)
    rows = list(session.scalars(select(Income).where(mine)))
    content = asdict(surveyed.figures())
    text = orjson.dumps(content, option=orjson.OPT_SORT_KEYS).decode()
    digest = work.digest("income", [household_id, year, content])
    written = work.overlay(
        rows,
        Income,
        (date(year, 1, 1), date(year, 12, 31)),
        text,
        household_id=household_id,
        policy_number=None,
        main_source=main_source,
        digest=digest,
    )
    work.note(
        Change(
            "income.recorded", "income", written, after=work.digest("income", [household_id, year, content])
        )
    )
    work.touches(household_id)
    work.finish()
    return written

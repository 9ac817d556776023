"""Where a household lives, from day to day; who sees it changes with the move, at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.errors import InvalidInput
from foundation.sealing import Sealer
from foundation.trail.events import Change
from households.models.people import HouseholdRow, Residence
from households.models.warnings import WarningCase
from households.queries.households import household_row, residences_of, village_of
from households.services.writing import Days, Writing, begin, refuse_future, refuse_merged

_ONE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Place:
    """A village with the names that it goes by."""

    town: str
    village: str
    village_code: str


def move_household(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    household_id: str,
    village_code: str,
    on: date,
) -> None:
    """The household lives in another village from a day on; who sees it changes at once.

    Raises NotFound, InvalidInput for a day that has not come or a village that nobody lives in.
    """
    work = begin(session, sealer, actor, at)
    home = household_row(session, actor, household_id)
    refuse_merged(home)
    refuse_future(at, "on", on)
    names = village_of(session, village_code)
    if names is None:
        raise InvalidInput({"village_code": [("没有这个村", "there is no such village")]})
    settle_in(work, home, Place(*names, village_code), on)
    work.finish()


def settle_in(work: Writing, home: HouseholdRow, place: Place, on: date) -> None:
    """Writes that a household lives somewhere from a day on, until the next move that is known."""
    rows = residences_of(work.session, home.id)
    following = [row.valid_from for row in rows if row.valid_from is not None and row.valid_from > on]
    days: Days = (on, min(following) - _ONE if following else None)
    if not rows:
        before = {"town": home.town, "village": home.village, "village_code": home.village_code}
        work.add(Residence, household_id=home.id, **before, valid_from=None, valid_to=on - _ONE)
    there = {"town": place.town, "village": place.village, "village_code": place.village_code}
    written = work.overlay(rows, Residence, days, household_id=home.id, **there)
    work.note(
        Change(
            "household.moved",
            "residence",
            written,
            after=work.digest("residence", [home.id, place.village_code, str(on)]),
        )
    )
    if not following:
        digest = work.digest("household", [home.household_no, there])
        statement = update(HouseholdRow).where(HouseholdRow.id == home.id).values(**there, digest=digest)
        work.session.execute(statement.execution_options(synchronize_session=False))
        work.moved = True
        cases = update(WarningCase).where(WarningCase.household_id == home.id)
        work.session.execute(
            cases.values(village_code=place.village_code).execution_options(synchronize_session=False)
        )
    work.touches(home.id)

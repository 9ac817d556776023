"""What every step of a spell shares: the sums of a survey, papers, recusal, and moving on by compare-and-set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.database import one_at_a_time
from foundation.errors import ConflictError
from foundation.sealing import Sealer
from foundation.segregation import refuse_kin
from foundation.staff.queries import own_and_kin
from households.models.people import Person
from households.models.recognition import Recognition
from households.queries.people import spells_in
from households.queries.proposals import Paper
from households.services.incomes import Surveyed, record_income
from households.spells import Faults


@dataclass(frozen=True, slots=True)
class SurveyedSums:
    """A household's income of a year by its four sources, what producing it cost (in fen), its main source."""

    wages_fen: int
    operating_fen: int
    property_fen: int
    transfer_fen: int
    cost_fen: int
    main_source: str
    """A key of `households.terms.INCOME_SOURCES`."""

    def of(self, members: int) -> Surveyed:
        """The same for a household of so many members."""
        return Surveyed(
            self.wages_fen, self.operating_fen, self.property_fen, self.transfer_fen, self.cost_fen, members
        )


def keep_income(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    household_id: str,
    day: date,
    surveyed: Surveyed,
    sums: SurveyedSums,
) -> None:
    """Puts the income that was surveyed on a day into the register, as that of its year."""
    record_income(session, sealer, actor, at, household_id, day.year, surveyed, sums.main_source)


def one_by_one(session: Session, household_id: str) -> None:
    """Lets the steps of one household's spells come one after the other: each sees what the one before has done."""
    one_at_a_time(session, f"recognition:{household_id}")


def missing_papers(papers: Iterable[Paper], steps: Iterable[str]) -> Faults:
    """Papers are named by their step; a step without any is a fault of its field."""
    there = {paper.name.partition("-")[0] for paper in papers}
    missing: list[tuple[str, str]] = [("请附上材料(照片或扫描件)", "a paper is needed: a photo or a scan")]
    return {f"{step}_papers": missing for step in steps if step not in there}


def papers_text(papers: Iterable[Paper]) -> str:
    """Papers in their stored form."""
    return orjson.dumps([asdict(paper) for paper in papers]).decode()


def refuse_own(session: Session, actor: Actor, household_id: str) -> None:
    """Nobody proposes, reviews or decides their own household or a declared relative's (K6)."""
    people = {spell.person_id for spell in spells_in(session, household_id)}
    lookups = session.scalars(select(Person.id_lookup).where(Person.id.in_(people)))
    refuse_kin(own_and_kin(session, [actor.person]), lookups)


def not_active() -> ConflictError:
    """The error for a spell that is not, or not any more, active."""
    return ConflictError("本户不在帮扶中,请刷新查看", "the household is not supported now: look at it again")


def move(
    session: Session, row: Recognition, before: str, after: str, at: datetime, values: Mapping[str, Any]
) -> None:
    """Compare-and-set of the state. Raises ConflictError when it is another one by now."""
    still = (Recognition.id == row.id) & (Recognition.state == before)
    statement = update(Recognition).where(still).values(state=after, changed_at=at, **values)
    moved = session.execute(statement.execution_options(synchronize_session=False))
    session.refresh(row)
    if moved.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result has it
        raise ConflictError(
            "这项认定已由他人办理,请刷新查看", "somebody else has dealt with this meanwhile: look at it again"
        )

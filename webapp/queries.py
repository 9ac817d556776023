"""What waits for whom, over all subjects: the numbers of the home page, each within the actor's place."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from claims.models import ClaimRow, ListingRow, PackUpload, Review
from foundation.actors import Actor
from foundation.jobs import Job
from foundation.places import within
from foundation.staff.models import DeterminationLimit, RoleGrant
from households.models import Cover, HouseholdRow
from households.models.two_times import believed
from payments.models import Batch, Payable


@dataclass(frozen=True, slots=True)
class Tally:
    """How many things, and what they come to in fen."""

    count: int
    total_fen: int = 0


def claims_by_outcome(session: Session, place: str) -> dict[str, Tally]:
    """Claims under review by the outcome that their newest decision proposes."""
    query = (
        select(ListingRow.outcome, func.count(), func.sum(ListingRow.payable_fen))
        .where(ListingRow.state == "review", within(ListingRow.village_code, place))
        .group_by(ListingRow.outcome)
    )
    return {row[0]: Tally(row[1], int(row[2] or 0)) for row in session.execute(query)}


def reviews(session: Session, place: str) -> int:
    """Determined claims that a later pack puts in doubt."""
    query = (
        select(func.count(func.distinct(Review.claim_id)))
        .join(ClaimRow, ClaimRow.id == Review.claim_id)
        .outerjoin(HouseholdRow, HouseholdRow.id == ClaimRow.household_id)
        .where(within(HouseholdRow.village_code, place))
    )
    return session.scalar(query) or 0


def determined_by_town(session: Session, place: str) -> list[tuple[str, Tally]]:
    """Approved claims by town: count and sum."""
    query = (
        select(ListingRow.town, func.count(), func.sum(ListingRow.determined_fen))
        .where(ListingRow.state == "approved", within(ListingRow.village_code, place))
        .group_by(ListingRow.town)
        .order_by(ListingRow.town)
    )
    return [(row[0], Tally(row[1], int(row[2] or 0))) for row in session.execute(query)]


def insured(session: Session, place: str) -> int:
    """People with cover."""
    query = select(func.count(func.distinct(Cover.person_id))).where(
        within(Cover.village_code, place), believed(Cover)
    )
    return session.scalar(query) or 0


def payables_by_state(session: Session) -> dict[str, Tally]:
    """Payables by state."""
    query = select(Payable.state, func.count(), func.sum(Payable.amount_fen)).group_by(Payable.state)
    return {row[0]: Tally(row[1], int(row[2])) for row in session.execute(query)}


def batches_by_state(session: Session) -> dict[str, Tally]:
    """Batches by state."""
    query = select(Batch.state, func.count(), func.sum(Batch.total_fen)).group_by(Batch.state)
    return {row[0]: Tally(row[1], int(row[2])) for row in session.execute(query)}


def uploads_open(session: Session) -> int:
    """Uploaded packs that nobody has taken in or thrown away."""
    query = select(func.count()).select_from(PackUpload).where(PackUpload.state.in_(("ready", "unusable")))
    return session.scalar(query) or 0


def grants_asked(session: Session, actor: Actor) -> int:
    """Roles and limits that another person asked for and that wait for this one's decision."""
    found = 0
    for table in (RoleGrant, DeterminationLimit):
        asked = (table.state == "requested") & (table.requested_by != actor.person)
        found += session.scalar(select(func.count()).select_from(table).where(asked)) or 0
    return found


def jobs_by_state(session: Session) -> dict[str, int]:
    """Background jobs by state."""
    query = select(Job.state, func.count()).group_by(Job.state)
    return {row[0]: row[1] for row in session.execute(query)}

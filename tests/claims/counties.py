"""Counties for tests of what the register knows: a pack taken in and determined as `fangpin run` does, nothing paid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from claims.adjudication import Decision
from claims.facts import Claim, Facts
from claims.models import ClaimRow, Review
from claims.queries import by_household, standings
from claims.queries.newest import newest_decisions
from claims.services.decisions import in_determined_order, opened
from claims.services.determination import determine
from claims.services.limits import highest_for_a_household
from claims.services.pack import take_in_pack
from claims.services.reading import read_whole_pack
from foundation.database import Database
from foundation.keyfile import open_sealer
from foundation.money import MOST_FEN
from foundation.sealing import Sealer
from households.models import HouseholdRow
from policies.policy import Policy
from webapp import demo_actors as actors


@dataclass(frozen=True)
class County:
    """A database with one pack in it; `at` is when it was taken in, and `later` an hour after its determination."""

    database: Database
    sealer: Sealer
    policy: Policy
    at: datetime

    @property
    def later(self) -> datetime:
        return self.at + timedelta(hours=2)


def determined_county(url: str, key_file: Path, pack_folder: Path, at: datetime) -> County:
    """A pack taken in, and determined as far as can be an hour later."""
    database = Database(url)
    policy, files, pack = read_whole_pack(pack_folder)
    with database.transaction() as session:
        sealer = open_sealer(session, key_file)
        take_in_pack(session, sealer, actors.SYSTEM, at, pack, files, policy)
        actors.ensure_demo_staff(session, at, highest_for_a_household(session))
    needed = 0
    while True:
        hour_later = at + timedelta(hours=1)
        with database.transaction() as session:
            done = determine(
                session, sealer, actors.RECOMMENDER, actors.DETERMINER, hour_later, policy.number
            )
            if not needed < done.needed_fen <= MOST_FEN:
                break
            needed = done.needed_fen
            actors.ensure_demo_staff(session, at, needed)
    return County(database, sealer, policy, at)


def all_households(session: Session) -> list[str]:
    return list(session.scalars(select(HouseholdRow.id)))


def all_claims(session: Session, county: County) -> list[Claim]:
    """Every claim as its newest decision has it."""
    known = newest_decisions(
        session, county.sealer, county.policy.number, ClaimRow.policy_number == county.policy.number
    )
    return [item.facts.claim for item in known if item.facts is not None]


def homes(session: Session, county: County) -> dict[str, list[tuple[str, Facts, Decision]]]:
    """Household number → its determined claims in order: (claim number, facts, decision)."""
    found = {}
    known = standings(session, county.policy.number).values()
    for items in by_household(item for item in known if item.household_id is not None).values():
        rows = [(item.claim_no, *opened(county.sealer, item)) for item in in_determined_order(items)]
        if rows and rows[0][1].household is not None:
            found[rows[0][1].household.household_no] = rows
    return found


def reviewed(session: Session) -> dict[str, str]:
    """Claim number → why it is under review."""
    query = select(ClaimRow.claim_no, Review.reason).join(Review, Review.claim_id == ClaimRow.id)
    return dict(session.execute(query).all())

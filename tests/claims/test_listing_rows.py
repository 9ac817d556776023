"""The rows that the list of claims is read from: after every kind of change they say what the tables themselves say."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from claims.models import ClaimRow, ListingRow
from claims.queries.listing import STANDING_COLUMNS, stale, standing
from claims.services.pack import take_in_pack
from claims.services.reading import read_whole_pack
from foundation.database import table_of
from tests.claims.desk import known_claims, one, open_review
from tests.webapp.conftest import SMALL, Web
from webapp.demo_actors import SYSTEM


def listed_and_standing(session: Session) -> tuple[list[object], list[object]]:
    """What is kept for the list, and what it follows from."""
    columns = list(table_of(ListingRow).columns)
    kept = session.execute(select(*columns).order_by(ListingRow.claim_id))
    meant = session.execute(standing(*STANDING_COLUMNS).order_by(ClaimRow.id))
    return [tuple(row) for row in kept], [tuple(row) for row in meant]


def test_each_claim_has_its_row_after_intake_and_determination(county: Web) -> None:
    with county.database.reading() as session:
        kept, meant = listed_and_standing(session)
    assert len(kept) == len(known_claims(county)) > 0
    assert kept == meant


def test_a_newer_decision_on_a_determined_claim_does_not_change_its_row(county: Web) -> None:
    claim = one(county, outcome="approve", state="approved")
    open_review(county, claim, replace(claim.decision, payable_fen=claim.decision.payable_fen + 100))
    with county.database.reading() as session:
        kept, meant = listed_and_standing(session)
        row = session.get_one(ListingRow, claim.id)
    assert kept == meant
    assert row.payable_fen == claim.decision.payable_fen


def test_a_changed_pack_changes_the_rows_of_what_it_changes(county: Web) -> None:
    """A claim is withdrawn, and the household of another one has moved to the next village."""
    waiting = [claim for claim in known_claims(county) if claim.state == "review" and claim.village_code]
    gone, moved = waiting[0], waiting[1]
    members = (
        {member.id_number for member in moved.facts.household.members} if moved.facts.household else set()
    )
    policy, files, pack = read_whole_pack(SMALL)
    pack = replace(
        pack,
        roster=[
            replace(row, village="新村", village_code=f"{row.village_code[:9]}999")
            if row.id_number in members
            else row
            for row in pack.roster
        ],
        claims=[claim for claim in pack.claims if claim.claim_no != gone.claim_no],
    )
    with county.database.transaction() as session:
        at = county.clock.at
        take_in_pack(session, county.sealer, SYSTEM, at, pack, files | {"claims.xlsx": "another"}, policy)
    with county.database.reading() as session:
        kept, meant = listed_and_standing(session)
        states = {row.claim_no: (row.state, row.village) for row in session.scalars(select(ListingRow))}
    assert kept == meant
    assert states[gone.claim_no][0] == "withdrawn"
    assert states[moved.claim_no] == ("review", "新村")


def test_a_row_that_was_forgotten_is_found(county: Web) -> None:
    with county.database.reading() as session:
        assert stale(session) == 0
    with county.database.transaction() as session:
        claim_id = session.scalar(select(ClaimRow.id).where(ClaimRow.state == "review"))
        session.execute(update(ClaimRow).where(ClaimRow.id == claim_id).values(town="别处"))
    with county.database.reading() as session:
        assert stale(session) == 2, "the row that is there, and the one that should be"

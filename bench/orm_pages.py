"""The peer of `bench.pages`: what the claims' pages show, fetched the plain way, one ORM object for each row.

The order, the filters, the place and the sums are those of the pages themselves. The rows come as whole mapped objects,
and what belongs to a row is fetched when its turn comes, as lazily loaded relations are.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from claims.models import ClaimRow, DecisionRow, Determination, ListingRow, Review
from claims.queries import open_decision
from claims.queries.case import Case, DecisionMade, Determined, ReviewOpened
from claims.queries.listing import PAGE, SORTS, Filters, ListedClaim, filtered, of_place
from claims.storing import load_claim
from claims.terms import line_name
from foundation.actors import Actor
from foundation.errors import NotFound
from foundation.masking import Audience, id_number_for
from foundation.places import holds
from foundation.sealing import Sealer
from foundation.staff.models import StaffMember
from foundation.web.paging import Page, keyset
from households.models import HouseholdRow
from policies.policy import Policy
from policies.queries import policies_by_id

Row = tuple[ClaimRow, HouseholdRow | None, DecisionRow]


def page_of_claims(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    filters: Filters,
    sort: str,
    *,
    descending: bool,
    cursor: str | None,
    size: int = PAGE,
) -> Page[ListedClaim]:
    """A page of the list: the claims as objects, then for each its household, determination and decision."""
    claims = of_place(actor, ClaimRow).join(ClaimRow, ClaimRow.id == ListingRow.claim_id)
    query = filtered(claims, filters)
    page = keyset(session, query, [SORTS[sort]], ListingRow.claim_id, cursor, size, descending=descending)
    rows = [_around(session, claim) for claim in page.rows]
    return Page(_listed(session, sealer, rows), page.newer, page.older)


def page_in_one_statement(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    filters: Filters,
    sort: str,
    *,
    descending: bool,
    cursor: str | None,
    size: int = PAGE,
) -> Page[ListedClaim]:
    """The same page with whole objects joined in one statement, as eagerly loaded relations are."""
    joined = (
        of_place(actor, ClaimRow, HouseholdRow, DecisionRow)
        .join(ClaimRow, ClaimRow.id == ListingRow.claim_id)
        .outerjoin(HouseholdRow, HouseholdRow.id == ClaimRow.household_id)
        .join(DecisionRow, DecisionRow.id == ListingRow.decision_id)
    )
    query = filtered(joined, filters)
    page = keyset(session, query, [SORTS[sort]], ListingRow.claim_id, cursor, size, descending=descending)
    rows = [(claim, household, decision) for claim, household, decision in page.rows]
    return Page(_listed(session, sealer, rows), page.newer, page.older)


def case_by_id(session: Session, sealer: Sealer, actor: Actor, claim_id: str) -> Case:
    """A claim with everything around it, each row an object."""
    claim = session.get(ClaimRow, claim_id)
    if claim is None:
        raise NotFound
    household = session.get(HouseholdRow, claim.household_id) if claim.household_id else None
    if not holds(actor.place, household.village_code if household else None):
        raise NotFound
    ordered = select(DecisionRow).where(DecisionRow.claim_id == claim_id).order_by(DecisionRow.sequence)
    decisions = session.scalars(ordered).all()
    determination = _determination(session, claim_id)
    reviews = session.scalars(
        select(Review).where(Review.claim_id == claim_id).order_by(Review.opened_at, Review.id)
    ).all()
    counts = decisions[-1].id if determination is None else determination.decision_id
    named = {counts, *(review.decision_id for review in reviews)}
    made = {row.id: _made(row)
            for row in decisions}  # fmt: skip
    return Case(
        claim_id=claim.id,
        claim_no=claim.claim_no,
        state=claim.state,
        line=claim.line,
        benefit=claim.benefit,
        event_on=claim.event_on,
        notified_on=claim.notified_on,
        town=claim.town,
        village=household.village if household else None,
        village_code=household.village_code if household else None,
        decisions=tuple(made.values()),
        shown=made[counts],
        opened={row.id: open_decision(sealer, row.id, row.sealed) for row in decisions if row.id in named},
        policies=policies_by_id(session, (row.policy_id for row in decisions)),
        determined=None if determination is None else _determined(determination),
        reviews=tuple(ReviewOpened(row.id, row.reason, row.decision_id, row.opened_at) for row in reviews),
        others=tuple(_others(session, sealer, claim)),
    )


def _made(row: DecisionRow) -> DecisionMade:
    sums = row.payable_fen, row.entitled_fen
    return DecisionMade(row.id, row.sequence, row.policy_id, row.outcome, *sums, row.reasons, row.made_at)


def names(session: Session) -> dict[str, str]:
    """Person → name, of everybody."""
    return {member.id: member.name for member in session.scalars(select(StaffMember))}


def _others(session: Session, sealer: Sealer, claim: ClaimRow) -> list[ListedClaim]:
    if claim.household_id is None:
        return []
    others = session.scalars(
        select(ClaimRow)
        .where(ClaimRow.household_id == claim.household_id, ClaimRow.id != claim.id)
        .order_by(ClaimRow.notified_on, ClaimRow.claim_no)
    )
    return _listed(session, sealer, [_around(session, other) for other in others])


def _around(session: Session, claim: ClaimRow) -> Row:
    """A claim with its household and the decision that counts for it."""
    household = session.get(HouseholdRow, claim.household_id) if claim.household_id else None
    determination = _determination(session, claim.id)
    newest = select(DecisionRow).where(DecisionRow.claim_id == claim.id).order_by(DecisionRow.sequence.desc())
    if determination is None:
        return claim, household, session.scalars(newest.limit(1)).one()
    return claim, household, session.get_one(DecisionRow, determination.decision_id)


def _determination(session: Session, claim_id: str) -> Determination | None:
    return session.scalars(select(Determination).where(Determination.claim_id == claim_id)).one_or_none()


def _determined(row: Determination) -> Determined:
    return Determined(
        row.id,
        row.decision_id,
        row.outcome,
        row.amount_fen,
        row.recommended_by,
        row.determined_by,
        row.determined_at,
    )


def _listed(session: Session, sealer: Sealer, rows: list[Row]) -> list[ListedClaim]:
    policies = policies_by_id(session, (decision.policy_id for _, _, decision in rows))
    return [_one(sealer, row, policies[row[2].policy_id]) for row in rows]


def _one(sealer: Sealer, row: Row, policy: Policy) -> ListedClaim:
    claim, household, decision = row
    content = load_claim(sealer.reveal("claim", "sealed", claim.id, claim.sealed))
    return ListedClaim(
        id=claim.id,
        policy_number=claim.policy_number,
        claim_no=claim.claim_no,
        line=claim.line,
        benefit=claim.benefit,
        town=claim.town,
        village=household.village if household else None,
        event_on=claim.event_on,
        notified_on=claim.notified_on,
        state=claim.state,
        outcome=decision.outcome,
        payable_fen=decision.payable_fen,
        reasons=tuple(filter(None, decision.reasons.split(";"))),
        policy_id=decision.policy_id,
        line_title=line_name(policy, claim.line, claim.event_on),
        name=content.name,
        id_number=id_number_for(Audience.OFFICER, content.id_number),
    )

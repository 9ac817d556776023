"""One claim for the desk: what it rests on, how it was decided, and what has become of it. Opens what is shown only.

The number of statements is the same for every claim, however many decisions, reviews or sister claims it has.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from claims.adjudication import Decision
from claims.facts import Facts
from claims.models import ClaimRow, DecisionRow, Determination, Review
from claims.queries import open_decision
from claims.queries.listing import ListedClaim, claims_of_household
from foundation.actors import Actor
from foundation.errors import NotFound
from foundation.places import within
from foundation.sealing import ERASED, Sealer
from households.models import HouseholdRow
from policies.policy import Policy
from policies.queries import policies_by_id


@dataclass(frozen=True, slots=True)
class DecisionMade:
    """A decision as proposed, without its record."""

    id: str
    sequence: int
    policy_id: str
    outcome: str
    payable_fen: int
    entitled_fen: int
    reasons: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Determined:
    """The determination of a claim: which decision, by whom, when."""

    id: str
    decision_id: str
    outcome: str
    amount_fen: int
    recommended_by: str
    determined_by: str
    determined_at: datetime


@dataclass(frozen=True, slots=True)
class ReviewOpened:
    """A review: why, and the decision that the newer facts would give (None for a claim that is gone)."""

    id: str
    reason: str
    decision_id: str | None
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Case:
    """A claim with everything around it. `shown` is the decision that was determined, else the newest one.

    `opened` holds the facts and the decision of the shown decision and of those that reviews name, by decision id, but
    for what was erased at the end of its term; `policies` every policy that a decision of the claim was made under.
    """

    claim_id: str
    claim_no: str
    state: str
    line: str
    benefit: str
    event_on: date
    notified_on: date
    town: str
    village: str | None
    village_code: str | None
    decisions: tuple[DecisionMade, ...]
    shown: DecisionMade
    opened: Mapping[str, tuple[Facts, Decision]]
    policies: Mapping[str, Policy]
    determined: Determined | None
    reviews: tuple[ReviewOpened, ...]
    others: tuple[ListedClaim, ...]
    """The household's other claims, by day of notice."""
    household_id: str | None = None
    """The household in the register; None for somebody whom no roster knows."""

    @property
    def erased(self) -> bool:
        """Whether its personal content was erased: there are no `facts` then, and no `decision`."""
        return self.shown.id not in self.opened

    @property
    def facts(self) -> Facts:
        """What the shown decision was made from."""
        return self.opened[self.shown.id][0]

    @property
    def decision(self) -> Decision:
        """The shown decision."""
        return self.opened[self.shown.id][1]

    @property
    def policy(self) -> Policy:
        """The policy of the shown decision."""
        return self.policies[self.shown.policy_id]

    @property
    def subject_ids(self) -> list[str]:
        """The rows whose events are the claim's own."""
        determined = [] if self.determined is None else [self.determined.id]
        decisions, reviews = [row.id for row in self.decisions], [row.id for row in self.reviews]
        return [self.claim_id, *decisions, *determined, *reviews]


def case_by_id(session: Session, sealer: Sealer, actor: Actor, claim_id: str) -> Case:
    """A claim by its id. Raises NotFound where there is none within the actor's place; the answer is the same."""
    claim = session.execute(
        select(
            ClaimRow.id,
            ClaimRow.claim_no,
            ClaimRow.state,
            ClaimRow.line,
            ClaimRow.benefit,
            ClaimRow.event_on,
            ClaimRow.notified_on,
            ClaimRow.town,
            HouseholdRow.village,
            HouseholdRow.village_code,
            ClaimRow.household_id,
        )
        .outerjoin(HouseholdRow, HouseholdRow.id == ClaimRow.household_id)
        .where(ClaimRow.id == claim_id, within(HouseholdRow.village_code, actor.place))
    ).first()
    if claim is None:
        raise NotFound
    decisions = _decisions(session, claim_id)
    determined = _determined(session, claim_id)
    reviews = _reviews(session, claim_id)
    effective = None if determined is None else determined.decision_id
    shown = next((row for row in decisions if row.id == effective), decisions[-1])
    named = {shown.id, *(review.decision_id for review in reviews if review.decision_id is not None)}
    household_id = claim.household_id
    return Case(
        claim_id=claim.id,
        claim_no=claim.claim_no,
        state=claim.state,
        line=claim.line,
        benefit=claim.benefit,
        event_on=claim.event_on,
        notified_on=claim.notified_on,
        town=claim.town,
        village=claim.village,
        village_code=claim.village_code,
        household_id=household_id,
        decisions=decisions,
        shown=shown,
        opened=_opened(session, sealer, named),
        policies=policies_by_id(session, (row.policy_id for row in decisions)),
        determined=determined,
        reviews=reviews,
        others=()
        if household_id is None
        else tuple(claims_of_household(session, sealer, actor, household_id, but=claim_id)),
    )


def _decisions(session: Session, claim_id: str) -> tuple[DecisionMade, ...]:
    query = (
        select(
            DecisionRow.id,
            DecisionRow.sequence,
            DecisionRow.policy_id,
            DecisionRow.outcome,
            DecisionRow.payable_fen,
            DecisionRow.entitled_fen,
            DecisionRow.reasons,
            DecisionRow.made_at,
        )
        .where(DecisionRow.claim_id == claim_id)
        .order_by(DecisionRow.sequence)
    )
    return tuple(DecisionMade(*row) for row in session.execute(query))


def _determined(session: Session, claim_id: str) -> Determined | None:
    query = select(
        Determination.id,
        Determination.decision_id,
        Determination.outcome,
        Determination.amount_fen,
        Determination.recommended_by,
        Determination.determined_by,
        Determination.determined_at,
    ).where(Determination.claim_id == claim_id)
    row = session.execute(query).first()
    return None if row is None else Determined(*row)


def _reviews(session: Session, claim_id: str) -> tuple[ReviewOpened, ...]:
    query = (
        select(Review.id, Review.reason, Review.decision_id, Review.opened_at)
        .where(Review.claim_id == claim_id)
        .order_by(Review.opened_at, Review.id)
    )
    return tuple(ReviewOpened(*row) for row in session.execute(query))


def _opened(
    session: Session, sealer: Sealer, decision_ids: Collection[str]
) -> dict[str, tuple[Facts, Decision]]:
    query = select(DecisionRow.id, DecisionRow.sealed).where(DecisionRow.id.in_(decision_ids))
    return {
        row.id: open_decision(sealer, row.id, row.sealed)
        for row in session.execute(query)
        if row.sealed != ERASED
    }

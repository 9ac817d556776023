"""The newest decision of each claim, opened: the claim as last known, and what others say of its document."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from claims.adjudication import Decision
from claims.facts import Facts
from claims.models import ClaimRow, DecisionRow
from claims.queries import open_decision
from foundation.sealing import ERASED, Sealer


@dataclass(frozen=True, slots=True)
class Newest:
    """A claim that is not withdrawn, with its newest decision opened; both are None once they were erased."""

    claim_id: str
    claim_no: str
    household_id: str | None
    town: str
    state: str
    facts: Facts | None
    decision: Decision | None


def newest_decisions(
    session: Session, sealer: Sealer, policy_number: str, of: ColumnElement[bool]
) -> list[Newest]:
    """The claims of a policy that a condition on their rows holds of, in no order."""
    last = (
        select(DecisionRow.claim_id, func.max(DecisionRow.sequence).label("sequence"))
        .join(ClaimRow, ClaimRow.id == DecisionRow.claim_id)
        .where(ClaimRow.policy_number == policy_number, of)
        .group_by(DecisionRow.claim_id)
        .subquery()
    )
    query = (
        select(
            ClaimRow.id,
            ClaimRow.claim_no,
            ClaimRow.household_id,
            ClaimRow.town,
            ClaimRow.state,
            DecisionRow.id.label("decision_id"),
            DecisionRow.sealed,
        )
        .join(last, last.c.claim_id == ClaimRow.id)
        .join(DecisionRow, (DecisionRow.claim_id == ClaimRow.id) & (DecisionRow.sequence == last.c.sequence))
        .where(ClaimRow.state != "withdrawn")
    )
    found = []
    for row in session.execute(query):
        facts, decision = (
            (None, None) if row.sealed == ERASED else open_decision(sealer, row.decision_id, row.sealed)
        )
        found.append(Newest(row.id, row.claim_no, row.household_id, row.town, row.state, facts, decision))
    return found

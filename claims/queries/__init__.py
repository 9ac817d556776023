"""What can be asked of claims."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.orm import Session

from claims.adjudication import Decision
from claims.facts import Facts
from claims.models import ClaimRow, DecisionRow, Determination
from claims.storing import decision_from_data, load_record
from foundation.sealing import ERASED, Sealer


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one claim stands: its newest decision, still sealed, and its determination number if it has one."""

    claim_id: str
    claim_no: str
    household_id: str | None
    notified_on: date
    state: str
    decision_id: str
    sequence: int
    policy_id: str
    outcome: str
    sealed: str
    digest: str
    determined_number: int | None
    determined_decision_id: str | None

    @property
    def erased(self) -> bool:
        """Whether its content was erased at the end of its term."""
        return self.sealed == ERASED


def _newest(of: ColumnElement[bool] | None) -> Any:
    newest = func.max(DecisionRow.sequence).label("sequence")
    query = select(DecisionRow.claim_id, newest).group_by(DecisionRow.claim_id)
    if of is not None:
        query = query.join(ClaimRow, ClaimRow.id == DecisionRow.claim_id).where(of)
    return query.subquery()


def standings(
    session: Session, policy_number: str, of: ColumnElement[bool] | None = None
) -> dict[str, Standing]:
    """Claim number → standing, of the claims under a policy number, in the order of deciding.

    A determined claim shows the decision that was determined, not a newer one that only opened a review. `of` narrows
    the claims by a condition on their rows.
    """
    newest = _newest(of)
    decision = DecisionRow
    query = (
        select(
            ClaimRow.id,
            ClaimRow.claim_no,
            ClaimRow.household_id,
            ClaimRow.notified_on,
            ClaimRow.state,
            decision.id.label("decision_id"),
            decision.sequence,
            decision.policy_id,
            decision.outcome,
            decision.sealed,
            decision.digest.label("digest"),
            Determination.number,
            Determination.decision_id.label("determined_decision_id"),
        )
        .outerjoin(Determination, Determination.claim_id == ClaimRow.id)
        .join(newest, newest.c.claim_id == ClaimRow.id)
        .join(
            decision,
            (decision.claim_id == ClaimRow.id)
            & (
                (Determination.decision_id.is_(None) & (decision.sequence == newest.c.sequence))
                | (decision.id == Determination.decision_id)
            ),
        )
        .where(ClaimRow.policy_number == policy_number)
    )
    if of is not None:
        query = query.where(of)
    # Sorted here, since the collation of a database need not be the order by code point of rules.md §1.
    found = sorted(
        (Standing(*tuple(row)) for row in session.execute(query)),
        key=lambda item: (item.notified_on, item.claim_no),
    )
    return {item.claim_no: item for item in found}


def reveal_record(sealer: Sealer, decision_id: str, sealed: str) -> str:
    """The stored record of a decision, opened."""
    return sealer.reveal("decision", "sealed", decision_id, sealed)


def open_decision(sealer: Sealer, decision_id: str, sealed: str) -> tuple[Facts, Decision]:
    """The facts that a stored decision was made from, and the decision; the one place that opens it."""
    facts, data = load_record(reveal_record(sealer, decision_id, sealed))
    return facts, decision_from_data(data)


def by_household(items: Iterable[Standing]) -> dict[str, list[Standing]]:
    """Standings of insured claimants by household id; those of others each under their own claim's id."""
    groups: dict[str, list[Standing]] = defaultdict(list)
    for item in items:
        groups[item.household_id or item.claim_id].append(item)
    return groups


def totals_by(session: Session, policy_number: str, *columns: Any) -> list[Row[Any]]:
    """(columns…, claims, determined amount in fen) of the determinations, grouped and ordered by the columns."""
    amount = func.sum(Determination.amount_fen)
    query = (
        select(*columns, func.count(), amount)
        .select_from(Determination)
        .join(ClaimRow, ClaimRow.id == Determination.claim_id)
        .where(ClaimRow.policy_number == policy_number)
        .group_by(*columns)
        .order_by(*columns)
    )
    return list(session.execute(query))

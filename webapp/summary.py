"""summary.json: what a run found and did, in figures. Nothing personal stands in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from claims.deciding import Decided
from claims.models import ClaimRow, Determination, Review
from claims.pack import Pack, ignored_files
from foundation.money import yuan_text
from foundation.sealing import Sealer
from payments.models import Payable
from payments.queries import bank_files, batch_warnings, batches, funds_available, withheld
from policies.policy import BENEFIT_KINDS, Policy

OUTCOMES = ("approve", "reject", "supplement", "refer")


def summarise(
    session: Session, sealer: Sealer, policy: Policy, pack: Pack, decided: Sequence[Decided]
) -> dict[str, Any]:
    """Counts per outcome, line and reason of the pack; what the database has determined, owes and pays; control totals.

    The decisions are of the pack alone. Where an earlier pack was determined otherwise, the two differ, and
    `reviews_open` says for how many claims.
    """
    return {
        "policy": {"number": policy.number, "fingerprint": policy.fingerprint},
        **_of_pack(pack, decided),
        **_of_database(session, sealer, policy),
    }


def _of_pack(pack: Pack, decided: Sequence[Decided]) -> dict[str, Any]:
    decisions = [item.decision for item in decided]
    lines = {line: dict.fromkeys(OUTCOMES, 0) for line in BENEFIT_KINDS}
    amounts = dict.fromkeys(BENEFIT_KINDS, 0)
    for decision in decisions:
        lines[decision.line][decision.outcome] += 1
        if decision.outcome == "approve":
            amounts[decision.line] += decision.payable_fen
    outcomes = Counter(decision.outcome for decision in decisions)
    approved = {item.facts.claim.id_number for item in decided if item.decision.outcome == "approve"}
    return {
        "people": len(pack.roster),
        "claims": len(decisions),
        "refused_cells": len(pack.errors),
        "refused_cells_by_code": dict(sorted(Counter(error.code for error in pack.errors).items())),
        "absent_feeds": pack.feeds.absent(),
        "ignored_files": len(ignored_files(pack.folder)),
        "outcomes": {outcome: outcomes[outcome] for outcome in OUTCOMES},
        "lines": lines,
        "reasons": dict(sorted(Counter(code for decision in decisions for code in decision.reasons).items())),
        "approved_people": len(approved),
        "approved_yuan": yuan_text(sum(amounts.values())),
        "approved_yuan_by_line": {line: yuan_text(fen) for line, fen in amounts.items()},
    }


def _of_database(session: Session, sealer: Sealer, policy: Policy) -> dict[str, Any]:
    of_policy = (
        select(func.count(), func.coalesce(func.sum(Determination.amount_fen), 0))
        .join(ClaimRow, ClaimRow.id == Determination.claim_id)
        .where(ClaimRow.policy_number == policy.number)
    )
    determined, determined_fen = session.execute(of_policy).one()
    owed = select(func.coalesce(func.sum(Payable.amount_fen), 0)).where(
        Payable.policy_number == policy.number
    )
    reviews = (
        select(func.count(func.distinct(Review.claim_id)))
        .join(ClaimRow, ClaimRow.id == Review.claim_id)
        .where(ClaimRow.policy_number == policy.number)
    )
    return {
        "determined": determined,
        "determined_yuan": yuan_text(int(determined_fen)),
        "owed_yuan": yuan_text(int(session.scalar(owed) or 0)),
        "reviews_open": session.scalar(reviews) or 0,
        "batches": [
            {
                "batch": batch.number,
                "message_id": batch.message_id,
                "state": batch.state,
                "payments": batch.payments,
                "total_yuan": yuan_text(batch.total_fen),
                "warnings": dict(Counter(row[1] for row in batch_warnings(session, sealer, batch.id))),
                "files": {row.name: row.sha256 for row in bank_files(session, batch.id)},
            }
            for batch in batches(session, policy.number)
        ],
        "withheld": dict(sorted(Counter(code for _, code in withheld(session, policy.number)).items())),
        "funds_left_yuan": yuan_text(funds_available(session)),
    }

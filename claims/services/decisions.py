"""Rows of decisions: made from what adjudication gave, and opened again."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from claims.adjudication import Decision
from claims.facts import Facts
from claims.queries import Standing, open_decision
from foundation.money import MOST_FEN
from foundation.sealing import Sealer


def decision_row(
    sealer: Sealer,
    claim_id: str,
    sequence: int,
    policy_id: str,
    decision: Decision,
    content: bytes,
    digest: str,
    at: datetime,
) -> dict[str, Any]:
    """A row of the table decision; `content` is its record, sealed here."""
    identity = secrets.token_hex(16)
    return {
        "id": identity,
        "claim_id": claim_id,
        "sequence": sequence,
        "policy_id": policy_id,
        "outcome": decision.outcome,
        # A doubtful claim may name any number of people; what the column cannot hold stands in the sealed record.
        "payable_fen": min(decision.payable_fen, MOST_FEN),
        "entitled_fen": min(decision.entitled_fen, MOST_FEN),
        "reasons": ";".join(decision.reasons),
        "sealed": sealer.seal("decision", "sealed", identity, content),
        "digest": digest,
        "made_at": at,
    }


def opened(sealer: Sealer, standing: Standing) -> tuple[Facts, Decision]:
    """The facts and the decision of a standing."""
    return open_decision(sealer, standing.decision_id, standing.sealed)


def in_determined_order(items: Iterable[Standing]) -> list[Standing]:
    """Those that are determined, in the order of determination."""
    return sorted(
        (item for item in items if item.determined_number is not None),
        key=lambda item: item.determined_number or 0,
    )

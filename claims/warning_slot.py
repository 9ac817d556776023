"""What a warning's page shows of claims: the claim that was made of the case."""

from __future__ import annotations

from flask import Flask, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from claims.models import ClaimRow
from foundation.sealing import Sealer
from households.queries.warning_case import CaseView
from households.warning_slots import Link, fill


def register(app: Flask) -> None:
    """Fills the slot `claim` of an application's page of a warning."""
    fill(app, "claim", _claim)


def _claim(session: Session, _sealer: Sealer, case: CaseView) -> Link | None:
    number = case.case.claim_no
    if number is None:
        return None
    mine = (ClaimRow.claim_no == number) & (ClaimRow.household_id == case.case.household_id)
    claim_id = session.scalar(
        select(ClaimRow.id).where(mine).order_by(ClaimRow.policy_number.desc()).limit(1)
    )
    return None if claim_id is None else Link(number, url_for("claims.shown", claim_id=claim_id))

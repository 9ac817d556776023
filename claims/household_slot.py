"""What claims put on a household's timeline: each claim when it was notified, and what was determined."""

from __future__ import annotations

from flask import Flask, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from claims.models import ClaimRow, Determination
from claims.phrases import LINES
from claims.services.listing import refresh
from claims.terms import OUTCOME_NAMES
from foundation.clock import business_day
from foundation.money import Money
from foundation.sealing import Sealer
from households.services.writing import follow
from households.slots import fill
from households.timeline import Item


def register(app: Flask) -> None:
    """Fills the slot `claims` of an application's page of a household; the list of claims follows its moves."""
    fill(app, "claims", happenings)
    follow("claims", refresh)


def happenings(session: Session, _sealer: Sealer, household_id: str) -> list[Item]:
    """The household's claims: the day of notice, and the day and sum of the determination. One statement."""
    query = (
        select(
            ClaimRow.id,
            ClaimRow.claim_no,
            ClaimRow.line,
            ClaimRow.notified_on,
            Determination.outcome,
            Determination.amount_fen,
            Determination.determined_at,
        )
        .outerjoin(Determination, Determination.claim_id == ClaimRow.id)
        .where(ClaimRow.household_id == household_id)
        .order_by(ClaimRow.notified_on, ClaimRow.claim_no)
    )
    items = []
    for row in session.execute(query):
        url = url_for("claims.shown", claim_id=row.id)
        zh, en = LINES[row.line]
        number = (row.claim_no, row.claim_no)
        items.append(Item(row.notified_on, "claim", (f"报案:{zh}", f"Claim notified: {en}"), number, url))
        if row.determined_at is not None:
            said = OUTCOME_NAMES.get(row.outcome, (row.outcome, row.outcome))
            title = (f"核定:{said[0]}", f"Determined: {said[1]}")
            money = Money(row.amount_fen).grouped
            text = (f"{row.claim_no} · {money} 元", f"{row.claim_no} · {money} yuan")
            items.append(Item(business_day(row.determined_at), "claim", title, text, url))
    return items

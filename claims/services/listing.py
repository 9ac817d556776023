"""Keeps the rows that the list of claims is read from: each follows from its claim and the decision that counts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import or_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from claims.models import ClaimRow, DecisionRow, ListingRow
from claims.queries.listing import STANDING_COLUMNS, standing
from foundation.database import is_sqlite, table_of
from households.models import HouseholdRow


def refresh(session: Session, at: datetime) -> None:
    """Makes the rows of every claim anew that was taken in, changed, decided or determined at this instant.

    Whoever changes claims, their households or their decisions calls it in the same transaction, after the rows were
    written, with the instant that stands in them.
    """
    insert: Any = sqlite.insert if is_sqlite(session) else postgresql.insert
    names = [column.name for column in table_of(ListingRow).columns]
    touched = standing(*STANDING_COLUMNS).where(
        or_(ClaimRow.changed_at == at, DecisionRow.made_at == at, HouseholdRow.changed_at == at)
    )
    statement = insert(ListingRow).from_select(names, touched)
    changed = {name: statement.excluded[name] for name in names if name != "claim_id"}
    session.execute(statement.on_conflict_do_update(index_elements=["claim_id"], set_=changed))

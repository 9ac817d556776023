"""Search keys of claims that were taken in before there were any: filled once, when a server opens the database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from claims.models import ClaimRow
from claims.storing import load_claim
from foundation.database import one_at_a_time, table_of
from foundation.sealing import ERASED, Sealer

_BLOCK = 2000
"""Claims opened and written at once, so that the memory stays flat."""


def fill_search_keys(session: Session, sealer: Sealer) -> int:
    """Makes a claim found by ID number and by name; returns how many claims had no keys. Writes no event.

    The keys follow from what is sealed in the claim's own row, so nothing that anybody said is changed. A claim that
    was erased at the end of its term stays without.
    """
    one_at_a_time(session, "claims")
    table = table_of(ClaimRow)
    keys: dict[str, Any] = {name: bindparam(name) for name in ("id_lookup", "name_lookup")}
    statement = update(table).where(table.c.id == bindparam("row_id")).values(keys)
    without = (
        select(ClaimRow.id, ClaimRow.sealed)
        .where(ClaimRow.id_lookup.is_(None), ClaimRow.sealed != ERASED)
        .limit(_BLOCK)
    )
    filled = 0
    while rows := session.execute(without).all():
        session.connection().execute(statement, [_keys(sealer, row.id, row.sealed) for row in rows])
        filled += len(rows)
    return filled


def _keys(sealer: Sealer, claim_id: str, sealed: str) -> dict[str, Any]:
    claim = load_claim(sealer.reveal("claim", "sealed", claim_id, sealed))
    return {
        "row_id": claim_id,
        "id_lookup": sealer.lookup("id_number", claim.id_number),
        "name_lookup": sealer.lookup("name", claim.name),
    }

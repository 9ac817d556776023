"""What a claim's page shows of the trail: the way to the whole story of the case, for whoever may read both."""

from __future__ import annotations

from flask import Flask, url_for
from sqlalchemy.orm import Session

from claims.slots import CaseIds, Filling, fill
from foundation.sealing import Sealer
from foundation.web.acting import acting
from webapp.rights import may_open


def register(app: Flask) -> None:
    """Fills the slot `trail` of an application's claim page."""
    fill(app, "trail", show)


def show(_session: Session, _sealer: Sealer, ids: CaseIds) -> Filling | None:
    """A link; nothing for who may not open the trail."""
    if not may_open(acting(), "trail.case"):
        return None
    return Filling("trail/claim_slot.html", {"url": url_for("trail.case", claim_id=ids.claim_id)})

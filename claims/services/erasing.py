"""Claims and uploaded packs at the end of their terms: which are still there, and taking their content out.

A claim goes with all its decisions. Numbers, days, lines, sums, reasons, states and digests stay, in the list as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from claims.models import ClaimRow, DecisionRow, Determination, PackUpload
from claims.queries.uploads import preview_of
from claims.states import REVIEW
from foundation.clock import business_day
from foundation.privacy.erasing import chosen, take_out
from foundation.sealing import ERASED, Sealer
from foundation.trail.events import Change


@dataclass(frozen=True, slots=True)
class ClaimKept:
    """A claim whose content is there. `ended_on`: determined, or withdrawn, on that day; None while it is open."""

    id: str
    policy_number: str
    household_id: str | None
    id_lookup: str
    state: str
    determination_id: str | None
    ended_on: date | None


@dataclass(frozen=True, slots=True)
class UploadKept:
    """An upload whose content is there. `day`: taken in, or found unfit or thrown away; None while it is open."""

    id: str
    state: str
    day: date | None
    policy_number: str | None


def claims_there(session: Session, which: ColumnElement[bool]) -> list[ClaimKept]:
    """Claims whose content was not taken out yet, of those that a condition over claims names.

    A claim that was taken in before there were search keys counts once it has them (`search_keys`); no long sealed
    column is read.
    """
    query = (
        select(
            ClaimRow.id,
            ClaimRow.policy_number,
            ClaimRow.household_id,
            ClaimRow.id_lookup,
            ClaimRow.state,
            ClaimRow.changed_at,
            Determination.id.label("determination_id"),
            Determination.determined_at,
        )
        .outerjoin(Determination, Determination.claim_id == ClaimRow.id)
        .where(ClaimRow.id_lookup.is_not(None), which)
    )
    return [
        ClaimKept(
            row.id,
            row.policy_number,
            row.household_id,
            row.id_lookup,
            row.state,
            row.determination_id,
            None if row.state == REVIEW else business_day(row.determined_at or row.changed_at),
        )
        for row in session.execute(query)
    ]


def erase_claims(session: Session, claim_ids: Sequence[str], reason: str) -> list[Change]:
    """Takes the content out of claims and all their decisions. The events, not yet recorded."""
    claims = session.execute(select(ClaimRow.id, ClaimRow.digest).where(ClaimRow.id.in_(claim_ids))).all()
    of_claims = select(DecisionRow.id, DecisionRow.digest).where(DecisionRow.claim_id.in_(claim_ids))
    decisions = session.execute(of_claims.order_by(DecisionRow.claim_id, DecisionRow.sequence)).all()
    take_out(session, ClaimRow, claim_ids, {"sealed": ERASED, "id_lookup": None, "name_lookup": None})
    take_out(session, DecisionRow, [row.id for row in decisions], {"sealed": ERASED})
    return [
        *(Change("claim.erased", "claim", row.id, before=row.digest, reason=reason) for row in claims),
        *(
            Change("decision.erased", "decision", row.id, before=row.digest, reason=reason)
            for row in decisions
        ),
    ]


# --- uploads ---------------------------------------------------------------------------------------------------------


def uploads_there(session: Session, sealer: Sealer, ids: Sequence[str] | None = None) -> list[UploadKept]:
    """Uploads whose content was not taken out yet. Opens what is known of each, for the number of its policy."""
    query = select(PackUpload).where(PackUpload.preview != ERASED, chosen(PackUpload.id, ids))
    found = []
    for upload in session.scalars(query.order_by(PackUpload.uploaded_at)):
        summary = preview_of(sealer, upload).summary
        day = upload.taken_in_at if upload.state == "taken_in" else upload.changed_at
        ended = upload.state in ("taken_in", "unusable", "discarded")
        number = None if summary is None else summary.policy_number
        found.append(
            UploadKept(upload.id, upload.state, business_day(day) if ended and day else None, number)
        )
    return found


def erase_uploads(session: Session, ids: Sequence[str], reason: str) -> list[Change]:
    """Takes out what was known of uploads; their files are removed by the next sweep. The events, not yet recorded."""
    take_out(session, PackUpload, ids, {"preview": ERASED})
    return [Change("pack.erased", "pack_upload", identity, reason=reason) for identity in ids]

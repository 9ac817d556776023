"""The page of one case as the trail tells it, fit to be printed and filed.

The last of the trail's pages: `trail`, `trail_event` and this file share one blueprint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from flask import render_template

from claims.case_view import heading
from claims.states import STATE_NAMES
from claims.terms import OUTCOME_NAMES, Pair
from foundation.web.acting import acting, now, reading
from foundation.web.fields import StrictSchema
from foundation.web.language import pick
from foundation.web.requests import arguments
from payments.states import PAYABLE_STATE_NAMES
from webapp import trail_queries as queries
from webapp.pages import trail, trail_event
from webapp.rights import may_open
from webapp.trail_case import Standing, story_of
from webapp.trail_view import Shown, exact, people_names, shown

blueprint = trail_event.blueprint

_KINDS = {
    "claim.withdrawn": "neutral",
    "claim.changed": "neutral",
    "review.opened": "warn",
    "payable.withheld": "warn",
    "access.limit_reached": "warn",
}


class _Nothing(StrictSchema):
    """An address without parameters."""


@blueprint.get("/trail/cases/<claim_id>")
def case(claim_id: str) -> str:
    """Every event of a claim and of what came of it. Who may not read claims sees no sums and no numbers."""
    arguments(_Nothing)
    actor = acting()
    reads = may_open(actor, "claims.shown")
    with reading() as session:
        story = story_of(session, claim_id)
        rows = shown(session, actor, story.lines)
        people = people_names(session)
        head = queries.standing(session).block
    remarks = story.remarks if reads else {}
    return render_template(
        "trail/case.html",
        steps=[_step(row, remarks) for row in rows],
        case=_standing(story.standing, people) if reads else None,
        claim_id=claim_id,
        head=head and trail.block_shown(head),
        printed_at=exact(now()),
    )


def _step(row: Shown, remarks: Mapping[str, Pair]) -> dict[str, Any]:
    remark = remarks.get(row.subject_id)
    told = [part for part in (row.reason, "" if remark is None else heading(pick(*remark))) if part]
    return asdict(row) | {"told": " · ".join(told), "colour": _KINDS.get(row.action, "")}


def _standing(found: Standing, people: dict[str, str]) -> dict[str, Any]:
    """Where the claim stands, in words."""
    standing: dict[str, Any] = {"claim_no": found.claim_no, "state": heading(pick(*STATE_NAMES[found.state]))}
    determined, payable = found.determination, found.payable_state
    if determined is not None:
        standing |= {
            "outcome": heading(pick(*OUTCOME_NAMES[determined.outcome])),
            "amount_fen": determined.amount_fen,
            "recommended_by": people.get(determined.recommended_by, determined.recommended_by),
            "determined_by": people.get(determined.determined_by, determined.determined_by),
            "determined_at": exact(determined.determined_at),
        }
    if payable is not None:
        standing["payable"] = heading(pick(*PAYABLE_STATE_NAMES[payable]))
    return standing

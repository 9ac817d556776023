"""The list of claims as a workbook: no name, no ID number, no account; each export is an event."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from claims.phrases import LINES
from claims.queries.listing import ExportedClaim, Filters, claims_to_export
from claims.states import STATE_NAMES
from claims.terms import BENEFIT_NAMES, OUTCOME_NAMES, REASON_NAMES
from foundation.actors import Actor
from foundation.clock import SHANGHAI
from foundation.spreadsheets import Written, write_workbook
from foundation.trail.events import Change, record
from foundation.web.language import pick


def export_listing(session: Session, actor: Actor, at: datetime, filters: Filters) -> bytes:
    """An xlsx of every claim that the filters leave within the actor's place, in the reader's language.

    Records `claims.exported` with the workbook's digest and how many claims are in it.
    """
    claims = claims_to_export(session, actor, filters)
    content = write_workbook({pick("理赔案件", "Claims"): _rows(actor, at, filters, claims)})
    digest = hashlib.sha256(content).hexdigest()
    change = Change(
        "claims.exported",
        "claims_export",
        secrets.token_hex(16),
        after=digest,
        reason=f"claims={len(claims)}",
    )
    record(session, actor, at, [change])
    return content


def _rows(
    actor: Actor, at: datetime, filters: Filters, claims: Sequence[ExportedClaim]
) -> Iterator[Sequence[Written]]:
    made = at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
    yield (pick(f"理赔案件清单({len(claims)} 件)", f"List of claims ({len(claims)})"),)
    yield (pick(f"导出时间:{made} 导出人:{actor.name}", f"Exported at {made} by {actor.name}"),)
    yield (pick(f"筛选条件:{_told(filters) or '无'}", f"Filters: {_told(filters) or 'none'}"),)
    yield (
        pick(
            "本表不含姓名、身份证号和账号。含个人信息的清单须另行说明用途并经批准。",
            "No names, ID numbers or accounts here. A list with personal data asks for a purpose and an approval.",
        ),
    )
    yield ()
    yield (
        pick("保单号", "Policy number"),
        pick("报案号", "Claim number"),
        pick("险种", "Line"),
        pick("给付项目", "Benefit"),
        pick("镇(街道)", "Town"),
        pick("村(居)", "Village"),
        pick("事件日", "Event day"),
        pick("报案日", "Notified"),
        pick("应付金额(元)", "Payable (yuan)"),
        pick("系统结论", "Outcome"),
        pick("状态", "State"),
        pick("原因", "Reasons"),
    )
    for claim in claims:
        yield (
            claim.policy_number,
            claim.claim_no,
            pick(*claim.line_title),
            pick(*BENEFIT_NAMES[claim.benefit]),
            claim.town,
            claim.village,
            claim.event_on,
            claim.notified_on,
            Decimal(claim.payable_fen).scaleb(-2),
            pick(*OUTCOME_NAMES[claim.outcome]),
            pick(*STATE_NAMES[claim.state]),
            pick("、", ", ").join(pick(*REASON_NAMES[code]) for code in claim.reasons),
        )


def _told(filters: Filters) -> str:
    """The filters in words. What was typed as a part of a claim number is left out: people type all sorts of things."""
    named = {
        "line": None if filters.line is None else pick(*LINES[filters.line]),
        "state": None if filters.state is None else pick(*STATE_NAMES[filters.state]),
        "outcome": None if filters.outcome is None else pick(*OUTCOME_NAMES[filters.outcome]),
        "reason": None if filters.reason is None else pick(*REASON_NAMES[filters.reason]),
        "town": filters.town,
        "policy": filters.policy,
        "from": None if filters.notified_from is None else f"≥ {filters.notified_from.isoformat()}",
        "to": None if filters.notified_to is None else f"≤ {filters.notified_to.isoformat()}",
        "number": None if filters.number is None else pick("报案号的一部分", "part of the claim number"),
    }
    return pick("、", ", ").join(text for text in named.values() if text is not None)

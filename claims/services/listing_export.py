"""The list of claims as a workbook: no name, no ID number, no account. It goes out by the register of exports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from claims.phrases import LINES
from claims.queries.listing import ExportedClaim, Filters, claims_to_export, people
from claims.states import STATE_NAMES
from claims.terms import BENEFIT_NAMES, OUTCOME_NAMES, REASON_NAMES
from foundation.actors import Actor
from foundation.privacy.exports import HandedOut, Stamp, Wanted, hand_out, watermark
from foundation.sealing import Sealer
from foundation.spreadsheets import Heading, Written, write_workbook
from foundation.web.language import pick

KIND = "claims_workbook"
NUMBER_HIDDEN = "#"
"""What a part of a claim number begins with in the register: a keyed digest, since people type all sorts of things."""


def export_listing(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    filters: Filters,
    purpose: str | None,
    note: str | None,
) -> HandedOut:
    """An xlsx of every claim that the filters leave within the actor's place, in the reader's language.

    Raises what `foundation.privacy.exports.hand_out` raises; it counts the claimants.
    """
    wanted = Wanted(
        KIND,
        people(session, actor, filters),
        arguments_of(sealer, filters),
        purpose=purpose,
        note=note,
    )

    def make(stamp: Stamp) -> bytes:
        claims = claims_to_export(session, actor, filters)
        sheet = pick("理赔案件", "Claims")
        widths = {sheet: (22, 22, 12, 14, 14, 16, 12, 12, 14, 14, 12, 40)}
        line = pick(*stamp.line)
        return write_workbook({sheet: _rows(filters, claims)}, widths, watermark(stamp, line))

    return hand_out(session, sealer, actor, at, wanted, make)


def arguments_of(sealer: Sealer, filters: Filters) -> Mapping[str, str]:
    """What the register keeps of the filters."""
    chosen = filters.chosen()
    if "number" in chosen:
        chosen["number"] = NUMBER_HIDDEN + sealer.lookup("claim_number", chosen["number"])
    return chosen


def _rows(filters: Filters, claims: Sequence[ExportedClaim]) -> Iterator[Sequence[Written]]:
    yield (pick(f"理赔案件清单({len(claims)} 件)", f"List of claims ({len(claims)})"),)
    yield (pick(f"筛选条件:{_told(filters) or '无'}", f"Filters: {_told(filters) or 'none'}"),)
    yield (pick("本表不含姓名、身份证号和账号。", "No names, ID numbers or accounts here."),)
    yield tuple(
        Heading(pick(*title))
        for title in (
            ("保单号", "Policy number"),
            ("报案号", "Claim number"),
            ("险种", "Line"),
            ("给付项目", "Benefit"),
            ("镇(街道)", "Town"),
            ("村(居)", "Village"),
            ("事件日", "Event day"),
            ("报案日", "Notified"),
            ("应付金额(元)", "Payable (yuan)"),
            ("系统结论", "Outcome"),
            ("状态", "State"),
            ("原因", "Reasons"),
        )
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

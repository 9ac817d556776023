"""The list of what is owed as a workbook: no name, no ID number. It goes out by the register of exports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from claims.owed import MISSING, OWED_OUTCOMES
from claims.phrases import LINES
from claims.queries.owed import DUE, LISTS, OwedFilters, WhatIsOwed, owed_to_export, totals_of_owed
from claims.terms import BENEFIT_NAMES, REASON_NAMES
from foundation.actors import Actor
from foundation.clock import business_day
from foundation.privacy.exports import HandedOut, Stamp, Wanted, hand_out, watermark
from foundation.sealing import Sealer
from foundation.spreadsheets import Heading, Written, write_workbook
from foundation.web.language import pick

KIND = "owed_workbook"


def export_owed(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    filters: OwedFilters,
    purpose: str | None,
    note: str | None,
) -> HandedOut:
    """An xlsx of every row that the filters leave within the actor's place, in the reader's language.

    Raises what `foundation.privacy.exports.hand_out` raises; it counts the people who are owed.
    """
    today = business_day(at)
    people = totals_of_owed(session, actor, filters, today).people
    wanted = Wanted(KIND, people, filters.chosen(), purpose=purpose, note=note)

    def make(stamp: Stamp) -> bytes:
        rows = owed_to_export(session, actor, filters, today)
        sheet = pick("应赔未赔", "Owed")
        widths = {sheet: (22, 16, 16, 18, 12, 14, 12, 14, 14, 12, 12, 40, 40)}
        return write_workbook({sheet: _rows(filters, rows)}, widths, watermark(stamp, pick(*stamp.line)))

    return hand_out(session, sealer, actor, at, wanted, make)


def _rows(filters: OwedFilters, rows: Sequence[WhatIsOwed]) -> Iterator[Sequence[Written]]:
    yield (pick(f"应赔未赔清单({len(rows)} 条)", f"What is owed and not claimed ({len(rows)})"),)
    yield (pick(f"筛选条件:{_told(filters)}", f"Filters: {_told(filters)}"),)
    yield (pick("本表不含姓名和身份证号。", "No names or ID numbers here."),)
    yield tuple(
        Heading(pick(*title))
        for title in (
            ("保单号", "Policy number"),
            ("户编号", "Household number"),
            ("镇(街道)", "Town"),
            ("村(居)", "Village"),
            ("险种", "Line"),
            ("给付项目", "Benefit"),
            ("事件日", "Event day"),
            ("应付金额(元)", "Payable (yuan)"),
            ("测算结论", "Outcome"),
            ("报案期限", "Report by"),
            ("剩余天数", "Days left"),
            ("原因或待查明", "Reasons, or what is not known"),
            ("所需材料", "Papers needed"),
        )
    )
    comma = pick("、", ", ")
    for row in rows:
        reasons = [pick(*REASON_NAMES[code]) for code in row.reasons]
        missing = [] if row.missing is None else [pick(*MISSING[row.missing])]
        yield (
            row.policy_number,
            row.household_no,
            row.town,
            row.village,
            pick(*row.line_title),
            pick(*BENEFIT_NAMES[row.benefit]),
            row.event_on,
            Decimal(row.payable_fen).scaleb(-2),
            pick(*OWED_OUTCOMES[row.outcome]),
            row.report_by,
            row.days_left,
            comma.join(missing + reasons),
            comma.join(row.papers),
        )


def _told(filters: OwedFilters) -> str:
    """The filters in words; places by their codes."""
    named = (
        pick(*LISTS[filters.shown]),
        None if filters.line is None else pick(*LINES[filters.line]),
        filters.village or filters.town,
        None if filters.due is None else pick(*DUE[filters.due]),
    )
    return pick("、", ", ").join(text for text in named if text is not None)

"""The three ledgers 三本台账 as workbooks: with heads of households, without ID numbers, by the export register."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.clock import business_day
from foundation.privacy.exports import HandedOut, Stamp, Wanted, hand_out, watermark
from foundation.sealing import Sealer
from foundation.spreadsheets import Heading, Written, write_workbook
from foundation.staff.queries import names
from foundation.web.language import pick
from households.queries.ledgers import (
    EXIT,
    IDENTIFICATION,
    LEDGERS,
    SUPPORT,
    Entry,
    Filters,
    Totals,
    all_entries,
    totals,
)
from households.terms import (
    BASES,
    CAUSES,
    GROUP_OF_MEASURE,
    MEASURE_GROUPS,
    MEASURES,
    RECOGNITION_STATES,
    TRACKS,
    Pair,
)

KIND = "ledger_workbook"

_COMMON: tuple[Pair, ...] = (
    ("序号", "No."),
    ("日期", "Day"),
    ("认定编号", "Recognition"),
    ("镇(街道)", "Town"),
    ("村(居)", "Village"),
    ("户编号", "Household"),
    ("户主", "Head"),
)
_OWN: dict[str, tuple[Pair, ...]] = {
    IDENTIFICATION: (
        ("结果", "Outcome"),
        ("认定依据", "Basis"),
        ("致困原因", "Cause"),
        ("帮扶方向", "Track"),
        ("入户调查", "Surveyed"),
        ("调查人", "Surveyors"),
        ("民主评议", "Appraised"),
        ("到会/同意", "Present/in favour"),
        ("公示起", "Notice from"),
        ("公示止", "Notice to"),
        ("提出人", "Proposed by"),
        ("认定人", "Decided by"),
    ),
    SUPPORT: (
        ("类别", "Group"),
        ("帮扶措施", "Measure"),
        ("帮扶单位", "Organisation"),
        ("说明", "Note"),
        ("登记人", "Recorded by"),
    ),
    EXIT: (
        ("认定日期", "Recognised"),
        ("致困原因", "Cause"),
        ("会议记录编号", "Minute"),
        ("关注期至", "Follow-up until"),
    ),
}


def export_ledger(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    ledger: str,
    filters: Filters,
    purpose: str | None,
    note: str | None,
) -> HandedOut:
    """An xlsx of a ledger within the actor's place, with its totals by town, in the reader's language.

    Raises what `foundation.privacy.exports.hand_out` raises; it counts the households, each named by its head.
    """
    summed = totals(session, actor, ledger, filters)
    wanted = Wanted(
        KIND, summed.households, {"ledger": ledger, **filters.chosen()}, purpose=purpose, note=note
    )

    def make(stamp: Stamp) -> bytes:
        entries = all_entries(session, sealer, actor, ledger, filters, business_day(at))
        people = names(session)
        sheets = {
            pick(*LEDGERS[ledger]).capitalize(): list(_rows(ledger, entries, people)),
            pick("分镇汇总", "By town"): list(_totals(summed)),
        }
        widths: dict[str, Sequence[int]] = dict.fromkeys(sheets, (8, 12, 20, 14, 14, 16, 12, *[14] * 12))
        return write_workbook(sheets, widths, watermark(stamp, pick(*stamp.line)))

    return hand_out(session, sealer, actor, at, wanted, make)


def _rows(ledger: str, entries: Sequence[Entry], people: dict[str, str]) -> Iterator[Sequence[Written]]:
    yield tuple(Heading(pick(*title)) for title in (*_COMMON, *_OWN[ledger]))
    for place, entry in enumerate(entries, 1):
        head = entry.head or ""
        common = (place, entry.on, entry.number or "", entry.town, entry.village, entry.household_no, head)
        yield (*common, *_own(ledger, entry, people))


def _own(ledger: str, entry: Entry, people: dict[str, str]) -> tuple[Written, ...]:
    spell, measure = entry.recognition, entry.measure
    if measure is not None:
        return (
            pick(*MEASURE_GROUPS[GROUP_OF_MEASURE[measure.kind]]),
            pick(*MEASURES[measure.kind]),
            measure.organisation,
            measure.note or "",
            people.get(measure.recorded_by, measure.recorded_by),
        )
    assert spell is not None  # the two ledgers of spells have one in every entry
    cause = pick(*CAUSES[spell.cause])
    if ledger == EXIT:
        return spell.started_on, cause, spell.exit_meeting or "", spell.follow_up_until
    outcome = RECOGNITION_STATES["refused"] if spell.state == "refused" else ("认定", "recognised")
    return (
        pick(*outcome),
        pick(*BASES[spell.basis]),
        cause,
        pick(*TRACKS[spell.track]),
        spell.surveyed_on,
        spell.surveyors,
        spell.appraised_on,
        spell.appraisal,
        spell.notice_from,
        spell.notice_to,
        people.get(spell.proposed_by, spell.proposed_by),
        people.get(spell.decided_by or "", spell.decided_by or ""),
    )


def _totals(summed: Totals) -> Iterator[Sequence[Written]]:
    yield tuple(
        Heading(pick(*title)) for title in (("镇(街道)", "Town"), ("笔数", "Entries"), ("户数", "Households"))
    )
    for town in summed.towns:
        yield town.town, town.entries, town.households
    yield pick("合计", "Total"), summed.entries, summed.households

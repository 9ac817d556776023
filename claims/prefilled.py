"""A claim made out of a department's row: what is known is filled in, what nobody knows stays blank.

Pure. The pre-filled claim form 免填单 shows it to the family that signs it, and 应赔未赔 decides it as if it had been
handed in. Sums in fen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from claims.facts import TRAFFIC_ACCIDENT, Claim
from households.feeds import AccidentRow, DeathRow, EducationRow, MedicalRow
from households.warning_rules import school_year_began

CHANNEL = "部门预警"
"""报案渠道 of a claim that a department's row started."""
ENROLLED = "在籍"

SourceRow = MedicalRow | EducationRow | AccidentRow | DeathRow


def claim_from_row(
    feed: str,
    row: SourceRow,
    *,
    claim_no: str,
    notified_on: date,
    name: str,
    evidence: tuple[str, ...],
) -> Claim | None:
    """The claim that a row of a feed would be, or None for a row that can be none.

    `name` is the person's as the register has it, `evidence` the papers that are already there. Blank stay what the
    row does not say: the cause of an illness; the cost of school; the benefit of an accident that may also be for
    disability, and its expense (it is made out for medical cost, of which 0 is known); and what somebody died of
    (`cause` None), so that a claim for a death is a question to the family and never by itself a sum that is owed.
    None are: a settlement that public payments exceed, a pupil who is not enrolled, a feed without claims.
    """
    build = _BUILDERS.get(feed)
    known = None if build is None else build(row)
    if known is None:
        return None
    return Claim(
        claim_no=claim_no,
        notified_on=notified_on,
        channel=CHANNEL,
        name=name,
        id_number=row.id_number,
        evidence=evidence,
        **known,
    )


def _medical(row: MedicalRow) -> dict[str, Any] | None:
    burden = row.total_fen - row.basic_fen - row.major_fen - row.aid_fen
    if burden < 0:
        return None
    return {
        "line": "illness",
        "benefit": "medical",
        "event_on": row.settled_on,
        "document_no": row.document_no,
        "measure_fen": burden,
        "total_fen": row.total_fen,
        "basic_fen": row.basic_fen,
        "major_fen": row.major_fen,
        "aid_fen": row.aid_fen,
    }


def _education(row: EducationRow) -> dict[str, Any] | None:
    if row.status != ENROLLED:
        return None
    return {
        "line": "education",
        "benefit": "tuition",
        "event_on": school_year_began(row.academic_year),
        "academic_year": row.academic_year,
        "school": row.school,
        "level": row.level,
    }


def _accident(row: AccidentRow) -> dict[str, Any]:
    return {
        "line": "accident",
        "benefit": "medical",
        "event_on": row.occurred_on,
        "accident_no": row.accident_no,
        "cause": TRAFFIC_ACCIDENT,
    }


def _death(row: DeathRow) -> dict[str, Any]:
    return {"line": "accident", "benefit": "death", "event_on": row.died_on}


_BUILDERS: Mapping[str, Callable[[Any], dict[str, Any] | None]] = {
    "medical": _medical,
    "education": _education,
    "accidents": _accident,
    "deaths": _death,
}


PAPERS_OF_FEEDS: Mapping[str, tuple[str, ...]] = {
    "medical": ("费用结算单",),
    "education": ("学籍证明",),
    "accidents": ("事故证明",),
    "deaths": ("死亡证明",),
}
"""What a department's own row proves: nobody has to hand that paper in once more."""


def papers_known(feeds: Iterable[str]) -> tuple[str, ...]:
    """The papers that the rows of some feeds stand for, each once, in order."""
    return tuple(dict.fromkeys(paper for feed in feeds for paper in PAPERS_OF_FEEDS.get(feed, ())))
